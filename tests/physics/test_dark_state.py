"""The dark state at the symmetric point, its family of steady states and their entanglement."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stmlab.errors import PhysicsError
from stmlab.physics.dark_state import (
    ANTIPARALLEL,
    bright_state,
    critical_weight,
    dark_state,
    steady_family,
    transient,
)
from stmlab.physics.entanglement import (
    concurrence,
    entanglement_of_formation,
    logarithmic_negativity,
    mutual_information,
)
from stmlab.physics.two_spins import ALONG, LOWERING, RAISING, MasterEquation, TwoSpins
from tests.approximately import close

SYMMETRIC = TwoSpins(larmor=1.0, bias=1.25, coupling_1=0.0126, coupling_2=0.0126, exchange=0.024)
UP_DOWN = np.diag([0.0, 1.0, 0.0, 0.0]).astype(complex)


@pytest.mark.parametrize("master_equation", MasterEquation)
def test_the_dark_state_neither_decays_nor_is_fed(master_equation):
    system = TwoSpins(1.0, 1.25, 0.0126, 0.0126, exchange=0.024, master_equation=master_equation)
    dark = dark_state().reshape(-1)
    assert np.abs(system.generator.matrix @ dark).max() < 1e-17
    assert np.abs(dark.conj() @ system.generator.matrix).max() < 1e-17
    assert system.generator.steady_dimension == 2


def test_equation_10_writes_the_dark_state_in_spin_operators():
    flip = LOWERING[0] @ RAISING[1]
    expected = 0.25 * np.eye(4) - 0.25 * ALONG[0] @ ALONG[1] - 0.5 * (flip + flip.conj().T)
    assert dark_state() == close(expected)


@given(bias=st.floats(1.0, 10.0), weight=st.floats(0.0, 1.0))
def test_the_steady_family_is_steady_and_obeys_equation_11(bias, weight):
    system = TwoSpins(1.0, bias, 0.02, 0.02, exchange=0.3)
    n = 1 / bias
    state = steady_family(n, weight)
    assert np.abs(system.generator.matrix @ state.reshape(-1)).max() < 1e-15
    flip = np.trace(RAISING[0] @ LOWERING[1] @ state).real
    for axis in ALONG:
        assert np.trace(axis @ state).real == pytest.approx(-n * (1 + 2 * flip), abs=1e-12)
    assert np.trace(ALONG[0] @ ALONG[1] @ state).real == pytest.approx(n**2 + 2 * (1 + n**2) * flip, abs=1e-12)


def test_the_ends_of_the_family_are_found_numerically():
    dark, bright = SYMMETRIC.generator.steady_segment()
    assert dark == pytest.approx(dark_state(), abs=1e-12)
    assert bright == pytest.approx(bright_state(0.8), abs=1e-12)
    with pytest.raises(PhysicsError, match="steady_dimension = 1"):
        TwoSpins(1.0, 1.25, 0.0126, 0.01).generator.steady_segment()


@given(weight=st.floats(0.0, 1.0))
def test_the_initial_state_selects_the_member_of_the_family(weight):
    start = weight * dark_state() + (1 - weight) * np.diag([1.0, 0.0, 0.0, 0.0])
    assert SYMMETRIC.generator.steady_state(start) == pytest.approx(steady_family(0.8, weight), abs=1e-12)


def test_a_slight_detuning_makes_the_steady_state_unique_and_unentangled():
    detuned = TwoSpins(1.0, 1.25, 0.0126, 0.0125, exchange=0.024)
    state = detuned.generator.steady_state()
    flat = np.kron(np.diag([0.1, 0.9]), np.diag([0.1, 0.9]))
    assert state == pytest.approx(flat, abs=1e-4)
    assert logarithmic_negativity(state) == pytest.approx(0.0, abs=1e-12)


def test_entanglement_begins_at_the_critical_weight():
    critical = critical_weight(0.8)
    assert critical == pytest.approx(0.22881356, abs=5e-9)
    assert concurrence(steady_family(0.8, critical - 1e-4)) == 0.0
    assert concurrence(steady_family(0.8, critical + 1e-4)) > 0.0
    assert logarithmic_negativity(steady_family(0.8, critical - 1e-4)) == pytest.approx(0.0, abs=1e-12)


def test_measures_of_the_half_dark_state():
    state = steady_family(1 / 2.5, 0.5)
    assert logarithmic_negativity(state) == pytest.approx(0.10947195, abs=5e-9)
    assert concurrence(state) == pytest.approx(0.10126582, abs=5e-9)
    assert entanglement_of_formation(state) == pytest.approx(0.02581784, abs=5e-9)
    assert mutual_information(state) == pytest.approx(0.26025519, abs=5e-9)


def test_a_product_state_becomes_entangled_on_its_way():
    states = transient(SYMMETRIC.generator, UP_DOWN, np.array([0.0, 10.0, 100.0])).states
    assert logarithmic_negativity(states) == pytest.approx([0.0, 0.66776747, 0.21689562], abs=5e-9)


def test_the_populations_of_up_down_oscillate_at_four_times_the_exchange():
    free = TwoSpins(1.0, 1.25, 1e-9, 1e-9, exchange=0.024)
    times = np.linspace(0, 2 * np.pi / (4 * 0.024), 9)
    populations = transient(free.generator, UP_DOWN, times).states[:, 1, 1].real
    assert populations == pytest.approx(0.5 + 0.5 * np.cos(4 * 0.024 * times), abs=1e-6)


def test_measurements_purify_the_dark_state():
    times = np.array([0.0, 99.0, 100.0, 199.0, 200.0, 400.0])
    run = transient(SYMMETRIC.generator, UP_DOWN, times, measurements=(100.0, 200.0, 300.0))
    weights = np.einsum("ij,tji->t", dark_state(), run.states).real
    assert weights[1] == pytest.approx(0.5, abs=1e-12)
    assert weights[2] == pytest.approx(0.5 / run.probabilities[0], abs=1e-12)
    assert np.trace(ANTIPARALLEL @ run.states[2]).real == close(1.0)
    assert weights[4] == pytest.approx(weights[3] / run.probabilities[1], abs=1e-12)
    assert (np.diff(run.probabilities) > 0).all()
    assert weights[5] == pytest.approx(0.5 / run.probabilities.prod(), abs=1e-12)
    assert run.measurements == close([100, 200, 300])


def test_an_impossible_result_is_refused():
    still = TwoSpins(1.0, 1.25, 0.0126, 0.0126).generator
    with pytest.raises(PhysicsError, match="probability of the result"):
        transient(still, np.diag([1.0, 0, 0, 0]).astype(complex), np.array([1.0]), measurements=(0.0,))
    with pytest.raises(PhysicsError, match=r"projector\^2 - projector = 2"):
        transient(still, UP_DOWN, np.array([1.0]), measurements=(0.5,), projector=2 * ANTIPARALLEL)
    with pytest.raises(PhysicsError, match="times of 0 or more in rising order"):
        transient(still, UP_DOWN, np.array([1.0, 0.5]))
    with pytest.raises(PhysicsError, match=r"dark_weight = 1\.5"):
        steady_family(0.8, 1.5)
    with pytest.raises(PhysicsError, match="polarisation = 2"):
        bright_state(2.0)
