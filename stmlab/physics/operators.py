"""Matrices of one spin and of one electron."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from stmlab.arrays import ComplexArray


@lru_cache
def spin_matrices(size: float) -> ComplexArray:
    """S_x, S_y, S_z of one spin in units of hbar, shape (3, 2S+1, 2S+1), basis m = S ... -S; not to be written to."""
    m = size - np.arange(round(2 * size) + 1)
    raising = np.diag(np.sqrt(size * (size + 1) - m[1:] * (m[1:] + 1)), 1).astype(complex)
    lowering = raising.T
    matrices = np.array([(raising + lowering) / 2, (raising - lowering) / 2j, np.diag(m)])
    matrices.flags.writeable = False
    return matrices


def pauli_matrices() -> ComplexArray:
    """1, sigma_x, sigma_y, sigma_z of an electron's spin, shape (4, 2, 2)."""
    return np.concatenate([np.eye(2, dtype=complex)[None], 2 * spin_matrices(0.5)])
