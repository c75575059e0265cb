"""The figure of a fit of steps."""

import numpy as np
import pytest

from stmlab.analysis.steps import fit_steps
from stmlab.analysis.steps.shapes import StepShape
from stmlab.display.figures.steps import draw_steps
from stmlab.errors import FitError
from tests.approximately import close

BIAS = np.linspace(-10e-3, 10e-3, 201)


def fitted(method, seed, offset=0.1, pairs=2):
    x, shape = 1e3 * BIAS - offset, StepShape(2.0)
    read = 1 + sum(shape.step(-x - e) + 1.2 * shape.step(x - e) for e in (2.0, 5.0)[:pairs])
    return fit_steps(BIAS, 1e-8 * (read + np.random.default_rng(seed).normal(0, 0.03, 201)), method=method, pairs=pairs)


def words(axes):
    return " ".join(text.get_text() for text in axes.texts)


@pytest.mark.parametrize("method", ["steps", "gaussians"])
def test_forward_and_backward_stand_side_by_side_with_their_numbers(method):
    fits = [("forward", fitted(method, 0)), ("backward", fitted(method, 1, -0.1))]
    figure = draw_steps(fits, "CoH $5", "S")
    figure.draw_without_rendering()
    assert len(figure.axes) == 4
    assert [axes.get_title(loc="left") for axes in figure.axes[:2]] == ["forward", "backward"]
    for axes, (_, fit) in zip(figure.axes, fits, strict=False):
        assert f"{fit['inner_energy'].value:.1f}" in words(axes)
        assert r"\eta_\mathrm{outer}" in words(axes)
        marks = sorted(line.get_xdata()[0] for line in axes.lines if len(set(line.get_xdata())) == 1)
        zero = 1e3 * fit["bias_offset"].value
        expected = [zero + sign * fit[f"{pair}_energy"].value for sign in (-1, 1) for pair in ("inner", "outer")]
        assert marks == close(sorted(expected))
    assert figure.axes[0].get_ylabel() == "dI/dV (nS)"
    assert "µS/V" in figure.axes[2].get_ylabel()


def test_points_and_curve_are_those_of_the_fit():
    fit = fitted("steps", 0)
    above, below = draw_steps([("", fit)]).axes
    drawn = {len(line.get_xdata()): line for line in above.lines}
    assert drawn[201].get_ydata() == close(fit.curves["data"])
    assert 1e-3 * drawn[201].get_xdata() == close(BIAS)
    assert any(len(line.get_xdata()) == 200 for line in below.lines)


def test_warnings_stand_at_the_foot_once():
    x, shape = 1e3 * BIAS, StepShape(2.0)
    read = sum(shape.step(side * x - e) - 0.1 * shape.ramp(side * x - 5) for e in (2, 5) for side in (-1, 1))
    fit = fit_steps(BIAS, read + np.random.default_rng(0).normal(0, 0.03, 201))
    assert fit.warnings
    foot = draw_steps([("a", fit), ("b", fit)]).get_supxlabel()
    assert foot.replace("\n", " ").count(fit.warnings[0][:30]) == 1


def test_one_pair_is_drawn_alone():
    figure = draw_steps([("", fitted("steps", 0, pairs=1))], unit="V")
    assert "outer" not in words(figure.axes[0])


def test_nothing_to_draw_is_refused():
    with pytest.raises(FitError, match="at least one"):
        draw_steps([])
