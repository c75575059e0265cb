"""Many spectra on one axis, fitted at once: what all batch fits share.

A batch fit finds the same minimum as the fit of one spectrum with the same parameters, many times faster; of its
warnings it knows one, that the residual is not white. A spectrum that cannot be fitted gets nan and a reason; the
others do not notice.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.numbers import deviations, finite, numbers
from stmlab.analysis.parts import parts_done
from stmlab.errors import FitError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import ArrayLike

    from stmlab.arrays import BoolArray, FloatArray

_CACHED = 30_000
"""Numbers in an array of one pass: such arrays stay in the cache."""


@dataclass(frozen=True, eq=False)
class BatchFit:
    """Fits of m spectra.

    Attributes:
        model: its name.
        names: of the k parameters, the free ones first.
        units: of each.
        values: shape (m, k), nan where a spectrum was not fitted.
        errors: standard errors, shape (m, k).
        covariance: of the first f parameters, which are free, shape (m, f, f).
        residual: root mean square of data minus model, shape (m,).
        structured: shape (m,), whether the residual is more than white noise: the errors are then too small.
        ok: shape (m,), whether a spectrum was fitted.
        reasons: why not; "" where it was.
    """

    model: str
    names: tuple[str, ...]
    units: tuple[str, ...]
    values: FloatArray
    errors: FloatArray
    covariance: FloatArray
    residual: FloatArray
    structured: BoolArray
    ok: BoolArray
    reasons: tuple[str, ...]

    def __getitem__(self, name: str) -> tuple[FloatArray, FloatArray]:
        """Values and errors of one parameter, each of shape (m,); raises KeyError naming those that exist."""
        if name not in self.names:
            raise KeyError(f"{name}: these fits have {', '.join(self.names)}")
        k = self.names.index(name)
        return self.values[:, k], self.errors[:, k]

    def __len__(self) -> int:
        return len(self.ok)


def checked(axis: ArrayLike, rows: ArrayLike, sigma: ArrayLike | None) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Axis (n,), spectra (m, n), and weights 1 / sigma (n,).

    Raises:
        FitError: shapes that do not fit, or an axis or sigma that is not finite and positive.
    """
    x, y = finite("axis", axis), numbers("spectra", rows)
    if x.ndim != 1 or y.ndim != 2 or y.shape[1] != x.size:
        raise FitError(f"axis has shape {x.shape}, spectra {y.shape}: (n,) and (m, n) are needed")
    if sigma is None:
        return x, y, np.ones(x.size)
    typical = np.max(np.abs(y), axis=0, initial=0.0, where=np.isfinite(y))
    return x, y, 1 / deviations(sigma, typical)


def chunks(count: int, points: int) -> Iterator[slice]:
    """Slices of so many spectra of ``points`` points that their arrays stay in the cache."""
    size = max(16, _CACHED // points)
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))


def in_parts(rows: FloatArray, points: int, fit: Callable[[FloatArray], BatchFit]) -> BatchFit:
    """Fit spectra (m, n), of ``points`` fitted points each, part by part, as long as the fit is not to end early.

    ``fit`` and what it holds may travel to another process. Spectra that it did not come to have nan, and
    `NOT_REACHED` as their reason.

    Raises:
        FitEnded: the fit was ended before the first part was.
    """
    slices = list(chunks(len(rows), points))
    sizes = [part.stop - part.start for part in slices]
    parts = parts_done(sizes, partial(_of_part, fit), (rows[part] for part in slices))
    like = next(part for part in parts if isinstance(part, BatchFit))
    return joined(
        [
            part if isinstance(part, BatchFit) else _missing(like, size, part.reason)
            for part, size in zip(parts, sizes, strict=True)
        ]
    )


def _of_part(fit: Callable[[FloatArray], BatchFit], rows: FloatArray) -> BatchFit:
    return fit(np.array(rows))  # where an array lies in memory does not depend on who fits it


def _missing(like: BatchFit, count: int, reason: str) -> BatchFit:
    width, free = like.values.shape[1], like.covariance.shape[1]
    nothing = np.zeros(count, dtype=bool)
    return BatchFit(
        like.model,
        like.names,
        like.units,
        values=np.full((count, width), np.nan),
        errors=np.full((count, width), np.nan),
        covariance=np.full((count, free, free), np.nan),
        residual=np.full(count, np.nan),
        structured=nothing,
        ok=nothing,
        reasons=(reason,) * count,
    )


def joined(parts: list[BatchFit]) -> BatchFit:
    """Parts of a batch, one after the other."""
    first = parts[0]
    return BatchFit(
        first.model,
        first.names,
        first.units,
        values=np.concatenate([part.values for part in parts]),
        errors=np.concatenate([part.errors for part in parts]),
        covariance=np.concatenate([part.covariance for part in parts]),
        residual=np.concatenate([part.residual for part in parts]),
        structured=np.concatenate([part.structured for part in parts]),
        ok=np.concatenate([part.ok for part in parts]),
        reasons=tuple(chain.from_iterable(part.reasons for part in parts)),
    )
