"""Which curve of a fit belongs to which sweep of the run, and how what was fitted changes from sweep to sweep."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from stmlab.errors import SequenceError
from stmlab.units import in_unit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stmlab.arrays import FloatArray, IntArray
    from stmlab.axes import Axis
    from stmlab.results import FitParameter, FitResult

    _Rows = list[tuple[dict[str, str], FitParameter]]  # where, and what was fitted there

_NUMBERED = re.compile(r"(.+?)_\d+")
_PLACE = re.compile(r"(\D*?)\s*([-+.\d].*)")


@dataclass(frozen=True, eq=False)
class FitCurve:
    """The fit of one sweep.

    Attributes:
        outer: axis outside the sweep -> position on it; empty: the fit is of all sweeps together.
        x, data, fit: at the points that were fitted; shape (points,).
        x_smooth, fit_smooth: the curve for drawing; shape (any,).
    """

    outer: Mapping[int, int]
    x: FloatArray
    data: FloatArray
    fit: FloatArray
    x_smooth: FloatArray
    fit_smooth: FloatArray


@dataclass(frozen=True, eq=False)
class FitSeries:
    """One fitted quantity over the sweeps.

    Attributes:
        name, unit: of the quantity.
        along: label and unit of what the sweeps differ in.
        at, values, errors: shape (sweeps,), by rising ``at``.
        held: what is the same for these sweeps and not for others, in words.
    """

    name: str
    unit: str
    along: tuple[str, str]
    at: FloatArray
    values: FloatArray
    errors: FloatArray
    held: str = ""


def curves_of(fit: FitResult, axes: Sequence[Axis]) -> tuple[FitCurve, ...]:
    """The curves of a fit, each with the sweep of the run that it belongs to; none if it has no curve over the points.

    Args:
        fit: of a run.
        axes: of the run, outer to inner.
    """
    curves = fit.curves
    if not {"x", "data", "fit"} <= curves.keys() or not len(curves["x"]):
        return ()
    if fit.model in ("exchange", "correlation"):  # over what was read off the sweeps, not over the sweep
        return ()
    outer = list(axes[:-1])
    by_point = [(k, axis) for k, axis in enumerate(outer) if np.shape(curves.get(axis.name, ())) == curves["x"].shape]
    if by_point:
        k, axis = by_point[0]
        parts = _parts(np.flatnonzero(np.diff(curves[axis.name])) + 1, len(curves["x"]))
        found = [_curve(fit, {k: _position(axis, float(curves[axis.name][part][0]))}, part) for part in parts]
        return tuple(_from_its_start(curve, axes[-1]) for curve in found)
    if fit.model == "transfer" and outer:  # of the currents at the largest amplitude
        return (_curve(fit, {0: int(np.argmax(np.abs(outer[0].values)))}, slice(None)),)
    parts = _parts(np.flatnonzero(np.diff(curves["x"]) < 0) + 1, len(curves["x"]))
    places = list(dict.fromkeys(parameter.at for parameter in fit.parameters if parameter.at))
    if len(places) == len(parts):
        return tuple(
            _curve(fit, _outer(outer, place), part, smooth=len(parts) == 1)
            for place, part in zip(places, parts, strict=True)
        )
    return (_curve(fit, {}, slice(None)),)


def series_of(fit: FitResult) -> tuple[FitSeries, ...]:
    """The quantities that a fit gives for each of many sweeps, over what the sweeps differ in."""
    groups: dict[tuple[str, str], _Rows] = {}
    for parameter in fit.parameters:
        found = _NUMBERED.fullmatch(parameter.name)
        if found and parameter.at:
            groups.setdefault((found[1], parameter.unit), []).append((_words(parameter.at), parameter))
    made = [series for (name, unit), rows in groups.items() for series in _series_of_one(name, unit, rows)]
    return tuple(series for series in made if len(series.at) > 1)


def _series_of_one(name: str, unit: str, rows: _Rows) -> list[FitSeries]:
    """Over the quantity in which the sweeps differ most; one series for each value of the others."""
    labels = sorted(rows[0][0], key=lambda label: -len({place.get(label) for place, _ in rows}))
    alike: dict[str, _Rows] = {}
    for place, parameter in rows:
        held = ", ".join(f"{label} {place[label]}" for label in labels[1:] if label in place)
        alike.setdefault(held, []).append((place, parameter))
    return [_one_series(name, unit, labels[0], held, part) for held, part in alike.items()]


def _one_series(name: str, unit: str, label: str, held: str, rows: _Rows) -> FitSeries:
    along = _unit_of(rows[0][0][label])
    at = np.array([in_unit(place[label], along) for place, _ in rows])
    order = np.argsort(at, kind="stable")
    values = np.array([parameter.value for _, parameter in rows])
    errors = np.array([parameter.error for _, parameter in rows])
    return FitSeries(name, unit, (label, along), at[order], values[order], errors[order], held)


def _words(at: str) -> dict[str, str]:
    """Label -> quantity of "bias 4 mV, amplitude 1 mV"."""
    found = [_PLACE.fullmatch(part.strip()) for part in at.split(",")]
    return {match[1] or str(k): match[2] for k, match in enumerate(found) if match is not None}


def _unit_of(text: str) -> str:
    """The SI unit of a written quantity: one of those that axes have."""
    for unit in ("V", "A", "S", "Hz", "s", "T", "K", "m", ""):
        try:
            in_unit(text, unit)
        except SequenceError:
            continue
        return unit
    return ""


def _outer(axes: list[Axis], at: str) -> dict[int, int]:
    """Positions on the outer axes, of a place in words whose labels are the last words of the axes' own."""
    places = _words(at)
    found = {}
    for k, axis in enumerate(axes):
        for label, text in places.items():
            if label and (axis.label or axis.name).endswith(label):
                found[k] = _position(axis, in_unit(text, axis.unit))
    return found


def _from_its_start(curve: FitCurve, axis: Axis) -> FitCurve:
    """Of traces that a fit has put one behind the other, each on the time axis of a trace."""
    if axis.unit != "s" or curve.x[0] <= axis.values[-1]:
        return curve
    shift = curve.x[0] - axis.values[0]
    return replace(curve, x=curve.x - shift, x_smooth=curve.x_smooth - shift)


def _position(axis: Axis, value: float) -> int:
    return int(np.argmin(np.abs(axis.values - value)))


def _parts(bounds: IntArray, length: int) -> list[slice]:
    return [slice(a, b) for a, b in itertools.pairwise([0, *bounds.tolist(), length])]


def _curve(fit: FitResult, outer: Mapping[int, int], part: slice, *, smooth: bool = True) -> FitCurve:
    curves = fit.curves
    x, data, fitted = (np.asarray(curves[name])[part] for name in ("x", "data", "fit"))
    if smooth and {"x_smooth", "fit_smooth"} <= curves.keys() and part in (slice(None), slice(0, len(curves["x"]))):
        return FitCurve(outer, x, data, fitted, curves["x_smooth"], curves["fit_smooth"])
    return FitCurve(outer, x, data, fitted, x, fitted)
