"""Runs that are killed, and resumed until they are whole: is anything lost, and is it the run that was meant?

    make kills                                        200 kills
    python tests/campaigns/kills.py --kills 20        some of them

Each run is a process of its own on the simulated microscope without noise, killed (SIGKILL) after a number of
acknowledged points and a moment more, by the seed; so is every process that resumes it, until one comes to the end.
Judged: every acknowledged reading is in the file with its values; at the end all points are there, and equal an
undisturbed run's to 1e-9. At last some runs with noise, each killed once: their readings must scatter as those of
undisturbed runs do.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import os
import signal
import sys
import tempfile
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING, Any
from unittest import mock

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from stmlab.acquisition.measurement import measure, resumption
from stmlab.acquisition.sequence import Sequence
from stmlab.events import PointTaken, RunState
from stmlab.simulation.preamplifier import SimulatedPreamplifier
from stmlab.storage import open_run
from tests.campaigns.fault_judge import EQUAL
from tests.campaigns.fault_laboratory import SAMPLE, SEQUENCES, _without_ripple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection

    from stmlab.arrays import FloatArray
    from stmlab.storage import Run

KILLS, NOISY, SEED = 200, 30, 5
WIDTHS = 0.9, 1.1
_LATEST = 20e-3  # s between the last acknowledged point and the kill, at most
_SETTLED = {"settling_residual": 1e-9, "stabilise_time": 5.0}  # the simulated clock does not make anybody wait
_MEASURED = {"didv": "x", "srs": "current", "setpoint_ramp": "x"}


@contextlib.contextmanager
def _quiet(*, noise: bool) -> Iterator[None]:
    """The simulated microscope without noise, and without what depends on when a reading is taken."""
    if noise:
        yield
        return
    wait = Sequence.wait
    longer = mock.patch.object(Sequence, "wait", lambda self, seconds: wait(self, 1.5 * seconds))  # settled to 1e-13
    lockin = mock.patch("stmlab.simulation.signal_path.SignalPath.input_noise", lambda *_: 0.0)
    with longer, _without_ripple(), lockin, mock.patch.object(SimulatedPreamplifier, "current_noise", lambda *_: 0.0):
        yield


def _go(path: Path, sequence: str, seed: int, noise: bool, wire: Connection | None) -> None:
    """One session: the run, or what is left of it; tells every acknowledged reading."""

    def tell(event: Any) -> None:
        if wire is not None and isinstance(event, PointTaken):
            wire.send((event.visit, event.index, event.values))

    name, settings = SEQUENCES[sequence]
    with _quiet(noise=noise):
        if not path.exists():
            measure(name, sample=SAMPLE, seed=seed, settings=settings | _SETTLED, path=path, listeners=(tell,))
            return
        with resumption(path) as (runner, _):
            runner.listen(tell)
            runner.run()


def _killed(path: Path, sequence: str, seed: int, noise: bool, after: int, late: float) -> list[Any]:
    """A session in a process of its own, killed after ``after`` readings; returns what it had acknowledged."""
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_go, args=(path, sequence, seed, noise, there))
    process.start()
    there.close()
    told: list[Any] = []
    with here, contextlib.suppress(EOFError):
        while len(told) < after:
            told.append(here.recv())
        sleep(late)
        if process.pid is not None and process.is_alive():
            os.kill(process.pid, signal.SIGKILL)
        while True:
            told.append(here.recv())
    process.join()
    return told


def whole(folder: Path, sequence: str, *, seed: int = SEED, noise: bool = False) -> Run:
    """A run that nobody disturbs."""
    path = folder / f"whole_{sequence}_{seed}.h5"
    _go(path, sequence, seed, noise, None)
    return open_run(path)


def resumed(folder: Path, sequence: str, seed: int, kills: int | None = None, *, noise: bool = False):
    """A run that is killed again and again (or ``kills`` times) and resumed, until it is whole.

    Returns:
        The run, the number of kills, and what was lost or is not what was acknowledged, one line each.
    """
    chance = np.random.default_rng([SEED, seed])
    path, killed, wrong = folder / f"{sequence}_{seed}.h5", 0, []
    acknowledged: list[Any] = []
    while True:
        more = kills is None or killed < kills
        after = int(chance.integers(1, 12)) if more else 1_000_000
        acknowledged += _killed(path, sequence, seed, noise, after, float(chance.uniform(0, _LATEST)))
        run = open_run(path)
        for visit, index, values in acknowledged:
            stored = (
                [run.visits.data[channel.name][visit] for channel in run.channels] if visit < len(run.visits) else []
            )
            same = stored and all(np.array_equal(a, b, equal_nan=True) for a, b in zip(stored, values, strict=True))
            if not same or run.visits.index[visit] != index:
                wrong.append(f"{path.name}: reading {visit} of point {index} was acknowledged, and is not there")
        if run.state is RunState.FINISHED:
            return run, killed, wrong
        killed += 1


def deviation(run: Run, reference: Run) -> FloatArray:
    """Of every channel that does not tell an error or a height, over the largest value of the reference."""
    channel = _MEASURED[run.sequence]
    return (run.data[channel] - reference.data[channel]) / np.abs(reference.data[channel]).max()


def violations(run: Run, reference: Run) -> list[str]:
    """What is not as in the run that nobody disturbed."""
    if not np.array_equal(run.index, reference.index):
        return [f"{run.path.name}: {len(run.index)} of {len(reference.index)} points"]
    found = [
        name for name in reference.coordinates if not np.array_equal(run.coordinates[name], reference.coordinates[name])
    ]
    off = float(np.abs(deviation(run, reference)).max())
    found += [f"{_MEASURED[run.sequence]} by {off:.2g}"] if off > EQUAL else []
    return [f"{run.path.name}: {', '.join(found)} is not as in an undisturbed run"] if found else []


def noisy_width(folder: Path, reference: Run, runs: int) -> float:
    """Scatter of the readings of killed and resumed runs over that of undisturbed ones."""
    apart = {False: [], True: []}
    for number in range(runs):
        apart[True].append(deviation(resumed(folder, "didv", 1000 + number, 1, noise=True)[0], reference))
        apart[False].append(deviation(whole(folder, "didv", seed=2000 + number, noise=True), reference))
    killed, undisturbed = (np.concatenate(apart[which]).std() for which in (True, False))
    return float(killed / undisturbed)


def campaign(kills: int, noisy: int) -> int:
    """Run all of it; returns an exit status."""
    total, number, found, sessions = 0, 0, [], []
    with tempfile.TemporaryDirectory() as name, mock.patch.dict(os.environ, {"XDG_STATE_HOME": f"{name}/state"}):
        folder = Path(name)
        references = {sequence: whole(folder, sequence) for sequence in _MEASURED}
        while total < kills:
            sequence = list(_MEASURED)[number % len(_MEASURED)]
            run, killed, wrong = resumed(folder, sequence, number)
            found += [*wrong, *violations(run, references[sequence])]
            sessions.append(1 + int(run.visits.session.max()))
            total, number = total + killed, number + 1
        for line in found:
            print(f"VIOLATION {line}")
        print(f"{total} kills in {number} runs of up to {max(sessions)} sessions, {len(found)} violations")
        if noisy:
            width = noisy_width(folder, references["didv"], noisy)
            print(f"with noise: {noisy} runs killed once, scatter {width:.3f} of undisturbed runs' (0.9 to 1.1)")
            found += [] if WIDTHS[0] <= width <= WIDTHS[1] else ["scatter"]
    return int(bool(found))


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description="Kill runs, resume them, and compare.")
    arguments.add_argument("--kills", type=int, default=KILLS)
    arguments.add_argument("--noisy", type=int, default=NOISY, help="runs with noise")
    given = arguments.parse_args()
    sys.exit(campaign(given.kills, given.noisy))
