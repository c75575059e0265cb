"""What a lock-in says of a setting is accepted only if it is what was set."""

import pytest

from stmlab.errors import OutOfBounds, SequenceError, ValueNotTaken
from stmlab.simulation.faults import Fault
from tests.approximately import close
from tests.station.lab import entries, lab


@pytest.mark.parametrize(
    ("name", "value", "query"), [("sine_voltage", 0.02, "SLVL"), ("phase", 30.0, "PHAS"), ("frequency", 691.0, "FREQ")]
)
def test_a_setting_that_reads_as_something_else_is_no_factor_of_a_measurement(name, value, query):
    with lab() as station:
        setattr(station.lockin, name, value)
        station.simulation.faults.arm(Fault(kind="wrong_value", instrument="sr860", match=rf"{query}\?", value=0.001))
        with pytest.raises(ValueNotTaken, match=name):
            getattr(station.lockin, name)
        assert getattr(station.lockin, name) == close(value, rel=1e-6)


def test_a_reference_that_a_hand_made_external_is_internal_again():
    with lab() as station:
        station.simulation.adapter("sr860").write("RSRC 1")
        station.lockin.use_internal_reference()
        assert station._devices["lockin"].reference_source == "INT"
        assert station.last_set.of("lockin")["reference_source"] == "INT"


def test_an_input_is_prepared_and_what_was_set_is_noted():
    with lab() as station:
        driver = station._devices["lockin"]
        for full_scale in (0.5, 0.02):
            station.lockin.prepare_input(full_scale)
            assert driver.sensitivity == close(full_scale)
        noted = station.last_set.of("lockin")
        assert {"sensitivity", "input_range"} <= noted.keys()
        assert all(driver.agrees(name, noted[name], getattr(driver, name)) for name in noted)


def test_a_sine_without_limits_is_no_hindrance_to_the_loop():
    """Nobody has said that it reaches the junction; with limits its modulation is asked for."""
    with lab(limits__modulation=None) as station:
        station._devices["lockin"].sine_voltage = 0.02
        station.outputs.check_quiet()
    with lab() as station:
        station.outputs.check_quiet()
        station._devices["lockin"].sine_voltage = 0.02
        with pytest.raises(SequenceError, match="lockin: the modulation is on"):
            station.outputs.check_quiet()


def test_the_sine_at_its_least_is_what_stands_there_after_outputs_off():
    with lab() as station:
        station.lockin.sine_voltage = 0.02
        station._devices["lockin"].sine_offset = 0.1
        station.lockin.outputs_off()
        assert (station.outputs.present("modulation"), station.outputs.present("modulation_offset")) == (0.0, 0.0)
        noted = station.last_set.of("lockin")
        assert (noted["sine_voltage"], noted["sine_offset"]) == (0.0, 0.0)


def test_the_sine_switched_off_is_a_line_of_the_audit_log(tmp_path):
    with lab(tmp_path / "audit.jsonl") as station:
        station.lockin.sine_voltage = 0.02
        station.lockin.outputs_off()
        with pytest.raises(OutOfBounds, match=r"^modulation \(rms"):
            station.lockin.sine_voltage = 5.0
    lines = [(e["what"], e["instrument"], e["name"], e["value"]) for e in entries(tmp_path / "audit.jsonl")]
    assert lines == [
        ("change", "lockin", "sine_voltage", 0.02),
        ("change", "lockin", "sine_voltage", 0.0),
        ("refusal", "lockin", "sine_voltage", 5.0),
    ]
