"""CPU seconds of a process before its first fit iterates, in the build that this runs in: KIND (srs, decay or steps).

That is all up to the end of the first fit, less what the same fit takes once everything is imported.
"""

import json
import sys
import time

import numpy as np

kind, random = sys.argv[1], np.random.default_rng(1)
if kind == "srs":
    from stmlab.analysis.lorentzian import fit_srs as fit

    axis = np.geomspace(3e6, 20e9, 60)
    data = 5e-12 / (1 + (2 * np.pi * axis / 3e9) ** 2) + 3e-13 * random.standard_normal(axis.size)
elif kind == "decay":
    from stmlab.analysis.decay import fit_decay as fit

    axis = np.linspace(1e-9, 100e-9, 60)
    data = 5e-12 * np.exp(-axis / 20e-9) + 3e-13 * random.standard_normal(axis.size)
else:
    from stmlab.analysis.steps import fit_steps as fit

    axis = np.linspace(-10e-3, 10e-3, 401)
    data = 1.0 + 0.3 / (1 + np.exp(-(np.abs(axis) - 4e-3) / 2e-4)) + 0.01 * random.standard_normal(axis.size)

fit(axis, data)
first = time.process_time()
fit(axis, data)
print(json.dumps({"seconds": first - (time.process_time() - first)}))
