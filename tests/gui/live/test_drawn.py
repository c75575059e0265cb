"""What of a line a screen can show: each point, or the envelope; in view only; forwards, backwards, logarithmic."""

import numpy as np
import pytest

from stmlab.gui.live.drawn import Extent, drawn_line, drawn_mean
from tests.gui.live.runs import CURRENT, axis, filled

ALL = (-np.inf, np.inf)


def line_of(values, x, **more):
    data = filled(axis("bias", "V", x), values=values, channels=(CURRENT,), **more)
    return data, data.layout.line(0)


def test_few_points_are_drawn_one_by_one():
    data, line = line_of([3.0, 1.0, 2.0], [0, 1, 2], places=2)
    drawn = drawn_line(data, "current", line, Extent(*ALL, pixels=100))
    assert not drawn.dense
    np.testing.assert_array_equal(drawn.x, [0, 1, 2])
    np.testing.assert_array_equal(drawn.y, [3, 1, np.nan])


@pytest.mark.parametrize("x", [np.linspace(-1, 1, 50_000), np.linspace(1, -1, 50_000), np.geomspace(1, 1e9, 50_000)])
def test_of_many_points_no_extreme_is_lost(x):
    values = np.random.default_rng(1).normal(size=x.size)
    values[17], values[31_234] = 40.0, -50.0
    data, line = line_of(values, x)
    for logarithmic in (False, bool(x.min() > 0)):
        drawn = drawn_line(data, "current", line, Extent(*ALL, pixels=500, logarithmic=logarithmic))
        assert drawn.dense
        assert len(drawn.x) <= 1000
        assert (drawn.y.max(), drawn.y.min()) == (40.0, -50.0)
        high, low = drawn.x[drawn.y.argmax()], drawn.x[drawn.y.argmin()]
        scale = np.log if logarithmic else np.asarray
        pixel = np.ptp(scale(x)) / 500
        assert abs(scale(high) - scale(x[17])) < 1.5 * pixel
        assert abs(scale(low) - scale(x[31_234])) < 1.5 * pixel


def test_pixels_of_a_logarithmic_axis_are_equal_ratios():
    x = np.linspace(1, 1e6, 100_000)
    data, line = line_of(np.sin(x), x)
    drawn = drawn_line(data, "current", line, Extent(*ALL, pixels=600, logarithmic=True))
    assert np.count_nonzero(drawn.x < 1e3) > 50


def test_only_what_is_in_view_is_looked_at():
    x = np.linspace(0, 1, 100_000)
    data, line = line_of(np.arange(100_000.0), x)
    drawn = drawn_line(data, "current", line, Extent(0.5, 0.501, pixels=500))
    assert not drawn.dense
    assert len(drawn.x) <= 104
    assert drawn.x[0] <= 0.5
    assert drawn.x[-1] >= 0.501


def test_a_falling_axis_shows_the_same_part():
    x = np.linspace(1, 0, 1001)
    data, line = line_of(np.arange(1001.0), x)
    drawn = drawn_line(data, "current", line, Extent(0.25, 0.5, pixels=5000))
    np.testing.assert_allclose([drawn.x.max(), drawn.x.min()], [0.501, 0.249], atol=1.1e-3)


def test_points_that_are_missing_are_gaps():
    data, line = line_of(np.ones(100_000), np.arange(100_000.0), places=40_000)
    drawn = drawn_line(data, "current", line, Extent(*ALL, pixels=100))
    known = np.isfinite(drawn.y)
    assert 38_000 < drawn.x[known].max() <= 40_000


def test_a_mean_is_drawn_along_the_line():
    axes = axis("sweep", "", [0, 1]), axis("bias", "V", [0, 1, 1, 0])
    data = filled(*axes, values=[0, 1, 2, 3, 10, 11, 12, 13], channels=(CURRENT,))
    forward, backward = data.layout.line(2), data.layout.line(3)
    extent = Extent(*ALL, pixels=100)
    np.testing.assert_array_equal(drawn_mean(data, "current", forward, extent).y, [5, 6])
    np.testing.assert_array_equal(drawn_mean(data, "current", backward, extent).y, [7, 8])
    np.testing.assert_array_equal(drawn_mean(data, "current", backward, extent).x, [1, 0])


def test_a_redraw_of_a_million_points_touches_what_the_screen_can_show():
    data, line = line_of(np.zeros(1_000_000), np.arange(1e6))
    extent = Extent(*ALL, pixels=900)
    drawn_line(data, "current", line, extent)
    pyramid = data.pyramid("current")
    before = pyramid.touched
    data.take(np.array([500_000]), np.array([[5e5]]), [np.array([1.0])])
    drawn_line(data, "current", line, extent)
    assert pyramid.touched - before < 40_000
