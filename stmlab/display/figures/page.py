"""What all figures of runs share: the lines that say what was measured, units on axes, the foot with the file."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.display import points_as_text
from stmlab.display.figures.drawing import GREY, VERMILION
from stmlab.units import format_quantity, format_value, prefixed_unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.axis import Axis as DrawnAxis
    from matplotlib.figure import Figure

    from stmlab.arrays import FloatArray
    from stmlab.results import FitResult
    from stmlab.storage import Run

SMALL = 6.5  # points
_TITLE = 9.0  # points
_SETTINGS_A_LINE = 6
_MOST_WARNINGS = 5
_SYMBOLS = {
    "dc_bias": r"$V_\mathrm{dc}$",
    "amplitude": r"$V_\mathrm{ac}$",
    "modulation": r"$V_\mathrm{mod}$",
    "modulation_frequency": r"$f_\mathrm{mod}$",
    "temperature": "$T$",
    "field": "$B$",
    "setpoint_current": r"$I_\mathrm{set}$",
    "setpoint_bias": r"$V_\mathrm{set}$",
    "chop_frequency": r"$f_\mathrm{chop}$",
    "time_constant": r"$\tau$",
    "averages": "averages",
}
_AXES = {"dc_bias": "offset", "amplitude": "drive", "setpoint_current": "setpoint"}  # swept, these are no settings
_UNKNOWN_AT_ZERO = ("temperature",)


def head(figure: Figure, run: Run, settings: list[str]) -> None:
    """Sample and sequence in one line; the settings smaller below, above all panels."""
    from matplotlib.transforms import ScaledTranslation

    lines = [",  ".join(settings[k : k + _SETTINGS_A_LINE]) for k in range(0, len(settings), _SETTINGS_A_LINE)]
    entitle(figure, f"{run.sample or run.station}: {run.sequence}" + "\n" * len(lines))
    if lines:
        grow(figure, len(lines), _TITLE)
        below = figure.transFigure + ScaledTranslation(0, -1.8 * _TITLE / 72, figure.dpi_scale_trans)
        look: dict[str, Any] = {"va": "top", "fontsize": SMALL, "color": GREY, "linespacing": 1.4, "transform": below}
        figure.text(0.02, 1.0, "\n".join(lines), **look)


def settings_of(run: Run) -> list[str]:
    """What was set and not swept: biases, modulation, field, setpoint, lock-in."""
    swept = {axis.name for axis in run.axes}
    known = [
        (symbol, run.parameters[name])
        for name, symbol in _SYMBOLS.items()
        if name in run.parameters
        and _AXES.get(name) not in swept
        and not (name in _UNKNOWN_AT_ZERO and run.parameters[name].value == 0)
    ]
    return [f"{symbol} = {format_quantity(p.value, p.unit)}" for symbol, p in known if isinstance(p.value, int | float)]


def grow(figure: Figure, lines: int, points: float) -> None:
    """Make the page higher by so many lines of text, so that its panels keep their size."""
    figure.set_figheight(figure.get_figheight() + 1.25 * lines * points / 72)


def entitle(figure: Figure, text: str) -> None:
    """A page's title, if there is one."""
    if text:
        figure.suptitle(plain(text), x=0.02, ha="left", fontweight="bold", fontsize=_TITLE)


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
        grow(figure, len(lines), SMALL - 1)
        figure.supxlabel(plain("\n".join(lines)), x=0.02, ha="left", fontsize=SMALL - 1, color=VERMILION)


def foot(figure: Figure, run: Run) -> None:
    """File, date, and how the run ended if not well; below the warnings, if there are any."""
    lines = [f"{run.path.name}   {run.date[:19].replace('T', ' ')}   run {run.run_id}"]
    if troubled := not run.complete or bool(run.message):
        note = f"{run.state}, {points_as_text(run.points)}" + (f": {run.message}" if run.message else "")
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
