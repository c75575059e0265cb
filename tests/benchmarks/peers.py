"""What users would pick instead, each installed by itself from the package registry, with one job that is ours too.

    make bench-peers                                  all of them
    python tests/benchmarks/peers.py QuTiP lmfit      some

Each has an environment of its own in ``.envs``, of the newest versions that its requirements allow; a peer that does
not install, or whose job fails, is a row that says so. The rows are kept in ``build/bench-peers.json``. Times are CPU
seconds, both sides' on this machine, one after the other.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.benchmarks import peer_ours as ours
from tests.benchmarks.run_all import finished
from tests.benchmarks.side_by_side import Row, compared, cpu_now
from tests.clients.environment import NoEnvironment, provided

if TYPE_CHECKING:
    from collections.abc import Callable

RESULT = Path(__file__).parents[2] / "build" / "bench-peers.json"
JOBS = Path(__file__).with_name("peer_jobs")
LONGEST = 300.0  # s that a job may take
SAME_FIT, SAME_SPECTRUM = 1e-3, 1e-9  # standard errors; of the largest value
QUESTIONS, POINTS = 2000, 2000


@dataclass(frozen=True)
class Peer:
    """One of them.

    Attributes:
        requirements: as pip takes them.
        work: what both do.
        target: least ratio of its time to ours, or None where the row only tells.
        row: makes the row, given the interpreter.
    """

    requirements: tuple[str, ...]
    work: str
    target: float | None
    row: Callable[[Peer, Path, Path], Row]


def job(python: Path, name: str, *arguments: object) -> dict[str, Any]:
    """What a peer's job printed last.

    Raises:
        JobFailed: it did not end well.
    """
    command = [str(python), "-W", "ignore", str(JOBS / f"{name}.py"), *map(str, arguments)]
    surroundings = {name: value for name, value in os.environ.items() if name not in ours.OF_PYTHON}
    surroundings |= {"OPENBLAS_NUM_THREADS": "1", "HOME": tempfile.gettempdir()}  # its settings are nobody's
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=LONGEST, env=surroundings, check=True, cwd=JOBS
        )
        told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except subprocess.CalledProcessError as error:
        raise JobFailed((error.stderr.strip().splitlines() or [f"status {error.returncode}"])[-1]) from error
    except (subprocess.TimeoutExpired, ValueError, IndexError) as error:
        raise JobFailed(str(error)) from error
    return told


class JobFailed(Exception):
    """What a job said last."""


def beside(
    peer: Peer, mine: list[float], told: dict[str, Any], *, unit: str = "s", wrong: str = "", note: str = ""
) -> Row:
    """The row of both."""
    scale = {"s": 1.0, "ms": 1e3, "us": 1e6}[unit]
    count = min(len(mine), len(told["seconds"]))
    a, b, spread = compared(mine[:count], told["seconds"][:count])
    name = f"{peer.requirements[0]} {told['version']}"
    return Row(peer.work, scale * a, scale * b, name, peer.target, unit, spread, wrong, note)


# -- the rows ----------------------------------------------------------------------------------------------------------


def points_row(name: str) -> Callable[[Peer, Path, Path], Row]:
    """Of the peers that take points."""

    def row(peer: Peer, python: Path, folder: Path) -> Row:
        told = job(python, name, POINTS, folder)
        wrong = "" if told["answer"] >= POINTS else f"only {told['answer']} of {POINTS} points are in its file"
        return beside(peer, ours.points(POINTS, folder, 3), told, unit="us", wrong=wrong)

    return row


def start_row(peer: Peer, python: Path, folder: Path) -> Row:
    """Fresh processes, from nothing to a file with one point."""
    mine, seconds = list[float](), list[float]()
    for _ in range(6):  # the first compiles
        mine.append(ours.start(folder))
        before = cpu_now()
        told = job(python, "pymeasure_start", folder)
        seconds.append(cpu_now() - before)
    wrong = "" if told["answer"] >= 1 else "its file has no point"
    return beside(peer, mine[1:], {**told, "seconds": seconds[1:]}, wrong=wrong)


def query_row(peer: Peer, python: Path, folder: Path) -> Row:
    """The client's own time; the instrument is another process."""
    with ours.instrument() as port:
        mine, answer = ours.questions(port, QUESTIONS, 5)
        told = job(python, "pyvisa_query", port, QUESTIONS)
    wrong = "" if told["answer"] == answer else f"it was answered {told['answer']!r}, we {answer!r}"
    return beside(peer, mine, told, unit="us", wrong=wrong)


def spectrum_row(peer: Peer, python: Path, folder: Path) -> Row:
    """QuTiP is given Hamiltonian and collapse operators that are ready; ours makes them each time."""
    path = folder / "two_spins.npz"
    np.savez(path, **ours.two_spins())
    mine, spectrum = ours.two_spin_spectrum(5)
    told = job(python, "qutip_spectrum", path)
    apart = float(np.abs(np.array(told["answer"]) - spectrum).max() / np.abs(spectrum).max())
    wrong = "" if apart < SAME_SPECTRUM else f"the spectra differ by {apart:.1e}"
    return beside(peer, mine, told, unit="ms", wrong=wrong, note=f"spectra within {apart:.0e}")


def fit_row(
    name: str, fits: Callable[[dict[str, Any], int], ours.Fits], note: str
) -> Callable[[Peer, Path, Path], Row]:
    """Of the peers that fit; ``note`` says what ours does beside."""

    def row(peer: Peer, python: Path, folder: Path) -> Row:
        path, given = folder / "lines.npz", ours.lines()
        np.savez(path, **given)
        mine, values, errors = fits(given, 3)
        told = job(python, name, path)
        apart = float((np.abs(np.array(told["answer"]) - values) / errors).max())
        wrong = "" if apart < SAME_FIT else f"parameters {apart:.1g} standard errors apart"
        return beside(peer, mine, told, unit="us", wrong=wrong, note=f"{note}; within {apart:.0e} standard errors")

    return row


def curve_row(peer: Peer, python: Path, folder: Path) -> Row:
    """Both off screen, on a plot of the same size."""
    told = job(python, "pyqtgraph_curve", ours.CURVE_POINTS, ours.CURVE_STEPS, *ours.CURVE_SIZE)
    return beside(peer, ours.redraws(3), told, unit="ms")


_SOUGHT = "ours is given no start"
_JUDGED = f"{_SOUGHT}, and says what is doubtful"
_POINTS, _START = f"overhead a point, {POINTS} points", "start of a run: process, imports, first point in its file"
PEERS = {
    "QCoDeS": Peer(("qcodes",), _POINTS, 1.0, points_row("qcodes_points")),
    "Bluesky": Peer(("bluesky", "ophyd"), _POINTS, 1.0, points_row("bluesky_points")),
    "pymeasure": Peer(("pymeasure",), _START, 1.0, start_row),
    "pyvisa-py": Peer(("pyvisa-py",), "a question over loopback TCP, client's time", 1.0, query_row),
    "QuTiP": Peer(("qutip",), "two-spin spectrum, 2001 frequencies", 15.0, spectrum_row),
    "scipy": Peer(("scipy",), "fit of one spectrum of many, SRS", 20.0, fit_row("scipy_fit", ours.batch_fits, _SOUGHT)),
    "lmfit": Peer(("lmfit",), "fit of one spectrum, SRS", None, fit_row("lmfit_fit", ours.single_fits, _JUDGED)),
    "pyqtgraph": Peer(("pyqtgraph", "PyQt6"), "redraw of a curve that grows to 1e6 points", 1.5, curve_row),
}


def row_of(name: str, folder: Path) -> Row:
    """A peer that cannot be had, or fails, is a row too."""
    peer = PEERS[name]
    print(f"== {name}", flush=True)
    try:
        python = provided(f"peer-{name.lower()}", peer.requirements)
        return peer.row(peer, python, folder)
    except NoEnvironment as why:
        return Row(peer.work, float("nan"), None, name, peer.target, note=f"{name} does not install: {why}")
    except JobFailed as why:
        return Row(peer.work, float("nan"), None, name, peer.target, note=f"the job of {name} fails: {why}")


def main() -> int:
    """Run, print, keep."""
    names = sys.argv[1:] or list(PEERS)
    if unknown := [name for name in names if name not in PEERS]:
        raise SystemExit(f"{unknown[0]}: no such peer; there are {', '.join(PEERS)}")
    rows = []
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            rows.append(row_of(name, Path(folder)))
        print(rows[-1], flush=True)
    return finished([{"script": "peers", **row.as_dict()} for row in rows], RESULT)


if __name__ == "__main__":
    sys.exit(main())
