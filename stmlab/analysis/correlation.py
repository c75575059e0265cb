"""The correlation C between the tip's electrons and its spin, from asymmetries against conductance (Muenks et al.).

With C, electrons that excite the spin below are more likely in one direction: the steps at negative and positive bias
have different heights, eta = (h_n - h_p) / (h_n + h_p), the more the better the exchange polarises the spins. The
model's spectra are computed at each conductance, pumping and third order included, and their steps are read with the
same fit as the measured ones: what that fit does to an asymmetry, it does to both.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.analysis.iterations import iterations
from stmlab.analysis.marquardt import least_squares
from stmlab.analysis.numbers import finite, numbers
from stmlab.analysis.steps import fit_steps
from stmlab.analysis.transport.model import SpinParameters, SpinSetting, spectra
from stmlab.errors import FitEnded, FitError, PhysicsError
from stmlab.physics.coupled_tip import ExchangeKind
from stmlab.results import FitParameter, FitResult

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from stmlab.arrays import FloatArray

_NODES = 9  # correlations at which the model is computed; between them, a polynomial through all
_TRIALS = 401
_SCATTER = 2.0
_FAR_AGAIN = 9.0  # chi square of a second minimum above the first: three standard deviations


def fit_correlation(
    conductance: ArrayLike,
    eta_inner: ArrayLike,
    eta_outer: ArrayLike,
    eta_inner_error: ArrayLike,
    eta_outer_error: ArrayLike,
    *,
    setting: SpinSetting,
    parameters: SpinParameters,
    bias: ArrayLike | None = None,
    method: str = "steps",
) -> FitResult:
    """Fit C to the asymmetries of both steps.

    Args:
        conductance: of the junction, S, shape (n,).
        eta_inner: asymmetry of the inner step, shape (n,); nan where it is not known.
        eta_outer: of the outer step.
        eta_inner_error: standard errors, shape (n,) or one number.
        eta_outer_error: the same of the outer step.
        setting: kind of exchange, field, modulation, order, relaxation: what is known.
        parameters: anisotropies, exchange, temperature, J rho; its correlation is what is fitted here.
        bias: axis of the spectra, V; 201 points within 10 mV by default.
        method: of `fit_steps` by which the asymmetries were found.

    Returns:
        Parameter "correlation". Curves "x" (S), "data", "error", "fit", "residual" hold the inner and then the outer
        asymmetries.

    Raises:
        FitError: the data do not suffice for the fit, or the model shows two pairs of steps at no conductance. One at
            which it does not is left out, with a warning.
    """
    if setting.exchange is ExchangeKind.NONE:
        raise FitError("setting: without exchange the electrons' correlation with the tip's spin has no effect")
    etas = _Asymmetries.checked(conductance, eta_inner, eta_outer, eta_inner_error, eta_outer_error)
    axis = np.linspace(-10e-3, 10e-3, 201) if bias is None else np.unique(finite("bias", bias))
    model = _Model.computed(etas.conductance, setting, parameters, axis, method)
    etas, left_out = _readable(etas, model)
    correlation, error, chi_square, doubts = _solved(etas, model)
    return _result(etas, model, correlation, error, chi_square, (*left_out, *doubts))


@dataclass(frozen=True, eq=False)
class _Asymmetries:
    """What was measured; rows: inner, outer; nan is left out."""

    conductance: FloatArray  # (n,)
    eta: FloatArray  # (2, n)
    error: FloatArray  # (2, n)

    @classmethod
    def checked(cls, conductance: ArrayLike, *rows: ArrayLike) -> _Asymmetries:
        g = numbers("conductance", conductance)
        if g.ndim != 1 or g.size == 0 or not np.all(np.isfinite(g)) or g.min() <= 0:
            raise FitError("conductance: a row of finite values above 0 is needed")
        names = ("eta_inner", "eta_outer", "eta_inner_error", "eta_outer_error")
        table = []
        for name, values in zip(names, rows, strict=True):
            try:
                table.append(np.broadcast_to(numbers(name, values), g.shape))
            except ValueError:
                raise FitError(f"{name}: shape {np.shape(values)} does not fit {g.size} conductances") from None
        eta, error = np.stack(table[:2]), np.stack(table[2:])
        known = np.isfinite(eta) & np.isfinite(error)
        if np.any(error[known] <= 0):
            raise FitError("errors of the asymmetries: values above 0 are needed")
        if not known.any():
            raise FitError("no asymmetry is known: there is nothing to fit")
        return cls(g, np.where(known, eta, np.nan), np.where(known, error, np.nan))


@dataclass(frozen=True, eq=False)
class _Model:
    """Asymmetries of the model at Chebyshev nodes of C, interpolated in between."""

    coefficients: FloatArray  # (nodes, 2 n); nan where the model's spectra do not show both steps at every node
    reason: str = ""  # why not, at the first of them

    @classmethod
    def computed(
        cls, conductance: FloatArray, setting: SpinSetting, parameters: SpinParameters, bias: FloatArray, method: str
    ) -> _Model:
        nodes = np.polynomial.chebyshev.chebpts2(_NODES)
        etas, reason = np.full((_NODES, 2, conductance.size), math.nan), ""
        for place, g in enumerate(conductance):
            try:
                for node, c in enumerate(nodes.tolist()):
                    iterations().refuse_if_over()
                    etas[node, :, place] = _asymmetries(
                        float(g), setting, replace(parameters, correlation=c), bias, method
                    )
            except FitEnded:
                raise
            except (FitError, PhysicsError) as error:
                reason = reason or f"the model at {g:.4g} S and C = {c:.3g}: {error}"
                etas[:, :, place] = math.nan
        rows = etas.reshape(_NODES, -1)
        coefficients, known = np.full(rows.shape, math.nan), np.isfinite(rows).all(axis=0)
        coefficients[:, known] = np.polynomial.chebyshev.chebfit(nodes, rows[:, known], _NODES - 1)
        return cls(coefficients, reason)

    def eta(self, correlation: float | FloatArray) -> FloatArray:
        """Asymmetries, shape (2 n,) or (2 n, m) for m correlations."""
        return np.asarray(np.polynomial.chebyshev.chebval(correlation, self.coefficients), dtype=float)

    def slope(self, correlation: float) -> FloatArray:
        """Derivative by C, shape (2 n,)."""
        derivative = np.polynomial.chebyshev.chebder(self.coefficients)
        return np.asarray(np.polynomial.chebyshev.chebval(correlation, derivative), dtype=float)


def _asymmetries(
    conductance: float, setting: SpinSetting, parameters: SpinParameters, bias: FloatArray, method: str
) -> tuple[float, float]:
    """Inner and outer asymmetry of the model's spectrum at one conductance."""
    fit = fit_steps(
        bias,
        spectra(setting, parameters, np.array([conductance]), bias)[0],
        temperature_K=parameters.temperature_K,
        modulation_V=setting.modulation_V,
        pairs=2,
        method=method,
    )
    return fit["eta_inner"].value, fit["eta_outer"].value


def _readable(etas: _Asymmetries, model: _Model) -> tuple[_Asymmetries, tuple[str, ...]]:
    """The asymmetries that the model has as well, and what is to say of the others."""
    unread = np.isnan(model.coefficients[0]).reshape(etas.eta.shape)
    if np.all(unread | np.isnan(etas.eta)):
        raise FitError(model.reason)
    if not np.any(unread):
        return etas, ()
    at = ", ".join(f"{g:.3g} S" for g in etas.conductance[unread[0]])
    left_out = f"left out, because the model shows no two pairs of steps there: {at}"
    return replace(etas, eta=np.where(unread, math.nan, etas.eta)), (left_out,)


def _solved(etas: _Asymmetries, model: _Model) -> tuple[float, float, float, tuple[str, ...]]:
    """C, its error (for the errors as given), chi square, and warnings."""
    known = np.isfinite(etas.eta.ravel())
    data, error = etas.eta.ravel()[known], etas.error.ravel()[known]

    def left(correlation: float) -> FloatArray:
        wrong: FloatArray = (model.eta(correlation)[known] - data) / error
        return wrong

    trials = np.linspace(-1.0, 1.0, _TRIALS)
    squares = (((model.eta(trials)[known] - data[:, None]) / error[:, None]) ** 2).sum(axis=0)
    found = least_squares(
        lambda v: left(float(v[0])),
        lambda v: (model.slope(float(v[0]))[known] / error)[:, None],
        trials[[squares.argmin()]],
        noise_known=True,
    )
    covariance = found.covariance
    if covariance is None:
        raise FitError("the asymmetries do not depend on the correlation: no value can be found")
    correlation = float(found.values[0])
    return correlation, math.sqrt(float(covariance[0, 0])), found.chi_square, _second_minimum(trials, squares)


def _second_minimum(trials: FloatArray, squares: FloatArray) -> tuple[str, ...]:
    """Where other correlations describe the asymmetries nearly as well."""
    inner = np.flatnonzero((squares[1:-1] <= squares[:-2]) & (squares[1:-1] < squares[2:])) + 1
    ends = [k for k, beside in ((0, 1), (trials.size - 1, trials.size - 2)) if squares[k] < squares[beside]]
    minima = sorted([*inner.tolist(), *ends], key=lambda k: float(squares[k]))
    return tuple(
        f"C = {trials[k]:.2f} describes the asymmetries nearly as well"
        for k in minima[1:]
        if squares[k] - squares[minima[0]] < _FAR_AGAIN
    )


def _result(
    etas: _Asymmetries, model: _Model, correlation: float, error: float, chi_square: float, warnings: tuple[str, ...]
) -> FitResult:
    known = np.isfinite(etas.eta.ravel())
    points = int(np.count_nonzero(known))
    reduced = chi_square / (points - 1) if points > 1 else math.nan
    error *= math.sqrt(max(reduced, 1.0)) if points > 1 else 1.0
    data, fit = etas.eta.ravel()[known], model.eta(correlation)[known]
    return FitResult(
        model="correlation",
        parameters=(FitParameter("correlation", correlation, error),),
        free=("correlation",),
        covariance=np.array([[error**2]]),
        points=points,
        residual=float(np.sqrt(np.mean((data - fit) ** 2))),
        reduced_chi_square=reduced if points > 1 else None,
        warnings=(*warnings, *_doubts(correlation, error, reduced, points, etas)),
        curves={
            "x": np.tile(etas.conductance, 2)[known],
            "data": data,
            "error": etas.error.ravel()[known],
            "fit": fit,
            "residual": data - fit,
        },
        labels={"x": "conductance", "x_unit": "S", "y": "asymmetry eta", "y_unit": ""},
    )


def _doubts(correlation: float, error: float, reduced: float, points: int, etas: _Asymmetries) -> tuple[str, ...]:
    found: list[Any] = []
    if abs(correlation) > 1:
        found.append(f"C = {correlation:.3g} lies beyond what a correlation can be: the model does not hold")
    if reduced > _SCATTER:
        found.append(
            f"the asymmetries scatter more than their errors allow (reduced chi square {reduced:.1f}): the error is "
            "scaled, and the model may not hold"
        )
    if abs(correlation) < 3 * error:
        found.append("the correlation is not significant: below three standard errors")
    if missing := etas.eta.size - points:
        found.append(f"{missing} of {etas.eta.size} asymmetries are not known and left out")
    return tuple(found)
