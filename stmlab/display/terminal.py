"""Words and tables on a terminal, in a pipe or in a file."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from stmlab.units import format_quantity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import RenderableType

_WIDTH = 150  # columns of a table that goes into a file or a pipe


def points_as_text(points: int) -> str:
    """A number of points, with its noun."""
    return "1 point" if points == 1 else f"{points} points"


def quantity_as_text(value: Any, unit: str = "") -> str:
    """A parameter's value as ``--set`` takes it: "20 GHz", "0.001", "60", "true", "logarithmic"."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and unit:
        return format_quantity(value, unit)
    return f"{value:.6g}" if isinstance(value, float) else f"{value} {unit}".rstrip()


def printable(text: str) -> str:
    """One line without letters that a terminal would obey: names of files, and what people wrote, may hold anything."""
    if text.isprintable():
        return text
    unprintable = {letter: " " if letter.isspace() else "\N{REPLACEMENT CHARACTER}" for letter in set(text)}
    return "".join(letter if letter.isprintable() else unprintable[letter] for letter in text)


def on_terminal(*shown: RenderableType) -> str:
    """Tables as text: as wide as the terminal where there is one, of fixed width otherwise; long cells fold."""
    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else _WIDTH, highlight=False)
    with console.capture() as capture:
        for each in shown:
            console.print(each)
    return "\n".join(line.rstrip() for line in capture.get().splitlines()).rstrip()


def listed(title: str, entries: Mapping[str, str]) -> list[str]:
    """A title with what belongs to it, aligned below; nothing if there is nothing."""
    width = max(map(len, entries), default=0)
    lines = [f"    {name:{width}}  {value}".rstrip() for name, value in entries.items()]
    return [f"  {title}", *lines] if lines else []
