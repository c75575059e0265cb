"""CPU seconds and data of a time trace on the simulated microscope, in the build that this runs in: SAMPLES RUNS."""

import hashlib
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, ".")
import numpy as np

from drivers.nanonis import Nanonis
from stmlab.clock import SimulatedClock
from stmlab.simulation.microscope import SimulatedMicroscope


def trace(samples):
    """CPU seconds, and a digest of every curve."""
    microscope = SimulatedMicroscope.from_config(
        {}, sample="fe_atom", seed=5, clock=SimulatedClock(), directory=Path("config")
    )
    controller = Nanonis(microscope.adapter("nanonis"))
    start = time.process_time()
    sweep = controller.sweep_bias(10e-3, 10e-3, samples, settling=0.0, integration=1e-3, slew=1.0, backward=False)
    seconds = time.process_time() - start
    curves = [np.asarray(value, dtype=float).tobytes() for value in vars(sweep).values() if value is not None]
    return seconds, hashlib.sha256(b"".join(curves)).hexdigest()


count, runs = map(int, sys.argv[1:])
trace(10)  # what is imported only once
found = [trace(count) for _ in range(runs)]
print(json.dumps({"seconds": [one[0] for one in found], "data": found[0][1]}))
