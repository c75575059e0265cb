"""65 deaths of runs, each in a laboratory of its own: is the station safe in time? Prints median and worst.

    make guardian-deaths            all of them, in less than 8 minutes on 2 cores
    python tests/campaigns/guardian.py 12      the first 12

RF and modulation must be off within 2 s of the death (1 s of a person's call), bias and tip safe within the slew time
and 2 s. A frozen run dies when its guardian ends it: 7 s after its last sign of life, the allowance and the grace of
`stmlab.station.heartbeat`.
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.campaigns.deaths import KINDS, MUTABLE, Death, Verdict, die

if TYPE_CHECKING:
    from collections.abc import Iterator

NUMBERS = {
    "killed": 13,
    "stopped": 6,
    "stopped, continued": 6,
    "guardian killed": 9,
    "guardian frozen": 3,
    "mute": 12,
    "handed over": 3,
    "file gone": 4,
    "edited": 4,
    "called": 5,
}
SEED = 12


def deaths(seed: int = SEED) -> list[Death]:
    """All of them, in an order that mixes the kinds."""
    chance = random.Random(seed)
    sequences, mutes = cycle(("srs", "didv")), cycle(MUTABLE)
    ports, endings = cycle((False, True, True, False)), cycle(("withdraw", "withdraw", "safe"))

    def all_of(kind: str) -> Iterator[Death]:
        for _ in range(NUMBERS[kind]):
            mute = next(mutes) if kind in ("mute", "handed over") else ""
            after = chance.uniform(0.0, 2.0)
            yield Death(kind, next(sequences), next(ports), next(endings), mute, after)

    found = [death for kind in KINDS for death in all_of(kind)]
    chance.shuffle(found)
    return found


def main(count: int | None = None) -> int:
    """Let them die, two at a time; returns an exit status."""
    began = monotonic()
    chosen = deaths()[:count]
    with tempfile.TemporaryDirectory(prefix="stmlab-deaths-") as folder, ThreadPoolExecutor(2) as lanes:
        verdicts = list(lanes.map(lambda k: die(chosen[k], Path(folder) / str(k), seed=k), range(len(chosen))))
    for verdict in verdicts:
        if wrong := verdict.violations + verdict.late:
            print(f"VIOLATION {verdict.death} (after {verdict.death.after:.2f} s)")
            print("".join(f"    {line}\n" for line in wrong), end="")
    _print_table(verdicts)
    violations = sum(len(verdict.violations + verdict.late) for verdict in verdicts)
    print(f"{len(verdicts)} deaths, seed {SEED}, {violations} violations, {monotonic() - began:.0f} s")
    return 1 if violations else 0


def _print_table(verdicts: list[Verdict]) -> None:
    print(f"{'':22}{'deaths':>7}  RF and modulation off, s   bias and tip safe, s beyond the slew time")
    print(f"{'':22}{'':>7}  {'median':>8} {'worst':>8}         {'median':>8} {'worst':>8}")
    for kind in (*KINDS, "all"):
        those = [v for v in verdicts if kind in (v.death.kind, "all")]
        off = [v.off for v in those if v.death.mute not in ("lockin", "awg")]
        rest = [max(v.rest - (v.allowed - 2.0), 0.0) for v in those if v.death.mute != "controller"]
        if those:
            cells = [f"{f(times):8.2f}" if times else f"{'-':>8}" for times in (off, rest) for f in (_median, max)]
            print(f"{kind:22}{len(those):7}  {cells[0]} {cells[1]}         {cells[2]} {cells[3]}")


def _median(times: list[float]) -> float:
    return statistics.median(times)


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1]) if len(sys.argv) > 1 else None))
