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
    cells, order, sizes = _cells(*columns[:3])
    spectra, steps = _Spectra(sizes), iterations()
    steps.of_many(len(cells))
    for alike in _alike(columns[2][order], sizes):
        if spectra.ok.any() and steps.over:
            break
        points = order[spectra.points(alike)]
        spectra.fit(alike, columns[2][points[0]], columns[3][points])
    return _result(cells, spectra)


def _cells(bias: FloatArray, amplitude: FloatArray, frequency: FloatArray) -> tuple[FloatArray, IntArray, IntArray]:
    """Bias and amplitude of each spectrum, rising; its points in rising frequency, one after another; and how many."""
    changes = (np.diff(bias, prepend=np.nan) != 0) | (np.diff(amplitude, prepend=np.nan) != 0)
    begins = np.flatnonzero(changes)  # of runs of points of one spectrum, which are few
    _, first = np.unique(bias[begins], return_inverse=True)
    levels, second = np.unique(amplitude[begins], return_inverse=True)
    _, start, number = np.unique(first * levels.size + second, return_index=True, return_inverse=True)
    lengths = np.diff(begins, append=bias.size)
    sizes = np.bincount(number, weights=lengths).astype(int)
    order = np.arange(bias.size)
    falling = (np.diff(frequency) < 0) & ~changes[1:]
    if falling.any() or (np.diff(number) <= 0).any():
        order = np.lexsort((frequency, np.repeat(number, lengths)))
    return np.column_stack([bias[begins[start]], amplitude[begins[start]]]), order, sizes


def _alike(frequency: FloatArray, sizes: IntArray) -> list[IntArray]:
    """Numbers of the spectra that have the same frequencies, together."""
    found: dict[bytes, list[int]] = {}
    ends = np.cumsum(sizes).tolist()
    for k, (begin, end) in enumerate(zip([0, *ends], ends, strict=False)):
        found.setdefault(frequency[begin:end].tobytes(), []).append(k)
    return [np.array(numbers) for numbers in found.values()]


class _Spectra:
    """What was found of each spectrum of a map, and the curves of all of them, one after the other."""

    def __init__(self, sizes: IntArray) -> None:
        self.sizes, self.ok = sizes, np.zeros(sizes.size, dtype=bool)
        self.values = {name: np.full(sizes.size, np.nan) for name, _ in _QUANTITIES}
        self.errors = {name: np.full(sizes.size, np.nan) for name, _ in _QUANTITIES}
        self.warnings: list[list[str]] = [[] for _ in range(sizes.size)]
        self._curves: list[tuple[IntArray, FloatArray]] = []

    def points(self, alike: IntArray) -> IntArray:
        """Numbers of the points of spectra that have equally many, (m, n)."""
        begins = (np.cumsum(self.sizes) - self.sizes)[alike]
        numbers: IntArray = begins[:, None] + np.arange(self.sizes[alike[0]])
        return numbers

    @property
    def curves(self) -> FloatArray:
        """Frequency, current and fit of those that were fitted, one after the other, (3, n)."""
        spectra, curves = (np.concatenate(parts, axis=-1) for parts in zip(*self._curves, strict=True))
        rising: FloatArray = curves if len(self._curves) == 1 else curves[:, np.argsort(spectra, kind="stable")]
        return rising

    def fit(self, alike: IntArray, frequency: FloatArray, currents: FloatArray) -> None:
        """Spectra that share their frequencies."""
        try:
            fit = fit_srs_batch(frequency, currents)
        except FitError as error:
            for k in alike.tolist():
                self.warnings[k].append(str(error))
            return
        for name, _ in _QUANTITIES:
            self.values[name][alike], self.errors[name][alike] = fit[name]
        rate, step, offset = (fit[name][0][:, None] for name, _ in _QUANTITIES)
        with np.errstate(over="ignore"):
            lines = step / (1 + (2 * np.pi * frequency / rate) ** 2) + offset
        self.ok[alike] = fit.ok
        curves = np.broadcast_to(frequency, lines.shape)[fit.ok], currents[fit.ok], lines[fit.ok]
        self._curves.append((np.repeat(alike[fit.ok], frequency.size), np.reshape(curves, (3, -1))))
        doubts = srs_doubts(frequency, currents, fit)
        for k, ok, texts, reason in zip(alike.tolist(), fit.ok.tolist(), doubts, fit.reasons, strict=True):
            if ok:
                self.warnings[k] += texts
            elif reason != NOT_REACHED:
                self.warnings[k].append(f"the {frequency.size} points give no rate: {reason}")


def _result(cells: FloatArray, spectra: _Spectra) -> FitResult:
    written = {value: format_quantity(float(f"{value:.4g}"), "V") for value in np.unique(cells).tolist()}
    places = [f"bias {written[v]}, amplitude {written[a]}" for v, a in cells.tolist()]
    warnings = [f"{place}: {text}" for place, texts in zip(places, spectra.warnings, strict=True) for text in texts]
    if not spectra.ok.any():
        raise FitError(
            f"none of {len(cells)} spectra can be fitted; the first: {warnings[0] if warnings else 'no data'}"
        )
    drawn = np.flatnonzero(spectra.ok).tolist()
    columns = [
        (f"{name}_", unit, spectra.values[name].tolist(), spectra.errors[name].tolist()) for name, unit in _QUANTITIES
    ]
    parameters = [
        FitParameter(f"{name}{k + 1}", values[k], errors[k], unit, places[k])
        for k in drawn
        for name, unit, values, errors in columns
    ]
    x, data, fit = spectra.curves
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
