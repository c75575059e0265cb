"""Where a run is not the one that was recorded."""

from __future__ import annotations

from dataclasses import dataclass

_AROUND = 40  # bytes shown on each side of the first that differs


@dataclass(frozen=True)
class WireDifference:
    """The first thing on the wire that is not as it was recorded.

    Attributes:
        instrument: its name in the station.
        message: number of the message to it, from 1, all connections together.
        connection: number of the connection to it, from 1.
        byte: of the message, from 1; 0: no byte differs, something else happened.
        recorded, sent: the two messages, or what happened instead, in words.
        why: one line.
        date: of the recorded moment, ISO 8601.
        seconds: the same since the recording began.
    """

    instrument: str
    message: int
    connection: int
    byte: int
    recorded: bytes | str
    sent: bytes | str
    why: str
    date: str
    seconds: float

    def __str__(self) -> str:
        return f"{self.instrument}, message {self.message}: {self.why}"

    @property
    def shown(self) -> tuple[str, str]:
        """Recorded and sent as text, around the first byte that differs."""
        return _around(self.recorded, self.byte), _around(self.sent, self.byte)


class WireDiffers(Exception):
    """Ends a replay. No StmlabError: whatever repeats what failed must not take it for a fault of an instrument."""

    def __init__(self, difference: WireDifference) -> None:
        self.difference = difference
        super().__init__(str(difference))


class RecordingEnded(Exception):
    """A recording that was cut off is at its end: up to here everything was as it had been recorded."""


def first_difference(one: bytes, other: bytes) -> int:
    """Number of the first byte that differs, from 1; 0 if they are the same."""
    if one == other:
        return 0
    shorter = min(len(one), len(other))
    return next((k for k in range(shorter) if one[k] != other[k]), shorter) + 1


def _around(said: bytes | str, byte: int) -> str:
    if isinstance(said, str):
        return said
    start, end = max(0, byte - 1 - _AROUND), byte + _AROUND
    text = repr(said[start:end]).removeprefix("b")
    return ("..." if start else "") + text + ("..." if end < len(said) else "")
