"""Faults in every phase of every sequence, over sockets: is the junction safe, and are the data true? Prints a matrix.

    make faults                                               all of them, at most 20 minutes on 2 cores
    python tests/campaigns/faults.py --sample 60              60 of them
    python tests/campaigns/faults.py --only drop:read:srs:2   one of them; what happened is told

Every trial is a run of its own, in a laboratory of its own (see ``fault_laboratory``), with one fault in one phase (see
``fault_trials``), judged by the flight recorder and the true state of the microscope (see ``fault_judge``). At last
some runs with noise, whose readings must scatter as the noise says (see ``fault_noise``).
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import tempfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from stmlab.storage import open_run
from tests.campaigns.fault_judge import EQUAL, Reference, violations
from tests.campaigns.fault_laboratory import SEQUENCES
from tests.campaigns.fault_noise import WIDTHS, noisy_trials, pulls
from tests.campaigns.fault_phases import PHASES
from tests.campaigns.fault_run import Course, take
from tests.campaigns.fault_trials import KINDS, Trial, all_trials, course, pause_after

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray

WORKERS = 4  # a run waits most of its time
FEWEST = 3  # runs of each kind in each phase
RESULT = Path("build/faults.json")
_QUICK = 5e-4  # s after which a thread lets the others in, so that servers answer at once


@dataclass
class Verdict:
    """What came of a trial; ``struck``: the phase in which the fault happened, "" if it did not."""

    trial: str
    struck: str
    violations: list[str]
    happened: list[str]
    ended: str
    seconds: float
    details: dict[str, object] = field(default_factory=dict)


def reference_of(which: tuple[str, str], timeout: float, *, paused_too: bool = True) -> Reference:
    """An undisturbed run of a sequence with a lock-in, and one that is paused and must find the same."""
    sequence, lockin = which
    runs, traffic = [], []
    for paused in (None, pause_after(sequence)) if paused_too else (None,):
        with tempfile.TemporaryDirectory() as folder:
            record = take(Course(sequence, lockin, pause_after=paused, timeout=timeout), Path(folder))
            if record.state != "finished":
                history = open_run(Path(folder) / "run.h5").history if (Path(folder) / "run.h5").exists() else ()
                raise SystemExit(f"an undisturbed run of {sequence} with {lockin}: {record.said}, {history}")
            runs.append({name: values.copy() for name, values in open_run(Path(folder) / "run.h5").data.items()})
            traffic.append(record.traffic)
            conductance = record.recorder["extremes"]["conductance"]
    for name, values in runs[0].items():
        if not np.allclose(values, runs[-1][name], rtol=EQUAL, atol=0.0, equal_nan=True):
            raise SystemExit(f"{sequence} with {lockin}: {name} is another after a pause in which nothing happened")
    return Reference(conductance, runs[0], traffic[0], traffic[-1])


def judged(trial: Trial, reference: Reference, timeout: float) -> Verdict:
    """Let a trial run, and judge what comes of it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wanted = course(trial, reference.paused_traffic if trial.pauses else reference.traffic, timeout)
        record = take(wanted, folder)
        found = violations(trial, wanted, record, reference, folder / "run.h5")
    happened = [f"{one['kind']} {one['instrument']} {one['message']}".strip() for one in record.happened]
    ended = f"{record.state or record.error} {record.said.strip()}"
    details = {
        "fault": str(wanted.fault),
        "on_fault": wanted.on_fault,
        "readings_before": record.struck[1] if record.struck else None,
        "mended": record.mended,
        "points": len(record.acknowledged),
        "disturbed": record.disturbed,
        "left": record.left,
        "recorder": record.recorder,
    }
    struck = record.struck[0] if record.struck else ""
    return Verdict(str(trial), struck, found, happened, ended, record.seconds, details)


def main() -> int:
    """Run what was asked for; returns an exit status."""
    arguments = _arguments()
    logging.disable(logging.WARNING)
    began = monotonic()
    trials = [Trial.named(arguments.only)] if arguments.only else all_trials()[: arguments.sample]
    timeout = arguments.timeout
    noisy = [] if arguments.only or arguments.sample else noisy_trials()
    with ProcessPoolExecutor(arguments.workers, initializer=sys.setswitchinterval, initargs=(_QUICK,)) as workers:
        wanted = sorted({(trial.sequence, trial.lockin) for trial in (*trials, *noisy)})
        references = dict(zip(wanted, workers.map(partial(reference_of, timeout=timeout), wanted), strict=True))
        print(f"{len(wanted)} undisturbed runs: {monotonic() - began:.0f} s", flush=True)
        verdicts = []
        jobs = [workers.submit(judged, trial, references[trial.sequence, trial.lockin], timeout) for trial in trials]
        for job in jobs:
            verdict = job.result()
            verdicts.append(verdict)
            _tell(verdict, at_length=bool(arguments.only))
            if len(verdicts) % 50 == 0:
                print(f"{len(verdicts)} runs: {monotonic() - began:.0f} s", flush=True)
        ours = [references[trial.sequence, trial.lockin] for trial in noisy]
        found = list(workers.map(partial(pulls, timeout=timeout), noisy, ours))
    fewest = _print_matrix(verdicts)
    wrong = sum(bool(verdict.violations) for verdict in verdicts) + _print_pulls(found)
    silent = sum(not verdict.happened for verdict in verdicts)
    print(
        f"{len(verdicts)} runs, {wrong} with violations, {silent} in which the fault did not happen, "
        f"{monotonic() - began:.0f} s"
    )
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    arguments.json.write_text(json.dumps([asdict(v) for v in verdicts], indent=1, default=str), encoding="utf-8")
    if noisy and fewest < FEWEST:
        print(f"a kind happened only {fewest} times in a phase, {FEWEST} are wanted")
    return 1 if wrong or (noisy and fewest < FEWEST) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, help="so many trials instead of all")
    parser.add_argument("--only", metavar="KIND:PHASE:SEQUENCE:SEED", help="one trial")
    parser.add_argument("--workers", type=int, default=WORKERS)
    parser.add_argument("--timeout", type=float, default=1.0, help="of the drivers, s; longer on a busy computer")
    parser.add_argument("--json", type=Path, default=RESULT, help="where every verdict is written")
    return parser.parse_args()


def _tell(verdict: Verdict, *, at_length: bool) -> None:
    if at_length:
        print(json.dumps(asdict(verdict), indent=1, default=str))
    for line in verdict.violations:
        print(f"VIOLATION {verdict.trial} [{'; '.join(verdict.happened)}]: {line}", flush=True)


def _print_pulls(found: list[FloatArray]) -> int:
    """Width of the pulls of all runs with noise; returns 1 if it is not what it should be."""
    if not found:
        return 0
    numbers, (low, high) = np.concatenate(found), WIDTHS
    width = float(numbers.std())
    print(f"with noise: {len(found)} runs, {numbers.size} readings, pulls of width {width:.3f} ({low} to {high})")
    return int(not low <= width <= high)


def _print_matrix(verdicts: list[Verdict]) -> int:
    """Runs and runs with violations: kind by the phase in which the fault happened, kind by sequence.

    Returns the smallest number of runs in a phase.
    """
    fewest = len(verdicts)
    for by_phase, columns in ((True, PHASES), (False, tuple(SEQUENCES))):
        runs, wrong = Counter(), Counter()
        for verdict in verdicts:
            kind, phase, sequence, _ = verdict.trial.split(":")
            column = (verdict.struck or phase) if by_phase else sequence
            runs[kind, column] += bool(verdict.happened)
            wrong[kind, column] += bool(verdict.violations)
        print(f"{'':14}" + "".join(f"{column:>15}" for column in columns))
        for kind in KINDS:
            cells = [f"{runs[kind, column]}/{wrong[kind, column]}" for column in columns]
            print(f"{kind:14}" + "".join(f"{cell:>15}" for cell in cells))
            if by_phase:
                fewest = min(fewest, *(runs[kind, column] for column in columns))
    return fewest


if __name__ == "__main__":
    raise SystemExit(main())
