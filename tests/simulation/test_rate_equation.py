"""The junction of n states: the model of Betz et al. behind the face of a junction."""

import re

import numpy as np
import pytest

from stmlab.config_files import find
from stmlab.errors import StationError
from stmlab.physics.inelastic import inelastic_rates
from stmlab.physics.pulses import Pulse, PulseTrain, mean_pulsed_current
from stmlab.physics.spins import Spin, SpinSystem
from stmlab.physics.stochastic_resonance import stochastic_resonance
from stmlab.simulation.junctions import Drive
from stmlab.simulation.samples import read_sample
from tests.approximately import close


@pytest.fixture(scope="module")
def atom():
    return read_sample(find("fe_five_states", "samples")).junction


def tone(offset, amplitude, frequency):
    phase = 2 * np.pi * np.arange(64) / 64
    return Drive(frequency, offset + amplitude * np.cos(phase), smooth=True)


def test_the_reference_height_is_the_one_that_the_file_names(atom):
    assert atom.static_current(np.array([10e-3]), 1.0)[0] == close(2.782e-9, rel=1e-3)


def test_rates_at_the_reference_are_those_of_the_model(atom):
    system = SpinSystem((Spin(2, -1.557, 0.248, 2.15),), field_T=(0.0, 0.0, -2.0))
    expected = inelastic_rates(
        system,
        np.array([-8e-3, 0.0, 3e-3]),
        temperature_K=0.5,
        tunnel_conductance_S=0.05e-6,
        sample_conductance_S=7.2e-6,
        polarisation=(0.0, 0.0, 0.86),
        potential_scattering=0.76,
    )
    rates = atom.at(1.0).rates(expected.bias_V)
    np.testing.assert_allclose(rates, expected.rates, rtol=1e-9, atol=1e-9 * expected.rates.max())


@pytest.mark.parametrize("frequency", [1e6, 2e8, 2e10])
def test_a_driven_current_is_the_signal_of_stochastic_resonance(atom, frequency):
    spectrum = stochastic_resonance(atom.at(1.0), np.array([frequency]), offset_V=-5.5e-3, amplitude_V=1.3e-3)
    signal = atom.mean_current(tone(-5.5e-3, 1.3e-3, frequency), 1.0) - atom.static_current(np.array([-5.5e-3]), 1.0)[0]
    assert signal == close(spectrum.signal_A[0], rel=1e-5)


def test_a_slow_drive_follows_the_static_curve(atom):
    drive = tone(3e-3, 4e-3, 1e3)
    voltage = 3e-3 + 4e-3 * np.cos(2 * np.pi * np.arange(4096) / 4096)
    assert atom.mean_current(drive, 1.0) == close(atom.static_current(voltage, 1.0).mean(), rel=1e-6)


def test_a_pulse_train_gives_the_current_of_the_exact_train(atom):
    train = PulseTrain(20e-9, (Pulse(5e-9, 0.5e-9, -8e-3, 0.2e-9), Pulse(6e-9, 0.5e-9, -2e-3, 0.2e-9)), 0.5e-3)
    voltage = train.at((np.arange(8192) + 0.5) * 20e-9 / 8192)
    current = atom.mean_current(Drive(50e6, voltage, smooth=False), 1.0)
    assert current == close(mean_pulsed_current(atom.at(1.0), train), rel=1e-4)


def test_tunnelling_follows_the_height_and_scattering_in_the_sample_does_not(atom):
    slow, fast = (atom.at(scale).rates(np.zeros(1))[0] for scale in (1e-6, 1.0))
    assert 0 < slow[0, 1] < fast[0, 1]
    far = atom.static_current(np.array([2e-3]), 1e-3)[0]
    assert far == close(1e-3 * atom.static_current(np.array([2e-3]), 1.0)[0], rel=0.1)


def test_the_slow_rate_is_the_one_that_the_line_shows_and_one_over_t1_at_rest(atom):
    assert 1 / atom.true_values(0.0, 0.0)["rate_per_s"] == close(0.80e-9, rel=0.02)
    weak = stochastic_resonance(atom.at(1.0), np.array([0.0, 1.0, 1e15]), offset_V=2e-3, amplitude_V=1e-4)
    rate = atom.true_values(2e-3, 1e-4)["rate_per_s"]
    at_half = stochastic_resonance(atom.at(1.0), np.array([rate / (2 * np.pi)]), offset_V=2e-3, amplitude_V=1e-4)
    step = weak.signal_A[0] - weak.signal_A[2]
    assert (at_half.signal_A[0] - weak.signal_A[2]) / step == pytest.approx(0.5, abs=0.005)


def test_a_value_that_the_model_is_not_defined_for_is_refused_with_its_file(tmp_path):
    text = find("fe_five_states", "samples").read_text(encoding="utf-8")
    path = tmp_path / "wrong.toml"
    for name, value in (("temperature_K", -0.5), ("tunnel_conductance_S", 0.0), ("sample_conductance_S", -1e-6)):
        path.write_text(re.sub(rf"^{name} = \S+", f"{name} = {value}", text, flags=re.MULTILINE), encoding="utf-8")
        with pytest.raises(StationError, match=rf"wrong\.toml.*{name} = {value:g}"):
            read_sample(path)
