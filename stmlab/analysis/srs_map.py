"""Rate and step of every spectrum of an SRS map (Betz et al., figures 3 and 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.lorentzian import fit_srs
from stmlab.analysis.numbers import numbers
from stmlab.errors import FitError
from stmlab.results import FitParameter, FitResult
from stmlab.units import format_quantity

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

_QUANTITIES = (("rate", "1/s"), ("step", "A"), ("offset", "A"))


def fit_srs_map(
    bias: ArrayLike, amplitude: ArrayLike, frequency: ArrayLike, current: ArrayLike, *, harmonics: int = 1
) -> FitResult:
    """Fit every spectrum of a map by itself.

    Args:
        bias: V, shape (n,), of each point.
        amplitude: V, shape (n,), as asked for: the same number throughout a spectrum.
        frequency: Hz, shape (n,).
        current: A, shape (n,).
        harmonics: see `fit_srs`.

    Returns:
        Parameters "rate_k" (1/s) and "step_k", "offset_k" (A) of the k-th spectrum, k from 1, in the order of bias and
        amplitude; those of a spectrum that cannot be fitted or has no significant step (as where it changes sign) are
        left out, and a warning says why. Curves "bias",
        "amplitude", "rate", "rate_error", "step", "step_error" hold one value per spectrum (nan where there is none),
        "x", "data", "fit" all points, frequency against current.

    Raises:
        FitError: no spectrum can be fitted, or the arrays do not match.
    """
    given = {"bias": bias, "amplitude": amplitude, "frequency": frequency, "current": current}
    columns = [numbers(name, values) for name, values in given.items()]
    if len({column.shape for column in columns}) > 1 or columns[0].ndim != 1:
        raise FitError(f"bias, amplitude, frequency, current have shapes {[c.shape for c in columns]}: one is needed")
    where = np.column_stack(columns[:2])
    cells = np.unique(where, axis=0)
    map_ = {f"{name}{suffix}": np.full(len(cells), np.nan) for name, _ in _QUANTITIES for suffix in ("", "_error")}
    parameters, warnings, drawn = list[FitParameter](), list[str](), list[FitResult]()
    for k, cell in enumerate(cells):
        inside = np.all(where == cell, axis=1)
        place = ", ".join(
            f"{what} {format_quantity(float(f'{value:.4g}'), 'V')}"
            for what, value in zip(("bias", "amplitude"), cell, strict=True)
        )
        try:
            fit = fit_srs(columns[2][inside], columns[3][inside], harmonics=harmonics)
        except FitError as error:
            warnings.append(f"{place}: {error}")
            continue
        warnings += [f"{place}: {warning}" for warning in fit.warnings]
        drawn.append(fit)
        for name, unit in _QUANTITIES:
            map_[name][k], map_[f"{name}_error"][k] = fit[name].value, fit[name].error
            parameters.append(FitParameter(f"{name}_{k + 1}", fit[name].value, fit[name].error, unit, place))
    if not drawn:
        raise FitError(
            f"none of {len(cells)} spectra can be fitted; the first: {warnings[0] if warnings else 'no data'}"
        )
    curves = {name: np.concatenate([fit.curves[name] for fit in drawn]) for name in ("x", "data", "fit", "residual")}
    return FitResult(
        model="srs_map",
        parameters=tuple(parameters),
        free=tuple(parameter.name for parameter in parameters),
        covariance=np.diag([parameter.error**2 for parameter in parameters]),
        points=len(curves["x"]),
        residual=float(np.sqrt(np.mean(curves["residual"] ** 2))),
        warnings=tuple(warnings),
        curves={**curves, "bias": cells[:, 0], "amplitude": cells[:, 1], **map_},
        labels={"x": "microwave frequency", "x_unit": "Hz", "x_scale": "log", "y": "SRS current", "y_unit": "A"},
    )
