"""Files of runs for other people's programs: hand-made ones, and one of every sequence at the simulated microscope."""

from __future__ import annotations

import numpy as np

from stmlab.acquisition.measurement import measurement
from stmlab.axes import Axis, Channel
from stmlab.events import Analysed, PointTaken, RunFinished, RunStarted, RunState, StateChanged
from stmlab.results import FitParameter, FitResult
from stmlab.storage import Writer, open_run, recover

SIGNAL = (Channel("current", "A", "tunnel current"), Channel("current_error", "A", "its standard error"))
FREQUENCY = Axis("frequency", "Hz", np.geomspace(1e6, 1e9, 6), "microwave frequency", logarithmic=True)
BIAS = Axis("bias", "V", np.linspace(-0.01, 0.01, 5), "bias")
TRACE = Axis("time", "s", np.arange(8) * 1e-3, "time", hardware=True)
HAND_MADE = {
    "curve": ((FREQUENCY,), 6),
    "map": ((BIAS, FREQUENCY), 17),  # of 30
    "one row of a map": ((Axis("drive", "V", np.ones(1)), FREQUENCY), 6),
    "array": ((TRACE,), 1),
    "arrays": ((BIAS, TRACE), 3),  # of 5
    "spectrum": ((BIAS,), 5),
    "spectra": ((Axis("setpoint", "S", np.linspace(1e-8, 1e-7, 4), "setpoint"), BIAS), 13),  # of 20
    "nothing yet": ((FREQUENCY,), 0),
}
"""Name -> axes, number of points that were taken."""


def started(axes, **more):
    """A run over ``axes`` with a signal and its error."""
    said = {"sample": "fe_atom", "versions": {"stmlab": "0.1.0"}, "user": "M. Curie"}
    said |= {"snapshot": {"lockin": {"identity": "Stanford_Research_Systems,SR860,1,V1"}}}
    return RunStarted(
        "0123456789abcdef", "imaginary", "2026-01-01T00:00:00+00:00", {}, axes, SIGNAL, 1.0, "simulated", "", **said
    )


def value(axes, index):
    """Signal and error at a point: the signal is its index, at the first sample of an array."""
    sweep = [len(axis) for axis in axes if axis.hardware]
    ramp = np.arange(float(sweep[0])) if sweep else 0.0
    return index + ramp, 0.1 * (index + 1) + 0.0 * ramp


def hand_made(folder):
    """Write every file of `HAND_MADE`; those with all their points have a fit and an end."""
    files = {}
    for name, (axes, count) in HAND_MADE.items():
        writer = Writer(folder / f"{name}.h5")
        writer(started(axes))
        writer(StateChanged(RunState.RUNNING, 0.0))
        moved = [axis.values for axis in axes if not axis.hardware]
        places = np.stack([grid.ravel() for grid in np.meshgrid(*moved, indexing="ij")], axis=1) if moved else [()]
        for k in range(count):
            writer(PointTaken(k, 0.5 * k, tuple(map(float, places[k])), value(axes, k), k))
        if count == len(places) > 1:
            x = axes[-1].values
            writer(
                Analysed(
                    FitResult(
                        "line",
                        (FitParameter("a", 1.0, 0.1, "A"),),
                        ("a",),
                        np.eye(1),
                        count,
                        0.0,
                        curves={"x": x, "fit": np.arange(len(x)) + 0.5},
                    )
                )
            )
            writer(RunFinished(RunState.FINISHED, "completed", "", count, 1.0))
        writer.close()
        files[name] = folder / f"{name}.h5"
    return files


SEQUENCES = {
    "didv": {"points": 11},
    "setpoint_ramp": {"points": 9, "conductances": 4},
    "srs": {"points": 12},
    "srs_map": {"points": 8, "dc_points": 4, "amplitude_points": 1},
    "transfer": {"points_per_decade": 8, "start_frequency": 1e8, "stop_frequency": 1e9},
    "pump_probe": {"points": 9},
    "time_trace": {"samples": 60, "traces": 2},
}
"""The smallest run of each that is one."""


def of_every_sequence(folder, monkeypatch):
    """A finished run of each sequence, a stopped one, and one that was killed half-way and recovered."""
    files = {}
    for name, settings in SEQUENCES.items():
        files[name] = run(folder / f"{name}.h5", name, settings, monkeypatch)
        files[f"{name}, stopped"] = run(folder / f"{name}_stopped.h5", name, settings, monkeypatch, stop_after=1)
        files[f"{name}, recovered"] = killed_and_recovered(files[name])
    return files


def run(path, name, settings, monkeypatch, stop_after=None):
    """Run a sequence without its analysis, which may take minutes."""
    with measurement(name, sample="fe_atom", seed=1, settings=settings, path=path) as (runner, _):
        monkeypatch.setattr(type(runner.sequence), "analyse", lambda sequence, run: None)
        if stop_after is not None:
            runner.listen(lambda event: runner.stop() if isinstance(event, PointTaken) else None)
        runner.run()
    return path


def killed_and_recovered(path):
    """What half of the points of a run would have left, as `stmlab recover` makes it a file again."""
    whole, killed = open_run(path), path.with_name(f"{path.stem}_killed.h5")
    writer = Writer(killed)
    for event in whole.replay():
        if isinstance(event, PointTaken) and event.visit >= max(1, whole.points // 2):
            break
        writer(event)
    image = killed.read_bytes()
    writer.close()
    killed.write_bytes(image)
    return recover(killed, path.with_name(f"{path.stem}_recovered.h5")).path
