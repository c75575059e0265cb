"""Lindblad generators in general."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import expm

from stmlab.errors import PhysicsError
from stmlab.physics.lindblad import Dissipator, Lindbladian, density_matrix
from tests.approximately import close

LOWER = np.array([[0, 0], [1, 0]], dtype=complex)
EXCITED = np.diag([1.0, 0.0]).astype(complex)


def decay(rate=0.3, splitting=2.0):
    """One spin that emits."""
    return Lindbladian(0.5 * splitting * np.diag([1.0, -1.0]), [Dissipator(LOWER[None], np.array([[rate + 0j]]))])


def cascade():
    """Three levels that decay one after the other at one rate: its generator has too few eigenvectors."""
    steps = np.zeros((2, 3, 3), dtype=complex)
    steps[0, 1, 0] = steps[1, 2, 1] = 1.0
    return Lindbladian(np.zeros((3, 3)), [Dissipator(steps, np.eye(2, dtype=complex))])


def test_an_excited_spin_decays_exponentially_and_turns():
    times = np.array([0.0, 1.0, 5.0])
    assert decay().evolve(EXCITED, times)[:, 0, 0].real == close(np.exp(-0.3 * times))
    along = np.full((2, 2), 0.5, dtype=complex)
    assert decay().evolve(along, times)[:, 0, 1] == close(0.5 * np.exp(-(0.15 + 2.0j) * times))


def test_the_emission_spectrum_is_a_lorentzian():
    """<s+(t) s-(0)> of the ground state vanishes, <s-(t) s+(0)> = exp(-(i w0 + g/2) t)."""
    generator, angular = decay(), np.linspace(-5, 5, 11)
    ground = generator.steady_state()
    spectrum = generator.spectrum(LOWER, LOWER.T, ground, angular)
    assert spectrum == close(2 * 0.15 / (0.15**2 + (angular - 2.0) ** 2))
    both = generator.spectrum(LOWER, LOWER.T, ground, angular, mirrored=True)
    assert both == close(spectrum + spectrum[::-1])
    assert generator.static_weight(LOWER, LOWER.T, ground) == pytest.approx(0.0, abs=1e-15)


def test_what_never_decays_is_left_out_of_the_spectrum():
    generator, z = decay(), np.diag([1.0, -1.0]).astype(complex)
    ground = generator.steady_state()
    assert generator.static_weight(z, z, ground) == close(1.0)
    assert generator.spectrum(z, z, ground, np.array([0.0, 1.0])) == pytest.approx(0.0, abs=1e-12)


def test_a_generator_with_too_few_eigenvectors_is_solved_all_the_same():
    generator, start = cascade(), np.diag([1.0, 0.0, 0.0]).astype(complex)
    times = np.array([0.5, 2.0])
    expected = [expm(generator.matrix * time) @ start.reshape(-1) for time in times]
    assert generator.evolve(start, times).reshape(2, 9) == pytest.approx(np.array(expected), abs=1e-12)
    middle = generator.evolve(start, times)[:, 1, 1].real
    assert middle == close(times * np.exp(-times))
    assert generator.steady_state() == pytest.approx(np.diag([0.0, 0.0, 1.0]), abs=1e-12)


def test_point_by_point_and_mode_by_mode_give_one_spectrum(monkeypatch):
    angular = np.linspace(-3, 3, 7)
    z = np.diag([1.0, -1.0]).astype(complex)
    state = decay().steady_state()
    probes = np.stack([LOWER, z])
    modes = decay().spectrum(probes, probes.conj().transpose(0, 2, 1), state, angular, mirrored=True)
    monkeypatch.setattr("stmlab.physics.lindblad._WORST_MODES", 0.0)
    direct = decay().spectrum(probes, probes.conj().transpose(0, 2, 1), state, angular, mirrored=True)
    assert direct == pytest.approx(modes, abs=1e-12)


def test_a_spin_without_bath_keeps_what_it_has():
    free = Lindbladian(np.diag([1.0, -1.0]), [])
    assert free.steady_dimension == 2
    kept = np.array([[0.3, 0.1], [0.1, 0.7]], dtype=complex)
    assert free.steady_state(kept) == close(np.diag([0.3, 0.7]))


def test_what_is_no_master_equation_is_refused():
    with pytest.raises(PhysicsError, match="anti-Hermitian part of hamiltonian = 1"):
        Lindbladian(LOWER, [])
    with pytest.raises(PhysicsError, match=r"lowest eigenvalue of the rates of tz = -0\.1"):
        Dissipator(np.stack([LOWER, LOWER]), np.array([[1.0, 1.1], [1.1, 1.0]], dtype=complex), "tz")
    with pytest.raises(PhysicsError, match="trace of initial = 2"):
        decay().evolve(2 * EXCITED, np.array([1.0]))
    with pytest.raises(PhysicsError, match="times = -1"):
        decay().evolve(EXCITED, np.array([-1.0]))
    with pytest.raises(PhysicsError, match=r"lowest eigenvalue of state = -0\.5"):
        density_matrix("state", np.diag([1.5, -0.5]), 2)
    with pytest.raises(PhysicsError, match=r"shape of state = \(2, 2\)"):
        density_matrix("state", EXCITED, 3)
