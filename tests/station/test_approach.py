"""A person frees a tip that tripped or was withdrawn; nobody and nothing else closes its loop."""

import json

import pytest

from stmlab.config_files import find
from stmlab.errors import InstrumentFault, SequenceError, StmlabError, TipTripped, TipWithdrawn
from stmlab.simulation.faults import Fault
from stmlab.station import Station
from stmlab.station.approach import approach
from stmlab.station.audit import Audit
from stmlab.station.configuration import read_station
from stmlab.station.tip_mark import Retreat
from tests.approximately import close


@pytest.fixture
def log(tmp_path):
    """What the audit log says, line by line."""

    def lines():
        return [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]

    lines.path = tmp_path / "audit.jsonl"
    return lines


@pytest.fixture
def station(log):
    path = find("simulated")
    with Station(*read_station(path), path, audit=Audit(log.path)) as found:
        yield found


def withdrawn(station):
    station.tip.withdraw()
    station.tip_mark.set(Retreat.WITHDRAWN, "by the test")


def tripped(station):
    station.simulation.arm(Fault(kind="trip"))
    station.simulation.advance()
    station.tip_mark.set(Retreat.TRIPPED, "by the test")


@pytest.mark.parametrize(("retreat", "refusal"), [(withdrawn, TipWithdrawn), (tripped, TipTripped)])
def test_only_approach_closes_the_loop_of_a_tip_that_went_away(station, retreat, refusal):
    recorder = station.simulation.record()
    retreat(station)
    for _ in range(2):
        with pytest.raises(refusal):
            station.tip.feedback = True
    assert recorder.closings == []
    reached = approach(station)
    assert reached.at_surface
    assert reached.state.loop
    assert reached.state.bias == close(station.config.safe.bias)
    assert reached.state.setpoint == pytest.approx(station.config.safe.setpoint, abs=0)
    assert station.tip_mark.read() is None
    assert station.is_left_safe
    (closing,) = recorder.closings
    assert not closing.state.rf_on
    assert closing.state.modulation == 0.0


def test_it_is_written_into_the_audit_log_with_what_it_was_freed_from(station, log):
    withdrawn(station)
    approach(station)
    (entry,) = [line for line in log() if line["what"] == "approach"]
    assert "by the test" in entry["mark"]
    assert entry["how"] == "by a person"


def test_whatever_is_on_is_switched_off_before_the_loop_is_closed(station):
    station.tip.setpoint = 2e-10
    station.tip.feedback = False
    station.bias.bias = 0.02
    station.generator.play_tone(1e9, 0.1, gated=False)
    station.lockin.sine_voltage = 0.01
    withdrawn(station)
    reached = approach(station).state
    assert (reached.bias, reached.setpoint) == pytest.approx((0.01, 1e-10), abs=0)
    assert station.generator.is_off()
    assert station.lockin.quiet()


def test_a_tip_whose_rf_cannot_be_switched_off_is_not_freed(station, monkeypatch):
    withdrawn(station)

    def stuck(_):
        raise InstrumentFault("awg", "its output cannot be opened")

    with monkeypatch.context() as patch:
        patch.setattr("drivers.m8195a.M8195A.off", stuck)
        with pytest.raises(StmlabError, match="cannot be opened"):
            approach(station)
    assert not station.tip.feedback
    assert "by the test" in str(station.tip_mark.read())
    assert approach(station).at_surface


def test_a_loop_that_a_person_has_closed_at_the_controller_is_left_as_it_is(station):
    station.tip_mark.set(Retreat.TRIPPED)
    height = station.tip.height
    assert approach(station).at_surface
    assert station.tip_mark.read() is None
    assert station.tip.height == close(height, rel=0.1)


def test_there_is_nothing_to_free_where_nothing_happened(station):
    with pytest.raises(SequenceError, match="nothing to free"):
        approach(station)
