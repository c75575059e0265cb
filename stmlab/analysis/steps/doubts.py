"""Where a fit of steps does not hold, or the data are thin: one sentence each."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.residuals import is_structured, white_variance
from stmlab.errors import FitError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stmlab.analysis.steps.spectrum import StepSpectrum
    from stmlab.arrays import FloatArray
    from stmlab.results import FitParameter

NOISELESS = 1e-6
"""Of the span: a residual below it is rounding, and what structure it has says nothing."""
_SIGNIFICANT = 3.0  # standard errors of a height
_ABSURD = 10.0  # error of a height, in spans of the data, that determines nothing
_PEAKED = 0.5  # of the largest step's height, that a plateau may differ from the data over a step's width
_REGAINED = 0.5  # of the conductance that is missing around zero bias
_LOW, _REGAINED_LOW = 0.3, 0.3  # of dI/dV outside the steps: so little at zero bias, and peaks need hold less
_PARTS = 80  # of a spectrum, whose means tell where it is filled up
_CERTAIN = 6.0  # standard deviations of the noise
_ROBUST = 1.4826  # standard deviation over median absolute deviation of normal noise
_GAP = 0.1  # of dI/dV outside the steps: elastic tunnelling, on which inelastic steps stand, leaves more at zero bias
_GAP_WITH_PEAKS = (
    "a gap, as of a superconductor, rather than inelastic steps, which stand on elastic tunnelling (or the lock-in has "
    "an offset)"
)
_NOTHING_ELASTIC = (
    "nothing tunnels elastically, as without potential scattering (U = 0) where the ground state has no moment; "
    "otherwise it is a gap, as of a superconductor, or the lock-in has an offset"
)
_FEW = 3  # points over the width of a step
_CHI_SQUARE = 5.0  # standard deviations
_UNEVEN = 2.5  # standard deviation of the noise far from zero bias against that near it, or the reverse
_MANY = 60  # points, from which the noise can be judged apart near zero bias and far from it


@dataclass(frozen=True, eq=False)
class FittedSteps:
    """What the warnings are about.

    Attributes:
        data: the spectrum that was fitted.
        parameters: fitted and derived, by name.
        pairs: names of the pairs, "inner" first.
        fitted: how many parameters are free.
        width_meV: full width of the steps at half their slope's height, of the widest.
        steps: centre and full width of each, meV, at both polarities.
        left: data less fit, in units of the noise.
        reduced_chi_square: where the noise is known.
    """

    data: StepSpectrum
    parameters: dict[str, FitParameter]
    pairs: tuple[str, ...]
    fitted: int
    width_meV: float
    steps: tuple[tuple[float, float], ...]
    left: FloatArray
    reduced_chi_square: float | None

    def energy(self, pair: str) -> float:
        """Of a pair, meV."""
        return self.parameters[f"{pair}_energy"].value


def step_warnings(fit: FittedSteps) -> tuple[str, ...]:
    """All that apply.

    Raises:
        FitError: neither a height nor an energy is determined, or peaks stand where steps should: the spectrum bends,
            but not in steps.
    """
    _refuse_bends(fit)
    _refuse_peaks(fit)
    _refuse_more_than_missing(fit)
    found = [*_open(fit), *_heights(fit), *_gap(fit), *_places(fit), *_temperature(fit), *_residual(fit)]
    fewest, centre = min((np.count_nonzero(np.abs(fit.data.x - c) < w / 2), c) for c, w in fit.steps)
    if fewest < _FEW:
        found.append(
            f"only {fewest} points over the width of the step at {centre:.3g} mV: the bias is too coarse there"
        )
    return tuple(found)


def _open(fit: FittedSteps) -> list[str]:
    names = [name for name, parameter in fit.parameters.items() if math.isinf(parameter.error)]
    return [f"{', '.join(names)}: not determined by these points"] if names else []


def _refuse_bends(fit: FittedSteps) -> None:
    if all(_is_unresolved(fit, pair) for pair in fit.pairs):
        raise FitError(
            f"{fit.data.points} do not look like steps: they would be {fit.width_meV:.3g} meV wide, wider than they "
            "are from zero bias or from the end of the spectrum"
        )
    heights = [fit.parameters[f"{pair}_height_{side}"] for pair in fit.pairs for side in ("negative", "positive")]
    if any(not height.error < _ABSURD * fit.data.unit for height in heights):
        raise FitError(f"{fit.data.points} do not look like steps: heights cancel each other, and none is determined")
    if any(abs(height.value) >= _SIGNIFICANT * height.error for height in heights):
        return
    if all(_is_vague(fit, pair) for pair in fit.pairs):
        raise FitError(
            f"{fit.data.points} do not look like steps: no height is three standard errors, and no energy "
            "is known to a third of a step's width"
        )


def _refuse_peaks(fit: FittedSteps) -> None:
    """Peaks that rise above what steps leave of them by as much as half a step, and out of the noise."""
    heights = [fit.parameters[f"{pair}_height_{side}"].value for pair in fit.pairs for side in ("negative", "positive")]
    highest = max(abs(height) for height in heights) / fit.data.unit
    points = max(1, round(fit.width_meV / fit.data.spacing))
    left = fit.left * fit.data.noise
    if left.size < 2 * points:
        return
    smooth = np.convolve(left, np.ones(points) / points, "valid")
    at = int(np.abs(smooth).argmax())
    noise = _ROBUST * float(np.median(np.abs(np.diff(left)))) / math.sqrt(2 * points)
    if abs(smooth[at]) < max(_PEAKED * highest, _CERTAIN * noise):
        return
    place = float(fit.data.x[at : at + points].mean())
    raise FitError(
        f"{fit.data.points} do not look like steps: at {place:.3g} mV dI/dV differs from them by "
        f"{abs(smooth[at]) / highest:.2g} of the highest step over a step's width, as peaks do (a superconducting gap, "
        "bound states, resonances)"
    )


def _refuse_more_than_missing(fit: FittedSteps) -> None:
    if (regained := _regained(fit.data)) > 1:
        raise FitError(
            f"{fit.data.points} do not look like steps: peaks hold {regained:.0%} of the conductance that is missing "
            "around zero bias, as peaks do (a superconducting gap, bound states, resonances)"
        )


def _gap(fit: FittedSteps) -> list[str]:
    """Whether dI/dV vanishes at zero bias, or peaks beyond hold what is missing there.

    Inelastic excitations leave it missing, and do the first only without elastic tunnelling.
    """
    at_zero = fit.parameters["background"].value
    outside = min(
        abs(at_zero + sum(fit.parameters[f"{pair}_height_{side}"].value for pair in fit.pairs))
        for side in ("negative", "positive")
    )
    left, regained = abs(at_zero) / max(outside, 1e-300), _regained(fit.data)
    found = []
    if left < _GAP:
        why = _GAP_WITH_PEAKS if regained > _REGAINED_LOW else _NOTHING_ELASTIC
        found.append(f"dI/dV at zero bias is {left:.0%} of that outside the steps: {why}")
    if regained > (_REGAINED if left > _LOW else _REGAINED_LOW):
        found.append(
            f"peaks hold {regained:.0%} of the conductance that is missing around zero bias, as at a superconducting "
            "gap and bound states in it; inelastic steps leave it missing"
        )
    return found


def _regained(data: StepSpectrum) -> float:
    """How much of what dI/dV lacks around zero bias, against its outermost tenth, it has too much of farther out."""
    x, negative = data.x, data.x < 0
    lacking = np.where(negative, _outermost(data, negative), _outermost(data, ~negative)) - data.y
    width = max(1, x.size // _PARTS)
    starts = np.arange(0, x.size, width)
    counts = np.diff(starts, append=x.size)
    places, means = (np.add.reduceat(values, starts) / counts for values in (x, lacking))
    sign = np.sign(means[np.abs(places).argmin()])
    filled = np.flatnonzero(sign * means <= 0)
    below, above = filled[places[filled] < 0], filled[places[filled] > 0]
    low = places[below[-1]] if below.size else -math.inf
    high = places[above[0]] if above.size else math.inf
    area = sign * lacking * np.gradient(x)
    inner = (x > low) & (x < high)
    missing = float(area[inner].sum())
    noise = math.sqrt(white_variance(data.y)) * data.spacing * math.sqrt(np.count_nonzero(inner))
    return float(-area[~inner].sum()) / missing if missing > _CERTAIN * noise else 0.0


def _outermost(data: StepSpectrum, side: NDArray[np.bool_]) -> float:
    """Mean dI/dV over the last tenth of one polarity."""
    distance = np.abs(data.x)
    return float(data.y[side & (distance > 0.9 * distance[side].max())].mean())


def _is_unresolved(fit: FittedSteps, pair: str) -> bool:
    """Whether its steps at both polarities run into each other, or out of the spectrum."""
    return not fit.width_meV / 2 <= fit.energy(pair) <= fit.data.reach - fit.width_meV / 2


def _is_vague(fit: FittedSteps, pair: str) -> bool:
    return fit.parameters[f"{pair}_energy"].error > fit.width_meV / 3


def _heights(fit: FittedSteps) -> list[str]:
    found = []
    for pair in fit.pairs:
        heights = [fit.parameters[f"{pair}_height_{side}"] for side in ("negative", "positive")]
        weak = [abs(height.value) < _SIGNIFICANT * height.error for height in heights]
        if any(weak):
            which = "neither" if all(weak) else "not each"
            found.append(f"{which} of the {pair} steps is three standard errors high: eta_{pair} is not determined")
        elif heights[0].value * heights[1].value < 0:
            found.append(f"the {pair} steps go up at one polarity and down at the other: eta_{pair} is no asymmetry")
    if not found and len({math.copysign(1.0, fit.parameters[f"{p}_height_negative"].value) for p in fit.pairs}) > 1:
        found.append(
            "inner and outer steps have opposite signs: not two inelastic excitations, but peaks, as at the edges of a "
            "superconducting gap or of bound states in it"
        )
    return found


def _places(fit: FittedSteps) -> list[str]:
    found = [
        f"the {pair} energy is not determined: its error is more than a third of a step's width"
        for pair in fit.pairs
        if _is_vague(fit, pair)
    ]
    last = fit.energy(fit.pairs[-1])
    if last > fit.data.reach - fit.width_meV:
        found.append(
            f"the {fit.pairs[-1]} step at {last:.3g} meV is nearer than its width to the end of the fitted window, "
            f"{fit.data.reach:.3g} meV: its height is hardly determined"
        )
    if len(fit.pairs) == 2 and (apart := last - fit.energy("inner")) < fit.width_meV:
        found.append(
            f"the two pairs overlap: {apart:.3g} meV apart, steps {fit.width_meV:.3g} meV wide; their heights are mixed"
        )
    if fit.energy("inner") < fit.width_meV / 2:
        found.append(
            f"the inner steps at {fit.energy('inner'):.3g} meV overlap at zero bias, {fit.width_meV:.3g} meV wide: "
            "their heights are mixed"
        )
    return found


def _temperature(fit: FittedSteps) -> list[str]:
    if "temperature" not in fit.parameters:
        return []
    warm = fit.parameters["temperature"]
    if warm.error < 0.5 * warm.value:
        return []
    return [f"the effective temperature of {warm.value:.3g} K is not determined: the steps are as sharp as the points"]


def _residual(fit: FittedSteps) -> list[str]:
    found = []
    rounding = not fit.data.noise_known and float(np.abs(fit.left).max()) < NOISELESS
    structured = not rounding and is_structured(fit.left, fit.fitted)
    dof = len(fit.left) - fit.fitted
    if fit.reduced_chi_square is not None:
        structured |= fit.reduced_chi_square > 1 + _CHI_SQUARE * math.sqrt(2 / max(dof, 1))
    if structured:
        found.append(
            "the residual is not white noise: the spectrum has more than these steps (third-order peaks, pumping, bent "
            "plateaus) or drifts, which may shift energies and heights by more than their errors "
            f"{'(these leave it out)' if fit.data.noise_known else '(widened for it)'}; the model transport has it all"
        )
    near = np.abs(fit.data.x) < np.median(np.abs(fit.data.x))
    quiet, loud = sorted(white_variance(part) for part in (fit.left[near], fit.left[~near]))
    if not structured and len(fit.left) >= _MANY and loud > _UNEVEN**2 * quiet:
        found.append("the noise is uneven over the bias, which the errors allow for: with sigma they would be smaller")
    return found
