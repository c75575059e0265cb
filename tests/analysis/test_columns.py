"""What a fit is given of a run: points of software and hardware axes, averages, settings."""

from types import SimpleNamespace

import numpy as np
import pytest

from stmlab.analysis.columns import averaged, column, whole_spectra
from stmlab.axes import Axis
from stmlab.errors import FitError


def run(**changes):
    """Two setpoints, of which three points were taken in software order, and a bias that a controller swept."""
    axes = (
        Axis("setpoint", "S", np.array([1e-8, 2e-8])),
        Axis("sweep", "", np.array([1.0, 2.0])),
        Axis("bias", "V", np.array([-1e-3, 0.0, 1e-3]), hardware=True),
    )
    given = {
        "path": "run.h5",
        "axes": axes,
        "points": 3,
        "coordinates": {"setpoint": np.array([1e-8, 1e-8, 2e-8]), "sweep": np.array([1.0, 2.0, 1.0])},
        "data": {"conductance": np.arange(9.0).reshape(3, 3), "height": np.array([5.0, 6.0, 7.0])[:, None]},
        "parameters": {"temperature": SimpleNamespace(value=2.0), "modulation": SimpleNamespace(value=1e-4)},
    }
    return SimpleNamespace(**(given | changes))


def test_columns_match_point_by_point_along_a_hardware_axis():
    assert column(run(), "conductance").tolist() == list(range(9))
    assert column(run(), "bias").tolist() == [-1e-3, 0.0, 1e-3] * 3
    assert column(run(), "setpoint").tolist() == [1e-8] * 6 + [2e-8] * 3
    assert column(run(), "height").tolist() == [5, 5, 5, 6, 6, 6, 7, 7, 7]


def test_a_column_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(FitError, match="the model needs field, the run has setpoint, sweep, bias, conductance"):
        column(run(), "field")


def test_repeated_places_are_averaged_and_nan_is_left_out():
    setpoint, bias, values = averaged(
        np.array([2.0, 1.0, 1.0, 1.0, 2.0]), np.array([0.0, 1.0, 0.0, 1.0, 0.0]), np.array([5.0, 2.0, 7.0, 4.0, np.nan])
    )
    assert (setpoint.tolist(), bias.tolist(), values.tolist()) == ([1, 1, 2], [0, 1, 0], [7, 3, 5])


def test_a_spectrum_that_was_cut_off_is_left_out_and_told():
    setpoint, bias = np.array([1.0, 1.0, 1.0, 2.0, 2.0]), np.array([-1.0, 0.0, 1.0, -1.0, 0.0])
    kept = whole_spectra(setpoint, bias, 10 * bias)
    assert [column.tolist() for column in kept[:3]] == [[1.0] * 3, [-1.0, 0.0, 1.0], [-10.0, 0.0, 10.0]]
    assert kept[3] == ("left out, because they are not whole: 2 S (2 biases)",)
    assert whole_spectra(setpoint[3:], bias[3:], bias[3:])[3] == ()
