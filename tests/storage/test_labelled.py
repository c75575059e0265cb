"""A run as a Dataset and as a DataFrame: shape, coordinates, units, errors, and nan for what was not measured."""

import numpy as np
import pytest

from stmlab.axes import Axis, Channel
from stmlab.errors import FileError
from stmlab.events import PointTaken
from stmlab.storage import Writer, open_run


def kept(path, events):
    writer = Writer(path)
    for event in events:
        writer(event)
    writer.close()
    return open_run(path)


@pytest.fixture
def unfinished(tmp_path, make_started):
    """Four of six points, one of them read twice, with errors."""
    channels = (Channel("current", "A", "tunnel current"), Channel("current_error", "A", "its error"))
    started = make_started(rows=2, columns=3, channels=channels)
    order = [0, 1, 2, 1, 3]
    points = [PointTaken(i, 0.5 * v, (1.0 * i, 10.0 * v), (100.0 + v, 0.1 * v), v) for v, i in enumerate(order)]
    return kept(tmp_path / "run.h5", [started, *points])


def test_a_dataset_has_the_plans_shape_and_nan_where_nothing_was_measured(unfinished):
    dataset = unfinished.to_xarray()
    expected = [[100.0, 103.0, 102.0], [104.0, np.nan, np.nan]]
    np.testing.assert_array_equal(dataset.current.values, expected)
    np.testing.assert_array_equal(dataset.current_errors.values, [[0.0, 0.1 * 3, 0.2], [0.4, np.nan, np.nan]])
    np.testing.assert_array_equal(dataset.elapsed.values, [[0.0, 1.5, 1.0], [2.0, np.nan, np.nan]])
    np.testing.assert_array_equal(dataset.bias_measured.values, [[0.0, 1.0, 2.0], [3.0, np.nan, np.nan]])
    assert set(dataset.coords) == {"bias", "frequency", "bias_measured", "frequency_measured", "elapsed"}
    assert dataset.current.attrs == {
        "units": "A",
        "long_name": "tunnel current",
        "ancillary_variables": "current_errors",
    }
    assert (dataset.frequency.units, dataset.elapsed.units, dataset.bias_measured.units) == ("Hz", "s", "V")


def test_a_frame_has_a_row_for_each_point_that_was_read(unfinished):
    frame = unfinished.to_dataframe()
    assert frame["current"].tolist() == [100.0, 103.0, 102.0, 104.0]
    assert frame["bias"].tolist() == [-1.0, -1.0, -1.0, 1.0]
    np.testing.assert_array_equal(frame["frequency"], [1e3, 1e6, 1e9, 1e3])
    assert frame.attrs["units"]["frequency_measured"] == "Hz"
    every = unfinished.to_dataframe(visits=True)
    assert every["current"].tolist() == [100.0, 101.0, 102.0, 103.0, 104.0]
    assert every["visit"].tolist() == [0, 1, 2, 3, 4]
    assert every["bias"].tolist() == [-1.0, -1.0, -1.0, -1.0, 1.0]


def test_a_frame_of_arrays_has_a_row_for_each_value(tmp_path, make_started, make_points):
    started = make_started(rows=1, columns=2, sweep=3)
    frame = kept(tmp_path / "run.h5", [started, *make_points(started)]).to_dataframe()
    assert frame["height"].tolist() == [0.0, 0.5e-9, 1e-9] * 2
    assert frame["x"].tolist() == [0.0, -1.0, -2.0, -1.0, -2.0, -3.0]
    assert frame["elapsed"].tolist() == [0.0] * 3 + [0.5] * 3


def test_an_axis_called_time_and_one_of_a_single_value_are_axes_like_others(tmp_path, make_started):
    axes = (Axis("trace", "", np.zeros(1)), Axis("time", "s", np.arange(4.0), hardware=True))
    started = make_started(axes=axes, channels=(Channel("current", "A", ""),))
    run = kept(tmp_path / "run.h5", [started, PointTaken(0, 7.0, (0.0,), (np.arange(4.0),))])
    dataset = run.to_xarray()
    assert dict(dataset.sizes) == {"trace": 1, "time": 4}
    assert dataset.time.values.tolist() == [0.0, 1.0, 2.0, 3.0]
    assert dataset.elapsed.values.tolist() == [7.0]
    assert run.to_dataframe()["time"].tolist() == [0.0, 1.0, 2.0, 3.0]


def test_points_beyond_the_plan_are_in_the_frame_and_the_dataset_is_refused(tmp_path, make_started):
    points = [PointTaken(k, 0.0, (0.0, 0.0), (float(k), 0.0), k) for k in (0, 9)]
    run = kept(tmp_path / "run.h5", [make_started(rows=1, columns=2), *points])
    frame = run.to_dataframe()
    assert frame["current"].tolist() == [0.0, 9.0]
    assert np.isnan(frame["frequency"].tolist()).tolist() == [False, True]
    with pytest.raises(FileError, match="beyond its axes"):
        run.to_xarray()
