"""Products of many 2 x 2 matrices in order, pair by pair, and how they change with each of their factors.

Shapes are (2, 2, length, ...), products are taken along the third axis. Every few levels all are divided by their
largest elements, since products of many would underflow; what is sought is a logarithm, to which that is added again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray

LEVELS = 4
"""Of products of two, and of these again, between two divisions: fewer than would underflow."""


@dataclass(frozen=True, eq=False)
class Products:
    """All levels from the factors to their product.

    Attributes:
        levels: each half as long as the one before, the last of length 1.
        sizes: what each was divided by, of its shape without the matrices' axes; None where it was not.
        logarithm: of all that was divided by, summed over everything.
    """

    levels: list[FloatArray]
    sizes: list[FloatArray | None]
    logarithm: float

    @classmethod
    def of(cls, factors: FloatArray) -> Products:
        """Of matrices of any length."""
        levels, logarithm = [factors], 0.0
        sizes: list[FloatArray | None] = [None]
        number = (factors.shape[2] - 1).bit_length()
        for level in range(1, number + 1):
            left, right = _pairs(levels[-1])
            product = times(left, right)
            if levels[-1].shape[2] % 2:
                product = np.concatenate([product, levels[-1][:, :, -1:]], axis=2)
            size = None
            if level % LEVELS == 0 or level == number:
                size = product.max(axis=(0, 1))
                product /= size
                logarithm += float(np.log(size).sum())
            levels.append(product)
            sizes.append(size)
        return cls(levels, sizes, logarithm)

    @property
    def whole(self) -> FloatArray:
        """The product over what it was divided by, shape (2, 2, ...)."""
        return self.levels[-1][:, :, 0]

    def slopes(self, of_whole: FloatArray) -> FloatArray:
        """From the derivatives of something by `whole` to those of it by the factors, of the factors' shape."""
        slopes = of_whole[:, :, None]
        for above, size in zip(self.levels[-2::-1], self.sizes[:0:-1], strict=True):
            slopes = slopes if size is None else slopes / size
            left, right = _pairs(above)
            of_pairs, found = slopes[:, :, : right.shape[2]], np.empty(above.shape)
            found[:, :, -1:] = slopes[:, :, -1:]  # without a partner, where the length is odd
            of_left, of_right = _pairs(found)
            of_left[:] = times(of_pairs, right.swapaxes(0, 1))
            of_right[:] = times(left.swapaxes(0, 1), of_pairs)
            slopes = found
        return slopes


def times(left: FloatArray, right: FloatArray) -> FloatArray:
    """Products of matrices, shape (2, 2, ...)."""
    product = left[:, :1] * right[:1]
    product += left[:, 1:] * right[1:]
    return product


def _pairs(matrices: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The first and the second of each two neighbours."""
    return matrices[:, :, : matrices.shape[2] - 1 : 2], matrices[:, :, 1::2]
