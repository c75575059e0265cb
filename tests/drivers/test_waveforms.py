"""Plans and samples of the generator's memory, against exhaustive search and against Fourier transforms."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from drivers import waveforms
from drivers.waveforms import Segment, plan_pulses, plan_tone, pulse_pair, sine
from stmlab.errors import OutOfBounds
from stmlab.station.instruments import PulsePair
from tests.approximately import close

EQUAL, NOISE = 1e-12, 3e-15  # relative errors: what counts as equal, what the computation itself leaves
FREQUENCIES = st.floats(math.log(1e3), math.log(25e9)).map(lambda x: min(max(math.exp(x), 1e3), 25e9))


def every_choice(frequency: float, longest_ticks: int) -> list[tuple[int, float]]:
    """Length in clock ticks and relative error of every segment up to a length, by trying all of them."""
    found = []
    for ticks in range(5 * 256, longest_ticks + 1, 256):
        cycles = np.arange(1, ticks // 2)
        wanted = frequency * ticks / cycles
        clock = np.rint(wanted)
        allowed = (clock >= 53.76e9) & (clock <= 65e9)
        error = np.abs(clock - wanted)[allowed] / wanted[allowed]
        found += [(ticks, float(one)) for one in error]
    return found


@given(FREQUENCIES)
@example(1e3)
@example(25e9)
@example(1000.000000004)
@example(53.76e9 / 1280)
@example(65e9 / 1280)
def test_a_plan_can_be_played_and_meets_the_frequency(frequency):
    plan = plan_tone(frequency)
    granularity = 256 // plan.divider
    assert plan.divider in (1, 2, 4)
    assert plan.samples % granularity == 0
    assert 5 * granularity <= plan.samples <= waveforms.LARGEST_SEGMENT
    assert 53.76e9 <= plan.clock <= 65e9
    assert plan.clock == round(plan.clock)
    assert plan.cycles >= 1
    assert 2 * plan.cycles < plan.samples
    assert abs(plan.frequency - frequency) <= 9.4e-12 * frequency


@given(st.floats(math.log(42e6), math.log(25e9)).map(math.exp).filter(lambda f: f <= 25e9))
@example(1599534596.6547246)  # its plan is off by 1.00004e-12, which the computation cannot tell from 1e-12
def test_no_segment_meets_the_frequency_better_and_no_shorter_one_as_well(frequency):
    plan = plan_tone(frequency)
    error = abs(plan.frequency - frequency) / frequency
    ticks = plan.samples * plan.divider
    choices = every_choice(frequency, ticks if error <= EQUAL else 64 * 256)
    assert error <= max(EQUAL, min(error for _, error in choices)) + NOISE
    as_good = max(EQUAL, error) - NOISE
    assert all(other > as_good for length, other in choices if length < ticks)


@given(st.floats(math.log(1e3), math.log(2e6)).map(math.exp).filter(lambda f: f >= 1e3))
def test_a_slow_tone_takes_hardly_more_memory_than_one_period_needs(frequency):
    plan = plan_tone(frequency)
    shortest = 64 * math.ceil(53.76e9 / frequency / 256 - 1e-6)
    assert plan.divider == 4
    assert plan.cycles == 1
    assert shortest <= plan.samples <= shortest + 64 * 4096 + 64


@given(st.integers(1000, 42_000_000))
def test_whole_hertz_are_met_exactly_in_one_period_of_the_least_memory(frequency):
    plan = plan_tone(float(frequency))
    assert plan.frequency == close(frequency, rel=4e-16)
    assert plan.samples in (64 * -(-53_760_000_000 // (256 * frequency)), 320)


@pytest.mark.parametrize("frequency", [10e9, 5e9, 2e9, 1e9, 691e6, 500e6, 100e6, 12.5e6, 1e6, 50e3, 1e3])
def test_round_frequencies_stay_round(frequency):
    assert plan_tone(frequency).frequency == frequency


@given(FREQUENCIES)
def test_the_memory_is_only_as_slow_as_sixty_four_samples_a_period_allow(frequency):
    plan = plan_tone(frequency)
    assert plan.divider == 1 or plan.samples >= 64 * plan.cycles
    if plan.divider < 4:
        assert plan.samples / 2 < 64 * plan.cycles  # a slower memory would be too coarse


def test_four_channels_leave_no_half_clock():
    assert {plan_tone(f, (4, 1)).divider for f in (1e6, 3e8, 1e10)} == {4, 1}
    assert plan_tone(3e8).divider == 2


@pytest.mark.parametrize("frequency", [999.999, 25.0000001e9, 0.0, -1e9, math.nan, math.inf])
def test_frequencies_outside_the_range_are_refused(frequency):
    with pytest.raises(OutOfBounds, match="tone frequency"):
        plan_tone(frequency)


def test_a_plan_takes_less_than_a_millisecond_of_the_processor():
    frequencies = np.geomspace(1e3, 25e9, 200)
    start = time.process_time()
    for frequency in frequencies.tolist():
        plan_tone(frequency)
    assert (time.process_time() - start) / frequencies.size < 1e-3


# -- sines -------------------------------------------------------------------------------------------------------------


def ideal(segment: Segment, peak: float, start: int = 0) -> np.ndarray:
    turns = np.arange(start, start + segment.samples) * segment.cycles % segment.samples / segment.samples
    return peak * np.sin(2 * np.pi * turns)


@example(frequency=3138938879.956582, peak=106)  # 106 sin(2 pi k / 512) comes within rounding of half a code
@example(frequency=108720766.98585376, peak=77)
@example(frequency=11741145497.79779, peak=127)  # five phases: an odd number
@example(frequency=5765198282.196801, peak=126)  # ten: no sample on a crest
@given(
    frequency=st.floats(math.log(1e6), math.log(25e9)).map(math.exp).filter(lambda f: f <= 25e9),
    peak=st.integers(8, 127),
)
def test_a_sine_is_ideal_but_for_the_rounding_to_whole_codes(frequency, peak):
    segment = plan_tone(frequency)
    samples, fundamental = sine(segment, peak)
    assert samples.dtype == np.int8
    assert samples.shape == (segment.samples,)
    assert np.abs(samples - ideal(segment, peak)).max() <= 0.5 + 3e-4
    spectrum = np.fft.rfft(samples.astype(float)) * 2 / samples.size
    amplitudes = np.abs(spectrum)
    assert amplitudes.argmax() == segment.cycles
    assert spectrum[segment.cycles].imag == close(-fundamental, rel=1e-6)
    assert spectrum[segment.cycles].real == pytest.approx(0, abs=1e-9)  # both slopes are rounded alike
    assert np.delete(amplitudes, segment.cycles).max() <= 1.0  # what at most half a code everywhere can amount to


def test_spurs_of_a_full_scale_tone_are_those_of_eight_bits():
    samples, _ = sine(plan_tone(1.2345e6), 127)
    amplitudes = np.abs(np.fft.rfft(samples.astype(float))) * 2 / samples.size
    signal = amplitudes.max() ** 2
    noise = (amplitudes**2).sum() - signal
    assert 10 * math.log10(signal / noise) == pytest.approx(6.02 * 8 + 1.76, abs=0.5)
    assert 20 * math.log10(np.sort(amplitudes)[-2] / amplitudes.max()) < -60


@given(peak=st.integers(8, 127))
def test_rounding_moves_the_amplitude_as_the_staircase_says(peak):
    steps = (np.arange(1, peak + 1) - 0.5) / peak  # Q(p sin x) = sum of steps of height 1 at sin x = (k - 1/2)/p
    staircase = 4 / math.pi * np.sqrt(1 - steps**2).sum()
    assert sine(plan_tone(20e3), peak)[1] == close(staircase, rel=2e-5)


@given(FREQUENCIES.filter(lambda f: f > 1e5))
def test_a_tone_is_seamless_where_the_segment_repeats(frequency):
    segment = plan_tone(frequency)
    samples = sine(segment, 127)[0]
    around = np.concatenate((samples[-20:], samples[:20])).astype(float)
    assert np.abs(around - ideal(segment, 127, segment.samples - 20)[:40]).max() <= 0.5 + 1e-3


# -- pulses ------------------------------------------------------------------------------------------------------------


def pair(pump=0.3, probe=0.2, width=2e-9, rise_time=0.2e-9, delay=6e-9, period=50e-9):
    return PulsePair(pump, probe, width, rise_time, delay, period)


def played(pulses: PulsePair) -> tuple[np.ndarray, np.ndarray]:
    segment = plan_pulses(pulses)
    return np.arange(segment.samples) / segment.sample_rate, pulse_pair(segment, pulses)


def crossing(time: np.ndarray, volts: np.ndarray, level: float, *, rising: bool) -> float:
    """Time at which the samples pass ``level``, by linear interpolation."""
    above = volts >= level
    k = int(np.flatnonzero((above[1:] > above[:-1]) if rising else (above[1:] < above[:-1]))[0])
    return float(time[k] + (level - volts[k]) / (volts[k + 1] - volts[k]) * (time[k + 1] - time[k]))


@pytest.mark.parametrize("rise_time", [0.05e-9, 0.2e-9, 1e-9])
def test_width_and_rise_time_are_those_on_an_oscilloscope(rise_time):
    pulses = pair(probe=0.0, rise_time=rise_time)
    time, volts = played(pulses)
    assert volts.max() == close(0.3)
    width = crossing(time, volts, 0.15, rising=False) - crossing(time, volts, 0.15, rising=True)
    rise = crossing(time, volts, 0.27, rising=True) - crossing(time, volts, 0.03, rising=True)
    assert width == close(2e-9, rel=1e-3)
    assert rise == close(rise_time, rel=0.06)  # chords over four samples are a little steeper
    assert np.trapezoid(volts, time) == close(0.3 * 2e-9, rel=1e-4)  # edges are antisymmetric; samples are coarse


def middle(time: np.ndarray, volts: np.ndarray, period: float) -> float:
    """Where a pulse stands, from the phase of its fundamental."""
    return float(-np.angle(np.sum(volts * np.exp(-2j * np.pi * time / period))) / (2 * np.pi) * period)


@given(delay=st.floats(-25e-9, 25e-9), period=st.sampled_from([50e-9, 51.3e-9, 77.77777e-9]))
def test_the_delay_is_met_far_better_than_one_sample(delay, period):
    segment = plan_pulses(pair(delay=delay, period=period))
    time = np.arange(segment.samples) / segment.sample_rate
    pump = pulse_pair(segment, pair(probe=0.0, delay=delay, period=period))
    probe = pulse_pair(segment, pair(pump=0.0, delay=delay, period=period))
    found = middle(time, probe, period) - middle(time, pump, period)
    assert (found - delay + period / 2) % period - period / 2 == pytest.approx(0, abs=1e-13)  # a sample lasts 75e-12


@given(
    pump=st.floats(-0.25, 0.25),
    probe=st.floats(-0.25, 0.25),
    delay=st.floats(-3e-9, 3e-9),
    period=st.floats(20e-9, 3e-6),
)
def test_pulses_that_overlap_add(pump, probe, delay, period):
    both = pair(pump, probe, delay=delay, period=period)
    segment = plan_pulses(both)
    alone = pulse_pair(segment, pair(pump, 0.0, delay=delay, period=period))
    other = pulse_pair(segment, pair(0.0, probe, delay=delay, period=period))
    assert np.allclose(pulse_pair(segment, both), alone + other, rtol=0, atol=1e-15)
    assert segment.frequency * period == pytest.approx(1, abs=1e-11)
    assert segment.sample_rate * both.rise_time >= 4 or segment.divider == 1


def test_a_short_period_is_repeated_until_the_memory_is_long_enough():
    pulses = pair(width=1e-9, delay=2e-9, period=7.3e-9)
    segment = plan_pulses(pulses)
    assert segment.cycles > 1
    time, volts = played(pulses)
    period = 1 / segment.frequency
    first = np.interp(time[time < period], time, volts)
    second = np.interp(time[time < period] + period, time, volts)
    assert np.abs(first - second).max() < 0.02  # the same pulses, sampled at other times
    assert period == close(7.3e-9, rel=1e-11)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"rise_time": 37e-12}, "rise_time"),
        ({"rise_time": 0.0}, "rise_time"),
        ({"width": 0.33e-9}, "width"),  # its edges would meet below full height
        ({"width": 49.8e-9}, "width"),
        ({"delay": 25.1e-9}, "delay"),
        ({"delay": -25.1e-9}, "delay"),
        ({"delay": math.nan}, "delay"),
        ({"period": 1.1e-3}, "period"),
        ({"period": 0.0}, "period"),
        ({"period": 0.9e-3, "rise_time": 0.1e-9}, "period"),  # more samples than the memory
    ],
)
def test_pulses_that_cannot_be_played_are_refused_by_name(change, name):
    with pytest.raises(OutOfBounds) as refusal:
        plan_pulses(pair(**change))
    assert refusal.value.name == name
