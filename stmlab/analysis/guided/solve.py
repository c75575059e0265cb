"""Least squares of any curve from given values, with some of them fixed; the derivatives by differences."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.marquardt import least_squares
from stmlab.errors import FitError, PhysicsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from stmlab.analysis.guided.guide import Quantity
    from stmlab.arrays import FloatArray

_APART = 1e-5  # of a parameter's size: two places between which the curve is taken to be straight
_MOST = 200  # steps
_LARGEST = 50.0  # logarithm of a parameter over where it began


@dataclass(frozen=True, eq=False)
class Solved:
    """Where least squares ended.

    Attributes:
        values: of all parameters.
        free: names of those that were fitted.
        covariance: shape (free, free), for the noise that the residual shows; nan where it is not determined.
        slopes: derivatives of the curve by the free parameters there, shape (n, free).
        curve: of the model at the points, shape (n,).
        converged: whether it came to its end.
    """

    values: Mapping[str, float]
    free: tuple[str, ...]
    covariance: FloatArray
    slopes: FloatArray
    curve: FloatArray
    converged: bool

    @property
    def errors(self) -> FloatArray:
        """One standard error of each free parameter; nan where the data do not determine them."""
        errors: FloatArray = np.sqrt(np.diag(self.covariance))
        return errors


def solve(
    quantities: Sequence[Quantity],
    curve: Callable[[Mapping[str, float]], FloatArray],
    data: FloatArray,
    begun: Mapping[str, float],
    fixed: Sequence[str],
    *,
    sizes: Mapping[str, float],
    weight: FloatArray | None = None,
) -> Solved:
    """Fit a curve.

    Args:
        quantities: the parameters.
        curve: values of the model at the points, from the values of all parameters.
        data: shape (n,).
        begun: where every parameter begins.
        fixed: those that stay there.
        sizes: of parameters that may begin at 0: what a change of them is measured by.
        weight: of each point, shape (n,).

    Raises:
        FitError: nothing is left to fit, the points are too few, or the model is not defined where it begins.
    """
    free = tuple(quantity for quantity in quantities if quantity.name not in fixed)
    if not free:
        raise FitError("every parameter is fixed: there is nothing to fit")
    if len(data) <= len(free):
        raise FitError(f"{len(data)} points are too few for {len(free)} parameters")
    scales = tuple(_Scale(one.positive, max(abs(begun[one.name]), sizes.get(one.name, 0.0)) or 1.0) for one in free)
    weights = np.ones_like(data) if weight is None else weight / weight.mean()
    task = _Task(curve, data, weights, free, scales, begun)
    found = least_squares(task.residual, task.jacobian, task.start(), limits=task.limits, most=_MOST)
    size = np.array([scale.slope(float(u)) for scale, u in zip(scales, found.values, strict=True)])
    outer = np.outer(size, size)
    covariance = np.full(outer.shape, math.nan) if found.covariance is None else found.covariance * outer
    slopes = np.asarray(task.jacobian(found.values) * task.span / weights[:, None] / size)
    ended = task.values(found.values)
    names = tuple(quantity.name for quantity in free)
    return Solved(ended, names, covariance, slopes, curve(ended), found.converged)


@dataclass(frozen=True, eq=False)
class _Task:
    """The weighted residual, over the range of the data, of the free parameters in their scales."""

    curve: Callable[[Mapping[str, float]], FloatArray]
    data: FloatArray
    weights: FloatArray
    free: tuple[Quantity, ...]
    scales: tuple[_Scale, ...]
    begun: Mapping[str, float]

    @cached_property
    def span(self) -> float:
        return float(np.ptp(self.data)) or 1.0

    @cached_property
    def limits(self) -> dict[int, tuple[float, float]]:
        return {k: scale.limits(one) for k, (one, scale) in enumerate(zip(self.free, self.scales, strict=True))}

    def values(self, at: FloatArray) -> dict[str, float]:
        """Of all parameters, the fixed ones too."""
        moved = zip(self.free, self.scales, at, strict=True)
        return {**self.begun, **{one.name: scale.value(float(u)) for one, scale, u in moved}}

    def residual(self, at: FloatArray) -> FloatArray:
        try:
            with np.errstate(all="ignore"):  # what is not finite is no place
                left: FloatArray = self.weights * (self.curve(self.values(at)) - self.data) / self.span
        except PhysicsError:
            return np.full(self.data.shape, math.nan)
        return left

    def jacobian(self, at: FloatArray) -> FloatArray:
        return _differences(self.residual, at, self.limits)

    def start(self) -> FloatArray:
        """Where the fit begins, with the heights that suit there: by linear least squares.

        Raises:
            FitError: the model is not defined there.
        """
        begun = np.array([scale.place(self.begun[one.name]) for one, scale in zip(self.free, self.scales, strict=True)])
        residual = self.residual(begun)
        if not np.isfinite(residual).all():
            raise FitError("the model has no finite value at the start values: give others")
        if heights := [k for k, one in enumerate(self.free) if one.linear]:
            begun[heights] += np.linalg.lstsq(self.jacobian(begun)[:, heights], -residual, rcond=1e-10)[0]
        return begun


@dataclass(frozen=True)
class _Scale:
    """A parameter as the descent sees it: over its size, or the logarithm of that."""

    positive: bool
    size: float

    def place(self, value: float) -> float:
        return math.log(value / self.size) if self.positive else value / self.size

    def value(self, place: float) -> float:
        return self.size * math.exp(min(place, _LARGEST)) if self.positive else self.size * place

    def slope(self, place: float) -> float:
        """d value / d place."""
        return self.value(place) if self.positive else self.size

    def limits(self, quantity: Quantity) -> tuple[float, float]:
        if self.positive:
            return -_LARGEST, _LARGEST
        return quantity.low / self.size, quantity.high / self.size


def _differences(
    residual: Callable[[FloatArray], FloatArray], at: FloatArray, limits: Mapping[int, tuple[float, float]]
) -> FloatArray:
    """Derivatives of a residual by each parameter, between two places within its limits; shape (n, p)."""
    columns = []
    for k, value in enumerate(at):
        step = _APART * max(abs(value), 1.0)
        places = np.repeat(at[None], 2, axis=0)
        places[:, k] = np.clip([value - step, value + step], *limits[k])
        before, behind = (residual(place) for place in places)
        columns.append((behind - before) / (places[1, k] - places[0, k]))
    return np.asarray(np.nan_to_num(np.column_stack(columns)), dtype=float)
