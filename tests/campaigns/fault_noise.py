"""With noise: what is read in runs that a fault has disturbed scatters as much as the noise says, no more and no less.

Pulls are differences from the run without noise, over the standard deviation that follows from the preamplifier's and
the lock-in's noise and from the bandwidth of its filter. A reading taken too early, of another point, or with another
setting makes them wider than 1.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stmlab.lowpass import noise_bandwidth
from stmlab.simulation.config import SimulationConfig
from stmlab.storage import open_run
from tests.campaigns.fault_run import take
from tests.campaigns.fault_trials import PHASES, Trial, course

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray
    from tests.campaigns.fault_judge import Reference

WIDTHS = (0.9, 1.1)
KINDS = ("drop", "delay", "garble", "half")  # after which a run goes on
_PHASES = tuple(phase for phase in PHASES if phase != "connect")
_CHANNELS = ("x", "y")


def noisy_trials() -> list[Trial]:
    """Runs of a spectrum, with both lock-ins: 32 with 40 numbers each, so that the width is known to 2 %."""
    return [Trial(kind, phase, "didv", (k + p) % 2) for k, kind in enumerate(KINDS) for p, phase in enumerate(_PHASES)]


def pulls(trial: Trial, reference: Reference, timeout: float) -> FloatArray:
    """Of X and Y of every reading of one run; none if it did not finish."""
    traffic = reference.paused_traffic if trial.pauses else reference.traffic
    wanted = replace(course(trial, traffic, timeout), noise=True, seed=1 + noisy_trials().index(trial))
    with tempfile.TemporaryDirectory() as folder:
        record = take(wanted, Path(folder))
        if record.state != "finished":
            return np.empty(0)
        run = open_run(Path(folder) / "run.h5")
        index = run.index
        found = [(run.data[name] - reference.data[name][index]) / _deviation(run, reference) for name in _CHANNELS]
    return np.concatenate(found)


def _deviation(run, reference: Reference) -> FloatArray:
    """Of X and of Y, V rms: the noise density at the reference frequency, through the filter of the run."""
    config, parameters = SimulationConfig(), run.parameters
    preamplifier = config.preamplifier
    roll_off = abs(preamplifier.roll_off(np.array([parameters["modulation_frequency"].value]))[0])
    current = [preamplifier.current_noise(value) for value in reference.data["current"][run.index].tolist()]
    density = np.hypot(preamplifier.gain * roll_off * np.array(current), config.lockin_input_noise)
    return density * np.sqrt(noise_bandwidth(parameters["time_constant"].value, parameters["filter_slope"].value))
