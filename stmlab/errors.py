"""What can go wrong, named for what the user can do about it. Each error carries its values and reads as one line."""

from __future__ import annotations

from typing import Any, ClassVar

_LONGEST_ANSWER = 100  # characters of an answer in a message


class StmlabError(Exception):
    """Base of every error that stmlab raises on purpose; its text is one line that says what to do.

    Attributes:
        transient: whether the same may work on a fresh connection after the whole set-up has been repeated.
    """

    transient: ClassVar[bool] = False


class StationError(StmlabError):
    """The configuration is wrong, or an instrument in it cannot be reached: mend the file or the cable."""


class StationBusy(StationError):
    """Somebody else owns an instrument of the station, or a dead owner has left it unsafe. Nothing was sent.

    Attributes:
        owner: what is known of it, None for a program that only reads.
    """

    def __init__(self, message: str, owner: object = None) -> None:
        self.owner = owner
        super().__init__(message)


class SequenceError(StmlabError):
    """A sequence was asked for something it cannot do: mend the parameter that the text names."""


class OutOfBounds(StmlabError):
    """A value lies outside a limit. Nothing was sent.

    Attributes:
        name: the output or parameter.
        value: the value that was refused, in ``unit``.
        low, high: what is allowed, in ``unit``.
        source: where the bound is set (file and key, or the instrument).
    """

    def __init__(self, name: str, value: float, low: float, high: float, unit: str, source: str) -> None:
        self.name, self.value, self.low, self.high, self.unit, self.source = name, value, low, high, unit, source
        super().__init__(
            f"{name} = {value:.9g} {unit} is out of bounds: {low:.9g} to {high:.9g} {unit} is allowed (set in {source})"
        )


class InstrumentFault(StmlabError):
    """An instrument answered, and reports an error, an overload or a lost lock.

    Attributes:
        instrument: its name in the station.
        code: the instrument's own error number, or None.
    """

    def __init__(self, instrument: str, message: str, code: int | None = None) -> None:
        self.instrument, self.code = instrument, code
        super().__init__(f"{instrument}: {message}" + (f" (error {code})" if code is not None else ""))


class InstrumentOverload(InstrumentFault):
    """A signal is larger than the instrument was set for: a reading is wrong, and a larger range mends it."""


class ValueNotTaken(InstrumentFault):
    """An output reads back as something else than was set, by more than the instrument's resolution.

    Attributes:
        name: the property.
        wanted, read: what was set, and what the instrument says, in ``unit``.
    """

    transient = True

    def __init__(self, instrument: str, name: str, wanted: Any, read: Any, unit: str = "") -> None:
        self.name, self.wanted, self.read, self.unit = name, wanted, read, unit
        super().__init__(instrument, f"{name} was set to {_said(wanted, unit)} and reads {_said(read, unit)}")


class TipTripped(InstrumentFault):
    """The controller has taken the tip back by itself (SafeTip): only a person may close the loop again."""


class TipWithdrawn(InstrumentFault):
    """The tip is not where the loop left it but withdrawn: only a person may approach it again."""


class ChangedByHand(InstrumentFault):
    """A setting is no longer what the program has set, and nothing in the instrument explains it.

    Attributes:
        name: the property.
        wanted, read: what was set, and what the instrument says.
        since: when it was last seen right, s on the station's clock; None: not known.
    """

    since: float | None = None

    def __init__(self, instrument: str, name: str, wanted: Any, read: Any, why: str = "changed by hand") -> None:
        self.name, self.wanted, self.read, self.why = name, wanted, read, why
        super().__init__(instrument, f"{name} was set to {_said(wanted)} and is now {_said(read)}: {why}")


class ChangedByItself(ChangedByHand):
    """The same, but the instrument is known to do so; ``why`` says when."""


class InstrumentLost(StmlabError):
    """An instrument does not answer: connection refused or dropped, time-out, garbage on the line.

    Attributes:
        address: what was being talked to.
    """

    transient = True

    def __init__(self, address: str, message: str) -> None:
        self.address = address
        super().__init__(f"{address}: {message}")


class InstrumentTimeout(InstrumentLost):
    """No answer in time. A late one would be taken for the next, so the connection is closed: make a new one."""


class GarbledAnswer(InstrumentLost):
    """An answer that cannot be one to the question.

    Attributes:
        question, answer: as they were on the line.
        why: what is wrong with the answer.
    """

    def __init__(self, address: str, question: str, answer: object, why: str) -> None:
        self.question, self.answer, self.why = question, answer, why
        shown = repr(answer)
        shown = shown if len(shown) <= _LONGEST_ANSWER else f"{shown[:_LONGEST_ANSWER]}..."
        super().__init__(address, f"garbled answer to {question}: {shown} ({why})")


class StationNotSafe(StmlabError):
    """A run is over and an instrument could not be brought to its safe state: somebody must look."""


class FileError(StmlabError):
    """A file cannot be read as what it was taken for."""


class FitError(StmlabError):
    """The data do not suffice for the fit that was asked for: too few points, not finite, no signal."""


class FitEnded(FitError):
    """A fit was ended early, before it had anything to show.

    Attributes:
        stopped: by somebody who waited for it; else it ran out of time.
    """

    def __init__(self, message: str, *, stopped: bool) -> None:
        self.stopped = stopped
        super().__init__(message)


class ClusterError(StmlabError):
    """No workers are to be had: Dask is not installed, no scheduler answers, or its workers run other versions."""


class PhysicsError(StmlabError, ValueError):
    """A model was given an argument for which it is not defined; the text names argument, value and what is allowed."""


class PhysicsWarning(UserWarning):
    """A model gives a number that its own equations do not support; the text names the reason and the right model."""


def _said(value: Any, unit: str = "") -> str:
    number = isinstance(value, float | int) and not isinstance(value, bool)
    return f"{value:.9g}{unit and ' '}{unit}" if number else str(value)
