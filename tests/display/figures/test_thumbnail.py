"""Small pictures of recorded files."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from stmlab.axes import Axis
from stmlab.display.figures.thumbnail import draw_recorded_thumbnail, draw_run_thumbnail
from stmlab.storage.recorded import Column, Grid, Recording

BIAS = np.linspace(-1.0, 1.0, 5)


def test_a_table_is_its_second_column_over_the_first():
    columns = (Column("Bias", "V", BIAS), Column("Current", "A", BIAS**3), Column("Z", "m", -BIAS))
    (axes,) = draw_recorded_thumbnail(Recording(Path("a.dat"), "nanonis", {}, columns)).axes
    (line,) = axes.lines
    np.testing.assert_array_equal(line.get_xydata(), np.column_stack([BIAS, BIAS**3]))


def test_a_grid_is_the_mean_of_what_is_known_at_each_place():
    values = np.arange(30.0).reshape(2, 3, 5)
    values[0, 1, 2:] = np.nan
    values[1, 2] = np.nan
    channels = (Column("LI X", "V", values), Column("Z", "V", -values))
    (axes,) = draw_recorded_thumbnail(
        Grid(Path("a.3ds"), "nanonis", {}, ("y", "x"), Column("Bias", "V", BIAS), channels)
    ).axes
    shown = (axes.collections or axes.images)[0].get_array()
    np.testing.assert_array_equal(np.ma.filled(shown, np.nan).ravel(), [2, 5.5, 12, 17, 22, np.nan])


@pytest.mark.parametrize(("outer", "lines"), [(2, 2), (3, 0)])
def test_few_curves_of_a_run_are_drawn_as_such_and_more_as_a_map(outer, lines):
    axes = [Axis(name, "V", np.arange(length) + 1.0) for name, length in (("a", outer), ("b", 5))]
    channel = SimpleNamespace(name="current")
    run = SimpleNamespace(axes=axes, channels=[channel], fits=(), grid=lambda _: np.ones((outer, 5)))
    (panel,) = draw_run_thumbnail(run).axes
    assert len(panel.lines) == lines
    assert bool(panel.collections or panel.images) is not bool(lines)
