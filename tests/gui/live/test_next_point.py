"""The line at the point that is being measured."""

import math

import numpy as np
import pyqtgraph as pg
import pytest

from stmlab.gui.live.next_point import NextPoint
from stmlab.gui.live.shown import Shown
from tests.approximately import close
from tests.gui.live.runs import axis, begun


@pytest.mark.parametrize("logarithmic", [True, False])
def test_the_line_stands_behind_the_data_where_the_run_measures(qapp, logarithmic):
    data = begun(axis("frequency", "Hz", np.geomspace(1e6, 1e10, 5), logarithmic=logarithmic))
    plot = pg.PlotItem()
    point, shown = NextPoint(plot), Shown(log_x=logarithmic)
    assert point.line in plot.items and point.line.zValue() < pg.PlotDataItem().zValue()
    for place, told in ((5 + 3, "1 GHz"), (-1, "")):
        data.next_place = place
        point.draw(data, shown)
        assert point.line.isVisible() is (place >= 0)
        assert point.place == told
    assert point.line.value() == close(math.log10(1e9) if logarithmic else 1e9)
