"""The controller's own sweeps keep within the bias' limits, steps and slew."""

import math

import pytest

from stmlab.errors import InstrumentTimeout, OutOfBounds, SequenceError
from tests.approximately import close
from tests.station.lab import entries, lab


@pytest.fixture
def rig(tmp_path, monkeypatch):
    """A station whose controller notes the sweeps that it is asked for."""
    with lab(tmp_path / "audit.jsonl") as station:
        asked = []

        def sweep_bias(_self, *arguments, **timing):
            asked.append((arguments, timing))
            return "a sweep"

        monkeypatch.setattr(type(station._devices["controller"]), "sweep_bias", sweep_bias)
        yield station, asked


def test_a_sweep_goes_out_no_faster_than_the_station_allows(rig):
    station, asked = rig
    assert station.spectroscopy.sweep_bias(-0.01, 0.01, 21, settling=0.02, integration=0.01) == "a sweep"
    station.spectroscopy.sweep_bias(0.01, -0.01, 41, settling=0.02, integration=0.01, slew=0.1, backward=True)
    (first, timing), (second, slower) = asked
    assert (first, second) == ((-0.01, 0.01, 21), (0.01, -0.01, 41))
    assert timing == {"settling": 0.02, "integration": 0.01, "slew": 0.5, "backward": False}
    assert (slower["slew"], slower["backward"]) == (0.1, True)
    assert [entry["what"] for entry in entries(station.audit.path)] == ["change", "change"]


@pytest.mark.parametrize(
    ("start", "stop", "points", "error", "words"),
    [
        (-0.2, 0.01, 2001, OutOfBounds, "bias = -0.2 V"),
        (0.01, -0.2, 2001, OutOfBounds, "bias = -0.2 V"),
        (0.0, math.nan, 11, OutOfBounds, "bias = nan"),
        (-0.01, 0.01, 20, SequenceError, r"in steps of 0\.001053 V: at most 0\.001 V"),
        (-0.01, 0.01, 1, SequenceError, "more points are needed"),
    ],
)
def test_a_sweep_beyond_the_limits_never_reaches_the_controller(rig, start, stop, points, error, words):
    station, asked = rig
    with pytest.raises(error, match=words):
        station.spectroscopy.sweep_bias(start, stop, points, settling=0.02, integration=0.01)
    assert not asked
    assert entries(station.audit.path)[-1]["what"] == "refusal"


def test_a_trace_at_one_bias_is_a_sweep_with_equal_ends(rig):
    station, asked = rig
    station.spectroscopy.sweep_bias(0.01, 0.01, 500, settling=0.0, integration=1e-3)
    assert asked[0][0] == (0.01, 0.01, 500)


@pytest.mark.parametrize("ends", [(0.0, 0.0995), (-0.0995, 0.0)])
def test_the_farther_end_of_a_sweep_adds_up_with_the_modulation(rig, ends):
    station, asked = rig
    station.lockin.sine_voltage = 0.05
    with pytest.raises(OutOfBounds, match="junction_total"):
        station.spectroscopy.sweep_bias(*ends, 200, settling=0.0, integration=1e-3)
    assert not asked


def test_after_a_sweep_the_bias_is_where_it_was_and_after_one_that_failed_nobody_knows(rig, monkeypatch):
    station, _ = rig
    station.tip.feedback = False
    station.bias.bias = 12e-3
    station.spectroscopy.sweep_bias(0.0, 0.05, 51, settling=0.0, integration=1e-3)
    assert station.last_set.of("controller")["bias"] == 12e-3
    assert station.outputs.present("bias") == 12e-3

    def lost(_self, *_arguments, **_timing):
        raise InstrumentTimeout("controller", "no answer")

    controller = station._devices["controller"]
    monkeypatch.setattr(type(controller), "sweep_bias", lost)
    with pytest.raises(InstrumentTimeout):
        station.spectroscopy.sweep_bias(0.0, 0.05, 51, settling=0.0, integration=1e-3)
    controller.bias = 30e-3  # where it was broken off
    station.bias.bias = 31e-3
    assert station.simulation.tip.bias == close(31e-3, rel=1e-6)
