"""What a figure must not show: text off the sheet or over other text, and nothing of what it was calculated with."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import combinations
from typing import TYPE_CHECKING

from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

_SHORTEST = 20  # characters of what a figure was calculated with
_TOUCHING = 2.0  # pixels by which boxes of text may run into each other


@contextmanager
def drawn(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Figure]]:
    """The figures that are saved inside, as they are saved."""
    figures: list[Figure] = []
    save = Figure.savefig

    def kept(figure: Figure, *arguments: object, **options: object) -> None:
        figures.append(figure)
        save(figure, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Figure, "savefig", kept)
        yield figures


def faults(figure: Figure) -> list[str]:
    """Each in a few words; none if the figure can be read."""
    figure.canvas.draw()
    boxes = {text: text.get_window_extent() for text in _texts(figure)}
    sheet = figure.bbox
    found = [
        f"off the sheet: {text.get_text()!r}"
        for text, box in boxes.items()
        if box.x0 < sheet.x0 or box.y0 < sheet.y0 or box.x1 > sheet.x1 or box.y1 > sheet.y1
    ]
    for (first, one), (second, other) in combinations(boxes.items(), 2):
        across, along = min(one.x1, other.x1) - max(one.x0, other.x0), min(one.y1, other.y1) - max(one.y0, other.y0)
        if min(across, along) > _TOUCHING:
            found.append(f"{first.get_text()!r} over {second.get_text()!r}")
    if len(figure.get_supxlabel() or "") < _SHORTEST:
        found.append("no parameters")
    for axes in figure.axes:
        column = [other for other in figure.axes if abs(other.get_position().x0 - axes.get_position().x0) < 0.01]
        row = [other for other in figure.axes if abs(other.get_position().y0 - axes.get_position().y0) < 0.01]
        if not any(other.get_xlabel() or other.get_ylabel() for other in column):
            found.append("an axis without a label")
        if not any(other.get_ylabel() for other in row):
            found.append("an ordinate without a label")
    return found


def _texts(figure: Figure) -> list[Text]:
    """All that show, with those tick labels that lie inside the axis' range."""
    hidden: set[Text] = set()
    for axis in figure.findobj(Axis):
        low, high = sorted(axis.get_view_interval())
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
            if not low - 1e-9 * (high - low) <= tick.get_loc() <= high + 1e-9 * (high - low):
                hidden |= {tick.label1, tick.label2}
    return [
        text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip() and text not in hidden
    ]
