"""The bias ramps, from where it was last confirmed to be, and never through zero with the feedback on."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stmlab.clock import SimulatedClock
from stmlab.errors import ChangedByHand, GarbledAnswer, InstrumentTimeout, OutOfBounds, SequenceError
from stmlab.station.audit import Audit
from stmlab.station.guards import GuardedBias
from stmlab.station.last_set import LastSet
from stmlab.station.limits import Limit
from stmlab.station.outputs import Junction, Outputs
from tests.approximately import close
from tests.station.lab import entries, lab

BIAS = Limit("bias", "V", -0.1, 0.1, "lab.toml: limits.bias", largest_step=1e-3, slew=0.5)


class Source:
    """A bias source whose readings can be wrong, and whose settings can fail."""

    WATCHED = ("bias",)

    def __init__(self, bias=0.01):
        self.written, self.real = [], bias
        self.lies = []
        self.fails_at = None

    @property
    def bias(self):
        return self.lies.pop(0) if self.lies else self.real

    @bias.setter
    def bias(self, value):
        if len(self.written) == self.fails_at:
            raise InstrumentTimeout("controller", "no answer within 2 s")
        self.written.append(value)
        self.real = value

    def agrees(self, name, wanted, read):
        return abs(wanted - read) <= 1e-9


class Tip:
    feedback = False


def guarded(source, clock=None):
    outputs = Outputs(Junction(0.1, "lab.toml", None), (), "lab.toml", LastSet(), Audit())
    return GuardedBias(
        "controller",
        source,
        outputs,
        limit=BIAS,
        clock=clock or SimulatedClock(),
        tip=Tip(),
        smallest_with_feedback=1e-3,
    ), outputs.last_set


def largest_step(start, written):
    return max((abs(b - a) for a, b in zip([start, *written], written, strict=False)), default=0.0)


@given(st.floats(-0.1, 0.1), st.floats(-0.1, 0.1))
def test_the_bias_never_steps_farther_or_faster_than_the_station_allows(start, end):
    source, clock = Source(start), SimulatedClock()
    guard, last_set = guarded(source, clock)
    guard.bias = end
    assert source.real == end
    assert largest_step(start, source.written) <= BIAS.largest_step * (1 + 1e-9)
    assert last_set.of("controller")["bias"] == end
    if start != end:
        assert clock.now() >= abs(end - start) / BIAS.slew * (1 - 1e-9)


@given(st.floats(-0.1, 0.1), st.floats(-0.1, 0.1), st.floats(-0.1, 0.1))
def test_a_ramp_starts_from_what_was_last_set_whatever_one_reading_says(start, lie, end):
    source = Source(start)
    guard, _ = guarded(source)
    guard.bias = middle = start / 2
    source.written.clear()
    source.lies = [lie]
    guard.bias = end
    assert source.real == end
    assert largest_step(middle, source.written) <= BIAS.largest_step * (1 + 1e-9)


@pytest.mark.parametrize("lies", [[-0.05], [0.01, -0.05]])
def test_two_first_readings_that_differ_move_nothing(lies):
    source = Source(0.01)
    source.lies = lies
    guard, _ = guarded(source)
    with pytest.raises(GarbledAnswer, match="a moment before it was"):
        guard.bias = 0.02
    assert source.written == []


def test_a_bias_that_a_hand_has_changed_is_a_fault_once_and_then_where_the_ramp_starts():
    source = Source(0.01)
    guard, _ = guarded(source)
    guard.bias = 0.012
    source.real = 0.05
    source.written.clear()
    with pytest.raises(ChangedByHand, match=r"bias was set to 0\.012 and is now 0\.05"):
        guard.bias = 0.02
    assert source.written == []
    guard.bias = 0.02
    assert source.real == 0.02
    assert largest_step(0.05, source.written) <= BIAS.largest_step * (1 + 1e-9)


def test_after_a_step_that_failed_nothing_is_taken_for_confirmed():
    source = Source(0.01)
    guard, last_set = guarded(source)
    source.fails_at = 3
    with pytest.raises(InstrumentTimeout):
        guard.bias = 0.02
    assert "bias" not in last_set.of("controller")
    assert last_set.moved == {"controller"}
    source.real = 0.014  # the step that was not answered was taken all the same
    source.fails_at = None
    source.written.clear()
    guard.bias = 0.02
    assert largest_step(0.014, source.written) <= BIAS.largest_step * (1 + 1e-9)


@pytest.mark.parametrize("end", [-0.01, 0.0, 5e-4, -5e-4])
def test_a_bias_through_zero_is_refused_while_feedback_is_on(tmp_path, end):
    with lab(tmp_path / "audit.jsonl") as station:
        assert station.tip.feedback
        start = station.simulation.tip.bias
        with pytest.raises(SequenceError, match="drive the tip into the sample"):
            station.bias.bias = end
        assert station.simulation.tip.bias == start
        station.tip.feedback = False
        station.bias.bias = end
        assert station.simulation.tip.bias == pytest.approx(end, abs=1e-9)
    what = [(entry["what"], entry["name"], entry["value"]) for entry in entries(tmp_path / "audit.jsonl")]
    assert what == [("refusal", "bias", end), ("change", "feedback", False), ("change", "bias", end)]


@pytest.mark.parametrize(
    ("start", "end", "refused"),
    [(0.0, 1e-3, False), (0.0, -0.01, False), (0.01, 1e-3, False), (-0.01, -1e-3, False), (0.01, 0.99e-3, True)],
)
def test_with_feedback_on_the_bias_may_come_to_its_least_magnitude_and_away_from_zero(monkeypatch, start, end, refused):
    monkeypatch.setattr(Tip, "feedback", True)
    source = Source(start)
    guard, _ = guarded(source)
    if refused:
        with pytest.raises(SequenceError, match="drive the tip into the sample"):
            guard.bias = end
    else:
        guard.bias = end
    assert source.real == (start if refused else end)


@pytest.mark.parametrize("value", [math.nan, math.inf, -0.1001, -0.03])
def test_what_lies_outside_the_limits_never_reaches_the_controller(value):
    with lab(limits__bias__low=-0.02) as station:
        station.tip.feedback = False
        before = station.simulation.tip.bias
        with pytest.raises(OutOfBounds, match=r"^bias"):
            station.bias.bias = value
        assert station.simulation.tip.bias == before


def test_negative_bias_and_setpoint_work_as_positive_ones():
    with lab() as station:
        station.tip.feedback = False
        station.bias.bias = -20e-3
        station.tip.setpoint = -3e-10
        assert station.simulation.tip.setpoint == close(-3e-10, rel=1e-6)
        station.tip.feedback = True
        assert station.tip.feedback
        station.bias.bias = -5e-3
        assert station.simulation.tip.bias == close(-5e-3, rel=1e-6)
