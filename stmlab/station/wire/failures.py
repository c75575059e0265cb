"""A failed connection as a recording keeps it, and the same error made again from it."""

from __future__ import annotations

from typing import Any

from stmlab.errors import FileError, GarbledAnswer, InstrumentLost, InstrumentTimeout, StationError, StmlabError

_KNOWN: dict[str, type[Exception]] = {
    kind.__name__: kind
    for kind in (GarbledAnswer, InstrumentLost, InstrumentTimeout, StationError, OSError, ConnectionError)
}
_VALUES = ("address", "question", "why")


def failure(error: Exception, unread: bytes) -> list[Any]:
    """Class, text, values and the bytes that had come of an answer, as hexadecimal digits."""
    kind = next((c.__name__ for c in type(error).__mro__ if c.__name__ in _KNOWN), type(error).__name__)
    values = {name: str(getattr(error, name)) for name in _VALUES if hasattr(error, name)}
    if isinstance(error, GarbledAnswer):
        values["answer"] = repr(error.answer)
    return [kind, str(error), values, unread.hex()]


def failed(content: Any, line: int) -> Exception:
    """The error that was recorded.

    Raises:
        FileError: it is none that a connection raises.
    """
    try:
        _, name, text, values, _ = content
        kind = _KNOWN[name]
    except (ValueError, TypeError, KeyError) as error:
        raise FileError(f"line {line} of the recording: no failure of a connection that is known ({error})") from error
    if not issubclass(kind, StmlabError):
        return kind(text)
    again = kind.__new__(kind)
    Exception.__init__(again, text)
    vars(again).update(values)
    return again
