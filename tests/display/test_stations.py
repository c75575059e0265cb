"""What can be measured and on what, as a person reads it."""

from stmlab.acquisition.parameters import BooleanParameter, FloatParameter, IntegerParameter, ListParameter
from stmlab.display.stations import (
    approached_as_dict,
    approached_as_text,
    sequence_as_text,
    station_as_text,
    tip_as_text,
)
from stmlab.station.approach import Approached
from stmlab.station.instruments import LoopStatus, TipState
from stmlab.station.tip_mark import Retreat
from tests.acquisition.bench_station import Ramp
from tests.station.lab import lab


class Ladder(Ramp):
    name = "ladder"
    title = "a ramp with a choice"
    gated = BooleanParameter("Gated", default=True, description="whether the generator is gated")
    spacing = ListParameter("Spacing", choices=("linear", "logarithmic"), default="linear", description="of steps")
    unbounded = FloatParameter("Phase", units="deg", default=3.0, description="of the lock-in")
    rungs = IntegerParameter("Rungs", default=3, minimum=1, maximum=9, description="how many")


def test_every_parameter_says_what_it_may_be():
    lines = {line.split()[0]: " ".join(line.split()[1:]) for line in sequence_as_text(Ladder()).splitlines()}
    assert lines["ladder"] == "a ramp with a choice"
    assert lines["gated"] == "true true, false whether the generator is gated"
    assert lines["spacing"] == "linear linear, logarithmic of steps"
    assert lines["end"] == "1 V -10 V to 10 V last value"
    assert lines["rungs"] == "3 1 to 9 how many"
    assert lines["settling"] == "0 s 0 s to 100 s Settling"


def test_a_station_lists_its_instruments_and_what_was_noted_of_its_tip():
    with lab() as station:
        text = station_as_text(station)
        assert text.startswith(f"station simulated ({station.path}): every instrument answers\n  ")
        assert "stmlab approach" not in text
        names = [line[2:] for line in text.splitlines() if line.startswith("  ") and line[2] != " "]
        assert {"lockin", "awg", "controller"} <= set(names)
        station.tip_mark.set(Retreat.TRIPPED, "at point 7")
        marked = station_as_text(station).splitlines()
    assert marked[1].startswith("  SafeTip has tripped (")
    assert marked[1].endswith("; at point 7): nothing closes the loop before `stmlab approach`")
    assert text.splitlines()[1:] == marked[2:]


STATE = TipState(False, LoopStatus.OFF, 2e-12, 1.5e-9, 8e-3, 4e-10, -1e-7, 1e-7, 0.0, 0.0)
CLOSED = TipState(True, LoopStatus.ON, 1e-10, 1.5e-9, 1e-2, 1e-10, -1e-7, 1e-7, 0.0, 0.0)


def test_a_person_reads_where_the_tip_is_before_the_loop_is_closed():
    with lab() as station:
        assert tip_as_text(station, STATE).splitlines() == [
            f"station simulated ({station.path}): nothing is noted of the tip",
            f"  loop open ({LoopStatus.OFF.value}), Z 1.5 nm, current 2 pA, bias 8 mV, setpoint 400 pA",
            "  it would be closed at 10 mV and 100 pA, RF and modulation off",
        ]
        station.tip_mark.set(Retreat.WITHDRAWN)
        first, loop, _ = tip_as_text(station, CLOSED).splitlines()
    assert "the tip was withdrawn (" in first
    assert loop.startswith("  loop closed, Z")


def test_where_the_tip_came_to_is_said_and_given_to_scripts():
    reached = Approached(CLOSED, at_surface=True)
    assert approached_as_text(reached) == (
        "loop closed at 10 mV, 100 pA: the tip is at the surface (current 100 pA, Z 1.5 nm)"
    )
    assert "no current yet: the surface may be out of reach" in approached_as_text(Approached(CLOSED, at_surface=False))
    told = approached_as_dict(reached)
    assert (told["at_surface"], told["loop"], told["status"], told["bias"]) == (True, True, LoopStatus.ON.value, 1e-2)
