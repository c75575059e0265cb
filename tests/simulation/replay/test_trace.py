"""A recorded trace, played in time."""

import numpy as np
import pytest

from stmlab.analysis.recordings import analyse_recording
from stmlab.errors import FileError, OutOfBounds, PhysicsError, SequenceError
from stmlab.simulation.replay.recorded import Source
from stmlab.simulation.replay.trace import PlayedTrace, RecordedTrace
from stmlab.simulation.samples import recorded_sample
from stmlab.storage.recorded import open_recording
from tests.recorded_files import RECORDED, recorded
from tests.simulation.replay.recordings import replayed, run

TRACE = {"samples": 200, "interval": 1e-3, "traces": 2, "setpoint_current": 250e-12}


@pytest.fixture(scope="module")
def trace(tmp_path_factory):
    """Two traces of a switch, with the simulated microscope's noise."""
    return run(tmp_path_factory.mktemp("trace"), "time_trace", "recorded", sample="slow_switch", seed=3, settings=TRACE)


def telegraph(letter):
    """A file of another group's tip that switches."""
    return RECORDED / f"spmqt_createc_ivt_telegraph_300mv_{letter}.VERT"


def bare(samples=5, traces=1, home=(0.01, 1e-9)):
    current = 1e-9 + 1e-11 * np.arange(samples * traces, dtype=float).reshape(traces, samples)
    return RecordedTrace(Source("a.dat", "", "a time trace"), 0.01, 1e-3, current, home, stabilised=True)


@recorded
@pytest.mark.parametrize("letter", ["a", "b"])
def test_a_recorded_telegraph_trace_is_read_as_it_was(tmp_path, letter):
    file = telegraph(letter)
    seen = open_recording(file)
    again = replayed(tmp_path, "time_trace", file, settings={"samples": 300})
    np.testing.assert_allclose(again.grid("current"), seen["Current"].values[:300], rtol=1e-6)
    np.testing.assert_allclose(np.diff(again.axes[0].values), seen.sample_interval, rtol=1e-9)


@recorded
@pytest.mark.slow
@pytest.mark.parametrize("letter", ["a", "b"])
def test_a_recorded_telegraph_trace_gives_the_rates_of_its_file(tmp_path, letter):
    file = telegraph(letter)
    again = replayed(tmp_path, "time_trace", file, fitted=True).fits[0]
    known = analyse_recording(open_recording(file))["trace"]
    for name in ("rate_up", "rate_down"):
        assert abs(again[name].value - known[name].value) < 0.1 * known[name].error


def test_a_run_replayed_is_itself_trace_by_trace(trace, tmp_path):
    again = replayed(tmp_path, "time_trace", trace.path)
    np.testing.assert_allclose(again.data["current"], trace.data["current"], rtol=1e-6)
    assert not np.allclose(trace.data["current"][0], trace.data["current"][1], rtol=1e-6, atol=0)


def test_more_than_was_recorded_is_refused_before_anything_moves(trace, tmp_path):
    with pytest.raises(OutOfBounds, match=r"time = 0.201 s is out of bounds: 0 to 0.2 s is allowed"):
        replayed(tmp_path, "time_trace", trace.path, settings={"samples": 201})
    with pytest.raises(SequenceError, match=r"3 times trace: .* holds 2"):
        replayed(tmp_path, "time_trace", trace.path, settings={"traces": 3})
    with pytest.raises(OutOfBounds, match=r"bias = 0.02 V"):
        replayed(tmp_path, "time_trace", trace.path, settings={"dc_bias": 20e-3})
    with pytest.raises(OutOfBounds, match="its setpoint"):
        replayed(tmp_path, "time_trace", trace.path, settings={"setpoint_current": 300e-12})
    with pytest.raises(SequenceError, match="which time_trace replays"):
        replayed(tmp_path, "didv", trace.path)


def test_it_plays_from_the_first_reading():
    junction = bare()
    played = PlayedTrace(junction)
    static = junction.static_current(np.array([0.01]), 1.0)[0]
    played.live(1.0)  # nobody has looked yet
    seen = []
    for _ in range(5):
        seen.append(static + played.deviation(0.01, 1.0))
        played.live(1e-3)
    np.testing.assert_allclose(seen, junction.current[0], rtol=1e-12)
    with pytest.raises(PhysicsError, match=r"a.dat ends after 0.005 s"):
        played.deviation(0.01, 1.0)
    assert played.deviation(0.02, 1.0) == 0.0  # on the way


def test_the_next_trace_follows_when_the_controller_samples_again():
    junction = bare(traces=2)
    played = PlayedTrace(junction)
    static = junction.static_current(np.array([0.01]), 1.0)[0]
    for trace in junction.current:
        assert static + played.deviation(0.01, 1.0) == pytest.approx(trace[0], rel=1e-12, abs=0)
        played.live(2e-3)
        played.follow(sampling=True)
        played.follow(sampling=False)
        played.follow(sampling=False)
    with pytest.raises(PhysicsError, match="2 traces, and all have been played"):
        played.deviation(0.01, 1.0)


def test_the_loop_sees_the_setpoint_and_the_trace_its_mean():
    junction = bare(home=(-0.05, 3e-9))
    at = junction.static_current(np.array([0.0, 0.01, -0.05]), 1.0)
    np.testing.assert_allclose(at, [0.0, junction.mean, -3e-9], atol=1e-20)


def test_a_trace_without_a_bias_asks_for_it(tmp_path):
    rows = "\n".join(f"{k * 1e-3:.6e}\t{1e-10 + k % 3 * 1e-11:.6e}" for k in range(100))
    file = tmp_path / "a.dat"
    file.write_text(f"Experiment\tHistory\n\n[DATA]\nTime (s)\tCurrent (A)\n{rows}\n")
    with pytest.raises(FileError, match="does not say its bias"):
        recorded_sample({"file": file})
    assert recorded_sample({"file": file, "bias": "10 mV"}).junction.bias == pytest.approx(0.01, rel=1e-12, abs=0)
