"""Whether a value from points that were chosen while they were read can be believed, and whether its target is reached.

Such a run sees its own data, and stops at the error asked for: what does not belong to the line would make it stop at a
wrong value. So readings far off the line, and a line that is another one before and after some moment, are refused; a
line near an end of the range is; and a fit with any doubt has not reached its target.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from stmlab.errors import FitError

if TYPE_CHECKING:
    from stmlab.arrays import BoolArray, FloatArray
    from stmlab.results import FitResult

_FAR = 5.5  # standard deviations: one reading of 26 million
_ROBUST = 1.4826  # standard deviation over median absolute deviation of normal noise
_FEW = 0.03  # of the readings: so many may each have been disturbed
_JUMP = 5.0  # standard errors by which the line differs before and after some moment
_LARGE = 0.1  # of the step: so much difference is no drift of the gain
_EDGE = 12  # readings before and after that moment, at the least
_AROUND = 101  # readings that tell the noise where it is uneven; fewer would at times find too little of it
_BESIDE = 9  # readings that tell whether it is only one that lies far away, or the line is another one there
_AT_AN_END = {"measured band": "widen the band", "to the end of the fitted window": "widen the range"}
_ROUNDING = 1.1  # of the target: the fit's error beside the posterior's


def judged(
    fit: FitResult,
    line: FloatArray,
    y: FloatArray,
    time: FloatArray,
    target: float,
    *names: str,
    x: FloatArray | None = None,
    shift: FloatArray | None = None,
) -> FitResult:
    """The fit with what a run that chose its points must say of it.

    Args:
        fit: of all readings.
        line: the fitted line at each reading, of height 1 without offset, shape (n,).
        y: the readings, shape (n,).
        time: when they were taken, s, shape (n,).
        target: relative error that was asked for.
        names: of the parameters that are sought.
        x: where they were taken, shape (n,), if their noise may depend on it.
        shift: change of the line by what is sought, in any unit, shape (n,): whether that jumped is looked at too.

    Raises:
        FitError: outliers, a jump, or a line outside the range: there is no value then.
    """
    order = np.argsort(time, kind="stable")
    height, offset = _line_through(line, y)
    residual = y - offset - height * line
    rows = [np.ones_like(line), line] if shift is None else [np.ones_like(line), line, shift / np.abs(shift).max()]
    far = _far_away(residual, x)
    lone = far.sum() <= max(_FEW * len(y), 1)  # a jump leaves more than a few far away
    kept = order[~far[order]] if lone else order
    _refuse_jump(np.stack(rows)[:, kept], y[kept], height)
    _refuse_outliers(far)
    for warning in fit.warnings:
        for words, remedy in _AT_AN_END.items():
            if words in warning:
                raise FitError(f"{warning}: {remedy}; there is no value")
    error = max(fit[name].error / abs(fit[name].value) for name in names)
    if fit.warnings:
        doubt = f"the target error of {_percent(target)} does not count as reached: the fit is in doubt"
        return replace(fit, warnings=(*fit.warnings, doubt))
    if error > _ROUNDING * target:
        missed = f"the target error of {_percent(target)} was not reached: it is {_percent(error)}"
        return replace(fit, warnings=(missed,))
    return fit


def _line_through(line: FloatArray, y: FloatArray) -> tuple[float, float]:
    """Height and offset, by least squares."""
    height, offset = np.polyfit(line, y, 1)
    return float(height), float(offset)


def _far_away(residual: FloatArray, x: FloatArray | None) -> BoolArray:
    """Which readings lie far off, by the noise of all of them, or of those around each at x."""
    size = np.abs(residual - np.median(residual))
    spread = np.full(len(size), np.median(size))
    if x is not None and len(size) >= _AROUND:
        order = np.argsort(x, kind="stable")
        spread[order] = np.maximum(_median_around(size[order], _AROUND), _median_around(size[order], _BESIDE))
    far: BoolArray = size > _FAR * _ROBUST * spread
    return far if spread.all() else np.zeros_like(far)


def _refuse_outliers(far: BoolArray) -> None:
    if far.any():
        raise FitError(
            f"{far.sum()} of {len(far)} readings lie more than {_FAR:g} standard deviations away from the line: "
            "something disturbed them; there is no value"
        )


def _median_around(size: FloatArray, number: int) -> FloatArray:
    """Median of so many values (odd) around each; at the ends of the first and last ones."""
    within = np.median(np.lib.stride_tricks.sliding_window_view(size, number), axis=1)
    around: FloatArray = np.pad(within, number // 2, mode="edge")
    return around


def _refuse_jump(rows: FloatArray, y: FloatArray, height: float) -> None:
    """Compare the lines before and after each moment: offset, height and shift, each fitted on either side.

    Args:
        rows: what the line is made of, none larger than about 1, shape (k, n), in the order of time.
        y: the readings.
        height: of the line.
    """
    n = len(y)
    if n < 4 * _EDGE:
        return
    moments = np.unique(np.linspace(_EDGE, n - _EDGE, 48).round().astype(int))
    whole = np.concatenate([rows, y[None]])
    sums = np.cumsum(whole[:, None] * whole[None, :], axis=2).transpose(2, 0, 1)
    before, total = sums[moments - 1], sums[-1:]
    (first, left1), (second, left2) = _left_over(before), _left_over(total - before)
    gain = (_left_over(total)[1][0] - left1 - left2) / ((left1 + left2) / (n - 2 * len(rows)))
    best = int(np.argmax(gain))
    change = float(np.abs(second[best] - first[best]).max())
    if gain[best] > 2 * _JUMP**2 and change > _LARGE * abs(height):
        raise FitError(
            f"the line has changed after {moments[best]} of {n} readings (by {change / abs(height):.0%} of the "
            "step): the tip or the sample has changed; there is no value"
        )


def _left_over(sums: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Coefficients of the rows, and sum of squares left, through readings with these scalar products (m, k+1, k+1)."""
    normal, right = sums[:, :-1, :-1], sums[:, :-1, -1]
    found = (np.linalg.pinv(normal, rcond=1e-10, hermitian=True) @ right[:, :, None])[:, :, 0]
    return found, np.maximum(sums[:, -1, -1] - np.sum(found * right, axis=1), 1e-300)


def _percent(part: float) -> str:
    return f"{100 * part:.2g} %"
