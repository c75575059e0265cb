"""The curves of a fit of several spectra."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from stmlab.gui.data.fit_drawing import fit_curves
from stmlab.gui.data.opened import Curve
from stmlab.results import FitResult

X = np.array([1.0, 2.0, 3.0, 1.0, 2.0, 3.0, 1.0, 2.0, 3.0])
GAP = np.nan


@pytest.fixture
def opened():
    curve = Curve("recorded", np.arange(2.0), np.arange(2.0), "bias", "V", "current", "A")
    return SimpleNamespace(curve=lambda: curve)


def test_spectra_are_drawn_one_after_the_other_with_gaps_between(opened):
    curves = {"x": X, "data": X**2, "fit": X**2 - 0.5}
    fit = FitResult("step", (), (), np.empty((0, 0)), 9, 0.0, curves=curves, labels={"y": "dI/dV", "y_unit": "S"})
    (data,), (fitted,), (residual,) = fit_curves(opened, fit)
    one = [1.0, 2.0, 3.0]
    for curve in (data, fitted, residual):
        np.testing.assert_array_equal(curve.x, [*one, GAP, *one, GAP, *one])
        assert (curve.x_label, curve.y_unit) == ("bias", "S")
    np.testing.assert_array_equal(data.y, [1, 4, 9, GAP, 1, 4, 9, GAP, 1, 4, 9])
    np.testing.assert_array_equal(fitted.y, data.y - 0.5)
    np.testing.assert_array_equal(residual.y[:3], 0.5)
    by_setpoint = replace(fit, curves={**curves, "setpoint": np.repeat([2e-9, 1e-9, 2e-9], 3)})
    (data,), _, _ = fit_curves(opened, by_setpoint)
    np.testing.assert_array_equal(data.x, [*one, GAP, *one, *one])


def test_a_file_without_a_fit_shows_its_data_alone(opened):
    assert fit_curves(opened, None) == ([opened.curve()], [], [])
