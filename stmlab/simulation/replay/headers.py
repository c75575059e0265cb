"""Numbers of a recorded file's header that a replay asks for."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stmlab.storage.recorded import Recording


def header_number(recording: Recording, *keys: str) -> float | None:
    """The first of ``keys`` that the header has as a number, or None."""
    for key in keys:
        with suppress(KeyError, ValueError):
            return float(recording.header[key].strip().replace(",", "."))
    return None
