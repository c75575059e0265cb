"""The bounds of one output."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stmlab.errors import OutOfBounds, SequenceError
from stmlab.station.limits import Limit

BIAS = Limit("bias", "V", -0.1, 0.1, "lab.toml: limits.bias", largest_step=1e-3, slew=0.5)


def test_a_refusal_names_value_bound_and_where_it_is_set():
    with pytest.raises(OutOfBounds) as refusal:
        BIAS.check(0.2)
    assert str(refusal.value) == (
        "bias = 0.2 V is out of bounds: -0.1 to 0.1 V is allowed (set in lab.toml: limits.bias)"
    )
    assert (refusal.value.value, refusal.value.low, refusal.value.high) == (0.2, -0.1, 0.1)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 0.1000001])
def test_what_is_not_within_the_bounds_is_refused(value):
    with pytest.raises(OutOfBounds):
        BIAS.check(value)
    with pytest.raises(OutOfBounds):
        BIAS.check([0.0, value])


@given(st.lists(st.floats(-0.1, 0.1), min_size=1, max_size=5))
def test_the_seconds_of_ramps_are_those_that_the_ramps_take(path):
    ramps = [BIAS.ramp(a, b) for a, b in itertools.pairwise(path)]
    taken = sum(len(steps) * seconds for steps, seconds in ramps)
    assert math.isclose(BIAS.seconds(path), taken, rel_tol=1e-9, abs_tol=1e-300)


def test_a_sweep_in_steps_that_are_too_large_is_refused():
    BIAS.check_sweep(-0.01, 0.01, 21)
    with pytest.raises(SequenceError, match="more points are needed"):
        BIAS.check_sweep(-0.01, 0.01, 20)


def test_the_bounds_themselves_are_allowed():
    for values in (0.1, -0.1, [0.1, -0.1], 0):
        BIAS.check(values)
    with pytest.raises(OutOfBounds) as refusal:
        BIAS.check([0.0, 0.2, -0.3])
    assert refusal.value.value == 0.2, "the first that is not"


def test_a_sweep_needs_steps_only_where_its_ends_differ():
    BIAS.check_sweep(0.01, 0.01, 1)
    BIAS.check_sweep(0.01, 0.011, 1)
    Limit("bias", "V", -0.1, 0.1, "lab.toml: limits.bias").check_sweep(-0.1, 0.1, 2)
    with pytest.raises(SequenceError, match=r"in steps of 0\.02 V: at most 0\.001 V is allowed"):
        BIAS.check_sweep(-0.01, 0.01, 1)
    with pytest.raises(OutOfBounds):
        BIAS.check_sweep(0.01, 0.11, 1000)


def test_a_ramp_goes_in_equal_steps_to_its_end():
    steps, seconds = BIAS.ramp(0.02, 0.01)
    assert steps == pytest.approx([0.019, 0.018, 0.017, 0.016, 0.015, 0.014, 0.013, 0.012, 0.011, 0.01], abs=1e-15)
    assert steps[-1] == 0.01
    assert math.isclose(seconds, 1e-3 / 0.5)
    assert len(BIAS.ramp(0.0, 0.0101)[0]) == 11
    assert BIAS.ramp(0.01, 0.01) == ([0.01], 0.0)


def test_without_a_step_or_a_slew_a_ramp_is_one_step_at_once():
    free = Limit("setpoint", "A", 0.0, 1e-8, "lab.toml: limits.setpoint")
    assert free.ramp(0.0, 1e-8) == ([1e-8], 0.0)
    assert free.seconds([0.0, 1e-8, 0.0]) == 0.0
