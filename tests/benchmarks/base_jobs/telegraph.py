"""CPU seconds and memory of the fit of one telegraph trace, in the build that this runs in: FILE (.npy)."""

import json
import resource
import sys
import time

import numpy as np

from stmlab.analysis.telegraph import fit_telegraph

current = np.load(sys.argv[1])
start = time.process_time()
fit = fit_telegraph(current, 1e-3)
seconds = time.process_time() - start
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
rates = {p.name: [p.value, p.error] for p in fit.parameters if p.name in ("rate_up", "rate_down")}
print(json.dumps({"seconds": seconds, "megabytes": memory, "rates": rates}))
