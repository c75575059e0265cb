"""The parts of a mean current under a drive that follow its frequency, whatever the states are found by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from stmlab.arrays import ComplexArray, FloatArray

AGREES = 10.0
"""Tolerances by which harmonic balance may miss the limit of zero frequency."""
_STEEP = 200.0
"""A step below one over this of the currents asks for occupations that are as much more accurate ..."""
FINEST = 1e-12
"""... which harmonic balance gives down to here."""


@dataclass(frozen=True, eq=False)
class Parts:
    """Parts of the mean current that follow the occupations, beyond their value at infinite frequency, ``fast``.

    Attributes:
        homodyne, average, higher: shape (F,), A.
        fast, step: A, see `stmlab.physics.stochastic_resonance`.
        harmonics: 0 ... K of the occupations, shape (F, K+1, n).
    """

    homodyne: FloatArray
    average: FloatArray
    higher: FloatArray
    fast: float
    step: float
    harmonics: ComplexArray


def of_states(tolerance: float, step: float, largest: float) -> float:
    """The accuracy of occupations that a step so small beside the largest current asks for."""
    return tolerance * min(1.0, _STEEP * abs(step) / largest) if step else tolerance


def mixed_currents(currents: FloatArray, harmonics: ComplexArray, limit: FloatArray) -> tuple[FloatArray, FloatArray]:
    """What the harmonics of states add to the mean current beyond the limit of fast drive.

    Args:
        currents: of each state over one period, shape (T, n).
        harmonics: 0 ... K of the states, shape (F, K+1, n).
        limit: the states under fast drive, shape (n,).

    Returns:
        By their average, shape (F,), and by each harmonic from the first on, shape (F, k).
    """
    mixing = np.fft.rfft(currents, axis=0) / len(currents)
    kept = min(harmonics.shape[1], (len(currents) + 1) // 2)
    mixed: FloatArray = np.einsum("ki,fki->fk", mixing[1:kept].conj(), harmonics[:, 1:kept]).real * 2.0
    average: FloatArray = np.einsum("i,fi->f", mixing[0].real, harmonics[:, 0].real - limit)
    return average, mixed
