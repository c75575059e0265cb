"""A run as the window sees it: readings one by one, many at once, in any order, again, disturbed, under way."""

import numpy as np
import pytest

from stmlab.axes import Axis, Channel
from stmlab.events import PointsDisturbed, PointTaken, RunFinished, RunStarted, RunState, StateChanged
from stmlab.gui.live.keeping import MOST_CELLS, Keeping
from stmlab.gui.live.lines import Layout
from stmlab.gui.live.run_data import RunData

X, Y = Channel("x", "V", ""), Channel("y", "A", "")
NAN = np.nan


def started(*axes, channels=(X, Y)):
    return RunStarted("1", "ramp", "", {}, axes, channels, 0.0, "bench", "")


def software(name, values, unit="V"):
    return Axis(name, unit, np.asarray(values, dtype=float))


def point(index, value, visit=0):
    return PointTaken(index, 0.0, (float(index),), (value, 10 * value), visit)


@pytest.fixture
def data():
    found = RunData()
    found(started(software("bias", np.arange(5))))
    return found


def test_single_events_and_bulk_readings_give_the_same(data):
    for k in (3, 0, 1):
        data(point(k, float(k)))
    bulk = RunData()
    bulk(data.started)
    index = np.array([3, 0, 1])
    bulk.take(index, index[:, None] + 0.0, [index + 0.0, 10.0 * index])
    for found in (data, bulk):
        np.testing.assert_array_equal(found.cells("x"), [0, 1, NAN, 3, NAN])
        np.testing.assert_array_equal(found.cells("y"), [0, 10, NAN, 30, NAN])
        assert (found.points, found.readings, found.last, found.total) == (3, 3, 1, 5)
        assert found.rewritten == 0


def test_the_last_reading_of_a_place_counts(data):
    index = np.array([0, 1, 1, 2, 0])
    data.take(index, index[:, None] + 0.0, [np.arange(5.0), np.arange(5.0)])
    np.testing.assert_array_equal(data.cells("x"), [4, 2, 3, NAN, NAN])
    assert (data.points, data.readings) == (3, 5)
    assert data.rewritten == 1


def test_a_point_lies_where_it_really_was(data):
    data(PointTaken(1, 0.0, (1.25,), (0.0, 0.0)))
    np.testing.assert_array_equal(data.x(slice(0, 3)), [0, 1.25, 2])


def test_disturbed_readings_are_told_until_they_are_read_again(data):
    for k in range(4):
        data(point(k, float(k)))
    data(PointsDisturbed((1, 2, 77), 0.0, "the tip has tripped"))
    np.testing.assert_array_equal(data.disturbed(slice(0, 5)), [1, 2])
    np.testing.assert_array_equal(data.mean("x"), [0, NAN, NAN, 3, NAN])
    data(point(2, 7.0))
    np.testing.assert_array_equal(data.disturbed(slice(0, 5)), [1])
    np.testing.assert_array_equal(data.mean("x"), [0, NAN, 7, 3, NAN])


def test_readings_beyond_the_plan_are_counted_and_not_drawn(data):
    index = np.array([4, 5, -1])
    data.take(index, index[:, None] + 0.0, [np.ones(3), np.ones(3)])
    assert data.beyond == 2
    np.testing.assert_array_equal(data.cells("x"), [NAN, NAN, NAN, NAN, 1])


def test_state_and_end_are_told_in_words(data):
    data(StateChanged(RunState.PAUSED, 0.0, "by the user"))
    assert (data.state, data.message) == ("paused", "by the user")
    data(RunFinished(RunState.FAILED, "InstrumentLost", "sr860: no answer", 3, 0.0))
    assert (data.state, data.message) == ("failed", "sr860: no answer")


def test_a_further_run_begins_with_nothing(data):
    data(point(1, 1.0))
    data(started(software("bias", np.arange(3)), channels=(X,)))
    np.testing.assert_array_equal(data.cells("x"), [NAN] * 3)
    assert (data.points, data.last, data.channels) == (0, -1, ("x",))


def test_means_of_repetitions_follow_each_reading():
    data = RunData()
    data(started(software("sweep", np.arange(3), unit=""), software("bias", np.arange(4)), channels=(X,)))
    values = np.random.default_rng(2).normal(size=12)
    for k in np.random.default_rng(3).permutation(12).tolist():
        data(PointTaken(k, 0.0, (k // 4, k % 4), (values[k],)))
        known = data.cells("x").reshape(3, 4)
        columns = [column[np.isfinite(column)] for column in known.T]
        expected = [column.mean() if column.size else NAN for column in columns]
        np.testing.assert_allclose(data.mean("x"), expected, rtol=1e-14)


def test_what_is_derived_follows_readings_in_any_order_many_at_once():
    data = RunData()
    data(started(software("sweep", np.arange(3), unit=""), software("bias", np.arange(1000)), channels=(X,)))
    data.mean("x")
    pyramid = data.pyramid("x")
    order = np.random.default_rng(5).permutation(3000)
    for part in np.split(order, 5):
        data.take(part, np.column_stack([part // 1000, part % 1000]) + 0.0, [part**2 + 0.0])
    np.testing.assert_allclose(data.mean("x"), (np.arange(3000.0) ** 2).reshape(3, 1000).mean(axis=0))
    low, high = pyramid.envelope(np.array([0, 1024, 2048]))
    np.testing.assert_array_equal(low, [0, 1024**2])
    np.testing.assert_array_equal(high, [1023**2, 2047**2])


def test_quantities_are_not_averaged_over():
    layout = Layout((software("offset", [1, 2]), software("sweep", [0, 1, 2], unit=""), software("bias", [0, 1])))
    assert layout.repeated == (1,)
    assert layout.varied == (0,)
    data = RunData()
    data(started(*layout.axes, channels=(X,)))
    data.take(np.arange(12), np.zeros((12, 3)), [np.arange(12.0)])
    np.testing.assert_array_equal(data.mean("x"), np.arange(12.0).reshape(2, 3, 2).mean(axis=1).ravel())


# -- lines -----------------------------------------------------------------------------------------------------------


def test_the_way_there_and_the_way_back_are_lines_of_their_own():
    layout = Layout((software("sweep", [0, 1], unit=""), software("bias", [0, 1, 2, 2, 1, 0])))
    lines = [layout.line(k) for k in range(layout.count)]
    assert [(line.start, line.stop, line.way, line.outer) for line in lines] == [
        (0, 3, "forward", (0,)),
        (3, 6, "backward", (0,)),
        (6, 9, "forward", (1,)),
        (9, 12, "backward", (1,)),
    ]
    assert [layout.line_at(cell).number for cell in range(12)] == [0] * 3 + [1] * 3 + [2] * 3 + [3] * 3


@pytest.mark.parametrize(
    ("values", "lengths"),
    [([0, 1, 2, 1, 0], [3, 2]), ([0, 0, 1, 1, 2], [5]), ([3, 2, 1], [3]), ([5], [1]), ([0, 1, -1, 0], [2, 1, 1])],
)
def test_an_axis_is_cut_where_it_turns(values, lengths):
    layout = Layout((software("bias", values),))
    assert [piece.stop - piece.start for piece in layout.pieces] == lengths


def test_an_axis_visited_in_no_order_is_laid_out_by_value():
    order = np.random.default_rng(4).permutation(20)
    data = RunData()
    data(started(software("sweep", [0, 1], unit=""), software("bias", order), channels=(X,)))
    assert data.layout.count == 2
    data.take(np.arange(40), np.column_stack([np.arange(40) // 20, np.tile(order, 2)]), [np.tile(order, 2) * 2.0])
    np.testing.assert_array_equal(data.x(slice(20, 40)), np.arange(20.0))
    np.testing.assert_array_equal(data.cells("x"), np.tile(np.arange(20.0), 2) * 2)


# -- what an instrument sweeps ---------------------------------------------------------------------------------------


@pytest.fixture
def swept():
    data = RunData()
    bias = Axis("bias", "V", np.arange(4.0), hardware=True)
    data(started(software("sweep", np.arange(3), unit=""), bias))
    return data


def test_arrays_are_laid_along_the_axis_and_a_number_holds_all_along(swept):
    swept(PointTaken(1, 0.0, (1.0,), (np.arange(4.0), 7.0)))
    np.testing.assert_array_equal(swept.cells("x"), [NAN] * 4 + [0, 1, 2, 3] + [NAN] * 4)
    np.testing.assert_array_equal(swept.cells("y")[4:8], [7.0] * 4)
    np.testing.assert_array_equal(swept.x(slice(4, 8)), np.arange(4.0))


def test_a_sweep_under_way_is_seen_before_it_is_in_the_file(swept):
    swept.partial(1, {"x": np.array([5.0, 6.0])})
    assert swept.has_values(4, 8)
    assert not swept.has_values(0, 4)
    np.testing.assert_array_equal(swept.cells("x")[4:8], [5, 6, NAN, NAN])
    swept.partial(1, {"x": np.array([5.0, 6.0, 7.0])})
    np.testing.assert_array_equal(swept.cells("x")[4:8], [5, 6, 7, NAN])
    assert swept.points == 0
    swept.take(np.array([1]), np.array([[1.0]]), [np.arange(4.0)[None], np.ones((1, 4))])
    np.testing.assert_array_equal(swept.cells("x")[4:8], np.arange(4.0))
    assert swept.points == 1


def test_a_sweep_that_never_ended_is_taken_away(swept):
    swept.partial(0, {"x": np.array([5.0, 6.0])})
    swept(RunFinished(RunState.ABORTED, "aborted", "", 0, 0.0))
    assert not np.isfinite(swept.cells("x")).any()
    assert not swept.has_values(0, 4)


def test_memory_is_that_of_the_plan_whatever_is_read(swept):
    before = swept.cells("x").nbytes
    for k in range(50):
        swept(PointTaken(k % 3, 0.0, (0.0,), (np.full(4, float(k)), 1.0), k))
    assert swept.cells("x").nbytes == before
    assert swept.readings == 50
    assert swept.points == 3


# -- very large runs -------------------------------------------------------------------------------------------------


@pytest.fixture
def large(monkeypatch):
    """A run of which two sweeps of three points are kept."""
    monkeypatch.setattr(Keeping.__init__, "__defaults__", (12,))
    data = RunData()
    data(started(software("offset", np.arange(5)), software("bias", [0, 1, 2])))
    return data


def test_of_a_very_large_run_the_last_sweeps_are_kept(large):
    assert not large.keeping.whole
    for k in range(8):
        large(PointTaken(k, 0.0, (k // 3, k % 3), (float(k), 0.0)))
    np.testing.assert_array_equal(large.cells("x"), [6, 7, NAN, 3, 4, 5])
    assert (large.points, large.total, large.last) == (8, 15, 1)
    assert large.layout.repeated == ()  # they are at different offsets: there is no mean of them
    large(PointsDisturbed((0, 4), 0.0, "tip jump"))  # the first is not kept any more
    np.testing.assert_array_equal(large.disturbed(slice(0, 6)), [4])


def test_bulk_readings_of_a_very_large_run_end_as_single_ones_do(large):
    index = np.arange(14)
    large.take(index, np.column_stack([index // 3, index % 3]) + 0.0, [index + 0.0, index + 0.0])
    np.testing.assert_array_equal(large.cells("x"), [12, 13, NAN, 9, 10, 11])


def test_a_run_that_just_fits_is_kept_whole():
    axes = software("offset", np.arange(5)), software("bias", [0, 1, 2])
    assert Keeping(axes, 2, most=30).whole
    assert not Keeping(axes, 2, most=29).whole


def test_traces_beyond_what_memory_should_hold_take_bounded_memory(monkeypatch):
    trace, time = software("trace", np.arange(10_000), unit=""), Axis("time", "s", np.arange(100_000.0), hardware=True)
    assert 0.5 * MOST_CELLS < 2 * Keeping((trace, time), 2).layout.cells <= MOST_CELLS
    monkeypatch.setattr(Keeping.__init__, "__defaults__", (4_000,))  # would take a second
    time = Axis("time", "s", np.arange(100) * 1e-3, hardware=True)
    data = RunData()
    data(started(trace, time))
    assert data.cells("x").size + data.cells("y").size == 4_000
    data(PointTaken(9_999, 0.0, (9999.0,), (np.ones(100), 2.0)))
    assert np.count_nonzero(data.cells("x") == 1.0) == 100
    assert (data.points, data.total) == (1, 10_000)
    data.partial(3, {"x": np.full(10, 5.0)})
    assert np.count_nonzero(data.cells("x") == 5.0) == 10
