"""The default plot of a run's file, as any reader of HDF5 finds it; and the fit beside the data."""

import h5py
import numpy as np
import pytest

from stmlab.axes import Axis, Channel
from stmlab.events import Analysed, PointTaken
from stmlab.results import FitResult
from stmlab.storage import Writer, append_fit

SIGNAL = (Channel("current", "A", "tunnel current"), Channel("current_error", "A", ""), Channel("x_error", "V", ""))
BIAS = Axis("bias", "V", np.linspace(-2.0, 2.0, 5), "bias")


@pytest.fixture
def written(tmp_path, make_started):
    """Writes a run over ``axes`` and returns its file."""

    def write(axes, *events, channels=SIGNAL):
        writer = Writer(tmp_path / "run.h5", overwrite=True)
        for event in (make_started(axes=axes, channels=channels), *events):
            writer(event)
        writer.close()
        return tmp_path / "run.h5"

    return write


def taken(axes, places):
    """A reading at each of ``places`` of a run over one axis; it lies beside where it was planned."""
    (axis,) = axes
    return [PointTaken(k, 0.5 * k, (axis.values[k] * 1.001,), (10.0 + k, 0.1, 0.2), v) for v, k in enumerate(places)]


def fit_over(x, values):
    return FitResult("m", (), (), np.eye(0), 0, 0.0, curves={"x": np.array(x), "fit": np.array(values)})


def test_the_way_to_the_plot_and_its_axes_units_and_errors(written):
    axes = (Axis("drive", "V", np.ones(1)), BIAS, Axis("frequency", "Hz", np.arange(1.0, 4.0), logarithmic=True))
    with h5py.File(written(axes)) as file:
        data = file[file.attrs["default"]][file[file.attrs["default"]].attrs["default"]]
        assert [data.attrs["signal"], *data.attrs["axes"]] == ["current", "bias", "frequency"]
        assert (data.attrs["bias_indices"], data.attrs["frequency_indices"]) == (0, 1)
        assert data.attrs["bias_measured_indices"].tolist() == [0, 1]
        assert data["current"].shape == data["current_errors"].shape == data["elapsed"].shape == (5, 3)
        assert (data["drive"][()], data["drive"].attrs["units"]) == (1.0, "V")
        assert "x_error" in data  # there is no channel x that it would be the error of
        assert data["frequency"].attrs["long_name"] == "frequency (Hz)"
        assert [list(scale) for scale in data["current"].dims] == [["bias"], ["frequency"]]
        assert data["current"].attrs["interpretation"] == "image"
        assert '"linear", "log"' in data.attrs["SILX_style"]


def test_a_bias_sweep_says_what_nxsts_asks_for(written):
    there_and_back = Axis("bias", "V", np.concatenate([BIAS.values, BIAS.values[::-1]]), hardware=True)
    for axes, points, back in (((BIAS,), 5, False), ((Axis("sweep", "", np.arange(3.0)), there_and_back), 5, True)):
        with h5py.File(written(axes)) as file:
            entry = file["entry"]
            assert entry["definition"].asstr()[()] == "NXsts"
            sweep = entry["instrument/bias_spectroscopy_environment/bias_spectroscopy/BIAS_SWEEP"]
            region = {name: float(item[()]) for name, item in sweep["scan_region"].items()}
            assert region == {
                "scan_start_bias": -2.0,
                "scan_end_bias": 2.0,
                "scan_range_bias": 4.0,
                "scan_offset_bias": 0.0,
            }
            linear = sweep["linear_sweep"]
            assert (linear["scan_points_bias"][()], linear["step_size_bias"][()]) == (points, 1.0)
            assert bool(linear["backward_sweep"][()]) is back
            assert sweep["number_of_sweeps"][()] == len(axes[0]) if back else 1
            assert entry["data/DATA"] == entry["data/current"]
            assert entry["data/AXISNAME"] == entry["data/bias"]
            assert entry["data/current"].attrs["target"] == "/entry/data/current"
            assert not entry["data/bias"].is_scale
            assert "SILX_style" not in entry["data"].attrs


def test_what_only_looks_like_a_bias_sweep_is_none(written):
    for axes in (
        (Axis("bias", "", np.arange(3.0)),),
        (BIAS, Axis("delay", "s", np.arange(3.0))),
        (Axis("bias", "V", [1.0]),),
    ):
        with h5py.File(written(axes)) as file:
            assert "definition" not in file["entry"]


def fitted(path):
    with h5py.File(path) as file:
        return file["entry/data/current_fit"][:].tolist()


def test_a_fit_is_drawn_where_the_points_are_whatever_their_order(written):
    measured = BIAS.values * 1.001
    order = [3, 0, 4]
    fit = fit_over(measured[[4, 0, 3]] * (1 + 1e-12), [4.0, 0.0, 3.0])
    path = written((BIAS,), *taken((BIAS,), order), Analysed(fit))
    np.testing.assert_array_equal(fitted(path), [0.0, np.nan, np.nan, 3.0, 4.0])
    append_fit(path, fit_over(measured[[0, 3]], [7.0, 8.0]))  # a later one, over fewer points
    np.testing.assert_array_equal(fitted(path), [7.0, np.nan, np.nan, 8.0, np.nan])


@pytest.mark.parametrize(
    "fit",
    [
        fit_over([0.1, 0.2], [1.0, 2.0]),
        fit_over(BIAS.values, np.arange(5.0)),  # the planned positions, not those measured
        fit_over([BIAS.values[0] * 1.001, 77.0], [1.0, 2.0]),
        fit_over([], []),
        FitResult("m", (), (), np.eye(0), 0, 0.0, curves={"x": BIAS.values * 1.001}),
    ],
)
def test_a_fit_over_something_else_is_not_drawn(written, fit):
    path = written((BIAS,), *taken((BIAS,), range(5)), Analysed(fit))
    assert np.isnan(fitted(path)).all()


def test_a_fit_of_a_sweep_that_comes_back_is_drawn_both_ways(written):
    path = np.array([0.0, 1.0, 1.0, 0.0])
    axis = Axis("bias", "V", path, hardware=True)
    values = tuple(np.arange(4.0) for _ in SIGNAL)
    file = written((axis,), PointTaken(0, 0.0, (), values), Analysed(fit_over([0.0, 1.0], [5.0, 6.0])))
    assert fitted(file) == [5.0, 6.0, 6.0, 5.0]
