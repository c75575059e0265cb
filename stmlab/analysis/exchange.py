"""Anisotropy and exchange from step energies against conductance (Muenks et al., figures 2c and 2e).

The exchange with the tip's spin grows with the conductance, J12 = slope Gs, and shifts both excitation steps of the
spin below. Heisenberg and Ising exchange shift them differently; both are fitted, with no exchange as the third, and
compared by Akaike's information criterion.

Energies read off spectra are not quite levels: third order pulls the outer step 0.06-0.16 meV down, pumping the inner
one up by as much. The transport fit (`stmlab.analysis.transport`) knows that; this one is for step energies as they
are, and `stmlab.analysis.step_pull` puts the pull into its errors.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.marquardt import inverse_normal, least_squares
from stmlab.analysis.numbers import numbers
from stmlab.analysis.spin_levels import SpinLevels, anisotropies
from stmlab.errors import FitError
from stmlab.physics.coupled_tip import ExchangeKind
from stmlab.results import FitParameter, FitResult

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike

    from stmlab.arrays import FloatArray

_NAMES = ("axial_anisotropy_meV", "transverse_anisotropy_meV", "exchange_slope_meV_per_uS")
_UNITS = ("meV", "meV", "meV/uS")
_LARGEST_EXCHANGES = (-3.0, -1.5, -0.5, 0.5, 1.5, 3.0)  # meV, tried at the largest conductance
_DECIDED = 10.0  # difference of AIC that leaves no doubt
_SCATTER = 3.5  # standard deviations of the reduced chi square, beyond which the errors do not explain the residual
_DIFFERENCE = 1e-4  # relative step of derivatives
_SMOOTH = 100


def fit_exchange(
    conductance: ArrayLike,
    inner: ArrayLike,
    outer: ArrayLike,
    inner_error: ArrayLike,
    outer_error: ArrayLike,
    *,
    field_T: float = 0.0,
    spin: float = 1.0,
    tip_spin: float = 0.5,
    exchange: Sequence[str] = ("none", "heisenberg", "ising"),
) -> FitResult:
    """Fit D, E and the slope of the exchange to both step energies.

    Args:
        conductance: S, shape (n,): whichever the exchange shall be proportional to.
        inner: energy of the inner step, meV, shape (n,).
        outer: of the outer step, meV, shape (n,).
        inner_error: standard errors, meV, shape (n,) or one number.
        outer_error: the same of the outer step.
        field_T: along z.
        spin: on the sample, 1.
        tip_spin: on the tip.
        exchange: kinds to compare.

    Returns:
        Parameters "axial_anisotropy_meV", "transverse_anisotropy_meV" and, with exchange, "exchange_slope_meV_per_uS";
        ``choices`` says which exchange was chosen. Curves "x" (S), "data", "fit", "residual" hold the inner and then
        the outer steps, "x_smooth", "inner_smooth", "outer_smooth" the model, "aic" a number for each kind.

    Raises:
        FitError: the data do not suffice for the fit.
    """
    steps = _Steps.checked(conductance, inner, outer, inner_error, outer_error)
    try:
        kinds = [ExchangeKind(kind) for kind in exchange]
    except ValueError as error:
        raise FitError(f"exchange: {error}; {', '.join(ExchangeKind)} are known") from None
    if spin != 1.0:
        raise FitError(f"spin = {spin:g}: only for a spin 1 do two steps give D and E")
    if not (tip_spin > 0 and (2 * tip_spin).is_integer()):
        raise FitError(f"tip_spin = {tip_spin:g}: 1/2, 1, 3/2 ... is allowed")
    found = [
        solution
        for kind in kinds
        for start in anisotropies(*steps.first, fixed_axis=kind is ExchangeKind.ISING or field_T != 0)
        for solution in _fitted(steps, SpinLevels(kind, field_T, tip_spin), start)
    ]
    if not found:
        raise FitError(f"{steps.conductance.size} pairs of steps do not determine anisotropy and exchange")
    best = min(found, key=lambda solution: solution.aic)
    return _result(steps, best, found)


@dataclass(frozen=True, eq=False)
class _Steps:
    """Step energies and errors, each shape (n,)."""

    conductance: FloatArray
    energies: FloatArray  # (2, n): inner, outer
    errors: FloatArray  # (2, n)

    @classmethod
    def checked(
        cls, conductance: ArrayLike, inner: ArrayLike, outer: ArrayLike, inner_error: ArrayLike, outer_error: ArrayLike
    ) -> _Steps:
        g = numbers("conductance", conductance)
        if g.ndim != 1 or g.size < 2:
            raise FitError(f"conductance has shape {g.shape}: at least two spectra are needed")
        rows = {"inner": inner, "outer": outer, "inner_error": inner_error, "outer_error": outer_error}
        table = {}
        for name, values in rows.items():
            try:
                table[name] = np.broadcast_to(numbers(name, values), g.shape)
            except ValueError:
                raise FitError(f"{name}: shape {np.shape(values)} does not fit {g.size} conductances") from None
        for name, values in (("conductance", g), *table.items()):
            if not np.all(np.isfinite(values)):
                raise FitError(f"{name}: {np.count_nonzero(~np.isfinite(values))} values are not finite")
        if g.max() == 0:
            raise FitError("conductance: 0 in every spectrum")
        if g.min() < 0 or min(table[name].min() for name in rows) <= 0:
            raise FitError("conductances of 0 or more, energies and errors above 0 are needed")
        if np.any(table["outer"] <= table["inner"]):
            raise FitError("an outer step lies below its inner one")
        energies, errors = (np.stack([table[f"inner{end}"], table[f"outer{end}"]]) for end in ("", "_error"))
        return cls(g, energies, errors)

    @property
    def first(self) -> tuple[float, float]:
        """Inner and outer step at the smallest conductance, meV."""
        inner, outer = self.energies[:, int(self.conductance.argmin())].tolist()
        return inner, outer


@dataclass(frozen=True, eq=False)
class _Solution:
    levels: SpinLevels
    values: FloatArray
    covariance: FloatArray  # for the errors as they were given
    chi_square: float
    aic: float

    @property
    def negative(self) -> bool:
        """Whether the exchange is, where the levels know its sign."""
        return self.levels.signed and bool(self.values[2] < 0)


def _fitted(steps: _Steps, levels: SpinLevels, start: tuple[float, float]) -> list[_Solution]:
    """The best of several starts for each sign of the exchange; none where they do not determine the parameters."""
    largest = 1e6 * float(steps.conductance.max())

    data = (steps.energies / steps.errors).ravel()

    def model(values: FloatArray) -> FloatArray:
        energies: FloatArray = levels.steps(values, steps.conductance) / steps.errors
        return energies.reshape(*values.shape[:-1], -1)

    best: dict[bool, _Solution] = {}
    for exchange in _LARGEST_EXCHANGES if levels.free == 3 else (0.0,):
        begun = np.array([*start, exchange / largest])[: levels.free]
        found = least_squares(lambda v: model(v) - data, lambda v: slopes_of(model, v), begun, noise_known=True)
        values = found.values
        covariance = inverse_normal(slopes_of(model, values))
        if covariance is None:
            continue
        solution = _Solution(levels, values, covariance, found.chi_square, _aic(steps, found.chi_square, levels.free))
        if solution.negative not in best or solution.chi_square < best[solution.negative].chi_square:
            best[solution.negative] = solution
    return list(best.values())


def slopes_of(model: Callable[[FloatArray], FloatArray], values: FloatArray) -> FloatArray:
    """Derivatives of the model's n numbers by the values, shape (n, p), of a model that takes many of these at once.

    Where levels cross the mean of a group jumps, and the best fit may lie just there: of the differences to either side
    the smaller one is the slope.
    """
    size = np.abs(values)
    steps = np.diag(_DIFFERENCE * np.maximum(size, size.max() * _DIFFERENCE))
    found = model(np.concatenate([values[None], values + steps, values - steps]))
    after, before = found[1 : 1 + values.size] - found[0], found[0] - found[1 + values.size :]
    slopes: FloatArray = np.where(np.abs(after) < np.abs(before), after, before).T / steps.diagonal()
    return slopes


def _aic(steps: _Steps, chi_square: float, free: int) -> float:
    """For errors that are known up to a common factor, which the residual gives: n ln(chi square / n) + 2 k."""
    points = steps.energies.size
    return points * math.log(max(chi_square / points, 1e-30)) + 2 * (free + 1)


def _result(steps: _Steps, best: _Solution, found: list[_Solution]) -> FitResult:
    points = steps.energies.size
    values, free = best.values.copy(), _NAMES[: best.levels.free]
    values[1] = abs(values[1])
    if best.levels.free == 3 and not best.levels.signed:
        values[2] = abs(values[2])
    reduced = best.chi_square / max(points - best.levels.free, 1)
    covariance = best.covariance * max(reduced, 1.0)
    errors = np.sqrt(np.diag(covariance))
    fit = best.levels.steps(values, steps.conductance)
    smooth = np.linspace(0.0, steps.conductance.max(), _SMOOTH)
    drawn = best.levels.steps(values, smooth)
    return FitResult(
        model="exchange",
        parameters=tuple(
            FitParameter(name, float(value), float(error), unit)
            for name, value, error, unit in zip(free, values, errors, _UNITS, strict=False)
        ),
        free=free,
        covariance=covariance,
        points=points,
        residual=float(np.sqrt(np.mean((steps.energies - fit) ** 2))),
        reduced_chi_square=reduced,
        warnings=_warnings(best, found, reduced, points, values, errors),
        curves={
            "x": np.tile(steps.conductance, 2),
            "data": steps.energies.ravel(),
            "error": steps.errors.ravel(),
            "fit": fit.ravel(),
            "residual": (steps.energies - fit).ravel(),
            "x_smooth": smooth,
            "inner_smooth": drawn[0],
            "outer_smooth": drawn[1],
            "aic": np.array([solution.aic for solution in found]),
        },
        labels={"x": "conductance", "x_unit": "S", "y": "step energy", "y_unit": "meV"},
        choices={"exchange": str(best.levels.kind)},
    )


def _warnings(
    best: _Solution, found: list[_Solution], reduced: float, points: int, values: FloatArray, errors: FloatArray
) -> tuple[str, ...]:
    warnings = []
    for kind in dict.fromkeys(solution.levels.kind for solution in found):
        rival = min(solution.aic for solution in found if solution.levels.kind is kind)
        if kind is not best.levels.kind and rival - best.aic < _DECIDED:
            warnings.append(
                f"{kind} exchange describes the steps as well as {best.levels.kind} (AIC differs by "
                f"{rival - best.aic:.1f})"
            )
    alike = [s for s in found if s.levels.kind is best.levels.kind and s.aic - best.aic < _DECIDED]
    if any(s.values[0] * best.values[0] < 0 for s in alike):
        warnings.append("the steps allow an axial anisotropy of the other sign as well, along another axis")
    turned = [s for s in alike if s.negative is not best.negative]
    if turned:
        other = min(turned, key=lambda solution: solution.aic)
        warnings.append(
            f"the sign of the exchange is open: {other.values[2]:.3g} meV/uS describes the steps as well (AIC differs "
            f"by {other.aic - best.aic:.1f})"
        )
    if reduced > 1 + _SCATTER * math.sqrt(2 / max(points - best.levels.free, 1)):
        warnings.append(
            f"the energies scatter more than their errors allow (reduced chi square {reduced:.1f}): third order and "
            "pumping pull steps off the levels; the errors are scaled, the model transport describes it"
        )
    if best.levels.free == 3 and abs(values[2]) < 3 * errors[2]:
        warnings.append("the exchange is not significant: its slope is below three standard errors")
    if best.levels.free == 3 and not best.levels.signed:
        warnings.append("without a field, the steps do not show the sign of an Ising exchange: J > 0 is shown")
    return tuple(warnings)
