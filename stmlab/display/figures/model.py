"""What a model computed, as a figure: its curves, a family of them, or maps; and what follows over what was swept."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np

from stmlab.display.figures.curves import draw_curves
from stmlab.display.figures.drawing import house_style, sheet
from stmlab.display.figures.page import entitle, titled
from stmlab.errors import FileError
from stmlab.models.computed import parts
from stmlab.units import format_quantity, written_unit

if TYPE_CHECKING:
    import xarray
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from stmlab.arrays import FloatArray

_SAME = 1e-9  # of a value
_FAMILY = 8  # curves that stay apart on one panel; more of them are a map
_COLUMNS = 3
_PANEL_IN = 3.4, 2.6
_LETTERS_AN_INCH = 12  # of a title
_LONGEST = 28  # letters along an axis


def draw_model(dataset: xarray.Dataset) -> Figure:
    """Draw what `stmlab.model` computed.

    One set of parameters: all curves over each other. One swept parameter: each curve as a family, or as a map of
    many, and what follows along it if it changes. Two: maps of what follows.

    Raises:
        FileError: more parameters were swept, or nothing follows that could be drawn over two.
    """
    outer, curves, derived = parts(dataset)
    derived = tuple(name for name in derived if _changes(dataset[name]))
    if not outer and curves:
        return _titled(_one(dataset, dataset.attrs["axis"], curves), dataset)
    panels = {1: [*curves, *derived], 2: derived}.get(len(outer), [])
    if not panels:
        swept = f"swept are {', '.join(outer)}" if outer else "nothing is swept"
        raise FileError(f"{swept}: there is no figure of that; it takes a curve, or what follows over one or two axes")
    columns = min(_COLUMNS, len(panels))
    rows = -(-len(panels) // columns)
    with house_style():
        figure = sheet(_PANEL_IN[0] * columns, _PANEL_IN[1] * rows)
        axes = figure.subplots(rows, columns, squeeze=False).ravel()
        for panel, name in zip(axes, panels, strict=False):
            _panel(figure, panel, dataset[name], dataset.attrs.get("logarithmic", ""))
        for panel in axes[len(panels) :]:
            panel.set_axis_off()
    return _titled(figure, dataset)


def _changes(values: xarray.DataArray) -> bool:
    """Whether there is something to draw: what stays the same along an axis is told in the table."""
    finite = values.to_numpy()[np.isfinite(values)]
    return finite.size > 0 and bool(np.ptp(finite) > _SAME * np.abs(finite).max())


def _titled(figure: Figure, dataset: xarray.Dataset) -> Figure:
    with house_style():
        width = int(_LETTERS_AN_INCH * figure.get_figwidth())
        entitle(figure, textwrap.fill(f"{dataset.attrs['model']}: {dataset.attrs['title']}", width))
    return figure


def _one(dataset: xarray.Dataset, own: str, curves: tuple[str, ...]) -> Figure:
    x, first = dataset[own], dataset[curves[0]]
    lines = [(dataset[name].attrs["long_name"], x.to_numpy(), dataset[name].to_numpy()) for name in curves]
    return draw_curves(
        lines,
        (x.attrs["long_name"], x.attrs["units"]),
        (dataset.attrs["quantity"], first.attrs["units"]),
        logarithmic=dataset.attrs.get("logarithmic") == own,
    )


def _panel(figure: Figure, panel: Axes, values: xarray.DataArray, logarithmic: str) -> None:
    """One quantity, over one axis or two."""
    if values.ndim == 1:
        _along(panel, values)
    elif values.sizes[values.dims[0]] <= _FAMILY:
        _family(panel, values)
    else:
        _map(figure, panel, values)
    if values.dims[-1] == logarithmic:
        panel.set_xscale("log")


def _along(panel: Axes, values: xarray.DataArray) -> None:
    axis = values[values.dims[0]]
    shown, y_title = _scaled(values)
    if axis.dtype.kind not in "fiu":
        panel.plot([str(word) for word in axis.to_numpy()], shown, "o")
    else:
        x, title = _scaled(axis)
        panel.plot(x, shown, "o-" if len(x) <= 25 else "-", ms=2.5)
        panel.set_xlabel(title)
    panel.set_ylabel(y_title)


def _family(panel: Axes, values: xarray.DataArray) -> None:
    from matplotlib import colormaps

    outer, inner = (values[name] for name in values.dims)
    x, x_title = _scaled(inner)
    shown, title = _scaled(values)
    for k, curve in enumerate(shown):
        at = outer.to_numpy()[k]
        label = str(at) if outer.dtype.kind not in "fiu" else format_quantity(float(f"{at:.4g}"), outer.attrs["units"])
        panel.plot(x, curve, lw=0.9, color=colormaps["viridis"](0.85 * k / max(len(shown) - 1, 1)), label=label)
    panel.legend(title=outer.attrs.get("symbol") or str(outer.name), title_fontsize=7)
    panel.set(xlabel=x_title, ylabel=title)


def _map(figure: Figure, panel: Axes, values: xarray.DataArray) -> None:
    """The outer axis upwards."""
    outer, inner = (values[name] for name in values.dims)
    if any(axis.dtype.kind not in "fiu" for axis in (outer, inner)):
        raise FileError(f"{outer.name}, {inner.name}: words are no axis of a map: sweep fewer, or set one of them")
    (x, x_title), (y, y_title), (shown, title) = map(_scaled, (inner, outer, values))
    drawn = panel.pcolormesh(x, y, shown, shading="nearest", cmap="viridis", rasterized=True)
    figure.colorbar(drawn, ax=panel, label=title)
    panel.set(xlabel=x_title, ylabel=y_title)


def _scaled(values: xarray.DataArray) -> tuple[FloatArray, str]:
    """Numbers for an axis, and its title with the unit that they are in."""
    plain = values.to_numpy()
    finite = np.abs(plain[np.isfinite(plain)])
    power, unit = written_unit(float(finite.max(initial=0.0)), values.attrs["units"])
    told = values.attrs["long_name"]
    is_axis = values.name in values.dims and len(told) <= _LONGEST
    return plain * 10.0**-power, titled(told if is_axis else values.attrs["symbol"], unit)
