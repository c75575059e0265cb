"""Before a sequence prepares every output is off, or what the station file says."""

import math

import pytest

from stmlab.errors import InstrumentFault, OutOfBounds, SequenceError, StationError, TipTripped
from stmlab.station.instruments import ActiveLoop
from stmlab.station.preparation import prepare_outputs
from tests.approximately import close
from tests.station.lab import entries, lab


def test_what_another_program_left_on_is_off_afterwards(tmp_path):
    with lab(tmp_path / "audit.jsonl") as station:
        lockin, generator, controller = (station._devices[name] for name in ("lockin", "awg", "controller"))
        lockin.sine_voltage, lockin.sine_offset = 0.3, 0.5
        generator.play_tone(1e9, 0.2, gated=False)
        controller.lockin.modulator(1).on = True
        controller.set_safe_guard(on=False, auto_recovery=True)
        record = prepare_outputs(station)
        bench = station.simulation
        assert not bench.generator.on
        assert not bench.tip.modulation_on
        assert (bench.lockin.sine_voltage, lockin.sine_offset) == (0, 0)
        guard = controller.safe_guard
        assert (guard.on, guard.auto_recovery) == (True, False)
        assert record["generator"] == {"off": True}
        assert record["lockin"]["sine_voltage"] == record["lockin"]["sine_offset"] == 0
        assert "background" not in record["lockin"]
        assert record["tip"]["safe_tip_threshold"] == close(guard.threshold, rel=1e-9)
        assert record["tip"]["loop"] == "log Current"
        assert record["tip"]["modulation"] is False
    changed = {entry["name"] for entry in entries(tmp_path / "audit.jsonl")}
    assert {"off", "sine_voltage", "modulation_off", "safe_guard"} <= changed


def test_the_controllers_own_limits_are_set_read_back_and_recorded():
    given = {"z_low": -50e-9, "z_high": 60e-9, "safe_tip_threshold": 4e-9}
    with lab(controller=given) as station:
        record = prepare_outputs(station)["tip"]
        state = station._devices["controller"].state
        assert (state.lower_limit, state.upper_limit) == pytest.approx((-50e-9, 60e-9), rel=1e-6, abs=0)
        assert station._devices["controller"].safe_guard.threshold == pytest.approx(4e-9, rel=1e-6, abs=0)
        assert record["z_low_limit"] == state.lower_limit
        assert record["z_high_limit"] == state.upper_limit
        assert record["safe_tip_threshold"] == pytest.approx(4e-9, rel=1e-6, abs=0)
        assert record["tip_lift"] == 0
        assert record["bias_high_limit"] >= 0.1


def test_limits_that_are_not_given_are_left_as_they_are():
    with lab(controller={"safe_tip": "none"}) as station:
        before = station._devices["controller"].state, station._devices["controller"].safe_guard
        record = prepare_outputs(station)["tip"]
        after = station._devices["controller"].state, station._devices["controller"].safe_guard
        assert after[0].upper_limit == before[0].upper_limit
        assert after[1].on == before[1].on
        assert record["safe_tip"] == "none"


def test_auxiliary_outputs_are_as_the_station_file_says_and_the_others_are_left_alone():
    with lab(instruments__lockin__aux_outputs={"3": 0.5}) as station:
        station._devices["lockin"].aux_out_1 = 1.5
        record = prepare_outputs(station)["lockin"]
        assert (record["aux_out_1"], record["aux_out_3"]) == (1.5, 0.5)
        assert station._devices["lockin"].aux_out_3 == 0.5


@pytest.mark.parametrize(
    ("lift", "given", "words"),
    [
        (-50e-12, {}, r"TipLift is -5e-11 m: the tip would approach"),
        (0.0, {"tip_lift": 1e-10}, r"TipLift is 0 m on the controller: controller\.tip_lift = 1e-10 m"),
        (-60e-12, {"tip_lift": -50e-12}, r"TipLift is -6e-11 m on the controller"),
    ],
)
def test_a_tip_lift_that_approaches_or_is_not_the_stations_is_refused(lift, given, words):
    with lab(controller=given) as station:
        station._devices["controller"].z.tip_lift = lift
        with pytest.raises(SequenceError, match=words):
            prepare_outputs(station)


@pytest.mark.parametrize(("lift", "given"), [(50e-12, {}), (-50e-12, {"tip_lift": -50e-12})])
def test_a_tip_lift_that_is_known_is_recorded(lift, given):
    with lab(controller=given) as station:
        station._devices["controller"].z.tip_lift = lift
        assert prepare_outputs(station)["tip"]["tip_lift"] == pytest.approx(lift, rel=1e-6, abs=0)


@pytest.mark.parametrize(
    ("loop", "words"),
    [
        (ActiveLoop("Frequency shift", "Frequency shift", False, False), "regulates Frequency shift, not the current"),
        (ActiveLoop("Current", "Current", False, False), "have different signs"),
    ],
)
def test_a_loop_on_another_quantity_is_refused(monkeypatch, loop, words):
    with lab() as station:
        station.tip.feedback = False
        station.bias.bias = -10e-3
        monkeypatch.setattr(type(station._devices["controller"]), "active_loop", loop)
        with pytest.raises(SequenceError, match=words):
            prepare_outputs(station)
        if loop.of_current:
            station.bias.bias = 10e-3
            assert prepare_outputs(station)["tip"]["loop"] == "Current"


def test_a_loop_that_is_closed_at_too_small_a_bias_or_setpoint_is_refused():
    with lab() as station:
        controller = station._devices["controller"]
        controller.setpoint = 5e-13
        with pytest.raises(OutOfBounds, match="setpoint"):
            prepare_outputs(station)
    with lab() as station:
        station._devices["controller"].bias = 0.9e-3
        with pytest.raises(SequenceError, match=r"at least 0\.001 V is allowed"):
            prepare_outputs(station)


def test_a_tip_that_has_tripped_is_refused():
    with lab() as station:
        station.tip.setpoint = 2e-9
        station.simulation.clock.sleep(1.0)
        station.tip.set_safe_guard(threshold=1e-9)
        assert not station.tip.is_safe()
        with pytest.raises(TipTripped, match="stmlab approach"):
            prepare_outputs(station)


def test_an_output_that_does_not_go_off_is_refused(monkeypatch):
    for name, question, words in (
        ("awg", "is_off", "the generator still plays"),
        ("lockin", "quiet", "the lock-in's sine or its DC level is still on"),
        ("controller", "modulation_is_off", "the controller's own modulator is still on"),
    ):
        with monkeypatch.context() as patch, lab() as station:
            patch.setattr(type(station._devices[name]), question, lambda _self: False)
            with pytest.raises((SequenceError, InstrumentFault), match=words):
                prepare_outputs(station)


@pytest.mark.parametrize(("share", "refused"), [(1.0, True), (-1.0, True), (0.999, False)])
def test_a_setpoint_that_reaches_the_threshold_of_safetip_is_refused(share, refused):
    with lab(controller={"safe_tip_threshold": 1e-9}) as station:
        station.tip.set_safe_guard(threshold=1e-9)
        demands = {"setpoint": [1e-10, share * station.tip.safe_guard.threshold]}
        if refused:
            with pytest.raises(SequenceError, match="reaches the threshold of SafeTip"):
                prepare_outputs(station, demands)
        else:
            assert prepare_outputs(station, demands)["tip"]["safe_tip"] is True


SR830 = {"instruments__lockin__driver": "drivers.sr830:SR830", "instruments__lockin__address": "simulation:sr830"}


def test_the_background_of_a_sine_that_cannot_be_switched_off_is_said_and_recorded(caplog):
    with lab(**SR830) as station:
        background = prepare_outputs(station)["lockin"]["background"]
        assert background == pytest.approx(4e-3 * math.sqrt(2) / 100, rel=1e-9, abs=0)
        assert station.simulation.lockin.sine_voltage == pytest.approx(4e-3, rel=1e-9, abs=0)
    assert "cannot be switched off: it modulates the bias by 5.66e-05 V peak" in caplog.text


def test_a_station_whose_safe_state_cannot_be_reached_is_refused_when_it_is_loaded():
    with pytest.raises(StationError, match=r"limits\.modulation\.high = 0\.003 V: the safe state cannot be reached"):
        lab(**SR830, limits__modulation={"high": 3e-3})
    with pytest.raises(StationError, match=r"safe\.bias = 20 V: the safe state cannot be reached: the range"):
        lab(limits__bias__high=25.0, safe__bias=20.0, limits__bias__slew=1.0)
    with lab(**SR830, limits__modulation={"high": 4e-3}) as station:
        station.lockin.outputs_off()
