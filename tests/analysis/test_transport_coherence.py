"""Fits and samples where two levels are closer than the width that the rates give them."""

from __future__ import annotations

import numpy as np
import pytest

from stmlab.analysis.transport import SpectrumData, fit_systems
from stmlab.errors import PhysicsError
from stmlab.simulation.junctions import Drive
from stmlab.simulation.junctions.coupled_spins import CoupledSpins
from stmlab.systems import read_system

BIAS = np.linspace(-8e-3, 8e-3, 121)
FIXED = {
    "spin": 1.0,
    "axial_anisotropy_meV": -4.0,
    "temperature_K": 1.0,
    "conductance_S": 100e-9,
    "sample_scattering_S": 1e-8,
}
SYSTEM = """
name = "atom"
kind = "spin_system"
[spin_system]
temperature_K = 1.0
field_T = [0, 0, 0]
equation = "{equation}"
bias_offset_V = 0.0
[spin_system.spins.atom]
spin = 1
axial_anisotropy_meV = {{ start = -3.7, name = "D" }}
transverse_anisotropy_meV = 2e-4
scattering_S = 1e-8
[spin_system.tip]
polarisation = [0, 0, {{ start = 0.2, low = -1, high = 1, name = "P" }}]
"""


def sample(**others):
    return CoupledSpins(**FIXED | {"transverse_anisotropy_meV": 2e-4, "tip_polarisation": (0.0, 0.0, 0.5)} | others)


def measured(rng):
    clean = sample().at(1.0).conductance(BIAS)
    return [SpectrumData(BIAS, clean + 2e-4 * np.ptp(clean) * rng.standard_normal(BIAS.size), 100e-9)]


def fitted(folder, equation, spectra):
    path = folder / f"{equation}.toml"
    path.write_text(SYSTEM.format(equation=equation), encoding="utf-8")
    return fit_systems(spectra, [read_system(path)])


def test_a_fit_finds_the_polarisation_by_coherence_and_misses_it_without(tmp_path):
    spectra = measured(np.random.default_rng(3))
    right = fitted(tmp_path, "automatic", spectra)
    for name, truth in (("D", -4.0), ("P", 0.5)):
        one = right[name]
        assert abs(one.value - truth) < min(4 * one.error, 0.02 * abs(truth)), name
    assert not any("structure" in warning or "closer" in warning for warning in right.warnings)
    wrong = fitted(tmp_path, "secular", spectra)
    assert np.isinf(wrong["P"].error)  # a split doublet has no moment: without coherence nothing depends on P
    assert any("two levels lie closer than the width" in warning for warning in wrong.warnings)


def test_a_sample_conducts_as_its_density_matrix_and_not_as_its_rates():
    voltage = np.linspace(-8e-3, 8e-3, 9)
    current = sample().static_current(voltage, 1.0)
    coherent = sample(equation="coherent").at(1.0).current(voltage)
    secular = sample(equation="secular").at(1.0).current(voltage)
    np.testing.assert_allclose(current, coherent, rtol=1e-4, atol=1e-6 * coherent.max())
    assert np.abs(secular - coherent).max() > 0.05 * coherent.max()
    assert sample(transverse_anisotropy_meV=0.9).at(1.0).current(voltage) == pytest.approx(
        sample(transverse_anisotropy_meV=0.9, equation="secular").at(1.0).current(voltage), rel=1e-12, abs=0
    )


def test_a_drive_on_close_levels_is_refused_unless_coherences_are_left_out():
    drive = Drive(1e8, np.array([4e-3, 5e-3, 4e-3, 3e-3]), smooth=True)
    with pytest.raises(PhysicsError, match="levels are so close that coherences matter"):
        sample().mean_current(drive, 1.0)
    assert np.isfinite(sample(equation="secular").mean_current(drive, 1.0))
    assert np.isfinite(sample(transverse_anisotropy_meV=0.9).mean_current(drive, 1.0))
