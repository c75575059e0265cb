"""The catalogue of a folder as a table for people and as plain values for a script."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from stmlab.display.terminal import printable
from stmlab.units import format_value

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from stmlab.storage.catalogue import Catalogue, Entry

_HEADINGS = ("file", "date", "sequence", "sample", "points", "state", "result", "tags", "remarks")
_NUMBERS = ("points",)  # columns that end flush
_MINUTE = 16  # letters of a date up to its minute


def catalogue_as_table(entries: Sequence[Entry], folder: Path) -> str:
    """A line for each file, columns aligned; nothing is cut. Letters that a terminal might obey are replaced."""
    rows = [_HEADINGS, *(_row(entry, folder) for entry in entries)]
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    return "\n".join(_aligned(row, widths) for row in rows)


def catalogue_as_text(found: Catalogue, shown: Sequence[Entry], *, recorded: bool) -> str:
    """How many files there are, in one line."""
    files = "1 file" if len(shown) == 1 else f"{len(shown)} files"
    chosen = f"{files} of {len(found.entries)}" if len(shown) != len(found.entries) else files
    if not found.others:
        return chosen
    hint = "" if recorded else " (--recorded lists what other programs recorded)"
    return f"{chosen}; {found.others} other{'s' * (found.others > 1)} not listed{hint}"


def entry_as_dict(entry: Entry) -> dict[str, Any]:
    """One file, ready for JSON; fitted values in the order of the fits, the last one first."""
    summary = entry.summary
    return {
        "file": str(entry.path),
        "state": entry.state,
        "date": summary.date,
        "sequence": summary.sequence,
        "sample": summary.sample,
        "station": summary.station,
        "run_id": summary.run_id,
        "points": summary.points,
        "planned": summary.planned,
        "size": entry.size,
        "message": summary.message,
        "fitted": [asdict(value) for value in summary.fitted],
        "tags": list(entry.added.tags),
        "notes": [asdict(note) for note in entry.added.notes],
    }


def _row(entry: Entry, folder: Path) -> tuple[str, ...]:
    summary = entry.summary
    points = f"{summary.points} of {summary.planned}" if 0 < summary.points < summary.planned else str(summary.points)
    notes = [note.text for note in entry.added.notes]
    cells = (
        str(entry.path.relative_to(folder)),
        summary.date[:_MINUTE].replace("T", " "),
        summary.sequence,
        summary.sample,
        points if summary.sequence else "",
        entry.state,
        _result(entry),
        ", ".join(entry.added.tags),
        "; ".join(filter(None, (summary.message, *notes))),
    )
    return tuple(printable(cell) for cell in cells)


def _result(entry: Entry) -> str:
    """The first value of the last fit: what the model is about."""
    if not entry.summary.fitted:
        return ""
    first = entry.summary.fitted[0]
    return f"{first.name} {format_value(first.value, first.error, first.unit)}"


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = []
    for heading, text, width in zip(_HEADINGS, row, widths, strict=True):
        room = " " * (width - _width(text))
        if width:
            cells.append(room + text if heading in _NUMBERS else text + room)
    return "  ".join(cells).rstrip()


def _width(text: str) -> int:
    """Columns of a terminal."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)
