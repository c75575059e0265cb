"""A checksum for each reading: changed bytes are found when the run is read, not believed.

HDF5's own checksum (fletcher32) covers a whole chunk: for every reading that is added the chunk is read, summed and
written again. Measured: 1.65 to 39 times the cost of a reading. And a process killed inside such a
write leaves a chunk of acknowledged readings that cannot be read. A checksum a row is written once, beside its row.

The checksum is the multilinear hash of Lemire and Kaser ("Strongly universal string hashing is fast", 2014, eq. 1)
with odd multipliers: a change within one number is always found, any other but for a chance of about 2^-32.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Words = NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_HALF = np.uint64(32)


def row_checksums(*blocks: np.ndarray[Any, Any]) -> Words:
    """One checksum for each row.

    Args:
        blocks: the numbers of the rows, each of shape (columns, rows) with elements of 8 bytes.

    Returns:
        shape (rows,); not 0 for a row of zeros, as a hole in a file would be.
    """
    multipliers = _multipliers(1 + sum(len(block) for block in blocks))
    total = multipliers[:1]
    first = 1
    for block in blocks:
        words = block.view(np.uint64)
        folded = words ^ (words >> _HALF)  # else two changed signs would cancel modulo 2^64
        total = total + multipliers[first : first + len(block)] @ folded
        first += len(block)
    return total


def checksum_of(values: Iterable[Any]) -> int:
    """CRC-32 of what some datasets hold, numbers and texts, one after the other."""
    total = 0
    for value in values:
        total = crc32(value if isinstance(value, bytes) else np.asarray(value).tobytes(), total)
    return total


@lru_cache(maxsize=8)
def _multipliers(count: int) -> Words:
    """Odd numbers without a pattern: SplitMix64 (Steele, Lea and Flood, 2014)."""
    word = np.arange(1, count + 1, dtype=np.uint64) * _GOLDEN
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (word ^ (word >> np.uint64(31))) | np.uint64(1)
