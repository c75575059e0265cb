"""Models as text: what there is, the parameters of one, what was computed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.display.terminal import listed, on_terminal
from stmlab.models.computed import parts
from stmlab.models.model import Number
from stmlab.units import format_quantity

if TYPE_CHECKING:
    from collections.abc import Iterable

    import xarray

    from stmlab.models.model import Model, Parameter, Values


def models_as_text(models: Iterable[Model]) -> str:
    """A line for each."""
    return "\n".join(f"{model.name:14} {model.title}" for model in models)


def parameters_as_text(model: Model, values: Values) -> str:
    """Every parameter of a model: value, what is allowed, meaning, where it has an effect."""
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(*("parameter", "value", "allowed", "meaning"), padding=(0, 2, 0, 0))
    for column in table.columns[:2]:
        column.no_wrap = True
    for parameter in model.parameters:
        value = values[parameter.name]
        shown = value if isinstance(value, str) else format_quantity(value, parameter.unit)
        symbol = f"{parameter.symbol}: " if parameter.symbol else ""
        where = "" if parameter.where is None else f" ({parameter.where[0]} = {' or '.join(parameter.where[1])})"
        row = f"  {parameter.name}", shown, allowed(parameter), f"{symbol}{parameter.meaning}{where}"
        table.add_row(*map(Text, row))
    sweep = model.sweep(values)
    low, high = (format_quantity(end, sweep.unit) for end in (sweep.low, sweep.high))
    axis = f"  over {sweep.name}: {sweep.label}, {low} to {high}, {sweep.points} values"
    return f"{model.name:14} {model.title} ({model.source})\n{on_terminal(table)}\n{axis}"


def allowed(parameter: Parameter) -> str:
    """The words, or the bounds in their unit."""
    if not isinstance(parameter, Number):
        return ", ".join(parameter.words)
    return " to ".join(format_quantity(end, parameter.unit) for end in (parameter.low, parameter.high))


def computed_as_text(dataset: xarray.Dataset) -> str:
    """What `stmlab.model` computed: parameters, extent of each curve, and what follows as a list or a table."""
    outer, curves, derived = parts(dataset)
    given = {
        str(name): _written(value.item(), value.attrs["units"])
        for name, value in dataset.coords.items()
        if not value.dims
    }
    lines = [f"{dataset.attrs['model']}: {dataset.attrs['title']} ({dataset.attrs['source']})"]
    lines += [f"  doubt: {doubt}" for doubt in filter(None, dataset.attrs.get("doubts", "").split("; "))]
    lines += listed("parameters", given)
    lines += listed("curves", {name: _extent(dataset, name) for name in curves})
    if not outer:
        lines += listed("what follows", {name: _following(dataset[name]) for name in derived})
        return "\n".join(lines)
    return "\n".join([*lines, _table(dataset, outer, derived)]) if derived else "\n".join(lines)


def _following(one: xarray.DataArray) -> str:
    return f"{one.attrs['symbol']} = {_written(one.item(), one.attrs['units'])}, {one.attrs['long_name']}"


def _extent(dataset: xarray.Dataset, name: str) -> str:
    curve = dataset[name]
    own = dataset[dataset.attrs["axis"]]
    ends = [_written(float(f(curve)), curve.attrs["units"]) for f in (np.min, np.max)]
    along = [_written(float(own[k]), own.attrs["units"]) for k in (0, -1)]
    return f"{curve.attrs['long_name']}: {' to '.join(ends)}, over {own.name} {' to '.join(along)}, {own.size} values"


def _table(dataset: xarray.Dataset, outer: tuple[str, ...], derived: tuple[str, ...]) -> str:
    from rich.table import Table

    frame = dataset[list(derived)].to_dataframe(dim_order=list(outer)).reset_index()
    names = [*outer, *derived]
    table = Table(*names, box=None, pad_edge=False)
    for row in frame[names].itertuples(index=False):
        table.add_row(*(_written(value, dataset[name].attrs["units"]) for name, value in zip(names, row, strict=True)))
    return on_terminal(table)


def _written(value: float | str, unit: str) -> str:
    if isinstance(value, str):
        return value
    return format_quantity(float(value), unit) if np.isfinite(value) else "-"
