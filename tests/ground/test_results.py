"""The quantities of many curves: as arrays, and one by one."""

import numpy as np
import pytest

from stmlab.results import FitParameter, FitResult, ParametersOfCurves

OF_TWO = ParametersOfCurves(
    names=("rate", "step"),
    units=("1/s", "A"),
    curves=np.array([1, 3]),
    at=("bias 1 V", "bias 3 V"),
    values=np.array([[1e9, 2e-12], [3e9, 4e-12]]),
    errors=np.array([[1e7, 2e-13], [3e7, 4e-13]]),
)
ALL = (
    FitParameter("rate_1", 1e9, 1e7, "1/s", "bias 1 V"),
    FitParameter("step_1", 2e-12, 2e-13, "A", "bias 1 V"),
    FitParameter("rate_3", 3e9, 3e7, "1/s", "bias 3 V"),
    FitParameter("step_3", 4e-12, 4e-13, "A", "bias 3 V"),
)


def test_quantities_of_many_curves_are_made_as_they_are_asked_for():
    assert len(OF_TWO) == 4
    assert tuple(OF_TWO) == ALL
    assert (OF_TWO[0], OF_TWO[2], OF_TWO[-1]) == (ALL[0], ALL[2], ALL[-1])
    assert OF_TWO[1:3] == ALL[1:3]
    with pytest.raises(IndexError):
        OF_TWO[4]


def test_a_fit_of_many_curves_names_its_quantities():
    fit = FitResult("srs_map", OF_TWO, (), np.empty((0, 0)), 10, 0.0)
    assert fit["step_3"] == ALL[3]
    assert fit.as_dict()["parameters"][2] == {
        "name": "rate_3",
        "value": 3e9,
        "error": 3e7,
        "unit": "1/s",
        "at": "bias 3 V",
    }
    with pytest.raises(KeyError, match="rate_2: this fit has rate_1, step_1, rate_3, step_3"):
        fit["rate_2"]
