"""A Yu-Shiba-Rusinov bound state as a driven two-level junction."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stmlab.errors import PhysicsError
from stmlab.physics.bound_state import BoundState
from stmlab.physics.constants import ELEMENTARY_CHARGE_C, K_B_MEV_PER_K
from stmlab.physics.stochastic_resonance import static_current, stochastic_resonance
from tests.approximately import close

STATE = BoundState(
    energy_meV=0.15,
    tip_gap_meV=0.55,
    tip_broadening_meV=0.02,
    electron_rate_per_s=4e8,
    hole_rate_per_s=2e8,
    relaxation_rate_per_s=4.5e9,
    temperature_K=0.05,
)


@given(
    energy=st.floats(0.05, 1.0),
    gap=st.sampled_from([0.0, 0.5]),
    electron=st.floats(0, 1e10),
    hole=st.floats(0, 1e10),
    temperature=st.floats(0.3, 3.0),
)
def test_without_bias_there_is_equilibrium_and_no_current(energy, gap, electron, hole, temperature):
    state = BoundState(energy, gap, 0.05, electron, hole, 1e9, temperature)
    rates = state.rates(np.zeros(1))[0]
    assert rates[1, 0] / rates[0, 1] == close(np.exp(-energy / (K_B_MEV_PER_K * temperature)), rel=1e-9)
    assert abs(static_current(state, np.zeros(1))[0]) < 1e-12 * ELEMENTARY_CHARGE_C * (electron + hole + 1)


def test_the_current_sets_in_at_gap_plus_energy():
    peak, below = static_current(STATE, np.array([STATE.threshold_V, STATE.threshold_V - 0.1e-3]))
    assert STATE.threshold_V == close(0.70e-3)
    assert peak > 5 * below > 0


def test_the_stronger_part_carries_more_on_its_side():
    """Electrons enter at V > 0 through the electron part, at V < 0 they leave the hole part."""
    forward, backward = static_current(STATE, np.array([0.7e-3, -0.7e-3]))
    assert forward > -backward > 0
    mirrored = BoundState(0.15, 0.55, 0.02, 2e8, 4e8, 4.5e9, 0.05)
    assert static_current(mirrored, np.array([-0.7e-3, 0.7e-3])) == close([-forward, -backward])


def test_far_beyond_the_gap_every_excitation_is_followed_by_a_relaxation():
    """Normal tip, V >> epsilon: up rate g_e, down rate g_h + relaxation; each cycle carries 1 + g_h/(g_h + g_r)."""
    state = BoundState(0.15, 0.0, 0.0, 3e8, 1e8, 2e9, 0.05)
    up, hole, down = 3e8, 1e8, 1e8 + 2e9
    occupation = up / (up + down)
    expected = ELEMENTARY_CHARGE_C * ((1 - occupation) * up + occupation * hole)
    assert static_current(state, np.array([5e-3]))[0] == close(expected, rel=1e-9)


def test_a_weak_drive_at_the_edge_resonates_at_the_total_rate():
    spectrum = stochastic_resonance(STATE, np.geomspace(1e7, 1e11, 801), offset_V=0.65e-3, amplitude_V=5e-6)
    share = (spectrum.signal_A - spectrum.offset_A) / spectrum.step_A
    half = 2 * np.pi * spectrum.frequencies_Hz[np.abs(share - 0.5).argmin()]
    rates = STATE.rates(np.array([0.65e-3]))[0]
    assert half == close(rates[1, 0] + rates[0, 1], rel=0.02)
    assert (np.diff(share) < 1e-9).all()


def test_a_bound_state_that_cannot_be_is_refused():
    with pytest.raises(PhysicsError, match="energy_meV = 0: a value above 0 meV"):
        BoundState(0.0, 0.5, 0.01, 1e9, 1e9, 1e9, 1.0)
    with pytest.raises(PhysicsError, match="tip_broadening_meV = 0"):
        BoundState(0.1, 0.5, 0.0, 1e9, 1e9, 1e9, 1.0)
    with pytest.raises(PhysicsError, match="temperature_K = -1"):
        BoundState(0.1, 0.5, 0.01, 1e9, 1e9, 1e9, -1.0)
