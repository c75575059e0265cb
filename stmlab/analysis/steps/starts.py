"""Where a fit of steps starts: the best of all placements on a coarse grid of energies, offsets and widths.

A step down is a constant less a step up, so that every placement is linear in one family of steps at the grid's
energies. Their scalar products are computed once, and each placement is a small linear system.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.steps.normal_equations import eliminated, pairs_of
from stmlab.analysis.steps.shapes import StepShape

if TYPE_CHECKING:
    from stmlab.analysis.steps.model import StepModel
    from stmlab.analysis.steps.spectrum import StepSpectrum
    from stmlab.arrays import BoolArray, FloatArray, IntArray

ENERGIES = 24
"""Of the grid, up to the end of the spectrum."""
_SHIFTS = 4  # of the steps' common zero, in units of the grid, either way
_END = ENERGIES + _SHIFTS
_WIDTHS = 3  # trials of the width where the temperature is fitted
_RIDGE = 1e-10
_PLAINLY = 4.0  # times fewer squares, by which steps of opposite signs beat those that all point the same way


@dataclass(frozen=True, eq=False)
class Start:
    """A placement on the grid.

    Attributes:
        energies: meV, rising.
        offset: e V0, meV.
        shape: of the trial step.
        squares: sum of squared residuals, in units of the noise.
    """

    energies: FloatArray
    offset: float
    shape: StepShape
    squares: float

    def vector(self, data: StepSpectrum, model: StepModel) -> FloatArray:
        """Starting values of the model: the linear ones by linear least squares."""
        shaping = list(np.diff(self.energies, prepend=0.0))
        shaping += [self.offset] if model.offset else []
        shaping += [np.log(self.shape.temperature_K)] if model.temperature_K is None else []
        vector = np.array([*shaping, *np.zeros(len(model.linear))])
        design = model.at(vector, data.x).design / data.noise[:, None]
        vector[len(shaping) :] = np.linalg.lstsq(design, data.y / data.noise, rcond=1e-9)[0]
        return vector


def starts(data: StepSpectrum, model: StepModel) -> list[Start]:
    """The best placement for each trial width, best first; those whose steps all point the same way before others."""
    grid = data.reach / (ENERGIES + 1)
    shapes = trial_shapes(model, max(grid, 2 * data.spacing), data.reach)
    found = [_best(data, model, grid, shape) for shape in shapes]
    return [start for _, start in sorted(found, key=lambda one: (not one[0], one[1].squares))]


def trial_shapes(model: StepModel, least: float, reach: float) -> list[StepShape]:
    """The steps of all placements, none narrower than ``least`` (meV); ``reach`` of the spectrum, meV."""
    if model.temperature_K is None:
        widths = np.geomspace(least, reach / 2.5, _WIDTHS).tolist()
    else:
        widths = [max(least, StepShape(model.temperature_K, model.modulation_V).width_meV)]
    return [StepShape.of_width(width, model.modulation_V) for width in widths]


def _best(data: StepSpectrum, model: StepModel, grid: float, shape: StepShape) -> tuple[bool, Start]:
    """The best placement of steps of one shape, and whether all its steps point the same way."""
    family, read = step_family(data.x, model, grid, shape) / data.noise, data.y / data.noise
    energies, offsets, members, signs = placements(model)
    systems, right = (family @ family.T).take(_pairs(model)), (family @ read).take(members.T)
    terms = np.arange(len(right))
    systems[terms, terms] *= 1 + _RIDGE
    weights, _ = eliminated(systems, right)
    squares = np.sum(read**2) - np.sum(weights * right, axis=0)
    heights = (weights * signs[:, None])[: 2 * model.pairs]
    alike: BoolArray = np.all(heights > 0, axis=0) | np.all(heights < 0, axis=0)
    best, best_alike = int(np.argmin(squares)), int(np.argmin(np.where(alike, squares, np.inf)))
    if alike[best_alike] and squares[best_alike] < _PLAINLY * squares[best]:
        best = best_alike
    return bool(alike[best]), Start(grid * energies[best], grid * offsets[best], shape, float(max(squares[best], 0.0)))


def step_family(x: FloatArray, model: StepModel, grid: float, shape: StepShape) -> FloatArray:
    """What every placement is linear in, at x (meV): steps up (and ramps) at the grid's energies, a constant, x.

    Returns:
        Shape (members, n), in the order that `placements` counts them in.
    """
    distances = x - grid * np.arange(-_END, _END + 1)[:, None]
    ramps = shape.ramp(distances) if model.plateaus else np.empty((0, len(x)))
    return np.concatenate([shape.step(distances), ramps, [np.ones_like(x), x]])


@lru_cache(maxsize=16)
def _pairs(model: StepModel) -> IntArray:
    """Of all placements, among the scalar products of the whole family."""
    return pairs_of(placements(model)[2], (2 if model.plateaus else 1) * (2 * _END + 1) + 2)


@lru_cache(maxsize=16)
def placements(model: StepModel, farthest: int = _SHIFTS) -> tuple[FloatArray, FloatArray, IntArray, FloatArray]:
    """Energies and offsets in units of the grid, the members of the family that make them, and the steps' signs.

    A step down has the weight of the opposite sign; a ramp down, S(-x) = S(x) - x, needs the slope as well.

    Args:
        model: with its terms.
        farthest: offset, up to four.
    """
    pairs = np.array(list(combinations(range(1, ENERGIES + 1), model.pairs)))
    shifts = range(-farthest, farthest + 1) if model.offset else [0]
    energies = np.concatenate([pairs] * len(shifts))
    offsets = np.repeat(shifts, len(pairs))
    both = np.stack([offsets[:, None] - energies, offsets[:, None] + energies], axis=2).reshape(len(offsets), -1)
    members = both + _END
    count = 2 * _END + 1
    if model.plateaus:
        members = np.concatenate([members, members[:, -2:] + count], axis=1)
    last = count * (2 if model.plateaus else 1)
    background = [last, last + 1] if model.plateaus or model.slope else [last]
    members = np.concatenate([members, np.broadcast_to(background, (len(members), len(background)))], axis=1)
    signs = np.ones(members.shape[1])
    signs[: 2 * model.pairs : 2] = -1
    return energies.astype(float), offsets.astype(float), members, signs
