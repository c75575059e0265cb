"""The look of the figures: one hand for all papers. Needs no screen (Agg) and leaves matplotlib's settings alone."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, GREY = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#8E5AA8",
    "#E69F00",
    "#56B4E9",
    "#6E6E6E",
)
"""Colours that stay apart for colour-blind readers and in print."""
SINGLE_COLUMN_IN, DOUBLE_COLUMN_IN = 3.4, 7.0
_DPI = 300
_STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 8.0,
    "axes.labelsize": 8.0,
    "axes.titlesize": 8.0,
    "axes.linewidth": 0.7,
    "axes.axisbelow": True,
    "lines.linewidth": 1.2,
    "legend.frameon": False,
    "legend.fontsize": 7.0,
    "legend.handlelength": 1.6,
    "xtick.labelsize": 7.0,
    "ytick.labelsize": 7.0,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "xtick.top": True,
    "ytick.right": True,
    "mathtext.fontset": "dejavusans",
    "axes.formatter.useoffset": False,
}


@contextmanager
def house_style() -> Iterator[None]:
    """Everything that is drawn inside has the fonts, lines and ticks of all our figures."""
    import matplotlib

    with matplotlib.rc_context(_STYLE):
        yield


def sheet(width_in: float, height_in: float) -> Figure:
    """An empty figure for a page, in inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_in, height_in), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def letter(axes: Axes, name: str) -> None:
    """Mark a panel with its letter, above its upper left corner."""
    axes.set_title(name, loc="left", fontweight="bold", pad=4.0)


def parameters(figure: Figure, *lines: str) -> None:
    """Write below the panels what the figure was calculated with."""
    figure.supxlabel("\n".join(lines), fontsize=6.0, color=GREY)


def save(figure: Figure, directory: Path, name: str) -> Path:
    """Write ``directory``/``name``.png, creating the directory; returns its path."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{name}.png"
    lay_out(figure, _DPI)
    figure.savefig(path, dpi=_DPI)
    return path


def lay_out(figure: Figure, dpi: float) -> None:
    """Put everything in its place before a figure is saved: matplotlib would draw all of it once more to do so."""
    figure.set_dpi(dpi)
    if (engine := figure.get_layout_engine()) is not None:
        engine.execute(figure)
        figure.set_layout_engine(None)
