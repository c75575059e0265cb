"""Rate and step of every spectrum of an SRS map (Betz et al., figures 3 and 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.batch.srs import fit_srs_batch
from stmlab.analysis.batch.srs_doubts import srs_doubts
from stmlab.analysis.iterations import NOT_REACHED, iterations
from stmlab.analysis.numbers import numbers
from stmlab.errors import FitError
from stmlab.results import FitParameter, FitResult
from stmlab.units import format_quantity

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from stmlab.arrays import FloatArray, IntArray

_QUANTITIES = (("rate", "1/s"), ("step", "A"), ("offset", "A"))


def fit_srs_map(bias: ArrayLike, amplitude: ArrayLike, frequency: ArrayLike, current: ArrayLike) -> FitResult:
    """Fit every spectrum of a map by itself, all that share their frequencies side by side.

    Args:
        bias: V, shape (n,), of each point.
        amplitude: V, shape (n,), as asked for: the same number throughout a spectrum.
        frequency: Hz, shape (n,).
        current: A, shape (n,).

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
    cells, rows = _cells(*columns[:3])
    spectra, steps = _Spectra(len(cells)), iterations()
    steps.of_many(len(cells))
    for alike in _alike(columns[2], rows):
        if spectra.curves and steps.over:
            break
        points = np.array([rows[k] for k in alike])
        spectra.fit(alike, columns[2][points[0]], columns[3][points])
    return _result(cells, spectra)


def _cells(bias: FloatArray, amplitude: FloatArray, frequency: FloatArray) -> tuple[FloatArray, list[IntArray]]:
    """Bias and amplitude of each spectrum, rising, and its points in rising frequency."""
    _, first = np.unique(bias, return_inverse=True)
    levels, second = np.unique(amplitude, return_inverse=True)
    _, start, number = np.unique(first * levels.size + second, return_index=True, return_inverse=True)
    order = np.lexsort((frequency, number))
    rows = np.split(order, np.cumsum(np.bincount(number))[:-1])
    return np.column_stack([bias[start], amplitude[start]]), rows


def _alike(frequency: FloatArray, rows: list[IntArray]) -> list[list[int]]:
    """Numbers of the spectra that have the same frequencies, together."""
    found: dict[bytes, list[int]] = {}
    for k, points in enumerate(rows):
        found.setdefault(frequency[points].tobytes(), []).append(k)
    return list(found.values())


class _Spectra:
    """What was found of each spectrum of a map."""

    def __init__(self, count: int) -> None:
        self.values = {name: np.full(count, np.nan) for name, _ in _QUANTITIES}
        self.errors = {name: np.full(count, np.nan) for name, _ in _QUANTITIES}
        self.warnings: list[list[str]] = [[] for _ in range(count)]
        self.curves: dict[int, tuple[FloatArray, FloatArray, FloatArray]] = {}

    def fit(self, alike: list[int], frequency: FloatArray, currents: FloatArray) -> None:
        """Spectra that share their frequencies."""
        try:
            fit = fit_srs_batch(frequency, currents)
        except FitError as error:
            for k in alike:
                self.warnings[k].append(str(error))
            return
        for name, _ in _QUANTITIES:
            self.values[name][alike], self.errors[name][alike] = fit[name]
        rate, step, offset = (fit[name][0][:, None] for name, _ in _QUANTITIES)
        with np.errstate(over="ignore"):
            lines = step / (1 + (2 * np.pi * frequency / rate) ** 2) + offset
        doubts = srs_doubts(frequency, currents, fit)
        for row, k in enumerate(alike):
            if fit.ok[row]:
                self.warnings[k] += doubts[row]
                self.curves[k] = frequency, currents[row], lines[row]
            elif fit.reasons[row] != NOT_REACHED:
                self.warnings[k].append(f"the {frequency.size} points give no rate: {fit.reasons[row]}")


def _result(cells: FloatArray, spectra: _Spectra) -> FitResult:
    written = {value: format_quantity(float(f"{value:.4g}"), "V") for value in np.unique(cells).tolist()}
    places = [f"bias {written[v]}, amplitude {written[a]}" for v, a in cells.tolist()]
    warnings = [f"{place}: {text}" for place, texts in zip(places, spectra.warnings, strict=True) for text in texts]
    drawn = sorted(spectra.curves)
    if not drawn:
        raise FitError(
            f"none of {len(cells)} spectra can be fitted; the first: {warnings[0] if warnings else 'no data'}"
        )
    listed = {name: (spectra.values[name].tolist(), spectra.errors[name].tolist()) for name, _ in _QUANTITIES}
    parameters = [
        FitParameter(f"{name}_{k + 1}", listed[name][0][k], listed[name][1][k], unit, places[k])
        for k in drawn
        for name, unit in _QUANTITIES
    ]
    x, data, fit = (np.concatenate([spectra.curves[k][part] for k in drawn]) for part in range(3))
    residual = data - fit
    maps = dict(spectra.values)
    maps |= {f"{name}_error": errors for name, errors in spectra.errors.items()}
    return FitResult(
        model="srs_map",
        parameters=tuple(parameters),
        free=(),  # thousands of parameters: those of different spectra have nothing to do with each other
        covariance=np.empty((0, 0)),
        points=x.size,
        residual=float(np.sqrt(np.mean(residual**2))),
        warnings=tuple(warnings),
        curves={
            "x": x,
            "data": data,
            "fit": fit,
            "residual": residual,
            "bias": cells[:, 0],
            "amplitude": cells[:, 1],
            **maps,
        },
        labels={"x": "microwave frequency", "x_unit": "Hz", "x_scale": "log", "y": "SRS current", "y_unit": "A"},
    )
