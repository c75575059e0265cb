"""The transfer function of a radio-frequency line, from the current that a non-linear junction rectifies.

A junction whose conductance depends on the voltage, but on nothing that is slow, turns a microwave of amplitude A into
a direct current (1/4) I'' A^2, whatever the frequency (Paul et al., Rev. Sci. Instrum. 87, 074703). So the ratio of two
rectified currents is the square of the ratio of two transfers. Where A is not small the next order counts; measured at
two or more amplitudes at the connector it is fitted, one number for the whole band:

    I(f, a) = T(f) a^2 + q T(f)^2 a^4,        magnitude(f) = reference + 10 log10(T(f) / T(reference))
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.numbers import finite, number
from stmlab.errors import FitError
from stmlab.results import FitParameter, FitResult

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from stmlab.arrays import FloatArray

_STEPS = 100
_CONVERGED = 1e-12
_DECIBELS = 10 / math.log(10)  # of a relative change of the current
_LARGE_QUARTIC = 0.3  # of the quadratic part: the order after the next is then not small either
_POOR_DECIBELS = 0.2
_PARTS = 8  # of the band, in each of which the law of rectification is looked at by itself
_UNLIKELY = 1e-4  # probability
_ROUNDING = 1e-9  # of the current: less is no noise


def fit_transfer(
    frequency: ArrayLike, amplitude: ArrayLike, current: ArrayLike, *, reference_dB: float, sigma: float | None = None
) -> FitResult:
    """Magnitude of the transfer at every frequency, relative to the first one measured, whose magnitude is known.

    Args:
        frequency: Hz, shape (n,); the first is the reference. Each frequency at each amplitude.
        amplitude: V at the generator's connector, shape (n,).
        current: rectified current, A, shape (n,).
        reference_dB: magnitude at the reference frequency.
        sigma: standard deviation of the noise of a point, A; without it, that of the residual.

    Returns:
        Parameters "quartic" (q T a^2 at its largest: the share of the next order) and "span" (largest less least
        magnitude, dB). Curves "x", "data", "fit" are the currents at the largest amplitude; "magnitude_dB"
        and "magnitude_error_dB" (relative to the reference) the result, in rising frequency.

    Raises:
        FitError: the data do not suffice for the fit.
    """
    f, amplitudes, currents = _grid(frequency, amplitude, current)
    if not math.isfinite(number("reference_dB", reference_dB)):
        raise FitError(f"reference_dB = {reference_dB!r}: a finite number is needed")
    if sigma is not None and not number("sigma", sigma) > 0:
        raise FitError(f"sigma = {sigma!r} A: a value above 0 is needed")
    reference = int(np.flatnonzero(f == finite("frequency", frequency)[0])[0])
    rectified = _rectified(amplitudes, currents)
    if not np.all(rectified.strength > 0):
        worst = f[rectified.strength.argmin()]
        raise FitError(f"no rectified current at {worst:.4g} Hz: a larger amplitude or more averages are needed")
    noise = _noise(rectified, currents, sigma)
    error = _DECIBELS * noise * rectified.relative_error(reference)
    magnitude = reference_dB + _DECIBELS * np.log(rectified.strength / rectified.strength[reference])
    least, largest = int(magnitude.argmin()), int(magnitude.argmax())
    span_error = _DECIBELS * noise * float(rectified.relative_error(largest)[least])
    quartic_error = noise * rectified.quartic_error
    return FitResult(
        model="transfer",
        parameters=(
            FitParameter("quartic", rectified.quartic, quartic_error),
            FitParameter("span", float(magnitude[largest] - magnitude[least]), span_error, "dB"),
        ),
        free=("quartic",),
        covariance=np.array([[quartic_error**2]]),
        points=currents.size,
        residual=float(np.sqrt(np.mean((currents - rectified.fit) ** 2))),
        warnings=_warnings(f, amplitudes, rectified, error, noise),
        curves={
            "x": f,
            "data": currents[:, -1],
            "fit": rectified.fit[:, -1],
            "residual": currents[:, -1] - rectified.fit[:, -1],
            "magnitude_dB": magnitude,
            "magnitude_error_dB": error,
        },
        labels={"x": "frequency", "x_unit": "Hz", "x_scale": "log", "y": "rectified current", "y_unit": "A"},
    )


def transfer_table(fit: FitResult, *, date: str, source: str) -> str:
    """A fit as the table that a station's radio-frequency path reads: frequency_Hz, magnitude_dB, phase_deg.

    Args:
        fit: of `fit_transfer`.
        date: ISO 8601, of the measurement.
        source: what was measured, one line.
    """
    errors = fit.curves["magnitude_error_dB"]
    head = [
        f"# date: {date}",
        f"# source: {source}",
        "# from the generator's connector to the junction, by rectification",
        "# right if the junction has no dynamics in the band: a spin that relaxes there is taken for the line",
        "# the phase is not measured: rectification does not see it, and 0 is written",
        f"# standard error against the first frequency: {np.median(errors):.3f} dB, at most {errors.max():.3f} dB",
        *(f"# warning: {warning}" for warning in fit.warnings),
        "frequency_Hz,magnitude_dB,phase_deg",
    ]
    rows = zip(fit.curves["x"].tolist(), fit.curves["magnitude_dB"].tolist(), strict=True)
    return "\n".join(head + [f"{f:.12g},{magnitude:.4f},0" for f, magnitude in rows]) + "\n"


@dataclass(frozen=True, eq=False)
class _Rectified:
    """Least squares of strength(f) u + q strength(f)^2 u^2; errors for unit noise of a current."""

    strength: FloatArray  # T times the square of the largest amplitude, shape (F,), A
    quartic: float  # q times the largest strength
    quartic_error: float  # per A of noise
    own: FloatArray  # variance of each strength alone, over the square of the noise
    shared: FloatArray  # response of each strength to the common quartic error, times that error
    fit: FloatArray  # shape (F, L), A
    contrast: FloatArray  # what the common quartic leaves of each frequency's own, A, as noisy as a current; shape (F,)

    def relative_error(self, reference: int) -> FloatArray:
        """Of each strength over that of the reference, per A of noise."""
        own, shared = self.own / self.strength**2, self.shared / self.strength
        variance = own + own[reference] + (shared - shared[reference]) ** 2
        variance[reference] = 0.0
        error: FloatArray = np.sqrt(variance)
        return error


def _rectified(amplitudes: FloatArray, currents: FloatArray) -> _Rectified:
    """Gauss-Newton; each strength meets only the quartic term, so that each step is solved by elimination."""
    sign = 1.0 if np.median(currents[:, -1]) >= 0 else -1.0
    unit = float(np.abs(currents).max())
    y, u = sign * currents / unit, (amplitudes / amplitudes[-1]) ** 2
    strength, q = y @ u / (u @ u), 0.0
    for _ in range(_STEPS):
        power = strength[:, None] * u
        left = y - power - q * power**2
        slope, quartic_slope = u * (1 + 2 * q * power), power**2
        a, b = (slope**2).sum(axis=1), (slope * quartic_slope).sum(axis=1)
        g = (slope * left).sum(axis=1)
        known = float((quartic_slope**2).sum() - (b**2 / a).sum())
        step = float((quartic_slope * left).sum() - (b * g / a).sum()) / known if u.size > 1 else 0.0
        change = (g - b * step) / a
        strength, q = strength + change, q + step
        if np.abs(change).max() <= _CONVERGED * np.abs(strength).max():
            break
    else:
        raise FitError("the rectified currents follow no square law: a smaller amplitude is needed")
    across = quartic_slope - slope * (b / a)[:, None]  # of the quartic term, what no strength can make
    contrast = (left * across).sum(axis=1) / np.sqrt((across**2).sum(axis=1)) if u.size > 1 else np.zeros_like(strength)
    largest, power = float(strength.max()), strength[:, None] * u
    quartic_error = 1 / math.sqrt(known) if u.size > 1 else 0.0
    return _Rectified(
        strength=strength * unit,
        quartic=q * largest,
        quartic_error=quartic_error * largest / unit,
        own=1 / a,
        shared=b / a * quartic_error,
        fit=sign * unit * (power + q * power**2),
        contrast=unit * contrast,
    )


def _noise(rectified: _Rectified, currents: FloatArray, sigma: float | None) -> float:
    if sigma is not None:
        return sigma
    frequencies, levels = currents.shape
    if levels == 1:
        return math.nan
    degrees = frequencies * levels - frequencies - 1
    return math.sqrt(float(((currents - rectified.fit) ** 2).sum()) / degrees)


def _warnings(
    f: FloatArray, amplitudes: FloatArray, rectified: _Rectified, error: FloatArray, noise: float
) -> tuple[str, ...]:
    found = []
    if (
        amplitudes.size > 1
        and noise > _ROUNDING * rectified.strength.max()
        and _law_differs(f, rectified.contrast / noise)
    ):
        found.append(
            "the current grows differently with the power in different parts of the band: the junction has dynamics "
            "there (a spin that relaxes), or is driven too far; the magnitudes are not those of the line"
        )
    if amplitudes.size == 1:
        found.append("measured at one amplitude: the square law is taken for granted, and errors are not known")
    if abs(rectified.quartic) > _LARGE_QUARTIC:
        found.append(f"the next order is {rectified.quartic:.0%} of the square law: a smaller amplitude is safer")
    if np.any(poor := error > _POOR_DECIBELS):
        found.append(
            f"{np.count_nonzero(poor)} magnitudes have errors above {_POOR_DECIBELS} dB, at {f[poor][0]:.4g} Hz"
        )
    return tuple(found)


def _law_differs(f: FloatArray, contrast: FloatArray) -> bool:
    """Whether the means of the contrast (of unit variance) over parts of the band are more than noise."""
    from scipy.stats import chi2

    part = np.floor(_PARTS * np.log(f / f[0]) / math.log(f[-1] / f[0]) * (1 - 1e-9)).astype(int)
    sums, counts = np.bincount(part, contrast, _PARTS), np.bincount(part, minlength=_PARTS)
    filled = counts > 0
    square = float((sums[filled] ** 2 / counts[filled]).sum())
    return bool(chi2.sf(square, np.count_nonzero(filled) - 1) < _UNLIKELY)


def _grid(frequency: ArrayLike, amplitude: ArrayLike, current: ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Frequencies (F,) and amplitudes (L,), rising, and the currents (F, L)."""
    columns = []
    for name, values in (("frequency", frequency), ("amplitude", amplitude), ("current", current)):
        column = finite(name, values)
        if column.ndim != 1:
            raise FitError(f"{name} has shape {column.shape}: one value a point is needed")
        columns.append(column)
    f, a, y = columns
    if not f.size == a.size == y.size:
        raise FitError(f"{f.size} frequencies, {a.size} amplitudes, {y.size} currents: one of each a point is needed")
    if f.size == 0 or f.min() <= 0 or a.min() <= 0:
        raise FitError("frequency and amplitude: values above 0 are needed")
    frequencies, row = np.unique(f, return_inverse=True)
    amplitudes, column_ = np.unique(a, return_inverse=True)
    if frequencies.size < 3:
        raise FitError(f"{frequencies.size} frequencies: at least 3 are needed")
    place, cells = row * amplitudes.size + column_, frequencies.size * amplitudes.size
    counts = np.bincount(place, minlength=cells)
    sums = np.where(counts > 0, np.bincount(place, y, cells), np.nan)  # what was measured again is averaged
    grid = (sums / np.maximum(counts, 1)).reshape(frequencies.size, amplitudes.size)
    if not np.any(y):
        raise FitError("current = 0 A everywhere: nothing is rectified")
    if not np.all(np.isfinite(grid)):
        missing = frequencies[np.flatnonzero(~np.isfinite(grid).all(axis=1))[0]]
        raise FitError(f"{missing:.6g} Hz was not measured at every amplitude: the run was not finished")
    return frequencies, amplitudes, grid
