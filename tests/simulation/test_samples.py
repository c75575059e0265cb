"""Sample files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import curve_fit

from stmlab.errors import StationError
from stmlab.simulation.junctions import Drive
from stmlab.simulation.samples import Sample, read_sample
from tests.approximately import close

SAMPLES = Path(__file__).parents[2] / "config" / "samples"
PAPER = {"fe_atom": (4e-3, 2.8e-3, 1.73e9, 5.0e-12), "fe_chain_of_four": (4e-3, 1.4e-3, 199e3, 23e-12)}


def read(name: str) -> Sample:
    return read_sample(SAMPLES / f"{name}.toml")


def srs_signal(sample: Sample, frequency: np.ndarray, v_dc: float, v_ac: float) -> np.ndarray:
    phase = 2 * np.pi * np.arange(64) / 64
    voltage = v_dc + v_ac * np.cos(phase)
    driven = [sample.junction.mean_current(Drive(f, voltage, smooth=True), 1.0) for f in frequency.tolist()]
    return np.array(driven) - sample.junction.static_current(np.array([v_dc]), 1.0)


@pytest.mark.parametrize("name", PAPER)
def test_the_samples_have_the_rates_of_the_paper(name: str) -> None:
    v_dc, v_ac, rate, step = PAPER[name]
    sample = read(name)
    assert sample.name == name
    assert sample.true_rate(v_dc, v_ac) == close(rate, rel=1e-5)
    signal = srs_signal(sample, np.array([1e-4, 1e4]) * rate, v_dc, v_ac)
    assert signal[0] - signal[1] == close(-step, rel=0.05)


@pytest.mark.parametrize("name", PAPER)
def test_a_fit_of_the_lorentzian_to_a_noiseless_spectrum_finds_the_rate(name: str) -> None:
    """The total rate is modulated so little that eq. 1 is biased by less than 0.1 %."""
    v_dc, v_ac, rate, _ = PAPER[name]
    frequency = np.geomspace(1e-2, 1e2, 40) * rate / (2 * np.pi)
    signal = srs_signal(read(name), frequency, v_dc, v_ac) * 1e12

    def lorentzian(x: np.ndarray, height: float, offset: float, width: float) -> np.ndarray:
        return height / (1 + (x / width) ** 2) + offset

    parameters, _ = curve_fit(lorentzian, frequency / rate, signal, p0=[-10, 5, 0.2])
    assert parameters[2] * 2 * np.pi == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("name", PAPER)
def test_four_nanoamperes_at_ten_millivolts_is_the_reference_height(name: str) -> None:
    assert read(name).junction.static_current(np.array([10e-3]), 1.0)[0] == close(4e-9, rel=1e-3)


@pytest.mark.parametrize("name", PAPER)
def test_any_bias_is_allowed(name: str) -> None:
    assert np.isfinite(read(name).junction.static_current(np.linspace(-10, 10, 101), 1.0)).all()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('kind = "two_level"', 'kind = "two_levels"', "kind = 'two_levels': two_level"),
        ("excitation_rate_per_s = 2.2e8", "excitation_rate = 2.2e8", "excitation_rate"),
        ("excitation_rate_per_s = 2.2e8", "excitation_rate_per_s = -2.2e8", "excitation_rate_per_s = -"),
        ("excitation_rate_per_s = 2.2e8", 'excitation_rate_per_s = "fast"', "excitation_rate_per_s = 'fast'"),
        ("[two_level]", "[junction]", r"the table \[two_level\] is missing"),
        ("[two_level]", "colour = 1\n[two_level]", "colour: not known"),
        ("decay_constant_per_m = 1.0e10", "", "decay_constant_per_m is missing"),
        ("decay_constant_per_m = 1.0e10", "decay_constant_per_m = 0", "decay_constant_per_m = 0"),
        ("[two_level]", "[two_level", "Expected"),
    ],
)
def test_a_mistake_in_a_sample_file_is_one_line_with_file_and_key(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    text = (SAMPLES / "fe_atom.toml").read_text()
    assert old in text
    path = tmp_path / "sample.toml"
    path.write_text(text.replace(old, new))
    with pytest.raises(StationError, match=message) as refused:
        read_sample(path)
    assert str(refused.value).startswith(str(path))
    assert "\n" not in str(refused.value)


def test_a_missing_sample_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StationError, match=r"none\.toml"):
        read_sample(tmp_path / "none.toml")
