"""The SRS experiment on the simulated microscope, through the wire and the noise."""

import math
import re
from types import SimpleNamespace

import numpy as np
import pytest

from sequences.chopped import whole_periods
from sequences.srs import CHOP_FACTOR, StochasticResonance
from stmlab.acquisition.runner import Runner
from stmlab.errors import InstrumentFault, OutOfBounds
from stmlab.events import PointTaken, RunState
from stmlab.station import Station
from stmlab.storage import open_run
from tests.approximately import close
from tests.quick_runs import QUICK


@pytest.fixture
def station():
    with Station.load("simulated", sample="fe_atom", seed=7) as found:
        yield found


def test_the_rate_of_the_single_atom_comes_back(station, tmp_path):
    sequence, path = StochasticResonance(points=40), tmp_path / "run.h5"
    outcome = Runner(sequence, station, path).run()
    rate = outcome.fits[0].parameters[0]
    true = station.simulation.sample.true_rate(sequence.dc_bias, sequence.amplitude)
    assert (rate.name, rate.unit) == ("rate", "1/s")
    assert abs(rate.value - true) < 4 * rate.error
    assert 0 < rate.error < 0.1 * true
    run = open_run(path)
    assert run.points == 40
    factor = run.factors["chop_factor"].value * run.factors["gain"].value
    np.testing.assert_allclose(run.data["current"], run.data["x"] / factor, rtol=1e-12)
    np.testing.assert_allclose(run.data["amplitude"], sequence.amplitude, rtol=1e-6)


def test_the_error_of_averaged_readings_is_that_of_their_mean(station, tmp_path):
    """Far above the rate nothing depends on the frequency: points scatter by just their errors."""
    sequence = StochasticResonance(start_frequency=15e9, stop_frequency=20e9, points=40, averages=4, **QUICK)
    Runner(sequence, station, tmp_path / "run.h5").run()
    run = open_run(tmp_path / "run.h5")
    told = np.sqrt(np.mean(run.data["current_error"] ** 2))
    assert np.std(run.data["current"], ddof=1) == close(told, rel=0.3)


class Canned:
    """A lock-in that reads what it is told."""

    def __init__(self, *readings):
        self.readings = list(readings)

    @property
    def xy(self):
        return self.readings.pop(0)

    def clear(self):
        """Nothing has overloaded."""

    check_status = clear


def test_the_error_of_the_mean_counts_the_readings(station, monkeypatch):
    sequence, lockin = StochasticResonance(averages=5), Canned((3, 0), (4, 1), (8, 0), (3, 5), (2, 4))
    sequence.connect(station)
    monkeypatch.setattr(type(sequence), "station", SimpleNamespace(lockin=lockin, clock=station.clock))
    reading = sequence.read()
    assert (reading.x, reading.y) == (4.0, 2.0)
    assert reading.error == close(math.sqrt((1 + 0 + 16 + 1 + 4) / 4 / 5), rel=1e-12)
    assert lockin.readings == []


def test_a_single_reading_has_no_error(station):
    sequence = StochasticResonance(averages=1)
    sequence.connect(station)
    assert math.isnan(sequence.read().error)


def test_the_microwave_is_off_while_the_tip_is_stabilised_between_points(station, tmp_path):
    on = []

    class Watched(StochasticResonance):
        def stabilise(self):
            on.append(station.simulation.generator.on)
            super().stabilise()

        def measure(self):
            on.append(station.simulation.generator.on)
            return super().measure()

    Runner(Watched(points=5, stabilise_every=2, **QUICK), station, tmp_path / "run.h5").run()
    assert on == [False, True, True, False, True, True, False, True]


def test_every_frequency_has_whole_periods_in_the_open_gate(station):
    sequence = StochasticResonance(start_frequency=2e3, stop_frequency=1e6, points=30)
    sequence.connect(station)
    periods = sequence.axes()[0].values / (2 * sequence.chop_frequency)
    np.testing.assert_allclose(periods, np.round(periods), atol=1e-9)


def test_frequencies_go_down_where_they_are_asked_to_and_one_alone_is_enough():
    np.testing.assert_allclose(whole_periods(np.array([5e3, 2e3, 1.5e3]), 691.0), [5528.0, 1382.0])
    np.testing.assert_allclose(whole_periods(np.array([5e3]), 691.0), [5528.0])


def test_frequencies_closer_than_the_chop_allows_are_taken_once(station):
    sequence = StochasticResonance(start_frequency=1.4e3, stop_frequency=14e3, points=100)
    np.testing.assert_allclose(sequence.axes()[0].values, 1382.0 * np.arange(1, 11))


def test_feedback_is_open_during_the_sweep_and_closed_after_it(station, tmp_path):
    feedback, biases = [], []

    def watch(event):
        if isinstance(event, PointTaken):
            feedback.append(station.tip.feedback)
            biases.append(station.bias.bias)

    assert station.tip.feedback
    Runner(StochasticResonance(points=5, **QUICK), station, tmp_path / "run.h5", [watch]).run()
    assert feedback[:-1] == [False] * 4
    np.testing.assert_allclose(biases[:-1], 4e-3, rtol=1e-6)
    assert station.tip.feedback
    assert station.bias.bias == close(station.config.safe.bias)
    assert not station.simulation.generator.on


def test_a_failure_in_the_sweep_switches_the_microwave_off_and_withdraws_the_tip(station, tmp_path):
    class Broken(StochasticResonance):
        def measure(self):
            raise InstrumentFault("lockin", "input overload")

    with pytest.raises(InstrumentFault):
        Runner(Broken(points=5), station, tmp_path / "run.h5").run()
    assert station.simulation.true_state().withdrawn
    assert not station.tip.feedback
    assert not station.simulation.generator.on
    assert open_run(tmp_path / "run.h5").state is RunState.FAILED


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"dc_bias": 0.2}, "bias"),
        ({"setpoint_bias": -0.11}, "bias"),
        ({"amplitude": 0.03}, "junction_amplitude"),
        ({"setpoint_current": 2e-8}, "setpoint"),
        ({"amplitude": 19e-3, "stop_frequency": 24e9}, "amplitude"),
    ],
)
def test_what_is_out_of_bounds_anywhere_is_refused_before_anything_moves(station, tmp_path, settings, name):
    before, path = station.snapshot(), tmp_path / "run.h5"
    with pytest.raises(OutOfBounds) as refusal:
        Runner(StochasticResonance(**settings), station, path).run()
    assert name in refusal.value.name
    assert not path.exists()
    after = station.snapshot()
    assert after["awg"] == before["awg"]
    assert after["controller"]["bias"] == before["controller"]["bias"]


def test_a_reading_after_one_time_constant_is_visibly_wrong_and_the_sequence_never_takes_it(station, tmp_path):
    """Betz's step is about 5 pA: after one time constant of four poles only 2 % of it has arrived."""
    times = []

    class Noted(StochasticResonance):
        def move_frequency(self, frequency):
            self._moved = self.station.clock.now()
            return super().move_frequency(frequency)

        def measure(self):
            times.append(self.station.clock.now() - self._moved)
            return super().measure()

    settled = Noted(points=3)
    Runner(settled, station, tmp_path / "settled.h5").run()
    assert min(times) >= settled.settling_time() - 1e-9

    class Hasty(StochasticResonance):
        def settling_time(self):
            return float(self.time_constant)

    Runner(Hasty(points=3), station, tmp_path / "hasty.h5").run()
    right = open_run(tmp_path / "settled.h5").data["current"]
    wrong = open_run(tmp_path / "hasty.h5").data["current"]
    assert abs(wrong[0]) < 0.1 * abs(right[0])


def test_the_chop_factor_is_the_first_harmonic_of_the_gate():
    gate = (np.arange(4096) < 2048).astype(float)
    assert abs(np.fft.rfft(gate)[1]) * 2 / 4096 / math.sqrt(2) == close(CHOP_FACTOR, rel=1e-5)


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    for name in ("first", "second"):
        with Station.load("simulated", sample="fe_atom", seed=3) as station:
            Runner(StochasticResonance(points=6, **QUICK), station, tmp_path / f"{name}.h5").run()
    with Station.load("simulated", sample="fe_atom", seed=4) as station:
        Runner(StochasticResonance(points=6, **QUICK), station, tmp_path / "other.h5").run()
    first, second, other = ((tmp_path / f"{name}.h5").read_bytes() for name in ("first", "second", "other"))
    assert first == second
    assert first != other


def test_the_tip_is_stabilised_again_every_so_many_points(station, tmp_path):
    class Counted(StochasticResonance):
        stabilised = 0

        def stabilise(self):
            type(self).stabilised += 1
            super().stabilise()

    Runner(Counted(points=7, stabilise_every=3, **QUICK), station, tmp_path / "run.h5").run()
    assert Counted.stabilised == 3


def test_a_tone_in_the_middle_of_the_band_that_is_too_large_is_refused(station):
    """Where the line's ripple asks for more than at both ends, and more than the generator has there."""
    sequence = StochasticResonance(start_frequency=3e9, stop_frequency=9e9, points=200)
    sequence.connect(station)
    frequency = sequence.axes()[0].values
    share = np.array([1 / station.generator.largest_amplitude(f) for f in frequency]) / sequence._transfer(frequency)
    inside = int(np.argmax(share[1:-1])) + 1
    assert share[inside] > 1.001 * max(share[0], share[-1])
    sequence.amplitude = 2 / (share[inside] + max(share[0], share[-1]))
    first = frequency[share > 1 / sequence.amplitude][0]
    with pytest.raises(OutOfBounds, match=re.escape(f"rf_amplitude at {first:.4g} Hz")):
        sequence.verify()
    sequence.amplitude = 0.999 / share[inside]
    sequence.verify()
