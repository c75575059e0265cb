"""What is not on a guard's list cannot be read, called or set through it."""

import pytest

from stmlab.errors import SequenceError
from stmlab.station.guards import NotAllowed
from tests.station.lab import entries, lab

DEVICE = {"snapshot", "check_status", "look", "agrees", "close", "reconnect", "WATCHED", "BY_TURNS"}
SET = {
    "lockin": {"frequency", "phase", "harmonic", "time_constant", "filter_slope", "sensitivity", "sine_voltage"},
    "generator": set(),
    "bias": {"bias"},
    "tip": {"setpoint", "feedback", "height_limits"},
    "spectroscopy": set(),
}
READ = {
    "lockin": {
        *("xy", "clear", "settling_time", "noise_bandwidth", "use_internal_reference", "prepare_input"),
        *("least_sine_voltage", "sine_offset", "outputs_off", "quiet"),
        *("aux_out_1", "aux_out_2", "aux_out_3", "aux_out_4"),
    },
    "generator": {
        *("frequency_range", "largest_amplitude", "common_amplitude", "plan_tone", "play_tone", "check_pulses"),
        *("play_pulses", "off", "is_off", "confirmed"),
    },
    "bias": {"bias_limits"},
    "tip": {
        *("current", "height", "state", "is_withdrawn", "is_safe", "safe_guard", "set_safe_guard", "active_loop"),
        *("modulation_off", "modulation_is_off", "withdraw"),
    },
    "spectroscopy": {"sweep_bias"},
}
NAMES = {
    "lockin": "lockin",
    "generator": "awg",
    "bias": "controller",
    "tip": "controller",
    "spectroscopy": "controller",
}


@pytest.mark.parametrize("role", sorted(READ))
def test_everything_of_the_driver_that_is_not_on_the_list_is_refused(role):
    with lab() as station:
        guard = getattr(station, role)
        driver = guard._driver()
        public = {name for name in dir(driver) if not name.startswith("_")}
        listed = READ[role] | SET[role] | DEVICE
        hidden = public - listed
        assert {"write", "adapter"} <= hidden
        for name in hidden:
            with pytest.raises(NotAllowed, match=f"{NAMES[role]}: {name} cannot be reached"):
                getattr(guard, name)
            with pytest.raises(NotAllowed, match=f"{NAMES[role]}: {name} cannot be set"):
                setattr(guard, name, 0)
        for name in READ[role] | SET[role]:
            assert hasattr(guard, name), name


@pytest.mark.parametrize("role", sorted(READ))
def test_what_may_only_be_read_cannot_be_set(role):
    with lab() as station:
        guard = getattr(station, role)
        for name in READ[role] - {"aux_out_1", "aux_out_2", "aux_out_3", "aux_out_4"} | {"invented"}:
            with pytest.raises(NotAllowed):
                setattr(guard, name, 0)


def test_a_refused_write_reaches_no_instrument_and_is_in_the_audit_log(tmp_path):
    with lab(tmp_path / "audit.jsonl") as station:
        before = station.lockin.snapshot()
        for name, value in (("sine_offset", 5.0), ("aux_out_1", 10.0), ("reset", None), ("write", "SOFF 5")):
            with pytest.raises(SequenceError):
                setattr(station.lockin, name, value)
        with pytest.raises(SequenceError):
            station.lockin.write("SOFF 5")
        assert station.lockin.snapshot() == before
    refused = [(entry["what"], entry["name"]) for entry in entries(tmp_path / "audit.jsonl")]
    assert refused == [("refusal", name) for name in ("sine_offset", "aux_out_1", "reset", "write")]


def test_an_auxiliary_output_takes_what_the_station_file_says_and_nothing_else():
    with lab(instruments__lockin__aux_outputs={"2": "250 mV"}) as station:
        station.lockin.aux_out_2 = 0.25
        assert station.lockin.aux_out_2 == pytest.approx(0.25, abs=0)
        for name, value in (("aux_out_2", 0.3), ("aux_out_3", 0.25)):
            with pytest.raises(SequenceError, match="not what the station file says"):
                setattr(station.lockin, name, value)
        assert station.lockin.aux_out_3 == 0.0


def test_what_is_set_through_a_guard_is_noted():
    with lab() as station:
        assert station.last_set.moved == frozenset()
        station.lockin.time_constant = 0.1
        station.lockin.use_internal_reference()
        assert station.last_set.of("lockin")["time_constant"] == 0.1
        assert station.last_set.moved == frozenset(), "a time constant is no output"
        station.lockin.sine_voltage = 0.02
        station.generator.play_tone(1e9, 0.1, gated=True)
        station.tip.setpoint = 2e-10
        assert station.last_set.moved == {"lockin", "awg", "controller"}
        assert station.last_set.of("lockin")["sine_voltage"] == 0.02
        assert station.last_set.of("controller")["setpoint"] == 2e-10
        assert station.last_set.of("awg") == station._devices["awg"].confirmed
        assert station.last_set.of("awg")
        for name in ("lockin", "awg", "controller"):
            device = station._devices[name]
            noted = station.last_set.of(name)
            for key, read in device.look(device.BY_TURNS).values.items():
                assert key not in noted or device.agrees(key, noted[key], read), (name, key)
