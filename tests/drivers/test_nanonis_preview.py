"""A sweep that the controller makes is seen before its end, through another port; that port can do it no harm."""

import threading
from contextlib import nullcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.nanonis_preview import Preview, Progress
from stmlab.acquisition.queue.process import performer_of
from stmlab.errors import StationError
from stmlab.simulation.serving import servers
from stmlab.station import Station
from stmlab.storage import open_run
from tests.acquisition.queue.evening import entry, written


def test_where_a_sweep_is_follows_from_the_bias_there_and_back():
    progress, reached = Progress(-1.0, 1.0, 5, 10.0, backward=True), []
    for bias in (-1.0, -0.5, 0.0, 0.5, 1.0, 0.5, 0.0, -0.5, -1.0):
        progress.take(0.0, bias, np.full(3, bias))
        reached.append(progress.reached)
    assert reached == [1, 2, 3, 4, 5, 7, 8, 9, 10]
    sweep = progress.sweep()
    np.testing.assert_array_equal(sweep.bias, [-1, -0.5, 0, 0.5, 1, 1, 0.5, 0, -0.5, -1])
    np.testing.assert_array_equal(sweep.current, [-1, -0.5, 0, 0.5, 1, 0.5, 0.5, 0, -0.5, -1])


def test_where_a_trace_is_follows_from_the_time_and_each_reading_is_held_until_the_next():
    progress = Progress(0.01, 0.01, 10, 5.0, backward=False)
    for elapsed, current in ((0.0, 1.0), (2.0, 2.0), (9.0, 3.0)):
        progress.take(elapsed, 0.01, np.array([current, 0.0, 0.0]))
    np.testing.assert_array_equal(progress.sweep().current, [1, 2, 2, 2, 2, 3, 3, 3, 3, 3])


@given(
    st.lists(st.tuples(st.floats(0, 100), st.floats(-2, 2)), max_size=30),
    st.integers(2, 50),
    st.booleans(),
    st.sampled_from([(-1.0, 1.0), (1.0, -1.0), (0.0, 0.0)]),
)
def test_whatever_is_read_a_sweep_only_grows_and_never_beyond_its_end(readings, points, backward, ends):
    progress, before = Progress(*ends, points, 10.0, backward=backward), 0
    for elapsed, bias in readings:
        progress.take(elapsed, bias, np.zeros(3))
        assert before <= progress.reached <= points * (1 + backward)
        before = progress.reached
        sweep = progress.sweep()
        assert len(sweep.bias) == len(sweep.current) == len(sweep.x) == len(sweep.y) == before


def test_a_port_that_does_not_answer_is_a_line_in_the_log(caplog):
    preview = Preview("TCPIP::127.0.0.1::9::SOCKET", "controller", 0.2, "Current (A)", ("x", "y"))
    said = threading.Event()
    caplog.handler.addFilter(lambda record: said.set() or True)
    with preview.during(Progress(0.0, 1.0, 5, 1.0, backward=False), lambda sweep: None):
        assert said.wait(20)
    assert "a sweep is not seen before its end" in caplog.text


@pytest.fixture
def seen_live(served):
    """The served station, whose controller is reached through another port too."""
    microscope, station = served
    head = "[instruments.controller]\n"
    ((_, server),) = servers(microscope, {"nanonis 3": 0})
    with server:
        live = f'live_address = "TCPIP::127.0.0.1::{server.port}::SOCKET"\n'
        text = station.read_text(encoding="utf-8").replace(head, head + live)
        station.write_text(text, encoding="utf-8")
        yield station


@pytest.mark.parametrize(
    ("sequence", "settings", "channel"),
    [
        ("time_trace", {"samples": 200, "interval": "100 ms", "stabilise_time": "0.2 s"}, "current"),
        ("didv", {"points": 21, "hardware": "true", "averages": 2, "stabilise_time": "0.2 s"}, "conductance"),
    ],
)
def test_a_trace_and_a_hardware_sweep_are_told_while_they_run(
    seen_live, tmp_path, monkeypatch, sequence, settings, channel
):
    monkeypatch.setattr("stmlab.acquisition.queue.performing.guarded", nullcontext)
    path = tmp_path / "queue.toml"
    one = entry(sequence, station=str(seen_live), settings=settings, seed=None)
    written(path, one)
    told = []
    with performer_of(path) as performer:
        tell = performer._tell
        performer._tell = lambda message: told.append(message) or tell(message)
        assert performer.perform(), performer.queue.entries[0].message
    events = [m["event"] for m in told]
    partial = [m for m in told if m["event"] == "partial"]
    assert partial
    assert events.index("partial") < events.index("finished")
    lengths = [len(m["values"][channel]) for m in partial]
    assert lengths == sorted(lengths)
    run = open_run(tmp_path / performer.queue.entries[0].file)
    assert 0 < lengths[-1] <= run.data[channel].shape[1]
    assert all(np.isfinite(m["values"][channel]).all() for m in partial)
    assert {m["index"] for m in partial} == {0}


def test_an_instrument_that_has_no_use_for_another_connection_is_refused(tmp_path):
    from tests.station.lab import SIMULATED

    text = SIMULATED.read_text(encoding="utf-8")
    text = text.replace(
        'address = "simulation:sr860"', 'address = "simulation:sr860"\nlive_address = "TCPIP::x::1::SOCKET"'
    )
    (tmp_path / "transfer").symlink_to(SIMULATED.parent / "transfer")
    (station := tmp_path / "lab.toml").write_text(text, encoding="utf-8")
    with pytest.raises(StationError, match=r"lockin.live_address: .* has no use for one"):
        Station.load(str(station))
