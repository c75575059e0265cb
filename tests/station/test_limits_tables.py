"""What the station file says of outputs, at the edge of what is allowed: a bound itself is within."""

import pytest
from pydantic import ValidationError

from stmlab.station.limits_tables import (
    LONGEST_RAMP,
    MOST_STEPS,
    BiasLimit,
    Condition,
    ControllerConfig,
    InterlockConfig,
    LimitsConfig,
    SafeConfig,
    SetpointLimit,
)

FINE = 2.0**-20  # V, so that quotients are exact


def bias_limit(**changed):
    return BiasLimit(**({"low": -0.1, "high": 0.1, "largest_step": 1e-3, "slew": 0.5} | changed))


def test_a_ramp_may_take_ten_minutes_and_no_longer():
    span = LONGEST_RAMP * FINE
    assert bias_limit(low=-span / 2, high=span / 2, slew=FINE, smallest_with_feedback=span / 2).slew == FINE
    with pytest.raises(ValidationError, match=r"would take 601 s, at most 600 s is allowed: .* or more is needed"):
        bias_limit(low=-span / 2, high=span / 2 + FINE, slew=FINE, smallest_with_feedback=span / 2)


def test_a_ramp_may_have_a_hundred_thousand_steps_and_no_more():
    span = MOST_STEPS * FINE
    assert bias_limit(low=0.0, high=span, largest_step=FINE).largest_step == FINE
    with pytest.raises(ValidationError, match=r"would take 1e\+05 steps, at most 100000 are allowed"):
        bias_limit(low=0.0, high=span + FINE, largest_step=FINE)


@pytest.mark.parametrize(("low", "high"), [(-0.2, 0.1), (-0.1, 0.2), (-0.2, -0.1)])
def test_the_feedback_must_be_possible_somewhere(low, high):
    assert bias_limit(low=low, high=high, smallest_with_feedback=0.2).largest_magnitude == 0.2
    with pytest.raises(ValidationError, match="the feedback could never be closed"):
        bias_limit(low=low, high=high, smallest_with_feedback=0.2000001)


@pytest.mark.parametrize("high", [0.1, 0.0999])
def test_bounds_are_in_order(high):
    with pytest.raises(ValidationError, match=r"low = 0\.1 must be below high"):
        bias_limit(low=0.1, high=high)
    assert bias_limit(low=0.1, high=0.1001).low == 0.1


SETPOINT = SetpointLimit(low=1e-12, high=1e-8)


def refusal(*, total=None, **safe):
    table = {"bias": 0.01, "setpoint": 1e-10, "feedback": "on"} | safe
    limits = LimitsConfig(bias=bias_limit(), setpoint=SETPOINT, junction_total=total and {"high": total})
    return SafeConfig(**table).refusal(limits) or ""


@pytest.mark.parametrize(
    ("safe", "words"),
    [
        ({}, ""),
        ({"bias": 0.1}, ""),
        ({"bias": -0.1}, ""),
        ({"bias": 0.1001}, "safe.bias = 0.1001 V lies outside limits.bias -0.1 to 0.1 V"),
        ({"bias": -0.1001}, "safe.bias = -0.1001 V lies outside"),
        ({"setpoint": 1e-12}, ""),
        ({"setpoint": 1e-8}, ""),
        ({"setpoint": 0.9e-12}, "safe.setpoint = 9e-13 A lies outside limits.setpoint 1e-12 to 1e-08 A"),
        ({"setpoint": 1.1e-8}, "safe.setpoint = 1.1e-08 A lies outside"),
        ({"bias": -1e-3}, ""),
        ({"bias": -0.9e-3}, "safe.bias = -0.0009 V is below limits.bias.smallest_with_feedback = 0.001 V"),
        ({"bias": 0.9e-3, "feedback": "withdraw"}, ""),
        ({"bias": 0.0, "feedback": "withdraw"}, ""),
        ({"bias": -0.05, "total": 0.05}, ""),
        ({"bias": -0.05, "total": 0.04}, "safe.bias = -0.05 V is above limits.junction_total.high = 0.04 V"),
    ],
)
def test_the_safe_state_lies_within_the_limits(safe, words):
    assert refusal(**safe)[: len(words) or None] == words


def test_no_bias_with_the_feedback_on_is_no_safe_state():
    with pytest.raises(ValidationError, match="would drive the tip into the sample"):
        SafeConfig(bias=0.0, setpoint=1e-10, feedback="on")


@pytest.mark.parametrize(
    ("bound", "holds", "words"),
    [
        ({"above": 0.5}, {0.51: True, 0.5: False, -9.0: False}, "bias above 0.5"),
        ({"below": -0.5}, {-0.51: True, -0.5: False, 9.0: False}, "bias below -0.5"),
        ({"beyond": 0.5}, {0.51: True, -0.51: True, 0.5: False, -0.5: False, 0.0: False}, "|bias| > 0.5"),
    ],
)
def test_a_condition_does_not_hold_at_its_bound(bound, holds, words):
    condition = Condition(output="bias", **bound)
    assert {value: condition.holds(value) for value in holds} == holds
    assert str(condition) == words


@pytest.mark.parametrize("bounds", [{}, {"above": 1.0, "below": 2.0}, {"above": 0.0, "beyond": 0.0}])
def test_a_condition_has_one_bound(bounds):
    with pytest.raises(ValidationError, match="one of above, below and beyond"):
        Condition(output="bias", **bounds)


def test_conditions_of_an_interlock_are_on_different_outputs():
    one, same = ({"output": "bias", "above": 0.0}, {"output": "bias", "below": 1.0})
    another = {"output": "setpoint", "above": 0.0}
    assert len(InterlockConfig(name="a", never=(one, another)).never) == 2
    for never in ((one, same), (another, one, same)):
        with pytest.raises(ValidationError, match="never names bias twice"):
            InterlockConfig(name="a", never=never)


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({}, ""),
        ({"z_low": -1e-8, "z_high": 1e-8}, ""),
        ({"z_low": 1e-8, "z_high": 1e-8}, "z_low = 1e-08 m must be below z_high"),
        ({"z_low": -1e-8}, "z_low and z_high are needed together"),
        ({"z_high": 1e-8}, "z_low and z_high are needed together"),
        ({"safe_tip_threshold": 1e-9}, ""),
        ({"safe_tip": "none"}, ""),
        ({"safe_tip": "none", "safe_tip_threshold": 1e-9}, 'safe_tip_threshold belongs to safe_tip = "required"'),
    ],
)
def test_the_controllers_own_limits_belong_together(given, complaint):
    if complaint:
        with pytest.raises(ValidationError, match=complaint):
            ControllerConfig(**given)
    else:
        assert ControllerConfig(**given).model_dump(exclude_unset=True) == given


def test_what_is_not_said_is_the_careful_choice():
    safe = SafeConfig(bias=0.01, setpoint=1e-10, feedback="on")
    assert (safe.on_end, safe.on_fault, safe.longest_pause) == ("setpoint", "withdraw", 3600.0)
    assert ControllerConfig().safe_tip == "required"
    assert bias_limit().smallest_with_feedback == 1e-3


@pytest.mark.parametrize(
    ("output", "above", "number"),
    [("bias", "50 mV", 0.05), ("setpoint", "2 nA", 2e-9), ("rf_frequency", "1 GHz", 1e9), ("feedback", 0.5, 0.5)],
)
def test_a_condition_is_in_the_unit_of_its_output(output, above, number):
    assert Condition(output=output, above=above).above == pytest.approx(number, rel=1e-12, abs=0)
    with pytest.raises(ValidationError):
        Condition(output=output, above="3 K")
