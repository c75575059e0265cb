"""Axes that always say what they show and in which unit."""

import numpy as np
import pyqtgraph as pg
import pytest

from stmlab.gui.live.axes import QuantityAxis
from tests.approximately import close


@pytest.fixture
def made(qapp):
    def make(low, high, unit, *, logarithmic=False):
        axis = QuantityAxis("bottom")
        axis.describe("quantity", unit, logarithmic=logarithmic)
        axis.setRange(low, high)
        return axis

    return make


def labels(axis, size=600):
    """Every label of the axis with the place where it stands."""
    low, high = axis.range
    return {
        text: value
        for spacing, values in axis.tickValues(low, high, size)
        for value, text in zip(values, axis.tickStrings(values, axis.autoSIPrefixScale, spacing), strict=False)
        if text
    }


@pytest.mark.parametrize(
    ("low", "high", "unit", "title"),
    [
        (-4e-9, 4e-9, "s", "quantity (ns)"),
        (0.0, 2.8e-12, "A", "quantity (pA)"),
        (0.0, 700e-9, "S", "quantity (nS)"),
        (1e9, 2e9, "1/s", "quantity (10⁹ /s)"),
        (0, 50, "", "quantity"),
        (0.0, 5.0, "meV", "quantity (meV)"),
    ],
)
def test_the_title_has_the_unit_with_the_prefix_that_suits(made, low, high, unit, title):
    axis = made(low, high, unit)
    assert axis.title == title
    numbers = [float(text) for text in labels(axis)]
    assert len(numbers) >= 3
    assert max(map(abs, numbers)) <= 1000


def test_another_span_takes_another_prefix(made):
    axis = made(0.0, 5e-12, "A")
    axis.setRange(0.0, 5e-9)
    assert axis.title == "quantity (nA)"
    assert "nA" in axis.label.toPlainText()


@pytest.mark.parametrize(
    ("low", "high"), [(3e6, 20e9), (1.0, 9.0), (1.02e9, 1.09e9), (2e9, 2.0001e9), (40.0, 70.0), (1e-3, 1e12)]
)
def test_a_logarithmic_axis_has_labels_and_its_unit_however_short_it_is(made, low, high):
    axis = made(np.log10(low), np.log10(high), "Hz", logarithmic=True)
    assert axis.title == "quantity (Hz)"
    found = labels(axis)
    assert 2 <= len(found) <= 14
    prefixes = {"": 1, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
    for text, place in found.items():
        number, _, prefix = text.partition(" ")
        assert float(number) * prefixes[prefix] == close(10.0**place, rel=1e-3)


@pytest.mark.parametrize("reach", [2.0**-k for k in range(2, 10)])
def test_a_narrow_logarithmic_axis_has_two_labels_wherever_it_lies(made, reach):
    for centre in np.linspace(0.0, 1.0, 41):
        axis = made(centre - reach, centre + reach, "1/s", logarithmic=True)
        found = labels(axis, size=150)
        assert len(found) <= 6
        assert sum(abs(place - centre) < 0.8 * reach for place in found.values()) >= 2, "none of them cut off"


def test_a_place_is_told_as_a_quantity(made):
    assert made(0, 10, "Hz", logarithmic=True).told(9.0) == "quantity 1 GHz"
    assert made(-4e-9, 4e-9, "s").told(1.25e-9) == "quantity 1.25 ns"


def test_what_is_drawn_follows_the_range_though_the_prefix_stays(qtbot):
    """The ticks as they are painted, not as they would be: a plot that grows once showed those of its first points."""
    plot = pg.PlotWidget(axisItems={"left": QuantityAxis("left")})
    qtbot.addWidget(plot)
    axis = plot.getAxis("left")
    axis.describe("current", "A")
    plot.resize(400, 300)
    plot.show()
    view = plot.getViewBox()
    view.setYRange(2.8e-12, 2.98e-12, padding=0)
    qtbot.waitUntil(lambda: axis.picture is not None)
    before = plot.grab().toImage()
    view.setYRange(2.9e-12, 7.4e-12, padding=0)
    assert axis.picture is None
    qtbot.waitUntil(lambda: axis.picture is not None)
    assert axis.title == "current (pA)"
    assert plot.grab().toImage() != before


@pytest.mark.parametrize("grid", [False, True])
def test_every_pixel_of_an_axis_is_where_pyqtgraph_draws_it(qtbot, monkeypatch, grid):
    plot = pg.PlotWidget(axisItems={side: QuantityAxis(side) for side in ("left", "bottom", "right", "top")})
    qtbot.addWidget(plot)
    plot.showGrid(x=grid, y=grid, alpha=0.5)
    plot.resize(403, 301)
    plot.show()

    def drawn():
        for side in ("left", "bottom", "right", "top"):
            plot.getAxis(side).describe("current", "A")
        return plot.grab().toImage()

    drawn()  # the widths of the labels have settled
    ours = drawn()
    monkeypatch.setattr(QuantityAxis, "paint", pg.AxisItem.paint)
    assert ours == drawn()
