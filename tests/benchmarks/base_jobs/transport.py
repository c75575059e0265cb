"""CPU seconds of the transport fit of one set of spectra, in the build that this runs in: FILE (.npz)."""

import json
import sys
import time

import numpy as np

from stmlab.analysis.transport import fit_transport

data = np.load(sys.argv[1])
columns = [data[name] for name in ("bias", "conductance", "setpoint")]
settings = {"modulation_V": float(data["modulation"])}
single = columns[2] == columns[2][0]
fit_transport(*(column[single] for column in columns), **settings)  # what is imported only once
start = time.process_time()
fit = fit_transport(*columns, **settings)
seconds = time.process_time() - start
found = {p.name: [p.value, p.error] for p in fit.parameters}
print(json.dumps({"seconds": seconds, "parameters": found, "aic": float(fit.curves["aic"].min())}))
