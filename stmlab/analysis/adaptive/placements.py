"""Where steps may lie before they have been found: every placement on a coarse grid of energies, offset and width.

Each placement is linear in heights, background and slope, which are integrated exactly, and so is the noise level; what
is left is a probability of each placement. All of them share one family of steps (`stmlab.analysis.steps.starts`), so
that a reading changes a few scalar products only.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.steps.normal_equations import eliminated, pairs_of
from stmlab.analysis.steps.starts import ENERGIES, placements, step_family, trial_shapes

if TYPE_CHECKING:
    from stmlab.analysis.steps.model import StepModel
    from stmlab.analysis.steps.shapes import StepShape
    from stmlab.arrays import FloatArray, IntArray

_FARTHEST = {1: 2, 2: 1}  # number of pairs -> offset, in units of the grid
_RIDGE = 1e-10
_MARGIN = 2  # readings beyond the parameters, from which the noise can be told


class Placements:
    """Probabilities of all placements, after the readings so far.

    Args:
        model: with its terms.
        reach: the smaller of the largest energies at either polarity, meV.

    Attributes:
        spacing: of the grid, meV.
        energies: of each placement, meV, shape (placements, pairs).
        weights: probabilities, shape (placements,).
        noise: standard deviation of a reading; nan before it can be told.
    """

    def __init__(self, model: StepModel, reach: float) -> None:
        self._model, self.spacing = model, reach / (ENERGIES + 1)
        self._shapes = trial_shapes(model, self.spacing, reach)
        energies, offsets, self._members, _ = placements(model, _FARTHEST[model.pairs])
        widths = len(self._shapes)
        self.energies = np.tile(self.spacing * energies, (widths, 1))
        self._offsets = np.tile(self.spacing * offsets, widths)
        members = int(self._members.max()) + 1
        self._pairs = pairs_of(self._members, members)
        self._products = np.zeros((widths, members, members))
        self._overlaps = np.zeros((widths, members))
        self._number, self._squares, self._zero = 0, 0.0, math.nan
        self._new: list[tuple[float, float, int]] = []
        self._seen: tuple[FloatArray, FloatArray] | None = None
        self.weights = np.full(len(self.energies), 1.0 / len(self.energies))
        self.noise = math.nan

    def add(self, x: float, y: float, sign: int = 1) -> None:
        """A reading of y at x (meV); ``sign`` -1 takes it back."""
        if math.isnan(self._zero):
            self._zero = y
        self._new.append((x, y - self._zero, sign))
        self._number += sign

    @property
    def flat(self) -> bool:
        """Whether too few readings have been taken to tell anything."""
        return self._number < len(self._model.names) + _MARGIN

    def solve(self) -> None:
        """Take the readings since the last time into account."""
        if self.flat:
            return
        systems, right = self._systems(np.arange(len(self.energies)))
        self._linear, logarithms = eliminated(systems, right)
        freedom = self._number - self._members.shape[1]
        left = np.maximum(self._squares - np.sum(self._linear * right, axis=0), 1e-12 * self._squares + 1e-300)
        logarithm = -0.5 * (logarithms + freedom * np.log(left))
        weights = np.exp(logarithm - logarithm.max())
        self.weights = weights / weights.sum()
        self.noise = math.sqrt(float(self.weights @ left) / freedom)

    def predicted(self, x: FloatArray, chosen: IntArray) -> tuple[FloatArray, FloatArray]:
        """Mean of a reading and variance of that mean for some placements, in units of the noise; shape (x, chosen).

        Args:
            x: where it would be taken, meV; the same array again costs less.
            chosen: numbers of placements.
        """
        width, member = np.divmod(chosen, len(self._members))
        design = self._family_at(x)[width[:, None], self._members[member]]  # (chosen, terms, x)
        inverse = np.linalg.inv(np.moveaxis(self._systems(chosen)[0], 2, 0))
        mean = np.einsum("tk,ktx->xk", self._linear[:, chosen], design)
        variance = np.einsum("ktx,kts,ksx->xk", design, inverse, design, optimize=True)
        return mean / self.noise, variance

    def likeliest(self) -> tuple[FloatArray, float, StepShape]:
        """Energies (meV), offset (meV) and step of the most probable placement."""
        best = int(np.argmax(self.weights))
        return self.energies[best], float(self._offsets[best]), self._shapes[best // len(self._members)]

    # -- details -----------------------------------------------------------------------------------------------------

    def _sum_up(self) -> None:
        """The new readings, together: once steps have been found nobody asks for placements, and many may come."""
        if self._new:
            x, above, signs = np.array(self._new).T
            self._new.clear()
            family = self._family(x)
            self._products += (family * signs) @ family.swapaxes(1, 2)
            self._overlaps += family @ (signs * above)
            self._squares += float(signs @ above**2)

    def _family(self, x: FloatArray) -> FloatArray:
        """Shape (widths, members, x)."""
        members = self._products.shape[1]
        return np.stack([step_family(x, self._model, self.spacing, shape)[:members] for shape in self._shapes])

    def _family_at(self, x: FloatArray) -> FloatArray:
        if self._seen is None or self._seen[0] is not x:
            self._seen = x, self._family(x)
        return self._seen[1]

    def _systems(self, chosen: IntArray) -> tuple[FloatArray, FloatArray]:
        """Normal equations of some placements: shapes (terms, terms, chosen) and (terms, chosen)."""
        self._sum_up()
        width, member = np.divmod(chosen, len(self._members))
        count, terms = self._overlaps.shape[1], np.arange(self._members.shape[1])
        systems = self._products.take(width * count**2 + self._pairs[:, :, member])
        systems[terms, terms] += _RIDGE * (1.0 + systems[terms, terms])
        return systems, self._overlaps.take(width * count + self._members[member].T)
