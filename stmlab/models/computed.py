"""A model computed at values, and over axes of them, as an xarray Dataset.

dataset = stmlab.model("srs", {"amplitude": "2 mV"}, sweep={"dc_bias": "-10..10 mV:81"})
dataset.rate            # over dc_bias, 1/s
dataset.current         # over dc_bias and frequency, A
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from stmlab.errors import PhysicsError
from stmlab.models import known
from stmlab.models.axes import axis_values
from stmlab.models.model import Number
from stmlab.provenance import versions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import xarray

    from stmlab.arrays import FloatArray
    from stmlab.models.model import Curves, Model, Parameter, Sweep, Value

    Axes = Mapping[str, list[Value]]


def model(
    name: str,
    parameters: Mapping[str, Value] | None = None,
    *,
    sweep: Mapping[str, str | Iterable[Value]] | None = None,
    curves: bool = True,
) -> xarray.Dataset:
    """The curves of a model and what follows from them.

    Args:
        name: one of `stmlab.models.MODELS`.
        parameters: name -> value, a number in the parameter's unit or text as people write it ("2.7 meV"); the others
            are where they start.
        sweep: parameter -> values, as a list or as `stmlab.models.axes` reads them; outer axes first. The curve's own
            axis may be among them.
        curves: without them there is only what follows, such as rates.

    Returns:
        A variable for each curve over the swept parameters and the curve's axis, and one for whatever follows over the
        swept parameters alone; every other parameter a coordinate without dimension. Each has ``units`` and
        ``long_name``. Attributes: model, title, source, stmlab (version), axis (the curve's own; also as
        ``logarithmic`` where its decades count), quantity (of the curves), doubts where there are any.

    Raises:
        PhysicsError: there is no such model or parameter, a value is out of bounds or has no effect with the others, or
            the model is not defined at a point, which is named.
    """
    chosen = known(name)
    given, asked = chosen.named(parameters or {}), dict(sweep or {})
    own = chosen.sweep(chosen.values(given))
    x = _own_axis(own, asked.pop(own.name)) if own.name in asked else None
    asked = chosen.named(asked)
    if twice := sorted(given.keys() & asked.keys()):
        raise PhysicsError(f"{twice[0]}: it is swept and set: one of them is allowed")
    axes = {name: _values(chosen[name], values) for name, values in asked.items()}
    points = [given | dict(zip(axes, at, strict=True)) for at in itertools.product(*axes.values())]
    _check_effect(chosen, points, {*given, *axes})
    x = _common_axis(chosen, points) if x is None else x
    found = _dataset(chosen, axes, [_at(chosen, point, axes, x) for point in points], chosen.values(points[0]))
    if not (curves or parts(found).derived):
        raise PhysicsError(f"{name}: without its curves there is nothing")
    return found if curves else found.drop_dims(own.name)


class Parts(NamedTuple):
    """Names of what is in a dataset of `model`: swept parameters, outer first; curves; what follows."""

    swept: tuple[str, ...]
    curves: tuple[str, ...]
    derived: tuple[str, ...]


def parts(dataset: xarray.Dataset) -> Parts:
    """What is in a dataset of `model`."""
    own = dataset.attrs["axis"]
    names = {str(name): own in variable.dims for name, variable in dataset.data_vars.items()}
    longest = max(dataset.data_vars.values(), key=lambda variable: variable.ndim).dims
    swept = tuple(str(dim) for dim in longest if dim != own)
    curves, derived = (
        tuple(name for name, is_curve in names.items() if is_curve == wanted) for wanted in (True, False)
    )
    return Parts(swept, curves, derived)


def _values(parameter: Parameter, values: str | Iterable[Value]) -> list[Value]:
    found = (
        axis_values(parameter, values) if isinstance(values, str) else [parameter.checked(_plain(v)) for v in values]
    )
    if not found:
        raise PhysicsError(f"{parameter.name}: at least one value is needed")
    return found


def _plain(value: Any) -> Value:
    return value if isinstance(value, str) else float(value)


def _own_axis(sweep: Sweep, values: str | Iterable[Value]) -> FloatArray:
    """Places on the curve's axis, which has no bounds of its own."""
    anywhere = Number(sweep.name, "", sweep.unit, sweep.label, 0.0, -np.inf, np.inf)
    return np.array(_values(anywhere, values), dtype=float)


def _check_effect(model: Model, points: list[dict[str, Value]], told: set[str]) -> None:
    """Refuse what somebody set or swept in vain."""
    all_values = [model.values(point) for point in points]
    for name in sorted(told):
        parameter = model[name]
        if parameter.where is not None and not any(model.applies(parameter, values) for values in all_values):
            choice, words = parameter.where
            needed = " or ".join(words)
            raise PhysicsError(f"{name}: it has no effect with {choice} = {all_values[0][choice]}, only with {needed}")


def _common_axis(model: Model, points: list[dict[str, Value]]) -> FloatArray:
    """Places that reach over the axes of all points."""
    sweeps = [model.sweep(model.values(point)) for point in points]
    first = sweeps[0]
    wide = replace(first, low=min(each.low for each in sweeps), high=max(each.high for each in sweeps))
    return wide.values()


def _at(model: Model, point: dict[str, Value], axes: Axes, x: FloatArray) -> Curves:
    try:
        return model.curves(point, x)
    except PhysicsError as error:
        if not axes:
            raise
        where = ", ".join(f"{name} = {point[name]}" for name in axes)
        raise PhysicsError(f"at {where}: {error}") from error


def _dataset(model: Model, axes: Axes, found: list[Curves], values: Mapping[str, Value]) -> xarray.Dataset:
    import xarray

    first, outer = found[0], tuple(axes)
    for each in found:
        if (each.sweep.name, each.y_unit, *each.y, *each.derived) != (
            first.sweep.name,
            first.y_unit,
            *first.y,
            *first.derived,
        ):
            raise PhysicsError(f"{', '.join(axes)}: what is computed changes along it: compute one after the other")
    shape = tuple(len(each) for each in axes.values())
    coords: dict[str, Any] = {name: (name, each, _about(model[name])) for name, each in axes.items()}
    for name, value in values.items():
        if name not in axes and name != first.sweep.name and model.applies(model[name], values):
            coords[name] = ((), value, _about(model[name]))
    own = first.sweep
    coords[own.name] = (own.name, first.x, {"units": own.unit, "long_name": own.label, "symbol": own.label})
    data: dict[str, Any] = {}
    for name, curve in first.y.items():
        stacked = np.stack([each.y[name].values for each in found]).reshape(*shape, len(first.x))
        data[name] = (
            (*outer, own.name),
            stacked,
            {"units": first.y_unit, "long_name": curve.label, "symbol": curve.label},
        )
    for name, one in first.derived.items():
        numbers = np.array([each.derived[name].value for each in found], dtype=float).reshape(shape)
        data[name] = (outer, numbers, {"units": one.unit, "long_name": one.meaning, "symbol": one.symbol})
    about = {"model": model.name, "title": model.title, "source": model.source, "stmlab": versions()["stmlab"]}
    if doubts := dict.fromkeys(doubt for each in found for doubt in each.doubts):
        about["doubts"] = "; ".join(doubts)
    about |= {"axis": own.name, "quantity": first.y_label} | ({"logarithmic": own.name} if own.logarithmic else {})
    return xarray.Dataset(data, coords, about)


def _about(parameter: Parameter) -> dict[str, str]:
    return {"units": parameter.unit, "long_name": parameter.meaning, "symbol": parameter.symbol}
