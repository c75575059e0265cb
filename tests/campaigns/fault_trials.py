"""Which faults happen in which phase of which sequence: every kind in every phase, every kind in every sequence.

A trial is named ``KIND:PHASE:SEQUENCE:SEED``; all else (lock-in, instrument, message, how long) follows from that name
and from how many messages an undisturbed run sends in that phase.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

from stmlab.simulation.faults import Fault, Kind, WireKind
from tests.campaigns.fault_laboratory import SEQUENCES
from tests.campaigns.fault_phases import AT_A_POINT, PHASES
from tests.campaigns.fault_run import Course, middle

if TYPE_CHECKING:
    from collections.abc import Mapping

KINDS = (*get_args(WireKind), *(kind for kind in get_args(Kind) if kind not in get_args(WireKind)))
EACH = 5  # runs for every kind in every phase
LOCKINS = ("sr860", "sr830")
DELAYS = (0.2, 1.5, 2.5)  # time-outs: what is silent for longer than three of them counts as dead, see mute
PAUSED_AFTER = 5  # the reading with this number, from 0
_WITHOUT_ANSWER = ("drop", "delay", "mute", "error")  # strike at messages that are not answered too
_LOSING = ("drop", "delay", "error")  # may swallow the message as well


@dataclass(frozen=True)
class Trial:
    """One run with one fault."""

    kind: str
    phase: str
    sequence: str
    seed: int

    def __str__(self) -> str:
        return f"{self.kind}:{self.phase}:{self.sequence}:{self.seed}"

    @classmethod
    def named(cls, name: str) -> Trial:
        """The trial of that name; raises ValueError."""
        kind, phase, sequence, seed = name.split(":")
        if kind not in KINDS or phase not in PHASES or sequence not in SEQUENCES:
            raise ValueError(f"{name}: kinds are {KINDS}, phases {PHASES}, sequences {tuple(SEQUENCES)}")
        return cls(kind, phase, sequence, int(seed))

    @property
    def lockin(self) -> str:
        """Which of both."""
        return LOCKINS[self.seed % 2]

    @property
    def pauses(self) -> bool:
        """Whether the run is paused."""
        return self.phase == "pause"


def all_trials(each: int = EACH) -> list[Trial]:
    """Every kind in every phase ``each`` times, the sequences by turns, in an order that mixes all."""
    found, names = [], tuple(SEQUENCES)
    for k, kind in enumerate(KINDS):
        for p, phase in enumerate(PHASES):
            for repetition in range(each):
                number = p * each + repetition
                found.append(Trial(kind, phase, names[(number + number // len(names) + k) % len(names)], repetition))
    random.Random(12).shuffle(found)
    return found


def pause_after(sequence: str) -> int:
    """After which reading a run is paused."""
    return min(PAUSED_AFTER, middle(sequence) - 1)


def course(trial: Trial, traffic: Mapping[tuple[str, int, str, bool], int], timeout: float) -> Course:
    """How the run of a trial shall go.

    Args:
        trial: which.
        traffic: messages of the undisturbed run with the same sequence, lock-in and pause.
        timeout: of the drivers, s.
    """
    chance = random.Random(str(trial))
    readings = _readings(trial, chance)
    fault = _fault(trial, chance, timeout, lambda *which: _messages(trial, traffic, readings, *which))
    return Course(
        sequence=trial.sequence,
        lockin=trial.lockin,
        on_fault=chance.choice(("withdraw", "withdraw", "safe")),
        fault=fault,
        phase=trial.phase,
        readings=readings,
        pause_after=pause_after(trial.sequence) if trial.pauses else None,
        timeout=timeout,
    )


def _readings(trial: Trial, chance: random.Random) -> int:
    """Readings before the one that is struck."""
    if trial.phase not in AT_A_POINT:
        return 0
    half = middle(trial.sequence)
    return chance.choice([k for k in range(2 * half) if k != half or trial.phase != "move"])


def _messages(trial: Trial, traffic: Any, readings: int, plug: str, answered: bool) -> int:
    """How many an undisturbed run sends to an instrument in this phase."""
    return sum(
        number
        for (phase, before, whom, counted), number in traffic.items()
        if phase == trial.phase
        and whom == plug
        and counted is answered
        and (before == readings or phase not in AT_A_POINT)
    )


def _talked_to(trial: Trial, messages: Any) -> list[str]:
    """Instruments to which a message goes in this phase; all of them where it is silent."""
    plugs = [trial.lockin, "m8195a", "nanonis"]
    return [plug for plug in plugs if messages(plug, True)] or plugs


def _fault(trial: Trial, chance: random.Random, timeout: float, messages: Any) -> Fault:
    kind = trial.kind
    if kind in get_args(WireKind):
        plug = chance.choice(_talked_to(trial, messages))
        number = messages(plug, kind not in _WITHOUT_ANSWER)
        return Fault(
            kind=kind,
            instrument=plug,
            message=chance.randint(1, max(number, 1)),
            seconds=timeout * chance.choice(DELAYS) if kind == "delay" else 0.0,
            lost=kind in _LOSING and chance.random() < 0.3,
            seed=chance.randrange(1000),
        )
    plug = chance.choice(_talked_to(trial, messages)) if kind == "reset" else "nanonis"
    number = messages(plug, False)
    at_a_message = chance.random() < 0.5 or trial.phase in ("move", "read")  # which are short
    return Fault(
        kind=kind,
        instrument=plug,
        message=chance.randint(1, max(number, 1)) if at_a_message and number else 0,
        after=0.0 if at_a_message else chance.uniform(0.0, 0.02),
        seconds={"overload": chance.choice((0.0, 0.1, 1.0)), "drift": chance.choice((0.0, 0.5))}.get(kind, 0.0),
        value={
            "tip_jump": chance.choice((1.0, -1.0)) * chance.uniform(1e-11, 1.5e-10),
            "drift": chance.choice((1.0, -1.0)) * chance.uniform(5e-12, 5e-11),
        }.get(kind),
    )
