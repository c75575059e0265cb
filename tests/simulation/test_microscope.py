"""The simulated microscope as its instruments see it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from pydantic import ValidationError

from stmlab.clock import SimulatedClock
from stmlab.errors import PhysicsError, StationError
from stmlab.lowpass import noise_bandwidth, settling_time
from stmlab.simulation.junctions import Drive
from stmlab.simulation.line import RadioFrequencyWiring
from stmlab.simulation.microscope import SimulatedMicroscope
from tests.approximately import close

if TYPE_CHECKING:
    from stmlab.simulation.bench import Bench

CONFIG = Path(__file__).parents[2] / "config"
CHOP = 691.0
GAIN = 1e9 / complex(1, CHOP / 1100.0)
FACTOR = math.sqrt(2) / math.pi


def microscope(sample: str = "fe_atom", *, seed: int = 1, **settings: object) -> SimulatedMicroscope:
    return SimulatedMicroscope.from_config(settings, sample=sample, seed=seed, clock=SimulatedClock(), directory=CONFIG)


def stabilised(sample: str = "fe_atom", *, seed: int = 1, **settings: object) -> SimulatedMicroscope:
    """At 4 nA and 10 mV, then at 4 mV with the feedback off, chopping at 691 Hz."""
    bench = microscope(sample, seed=seed, **settings)
    bench.tip.setpoint = 4e-9
    wait(bench, 2.0)
    bench.tip.feedback, bench.tip.bias = False, 4e-3
    bench.lockin.reference_frequency = CHOP
    bench.lockin.ac_coupled, bench.lockin.input_range = True, 0.03
    bench.lockin.time_constant, bench.lockin.poles = 0.03, 4
    bench.lockin_input_overloaded()
    return bench


def wait(bench: SimulatedMicroscope, seconds: float) -> None:
    bench.advance()
    bench.clock.sleep(seconds)
    bench.advance()


def play(bench: SimulatedMicroscope, frequency: float, amplitude: float = 2.8e-3, *, gated: bool = True) -> float:
    """Play a tone flattened to ``amplitude`` at the junction; returns its frequency."""
    bench.advance()
    samples, rate = 65_536, 64e9
    cycles = max(1, round(frequency * samples / rate))
    turns = (cycles * np.arange(samples)) % samples
    played = cycles * rate / samples
    arriving = abs(RadioFrequencyWiring().transfer(np.array([played]))[0]) * np.sinc(played / rate)
    panel = bench.generator
    panel.samples = np.rint(127 * np.sin(2 * np.pi * turns / samples)).astype(np.int8)
    panel.sample_rate, panel.full_scale = rate, amplitude / arriving
    panel.on, panel.running, panel.gated = True, True, gated
    return played


def srs_current(bench: SimulatedMicroscope, frequency: float, amplitude: float = 2.8e-3) -> float:
    """The SRS current as the model of the sample has it, at the reference height."""
    voltage = 4e-3 + amplitude * np.sin(2 * np.pi * np.arange(128) / 128)
    driven = bench.sample.junction.mean_current(Drive(frequency, voltage, smooth=True), 1.0)
    return driven - float(bench.sample.junction.static_current(np.array([4e-3]), 1.0)[0])


def averaged(bench: SimulatedMicroscope) -> complex:
    """A reading with next to no noise."""
    bench.advance()
    bench.lockin.time_constant = 300.0
    wait(bench, settling_time(300.0, 24, 1e-6))
    return bench.lockin_output()


def test_it_is_a_bench() -> None:
    bench: Bench = microscope()
    assert bench.lockin.reference_frequency > 0


@pytest.mark.parametrize("frequency", [5e6, 2.7e8, 2e10])
def test_the_lock_in_reads_the_srs_current_of_the_sample(frequency: float) -> None:
    bench = stabilised()
    played = play(bench, frequency)
    assert averaged(bench) / GAIN / FACTOR == pytest.approx(srs_current(bench, played), abs=5e-15)


def test_a_reading_after_one_time_constant_is_wrong_and_after_the_settling_time_right() -> None:
    bench = stabilised()
    wait(bench, 1.0)
    expected = abs(FACTOR * GAIN * srs_current(bench, play(bench, 1e10)))
    wait(bench, 0.03)
    assert abs(bench.lockin_output()) < 0.1 * expected
    wait(bench, settling_time(0.03, 24, 1e-3) - 0.03)
    assert abs(bench.lockin_output()) == close(expected, rel=0.03)


def test_the_noise_of_readings_is_that_of_the_preamplifier_in_the_filter_s_bandwidth() -> None:
    bench = stabilised()
    wait(bench, 1.0)
    readings = []
    for _ in range(3000):
        wait(bench, 0.3)
        readings.append(bench.lockin_output())
    density = abs(GAIN) * bench.preamplifier.current_noise(1.58e-9)
    rms = density * math.sqrt(noise_bandwidth(0.03, 24))
    assert np.std(np.real(readings)) == close(rms, rel=0.05)
    assert np.std(np.imag(readings)) == close(rms, rel=0.05)
    assert abs(np.mean(readings)) < 4 * rms / math.sqrt(3000)


def test_the_same_seed_gives_the_same_readings() -> None:
    def readings(seed: int) -> list[complex]:
        bench = stabilised(seed=seed)
        play(bench, 3e8)
        found: list[complex] = []
        for _ in range(5):
            wait(bench, 0.4)
            found += [bench.lockin_output(), bench.current()]
        return found

    assert readings(1) == readings(1)
    assert readings(1) != readings(2)


def test_readings_at_one_moment_are_one_reading() -> None:
    bench = stabilised()
    wait(bench, 0.1)
    assert bench.lockin_output() == bench.lockin_output()
    assert bench.current() == bench.current()


def test_feedback_brings_the_current_to_the_setpoint_at_finite_speed() -> None:
    bench = microscope()
    assert bench.current() == pytest.approx(1e-10, abs=2e-12)
    bench.advance()
    bench.tip.setpoint = 1e-9
    wait(bench, 0.01)
    assert 1.2e-10 < bench.current() < 6e-10
    wait(bench, 1.0)
    assert bench.current() == pytest.approx(1e-9, abs=3e-12)
    assert bench.height() == pytest.approx(-math.log(10) / 2e10 + microscope().height(), abs=1e-13)


def test_with_the_microwave_on_the_loop_holds_the_mean_current() -> None:
    bench = microscope()
    bench.tip.setpoint, bench.tip.bias = 1e-9, 4e-3
    play(bench, 1e7, 20e-3, gated=True)
    wait(bench, 2.0)
    assert bench.current() == pytest.approx(1e-9, abs=3e-12)
    quiet_height = bench.height()
    bench.generator.on = False
    wait(bench, 2.0)
    assert bench.current() == pytest.approx(1e-9, abs=3e-12)
    assert bench.height() != pytest.approx(quiet_height, abs=1e-13)


def test_feedback_off_holds_the_height_while_the_bias_changes() -> None:
    bench = stabilised()
    height = bench.height()
    wait(bench, 10.0)
    assert bench.height() == height
    expected = bench.sample.junction.static_current(np.array([4e-3]), 1.0)[0]
    assert bench.current() == close(expected, rel=2e-3)


def test_drift_changes_the_current_with_feedback_off_only() -> None:
    bench = stabilised(drift=1e-12)
    before = bench.current()
    wait(bench, 5.0)
    assert bench.current() == close(before * math.exp(2e10 * 5e-12), rel=2e-3)
    bench.tip.feedback = True
    wait(bench, 5.0)
    assert bench.current() == close(4e-9, rel=2e-3)


def test_a_withdrawn_tip_draws_no_current_and_comes_back() -> None:
    bench = microscope()
    height = bench.height()
    bench.tip.withdrawn = True
    wait(bench, 0.1)
    assert abs(bench.current()) < 1e-12
    assert bench.height() == close(height + 1e-7)
    bench.tip.withdrawn = False
    wait(bench, 1.0)
    assert bench.current() == pytest.approx(1e-10, abs=2e-12)
    assert bench.height() == pytest.approx(height, abs=1e-13)


def test_without_bias_the_loop_runs_into_contact_and_no_further() -> None:
    bench = microscope()
    bench.tip.bias = 0.0
    wait(bench, 10.0)
    bench.tip.feedback, bench.tip.bias = False, 1e-6
    assert bench.current() == close(7.748e-5 * 1e-6, rel=0.05)


def test_the_tip_moves_only_with_feedback_off() -> None:
    bench = microscope()
    with pytest.raises(PhysicsError, match="feedback holds the tip"):
        bench.move_tip(1e-9)
    bench.tip.feedback = False
    before = bench.current()
    bench.move_tip(bench.height() - 1e-10)
    assert bench.height() == close(microscope().height() - 1e-10)
    assert bench.current() == close(before * math.exp(2), rel=0.05)


def test_an_overload_of_the_input_is_reported_once() -> None:
    bench = stabilised()
    assert not bench.lockin_input_overloaded()
    bench.advance()
    bench.lockin.ac_coupled = False
    wait(bench, 0.1)
    bench.lockin.ac_coupled = True
    assert bench.lockin_input_overloaded()
    assert not bench.lockin_input_overloaded()


def test_the_preamplifier_saturates_and_the_controller_reads_its_end() -> None:
    bench = stabilised()
    assert not bench.preamplifier_saturated()
    bench.tip.bias = 50e-3
    assert bench.preamplifier_saturated()
    assert bench.current() == close(10e-9, rel=1e-3)


def test_samples_written_into_the_same_array_are_noticed() -> None:
    bench = stabilised()
    play(bench, 1e10)
    wait(bench, 0.4)
    assert abs(bench.lockin_output()) > 1e-3
    bench.generator.samples[:] = 0
    wait(bench, 0.4)
    assert abs(bench.lockin_output()) < 1e-4


def test_a_waveform_of_no_amplitude_is_silent_even_if_it_changes() -> None:
    bench = stabilised()
    play(bench, 1e10)
    wait(bench, 0.4)
    bench.generator.full_scale = 0.0
    bench.generator.samples = bench.generator.samples[::-1].copy()
    wait(bench, 1.0)
    assert abs(bench.lockin_output()) < 2e-4


@pytest.mark.parametrize("switch", ["on", "running", "gated"])
def test_nothing_is_chopped_unless_the_generator_plays_gated(switch: str) -> None:
    bench = stabilised()
    play(bench, 1e10)
    setattr(bench.generator, switch, False)
    wait(bench, 1.0)
    assert abs(bench.lockin_output()) < 2e-4


def test_pulses_make_a_current_too() -> None:
    bench = stabilised()
    samples = np.zeros(6400, dtype=np.int8)
    samples[1000:1100] = 127
    play(bench, 1e9)
    bench.generator.samples, bench.generator.full_scale = samples, 0.2
    reading = averaged(bench)
    bench.generator.samples = -samples
    assert abs(reading) > 1e-5
    assert averaged(bench) != close(reading, rel=0.01)


def test_the_sine_output_on_the_bias_gives_the_conductance() -> None:
    bench = stabilised(modulation_divider=1000.0)
    bench.lockin.sine_voltage = 0.2 / math.sqrt(2)
    voltage = 4e-3 + np.array([-1e-6, 1e-6])
    conductance = np.diff(bench.sample.junction.static_current(voltage, 1.0))[0] / 2e-6
    assert averaged(bench) / GAIN == close(0.2e-3 / math.sqrt(2) * conductance, rel=1e-3)


def test_the_sine_output_is_not_on_the_bias_unless_connected() -> None:
    bench = stabilised()
    bench.lockin.sine_voltage = 1.0
    assert abs(averaged(bench)) < 1e-6


def test_the_controller_s_modulation_is_seen_by_an_external_reference() -> None:
    bench = stabilised()
    bench.tip.modulation_on, bench.tip.modulation_amplitude, bench.tip.modulation_frequency = True, 0.2e-3, 533.0
    bench.lockin.internal_reference = False
    assert abs(averaged(bench)) == close(0.2e-3 / math.sqrt(2) * 0.39e-6 * 1e9, rel=0.2)
    bench.lockin.internal_reference = True
    assert abs(averaged(bench)) < 1e-6


def test_a_capture_keeps_every_reading_once_and_agrees_with_the_output() -> None:
    bench = stabilised()
    play(bench, 1e10)
    wait(bench, 0.123)
    bench.lockin.capture_rate = 1000.0
    bench.advance()
    bench.clock.sleep(0.25)
    first = bench.lockin_captured()
    assert first.size == 250
    assert first[-1] == bench.lockin_output()
    assert bench.lockin_captured().size == 0
    for _ in range(10):
        wait(bench, 0.0105)
    bench.lockin.capture_rate = 0.0
    wait(bench, 1.0)
    assert bench.lockin_captured().size == 105


def test_a_capture_of_many_readings_has_the_noise_of_the_filter() -> None:
    bench = stabilised()
    wait(bench, 1.0)
    bench.lockin.capture_rate = 100.0
    bench.advance()
    bench.clock.sleep(400.0)
    captured = bench.lockin_captured()
    rms = abs(GAIN) * bench.preamplifier.current_noise(1.58e-9) * math.sqrt(noise_bandwidth(0.03, 24))
    assert captured.size == 40_000
    assert np.std(captured.real) == close(rms, rel=0.05)


def test_every_instrument_answers_on_its_wire() -> None:
    bench = microscope()
    for name, maker in (("sr860", "Stanford"), ("sr830", "Stanford"), ("m8195a", "Keysight")):
        adapter = bench.adapter(name)
        adapter.write("*IDN?")
        assert maker in adapter.read()
    assert bench.instrument("nanonis") is bench.instrument("nanonis")


def test_instruments_that_do_not_exist_are_refused() -> None:
    bench = microscope()
    with pytest.raises(StationError, match="simulation:oscilloscope: no such instrument; there are sr860, sr830"):
        bench.instrument("oscilloscope")


def test_a_configuration_that_is_wrong_is_refused() -> None:
    with pytest.raises(ValidationError, match="bandwith"):
        microscope(preamplifier={"bandwith": 1e3})
    with pytest.raises(ValidationError, match="drift"):
        microscope(drift=math.nan)
    with pytest.raises(StationError, match="needs a sample"):
        microscope("")
    with pytest.raises(StationError, match=r"gold: no such sample; there are .*fe_atom"):
        microscope("gold")


def test_the_truth_is_the_sample_s() -> None:
    assert microscope().true_values(4e-3, 2.8e-3)["rate_per_s"] == close(1.73e9, rel=1e-5)
