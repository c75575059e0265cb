"""In which phase a run is: what happens at the beginning of each, and how many messages go to whom in it.

The methods of the run's own sequence and station are wrapped, from outside: nothing in the program knows of it.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from stmlab.acquisition.runner import Runner
    from stmlab.simulation.microscope import SimulatedMicroscope

PHASES = ("connect", "prepare", "stabilise", "move", "settle", "read", "pause", "finish", "safe state")
AT_A_POINT = ("move", "settle", "read")


class Phases:
    """Follows one run through its phases.

    Args:
        entered: called with phase and number of readings so far, each time that a phase begins.

    Attributes:
        now: phase and number of readings so far.
    """

    def __init__(self, entered: Callable[[str, int], None]) -> None:
        self._entered = entered
        self._readings, self._stabilised_for = 0, -1
        self.now = ("connect", 0)

    def follow(self, runner: Runner, middle: int) -> None:
        """Wrap what begins the phases of this run; ``middle``: readings before the tip is stabilised again."""
        sequence, station = runner.sequence, runner.station
        self._middle = middle
        self._around(station, "prepare_outputs", "prepare", returns=False)
        self._around(sequence, "stabilise", "stabilise")
        self._around(sequence, "measure", "read", after=self._count)
        self._around(sequence, "finish", "finish", returns=False)
        self._around(station, "hold", "pause", returns=False)
        self._around(station, "make_safe", "safe state", after=lambda: self._enter("afterwards"))
        path = sequence.path

        def followed() -> Any:
            made = path()
            self._around(made, "move_to", "move", after=lambda: self._enter("settle"))
            return made

        sequence.path = followed  # type: ignore[method-assign]

    def _around(
        self, owner: Any, name: str, phase: str, *, returns: bool = True, after: Callable[[], None] = lambda: None
    ) -> None:
        original = getattr(owner, name)

        def wrapped(*arguments: Any, **named: Any) -> Any:
            before = self.now
            if phase == "stabilise" and self._readings < self._middle:
                return original(*arguments, **named)
            self._enter(phase)
            result = original(*arguments, **named)
            if returns:
                self.now = before
            after()
            return result

        setattr(owner, name, wrapped)

    def _enter(self, phase: str) -> None:
        if self.now[0] == "pause" and phase in ("prepare", "move", "settle"):
            return  # what it takes to go on
        self.now = (phase, self._readings)
        self._entered(*self.now)

    def resumed(self) -> None:
        """A pause is over."""
        self.now = ("move", self._readings)

    def _count(self) -> None:
        self._readings += 1


class Traffic:
    """Counts messages: (phase, readings so far, instrument, answered) -> number.

    Args:
        microscope: whose instruments.
        phases: of the run.

    Attributes:
        counted: the numbers.
        changed: instruments that were told to change something after the preflight.
        struck: phase and number of readings when the first fault had happened, None: none has.
    """

    def __init__(self, microscope: SimulatedMicroscope, plugs: tuple[str, ...], phases: Phases) -> None:
        self.counted: Counter[tuple[str, int, str, bool]] = Counter()
        self.changed: set[str] = set()
        self.struck: tuple[str, int] | None = None
        self._phases, self._faults = phases, microscope.faults
        for plug in plugs:
            machine = microscope.instrument(plug).machine
            machine.interference = _Counting(machine.interference, self, plug)

    def note(self, plug: str, message: bytes, *, answered: bool) -> None:
        """One message."""
        if self._phases.now[0] != "connect" and changes_something(plug, message):
            self.changed.add(plug)
        self.counted[(*self._phases.now, plug, False)] += 1
        self.counted[(*self._phases.now, plug, True)] += answered
        if self.struck is None and self._faults.happened:
            self.struck = self._phases.now


def changes_something(plug: str, message: bytes) -> bool:
    """Whether an instrument is told to change something, and not only asked."""
    if plug == "nanonis":
        return re.match(rb"[A-Za-z0-9]+\.[A-Za-z]*Get\0", message) is None
    return any(b"?" not in one and not one.startswith(b"*") for one in message.strip().split(b";") if one)


class _Counting:
    def __init__(self, wire: Any, traffic: Traffic, plug: str) -> None:
        self._wire, self._traffic, self._plug = wire, traffic, plug

    def exchange(self, machine: Any, session: Any, message: bytes) -> bytes:
        answer = b""
        try:
            answer = self._wire.exchange(machine, session, message)
        finally:  # it may drop the connection
            self._traffic.note(self._plug, message, answered=bool(answer))
        return answer
