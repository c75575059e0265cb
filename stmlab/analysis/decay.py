"""T1 from the pump-probe current against delay (Betz et al., supplementary figure S1).

    I(t) = A_+ exp(-t / T1) + offset    for t > exclusion (the pump comes first)
    I(t) = A_- exp( t / T1) + offset    for t < -exclusion (the probe comes first)

Pump and probe swap their parts where the probe comes first, so the heights differ; the system relaxes with the same T1
at the same bias. Where the pulses overlap, the current is their cross-correlation, and is left out. Echoes on the line
make the second pulse ride on the first at either sign, and matter most where the decay is small: a fit of both sides
says so when they do not agree.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.marquardt import least_squares
from stmlab.analysis.numbers import deviations, finite, number
from stmlab.analysis.residuals import scatter_warning, structure_warning
from stmlab.errors import FitEnded, FitError
from stmlab.results import FitParameter, FitResult

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from stmlab.arrays import FloatArray

_HEIGHTS = ("height_positive", "height_negative")
_SIDES = {"both": (1, -1), "positive": (1,), "negative": (-1,)}
_TRIALS = 60
_RANK = 1e-15  # eigenvalue of a trial's normal matrix over the largest that is rounding
_FAR_BETTER = 20.0  # drop of chi square by two more parameters; 12 would be three standard deviations
_SMOOTH = 400  # points of the drawn curve
_ROUNDING = 1e-9  # of the span of the data: less is no noise
_FEWEST_WITHIN = 2  # points within T1 of the first delay
_UNCERTAIN = 0.2  # relative error of T1 from which it is far from symmetric
_UNKNOWN = 1.0  # relative error of T1, from which a decay that is not significant is none
_FEW = 8  # points
_SIGNIFICANT = 3.0  # standard errors of a height


def fit_decay(
    delay: ArrayLike,
    current: ArrayLike,
    *,
    exclusion: float = 0.0,
    sides: str = "both",
    sigma: ArrayLike | None = None,
) -> FitResult:
    """Fit the decay on one or both sides of zero delay, with one T1 and one offset.

    Args:
        delay: s, shape (n,), in any order, from pump to probe; all of one sign will do.
        current: A, shape (n,).
        exclusion: s; points with |delay| up to this are not fitted.
        sides: "both", "positive" (the pump first) or "negative".
        sigma: standard deviation of the noise of each point, A, one number or shape (n,). Without it the errors are
            scaled by the residual.

    Returns:
        Parameters "T1" (s), "offset" and "height_positive", "height_negative" (A, at zero delay; for the sides that
        have points), and derived "rate" (1/T1, 1/s). Curves "x", "data", "fit", "residual" at the fitted points,
        "x_excluded", "data_excluded", and "x_smooth", "fit_smooth" for drawing.

    Raises:
        FitError: the data do not suffice for the fit, or no decay is significant and T1 is not known.
    """
    data = _Decay.checked(delay, current, exclusion, sides, sigma)
    try:
        names, values, covariance = _solved(data)
    except FitEnded:
        raise
    except FitError as error:
        overlap = "" if exclusion else ": where pulses overlap there is none, exclusion leaves those delays out"
        raise FitError(f"{error}{overlap}") from error
    _refuse_no_decay(data, values, covariance)
    return _result(data, names, values, covariance)


def _refuse_no_decay(data: _Decay, values: FloatArray, covariance: FloatArray) -> None:
    """Heights that are noise, with a T1 that is not known or that few points chose."""
    unknown = math.sqrt(covariance[0, 0]) > _UNKNOWN or len(data.t) < _FEW
    if unknown and _is_weak(values, covariance):
        raise FitError(
            f"the {len(data.t)} points hold no decay: no height is three standard errors, and T1 is not known"
        )


def _is_weak(values: FloatArray, covariance: FloatArray) -> bool:
    return bool(np.all(np.abs(values[2:]) < _SIGNIFICANT * np.sqrt(np.diag(covariance))[2:]))


@dataclass(frozen=True, eq=False)
class _Decay:
    """Checked data: t = delay / ``time_unit``, y = current / ``current_unit``, in rising delay; what is left out."""

    t: FloatArray
    y: FloatArray
    weight: FloatArray
    noise_known: bool
    time_unit: float
    current_unit: float
    excluded: FloatArray  # shape (2, m): delay in s and current in A

    @classmethod
    def checked(
        cls, delay: ArrayLike, current: ArrayLike, exclusion: float, sides: str, sigma: ArrayLike | None
    ) -> _Decay:
        t, y = finite("delay", delay), finite("current", current)
        if t.ndim != 1 or t.shape != y.shape:
            raise FitError(f"delay has shape {t.shape}, current {y.shape}: one current for each delay is needed")
        if not 0 <= number("exclusion", exclusion) < math.inf:
            raise FitError(f"exclusion = {exclusion!r} s: 0 or more is allowed")
        if sides not in _SIDES:
            raise FitError(f"sides = {sides!r}: one of {', '.join(_SIDES)} is allowed")
        weight = np.ones_like(y)
        if sigma is not None:
            weight = 1 / deviations(sigma, y)
        order = np.argsort(t, kind="stable")
        t, y, weight = t[order], y[order], weight[order]
        kept = (np.abs(t) > exclusion) & np.isin(np.sign(t), _SIDES[sides])
        excluded = np.stack([t[~kept], y[~kept]])
        t, y, weight = t[kept], y[kept], weight[kept]
        needed = 4 + int(t.size > 0 and t[0] < 0 < t[-1])
        if t.size < needed or len(np.unique(t)) < needed - 1:
            raise FitError(
                f"{t.size} points at {len(np.unique(t))} delays beyond the exclusion of {exclusion:.3g} s: at least "
                f"{needed} are needed"
            )
        if np.ptp(y) == 0:
            raise FitError(f"current = {y[0]:.6g} A at every delay: there is no decay to fit")
        time_unit, current_unit = float(np.abs(t).max()), float(np.ptp(y))
        return cls(
            t / time_unit, y / current_unit, weight * current_unit, sigma is not None, time_unit, current_unit, excluded
        )

    @cached_property
    def heights(self) -> tuple[str, ...]:
        """Names of the sides that have points."""
        sides = (bool(np.any(self.t > 0)), bool(np.any(self.t < 0)))
        return tuple(name for name, there in zip(_HEIGHTS, sides, strict=True) if there)

    def design(self, log_t1: float, t: FloatArray | None = None) -> FloatArray:
        """Shapes whose heights are fitted: offset, and the decay of each side; shape (n, 1 + sides)."""
        return self.shapes(np.array(log_t1), t).T

    def shapes(self, log_t1: FloatArray, t: FloatArray | None = None) -> FloatArray:
        """The same, shape (..., 1 + sides, n), for lifetimes of shape (..., 1)."""
        t = self.t if t is None else t
        decay = np.exp(-np.abs(t) / np.exp(log_t1))
        sides = {_HEIGHTS[0]: t > 0, _HEIGHTS[1]: t < 0}
        return np.stack([np.ones_like(decay), *(np.where(sides[name], decay, 0.0) for name in self.heights)], axis=-2)


def _solved(data: _Decay) -> tuple[tuple[str, ...], FloatArray, FloatArray]:
    """Least squares from the best of many trial lifetimes: names, values and covariance."""
    names = ("log_T1", "offset", *data.heights)
    low, high = _limits(data)

    def residual(v: FloatArray) -> FloatArray:
        left: FloatArray = data.weight * (data.design(v[0]) @ v[1:] - data.y)
        return left

    def jacobian(v: FloatArray) -> FloatArray:
        design = data.design(v[0])
        slope = (design[:, 1:] @ v[2:]) * np.abs(data.t) / math.exp(v[0])
        columns: FloatArray = data.weight[:, None] * np.column_stack([slope, design])
        return columns

    found = least_squares(
        residual,
        jacobian,
        _best_trial(data, low, high),
        limits={0: (low, high)},
        noise_known=data.noise_known,
    )
    covariance = found.covariance
    if not found.converged or covariance is None:
        raise FitError(f"the {len(data.t)} points hold no decay from which T1 could be read")
    if not low + 1e-3 < found.values[0] < high - 1e-3:
        raise FitError(
            f"T1 runs to {math.exp(found.values[0]) * data.time_unit:.3g} s, the end of what delays up to "
            f"{data.time_unit:.3g} s can show: there is no decay to fit"
        )
    return names, found.values, covariance


def _limits(data: _Decay) -> tuple[float, float]:
    """Of the logarithm of T1: from far below the first delay to ten times the last."""
    return math.log(np.abs(data.t).min()) - 4.0, math.log(10.0)


def _best_trial(data: _Decay, low: float, high: float) -> FloatArray:
    log_t1 = np.linspace(low, high, _TRIALS)[1:-1]
    designs = data.weight * data.shapes(log_t1[:, None])  # (trials, shapes, n)
    read = data.weight * data.y
    products = designs @ designs.swapaxes(1, 2)
    heights = (np.linalg.pinv(products, rcond=_RANK, hermitian=True) @ (designs @ read)[:, :, None])[:, :, 0]
    left = read - (heights[:, None] @ designs)[:, 0]
    best = int(np.argmin(np.sum(left**2, axis=1)))
    return np.array([log_t1[best], *heights[best]])


def _result(data: _Decay, names: tuple[str, ...], values: FloatArray, covariance: FloatArray) -> FitResult:
    t1 = math.exp(values[0]) * data.time_unit
    scale = np.array([t1] + [data.current_unit] * (len(names) - 1))  # d T1 = T1 d log T1
    errors = np.sqrt(np.diag(covariance)) * scale
    parameters = [FitParameter("T1", t1, float(errors[0]), "s")]
    parameters += [
        FitParameter(name, float(value) * data.current_unit, float(error), "A")
        for name, value, error in zip(names[1:], values[1:], errors[1:], strict=True)
    ]
    parameters.append(FitParameter("rate", 1 / t1, float(errors[0]) / t1**2, "1/s"))
    left = data.y - data.design(values[0]) @ values[1:]
    chi_square = _chi_square(data, values)
    return FitResult(
        model="decay",
        parameters=tuple(parameters),
        free=("T1", *names[1:]),
        covariance=covariance * np.outer(scale, scale),
        points=len(data.t),
        residual=float(np.sqrt(np.mean(left**2))) * data.current_unit,
        reduced_chi_square=chi_square / (len(data.t) - len(names)) if data.noise_known else None,
        warnings=_warnings(data, values, covariance),
        curves=_curves(data, values),
        labels={"x": "delay from pump to probe", "x_unit": "s", "y": "pump-probe current", "y_unit": "A"},
    )


def _warnings(data: _Decay, values: FloatArray, covariance: FloatArray) -> tuple[str, ...]:
    found = []
    if _is_weak(values, covariance):
        found.append("no decay is significant: every height is below three standard errors")
    t1, first, reach = math.exp(values[0]), float(np.abs(data.t).min()), float(np.abs(data.t).max())
    if np.count_nonzero(np.abs(data.t) < first + t1) < _FEWEST_WITHIN or t1 < first / 3:
        found.append(
            f"T1 is shorter than the delays can show: {data.time_unit * t1:.3g} s, the first of them at "
            f"{data.time_unit * first:.3g} s"
        )
    if t1 > reach / 2:
        found.append(f"delays reach only {reach / t1:.1f} T1: offset and T1 can hardly be told apart")
    if (relative := math.sqrt(covariance[0, 0])) > _UNCERTAIN:
        found.append(f"T1 is hardly determined: its error is {relative:.0%} of it, and larger upwards than downwards")
    if disagreement := _sides_disagree(data, values):
        found.append(disagreement)
    left, squares = data.weight * (data.y - data.design(values[0]) @ values[1:]), _chi_square(data, values)
    if data.noise_known:
        found.append(scatter_warning(squares, len(data.t) - len(values)))
    if float(np.abs(left / data.weight).max()) > _ROUNDING:
        found.append(structure_warning(left, len(values), data.noise_known))
    if len(data.t) < _FEW:
        found.append(f"{len(data.t)} points are few: the errors are themselves uncertain")
    return tuple(warning for warning in found if warning)


def _sides_disagree(data: _Decay, values: FloatArray) -> str:
    """Fit each side by itself: does that describe the points far better?"""
    if len(data.heights) < 2 or min(np.count_nonzero(data.t > 0), np.count_nonzero(data.t < 0)) < 5:
        return ""
    apart = 0.0
    low, high = _limits(data)
    for side in (data.t > 0, data.t < 0):
        part = replace(data, t=data.t[side], y=data.y[side], weight=data.weight[side])
        apart += _chi_square(part, _best_trial(part, low, high))
    noise = 1.0 if data.noise_known else apart / (len(data.t) - 6)
    if _chi_square(data, values) - apart <= _FAR_BETTER * noise:
        return ""
    return (
        "the two sides do not share T1 and offset, as echoes on the line make it: fit one of them (sides, or "
        "fitted_sides of a run)"
    )


def _chi_square(data: _Decay, values: FloatArray) -> float:
    return float(np.sum((data.weight * (data.y - data.design(values[0]) @ values[1:])) ** 2))


def _curves(data: _Decay, values: FloatArray) -> dict[str, FloatArray]:
    fit = data.design(values[0]) @ values[1:]
    smooth = np.linspace(data.t[0], data.t[-1], _SMOOTH)
    inside = np.abs(smooth) >= np.abs(data.t).min()
    smooth = smooth[inside]
    return {
        "x": data.t * data.time_unit,
        "data": data.y * data.current_unit,
        "fit": fit * data.current_unit,
        "residual": (data.y - fit) * data.current_unit,
        "x_excluded": data.excluded[0],
        "data_excluded": data.excluded[1],
        "x_smooth": smooth * data.time_unit,
        "fit_smooth": (data.design(values[0], smooth) @ values[1:]) * data.current_unit,
    }
