"""How long a run that chooses its points will still take."""

import math

from stmlab.acquisition.choosing import readings_needed
from tests.approximately import close


def test_the_error_falls_with_the_root_of_the_number_of_readings():
    assert readings_needed(100, 0.04, 0.01) == close(1600, rel=1e-12)


def test_where_the_target_is_reached_no_more_are_needed():
    assert readings_needed(40, 0.005, 0.01) == 40


def test_there_is_no_forecast_while_little_is_known():
    assert math.isnan(readings_needed(12, 3.0, 0.01))
    assert math.isnan(readings_needed(12, math.nan, 0.01))
