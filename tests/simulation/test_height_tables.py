"""Spectra between the tables of a junction whose occupations depend on how near the tip is."""

import numpy as np
import pytest

from stmlab.simulation.samples import read_sample

POLARISED = """
name = "cr"
kind = "spin_system"
[spin_system]
temperature_K = 1.1
field_T = [0.0, 0.0, 3.0]
[spin_system.spins.cr]
spin = 2
axial_anisotropy_meV = -0.9
transverse_anisotropy_meV = 0.15
[spin_system.tip]
polarisation = [0.0, 0.0, 0.45]
"""
BIAS = np.linspace(-10e-3, 10e-3, 21)


@pytest.fixture
def junction(tmp_path):
    path = tmp_path / "cr.toml"
    path.write_text(POLARISED, encoding="utf-8")
    return read_sample(path).junction


@pytest.mark.parametrize("scale", [1e-6, 0.003, 0.0375, 0.15, 0.39, 0.41, 1.47])
def test_a_well_that_few_electrons_fill_is_as_full_as_in_the_model(junction, scale):
    exact = junction.at(scale).current(BIAS)
    np.testing.assert_allclose(junction.static_current(BIAS, scale), exact, rtol=0, atol=5e-5 * np.abs(exact).max())


def test_from_table_to_table_the_current_goes_on_smoothly(junction):
    for scale in (0.1, 0.4, 0.5):
        below, above = (junction.static_current(BIAS, scale * one) / one for one in (1 - 1e-9, 1 + 1e-9))
        np.testing.assert_allclose(below, above, rtol=0, atol=1e-8 * np.abs(above).max())
