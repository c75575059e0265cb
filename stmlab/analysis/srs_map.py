"""Rate and step of every spectrum of an SRS map (Betz et al., figures 3 and 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.batch.srs import fit_srs_batch
from stmlab.analysis.batch.srs_doubts import srs_doubts
from stmlab.analysis.iterations import NOT_REACHED, iterations
from stmlab.analysis.numbers import numbers
from stmlab.errors import FitError
from stmlab.results import FitResult, ParametersOfCurves
from stmlab.units import format_quantity

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    spectra, steps = _Spectra(columns[2][order], columns[3][order], sizes), iterations()
    steps.of_many(len(cells))
    for alike in spectra.alike():
        if spectra.ok.any() and steps.over:
            break
        spectra.fit(alike)
    return _result(cells, spectra)


def _cells(
    bias: FloatArray, amplitude: FloatArray, frequency: FloatArray
) -> tuple[FloatArray, IntArray | slice, IntArray]:
    """Bias and amplitude of each spectrum, rising; its points in rising frequency, one after another; and how many."""
    changes = np.ones(bias.size, dtype=bool)
    changes[1:] = (bias[1:] != bias[:-1]) | (amplitude[1:] != amplitude[:-1])
    begins = np.flatnonzero(changes)  # of runs of points of one spectrum, which are few
    _, first = np.unique(bias[begins], return_inverse=True)
    levels, second = np.unique(amplitude[begins], return_inverse=True)
    _, start, number = np.unique(first * levels.size + second, return_index=True, return_inverse=True)
    lengths = np.diff(begins, append=bias.size)
    sizes = np.bincount(number, weights=lengths).astype(int)
    order: IntArray | slice = slice(None)
    falling = (np.diff(frequency) < 0) & ~changes[1:]
    if falling.any() or (np.diff(number) <= 0).any():
        order = np.lexsort((frequency, np.repeat(number, lengths)))
    return np.column_stack([bias[begins[start]], amplitude[begins[start]]]), order, sizes


class _Spectra:
    """Points of the spectra of a map, one spectrum after the other, and what was found of each."""

    def __init__(self, frequency: FloatArray, current: FloatArray, sizes: IntArray) -> None:
        self.frequency, self.current, self.sizes = frequency, current, sizes
        self.fitted, self.ok = np.empty_like(current), np.zeros(sizes.size, dtype=bool)
        self.values = {name: np.full(sizes.size, np.nan) for name, _ in _QUANTITIES}
        self.errors = {name: np.full(sizes.size, np.nan) for name, _ in _QUANTITIES}
        self.warnings: list[tuple[int, str]] = []

    def alike(self) -> Iterator[IntArray]:
        """Numbers of the spectra that have the same frequencies, together."""
        for size in np.unique(self.sizes).tolist():
            numbers = np.flatnonzero(self.sizes == size)
            frequencies = self.frequency[self._points(numbers)].reshape(-1, size)
            begins = np.ones(numbers.size, dtype=bool)  # of runs of spectra that have the same, which are few
            begins[1:] = (frequencies[1:] != frequencies[:-1]).any(axis=1)
            _, kind = np.unique(frequencies[begins], axis=0, return_inverse=True)
            kinds = kind.ravel()[np.cumsum(begins) - 1]
            for k in range(kinds.max() + 1):
                yield numbers[kinds == k]

    def _points(self, alike: IntArray) -> IntArray | slice:
        """Where the points of spectra that have equally many are, one spectrum after the other."""
        if alike.size == self.sizes.size:  # all: nothing is copied
            return slice(None)
        begins = (np.cumsum(self.sizes) - self.sizes)[alike]
        places: IntArray = (begins[:, None] + np.arange(self.sizes[alike[0]])).ravel()
        return places

    @property
    def curves(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Frequency, current and fit of those that were fitted, one after the other, each (n,)."""
        drawn = np.flatnonzero(np.repeat(self.ok, self.sizes))
        return self.frequency.take(drawn), self.current.take(drawn), self.fitted.take(drawn)

    def fit(self, alike: IntArray) -> None:
        """Spectra that share their frequencies."""
        points, numbers = self._points(alike), alike.tolist()
        frequency = self.frequency[points][: self.sizes[numbers[0]]]
        currents = self.current[points].reshape(-1, frequency.size)
        try:
            fit = fit_srs_batch(frequency, currents)
        except FitError as error:
            self.warnings += [(k, str(error)) for k in numbers]
            return
        for name, _ in _QUANTITIES:
            self.values[name][alike], self.errors[name][alike] = fit[name]
        rate, step, offset = (fit[name][0][:, None] for name, _ in _QUANTITIES)
        with np.errstate(over="ignore"):
            lines = rate**-2 * (2 * np.pi * frequency) ** 2
        lines += 1.0
        np.divide(step, lines, out=lines)
        lines += offset
        self.fitted[points] = lines.ravel()
        self.ok[alike] = fit.ok
        self.warnings += [(numbers[k], text) for k, text in srs_doubts(frequency, currents, fit)]
        self.warnings += [
            (k, f"the {frequency.size} points give no rate: {reason}")
            for k, reason in zip(numbers, fit.reasons, strict=True)
            if reason not in ("", NOT_REACHED)
        ]


def _result(cells: FloatArray, spectra: _Spectra) -> FitResult:
    different, numbers = np.unique(cells.T, return_inverse=True)
    written = [format_quantity(float(f"{value:.4g}"), "V") for value in different.tolist()]
    places = [
        f"bias {written[v]}, amplitude {written[a]}" for v, a in zip(*numbers.reshape(2, -1).tolist(), strict=True)
    ]
    warnings = [f"{places[k]}: {text}" for k, text in sorted(spectra.warnings, key=lambda one: one[0])]
    if not spectra.ok.any():
        raise FitError(
            f"none of {len(cells)} spectra can be fitted; the first: {warnings[0] if warnings else 'no data'}"
        )
    drawn = np.flatnonzero(spectra.ok)
    parameters = ParametersOfCurves(
        names=tuple(name for name, _ in _QUANTITIES),
        units=tuple(unit for _, unit in _QUANTITIES),
        curves=drawn + 1,
        at=tuple(places[k] for k in drawn.tolist()),
        values=np.column_stack([spectra.values[name][drawn] for name, _ in _QUANTITIES]),
        errors=np.column_stack([spectra.errors[name][drawn] for name, _ in _QUANTITIES]),
    )
    x, data, fit = spectra.curves
    residual = data - fit
    maps = dict(spectra.values)
    maps |= {f"{name}_error": errors for name, errors in spectra.errors.items()}
    return FitResult(
        model="srs_map",
        parameters=parameters,
        free=(),  # thousands of parameters: those of different spectra have nothing to do with each other
        covariance=np.empty((0, 0)),
        points=x.size,
        residual=float(np.sqrt(residual @ residual / x.size)),
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
