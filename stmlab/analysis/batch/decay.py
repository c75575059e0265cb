"""Pump-probe decays in batches: I(t) = A_+ exp(-t / T1) for t > 0, A_- exp(t / T1) for t < 0, and one offset.

Only T1 enters nonlinearly. Trial lifetimes, the same for all decays, are one matrix product each; from the best of them
follow steps of Gauss and Newton in the logarithm of T1.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.batch.result import BatchFit, checked, in_parts
from stmlab.analysis.batch.separable import solve
from stmlab.analysis.numbers import number
from stmlab.analysis.residuals import are_structured
from stmlab.errors import FitError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from stmlab.arrays import FloatArray

_SIDES = {"both": (1, -1), "positive": (1,), "negative": (-1,)}
_TRIALS = 60
_LARGEST_MOVE = 0.5  # of the logarithm of T1
_SIGNIFICANT = 3.0  # standard errors of a height
_UNKNOWN = 1.0  # relative error of T1, from which a decay that is not significant is none
_FEW = 8  # points
_AT_THE_END = 1e-3  # of the logarithm of T1
_ROUNDING = 1e-12


def fit_decay_batch(
    delay: ArrayLike,
    currents: ArrayLike,
    *,
    exclusion: float = 0.0,
    sides: str = "both",
    sigma: ArrayLike | None = None,
) -> BatchFit:
    """Fit the decay to every scan, as `fit_decay` fits one.

    Args:
        delay: s, shape (n,), of all scans, from pump to probe.
        currents: A, shape (m, n).
        exclusion: s; points with |delay| up to this are not fitted.
        sides: "both", "positive" (the pump first) or "negative".
        sigma: standard deviation of the noise, A, one number or shape (n,). Without it the errors are scaled by the
            residual of each scan.

    Returns:
        Parameters "T1" (s), "offset" and "height_positive", "height_negative" (A, for the sides that have points), and
        derived "rate" (1/s). A scan without a decay, or with values that are not finite, has nan and a reason.

    Raises:
        FitError: the arrays do not match, or the delays do not suffice for the fit.
    """
    t, y, weight = checked(delay, currents, sigma)
    if not 0 <= number("exclusion", exclusion) < math.inf:
        raise FitError(f"exclusion = {exclusion!r} s: 0 or more is allowed")
    if sides not in _SIDES:
        raise FitError(f"sides = {sides!r}: one of {', '.join(_SIDES)} is allowed")
    if not len(y):
        raise FitError("no scans: there is nothing to fit")
    kept = np.flatnonzero((np.abs(t) > exclusion) & np.isin(np.sign(t), _SIDES[sides]))
    kept = kept[np.argsort(t[kept], kind="stable")]
    needed = 4 + int(kept.size > 0 and t[kept[0]] < 0 < t[kept[-1]])
    if kept.size < needed or len(np.unique(t[kept])) < needed - 1:
        raise FitError(f"{kept.size} delays beyond the exclusion of {exclusion:.3g} s: at least {needed} are needed")
    family = _Decays(t[kept], weight[kept])
    rows = y[:, kept]
    return in_parts(rows, kept.size, partial(_fitted, family, known=sigma is not None))


class _Decays:
    """An offset and a decay at each side that has points, bent by ln(T1 / unit); all weighted."""

    def __init__(self, delay: FloatArray, weight: FloatArray) -> None:
        self.unit, self.weight = float(np.abs(delay).max()), weight
        self.t = np.abs(delay) / self.unit
        sides = {"height_positive": delay > 0, "height_negative": delay < 0}
        self.heights = tuple(name for name, there in sides.items() if there.any())
        self.masks = np.array([sides[name] for name in self.heights]) * weight
        self.limits = math.log(self.t.min()) - 4.0, math.log(10.0)
        self.largest_move = np.array([_LARGEST_MOVE])

    def clipped(self, bent: FloatArray) -> FloatArray:
        """Lifetimes that the delays can show."""
        found: FloatArray = np.clip(bent, *self.limits)
        return found

    def design(self, bent: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Offset and decays (m, 1 + sides, n), and the decays' derivatives by ln T1."""
        along = self.t * np.exp(-bent)
        decay = np.exp(-along)
        constant = np.broadcast_to(self.weight, (len(bent), 1, self.t.size))
        decays = self.masks * decay[:, None]
        return np.concatenate([constant, decays], axis=1), decays * along[:, None]

    def columns(self, slopes: FloatArray, heights: FloatArray) -> FloatArray:
        """Derivative by ln T1, (m, 1, n)."""
        turned: FloatArray = (slopes * heights[:, 1:, None]).sum(axis=1, keepdims=True)
        return turned

    def best_trial(self, weighted: FloatArray) -> FloatArray:
        """Of the trial lifetimes the one that explains most of each scan; logarithms, shape (m, 1)."""
        trials = np.linspace(*self.limits, _TRIALS)[1:-1]
        explained = np.empty((len(trials), len(weighted)))
        for k, shapes in enumerate(self.design(trials[:, None])[0]):
            basis, triangle = np.linalg.qr(shapes.T)
            size = np.abs(np.diag(triangle))
            kept = size > 1e-10 * size.max()
            explained[k] = ((weighted @ basis[:, kept]) ** 2).sum(axis=1)
        best: FloatArray = trials[explained.argmax(axis=0)]
        return best[:, None]


def _fitted(family: _Decays, given: FloatArray, *, known: bool) -> BatchFit:
    span = np.ptp(given, axis=1)
    reasons = np.full(len(given), "", dtype=object)
    reasons[~np.isfinite(span)] = "values that are not finite"
    reasons[span == 0] = "the same current at every delay"
    usable = reasons == ""
    scale = np.where(usable, span, 1.0)
    weighted = np.where(usable[:, None], given, 0.0) / scale[:, None] * family.weight
    found = solve(family, weighted, family.best_trial(weighted))
    reasons[usable & found.late] = "the fit does not converge"
    degrees = given.shape[1] - found.inverse.shape[1]
    noise = 1 / scale**2 if known else np.maximum(found.squares / degrees, _ROUNDING**2)
    covariance = found.inverse * noise[:, None, None]
    errors = np.sqrt(np.maximum(np.diagonal(covariance, axis1=1, axis2=2), 0.0))
    low, high = family.limits
    log_t1 = found.bent[:, 0]
    ended = (log_t1 < low + _AT_THE_END) | (log_t1 > high - _AT_THE_END)
    reasons[(reasons == "") & ended] = "T1 runs to the end of what the delays can show"
    weak = (np.abs(found.heights[:, 1:]) < _SIGNIFICANT * errors[:, 2:]).all(axis=1)
    unknown = (errors[:, 0] > _UNKNOWN) | (given.shape[1] < _FEW)
    reasons[(reasons == "") & weak & unknown] = "no decay: no height is three standard errors, and T1 is not known"
    shapes, _ = family.design(found.bent)
    left = weighted - (found.heights[:, None, :] @ shapes)[:, 0]
    t1 = np.exp(log_t1) * family.unit
    factor = np.column_stack([t1, *[scale] * (1 + len(family.heights))])
    values = np.column_stack([t1, found.heights * scale[:, None], 1 / t1])
    spread = np.column_stack([errors * factor, errors[:, 0] / t1])
    ok = np.asarray(reasons == "", dtype=bool)
    effective = float(np.mean(family.weight**2))
    return BatchFit(
        "decay",
        ("T1", "offset", *family.heights, "rate"),
        ("s", "A", *["A"] * len(family.heights), "1/s"),
        np.where(ok[:, None], values, np.nan),
        np.where(ok[:, None], spread, np.nan),
        np.where(ok[:, None, None], covariance * factor[:, :, None] * factor[:, None, :], np.nan),
        np.where(ok, np.sqrt(found.squares / given.shape[1] / effective) * scale, np.nan),
        ok & are_structured(left, found.inverse.shape[1]),
        ok,
        tuple(reasons.tolist()),
    )
