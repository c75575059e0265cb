"""From the preamplifier to the demodulated signal."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stmlab.simulation.bench import LockInPanel
from stmlab.simulation.currents import Levels
from stmlab.simulation.lockin_filter import Tones, steady_state
from stmlab.simulation.lockin_input import Modulation, demodulated, input_signal
from stmlab.simulation.preamplifier import SimulatedPreamplifier
from tests.approximately import close

FAST = SimulatedPreamplifier(gain=1e9, bandwidth=1e9)
SLOW = SimulatedPreamplifier(gain=1e9, bandwidth=1100.0)
REFERENCE = 691.0


def settled(tones: Tones) -> complex:
    """What a very slow filter lets through."""
    return complex(steady_state(tones, np.array([0.0]), 1e5)[0, 3])


def reading(levels: Levels, panel: LockInPanel, preamplifier: SimulatedPreamplifier = FAST) -> complex:
    return settled(demodulated(input_signal(levels, (), preamplifier, panel, REFERENCE), panel, REFERENCE))


CHOPPED = Levels(on=1.010e-9, off=1.0e-9, chopped=True)


def test_a_chopped_current_gives_root_two_over_pi_of_its_height() -> None:
    assert reading(CHOPPED, LockInPanel()) == close(math.sqrt(2) / math.pi * 10e-12 * 1e9, rel=1e-6)


def test_the_preamplifier_s_pole_takes_amplitude_and_phase() -> None:
    expected = math.sqrt(2) / math.pi * 10e-3 / complex(1, REFERENCE / 1100.0)
    assert reading(CHOPPED, LockInPanel(), SLOW) == close(expected, rel=1e-6)


@given(st.floats(-180, 180))
def test_the_phase_setting_turns_the_reading_back(phase: float) -> None:
    turned = reading(CHOPPED, LockInPanel(phase=phase))
    assert turned * np.exp(1j * np.radians(phase)) == close(reading(CHOPPED, LockInPanel()), rel=1e-6)


@pytest.mark.parametrize(("harmonic", "share"), [(2, 0.0), (3, 1 / 3), (5, 1 / 5)])
def test_a_square_chop_has_odd_harmonics_only(harmonic: int, share: float) -> None:
    expected = share * math.sqrt(2) / math.pi * 10e-3
    assert reading(CHOPPED, LockInPanel(harmonic=harmonic)) == pytest.approx(expected, rel=1e-4, abs=1e-8)


def test_unchopped_current_is_not_seen() -> None:
    assert abs(reading(Levels(2e-9, 1e-9, chopped=False), LockInPanel())) < 1e-8


def test_the_lines_of_the_chop_are_those_of_a_square_wave_high_in_the_first_half() -> None:
    signal = input_signal(CHOPPED, (), FAST, LockInPanel(), REFERENCE)
    time = (np.arange(64) + 0.5) / 64 / REFERENCE
    voltage = (signal.amplitudes * np.exp(2j * np.pi * np.outer(time, signal.frequencies))).sum(axis=1)
    square = np.where(np.arange(64) < 32, 1.010, 1.0)
    assert np.abs(voltage.imag).max() < 1e-12
    assert np.abs(voltage.real - square)[4:28].max() < 1e-3
    assert np.abs(voltage.real - square)[36:60].max() < 1e-3


def test_an_amplitude_of_the_bias_gives_its_rms_times_the_conductance_in_phase() -> None:
    """X_rms = (A / sqrt 2) dI/dV; a curvature shows at the second harmonic: -(A^2/4) d2I/dV2 cos, over sqrt 2."""
    phase = 2 * np.pi * np.arange(64) / 64
    amplitude, conductance, curvature = 0.2e-3, 0.4e-6, 3e-5
    voltage = amplitude * np.sin(phase)
    modulation = Modulation(REFERENCE, 1e-9 + conductance * voltage + 0.5 * curvature * voltage**2)
    for harmonic, expected in (
        (1, amplitude / math.sqrt(2) * conductance * 1e9),
        (2, -1j * amplitude**2 / 4 * curvature / math.sqrt(2) * 1e9),
    ):
        panel = LockInPanel(harmonic=harmonic)
        signal = input_signal(Levels(1e-9, 1e-9, False), (modulation,), FAST, panel, REFERENCE)
        assert settled(demodulated(signal, panel, REFERENCE)) == pytest.approx(expected, rel=1e-4, abs=1e-9)


def test_ac_coupling_frees_the_input_range_of_the_mean_current() -> None:
    direct = input_signal(CHOPPED, (), FAST, LockInPanel(), REFERENCE)
    coupled = input_signal(CHOPPED, (), FAST, LockInPanel(ac_coupled=True), REFERENCE)
    assert direct.peak == close(1.010)
    assert coupled.peak == close(0.005)
    assert reading(CHOPPED, LockInPanel(ac_coupled=True)) == close(reading(CHOPPED, LockInPanel()), rel=1e-3)


def test_saturation_clips_what_the_lock_in_sees() -> None:
    levels = Levels(on=15e-9, off=8e-9, chopped=True)
    assert reading(levels, LockInPanel()) == close(math.sqrt(2) / math.pi * 2.0, rel=1e-6)


def test_the_synchronous_filter_leaves_no_ripple() -> None:
    panel = LockInPanel(synchronous=True)
    tones = demodulated(input_signal(CHOPPED, (), FAST, panel, REFERENCE), panel, REFERENCE)
    assert tones.frequencies == close([0.0])
    assert tones.amplitudes == close([math.sqrt(2) / math.pi * 10e-3])
