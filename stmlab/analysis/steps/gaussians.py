"""Gaussians fitted to d2I/dV2: one for each step at each polarity, and a constant (Muenks et al.).

The derivative is taken as differences over 1.5 standard deviations of the Gaussians, and the model as those of their
integrals, so that nothing is lost by coarse or smoothed differences; closer ones would only hold more noise.
Differences share points: their noise is correlated, and errors that took it for white would be several times wrong.
Here every estimate is followed back to the points themselves, whose noise is white, if uneven: d(estimate) = response
@ d(conductance).

Least squares of the differences is not the most precise estimate (that would be the Gaussians' integrals fitted to
dI/dV), but it looks only near the steps: bent plateaus, which third-order scattering and pumping leave, hardly move it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.marquardt import least_squares
from stmlab.analysis.residuals import is_structured
from stmlab.analysis.steps.curves import step_curves
from stmlab.analysis.steps.doubts import FittedSteps, step_warnings
from stmlab.analysis.steps.noise import local, of_uneven_noise, widened
from stmlab.analysis.steps.parameters import Estimates
from stmlab.errors import FitError
from stmlab.physics.constants import MEV_PER_V
from stmlab.results import FitParameter, FitResult

if TYPE_CHECKING:
    from stmlab.analysis.steps.solution import StepSolution
    from stmlab.analysis.steps.spectrum import StepSpectrum
    from stmlab.arrays import FloatArray

_FULL_WIDTH = 2 * math.sqrt(2 * math.log(2))
"""Full width of a Gaussian at half its height, in standard deviations."""
_UNDETERMINED = 1e8  # condition of the slopes
_SMOOTH = 600
_LAG = 1.5  # standard deviations of a step over which differences are taken
_MOST_STEPS = 400
_NARROWEST = 0.2  # standard deviation, in distances between points


@dataclass(frozen=True)
class _Gaussians:
    """The integral of the Gaussians. Its vector: centres (meV), logarithms of widths, heights, and the constant.

    Attributes:
        sides: "inner_negative", "inner_positive" and so on, in the order of the vector.
        lag: points over which differences are taken.
    """

    sides: tuple[str, ...]
    lag: int

    @property
    def signs(self) -> FloatArray:
        """Down with rising bias at negative, up at positive bias."""
        return np.array([-1.0 if side.endswith("negative") else 1.0 for side in self.sides])

    @property
    def names(self) -> tuple[str, ...]:
        """Of the vector, as a solver wants them."""
        kinds = ("position", "log_width", "height")
        return (*(f"{side}_{kind}" for kind in kinds for side in self.sides), "constant")

    def parts(self, vector: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Centres (meV), widths (meV) and heights."""
        centres, log_widths, heights = vector[:-1].reshape(3, -1)
        return centres, np.exp(log_widths), heights

    def value(self, vector: FloatArray, x: FloatArray) -> FloatArray:
        """Integral of Gaussians and constant from between the steps to x, meV."""
        from scipy.special import ndtr

        centres, widths, heights = self.parts(vector)
        total = ndtr(self.signs * (x[:, None] - centres) / widths) @ heights + vector[-1] * x
        return np.asarray(total)

    def jacobian(self, vector: FloatArray, x: FloatArray) -> FloatArray:
        """Derivative by each element of the vector; shape (n, k)."""
        from scipy.special import ndtr

        centres, widths, heights = self.parts(vector)
        place = (x[:, None] - centres) / widths
        rising = self.signs * heights * np.exp(-(place**2) / 2) / math.sqrt(2 * math.pi)
        return np.column_stack([-rising / widths, -rising * place, ndtr(self.signs * place), x])


@dataclass(frozen=True, eq=False)
class _Fit:
    """Vector with the level of dI/dV as its last element, its covariance, and the variance over the noise's."""

    model: _Gaussians
    vector: FloatArray
    covariance: FloatArray
    variance: float

    @property
    def width_meV(self) -> float:
        """Full width at half height of the widest Gaussian."""
        return _FULL_WIDTH * float(self.model.parts(self.vector[:-1])[1].max())

    def places(self) -> tuple[tuple[float, float], ...]:
        """Centre and full width of each Gaussian, meV."""
        centres, widths, _ = self.model.parts(self.vector[:-1])
        return tuple(zip(centres.tolist(), (_FULL_WIDTH * widths).tolist(), strict=True))

    def left(self, data: StepSpectrum) -> FloatArray:
        """What the fit leaves near the steps, over the noise."""
        return local((data.y - self.value(data.x)) / data.noise, self.width_meV / data.spacing)

    def value(self, x: FloatArray) -> FloatArray:
        """dI/dV in units of the spectrum."""
        return np.asarray(self.model.value(self.vector[:-1], x) + self.vector[-1])


def fit_gaussians(data: StepSpectrum, start: StepSolution) -> FitResult:
    """Fit the Gaussians, from the ``start`` that the broadened steps give.

    Raises:
        FitError: the fit does not converge, or a Gaussian runs away.
    """
    data = data.averaged()
    sides = tuple(
        f"{pair}_{side}" for pair in ("inner", "outer")[: start.model.pairs] for side in ("negative", "positive")
    )
    deviation = start.model.shape(start.vector).width_meV / _FULL_WIDTH
    lag = min(max(1, round(_LAG * deviation / data.spacing)), len(data.x) // 8)
    fit = _errors(data, *_solved(data, _Gaussians(sides, lag), start))
    estimates = _estimates(data, fit)
    left = data.y - fit.value(data.x)
    parameters = [*estimates.settled(data.reach, data.unit), *_derived(estimates, start.model.pairs)]
    pairs = ("inner", "outer")[: start.model.pairs]
    named = {parameter.name: parameter for parameter in parameters}
    chi_square = fit.variance if data.noise_known else None
    steps = FittedSteps(data, named, pairs, len(fit.vector), fit.width_meV, fit.places(), fit.left(data), chi_square)
    smooth = np.linspace(data.x[0], data.x[-1], _SMOOTH)
    return FitResult(
        model="steps",
        parameters=tuple(parameters),
        free=estimates.names,
        covariance=estimates.covariance,
        points=len(data.x),
        residual=float(np.sqrt(left @ left / len(left))) * data.unit,
        reduced_chi_square=chi_square,
        warnings=step_warnings(steps),
        curves=step_curves(data, fit.value(data.x), smooth, fit.value(smooth)),
        labels={"x": "bias", "x_unit": "V", "y": "dI/dV"},
    )


def _solved(data: StepSpectrum, model: _Gaussians, start: StepSolution) -> tuple[_Gaussians, FloatArray, FloatArray]:
    """Least squares of the differences; also their Jacobian there."""
    narrowest = math.log(_NARROWEST * data.spacing)
    widest = math.log(data.reach)
    limits = {k: (narrowest, widest) for k, name in enumerate(model.names) if "log_width" in name}
    lag = model.lag
    weight = 1 / np.hypot(data.noise[lag:], data.noise[:-lag])

    def residual(v: FloatArray) -> FloatArray:
        left = model.value(v, data.x) - data.y
        return weight * (left[lag:] - left[:-lag])

    def jacobian(v: FloatArray) -> FloatArray:
        slopes = model.jacobian(v, data.x)
        return weight[:, None] * (slopes[lag:] - slopes[:-lag])

    begun = np.array(_start(model, start, narrowest))
    found = least_squares(residual, jacobian, begun, limits=limits, most=_MOST_STEPS)
    centres, widths, heights = model.parts(found.values)
    inside = np.all((centres > data.x[0]) & (centres < data.x[-1])) and np.all(centres * model.signs > 0)
    swapped = np.any(np.diff(np.abs(centres).reshape(-1, 2), axis=0) < 0)  # rows: inner, outer
    if not found.converged or not inside or swapped or np.any(widths > data.reach / 2) or np.abs(heights).max() > 20:
        raise FitError(f"the Gaussians do not settle on the {len(model.sides)} steps: steps too weak, or fewer of them")
    return model, found.values, jacobian(found.values)


def _start(model: _Gaussians, start: StepSolution, narrowest: float) -> list[float]:
    energies, offset = start.model.energies(start.vector), start.model.bias_offset(start.vector)
    heights = start.vector[len(start.model.shaping) :][: len(model.sides)]
    log_width = max(math.log(start.model.shape(start.vector).width_meV / _FULL_WIDTH), narrowest + 0.1)
    centres = offset + model.signs * np.repeat(energies, 2)
    return [*centres.tolist(), *([log_width] * len(model.sides)), *heights.tolist(), 0.0]


def _errors(data: StepSpectrum, model: _Gaussians, vector: FloatArray, slopes: FloatArray) -> _Fit:
    """Covariance from the noise of the points, white before it was differentiated; and the level of dI/dV."""
    lag = model.lag
    weight = 1 / np.hypot(data.noise[lag:], data.noise[:-lag])

    def of_points(rows: FloatArray) -> FloatArray:
        """What acts on the weighted differences, as it acts on the points."""
        both = np.zeros((len(rows), len(data.x)))
        both[:, lag:] += rows * weight
        both[:, :-lag] -= rows * weight
        return both

    if np.linalg.cond(slopes / np.maximum(np.linalg.norm(slopes, axis=0), 1e-300)) > _UNDETERMINED:
        raise FitError(
            f"{data.points} do not determine the Gaussians: one has shrunk between two of them, or two are one"
        )
    inverse = np.linalg.pinv(slopes)
    response = of_points(np.asarray(inverse, dtype=float))  # d vector = response @ d y
    left = data.y - model.value(vector, data.x)
    rest = weight * (left[lag:] - left[:-lag])
    share = _between_steps(data, model, vector) * data.noise**-2
    share = share / share.sum()
    level = share @ left
    level_response = share - share @ model.jacobian(vector, data.x) @ response
    response = np.vstack([response, level_response])
    # The expected sum of squares of what the fit leaves: of each difference its weight makes 1, less the fitted part.
    fitted = float(np.sum((of_points(slopes.T) * data.noise) * (response[: len(vector)] * data.noise)))
    expected = len(rest) - fitted
    variance = float(rest @ rest) / expected
    known = response * data.noise
    fit = _Fit(model, np.append(vector, level), known @ known.T, variance)
    return fit if data.noise_known else _of_what_is_left(data, fit, response)


def _of_what_is_left(data: StepSpectrum, fit: _Fit, response: FloatArray) -> _Fit:
    """With the covariance of what the fit leaves near the steps; wider where that is not white."""
    near, width = fit.left(data), fit.width_meV / data.spacing
    slopes = np.column_stack([fit.model.jacobian(fit.vector[:-1], data.x), np.ones_like(data.x)])
    covariance = of_uneven_noise(response, slopes, data.y - fit.value(data.x), width)
    if is_structured(near, len(fit.vector)):
        covariance = widened(covariance, response, near, width)
    return replace(fit, covariance=covariance)


def _between_steps(data: StepSpectrum, model: _Gaussians, vector: FloatArray) -> FloatArray:
    """1 for the points whose mean sets the level of dI/dV, 0 for those on the outer plateaus, which may bend."""
    centres = model.parts(vector)[0]
    inside = (data.x >= centres.min()) & (data.x <= centres.max())
    return np.asarray(inside if inside.any() else np.ones_like(inside), dtype=float)


def _estimates(data: StepSpectrum, fit: _Fit) -> Estimates:
    """In the names and units of the user."""
    sides, count = fit.model.sides, len(fit.model.sides)
    centres, widths, heights = fit.model.parts(fit.vector[:-1])
    names = [side.replace("_", f"_{kind}_") for kind in ("height", "position", "width") for side in sides]
    values = np.concatenate([heights * data.unit, centres / MEV_PER_V, widths / MEV_PER_V])
    scale = np.concatenate([np.full(count, data.unit), np.full(count, 1 / MEV_PER_V), widths / MEV_PER_V])
    order = np.concatenate([np.arange(2 * count, 3 * count), np.arange(2 * count)])
    slope = data.unit * MEV_PER_V
    values = np.append(values, [fit.vector[-1] * data.unit, fit.vector[-2] * slope])
    scale = np.append(scale, [data.unit, slope])
    order = np.append(order, [3 * count + 1, 3 * count])
    covariance = fit.covariance[np.ix_(order, order)] * np.outer(scale, scale)
    units = ("",) * count + ("V",) * (2 * count) + ("", "1/V")
    return Estimates((*names, "background", "background_slope"), values, covariance, units)


def _derived(estimates: Estimates, pairs: int) -> list[FitParameter]:
    """Energies as means of both polarities, asymmetries, and the common zero of the bias."""
    found = []
    zero: dict[str, float] = {}
    for pair in ("inner", "outer")[:pairs]:
        names = [f"{pair}_position_{side}" for side in ("negative", "positive")]
        half = {names[0]: -MEV_PER_V / 2, names[1]: MEV_PER_V / 2}
        energy = sum(estimates.value(name) * slope for name, slope in half.items())
        found += [estimates.derived(f"{pair}_energy", energy, half, "meV"), estimates.asymmetry(pair)]
        zero |= dict.fromkeys(names, 1 / (2 * pairs))
    offset = sum(estimates.value(name) * slope for name, slope in zero.items())
    return [*found, estimates.derived("bias_offset", offset, zero, "V")]
