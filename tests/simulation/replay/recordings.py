"""Recordings for the tests of replay: runs of the simulated microscope, small and without noise of their own."""

from contextlib import nullcontext

from stmlab.acquisition.measurement import measure
from stmlab.storage import open_run
from tests.quick_runs import unfitted

SETTLED = {"settling_residual": 1e-9}
"""So that a reading is right to 1e-9 of a step."""


def run(folder, sequence, name="replayed", station="simulated", fitted=False, **arguments):
    """A run's data, of a measurement with ``arguments`` of `measure`; with its own fit if that is wanted."""
    with nullcontext() if fitted else unfitted():
        measure(sequence, station, path=folder / f"{name}.h5", **arguments)
    return open_run(folder / f"{name}.h5")


def replayed(folder, sequence, file, name="replayed", settings=None, fitted=False, **table):
    """A run on the recording in ``file``; where there is a lock-in, settled."""
    settled = {} if sequence == "time_trace" else SETTLED
    settings = {**settled, **(settings or {})}
    return run(folder, sequence, name, "replay", fitted, settings=settings, replay={"file": file, **table})
