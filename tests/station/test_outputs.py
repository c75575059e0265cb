"""What adds up at the junction, interlocks between outputs, and the audit log of both."""

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stmlab.errors import InstrumentLost, OutOfBounds, SequenceError, StmlabError
from stmlab.station.audit import Audit
from stmlab.station.instruments import PulsePair
from stmlab.station.last_set import LastSet
from stmlab.station.outputs import Change, Junction, Outputs
from tests.approximately import close
from tests.station.lab import entries, lab

TOTAL = 15e-3
NO_MICROWAVE = {
    "name": "no microwave at a large bias",
    "never": [{"output": "rf_amplitude", "above": 0.0}, {"output": "bias", "beyond": "50 mV"}],
}


def at_the_junction(station):
    """What stands at the junction by the simulated microscope's own panel, V peak."""
    bench = station.simulation
    volts = abs(bench.tip.bias) + bench.lockin.sine_voltage * math.sqrt(2) / 100
    return volts + (station.played if bench.generator.on else 0.0)


def play(station, frequency, amplitude):
    tone = station.generator.play_tone(frequency, amplitude, gated=False)
    station.played = tone.amplitude * abs(station.rf_path.transfer(np.array([tone.frequency]))[0])


def bias(station, value):
    station.bias.bias = value


def sine(station, value):
    station.lockin.sine_voltage = value


ACTIONS = st.one_of(
    st.tuples(st.just(bias), st.floats(-0.02, 0.02)),
    st.tuples(st.just(sine), st.floats(0.0, 0.1)),
    st.tuples(st.just(play), st.sampled_from([1e7, 1e9, 1e10]), st.floats(0.01, 0.5)),
)


@pytest.fixture(scope="module")
def shared():
    with lab(limits__junction_total={"high": TOTAL}) as station:
        yield station


@given(st.lists(ACTIONS, min_size=1, max_size=6))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_asked_for_no_more_arrives_at_the_junction_than_is_allowed(shared, actions):
    shared.generator.off()
    shared.lockin.outputs_off()
    shared.tip.feedback = False
    bias(shared, 0.0)
    for action, *arguments in actions:
        before = at_the_junction(shared)
        try:
            action(shared, *arguments)
        except OutOfBounds:
            assert at_the_junction(shared) == before
        assert at_the_junction(shared) <= TOTAL * (1 + 1e-3)  # the generator's levels are rounded


def test_bias_and_modulation_add_up(tmp_path):
    with lab(tmp_path / "audit.jsonl") as station:
        station.tip.feedback = False
        station.bias.bias = 99.5e-3
        station.lockin.sine_voltage = 0.03
        with pytest.raises(OutOfBounds, match=r"junction_total \(bias 0.0995 \+ modulation 0.000565685\)") as refusal:
            station.lockin.sine_voltage = 0.04
        assert "limits.bias, as there is no limits.junction_total" in str(refusal.value)
        assert station.simulation.lockin.sine_voltage == close(0.03, rel=1e-6)
        with pytest.raises(OutOfBounds, match="junction_total"):
            station.bias.bias = 0.1
        assert station.simulation.tip.bias == close(99.5e-3, rel=1e-6)
    assert [e["name"] for e in entries(tmp_path / "audit.jsonl") if e["what"] == "refusal"] == ["sine_voltage", "bias"]


def test_what_another_program_left_on_counts():
    with lab(limits__junction_total={"high": TOTAL}) as station:
        station._devices["lockin"].sine_voltage = 0.5  # 7 mV peak at the junction
        station.tip.feedback = False
        with pytest.raises(OutOfBounds, match="junction_total"):
            station.bias.bias = 12e-3
        station._devices["awg"].play_tone(1e9, 0.1, gated=False)
        with pytest.raises(OutOfBounds):
            station.lockin.sine_voltage = 0.4
            station.bias.bias = 12e-3
    with lab() as station:
        station._devices["awg"].play_tone(1e9, 0.1, gated=False)
        station.tip.feedback = False
        with pytest.raises(SequenceError, match="awg plays what this session has not set"):
            station.bias.bias = 12e-3
        station.generator.off()
        station.bias.bias = 12e-3


def test_what_only_falls_is_never_refused():
    with lab(limits__junction_total={"high": TOTAL}) as station:
        station.tip.feedback = False
        station.bias.bias = 14e-3
        station._devices["lockin"].sine_voltage = 0.5
        station.outputs.forget(["modulation"])
        station.bias.bias = 10e-3
        assert station.simulation.tip.bias == close(10e-3, rel=1e-6)
        station.lockin.outputs_off()
        assert station.simulation.lockin.sine_voltage == 0


def test_a_bias_that_falls_asks_nobody_else(monkeypatch):
    """A program that has just started makes the station safe although the generator does not answer."""
    with lab() as station:
        station.tip.feedback = False
        station._devices["controller"].bias = 50e-3

        def lost(_self):
            raise InstrumentLost("awg", "no answer")

        monkeypatch.setattr(type(station._devices["awg"]), "is_off", lost)
        station.bias.bias = 10e-3
        assert station.simulation.tip.bias == close(10e-3, rel=1e-6)
        with pytest.raises(InstrumentLost):
            station.bias.bias = 20e-3


def test_pulses_add_up_where_they_overlap():
    with lab(limits__junction_total={"high": TOTAL}) as station:
        station.tip.feedback = False
        station.bias.bias = 10e-3
        one = PulsePair(0.1, 0.05, 1e-9, 2e-10, 3e-9, 20e-9)
        station.generator.play_pulses(one, gated=True)
        station.generator.off()
        with pytest.raises(OutOfBounds, match="junction_total"):
            station.generator.play_pulses(PulsePair(0.15, 0.15, 1e-9, 2e-10, 3e-9, 20e-9), gated=True)
        assert not station.simulation.generator.on


@pytest.mark.parametrize(
    ("frequency", "amplitude", "words"),
    [(30e9, 0.1, "rf_frequency"), (1e9, 0.6, "rf_amplitude"), (math.nan, 0.1, "rf_frequency"), (1e9, math.nan, "rf_")],
)
def test_a_tone_out_of_bounds_never_reaches_the_generator(frequency, amplitude, words):
    with lab() as station:
        with pytest.raises(OutOfBounds, match=words):
            station.generator.play_tone(frequency, amplitude, gated=True)
        assert not station.simulation.generator.on
        assert station.last_set.moved == frozenset()


def test_a_tone_that_is_too_large_at_the_junction_is_refused(tmp_path):
    with lab(tmp_path / "audit.jsonl", limits__junction_amplitude={"high": 1e-3}) as station:
        largest = 1e-3 / abs(station.rf_path.transfer(np.array([1e9]))[0])
        station.generator.play_tone(1e9, largest, gated=True)
        with pytest.raises(OutOfBounds, match="junction_amplitude"):  # and that is in the log too
            station.generator.play_tone(1e9, 1.001 * largest, gated=True)
    assert [entry["what"] for entry in entries(tmp_path / "audit.jsonl")] == ["change", "refusal"]


@pytest.mark.parametrize("value", [0.101, -0.01, math.nan])
def test_a_sine_outside_its_limit_never_reaches_the_lock_in(value):
    with lab() as station:
        with pytest.raises(OutOfBounds, match=r"^modulation \(rms at the lock-in's sine output\)"):
            station.lockin.sine_voltage = value
        assert station.simulation.lockin.sine_voltage == 0


def test_the_sine_output_needs_a_limit():
    with lab(limits__modulation=None) as station, pytest.raises(SequenceError, match=r"limits\.modulation"):
        station.lockin.sine_voltage = 0.01


# -- interlocks ----------------------------------------------------------------------------------------------------


def test_an_interlock_refuses_the_last_of_its_conditions_whichever_it_is(tmp_path):
    with lab(tmp_path / "audit.jsonl", interlock=[NO_MICROWAVE]) as station:
        station.tip.feedback = False
        station.bias.bias = 60e-3
        with pytest.raises(
            SequenceError, match=r"'no microwave at a large bias': never rf_amplitude above 0 with \|bias\|"
        ):
            station.generator.play_tone(1e9, 0.1, gated=True)
        assert not station.simulation.generator.on
        station.bias.bias = 40e-3
        station.generator.play_tone(1e9, 0.1, gated=True)
        with pytest.raises(SequenceError, match="no microwave"):
            station.bias.bias = -60e-3
        assert station.simulation.tip.bias == close(40e-3, rel=1e-6)
        with pytest.raises(SequenceError, match="no microwave"):
            station.spectroscopy.sweep_bias(0.0, 60e-3, 100, settling=0.0, integration=1e-4)
        station.generator.off()
        station.bias.bias = -60e-3
    assert [e["what"] for e in entries(tmp_path / "audit.jsonl")].count("refusal") == 3


def test_an_interlock_may_forbid_the_feedback():
    never = [{"output": "feedback", "above": 0.5}, {"output": "bias", "below": "0 V"}]
    with lab(interlock=[{"name": "positive only", "never": never}]) as station:
        station.tip.feedback = False
        station.bias.bias = -10e-3
        with pytest.raises(SequenceError, match="positive only"):
            station.tip.feedback = True
        station.bias.bias = 10e-3
        station.tip.feedback = True
        assert station.tip.feedback


# -- before anything moves -----------------------------------------------------------------------------------------

VOLTS = st.floats(0.0, 0.1)


@given(st.lists(VOLTS, min_size=1, max_size=4), VOLTS, st.floats(0.0, 0.1), st.floats(0.0, 20e-3))
def test_demands_are_refused_exactly_where_their_largest_add_up_to_too_much(shared, biases, setpoint, sine_rms, rf):
    demands = {
        "bias": -np.array(biases),
        "setpoint_bias": setpoint,
        "modulation": sine_rms,
        "junction_amplitude": np.array([0.0, rf]),
    }
    total = max(max(biases) + sine_rms * math.sqrt(2) / 100 + rf, setpoint)
    if total > TOTAL * (1 + 1e-6):
        with pytest.raises(OutOfBounds, match="junction_total"):
            shared.check_demands(demands)
    elif total < TOTAL * (1 - 1e-6):
        shared.check_demands(demands)


def test_demands_that_an_interlock_forbids_are_refused():
    with lab(interlock=[NO_MICROWAVE]) as station:
        demands = {"bias": [1e-3, 60e-3], "rf_amplitude": 0.1, "setpoint_bias": 1e-2}
        with pytest.raises(SequenceError, match="no microwave at a large bias"):
            station.check_demands(demands)
        station.check_demands({**demands, "bias": [1e-3], "setpoint_bias": 60e-3})


def test_a_setpoint_beyond_safetips_threshold_is_refused():
    with lab(controller__safe_tip_threshold=1e-9) as station:
        station.check_demands({"setpoint": 0.9e-9})
        with pytest.raises(OutOfBounds, match=r"controller\.safe_tip_threshold"):
            station.check_demands({"setpoint": np.array([0.9e-9, -1.1e-9])})


# -- the log -------------------------------------------------------------------------------------------------------


def test_every_change_every_refusal_and_every_failure_is_a_line(tmp_path, monkeypatch):
    with lab(tmp_path / "deep" / "audit.jsonl") as station:
        station.audit.run = "abc"
        station.tip.feedback = False
        station.bias.bias = 12e-3
        station.lockin.sine_voltage = 0.02
        station.generator.play_tone(1e9, 0.1, gated=True)
        station.generator.off()
        with pytest.raises(OutOfBounds):
            station.tip.setpoint = 1.0

        def broken(_self, _value):
            raise SequenceError("it did not answer")

        driver = type(station._devices["controller"])
        monkeypatch.setattr(driver, "setpoint", property(driver.setpoint.fget, broken))
        with pytest.raises(SequenceError, match="did not answer"):
            station.tip.setpoint = 2e-10
        assert "setpoint" not in station.last_set.of("controller")
        station.tip.withdraw()
    lines = entries(tmp_path / "deep" / "audit.jsonl")
    assert [(e["what"], e["instrument"], e["name"], e["value"]) for e in lines] == [
        ("change", "controller", "feedback", False),
        ("change", "controller", "bias", 12e-3),
        ("change", "lockin", "sine_voltage", 0.02),
        ("change", "awg", "play_tone", 0.1),
        ("change", "awg", "off", 0.0),
        ("refusal", "controller", "setpoint", 1.0),
        ("failure", "controller", "setpoint", 2e-10),
        ("change", "controller", "withdraw", True),
    ]
    assert all(e["run"] == "abc" and e["pid"] and e["time"].endswith("+00:00") for e in lines)
    assert "out of bounds" in lines[5]["why"]
    assert "did not answer" in lines[6]["why"]


def test_a_log_that_cannot_be_written_is_said_once_and_stops_nothing(tmp_path, caplog):
    (tmp_path / "file").write_text("in the way")
    with lab(tmp_path / "file" / "audit.jsonl") as station:
        station.tip.feedback = False
        station.bias.bias = 12e-3
        assert "audit.jsonl" in station.audit.problem
        assert station.snapshot()["audit"]["problem"] == station.audit.problem
    assert [r.message for r in caplog.records if "audit" in r.message] == [
        f"the audit log is incomplete: {station.audit.problem}"
    ]


def test_a_move_is_announced_before_anything_is_sent_and_only_where_an_output_moves():
    """The guardian must know of it when the run dies in the middle of the sending."""
    moved = []
    last_set = LastSet(moved.append)
    outputs = Outputs(Junction(0.1, "lab.toml", 100.0), (), "lab.toml", last_set, Audit())
    outputs.readable(bias=lambda: 0.0)
    outputs.change(Change("lockin", "aux_out_1", 0.5, "V"), lambda: None)
    assert moved == []
    at_sending = []
    change = Change("controller", "bias", 0.02, "V", {"bias": 0.02})
    outputs.change(change, lambda: at_sending.append((list(moved), last_set.moved)))
    assert at_sending == [(["controller"], {"controller"})]
    outputs.release(Change("awg", "off", 0.0, "V", {"rf_amplitude": 0.0}), lambda: at_sending.append(list(moved)))
    assert at_sending[-1] == ["controller", "awg"]


def test_an_output_that_may_have_moved_before_its_driver_failed_has_moved():
    last_set = LastSet()
    outputs = Outputs(Junction(0.1, "lab.toml", None), (), "lab.toml", last_set, Audit())
    outputs.known(bias=0.01)
    readings = [0.013]
    outputs.readable(bias=readings.pop)
    last_set.note("controller", "bias", 0.01)

    def fails():
        raise InstrumentLost("controller", "no answer")

    with pytest.raises(InstrumentLost):
        outputs.change(Change("controller", "bias", 0.02, "V", {"bias": 0.02}), fails)
    assert last_set.moved == {"controller"}
    assert dict(last_set.of("controller")) == {}
    assert outputs.present("bias") == 0.013, "it is read again"


@pytest.mark.parametrize(
    ("bias", "refused"), [(0.08, False), (-0.08, False), (0.0, False), (0.081, True), (-0.081, True)]
)
def test_what_stays_or_falls_is_not_refused_although_there_is_too_much_in_all(bias, refused):
    outputs = Outputs(Junction(0.1, "lab.toml", 100.0), (), "lab.toml", LastSet(), Audit())
    outputs.known(bias=0.08)
    outputs.readable(modulation=lambda: 2.0)  # a hand has turned it up: 28 mV peak
    change = Change("controller", "bias", bias, "V", {"bias": bias})
    if refused:
        with pytest.raises(OutOfBounds, match="junction_total"):
            outputs.allow(change)
    else:
        outputs.allow(change)


@pytest.mark.parametrize(
    ("output", "volts"),
    [
        ("bias", 0.02),
        ("rf_at_junction", 0.02),
        ("modulation", 0.02 * math.sqrt(2) / 100),
        ("modulation_offset", 2e-4),
        ("setpoint", None),
        ("rf_amplitude", None),
    ],
)
def test_what_an_output_adds_at_the_junction(output, volts):
    for sign in (1, -1):
        assert Junction(0.1, "lab.toml", 100.0).volts(output, sign * 0.02) == (volts and close(volts, rel=1e-12))
    connected = Junction(0.1, "lab.toml", None).volts(output, 0.02)
    assert connected == (None if output.startswith("modulation") else volts)


def test_an_output_of_which_nothing_is_known_counts_as_rising():
    def outputs():
        return Outputs(Junction(0.1, "lab.toml", 100.0), (), "lab.toml", LastSet(), Audit())

    outputs().allow(Change("lockin", "sine_voltage", 7.0, "V", {"modulation": 7.0}))
    with pytest.raises(OutOfBounds, match="junction_total"):
        outputs().allow(Change("lockin", "sine_voltage", 7.1, "V", {"modulation": 7.1}))
    with pytest.raises(OutOfBounds, match="junction_total"):
        outputs().allow(Change("controller", "bias", 0.11, "V", {"bias": 0.11}))


def test_an_output_that_is_given_no_value_adds_nothing():
    outputs = Outputs(Junction(0.1, "lab.toml", 100.0), (), "lab.toml", LastSet(), Audit())
    outputs.check_together({"bias": np.empty(0), "setpoint_bias": [], "modulation": []})
    outputs.check_together({})


def test_a_junction_takes_its_largest_and_no_more():
    junction = Junction(0.1, "lab.toml: limits.junction_total", None)
    junction.check({"bias": 0.06, "modulation": 0.04})
    with pytest.raises(OutOfBounds, match=r"junction_total \(bias 0\.06 \+ modulation 0\.0401\)"):
        junction.check({"bias": 0.06, "rf_at_junction": 0.0, "modulation": 0.0401})
    with pytest.raises(OutOfBounds):
        junction.check({"bias": math.nan})


def test_a_simulated_microscope_keeps_no_log():
    with lab() as station:
        station.lockin.sine_voltage = 0.01
        assert station.audit.path is None
        assert "audit" not in station.snapshot()


def test_after_a_refusal_an_output_is_known_as_it_is():
    with lab() as station:
        station.lockin.sine_voltage = 0.02
        with pytest.raises(StmlabError):
            station.lockin.sine_voltage = 5.0
        assert station.outputs.present("modulation") == station.simulation.lockin.sine_voltage == 0.02


def test_what_the_driver_itself_refuses_leaves_what_plays_known():
    with lab() as station:
        station.tip.feedback = False
        station.generator.play_tone(1e9, 0.1, gated=True)
        noted = dict(station.last_set.of("awg"))
        with pytest.raises(OutOfBounds):
            station.generator.play_tone(1e9, 1e-3, gated=True)  # fewer codes than the converter needs
        assert dict(station.last_set.of("awg")) == noted
        assert station.outputs.present("rf_amplitude") == 0.1
        station.bias.bias = 20e-3
