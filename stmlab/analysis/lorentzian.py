"""The rate of a two-level system from its stochastic resonance spectrum (Betz et al., eq. 1).

    I(f) = I_SR / (1 + (2 pi f / Gamma)^2) + I_rec

Gamma is the sum of both mean rates. Eq. 1 holds for weak modulation. A strong one mixes harmonics: the line becomes a
sum of Lorentzians of half width Gamma / q, and eq. 1 alone reads a rate that is too low (6 % when the rates are
modulated by 0.6 Gamma, 17 % at Gamma). The fit of widths Gamma and Gamma / 2 together (``harmonics=2``) corrects
that, at three to five times the noise. Every plain fit is compared with it, and says so when the two disagree.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.residuals import scatter_warning, structure_warning
from stmlab.analysis.resonance_line import (
    STEPS,
    Spectrum,
    fit_one_width,
    fit_two_widths,
    line_slope,
    sum_of_squares,
)
from stmlab.errors import FitError
from stmlab.physics.stochastic_resonance import line_shape
from stmlab.results import FitParameter, FitResult
from stmlab.units import format_value

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from stmlab.analysis.resonance_line import Solution
    from stmlab.arrays import FloatArray

SIGNIFICANT = 5.0
"""Standard errors of a step that count: noise with a rate to choose makes one of four in a spectrum of a hundred."""
_MODELS = {1: "srs", 2: "srs_two_widths"}
_FEW_POINTS = 8
FAR_BETTER = 10.0  # drop of chi square by one more parameter; 9 would be three standard deviations
BETTER = 4.0  # the same that a rate must bring with it which is two of its errors higher, or it means nothing
ROUNDING = 1e-9  # of the span: a residual smaller than this is no noise
_SMOOTH = 400  # points of the drawn curve


def rate_error_bound(
    frequency: ArrayLike, rate: float, step: float, sigma: ArrayLike, *, offset_known: bool = False
) -> float:
    """Smallest standard error of the rate that any unbiased fit of eq. 1 can have (Cramer-Rao), 1/s.

    Args:
        frequency: of the points, Hz, shape (n,).
        rate: Gamma, 1/s.
        step: I_SR, A.
        sigma: standard deviation of the white noise, A, one number or shape (n,).
        offset_known: I_rec is not fitted.

    Returns:
        Standard error of Gamma; inf where the points cannot tell the parameters apart.
    """
    line = line_shape(np.asarray(frequency, dtype=float), rate, 1.0, 0.0)
    columns = [step * line_slope(line), line] + ([] if offset_known else [np.ones_like(line)])
    jacobian = np.column_stack(columns) / np.broadcast_to(sigma, line.shape)[:, None]
    scale = np.linalg.norm(jacobian, axis=0)
    information = (jacobian / scale).T @ (jacobian / scale)
    if np.linalg.matrix_rank(information, hermitian=True) < len(columns):
        return math.inf
    return float(rate * math.sqrt(np.linalg.inv(information)[0, 0]) / scale[0])


def fit_srs(
    frequency: ArrayLike, current: ArrayLike, *, sigma: ArrayLike | None = None, harmonics: int = 1
) -> FitResult:
    """Fit the SRS line and say where it does not hold.

    Args:
        frequency: Hz, shape (n,), in any order.
        current: A, shape (n,).
        sigma: standard deviation of the noise of each point, A, one number or shape (n,). Without it the errors are
            scaled by the residual, as if every point had the same noise.
        harmonics: 1: eq. 1. 2: widths Gamma and Gamma / 2 together, for strong modulation.

    Returns:
        Parameters "rate" (1/s), "step" and "offset" (A; with two widths "half_width_step" too), and derived
        "frequency" (Gamma / 2 pi, Hz) and "lifetime" (1 / Gamma, s). Curves "x", "data", "fit", "residual" at the
        points, in rising frequency, and "x_smooth", "fit_smooth" for drawing.

    Raises:
        FitError: the data do not suffice for the fit, or the step is not significant: there is no rate then.
    """
    if harmonics not in STEPS:
        raise FitError(f"harmonics = {harmonics}: 1 or 2 is allowed")
    data = Spectrum.checked(frequency, current, sigma, parameters=2 + harmonics)
    solution = fit_one_width(data)
    if solution is not None and harmonics == 2:
        solution = fit_two_widths(data, solution)
    if solution is None:
        raise FitError(f"the {len(data.f)} points hold no step from which a rate could be read")
    _refuse_no_step(data, solution)
    return _result(data, solution, _warnings(data, solution))


def _result(data: Spectrum, solution: Solution, warnings: tuple[str, ...]) -> FitResult:
    rate = data.frequency_unit * math.exp(solution.values[0])
    relative = solution.log_error
    steps = STEPS[solution.harmonics]
    free = ("rate", *steps, "offset")
    scale = np.array([rate] + [data.current_unit] * (len(steps) + 1))
    covariance = solution.covariance * np.outer(scale, scale)
    values, errors = solution.values * scale, np.sqrt(np.diag(covariance))
    parameters = [FitParameter("rate", rate, relative * rate, "1/s")]
    parameters += [
        FitParameter(name, float(values[k]), float(errors[k]), "A") for k, name in enumerate(free) if name != "rate"
    ]
    parameters += [
        FitParameter("frequency", rate / (2 * np.pi), relative * rate / (2 * np.pi), "Hz"),
        FitParameter("lifetime", 1 / rate, relative / rate, "s"),
    ]
    return FitResult(
        model=_MODELS[solution.harmonics],
        parameters=tuple(parameters),
        free=free,
        covariance=covariance,
        points=len(data.f),
        residual=_rms(data, solution) * data.current_unit,
        reduced_chi_square=_reduced_chi_square(data, solution) if data.noise_known else None,
        warnings=warnings,
        curves=_curves(data, solution),
        labels={"x": "microwave frequency", "x_unit": "Hz", "x_scale": "log", "y": "SRS current", "y_unit": "A"},
    )


def _curves(data: Spectrum, solution: Solution) -> dict[str, FloatArray]:
    fit = solution.model(data.f)
    smooth = np.geomspace(data.f[0], data.f[-1], _SMOOTH)
    return {
        "x": data.frequency,
        "data": data.y * data.current_unit,
        "fit": fit * data.current_unit,
        "residual": (data.y - fit) * data.current_unit,
        "x_smooth": smooth * data.frequency_unit,
        "fit_smooth": solution.model(smooth) * data.current_unit,
    }


def _warnings(data: Spectrum, solution: Solution) -> tuple[str, ...]:
    """Where the fit should not be believed."""
    found = [_outside_band(data, solution), few_points_text(len(data.f))]
    if data.noise_known:
        found.append(scatter_warning(sum_of_squares(data, solution), len(data.f) - len(solution.values)))
    if len(data.f) > 4 and _rms(data, solution) > ROUNDING:
        found.append(_distorted(data, solution) if solution.harmonics == 1 else "")
        left = data.weight * (data.y - solution.model(data.f))
        found.append(structure_warning(left, len(solution.values), data.noise_known))
    return tuple(warning for warning in found if warning)


def _outside_band(data: Spectrum, solution: Solution) -> str:
    at = data.frequency_unit * math.exp(solution.values[0]) / (2 * np.pi)
    return outside_band_text(at, data.frequency[0], data.frequency[-1])


def outside_band_text(at: float, low: float, high: float) -> str:
    """What to say of a characteristic frequency in a band, Hz; "" where it lies well inside."""
    if math.sqrt(10) * low <= at <= high / math.sqrt(10):
        return ""
    where = "lies outside" if not low <= at <= high else "is nearer than half a decade to an end of"
    return f"the characteristic frequency {at:.3g} Hz {where} the measured band, {low:.3g} to {high:.3g} Hz"


def _refuse_no_step(data: Spectrum, solution: Solution) -> None:
    """Noise with a rate to choose, and a spectrum cut off before its line, make steps of a few standard errors."""
    heights, covariance = solution.values[1:-1], solution.covariance[1:-1, 1:-1]
    significance = abs(heights.sum()) / math.sqrt(covariance.sum())
    if not significance >= SIGNIFICANT:
        raise FitError(
            f"the {len(data.f)} points hold no step that stands out of the noise, and give no rate: it is not "
            f"significant, {significance:.1f} standard errors high ({SIGNIFICANT:g} are needed)"
        )


def few_points_text(n: int) -> str:
    """What to say of n points; "" where they are enough."""
    return "" if n >= _FEW_POINTS else f"{n} points are few: the errors are themselves uncertain"


def _distorted(data: Spectrum, solution: Solution) -> str:
    """Compare with the fit of two widths: does it describe the points better at a higher rate, or far better?

    Strong modulation lets eq. 1 read a rate that is too low, never one that is too high.
    """
    two_widths = fit_two_widths(data, solution)
    if two_widths is None:
        return ""
    difference = two_widths.values[0] - solution.values[0]
    noise = 1.0 if data.noise_known else _reduced_chi_square(data, two_widths)
    better = (sum_of_squares(data, solution) - sum_of_squares(data, two_widths)) / noise
    too_low = difference > 2 * math.hypot(two_widths.log_error, solution.log_error) and better > BETTER
    if not too_low and better <= FAR_BETTER:
        return ""
    rate = data.frequency_unit * math.exp(two_widths.values[0])
    return distorted_text(rate, two_widths.log_error, difference)


def distorted_text(rate: float, relative_error: float, difference: float) -> str:
    """What to say of a line that two widths together describe with another rate, 1/s; difference of the logarithms."""
    return (
        "the line is distorted as by strong modulation: widths Gamma and Gamma/2 together give the rate "
        f"{format_value(rate, rate * relative_error, '1/s')} ({100 * math.expm1(difference):+.1f} %): "
        f"try the model {_MODELS[2]}"
    )


def distortion(frequency: ArrayLike, current: ArrayLike, likely: float) -> str:
    """What to say of a line that a second width describes better; "" of one that it does not.

    Args:
        frequency: Hz, shape (n,).
        current: A, shape (n,); its noise is told from the residual.
        likely: drop of chi square that is enough to say so.

    Raises:
        FitError: the data do not suffice for the fit.
    """
    data = Spectrum.checked(frequency, current, None, parameters=4)
    one = fit_one_width(data)
    two = None if one is None else fit_two_widths(data, one)
    if one is None or two is None:
        return ""
    better = (sum_of_squares(data, one) - sum_of_squares(data, two)) / _reduced_chi_square(data, two)
    if better <= likely:
        return ""
    rate = data.frequency_unit * math.exp(two.values[0])
    return distorted_text(rate, two.log_error, float(two.values[0] - one.values[0]))


def _reduced_chi_square(data: Spectrum, solution: Solution) -> float:
    return sum_of_squares(data, solution) / (len(data.f) - len(solution.values))


def _rms(data: Spectrum, solution: Solution) -> float:
    """Residual in units of the span."""
    return float(np.sqrt(np.mean((data.y - solution.model(data.f)) ** 2)))
