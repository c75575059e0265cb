"""What a lock-in says of a setting is accepted only if it is what was set."""

import pytest

from stmlab.errors import ValueNotTaken
from stmlab.simulation.faults import Fault
from tests.approximately import close
from tests.station.lab import lab


@pytest.mark.parametrize(
    ("name", "value", "query"), [("sine_voltage", 0.02, "SLVL"), ("phase", 30.0, "PHAS"), ("frequency", 691.0, "FREQ")]
)
def test_a_setting_that_reads_as_something_else_is_no_factor_of_a_measurement(name, value, query):
    with lab() as station:
        setattr(station.lockin, name, value)
        station.simulation.faults.arm(Fault(kind="wrong_value", instrument="sr860", match=rf"{query}\?", value=0.001))
        with pytest.raises(ValueNotTaken, match=name):
            getattr(station.lockin, name)
        assert getattr(station.lockin, name) == close(value, rel=1e-6)
