"""The tip's height: feedback, drift, contact."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from stmlab.simulation.feedback import Loop, Tip
from tests.approximately import close

DECAY = 1.0e10
CONTACT = math.log(200.0)
LOOP = Loop(log_scale=0.5, proportional_gain=1e-11, time_constant=5e-3)


def tip(*, drift: float = 0.0, log_scale: float = 0.0) -> Tip:
    return Tip(DECAY, drift=drift, contact=CONTACT, time=0.0, log_scale=log_scale)


def live(a_tip: Tip, end: float, loop: Loop | None) -> None:
    for _ in a_tip.pieces(end, loop):
        pass


@pytest.mark.parametrize("drift", [0.0, 2e-9])
def test_the_loop_follows_its_controller_s_equation(drift: float) -> None:
    """dz/dt = P (de/dt + e/T), e = ln(I/setpoint), ln I = const - 2 kappa (z - drift t)."""

    def slope(t: float, z: np.ndarray) -> list[float]:
        error = -2 * DECAY * (z[0] - drift * t) - LOOP.log_scale
        p, time_constant = LOOP.proportional_gain, LOOP.time_constant
        return [p * (error / time_constant + 2 * DECAY * drift) / (1 + 2 * DECAY * p)]

    times = [1e-3, 0.01, 0.05, 0.3]
    expected = solve_ivp(slope, (0, 0.3), [1e-10], t_eval=times, rtol=1e-10, atol=1e-18).y[0]
    a_tip = tip(drift=drift, log_scale=-2 * DECAY * 1e-10)
    found = []
    for time in times:
        live(a_tip, time, LOOP)
        found.append(a_tip.height)
    assert found == close(expected, rel=1e-6)


@given(st.floats(-300, 5), st.floats(1e-6, 10.0))
def test_pieces_cover_the_time_and_change_the_conductance_little(log_scale: float, end: float) -> None:
    a_tip = tip(log_scale=log_scale)
    first = a_tip.scale
    pieces = list(a_tip.pieces(end, LOOP))
    assert pieces[0].start == 0.0
    assert pieces[-1].end == end
    assert all(one.end == other.start for one, other in pairwise(pieces))
    scales = np.array([first] + [piece.scale for piece in pieces] + [a_tip.scale])
    assert np.abs(np.diff(scales)).max() <= 0.0201 * max(first, a_tip.scale)


def test_one_long_wait_is_the_same_as_many_short_ones() -> None:
    once, often = tip(drift=1e-10), tip(drift=1e-10)
    live(once, 0.1, LOOP)
    for k in range(1, 101):
        live(often, k * 1e-3, LOOP)
    assert often.height == close(once.height, rel=1e-9)


def test_without_feedback_drift_changes_the_conductance_and_not_the_height() -> None:
    a_tip = tip(drift=1e-12)
    live(a_tip, 30.0, None)
    assert a_tip.height == pytest.approx(0.0, abs=1e-20)
    assert a_tip.scale == close(math.exp(2 * DECAY * 30e-12))


def test_the_pieces_carry_the_charge_that_flows() -> None:
    a_tip = tip(drift=5e-12)
    charge = sum(piece.scale * (piece.end - piece.start) for piece in a_tip.pieces(20.0, None))
    assert charge == close((math.exp(2 * DECAY * 1e-10) - 1) / (2 * DECAY * 5e-12), rel=1e-3)


def test_a_tenth_of_a_nanometre_is_about_a_decade() -> None:
    a_tip = tip()
    a_tip.move(1e-10)
    assert a_tip.scale == close(math.exp(-2))
    assert a_tip.height == close(1e-10)


def test_the_conductance_does_not_grow_beyond_contact() -> None:
    a_tip = tip()
    a_tip.move(-1e-6)
    assert a_tip.scale == close(200.0)
    live(a_tip, 1.0, Loop(math.inf, 1e-11, 5e-3))
    assert a_tip.scale == close(200.0)
