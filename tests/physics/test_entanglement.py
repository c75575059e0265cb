"""Entanglement measures against closed forms, invariants and QuTiP."""

from __future__ import annotations

import numpy as np
import pytest
import qutip
from hypothesis import given, settings
from hypothesis import strategies as st

from stmlab.errors import PhysicsError
from stmlab.physics.entanglement import (
    concurrence,
    entanglement_of_formation,
    logarithmic_negativity,
    mutual_information,
)

MEASURES = (concurrence, entanglement_of_formation, logarithmic_negativity, mutual_information)
BELL = np.array([0, 1, -1, 0], dtype=complex) / np.sqrt(2)


def random_state(seed, rank=4):
    random = np.random.default_rng(seed)
    factor = random.normal(size=(4, rank)) + 1j * random.normal(size=(4, rank))
    state = factor @ factor.conj().T
    return state / np.trace(state).real


def random_rotation(seed):
    random = np.random.default_rng(seed)
    return np.linalg.qr(random.normal(size=(2, 2)) + 1j * random.normal(size=(2, 2)))[0]


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), rank=st.integers(1, 4))
def test_measures_agree_with_qutip(seed, rank):
    state = random_state(seed, rank)
    peer = qutip.Qobj(state, dims=[[2, 2], [2, 2]])
    assert concurrence(state) == pytest.approx(qutip.concurrence(peer), abs=1e-6)
    assert logarithmic_negativity(state) == pytest.approx(qutip.negativity(peer, 0, logarithmic=True), abs=1e-9)
    assert mutual_information(state) == pytest.approx(qutip.entropy_mutual(peer, 0, 1, base=2), abs=1e-9)


@given(angle=st.floats(0.0, np.pi))
def test_pure_states(angle):
    """cos a |uu> + sin a |dd>: C = |sin 2a|, E_F the entropy of one half, E_N = log2(1 + C), S_12 twice E_F."""
    vector = np.array([np.cos(angle), 0, 0, np.sin(angle)])
    state = np.outer(vector, vector)
    expected = abs(np.sin(2 * angle))
    share = np.clip([np.cos(angle) ** 2, np.sin(angle) ** 2], 1e-300, 1.0)
    entropy = -(share * np.log2(share)).sum()
    assert concurrence(state) == pytest.approx(expected, abs=1e-12)
    assert entanglement_of_formation(state) == pytest.approx(entropy, abs=1e-9)
    assert logarithmic_negativity(state) == pytest.approx(np.log2(1 + expected), abs=1e-9)
    assert mutual_information(state) == pytest.approx(2 * entropy, abs=1e-9)


@given(weight=st.floats(0.0, 1.0))
def test_werner_states(weight):
    """Entangled for weights above 1/3: C = (3 w - 1)/2, E_N = log2((1 + 3 w)/2)."""
    state = weight * np.outer(BELL, BELL) + (1 - weight) * np.eye(4) / 4
    assert concurrence(state) == pytest.approx(max(0.0, 1.5 * weight - 0.5), abs=1e-12)
    assert logarithmic_negativity(state) == pytest.approx(max(0.0, np.log2(0.5 + 1.5 * weight)), abs=1e-12)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_turning_each_spin_by_itself_changes_nothing(seed):
    state = random_state(seed, 2)
    turn = np.kron(random_rotation(seed + 1), random_rotation(seed + 2))
    for measure in MEASURES:
        assert measure(turn @ state @ turn.conj().T) == pytest.approx(measure(state), abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_product_states_have_nothing_in_common(seed):
    random = np.random.default_rng(seed)
    parts = []
    for _ in range(2):
        factor = random.normal(size=(2, 2)) + 1j * random.normal(size=(2, 2))
        parts.append(factor @ factor.conj().T / np.linalg.norm(factor) ** 2)
    for measure in MEASURES:
        assert measure(np.kron(*parts)) == pytest.approx(0.0, abs=1e-9)


def test_a_stack_of_states_is_measured_at_once():
    stack = np.stack([random_state(seed) for seed in range(6)]).reshape(2, 3, 4, 4)
    for measure in MEASURES:
        together = measure(stack)
        assert together.shape == (2, 3)
        assert together[1, 2] == pytest.approx(measure(stack[1, 2]), abs=1e-12)


@pytest.mark.parametrize(
    ("states", "message"),
    [
        (np.eye(4), "trace of states = 4"),
        (np.eye(3) / 3, r"shape of states = \(3, 3\)"),
        (np.diag([1.5, -0.5, 0, 0]), r"lowest eigenvalue of states = -0\.5"),
        (np.diag([1.0, 0, 0, 0]) + np.eye(4, k=1), "anti-Hermitian part of states = 1"),
        (np.full((4, 4), np.nan), "states = "),
    ],
)
def test_what_is_no_state_of_two_spins_is_refused(states, message):
    for measure in MEASURES:
        with pytest.raises(PhysicsError, match=message):
            measure(states)
