"""From the waveform memory to lines."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stmlab.simulation.waveform import FULL_SCALE_COUNT, Spectrum, memory_spectrum
from tests.approximately import close

RATE = 64e9


def tone(samples: int, cycles: int, counts: float = 127.0, phase: float = 0.0) -> np.ndarray:
    turns = (cycles * np.arange(samples)) % samples
    return np.rint(counts * np.cos(2 * np.pi * turns / samples + phase)).astype(np.int8)


def line(samples: np.ndarray, bin_: int) -> complex:
    """One line of the memory by the definition of the Fourier transform, before the hold."""
    turns = (bin_ * np.arange(samples.size)) % samples.size
    return complex(2 * np.mean(samples * np.exp(-2j * np.pi * turns / samples.size))) / FULL_SCALE_COUNT


@given(st.integers(4, 1500), st.floats(1e-6, 0.999), st.floats(4, 127), st.floats(0, 6.28))
@example(3933, 1e-6, 69.27, 0.0)
@example(4096, 0.5, 127.0, 0.3)
def test_a_tone_is_one_line_however_many_periods_the_memory_holds(
    blocks: int, place: float, counts: float, phase: float
) -> None:
    samples = 64 * blocks
    cycles = max(1, int((samples / 2 - 1) ** place))
    memory = tone(samples, cycles, counts, phase)
    spectrum = memory_spectrum(memory, RATE)
    share = int(np.gcd(cycles, samples))
    assert spectrum.fundamental * samples / RATE == close(cycles)
    assert spectrum.amplitudes.size <= 9
    hold = np.sinc(cycles / samples) * np.exp(-1j * np.pi * cycles / samples)
    assert spectrum.amplitudes[1] == close(line(memory, cycles) * hold, rel=1e-4)
    assert abs(line(memory, cycles)) == pytest.approx(counts / 127, abs=0.3 / 127 + share / samples)


def test_the_hold_takes_a_tone_down_by_sinc() -> None:
    for cycles in (1, 7001, 60001, 100_001):
        spectrum = memory_spectrum(tone(262_144, cycles), RATE)
        assert abs(spectrum.amplitudes[1]) == close(np.sinc(cycles / 262_144), rel=2e-4)


def test_a_square_wave_keeps_its_harmonics() -> None:
    memory = np.tile(np.repeat(np.array([100, -100], dtype=np.int8), 640), 4)
    spectrum = memory_spectrum(memory, RATE)
    assert spectrum.fundamental == close(RATE / 1280)
    held = np.abs(spectrum.amplitudes[1:8])
    assert held[0::2] == close(4 / np.pi * 100 / 127 / np.array([1, 3, 5, 7]), rel=1e-3)
    assert held[1::2] == pytest.approx(0, abs=1e-9)


def test_every_line_of_a_memory_without_a_tone_has_its_own_height() -> None:
    """Mean, first, third and fastest line, the last of which is all alternation and no sine."""
    index = np.arange(1280)
    phase = 2 * np.pi * index / 1280
    memory = np.rint(20 + 40 * np.cos(phase) + 10 * np.sin(3 * phase) + 30 * (-1.0) ** index).astype(np.int8)
    spectrum = memory_spectrum(memory, RATE)
    assert spectrum.fundamental == close(RATE / 1280)
    held = np.arange(641) / 1280
    heights = np.abs(spectrum.amplitudes) * 127 / np.sinc(held)
    assert heights[[0, 1, 3, 640]] == close([20.0, 40.0, 10.0, 30.0], rel=2e-3)
    assert np.delete(heights, [0, 1, 3, 640]).max() < 0.1


def test_a_memory_that_stands_still_is_one_level() -> None:
    for samples in (2, 64, 1280):
        spectrum = memory_spectrum(np.full(samples, 64, dtype=np.int8), RATE)
        assert spectrum.amplitudes[0] == close(64 / 127)
        assert spectrum.amplitudes[1:] == pytest.approx(0, abs=1e-7)


def test_pulses_come_back_whole() -> None:
    memory = np.zeros(6400, dtype=np.int8)
    memory[1000:1100], memory[3000:3050] = 100, -20
    spectrum = memory_spectrum(memory, RATE)
    assert spectrum.fundamental == close(RATE / 6400)
    back = spectrum.samples(12800)[1::2]  # the hold delays by half a sample
    inside = np.ones(6400, dtype=bool)
    for edge in (1000, 1100, 3000, 3050):
        inside[edge - 8 : edge + 8] = False  # what lies beyond half the sample rate is missing at the edges
    assert back[inside] * 127 == pytest.approx(memory[inside], abs=5)


def test_two_tones_are_not_taken_for_one() -> None:
    memory = (tone(65_536, 1000, 100.0) + tone(65_536, 1500, 3.0)).astype(np.int8)
    spectrum = memory_spectrum(memory, RATE)
    frequency = spectrum.fundamental * np.arange(spectrum.amplitudes.size)
    for cycles, counts in ((1000, 100.0), (1500, 3.0)):
        nearest = int(np.abs(frequency - cycles * RATE / 65_536).argmin())
        assert frequency[nearest] == close(cycles * RATE / 65_536)
        assert abs(spectrum.amplitudes[nearest]) == close(counts / 127, rel=0.05)


def test_an_empty_or_silent_memory_has_no_lines() -> None:
    for memory in (np.zeros(0, dtype=np.int8), np.zeros(1280, dtype=np.int8)):
        assert memory_spectrum(memory, RATE).amplitudes == close([0])


def test_a_filter_acts_on_each_line() -> None:
    spectrum = Spectrum(1e6, np.array([0.5, 1.0, 0.25j]))
    filtered = spectrum.filtered(lambda f: np.where(f > 0, 1j * f / 1e6, 0), 2.0)
    assert filtered.amplitudes == close(np.array([0, 2j, -1.0]))
    phase = 2 * np.pi * np.arange(16) / 16
    assert filtered.samples(16) == pytest.approx(-2 * np.sin(phase) - np.cos(2 * phase), abs=1e-12)
