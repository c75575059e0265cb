"""Spectra of one or two pairs of steps in batches.

    G(V) = b + c eV + sum_k [n_k s(-e(V - V0) - E_k) + p_k s(e(V - V0) - E_k)],   k = inner, outer

s is the thermally and modulation broadened step (`stmlab.analysis.steps.shapes`), with temperature and modulation
known; V0 and c are fitted where they are asked for. Trial energies, the same for all spectra, cost a few matrix
products; from the best of them follow steps of Gauss and Newton.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.batch.result import BatchFit, checked, in_parts
from stmlab.analysis.batch.separable import Solved, least_squares, solve
from stmlab.analysis.batch.step_family import StepFamily, Trials, trials_of
from stmlab.analysis.residuals import are_structured, uneven_covariances
from stmlab.analysis.steps.shapes import StepShape
from stmlab.errors import FitError
from stmlab.physics.constants import MEV_PER_V

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from stmlab.arrays import BoolArray, FloatArray

_PAIRS = ("inner", "outer")
_THERE_ARE_STEPS = 60.0  # drop of chi square against a flat line, as for a single spectrum
_TILTED = 14.0  # drop of chi square by a slope and an offset: noise alone comes to it once in a thousand spectra
_ROUNDING = 1e-12
_MANY = 64  # spectra that are enough to see the offset of the bias


def fit_steps_batch(
    bias: ArrayLike,
    conductances: ArrayLike,
    *,
    temperature_K: float,
    modulation_V: float = 0.0,
    pairs: int = 2,
    bias_offset: bool = False,
    background_slope: bool = False,
    start: tuple[float, ...] | None = None,
    sigma: ArrayLike | None = None,
) -> BatchFit:
    """Fit pairs of steps to every spectrum.

    Args:
        bias: V, shape (n,), of all spectra; both polarities.
        conductances: any unit, shape (m, n).
        temperature_K: of the electrons.
        modulation_V: peak amplitude of the lock-in's modulation.
        pairs: 2 (inner and outer) or 1 (then "inner").
        bias_offset: whether the steps' common zero is fitted, as `fit_steps` does by default.
        background_slope: whether the background has a slope, as `fit_steps` does by default.
        start: energies to begin with, meV; None looks for them in every spectrum.
        sigma: standard deviation of the noise, one number or shape (n,). Without it the errors are scaled by the
            residual of each spectrum.

    Returns:
        Parameters "inner_energy", "outer_energy" (meV), with the options "bias_offset" (V), "background",
        "inner_height_negative", "inner_height_positive", "outer_height_negative", "outer_height_positive" (unit of the
        data) and "background_slope" (unit of the data/V), derived "eta_inner" and "eta_outer". ``structured`` marks
        spectra that hold more: a sloping background or an offset of the bias that are not fitted, among other things.
        A spectrum without steps, whose energies run away or cross, or with values that are not finite, has nan and a
        reason.

    Raises:
        FitError: the arrays do not match, or the biases do not suffice for the fit.
    """
    v, y, weight = checked(bias, conductances, sigma)
    free = 3 * pairs + 1 + bias_offset + background_slope
    if pairs not in (1, 2):
        raise FitError(f"pairs = {pairs!r}: 1 or 2 is allowed")
    if v.size < free + 1 or v.min() >= 0 or v.max() <= 0:
        raise FitError(
            f"{v.size} biases from {v.min():.3g} to {v.max():.3g} V: both polarities and {free + 1} are needed"
        )
    if not len(y):
        raise FitError("no spectra: there is nothing to fit")
    shape = StepShape(temperature_K, modulation_V)
    family = StepFamily(v, weight, shape, pairs, offset=bias_offset, slope=background_slope)
    trials = trials_of(family, _usable(family, y)[1][:: max(1, len(y) // _MANY)]) if start is None else None
    return in_parts(y, v.size, partial(_fitted, family, trials=trials, start=start, known=sigma is not None))


def _usable(family: StepFamily, given: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Span of each spectrum, and the spectra in units of it, weighted; zeros where the span is none."""
    span = np.ptp(given, axis=1)
    usable = np.isfinite(span) & (span > 0)
    scale = np.where(usable, span, 1.0)
    return span, np.where(usable[:, None], given, 0.0) / scale[:, None] * family.weight


def _fitted(
    family: StepFamily, given: FloatArray, trials: Trials | None, start: tuple[float, ...] | None, *, known: bool
) -> BatchFit:
    span, weighted = _usable(family, given)
    reasons = np.full(len(given), "", dtype=object)
    reasons[~np.isfinite(span)] = "values that are not finite"
    reasons[span == 0] = "the same conductance at every bias"
    scale = np.where(reasons == "", span, 1.0)
    found = solve(family, weighted, _start(family, weighted, trials, start))
    energies = found.bent[:, : family.pairs]
    degrees = given.shape[1] - found.inverse.shape[1]
    noise = 1 / scale**2 if known else np.maximum(found.squares / degrees, _ROUNDING**2)
    reasons[(reasons == "") & _without_steps(family, weighted, found.squares, noise)] = (
        "no steps that could be told from noise"
    )
    reasons[(reasons == "") & found.late] = "the fit does not converge"
    if family.pairs == 2:
        crossed = energies[:, 1] - energies[:, 0] < 0.5 * family.width
        reasons[(reasons == "") & crossed] = "the two energies cannot be told apart"
    ended = (energies <= family.limits[0]) | (energies >= family.limits[1])
    reasons[(reasons == "") & ended.any(axis=1)] = "an energy runs to the end of the spectrum"
    if family.offset:
        away = np.abs(found.bent[:, -1]) >= np.minimum(energies[:, 0], family.farthest)
        reasons[(reasons == "") & away] = "the offset of the bias runs away"
    shapes, slopes = family.design(found.bent)
    left = weighted - (found.heights[:, None, :] @ shapes)[:, 0]
    structured = are_structured(left[:, family.order], found.inverse.shape[1])
    structured |= _are_tilted(family, shapes, slopes, found, left, noise)
    covariance = found.inverse * noise[:, None, None]
    if not known:
        design = np.concatenate([family.columns(slopes, found.heights), shapes], axis=1)
        left = np.maximum(np.abs(left), _ROUNDING)
        covariance = uneven_covariances(design[:, :, family.order], found.inverse, left[:, family.order])
    return _result(family, found, covariance, structured, scale, reasons)


def _start(
    family: StepFamily, weighted: FloatArray, trials: Trials | None, start: tuple[float, ...] | None
) -> FloatArray:
    offset = np.full((len(weighted), 1), trials.offset if trials else 0.0)
    if trials is None:
        energies = np.tile(np.array(start, dtype=float), (len(weighted), 1))
    else:
        energies = trials.explained(weighted)[1]
    return np.concatenate([energies, offset], axis=1) if family.offset else energies


def _without_steps(family: StepFamily, weighted: FloatArray, squares: FloatArray, noise: FloatArray) -> FloatArray:
    """Whether a flat line describes the spectrum nearly as well: one with a slope, where a slope is fitted."""
    basis, _ = np.linalg.qr(family.flat.T)
    flat = (weighted**2).sum(axis=1) - ((weighted @ basis) ** 2).sum(axis=1)
    without: FloatArray = flat - squares < _THERE_ARE_STEPS * noise
    return without


def _are_tilted(
    family: StepFamily, shapes: FloatArray, slopes: FloatArray, found: Solved, left: FloatArray, noise: FloatArray
) -> BoolArray:
    """Whether a slope of the background and an offset of the bias would describe a spectrum better, to first order."""
    if family.offset and family.slope:
        return np.zeros(len(left), dtype=bool)
    turned = slopes * found.heights[:, 1 : 1 + 2 * family.pairs, None]
    columns = [turned[:, ::2] + turned[:, 1::2]]
    columns.append(turned[:, ::2].sum(axis=1, keepdims=True) - turned[:, 1::2].sum(axis=1, keepdims=True))
    if not family.slope:
        columns.append(np.broadcast_to(family.x * family.weight, left.shape)[:, None])
    design = np.concatenate([*columns, shapes], axis=1)
    better, _ = least_squares(design, left)
    drop = (left**2).sum(axis=1) - ((left - (better[:, None, :] @ design)[:, 0]) ** 2).sum(axis=1)
    tilted: BoolArray = drop > _TILTED * noise
    return tilted


def _free(family: StepFamily) -> tuple[tuple[str, ...], tuple[str, ...], FloatArray, BoolArray]:
    """Names and units of the free parameters, factors from the fit's units, and which scale with the data."""
    pairs = _PAIRS[: family.pairs]
    rows: list[tuple[str, str, float, bool]] = [(f"{pair}_energy", "meV", 1.0, False) for pair in pairs]
    rows += [("bias_offset", "V", 1 / MEV_PER_V, False)] if family.offset else []
    rows.append(("background", "", 1.0, True))
    rows += [(f"{pair}_height_{side}", "", 1.0, True) for pair in pairs for side in ("negative", "positive")]
    rows += [("background_slope", "1/V", MEV_PER_V, True)] if family.slope else []
    names, units, factors, scaled = zip(*rows, strict=True)
    return names, units, np.array(factors), np.array(scaled)


def _result(
    family: StepFamily,
    found: Solved,
    covariance: FloatArray,
    structured: BoolArray,
    scale: FloatArray,
    reasons: np.ndarray[tuple[int], np.dtype[np.object_]],
) -> BatchFit:
    """Back in the units of the data, with the asymmetries."""
    names, units, factors, scaled = _free(family)
    factor = factors * np.where(scaled, scale[:, None], 1.0)
    free = np.column_stack([found.bent, found.heights]) * factor
    covariance = covariance * factor[:, :, None] * factor[:, None, :]
    errors = np.sqrt(np.maximum(np.diagonal(covariance, axis1=1, axis2=2), 0.0))
    eta, eta_error = np.empty((len(scale), family.pairs)), np.empty((len(scale), family.pairs))
    for k, pair in enumerate(_PAIRS[: family.pairs]):
        first = names.index(f"{pair}_height_negative")
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
        "steps" if family.pairs == 2 else "steps_one_pair",
        (*names, *(f"eta_{pair}" for pair in _PAIRS[: family.pairs])),
        (*units, *[""] * family.pairs),
        np.where(ok[:, None], np.column_stack([free, eta]), np.nan),
        np.where(ok[:, None], np.column_stack([errors, eta_error]), np.nan),
        np.where(ok[:, None, None], covariance, np.nan),
        np.where(ok, np.sqrt(found.squares / family.x.size / effective) * scale, np.nan),
        ok & structured,
        ok,
        tuple(reasons.tolist()),
    )
