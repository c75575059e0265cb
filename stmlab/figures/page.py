"""What all figures of runs share: the lines that say what was measured, units on axes, the foot with the file."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.papers.drawing import GREY, VERMILION
from stmlab.results import format_value, prefixed_unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.axis import Axis as DrawnAxis
    from matplotlib.figure import Figure

    from stmlab.arrays import FloatArray
    from stmlab.results import FitResult
    from stmlab.storage import Run

SMALL = 6.5  # points
_SETTINGS_A_LINE = 5
_MOST_WARNINGS = 5


def head(figure: Figure, run: Run, settings: list[str]) -> None:
    """Sample and sequence in one line; the settings smaller below, over the topmost panel."""
    entitle(figure, f"{run.sample or run.station}: {run.sequence}")
    lines = [",  ".join(settings[k : k + _SETTINGS_A_LINE]) for k in range(0, len(settings), _SETTINGS_A_LINE)]
    if lines:
        figure.axes[0].set_title("\n".join(lines), loc="left", fontsize=SMALL, color=GREY, linespacing=1.4)


def entitle(figure: Figure, text: str) -> None:
    """A page's title, if there is one."""
    if text:
        figure.suptitle(plain(text), x=0.02, ha="left", fontweight="bold", fontsize=9)


def warn(figure: Figure, fits: Sequence[tuple[str, FitResult]], width: int = 110) -> None:
    """Each warning once, at the bottom, with the fits it belongs to."""
    belongs: dict[str, list[str]] = {}
    for label, fit in fits:
        for warning in fit.warnings:
            belongs.setdefault(warning, []).append(label)
    texts = [text if len(labels) == len(fits) else f"{', '.join(labels)}: {text}" for text, labels in belongs.items()]
    left_out = len(texts) - _MOST_WARNINGS
    texts = [*texts[:_MOST_WARNINGS], f"and {left_out} more warnings"] if left_out > 0 else texts
    if lines := [line for text in texts for line in textwrap.wrap(text, width)]:
        figure.supxlabel(plain("\n".join(lines)), x=0.02, ha="left", fontsize=SMALL - 1, color=VERMILION)


def foot(figure: Figure, run: Run) -> None:
    """File, date, and how the run ended if not well; below the warnings, if there are any."""
    lines = [f"{run.path.name}   {run.date[:19].replace('T', ' ')}   run {run.run_id}"]
    if troubled := not run.complete or bool(run.message):
        note = f"{run.state}, {run.points} points" + (f": {run.message}" if run.message else "")
        lines = [*textwrap.wrap(note, 90), *lines]
    look: dict[str, Any] = {"x": 0.98, "ha": "right", "fontsize": SMALL - 1, "color": VERMILION if troubled else GREY}
    text = plain("\n".join(lines))
    if warnings := figure.get_supxlabel():
        room = "\n" * (len(lines) + 1)
        figure.supxlabel(warnings + room, x=0.02, ha="left", fontsize=SMALL - 1, color=VERMILION)
        figure.text(y=0.01, s=text, va="bottom", **look)
    else:
        figure.supxlabel(text, **look)


def valued(fit: FitResult, name: str) -> str:
    """A fitted quantity with its error, for a panel."""
    parameter = fit[name]
    return format_value(parameter.value, parameter.error, parameter.unit).replace("-", "\N{MINUS SIGN}")


def scaled(values: FloatArray, unit: str) -> tuple[FloatArray, str]:
    """Values in the prefixed unit that suits the largest, and that unit."""
    finite = np.abs(values[np.isfinite(values)])
    power, prefixed = prefixed_unit(float(finite.max()) if finite.size else 0.0, unit)
    return values * 10.0**-power, prefixed


def titled(name: str, unit: str) -> str:
    """An axis's title: "SRS current (pA)"."""
    return plain(f"{name} ({unit})" if unit else name)


def plain(text: str) -> str:
    """Text in which a dollar sign is a dollar sign, not the start of a formula."""
    return text.replace("$", r"\$")


def logarithmic(axis: DrawnAxis, values: FloatArray, unit: str) -> None:
    """A logarithmic axis over ``values``, its ticks with prefixes: 1 MHz, 10 MHz."""
    from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter

    low, high = float(values.min()), float(values.max())
    few = high < 100 * low
    axis.set_major_locator(LogLocator(10, subs=(1.0, 2.0, 5.0) if few else (1.0,), numticks=12))
    axis.set_major_formatter(EngFormatter(unit=unit))
    axis.set_minor_locator(LogLocator(10, subs=tuple(range(2, 10)), numticks=100))
    axis.set_minor_formatter(NullFormatter())


def say(axes: Axes, text: str) -> None:
    """Text in the middle of an empty panel."""
    axes.text(0.5, 0.5, plain(text), transform=axes.transAxes, ha="center", va="center", fontsize=8, color=GREY)
