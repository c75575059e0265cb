"""What can go wrong, named for what the user can do about it. Each error carries its values and reads as one line."""

from __future__ import annotations


class StmlabError(Exception):
    """Base of every error that stmlab raises on purpose; its text is one line that says what to do."""


class StationError(StmlabError):
    """The configuration is wrong, or an instrument in it cannot be reached: mend the file or the cable."""


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


class InstrumentLost(StmlabError):
    """An instrument does not answer: connection refused or dropped, time-out, garbage on the line.

    Attributes:
        address: what was being talked to.
    """

    def __init__(self, address: str, message: str) -> None:
        self.address = address
        super().__init__(f"{address}: {message}")


class FileError(StmlabError):
    """A file cannot be read as what it was taken for."""


class FitError(StmlabError):
    """The data cannot carry the fit that was asked for: too few points, not finite, no signal."""


class PhysicsError(StmlabError, ValueError):
    """A model was given an argument for which it is not defined; the text names argument, value and what is allowed."""
