"""Stabilising the tip: a trip or a withdrawal in it is called so, whenever it comes."""

import pytest

from sequences.didv import ConductanceSpectrum
from sequences.tip import stabilise
from stmlab.errors import TipTripped, TipWithdrawn
from stmlab.simulation.faults import Fault
from tests.station.lab import lab


@pytest.mark.parametrize(("kind", "error"), [("trip", TipTripped), ("withdrawn", TipWithdrawn)])
@pytest.mark.parametrize("reading", [1, 6])
def test_what_takes_the_tip_away_while_the_setpoint_is_checked_is_named(kind, error, reading):
    with lab() as station:
        sequence = ConductanceSpectrum()
        sequence.connect(station)

        def happens():
            station.simulation.faults.arm(
                Fault(kind=kind, instrument="nanonis", match=r"Current\.Get", message=reading)
            )

        sequence.wait = lambda seconds: (station.clock.sleep(seconds), happens())
        with pytest.raises(error):
            stabilise(sequence, 10e-3, 1e-9, 1.0)
