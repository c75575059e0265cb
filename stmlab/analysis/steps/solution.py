"""Least squares of the broadened steps, and whether the data hold any."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.marquardt import TO_ROUNDING, least_squares
from stmlab.analysis.residuals import is_structured, uneven_covariance
from stmlab.analysis.steps.doubts import NOISELESS
from stmlab.analysis.steps.noise import widened
from stmlab.analysis.steps.starts import starts
from stmlab.errors import FitError
from stmlab.physics.constants import K_B_MEV_PER_K, MEV_PER_V

if TYPE_CHECKING:
    from stmlab.analysis.steps.model import ModelAt, StepModel
    from stmlab.analysis.steps.spectrum import StepSpectrum
    from stmlab.arrays import FloatArray

_CERTAIN = 60.0
"""Drop of chi square by the steps: noise alone reaches 30 where its best of a thousand placements is taken."""
_FAR_BETTER = 25.0  # drop of chi square by a second pair of steps
_BENT = 9.2
"""Drop of chi square by two plateau slopes: noise comes to it once in a hundred, and slopes that are left out for less
move the outer step by more than its error."""
_SHOWN = 25.0  # drop of chi square by plateau slopes that are told
_BY_NOISE = 2.0  # mean drop of chi square by two parameters that mean nothing
_TILTED = 9.0  # drop of chi square by a slope of the background that is told
_BEND = 0.01  # of the outer step; plateaus that bend less are flat
_BEYOND_DOUBT = 10.0  # standard errors of a height
_MOST_STEPS = 80  # evaluations; a fit that settles takes some ten
_SLOPE_STEPS = 8  # evaluations from bent plateaus to first order on; nearly all come to the minimum in three
_NEARLY = 1e-2  # promised gain over the squares a point, that is a tenth of a standard error
_ABSURD = 20.0  # heights, in spans of the data
_SHARPEST = 100.0  # the modulation in kT: a lower temperature changes nothing


@dataclass(frozen=True, eq=False)
class StepSolution:
    """A fit in the units of the spectrum.

    Attributes:
        model: with its terms.
        vector: of the model's parameters.
        covariance: of the vector; scaled by the residual where the noise is not known.
        squares: sum of squared residuals over the noise.
        bend: drop of chi square by the plateaus' slopes, inf where they were asked for.
    """

    model: StepModel
    vector: FloatArray
    covariance: FloatArray
    squares: float
    bend: float = math.inf

    @property
    def is_bent(self) -> bool:
        """Whether the plateaus are seen not to be flat, beyond what noise does once in a few hundred spectra."""
        return self.model.plateaus and self.bend > _SHOWN

    def places(self) -> tuple[tuple[float, float], ...]:
        """Centre and full width of each step, meV."""
        energies, offset = self.model.energies(self.vector), self.model.bias_offset(self.vector)
        width = self.model.shape(self.vector).width_meV
        return tuple((offset + side * float(energy), width) for energy in energies for side in (-1, 1))

    def variance(self, data: StepSpectrum) -> float:
        """Chi square of one degree of freedom: 1 where the noise is known."""
        return 1.0 if data.noise_known else self.squares / max(len(data.x) - len(self.vector), 1)


def solve_steps(data: StepSpectrum, model: StepModel, plateaus: bool | None) -> StepSolution:
    """The best fit; ``plateaus`` None adds slopes beyond the outer steps where they describe the data far better.

    Raises:
        FitError: no fit, or no better one than a straight line.
    """
    flat = None if plateaus else _solved(data, replace(model, plateaus=False))
    straight = plateaus is False or (plateaus is None and flat is not None and _bent(data, flat) is None)
    sloped = None if straight else _solved(data, replace(model, plateaus=True))
    found = flat if sloped is None or (flat is not None and not _bends(data, flat, sloped)) else sloped
    many = "step pair is" if model.pairs == 1 else "two step pairs are"
    if found is None:
        raise FitError(f"{data.points} hold no steps that could be told apart: no {many} found")
    if _without(data) - found.squares < _CERTAIN * found.variance(data):
        raise FitError(f"{data.points} hold no step that stands out of the noise, or of what else they show")
    if found is sloped and flat is not None and sloped is not None:
        found = replace(found, bend=(flat.squares - sloped.squares) / sloped.variance(data))
        sloped = found
    result = _allowing_for_structure(data, _allowing_for_uneven_noise(data, found))
    return result if found is sloped or sloped is None else _allowing_for_slopes(data, result, sloped)


def solve_near(
    data: StepSpectrum, model: StepModel, start: FloatArray, most: int, *, bending: bool = True
) -> StepSolution | None:
    """The minimum next to ``start``, as `solve_steps` would judge it; None where there is no sane one.

    Args:
        data: which need not hold steps for certain.
        model: with its terms, without plateau slopes.
        start: a vector of the model.
        most: evaluations.
        bending: whether plateau slopes are added where the data ask for them.
    """
    flat = _near(data, model, start, most)
    if flat is None:
        return None
    bent = _bent(data, flat) if bending else None
    sloped = None if bent is None else _near(data, replace(model, plateaus=True), bent, _SLOPE_STEPS)
    if sloped is not None and _bends(data, flat, sloped):
        return _allowing_for_uneven_noise(data, sloped)
    result = _allowing_for_uneven_noise(data, flat)
    return result if sloped is None else _allowing_for_slopes(data, result, sloped)


def _near(data: StepSpectrum, model: StepModel, start: FloatArray, most: int) -> StepSolution | None:
    """To a small part of a standard error."""
    found = _least_squares(data, model, start.copy(), most, _NEARLY / len(data.x))
    return found if found is not None and _is_sane(data, found) else None


def _allowing_for_uneven_noise(data: StepSpectrum, found: StepSolution) -> StepSolution:
    """With the covariance of what is left, where the noise is not known."""
    left = (data.y - found.model.value(found.vector, data.x)) / data.noise
    if data.noise_known:
        return found
    slopes = found.model.jacobian(found.vector, data.x) / data.noise[:, None]
    return replace(found, covariance=uneven_covariance(slopes, left))


def _allowing_for_structure(data: StepSpectrum, found: StepSolution) -> StepSolution:
    """With wider errors, where the noise is not known and what is left is not white."""
    left = (data.y - found.model.value(found.vector, data.x)) / data.noise
    if data.noise_known or not is_structured(left, len(found.vector)):
        return found
    width = found.model.shape(found.vector).width_meV / data.spacing
    response = np.asarray(np.linalg.pinv(found.model.jacobian(found.vector, data.x) / data.noise[:, None]), dtype=float)
    return replace(found, covariance=widened(found.covariance, response, left, width))


def _allowing_for_slopes(data: StepSpectrum, flat: StepSolution, sloped: StepSolution) -> StepSolution:
    """With what plateau slopes would change in the errors, so far as noise alone does not ask for them.

    They describe the data not so much better that they are fitted, but they cannot be ruled out: two parameters of
    noise lower chi square by two.
    """
    drop = (flat.squares - sloped.squares) / max(sloped.variance(data), 1e-300)
    if drop <= _BY_NOISE:
        return flat
    same = [sloped.model.names.index(name) for name in flat.model.names]
    shift = math.sqrt(1 - _BY_NOISE / drop) * (sloped.vector[same] - flat.vector)
    return replace(flat, covariance=flat.covariance + np.outer(shift, shift))


def one_pair_suffices(data: StepSpectrum, found: StepSolution) -> bool:
    """Whether one pair with the same terms describes the data about as well as two."""
    heights, errors = (
        values[len(found.model.shaping) :][:4] for values in (found.vector, np.sqrt(np.diag(found.covariance)))
    )
    apart = found.vector[1] > found.model.shape(found.vector).width_meV
    if apart and np.all(np.abs(heights) > _BEYOND_DOUBT * errors):
        return False
    single = _solved(data, replace(found.model, pairs=1))
    return single is not None and single.squares - found.squares < _FAR_BETTER * found.variance(data)


def tilts(data: StepSpectrum, found: StepSolution) -> bool:
    """Whether a slope of the background would describe the data far better, to first order."""
    if found.model.slope:
        return False
    slopes = found.model.jacobian(found.vector, data.x) / data.noise[:, None]
    left = (data.y - found.model.value(found.vector, data.x)) / data.noise
    rounding = float(np.abs(left).max()) < NOISELESS and not data.noise_known
    if rounding or is_structured(left, len(found.vector)):  # then anything would
        return False
    more = np.column_stack([slopes, data.x / data.noise])
    better = left - more @ np.linalg.lstsq(more, left, rcond=1e-10)[0]
    variance = 1.0 if data.noise_known else float(better @ better) / max(len(left) - more.shape[1], 1)
    return bool(float(left @ left) - float(better @ better) > _TILTED * variance)


def temperature_limits(data: StepSpectrum, modulation_V: float) -> tuple[float, float]:
    """Of a fitted temperature, K: from steps far narrower than points are apart to steps as wide as the spectrum."""
    low = max(0.05 * data.spacing, MEV_PER_V * modulation_V / _SHARPEST) / K_B_MEV_PER_K
    return low, max(2 * low, data.reach / 4 / K_B_MEV_PER_K)


def _bent(data: StepSpectrum, flat: StepSolution) -> FloatArray | None:
    """Parameters with plateau slopes, to first order, where chi square falls far enough; cheaper than to fit them."""
    model = replace(flat.model, plateaus=True)
    start = np.zeros(len(model.names))
    start[[model.names.index(name) for name in flat.model.names]] = flat.vector
    slopes = model.jacobian(start, data.x) / data.noise[:, None]
    left = (data.y - flat.model.value(flat.vector, data.x)) / data.noise
    change = np.linalg.lstsq(slopes, left, rcond=1e-10)[0]
    better = left - slopes @ change
    variance = 1.0 if data.noise_known else float(better @ better) / max(len(left) - slopes.shape[1], 1)
    return start + change if flat.squares - float(better @ better) > _BENT / 2 * variance else None


def _bends(data: StepSpectrum, flat: StepSolution, sloped: StepSolution) -> bool:
    if flat.squares - sloped.squares < _BENT * sloped.variance(data):
        return False
    values = dict(zip(sloped.model.names, sloped.vector, strict=True))
    outer = "outer" if sloped.model.pairs == 2 else "inner"
    slopes = max(abs(values["plateau_negative"]), abs(values["plateau_positive"]))
    heights = max(abs(values[f"{outer}_negative"]), abs(values[f"{outer}_positive"]))
    return bool(slopes * (data.reach - sloped.model.energies(sloped.vector)[-1]) > _BEND * heights)


def _without(data: StepSpectrum) -> float:
    """Sum of squares about the best straight line."""
    design = np.column_stack([np.ones_like(data.x), data.x]) / data.noise[:, None]
    left = data.y / data.noise - design @ np.linalg.lstsq(design, data.y / data.noise, rcond=None)[0]
    return float(left @ left)


def _solved(data: StepSpectrum, model: StepModel) -> StepSolution | None:
    """From the best start that leads to a sane fit; None if there is none."""
    if len(data.x) <= len(model.names):
        return None
    placed = starts(data, model)
    if not _promising(data, min(start.squares for start in placed), len(model.names)):
        return None
    for start in placed:
        vector = start.vector(data, model)
        if model.temperature_K is not None and start.shape.temperature_K > 1.5 * model.temperature_K:
            wide = replace(model, temperature_K=start.shape.temperature_K)
            if (first := _least_squares(data, wide, vector)) is not None:
                vector = first.vector
        found = _least_squares(data, model, vector)
        if found is not None and _is_sane(data, found):
            return found
    return None


def _promising(data: StepSpectrum, squares: float, parameters: int) -> bool:
    """Whether steps on the coarse grid alone describe the data better than a straight line: saves a hopeless fit."""
    variance = 1.0 if data.noise_known else squares / (len(data.x) - parameters)
    return _without(data) - squares > _CERTAIN / 2 * variance


def _is_sane(data: StepSpectrum, found: StepSolution) -> bool:
    """Steps within the spectrum, at either side of zero bias, and of heights that the data have."""
    energies = found.model.energies(found.vector)
    heights = found.vector[len(found.model.shaping) :][: 2 * found.model.pairs]
    offset = abs(found.model.bias_offset(found.vector))
    return bool(energies[-1] < data.reach and offset < energies[0] and np.abs(heights).max() < _ABSURD)


def _least_squares(
    data: StepSpectrum,
    model: StepModel,
    start: FloatArray,
    most: int = _MOST_STEPS,
    tolerance: float = TO_ROUNDING,
) -> StepSolution | None:
    """None where it does not converge or a parameter is not determined."""
    names = model.names
    limits = {names.index(name): (0.0, math.inf) for name in ("energy", "gap") if name in names}
    if model.temperature_K is None:
        low, high = (math.log(limit) for limit in temperature_limits(data, model.modulation_V))
        at = names.index("log_temperature")
        limits[at] = low, high
        start[at] = np.clip(start[at], low + 0.01, high - 0.01)

    seen = model.at(start, data.x)

    def model_at(v: FloatArray) -> ModelAt:
        """Slopes are asked for where the residual was just seen."""
        nonlocal seen
        seen = seen if seen.vector is v else model.at(v, data.x)
        return seen

    def residual(v: FloatArray) -> FloatArray:
        return (model_at(v).value - data.y) / data.noise

    def jacobian(v: FloatArray) -> FloatArray:
        return model_at(v).jacobian / data.noise[:, None]

    found = least_squares(
        residual,
        jacobian,
        start,
        limits=limits,
        noise_known=data.noise_known,
        most=most,
        tolerance=tolerance,
    )
    if not found.determined or found.covariance is None:
        return None
    return StepSolution(model, found.values, found.covariance, found.chi_square)
