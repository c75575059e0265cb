"""Two-step spectra in batches: G(V) = b + sum_k [n_k s(-eV - E_k) + p_k s(eV - E_k)], k = inner, outer.

s is the thermally and modulation broadened step (`stmlab.analysis.steps.shapes`), with temperature and modulation
known. Only the two energies enter nonlinearly. Trial pairs of energies, the same for all spectra, cost a few matrix
products; then follow steps of Gauss and Newton, with the steps interpolated between energies at which they were
computed once.
"""

from __future__ import annotations

import math
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.batch.result import BatchFit, checked, chunks, joined
from stmlab.analysis.residuals import are_structured
from stmlab.analysis.steps.shapes import StepShape
from stmlab.errors import FitError
from stmlab.physics.constants import MEV_PER_V

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from stmlab.arrays import BoolArray, FloatArray

_FREE = (
    "inner_energy",
    "outer_energy",
    "background",
    "inner_height_negative",
    "inner_height_positive",
    "outer_height_negative",
    "outer_height_positive",
)
_NAMES = (*_FREE, "eta_inner", "eta_outer")
_PER_WIDTH = 12.0  # energies of the table within the width of a step
_TRIAL_SPACING = 0.7  # of the trial energies, in widths
_MOST_TRIALS = 28
_ROUNDS = 40
_CONVERGED = 1e-4  # of the standard error
_LARGEST_MOVE = 0.5  # widths
_THERE_ARE_STEPS = 60.0  # drop of chi square against a constant, as for a single spectrum
_TILTED = 14.0  # drop of chi square by a slope and an offset: noise alone comes to it once in a thousand spectra
_ROUNDING = 1e-12
_SMALLEST = 1e-60  # squares of a column that is there; of a flat spectrum none is


def fit_steps_batch(
    bias: ArrayLike,
    conductances: ArrayLike,
    *,
    temperature_K: float,
    modulation_V: float = 0.0,
    start: tuple[float, float] | None = None,
    sigma: ArrayLike | None = None,
) -> BatchFit:
    """Fit two pairs of steps to every spectrum.

    Args:
        bias: V, shape (n,), of all spectra; both polarities.
        conductances: any unit, shape (m, n).
        temperature_K: of the electrons.
        modulation_V: peak amplitude of the lock-in's modulation.
        start: inner and outer energy to begin with, meV; None looks for them in every spectrum.
        sigma: standard deviation of the noise, one number or shape (n,). Without it the errors are scaled by the
            residual of each spectrum.

    Returns:
        Parameters "inner_energy", "outer_energy" (meV), "background", "inner_height_negative",
        "inner_height_positive", "outer_height_negative", "outer_height_positive" (unit of the data), derived
        "eta_inner" and "eta_outer". ``structured`` marks spectra that hold more: a sloping background or an offset of
        the bias, which `fit_steps` fits and this does not, among other things. A spectrum without steps, whose energies
        run away or cross, or with values that are not finite, has nan and a reason.

    Raises:
        FitError: the arrays do not match, or the biases cannot carry the fit.
    """
    v, y, weight = checked(bias, conductances, sigma)
    if v.size < len(_FREE) + 1 or v.min() >= 0 or v.max() <= 0:
        raise FitError(f"{v.size} biases from {v.min():.3g} to {v.max():.3g} V: both polarities and 8 are needed")
    if not len(y):
        raise FitError("no spectra: there is nothing to fit")
    family = _Family(v, weight, StepShape(temperature_K, modulation_V))
    return joined([_fitted(family, y[part], start, known=sigma is not None) for part in chunks(*y.shape)])


class _Family:
    """Steps at any energy, from a table of steps at even energies; all weighted."""

    def __init__(self, bias: FloatArray, weight: FloatArray, shape: StepShape) -> None:
        self.x, self.weight = MEV_PER_V * bias, weight
        self.order = np.argsort(bias, kind="stable")
        self.width = shape.width_meV
        self.limits = 0.2 * self.width, float(min(-self.x.min(), self.x.max()))
        low, high = self.limits
        if high <= low + 2 * self.width:
            raise FitError(f"biases to {1e-3 * high:.3g} V are too few for steps {self.width:.3g} meV wide")
        count = math.ceil((high - low) / self.width * _PER_WIDTH) + 1
        self.energies = np.linspace(low, high, count)
        self.spacing = float(self.energies[1] - self.energies[0])
        places = np.stack([-self.x - self.energies[:, None], self.x - self.energies[:, None]], axis=1)
        self.steps = shape.step(places) * weight  # (count, 2, n): negative, positive
        self.slopes = -shape.slope(places) * weight * self.spacing  # by the energy, in table spacings
        self._trials()

    def _trials(self) -> None:
        """For each pair of trial energies, what projects spectra onto its five shapes."""
        between = max(_TRIAL_SPACING * self.width, (self.limits[1] - self.limits[0]) / _MOST_TRIALS)
        stride = max(1, round(between / self.spacing))
        chosen = np.arange(stride // 2, len(self.energies), stride)
        basis = [self.weight, *self.steps[chosen].reshape(-1, self.x.size)]
        self.basis = np.array(basis).T  # (n, 1 + 2 trials)
        gram = self.basis.T @ self.basis
        projections: list[FloatArray] = []
        self.pairs, self.columns = list[tuple[int, int]](), list[list[int]]()
        for i, j in combinations(range(len(chosen)), 2):
            columns = [0, 1 + 2 * i, 2 + 2 * i, 1 + 2 * j, 2 + 2 * j]
            part = gram[np.ix_(columns, columns)]
            values, vectors = np.linalg.eigh(part)
            kept = values > 1e-9 * values[-1]
            projections.append(np.where(kept, 1 / np.sqrt(np.maximum(values, 1e-300)), 0.0) * vectors)
            self.pairs.append((int(chosen[i]), int(chosen[j])))
            self.columns.append(columns)
        self.projections = projections

    def best_trial(self, weighted: FloatArray) -> FloatArray:
        """The pair of trial energies that explains most of each spectrum, meV, shape (m, 2)."""
        products = weighted @ self.basis
        best, place = np.full(len(weighted), -np.inf), np.zeros(len(weighted), dtype=int)
        for number, (columns, projection) in enumerate(zip(self.columns, self.projections, strict=True)):
            explained = ((products[:, columns] @ projection) ** 2).sum(axis=1)
            better = explained > best
            best[better], place[better] = explained[better], number
        found: FloatArray = self.energies[np.array(self.pairs)[place]]
        return found

    def at(self, energy: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Steps of both polarities and their slopes by the energy (1/meV), each (m, 2, n), by cubic interpolation."""
        place = (energy - self.energies[0]) / self.spacing
        left = np.clip(place.astype(int), 0, len(self.energies) - 2)
        t = (place - left)[:, None, None]
        s0, s1, d0, d1 = self.steps[left], self.steps[left + 1], self.slopes[left], self.slopes[left + 1]
        rise = s1 - s0
        second, third = 3 * rise - 2 * d0 - d1, d0 + d1 - 2 * rise
        steps = s0 + t * (d0 + t * (second + t * third))
        slopes = (d0 + t * (2 * second + 3 * t * third)) / self.spacing
        return steps, slopes

    def design(self, energies: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Shapes of the five linear parameters (m, 5, n), and slopes of the four steps (m, 4, n)."""
        inner, inner_slope = self.at(energies[:, 0])
        outer, outer_slope = self.at(energies[:, 1])
        constant = np.broadcast_to(self.weight, (len(energies), 1, self.x.size))
        return np.concatenate([constant, inner, outer], axis=1), np.concatenate([inner_slope, outer_slope], axis=1)


def _fitted(family: _Family, given: FloatArray, start: tuple[float, float] | None, *, known: bool) -> BatchFit:
    span = np.ptp(given, axis=1)
    reasons = np.full(len(given), "", dtype=object)
    reasons[~np.isfinite(span)] = "values that are not finite"
    reasons[span == 0] = "the same conductance at every bias"
    usable = reasons == ""
    scale = np.where(usable, span, 1.0)
    weighted = np.where(usable[:, None], given, 0.0) / scale[:, None] * family.weight
    energies = family.best_trial(weighted) if start is None else np.tile(np.array(start, dtype=float), (len(given), 1))
    energies, linear, inverse, squares, late = _solved(family, weighted, energies)
    reasons[usable & late] = "the fit does not converge"
    degrees = given.shape[1] - len(_FREE)
    noise = 1 / scale**2 if known else np.maximum(squares / degrees, _ROUNDING**2)
    reasons[(reasons == "") & _without_steps(family, weighted, squares, noise)] = (
        "no steps that could be told from noise"
    )
    crossed = energies[:, 1] - energies[:, 0] < 0.5 * family.width
    reasons[(reasons == "") & crossed] = "the two energies cannot be told apart"
    ended = (energies <= family.limits[0]) | (energies >= family.limits[1])
    reasons[(reasons == "") & ended.any(axis=1)] = "an energy runs to the end of the spectrum"
    left = weighted - (linear[:, None, :] @ family.design(energies)[0])[:, 0]
    structured = are_structured(left[:, family.order]) | _are_tilted(family, energies, linear, left, noise)
    return _result(family, energies, linear, inverse * noise[:, None, None], squares, structured, scale, reasons)


def _without_steps(family: _Family, weighted: FloatArray, squares: FloatArray, noise: FloatArray) -> FloatArray:
    """Whether a constant describes the spectrum nearly as well."""
    mean = weighted @ family.weight / float(family.weight @ family.weight)
    flat = ((weighted - mean[:, None] * family.weight) ** 2).sum(axis=1)
    without: FloatArray = flat - squares < _THERE_ARE_STEPS * noise
    return without


def _are_tilted(
    family: _Family, energies: FloatArray, linear: FloatArray, left: FloatArray, noise: FloatArray
) -> BoolArray:
    """Whether a slope of the background and an offset of the bias would describe a spectrum better, to first order."""
    shapes, slopes = family.design(energies)
    rising = slopes * linear[:, 1:, None]
    columns = [
        rising[:, :2].sum(axis=1),
        rising[:, 2:].sum(axis=1),
        rising[:, ::2].sum(axis=1) - rising[:, 1::2].sum(1),
    ]
    slope = np.broadcast_to(family.x * family.weight, left.shape)
    design = np.concatenate([np.stack([*columns, slope], axis=1), shapes], axis=1)
    better, _ = _least_squares(design, left)
    drop = (left**2).sum(axis=1) - ((left - (better[:, None, :] @ design)[:, 0]) ** 2).sum(axis=1)
    tilted: BoolArray = drop > _TILTED * noise
    return tilted


def _solved(
    family: _Family, weighted: FloatArray, energies: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
    """Energies, linear parameters, inverse normal matrices, squares, and which have not converged."""
    count = len(weighted)
    linear, inverse, squares = np.zeros((count, 5)), np.zeros((count, 7, 7)), np.zeros(count)
    energies, active, late = energies.copy(), np.arange(count), np.zeros(count, dtype=bool)
    degrees = max(weighted.shape[1] - len(_FREE), 1)
    largest = _LARGEST_MOVE * family.width
    for _ in range(_ROUNDS):
        y = weighted[active]
        shapes, slopes = family.design(energies[active])
        heights, _ = _least_squares(shapes, y)
        turned = slopes * heights[:, 1:, None]
        columns = np.concatenate(
            [turned[:, :2].sum(axis=1, keepdims=True), turned[:, 2:].sum(axis=1, keepdims=True)], 1
        )
        design = np.concatenate([columns, shapes], axis=1)
        left = y - (heights[:, None, :] @ shapes)[:, 0]
        move, covariance = _least_squares(design, left)
        linear[active], inverse[active], squares[active] = heights, covariance, (left**2).sum(axis=1)
        move = np.clip(move[:, :2], -largest, largest)
        error = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2)[:, :2] * (squares[active] / degrees)[:, None])
        still = (np.abs(move) > np.maximum(_CONVERGED * error, 1e-12)).any(axis=1)
        energies[active[still]] = np.clip(energies[active[still]] + move[still], *family.limits)
        active = active[still]
        if not active.size:
            break
    late[active] = True
    return energies, linear, inverse, squares, late


def _least_squares(design: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Parameters (m, k) and inverse normal matrices (m, k, k) of y (m, n) over the rows of design (m, k, n)."""
    normal = design @ design.swapaxes(1, 2)
    size = np.sqrt(np.maximum(np.diagonal(normal, axis1=1, axis2=2), _SMALLEST))
    scaled = normal / size[:, :, None] / size[:, None, :]
    diagonal = np.arange(design.shape[1])
    scaled[:, diagonal, diagonal] += 1e-12
    inverse = np.linalg.inv(scaled) / size[:, :, None] / size[:, None, :]
    products = design @ y[:, :, None]
    return (inverse @ products)[:, :, 0], inverse


def _result(
    family: _Family,
    energies: FloatArray,
    linear: FloatArray,
    covariance: FloatArray,
    squares: FloatArray,
    structured: BoolArray,
    scale: FloatArray,
    reasons: np.ndarray[tuple[int], np.dtype[np.object_]],
) -> BatchFit:
    """Back in the units of the data, with the asymmetries."""
    units = np.column_stack([np.ones((len(scale), 2)), np.repeat(scale[:, None], 5, axis=1)])
    free = np.column_stack([energies, linear]) * units
    covariance = covariance * units[:, :, None] * units[:, None, :]
    errors = np.sqrt(np.maximum(np.diagonal(covariance, axis1=1, axis2=2), 0.0))
    eta, eta_error = np.empty((len(scale), 2)), np.empty((len(scale), 2))
    for k, first in enumerate((3, 5)):
        negative, positive = free[:, first], free[:, first + 1]
        with np.errstate(divide="ignore", invalid="ignore"):
            total = negative + positive
            eta[:, k] = (negative - positive) / total
            slope = np.column_stack([2 * positive, -2 * negative]) / total[:, None] ** 2
            part = covariance[:, first : first + 2, first : first + 2]
            eta_error[:, k] = np.sqrt(np.maximum((slope[:, None, :] @ part @ slope[:, :, None])[:, 0, 0], 0.0))
    ok = np.asarray(reasons == "", dtype=bool)
    effective = float(np.mean(family.weight**2))
    return BatchFit(
        "steps",
        _NAMES,
        ("meV", "meV", "", "", "", "", "", "", ""),
        np.where(ok[:, None], np.column_stack([free, eta]), np.nan),
        np.where(ok[:, None], np.column_stack([errors, eta_error]), np.nan),
        np.where(ok[:, None, None], covariance, np.nan),
        np.where(ok, np.sqrt(squares / family.x.size / effective) * scale, np.nan),
        ok & structured,
        ok,
        tuple(reasons.tolist()),
    )
