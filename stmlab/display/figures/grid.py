"""Maps of what was fitted at every place of a grid: value above, error below; grey where a fit was refused."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.display.figures import save_figure
from stmlab.display.figures.drawing import BLUE, VERMILION, house_style, sheet
from stmlab.display.figures.page import SMALL, entitle, plain, scaled, titled
from stmlab.units import written_unit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from stmlab.analysis.grid_fit import GridFit
    from stmlab.arrays import FloatArray

_SHOWN = {
    "steps": ("inner_energy", "outer_energy", "eta_inner", "eta_outer"),
    "steps_one_pair": ("inner_energy", "eta_inner"),
    "srs": ("rate", "step"),
    "decay": ("T1", "height_positive", "height_negative"),
}
_WORDS = {
    "inner_energy": "inner energy",
    "outer_energy": "outer energy",
    "eta_inner": "inner asymmetry",
    "eta_outer": "outer asymmetry",
    "step": "SRS amplitude",
    "height_positive": "height, pump first",
    "height_negative": "height, probe first",
}
_BULK = (2.0, 98.0)  # percentiles between which the colours run
_REGULAR = 0.02  # of the spacing
_MOST_LINES = 8


@dataclass(frozen=True)
class _Frame:
    """Where a map lies: name, unit and ends of both axes, x first."""

    titles: tuple[str, str]
    extent: tuple[float, float, float, float]


def draw_grid_fits(title: str, fits: Mapping[str, GridFit]) -> Figure:
    """Maps of the parameters that a model is about, a block of two rows for each direction of the sweep.

    Args:
        title: of the page.
        fits: as ``fit_grid`` gives them.
    """
    first = next(iter(fits.values()))
    names = [name for name in _SHOWN[first.batch.model] if name in first.batch.names]
    planes = [(label if len(fits) > 1 else "", fit) for label, fit in fits.items()]
    with house_style():
        flat = len(_drawn_shape(first.shape)) < 2
        rows = len(planes) * (1 if flat else 2)
        figure = sheet(2.1 * len(names) + 0.3, 1.6 * rows + 0.5)
        panels = figure.subplots(rows, len(names), squeeze=False)
        for k, (label, fit) in enumerate(planes):
            for column, name in enumerate(names):
                if flat:
                    _draw_line(panels[k, column], fit, name, label)
                else:
                    _draw_maps(figure, panels[2 * k : 2 * k + 2, column], fit, name, label)
        entitle(figure, title)
        _warn(figure, planes, 34 * len(names) + 10)
    return figure


def save_grid_fits(title: str, fits: Mapping[str, GridFit], path: str | Path) -> None:
    """Draw them into a PNG file.

    Raises:
        FileError: the file cannot be written, or is no picture.
    """
    save_figure(draw_grid_fits(title, fits), path)


def _drawn_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Of the map: outer axes beyond two are drawn as rows below each other."""
    long = [n for n in shape if n > 1]
    return (int(np.prod(long[:-1])), long[-1]) if len(long) > 1 else (int(np.prod(shape)),)


def _draw_maps(figure: Figure, panels: Any, fit: GridFit, name: str, label: str) -> None:
    from matplotlib import colormaps

    shape, frame = _drawn_shape(fit.shape), _frame(fit)
    values, errors = (array.reshape(shape) for array in fit[name])
    for panel, array, what, colours in (
        (panels[0], values, ": ".join(filter(None, (label, _WORDS.get(name, name)))), "viridis"),
        (panels[1], errors, "its error", "cividis"),
    ):
        power, unit = written_unit(_largest(array), fit.unit(name))
        shown = array * 10.0**-power
        finite = shown[np.isfinite(shown)]
        low, high = np.percentile(finite, _BULK) if finite.size else (0.0, 1.0)
        if high <= low:
            low, high = low - 0.5 * abs(low) - 1e-300, high + 0.5 * abs(high) + 1e-300
        beyond = _beyond(finite, low, high)
        colour = colormaps[colours].with_extremes(bad="#BDBDBD")
        image = panel.imshow(
            np.ma.masked_invalid(shown),
            origin="lower",
            extent=frame.extent,
            cmap=colour,
            vmin=low,
            vmax=high,
            interpolation="nearest",
            aspect="equal" if "m)" in frame.titles[0] else "auto",
        )
        bar = figure.colorbar(image, ax=panel, extend=beyond, fraction=0.05, pad=0.03)
        bar.ax.tick_params(labelsize=SMALL - 0.5)
        panel.set_title(titled(what, unit), fontsize=SMALL, loc="left")
        panel.set_ylabel(frame.titles[1])
        panel.tick_params(direction="out", top=False, right=False)
    panels[1].set_xlabel(frame.titles[0])


def _draw_line(panel: Axes, fit: GridFit, name: str, label: str) -> None:
    """Of places in one row: values with their errors."""
    values, errors = (array.ravel() for array in fit[name])
    at, title = _along(fit)
    power, unit = written_unit(_largest(values), fit.unit(name))
    scale = 10.0**-power
    look: dict[str, Any] = {"fmt": "o", "ms": 2.5, "mew": 0, "elinewidth": 0.7, "color": BLUE}
    panel.errorbar(at, scale * values, scale * errors, **look)
    panel.set_title(plain(label), fontsize=SMALL)
    panel.set_ylabel(titled(_WORDS.get(name, name), unit))
    panel.set_xlabel(title)


def _along(fit: GridFit) -> tuple[FloatArray, str]:
    k = next((k for k, n in enumerate(fit.shape) if n > 1), 0)
    known = next((place for place in fit.places if place.name == fit.axes[k]), None)
    if known is None:
        return np.arange(int(np.prod(fit.shape)), dtype=float), f"{fit.axes[k]} (index)"
    values, unit = scaled(known.values.ravel(), known.unit)
    return values, titled(known.name, unit)


def _frame(fit: GridFit) -> _Frame:
    """In nm or the axes' own units where the places stand evenly; else by their numbers."""
    long = [k for k, n in enumerate(fit.shape) if n > 1]
    shape = _drawn_shape(fit.shape)
    ends, titles = [], []
    for k, size, axis in ((long[-1], shape[1], 1), (long[-2], shape[0], 0)):
        found = _even(fit, fit.axes[k], size, axis) if len(long) == 2 else None
        if found is None:
            ends += [-0.5, size - 0.5]
            titles.append(plain(f"{fit.axes[k]} (index)"))
        else:
            values, title = found
            half = (values[-1] - values[0]) / (size - 1) / 2
            ends += [float(values[0] - half), float(values[-1] + half)]
            titles.append(title)
    return _Frame((titles[0], titles[1]), (ends[0], ends[1], ends[2], ends[3]))


def _even(fit: GridFit, name: str, size: int, axis: int) -> tuple[FloatArray, str] | None:
    """Values along an axis of the map, by the parameter of its name, if they are even and rise."""
    place = next((p for p in fit.places if p.name.lower() == name.lower()), None)
    if place is None:
        return None
    values = place.values.reshape(_drawn_shape(fit.shape))
    with np.errstate(invalid="ignore"):
        counts = np.isfinite(values).sum(axis=1 - axis)
        line = np.where(counts, np.nansum(values, axis=1 - axis) / np.maximum(counts, 1), np.nan)
    steps = np.diff(line)
    if not np.isfinite(line).all() or line.size < 2 or not steps[0] > 0:
        return None
    if np.abs(steps - steps.mean()).max() > _REGULAR * steps.mean():
        return None
    off = values - np.expand_dims(line, 1 - axis)
    if np.nanmax(np.abs(off)) > _REGULAR * steps.mean() * size:
        return None
    shown, unit = scaled(line, place.unit)
    return shown, titled(place.name, unit)


def _beyond(values: FloatArray, low: float, high: float) -> str:
    below, above = bool((values < low).any()), bool((values > high).any())
    return {(True, True): "both", (True, False): "min", (False, True): "max"}.get((below, above), "neither")


def _largest(values: FloatArray) -> float:
    finite = np.abs(values[np.isfinite(values)])
    return float(np.percentile(finite, _BULK[1])) if finite.size else 0.0


def _warn(figure: Figure, fits: list[tuple[str, GridFit]], width: int) -> None:
    """Each warning once, with the directions it belongs to."""
    belongs: dict[str, list[str]] = {}
    for label, fit in fits:
        for warning in fit.warnings:
            belongs.setdefault(warning, []).append(label)
    texts = [text if len(labels) == len(fits) else f"{', '.join(labels)}: {text}" for text, labels in belongs.items()]
    lines = [line for text in texts for line in textwrap.wrap(text, width)][:_MOST_LINES]
    if lines:
        figure.set_figheight(figure.get_figheight() + 0.11 * len(lines))
        figure.supxlabel(plain("\n".join(lines)), x=0.02, ha="left", fontsize=SMALL - 1, color=VERMILION)
