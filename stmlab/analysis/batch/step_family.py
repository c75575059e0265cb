"""Steps at any energy, interpolated between energies at which they were computed once, for thousands of spectra."""

from __future__ import annotations

import math
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from stmlab.errors import FitError
from stmlab.physics.constants import MEV_PER_V

if TYPE_CHECKING:
    from stmlab.analysis.steps.shapes import StepShape
    from stmlab.arrays import FloatArray

_PER_WIDTH = 12.0  # energies of the table within the width of a step
_TRIAL_SPACING = 0.7  # of the trial energies, in widths
_MOST_TRIALS = 28
_LARGEST_MOVE = 0.5  # widths
_MARGIN = 2.0  # widths, by which the table goes beyond the energies that are allowed
_OFFSETS, _OFFSET_SPACING = 8, 0.4  # trials of the offset at either side, and their distance in widths
_SIGNIFICANT = 1e-9  # of the largest eigenvalue of a trial's shapes


class StepFamily:
    """Curves b + c x + sum_k [n_k s(-(x - o) - E_k) + p_k s(x - o - E_k)], x = eV; all weighted.

    Bent by the energies E_k and, with ``offset``, by o (meV); linear in b, the heights, and with ``slope`` in c.

    Args:
        bias: V, shape (n,).
        weight: shape (n,).
        shape: of a step.
        pairs: 1 or 2.
        offset: whether o is fitted; else it is 0.
        slope: whether c is fitted; else it is 0.
    """

    def __init__(
        self, bias: FloatArray, weight: FloatArray, shape: StepShape, pairs: int, *, offset: bool, slope: bool
    ) -> None:
        self.x, self.weight = MEV_PER_V * bias, weight
        self.pairs, self.offset, self.slope = pairs, offset, slope
        self.order = np.argsort(bias, kind="stable")
        self.width = shape.width_meV
        self.limits = 0.2 * self.width, float(min(-self.x.min(), self.x.max()))
        low, high = self.limits
        if high <= low + 2 * self.width:
            raise FitError(f"biases to {1e-3 * high:.3g} V are too few for steps {self.width:.3g} meV wide")
        self.farthest = margin = _MARGIN * self.width if offset else 0.0  # that the offset may go, meV
        count = math.ceil((high - low + 2 * margin) / self.width * _PER_WIDTH) + 1
        self.energies = np.linspace(low - margin, high + margin, count)
        self.spacing = float(self.energies[1] - self.energies[0])
        places = np.stack([-self.x - self.energies[:, None], self.x - self.energies[:, None]], axis=1)
        self.steps = shape.step(places) * weight  # (count, 2, n): negative, positive
        self.slopes = -shape.slope(places) * weight * self.spacing  # by the energy, in table spacings
        self.flat = np.array([weight, self.x * weight] if slope else [weight])
        self.largest_move = np.full(pairs + offset, _LARGEST_MOVE * self.width)

    def clipped(self, bent: FloatArray) -> FloatArray:
        """Energies within the spectrum, and an offset that the table knows."""
        found = np.clip(bent, *self.limits)
        if self.offset:
            found[:, self.pairs] = np.clip(bent[:, self.pairs], -self.farthest, self.farthest)
        return found

    def design(self, bent: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Shapes (m, 1 + 2 pairs (+ 1), n): constant, steps, slope; and the steps' slopes by their energy."""
        offset = bent[:, self.pairs] if self.offset else np.zeros(len(bent))
        steps, slopes = self._at(
            np.stack([bent[:, : self.pairs] - offset[:, None], bent[:, : self.pairs] + offset[:, None]], 2)
        )
        flat = np.broadcast_to(self.flat, (len(bent), *self.flat.shape))
        return np.concatenate([flat[:, :1], steps, flat[:, 1:]], axis=1), slopes

    def columns(self, slopes: FloatArray, heights: FloatArray) -> FloatArray:
        """Derivatives by the energies and the offset, (m, pairs (+ 1), n)."""
        turned = slopes * heights[:, 1 : 1 + 2 * self.pairs, None]
        energies = turned[:, ::2] + turned[:, 1::2]
        if not self.offset:
            return energies
        offset = turned[:, 1::2].sum(axis=1, keepdims=True) - turned[:, ::2].sum(axis=1, keepdims=True)
        return np.concatenate([energies, offset], axis=1)

    def _at(self, threshold: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Steps and their slopes by the energy (1/meV) at thresholds (m, pairs, 2), (m, 2 pairs, n): cubic."""
        place = (threshold - self.energies[0]) / self.spacing
        left = np.clip(place.astype(int), 0, len(self.energies) - 2)
        t = (place - left).reshape(len(threshold), -1, 1)
        left, side = left.reshape(len(threshold), -1), np.tile([0, 1], self.pairs)
        s0, s1 = self.steps[left, side], self.steps[left + 1, side]
        d0, d1 = self.slopes[left, side], self.slopes[left + 1, side]
        rise = s1 - s0
        second, third = 3 * rise - 2 * d0 - d1, d0 + d1 - 2 * rise
        steps = s0 + t * (d0 + t * (second + t * third))
        slopes = (d0 + t * (2 * second + 3 * t * third)) / self.spacing
        return steps, slopes


class Trials:
    """Trial energies, the same for all spectra: what projects a spectrum onto the shapes of each choice of them."""

    def __init__(self, family: StepFamily, offset: float = 0.0) -> None:
        low, high = family.limits
        inside = np.flatnonzero((family.energies >= low) & (family.energies <= high))
        between = max(_TRIAL_SPACING * family.width, (high - low) / _MOST_TRIALS)
        stride = max(1, round(between / family.spacing))
        chosen = inside[stride // 2 :: stride]
        shift = round(offset / family.spacing)
        below = np.clip(chosen - shift, 0, len(family.energies) - 1)
        above = np.clip(chosen + shift, 0, len(family.energies) - 1)
        steps = np.stack([family.steps[below, 0], family.steps[above, 1]], axis=1).reshape(-1, family.x.size)
        self.energies, self.offset = family.energies[chosen], shift * family.spacing
        self.basis = np.concatenate([family.flat, steps]).T  # (n, flat + 2 trials)
        flat = len(family.flat)
        self.choices = np.array(list(combinations(range(len(chosen)), family.pairs)))
        own = flat + 2 * self.choices[:, :, None] + np.array([0, 1])
        constant = np.broadcast_to(np.arange(flat), (len(self.choices), flat))
        self.members = np.concatenate([constant, own.reshape(len(self.choices), -1)], axis=1)
        gram = self.basis.T @ self.basis
        values, vectors = np.linalg.eigh(gram[self.members[:, :, None], self.members[:, None, :]])
        kept = values > _SIGNIFICANT * values[:, -1:]
        self._projections = np.where(kept, 1 / np.sqrt(np.maximum(values, 1e-300)), 0.0)[:, None, :] * vectors

    def explained(self, weighted: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Of each spectrum (m, n) the most that a choice explains, and its energies (m, pairs) in meV."""
        products = (weighted @ self.basis)[:, self.members].swapaxes(0, 1)  # (choices, m, shapes)
        explained = ((products @ self._projections) ** 2).sum(axis=2)
        best = explained.argmax(axis=0)
        energies: FloatArray = self.energies[self.choices[best]]
        return explained[best, np.arange(len(weighted))], energies


def trials_of(family: StepFamily, weighted: FloatArray) -> Trials:
    """The trials with the offset that suits the mean of some spectra; 0 where none is fitted."""
    if not family.offset or not len(weighted):
        return Trials(family)
    mean = weighted.mean(axis=0, keepdims=True)
    offsets = _OFFSET_SPACING * family.width * np.arange(-_OFFSETS // 2, _OFFSETS // 2 + 1)
    found = [Trials(family, float(offset)) for offset in offsets]
    return max(found, key=lambda trials: float(trials.explained(mean)[0][0]))
