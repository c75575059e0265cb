"""The real systems of harmonic balance beside the complex one that they are made of, and one way beside the other."""

from __future__ import annotations

import numpy as np
import pytest

from stmlab.physics.harmonic_balance import HarmonicBalance

HARMONICS, STATES = 6, 3
ANGULAR = np.array([0.0, 0.1, 0.7, 2.0, 30.0])


def coefficients(even):
    """Of M(t), whose slowest decay is about one, and of b(t)."""
    chance = np.random.default_rng(5)
    matrix = np.zeros((2 * HARMONICS + 1, STATES, STATES), dtype=complex)
    matrix[0] = -3.0 * np.eye(STATES) + chance.normal(0, 0.5, (STATES, STATES))
    for k in (1, 2, 3):
        matrix[k] = chance.normal(0, 0.3 / k, (STATES, STATES)) + 1j * chance.normal(0, 0.3 / k, (STATES, STATES))
    source = chance.normal(size=(HARMONICS + 1, STATES)) + 1j * chance.normal(size=(HARMONICS + 1, STATES))
    source[0] = source[0].real
    return (matrix.real + 0j, source.real + 0j) if even else (matrix, source)


def solved(matrix, source, angular):
    """(i w Q + T) x = b for all harmonics from -K to K, in complex numbers; its harmonics 0 ... K."""
    orders = np.arange(-HARMONICS, HARMONICS + 1)

    def at(order, values):
        return values[order] if order >= 0 else values[-order].conj()

    blocks = [
        [1j * angular * k * np.eye(STATES) * (k == j) - at(k - j, matrix) for j in orders] for k in orders.tolist()
    ]
    right = np.concatenate([at(k, source) for k in orders])
    return np.linalg.solve(np.block(blocks), right).reshape(-1, STATES)[HARMONICS:]


@pytest.mark.parametrize("even", [True, False])
@pytest.mark.parametrize("way", [HarmonicBalance.solve_each, HarmonicBalance.solve_all])
def test_both_ways_solve_the_equations_of_all_harmonics(even, way):
    matrix, source = coefficients(even)
    found = way(HarmonicBalance(matrix, source, even=even), ANGULAR)
    expected = np.array([solved(matrix, source, angular) for angular in ANGULAR])
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * np.abs(expected).max())


def test_an_even_drive_needs_half_of_the_unknowns():
    matrix, source = coefficients(True)
    assert HarmonicBalance(matrix, source, even=True).unknowns == (HARMONICS + 1) * STATES
    assert HarmonicBalance(matrix, source, even=False).unknowns == (2 * HARMONICS + 1) * STATES
