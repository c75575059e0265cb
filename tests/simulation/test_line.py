"""The simulated radio-frequency path and the files that a lab would have of it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from stmlab.errors import PhysicsError
from stmlab.simulation.line import CouplingTee, Line, RadioFrequencyWiring, StandingWave
from stmlab.simulation.transfer_files import line_table, tee_touchstone
from tests.approximately import close

TRANSFER = Path(__file__).parents[2] / "config" / "transfer"
LARGEST = 0.5  # V peak of the generator


def test_three_millivolts_reach_the_junction_up_to_twenty_gigahertz() -> None:
    frequency = np.geomspace(1e3, 20e9, 2000)
    held = np.sinc(frequency / 64e9)
    assert (np.abs(RadioFrequencyWiring().transfer(frequency)) * LARGEST * held).min() > 3e-3


def test_a_small_amplitude_at_low_frequency_is_not_below_what_the_generator_can_set() -> None:
    frequency = np.geomspace(1e3, 1e6, 100)
    assert (1.4e-3 / np.abs(RadioFrequencyWiring().transfer(frequency))).min() > 0.01


def test_no_dc_passes_the_tee() -> None:
    assert RadioFrequencyWiring().transfer(np.zeros(1))[0] == 0
    tee = CouplingTee(lower_corner=1e4, upper_corner=1e12, insertion_loss_dB=0.0)
    assert 20 * np.log10(abs(tee.transfer(np.array([1e4]))[0])) == pytest.approx(-3.0103, abs=1e-4)


def test_cable_loss_grows_with_the_square_root_of_the_frequency() -> None:
    cable = Line(attenuation_dB=0.0, cable_loss_dB=2.0, delay=0.0, standing_waves=())
    loss = -20 * np.log10(np.abs(cable.transfer(np.array([1e9, 4e9, 16e9]))))
    assert loss == close([2.0, 4.0, 8.0])


def test_a_standing_wave_ripples_with_its_round_trip() -> None:
    line = Line(attenuation_dB=0.0, cable_loss_dB=0.0, delay=0.0, standing_waves=(StandingWave(1 / 3, 1e-9),))
    magnitude = 20 * np.log10(np.abs(line.transfer(np.arange(0, 3e9, 1e6))))
    assert np.ptp(magnitude) == pytest.approx(6.02, abs=0.01)
    assert magnitude[:1000] == close(magnitude[1000:2000])


def test_the_files_of_the_configuration_are_those_of_the_simulated_line() -> None:
    written = {"line.csv": line_table(Line(), date(2024, 1, 1))}
    written["bias_tee.s2p"] = tee_touchstone(CouplingTee(), date(2024, 1, 1))
    for name, text in written.items():  # line by line: a difference of two whole tables takes minutes to write out
        there = (TRANSFER / name).read_text().splitlines()
        differing = [k for k, (a, b) in enumerate(zip(there, text.splitlines(), strict=True), start=1) if a != b]
        assert not differing[:5], name


def test_values_without_meaning_are_refused_by_name() -> None:
    with pytest.raises(PhysicsError, match="attenuation_dB = -1"):
        Line(attenuation_dB=-1.0)
    for reflection in (1.5, 1.0, -1.0):
        with pytest.raises(PhysicsError, match=rf"reflection = {reflection:g}"):
            StandingWave(reflection, 1e-9)
    assert StandingWave(-0.999, 1e-9).reflection == -0.999
    with pytest.raises(PhysicsError, match="lower_corner = 0"):
        CouplingTee(lower_corner=0.0)
