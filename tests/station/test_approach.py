"""A person frees a tip that tripped or was withdrawn; nobody and nothing else closes its loop."""

import json
from types import SimpleNamespace

import pytest

from stmlab.clock import SimulatedClock
from stmlab.config_files import find
from stmlab.errors import InstrumentFault, SequenceError, StmlabError, TipTripped, TipWithdrawn
from stmlab.simulation.faults import Fault
from stmlab.station import Station
from stmlab.station import approach as module
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


@pytest.mark.parametrize(
    ("currents", "loop", "waited", "at_surface"),
    [
        ([0.5e-10], True, 0.0, True),
        ([-0.5e-10], True, 0.0, True),
        ([0.0, 0.49e-10, 0.5e-10], True, 0.2, True),
        ([0.49e-10], True, 30.0, False),
        ([0.49e-10], False, 0.0, False),
    ],
)
def test_half_a_minute_is_given_to_half_of_the_setpoint(monkeypatch, currents, loop, waited, at_surface):
    def state(_):
        current = currents.pop(0) if len(currents) > 1 else currents[0]
        return SimpleNamespace(current=current, setpoint=1e-10, loop=loop)

    monkeypatch.setattr(module, "tip_state", state)
    station = SimpleNamespace(clock=SimulatedClock())
    reached = module._find_surface(station)
    assert reached.at_surface is at_surface
    assert station.clock.now() == pytest.approx(waited, abs=0.11 if waited == 30.0 else 1e-9)


def test_a_loop_that_does_not_close_leaves_the_mark_and_the_tip_away(station, monkeypatch):
    withdrawn(station)
    monkeypatch.setattr(type(station.tip), "approach", lambda _: None)
    with pytest.raises(SequenceError, match="the loop did not close"):
        approach(station)
    assert "by the test" in str(station.tip_mark.read())
    assert station.tip.is_withdrawn(station.tip.state)


def test_a_setpoint_keeps_its_sign(station):
    station.tip.feedback = False
    station.bias.bias = 0.02
    station.tip.setpoint = -2e-10
    withdrawn(station)
    assert approach(station).state.setpoint == pytest.approx(-1e-10, rel=1e-6, abs=0)
