"""CPU seconds of the fit of a map of resonance lines, in the build that this runs in: FILE (.npz) RUNS."""

import json
import sys
import time

import numpy as np

from stmlab.analysis.srs_map import fit_srs_map

data = np.load(sys.argv[1])
columns = [data[name] for name in ("bias", "amplitude", "frequency", "current")]
few = np.isin(columns[0], np.unique(columns[0])[-1:])
fit_srs_map(*(column[few] for column in columns))  # what is imported only once
seconds = []
for _ in range(int(sys.argv[2])):
    start = time.process_time()
    fit = fit_srs_map(*columns)
    seconds.append(time.process_time() - start)
found = {name: np.asarray(fit.curves[name]).tolist() for name in ("rate", "rate_error")}
print(json.dumps({"seconds": min(seconds), **found}))
