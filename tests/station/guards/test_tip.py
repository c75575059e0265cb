"""The loop is closed only where that cannot crash the tip."""

import contextlib

import pytest

from stmlab.errors import ChangedByHand, OutOfBounds, SequenceError, TipTripped, TipWithdrawn
from stmlab.simulation.faults import Fault
from stmlab.station.instruments import ActiveLoop
from tests.station.lab import entries, lab


@pytest.fixture
def station(tmp_path):
    with lab(tmp_path / "audit.jsonl") as station:
        station.tip.feedback = False
        station.bias.bias = 10e-3
        yield station


def closed(station):
    return station._devices["controller"].feedback


def refused(station, error, words):
    with pytest.raises(error, match=words):
        station.tip.feedback = True
    assert not closed(station)
    assert entries(station.audit.path)[-1]["what"] == "refusal"


def test_a_loop_that_may_be_closed_is_closed(station):
    station.tip.feedback = True
    assert closed(station)
    assert station.last_set.of("controller")["feedback"] is True
    assert entries(station.audit.path)[-1]["name"] == "feedback"


@pytest.mark.parametrize("bias", [0.0, 5e-4, -5e-4])
def test_not_at_too_small_a_bias(station, bias):
    station.bias.bias = bias
    refused(station, SequenceError, r"would drive the tip into the sample")


def test_not_with_the_microwave_on(station):
    station.generator.play_tone(1e9, 0.1, gated=False)
    refused(station, SequenceError, "awg: the microwave is on")
    station.generator.off()
    station.tip.feedback = True
    assert closed(station)


def test_not_with_the_modulation_on_even_if_somebody_else_has_switched_it_on(station):
    station._devices["lockin"].sine_voltage = 0.02
    refused(station, SequenceError, "lockin: the modulation is on")
    station.lockin.outputs_off()
    station.tip.feedback = True
    assert closed(station)


def test_not_with_the_controllers_own_modulator_on(station):
    station._devices["controller"].lockin.modulator(1).on = True
    refused(station, SequenceError, "the controller's own modulation is on")
    station.tip.modulation_off()
    station.tip.feedback = True
    assert closed(station)


def test_not_when_a_hand_has_changed_the_bias(station):
    station._devices["controller"].bias = 20e-3
    refused(station, ChangedByHand, "bias was set to 0.01 and is now 0.02")


def test_not_at_a_setpoint_that_a_hand_has_set(station):
    station.tip.setpoint = 1e-10
    station._devices["controller"].setpoint = 2e-10
    refused(station, ChangedByHand, "setpoint was set to 1e-10")


def test_not_at_a_setpoint_outside_the_limits(station):
    station._devices["controller"].setpoint = 5e-13
    refused(station, OutOfBounds, "setpoint = 5e-13 A")


def test_not_after_the_tip_was_withdrawn(station):
    station.tip.feedback = True
    station.tip.withdraw()
    assert station.last_set.of("controller")["feedback"] is False
    refused(station, TipWithdrawn, "stmlab approach")


def test_not_after_a_trip(station):
    station.tip.setpoint = 2e-9
    station.tip.feedback = True
    station.simulation.clock.sleep(1.0)
    station.tip.set_safe_guard(threshold=1e-9)
    assert not station.tip.is_safe()
    refused(station, TipTripped, "stmlab approach")


@pytest.mark.parametrize(
    ("loop", "words"),
    [
        (ActiveLoop("Frequency shift", "Frequency shift", False, False), "regulates Frequency shift, not the current"),
        (ActiveLoop("Current", "Current", False, False), "is signed: a setpoint of"),
    ],
)
def test_not_with_a_loop_on_another_quantity(station, monkeypatch, loop, words):
    station.bias.bias = -10e-3
    driver = station._devices["controller"]
    monkeypatch.setattr(type(driver), "active_loop", loop)
    refused(station, SequenceError, words)
    if loop.of_current:
        station.bias.bias = 10e-3
        station.tip.feedback = True
        assert closed(station)


def test_not_while_the_mark_of_a_retreat_stands(station):
    from stmlab.station.tip_mark import Retreat

    station.tip_mark.set(Retreat.TRIPPED, "at point 7")
    refused(station, TipTripped, "at point 7")
    station.tip_mark.clear()
    station.tip_mark.set(Retreat.WITHDRAWN)
    refused(station, TipWithdrawn, "the tip was withdrawn")
    station.tip_mark.clear()
    station.tip.feedback = True
    assert closed(station)


@pytest.mark.parametrize("value", [5e-13, 2e-8, -2e-8, float("nan")])
def test_a_setpoint_outside_the_limits_is_refused(station, value):
    before = station.simulation.tip.setpoint
    with pytest.raises(OutOfBounds, match="setpoint"):
        station.tip.setpoint = value
    assert station.simulation.tip.setpoint == before


@pytest.mark.parametrize("wanted", [{"on": False}, {"auto_recovery": True}])
def test_the_controllers_own_guard_cannot_be_switched_off(station, wanted):
    station.tip.set_safe_guard(threshold=5e-9)
    with pytest.raises(SequenceError, match="SafeTip stays on"):
        station.tip.set_safe_guard(**wanted)
    guard = station.tip.safe_guard
    assert (guard.on, guard.auto_recovery) == (True, False)


def test_opening_and_withdrawing_are_never_refused(station):
    station.tip.feedback = True
    station.generator.play_tone(1e9, 0.1, gated=False)
    station._devices["lockin"].sine_voltage = 0.02
    station.tip.feedback = False
    assert not closed(station)
    station.tip.withdraw()
    assert station.tip.is_withdrawn(station.tip.state)


@pytest.mark.parametrize(("kind", "error"), [("trip", TipTripped), ("withdrawn", TipWithdrawn)])
def test_not_after_a_trip_or_a_withdrawal_at_any_question_that_comes_before(kind, error):
    """Only what happens within the very message that closes the loop cannot be known."""
    for message in range(1, 200):
        with lab() as station:
            station.tip.feedback = False
            microscope = station.simulation
            recorder = microscope.record()
            microscope.faults.arm(Fault(kind=kind, instrument="nanonis", message=message))
            try:
                station.tip.feedback = True
            except error:
                assert not recorder.closings
                continue
            assert microscope.faults.happened[0].message == "ZCtrl.OnOffSet"
            break
    assert message > 20


@pytest.mark.parametrize("kind", ["trip", "withdrawn"])
def test_a_loop_that_was_closed_is_not_closed_again_after_a_trip_or_a_withdrawal(kind):
    """Asked to close a closed loop, the guard sends nothing that would undo what has happened in between."""
    for message in range(1, 200):
        with lab() as station:
            microscope = station.simulation
            recorder = microscope.record()
            microscope.faults.arm(Fault(kind=kind, instrument="nanonis", message=message))
            with contextlib.suppress(TipTripped, TipWithdrawn):
                station.tip.feedback = True
            assert not recorder.closings
            if not microscope.faults.happened:
                break
    assert message > 5


def test_a_tip_that_is_withdrawn_while_the_loop_is_being_closed_is_called_so(station):
    station._devices["controller"]._line.timeout = 0.1
    station.simulation.faults.arm(Fault(kind="withdrawn", instrument="nanonis", match=r"ZCtrl\.OnOffGet", message=3))
    with pytest.raises(TipWithdrawn, match="has been withdrawn"):
        station.tip.feedback = True
    assert station.simulation.faults.happened


def test_every_opening_is_counted_and_every_closing_remembered(station):
    tip = station.tip
    before = tip.openings
    assert tip.closed_at is None
    tip.setpoint = 2e-10
    tip.feedback = True
    assert (tip.closed_at.bias, tip.closed_at.current) == pytest.approx((10e-3, 2e-10), rel=1e-6, abs=0)
    assert tip.openings == before
    tip.feedback = False
    assert tip.openings == before + 1
    tip.feedback = True
    tip.withdraw()
    assert tip.openings == before + 2


def test_limits_of_z_and_of_safetip_are_lines_of_the_audit_log(station):
    station.tip.height_limits = (-50e-9, 60e-9)
    station.tip.set_safe_guard(threshold=4e-9)
    station.tip.set_safe_guard()
    lines = [(e["what"], e["instrument"], e["name"], e["value"]) for e in entries(station.audit.path)[-3:]]
    assert lines == [
        ("change", "controller", "height_limits", "-5e-08 to 6e-08"),
        ("change", "controller", "safe_guard", 4e-9),
        ("change", "controller", "safe_guard", "on"),
    ]
    assert station.tip.height_limits == pytest.approx((-50e-9, 60e-9), rel=1e-6, abs=0)
    assert station.last_set.of("controller")["z_high_limit"] == 60e-9


def test_an_approach_and_a_withdrawal_are_lines_of_the_audit_log(station):
    station.tip.withdraw()
    station.tip.approach()
    lines = [(e["what"], e["instrument"], e["name"], e["value"]) for e in entries(station.audit.path)[-2:]]
    assert lines == [("change", "controller", "withdraw", True), ("change", "controller", "approach", True)]
    assert station.last_set.of("controller")["feedback"] is True
