"""What a fit is told beside the data: by the run, or by whoever fits it."""

from types import SimpleNamespace

import numpy as np
import pytest

from stmlab.analysis.settings import Settings, check_given
from stmlab.errors import FitError


def run(data=None, **parameters):
    return SimpleNamespace(
        data=data or {}, parameters={name: SimpleNamespace(value=value) for name, value in parameters.items()}
    )


def test_what_is_given_goes_before_what_the_run_knows():
    told = Settings.of_run(run(field=1.0, fitted_sides="both"), {"field": 5.0, "fitted_sides": "negative"})
    assert told.number("field") == 5.0
    assert told.text("fitted_sides", "positive") == "negative"
    assert told.said() == {"given": "field = 5 T, fitted_sides = negative"}


def test_what_nobody_says_has_its_default():
    told = Settings.of_run(run(), {})
    assert told.number("field", 3.0) == 3.0
    assert told.optional("threshold") is None
    assert told.window == 10e-3
    assert told.said() == {}


def test_a_temperature_of_zero_is_not_known():
    assert Settings.of_run(run(temperature=0.0), {}).temperature is None
    assert Settings.of_run(run(temperature=2.0), {}).temperature == 2.0


def test_the_modulation_that_was_played_counts_before_the_one_asked_for():
    played = {"modulation": np.array([1.02e-4, 1.02e-4, 9e-4])}
    assert Settings.of_run(run(modulation=1e-4), {}).modulation == 1e-4
    assert Settings.of_run(run(played, modulation=1e-4), {}).modulation == 1.02e-4
    assert Settings.of_run(run(played, modulation=1e-4), {"modulation": 3e-4}).modulation == 3e-4


@pytest.mark.parametrize(
    ("takes", "given", "complaint"),
    [
        (("field",), {"temprature": 2.0}, "temprature: the model transport takes field"),
        ((), {"field": 2.0}, "field: the model transport takes no settings"),
    ],
)
def test_a_setting_that_a_model_does_not_take_is_refused(takes, given, complaint):
    with pytest.raises(FitError, match=complaint):
        check_given("transport", takes, given)


def test_a_setting_that_is_no_number_is_refused():
    with pytest.raises(FitError, match="field = 'strong': a number"):
        Settings(given={"field": "strong"}).number("field")
