"""What every experiment with the lock-in refuses, and how it tells an overload."""

import pytest

from sequences.didv import ConductanceSpectrum
from sequences.srs import StochasticResonance
from sequences.transfer import TransferFunction
from stmlab.acquisition.runner import Runner
from stmlab.errors import InstrumentOverload, SequenceError
from stmlab.station import Station


@pytest.mark.parametrize(
    ("sequence", "words"),
    [
        (StochasticResonance(time_constant=1e-6), r"time_constant = 1 µs: 347 µs or more .* chop_frequency = 691 Hz"),
        (ConductanceSpectrum(time_constant=1e-2, filter_slope=6), r"time_constant = 10 ms: 11\.6 ms or more is needed"),
        (
            StochasticResonance(chop_frequency=100e3),
            r"chop_frequency = 100 kHz: .* passes 1\.1 % of its gain there, 10 %",
        ),
        (ConductanceSpectrum(modulation_frequency=20e3), r"modulation_frequency = 20 kHz: the preamplifier"),
    ],
)
def test_a_reference_that_filter_or_preamplifier_cannot_follow_is_refused(sequence, words):
    with Station.load("simulated", seed=3) as station, pytest.raises(SequenceError, match=words):
        Runner(sequence, station).preflight()


@pytest.mark.parametrize(
    ("sequence", "words"),
    [
        (TransferFunction(), r"\(current_range = 200 pA sets its range\)"),
        (ConductanceSpectrum(conductance_range=1), r"\(conductance_range = 1 sets its range\)"),
    ],
)
def test_an_overload_names_the_parameter_that_mends_it(sequence, words):
    with Station.load("simulated", sample="coh_bare", seed=3) as station:
        with pytest.raises(InstrumentOverload, match=words):
            Runner(sequence, station).run()
