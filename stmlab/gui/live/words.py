"""What a plot shows, in the words of the run: where a sweep lies, what a channel is called."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from stmlab.units import format_quantity

if TYPE_CHECKING:
    from collections.abc import Collection

    from stmlab.axes import Axis
    from stmlab.gui.live.lines import Layout, Line
    from stmlab.results import FitParameter

_NUMBER = re.compile(r"_\d+$")


def place_of(layout: Layout, line: Line, *, way: bool = True, besides: Collection[int] = ()) -> str:
    """Where a sweep lies along the outer axes: "DC bias -4 mV, sweep 2 of 3, backward".

    Args:
        layout: of the run.
        line: the sweep.
        way: whether to say in which direction.
        besides: axes that are not told.
    """
    words = [
        position_on(layout.axes[k], position)
        for k, position in enumerate(line.outer)
        if len(layout.axes[k]) > 1 and k not in besides
    ]
    return ", ".join([*words, line.way] if way and line.way else words)


def position_on(axis: Axis, position: int) -> str:
    """A position on an axis: "DC bias -4 mV", or "sweep 2 of 3" of one that counts."""
    name = axis.label or axis.name
    if not axis.unit:
        return f"{name} {position + 1} of {len(axis)}"
    return f"{name} {format_quantity(float(f'{axis.values[position]:.4g}'), axis.unit)}"


def spelled(channel: str) -> str:
    """A channel's name as people write it."""
    return channel.replace("_", " ")


def legend(entries: list[tuple[str, str, str]]) -> str:
    """Rich text: sign, colour, words of each."""
    signs = (f'<span style="color: {colour}">{sign}</span>&nbsp;{text}' for sign, colour, text in entries)
    return " &nbsp; ".join(signs)


def quantity_of(parameter: FitParameter) -> str:
    """A fitted quantity as people write it: without its unit, and without a number where its place is told."""
    name = parameter.name.removesuffix(f"_{parameter.unit.replace('/', '_per_')}") if parameter.unit else parameter.name
    return spelled(_NUMBER.sub("", name) if parameter.at else name)
