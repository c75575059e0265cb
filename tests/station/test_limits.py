"""Every output has one way to it, and that way checks."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stmlab.clock import SimulatedClock
from stmlab.errors import OutOfBounds, SequenceError
from stmlab.station.limits import GuardedBias, GuardedGenerator, GuardedLockIn, GuardedSpectroscope, GuardedTip, Limit

BIAS = Limit("bias", "V", -0.1, 0.1, "lab.toml: limits.bias", largest_step=1e-3, slew=0.5)


class Source:
    def __init__(self, bias=0.01):
        self.written = []
        self._bias = bias

    @property
    def bias(self):
        return self._bias

    @bias.setter
    def bias(self, value):
        self.written.append(value)
        self._bias = value


class Tip:
    def __init__(self, feedback=False):
        self.feedback, self.setpoint = feedback, 1e-10


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


@given(st.floats(-0.1, 0.1), st.floats(-0.1, 0.1))
def test_the_bias_never_steps_farther_or_faster_than_the_station_allows(start, end):
    source, clock = Source(start), SimulatedClock()
    GuardedBias(source, BIAS, clock, Tip(), 1e-3).bias = end
    assert source.bias == end
    steps = [b - a for a, b in zip([start, *source.written], source.written, strict=False)]
    assert all(abs(step) <= BIAS.largest_step * (1 + 1e-9) for step in steps)
    if start != end:
        assert clock.now() >= abs(end - start) / BIAS.slew * (1 - 1e-9)


@pytest.mark.parametrize(("start", "end"), [(0.01, -0.01), (0.01, 0.0), (0.01, 5e-4)])
def test_a_bias_through_zero_is_refused_while_feedback_is_on(start, end):
    source = Source(start)
    with pytest.raises(SequenceError, match="drive the tip into the sample"):
        GuardedBias(source, BIAS, SimulatedClock(), Tip(feedback=True), 1e-3).bias = end
    assert source.written == []


def test_feedback_is_not_closed_at_too_small_a_bias():
    tip = Tip()
    with pytest.raises(SequenceError, match="drive the tip"):
        GuardedTip(tip, Limit("setpoint", "A", 0, 1e-8, ""), Source(1e-4), 1e-3).feedback = True
    assert tip.feedback is False


def test_a_tone_out_of_bounds_never_reaches_the_generator():
    class Generator:
        def play_tone(self, *_, **__):
            raise AssertionError("it was sent")

    guarded = GuardedGenerator(
        Generator(), Limit("rf_frequency", "Hz", 1e3, 1e9, ""), Limit("rf_amplitude", "V", 0, 0.5, "")
    )
    with pytest.raises(OutOfBounds, match="rf_frequency"):
        guarded.play_tone(2e9, 0.1, gated=True)
    with pytest.raises(OutOfBounds, match="rf_amplitude"):
        guarded.play_tone(1e6, 0.6, gated=True)


def test_the_sine_output_needs_a_limit():
    class LockIn:
        sine_voltage = 0.0

    lockin = LockIn()
    with pytest.raises(SequenceError, match=r"limits\.modulation"):
        GuardedLockIn(lockin, None).sine_voltage = 0.1
    guarded = GuardedLockIn(lockin, Limit("modulation", "V", 0, 0.05, "lab.toml"))
    with pytest.raises(OutOfBounds):
        guarded.sine_voltage = 0.1
    guarded.sine_voltage = 0.02
    guarded.phase = 12.0
    assert (lockin.sine_voltage, lockin.phase) == (0.02, 12.0)


class Spectroscope:
    def __init__(self):
        self.asked = []

    def sweep_bias(self, *arguments, **timing):
        self.asked.append((arguments, timing))
        return "a sweep"


def test_a_controllers_sweep_goes_out_no_faster_than_the_station_allows():
    device = Spectroscope()
    guarded = GuardedSpectroscope(device, BIAS)
    assert guarded.sweep_bias(-0.01, 0.01, 21, settling=0.02, integration=0.01) == "a sweep"
    guarded.sweep_bias(0.01, -0.01, 41, settling=0.02, integration=0.01, slew=0.1, backward=True)
    (first, timing), (second, slower) = device.asked
    assert (first, second) == ((-0.01, 0.01, 21), (0.01, -0.01, 41))
    assert timing == {"settling": 0.02, "integration": 0.01, "slew": 0.5, "backward": False}
    assert (slower["slew"], slower["backward"]) == (0.1, True)


@pytest.mark.parametrize(
    ("start", "stop", "points", "error", "words"),
    [
        (-0.2, 0.01, 2001, OutOfBounds, "bias = -0.2 V"),
        (0.0, math.nan, 11, OutOfBounds, "bias = nan"),
        (-0.01, 0.01, 20, SequenceError, "in steps of 0.001053 V: at most 0.001 V"),
        (-0.01, 0.01, 1, SequenceError, "more points are needed"),
    ],
)
def test_a_controllers_sweep_beyond_the_limits_never_reaches_it(start, stop, points, error, words):
    device = Spectroscope()
    with pytest.raises(error, match=words):
        GuardedSpectroscope(device, BIAS).sweep_bias(start, stop, points, settling=0.02, integration=0.01)
    assert not device.asked


def test_a_trace_at_one_bias_is_a_sweep_with_equal_ends():
    device = Spectroscope()
    GuardedSpectroscope(device, BIAS).sweep_bias(0.01, 0.01, 500, settling=0.0, integration=1e-3)
    assert device.asked[0][0] == (0.01, 0.01, 500)
