"""A stretch of what was swept: of a run that software or an instrument moves, of recorded files and grids."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stmlab.analysis.fitting import RUN, fit_file
from stmlab.analysis.guided import Guide
from stmlab.analysis.lorentzian import fit_srs
from stmlab.analysis.ranges import within_range
from stmlab.axes import Axis, Channel
from stmlab.errors import FitError, SequenceError
from stmlab.events import PointTaken, RunFinished, RunStarted, RunState
from stmlab.physics.stochastic_resonance import line_shape
from stmlab.storage import Writer, open_run
from stmlab.storage.exporters import recording_of
from stmlab.storage.recorded import open_recording
from tests.approximately import close

RECORDED = Path(__file__).parents[1] / "data" / "spectrum.dat"
FREQUENCY = np.geomspace(1e6, 1e10, 41)
CURRENT = Channel("current", "A", "")


def written(path, sequence, axes, points):
    writer = Writer(path)
    writer(RunStarted("id", sequence, "2024-01-01T00:00:00", {}, axes, (CURRENT,), 1.0, "sim", ""))
    for event in (*points, RunFinished(RunState.FINISHED, "completed", "", len(points), 1.0)):
        writer(event)
    writer.close()
    return open_run(path)


@pytest.fixture
def line(tmp_path):
    current = line_shape(FREQUENCY, 1e9, 5e-12, 1e-12) + np.random.default_rng(1).normal(0, 1e-14, FREQUENCY.size)
    points = [PointTaken(k, float(k), (FREQUENCY[k],), (current[k],)) for k in range(FREQUENCY.size)]
    points.append(PointTaken(20, 50.0, (FREQUENCY[20],), (current[20],), visit=41, attempt=1))
    return written(tmp_path / "line.h5", "srs", (Axis("frequency", "Hz", FREQUENCY),), points)


@pytest.fixture
def swept(tmp_path):
    """Two sweeps of five biases by an instrument, over three heights by software."""
    axes = (Axis("height", "m", [1, 2, 3]), Axis("sweep", "", [0, 1], hardware=True))
    axes = (*axes, Axis("bias", "V", np.linspace(-2, 2, 5), hardware=True))
    points = [PointTaken(k, float(k), (k + 1.0,), (10.0 * k + np.arange(10.0).reshape(2, 5),)) for k in range(3)]
    return written(tmp_path / "swept.h5", "didv", axes, points)


def test_points_outside_are_left_out_and_those_read_again_stay(line):
    part = within_range(line, 1e7, 1e9)
    inside = (FREQUENCY >= 1e7) & (FREQUENCY <= 1e9)
    assert part.axes[0].values.tolist() == FREQUENCY[inside].tolist()
    assert part.coordinates["frequency"].tolist() == FREQUENCY[inside].tolist()
    assert part.grid("current").tolist() == line.grid("current")[inside].tolist()
    assert len(part.visits) == part.points + 1
    assert line.points == 41


def test_arrays_along_a_swept_axis_are_cut(swept):
    part = within_range(swept, -1.0, 1.0)
    assert part.grid("current").tolist() == swept.grid("current")[:, :, 1:4].tolist()
    assert part.axes[-1].values.tolist() == [-1, 0, 1]


def test_an_inner_axis_that_software_moves_is_cut_under_outer_ones(tmp_path):
    axes = Axis("drive", "V", [1.0, 2.0]), Axis("frequency", "Hz", [1.0, 2.0, 3.0])
    points = [PointTaken(k, float(k), (1.0 + k // 3, 1.0 + k % 3), (float(k),)) for k in (5, 0, 2, 4)]
    run = written(tmp_path / "map.h5", "srs_map", axes, points)
    part = within_range(run, 2.0, 3.0)
    np.testing.assert_array_equal(part.grid("current"), run.grid("current")[:, 1:])


def test_a_recorded_table_and_a_grid_are_cut(swept):
    table = open_recording(RECORDED)
    part = within_range(table, "2 mV", "-2 mV")
    bias = table.columns[0].values
    assert part.columns[0].values.tolist() == bias[np.abs(bias) <= 2e-3].tolist()
    assert len(part.columns) == len(table.columns)
    grid = recording_of(swept)
    cut = within_range(grid, 0.0, 2.0)
    np.testing.assert_array_equal(cut["current"].values, grid["current"].values[..., 2:])
    apart = replace(grid, sweep=replace(grid.sweep, values=np.broadcast_to(grid.sweep.values, (3, 2, 5))))
    with pytest.raises(FitError, match="its places differ in bias"):
        within_range(apart, 0.0, 2.0)


def test_an_empty_stretch_and_a_wrong_unit_are_refused(line):
    with pytest.raises(FitError, match="no frequency lies within 1 Hz to 2 Hz"):
        within_range(line, 1.0, 2.0)
    with pytest.raises(SequenceError, match="'1 V' is not a number"):
        within_range(line, "1 V", "2 V")


def test_a_file_is_fitted_within_a_stretch_from_start_values(line):
    inside = (FREQUENCY >= 2e7) & (FREQUENCY <= 5e9)
    expected = fit_srs(FREQUENCY[inside], line.grid("current")[inside])
    found = fit_file(line.path, within=("20 MHz", "5 GHz"))[RUN]
    assert found["rate"].value == close(expected["rate"].value)
    guided = fit_file(line.path, guide=Guide.read({"rate": "1e8"}, ("offset",)))[RUN]
    assert "rate = 100·10⁶ /s" in guided.choices["begun at"]
    assert "offset" not in guided.free


def test_a_model_without_parameters_of_its_own_takes_no_start_values(line, tmp_path):
    with pytest.raises(FitError, match="the model exchange takes no start values"):
        fit_file(line.path, "exchange", guide=Guide({"rate": 1.0}))
    assert Guide.read({}) is None


def test_start_values_are_for_one_curve(tmp_path):
    axes = Axis("drive", "V", [1.0, 2.0]), Axis("frequency", "Hz", FREQUENCY)
    current = line_shape(FREQUENCY, 1e9, 5e-12, 1e-12)
    n = FREQUENCY.size
    points = [PointTaken(k, float(k), (1.0 + k // n, FREQUENCY[k % n]), (current[k % n],)) for k in range(2 * n)]
    run = written(tmp_path / "map.h5", "srs_map", axes, points)
    with pytest.raises(FitError, match="start values are for one curve"):
        fit_file(run.path, "srs", guide=Guide({"rate": 1e9}))
    with pytest.raises(FitError, match="--channel is for recorded files"):
        fit_file(run.path, "srs_map", "current")
