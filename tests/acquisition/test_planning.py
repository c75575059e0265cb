"""A run on paper, on the simulated station and on a microscope that nobody dials."""

import socket

import pytest

from stmlab.acquisition.measurement import measurement
from stmlab.acquisition.planning import planned
from stmlab.config_files import config_directories
from tests.approximately import close

SEQUENCES = ("didv", "setpoint_ramp", "time_trace", "srs", "srs_map", "pump_probe", "transfer")


@pytest.fixture
def microscope(tmp_path, monkeypatch):
    """The template with addresses of its own; dialling anybody fails the test."""
    shipped = config_directories()[-1]
    text = (shipped / "microscope.example.toml").read_text()
    path = tmp_path / "microscope.toml"
    path.write_text(text.replace("192.0.2.", "127.0.0.").replace("largest_age_days = 180", "largest_age_days = 1e6"))
    for name in ("line.csv", "bias_tee.s2p"):
        (tmp_path / "transfer").mkdir(exist_ok=True)
        (tmp_path / "transfer" / name).write_text((shipped / "transfer" / name).read_text())

    def dialled(*_):
        raise AssertionError("somebody was dialled")

    monkeypatch.setattr(socket.socket, "connect", dialled)
    return str(path)


@pytest.mark.parametrize("name", SEQUENCES)
def test_a_plan_says_what_the_runners_own_preflight_says(name):
    plan = planned(name)
    with measurement(name) as (_, estimate):
        assert plan.estimate == estimate
    assert plan.refusal == ""
    assert plan.unchecked == ()
    assert all(demand.within for demand in plan.demands)


def test_demands_stand_beside_what_the_station_allows_and_add_up_at_the_junction():
    plan = planned("didv", settings={"start_bias": "-20 mV", "stop_bias": "30 mV", "modulation": "1 mV"})
    demands = {demand.output: demand for demand in plan.demands}
    assert (demands["bias"].low, demands["bias"].high) == (-0.02, 0.03)
    assert (demands["bias"].allowed_low, demands["bias"].allowed_high) == (-0.1, 0.1)
    assert demands["bias"].source.endswith("simulated.toml: limits.bias")
    assert demands["junction_total"].high == close(0.031, rel=1e-9)


def test_power_is_that_of_the_largest_amplitude_on_a_matched_line():
    figures = {figure.name: figure for figure in planned("srs", settings={"amplitude": "10 mV"}).figures}
    at_junction = figures["microwave power at the junction, in 50 Ω"]
    assert (at_junction.value, at_junction.unit) == (close(-30.0, rel=1e-9), "dBm")  # 10 mV: (10 mV)²/100 Ω = 1 µW
    assert figures["power in the junction at the setpoint"].value == close(40e-12, rel=1e-9)


@pytest.mark.parametrize(
    ("sequence", "settings", "words", "parameters"),
    [
        ("srs", {"dc_bias": "0.2 V"}, "bias = 0.2 V is out of bounds", ("dc_bias",)),
        ("srs", {"dc_bias": "20 V"}, "dc_bias = 20.0: -10 to 10 V is allowed", ()),
        ("srs", {"setpoint_current": "20 nA"}, "setpoint = 2e-08 A is out of bounds", ("setpoint_current",)),
        ("srs", {"amplitude": "30 mV"}, "junction_amplitude = 0.03 V", ("amplitude",)),
        ("didv", {"modulation": "20 mV"}, "modulation (rms", ("modulation",)),
        ("srs", {"time_constant": "10 us"}, "time_constant = 10 µs", ("time_constant", "chop_frequency")),
        ("srs", {"setpoint_bias": "0.1 mV"}, "would drive the tip into the sample", ()),
        ("nothing", {}, "no such sequence", ()),
    ],
)
def test_a_refusal_is_in_words_and_names_the_parameters(sequence, settings, words, parameters):
    plan = planned(sequence, settings=settings)
    assert words in plan.refusal
    assert set(plan.parameters) == set(parameters)


def test_one_output_too_far_shows_at_its_demand():
    plan = planned("srs", settings={"dc_bias": "0.2 V"})
    assert {demand.output for demand in plan.demands if not demand.within} == {"bias", "junction_total"}
    assert plan.estimate is not None


@pytest.mark.parametrize("name", SEQUENCES)
def test_a_microscope_is_planned_from_its_file_alone(microscope, name):
    plan = planned(name, microscope)
    assert plan.refusal == ""
    assert plan.estimate is not None
    demands = {demand.output: demand for demand in plan.demands}
    assert demands["bias"].source == f"{microscope}: limits.bias"


def test_what_only_an_instrument_knows_is_said_to_be_unchecked(microscope):
    (unchecked,) = planned("srs", microscope).unchecked
    assert unchecked == "checked when the run starts: awg: common amplitude is known when it is connected"
    assert planned("time_trace", microscope).unchecked == ()


def test_a_microscopes_limits_refuse_without_a_connection(microscope):
    assert "bias = 0.2 V is out of bounds" in planned("srs", microscope, settings={"dc_bias": "0.2"}).refusal
    assert "no such station" in planned("srs", "nowhere").refusal
