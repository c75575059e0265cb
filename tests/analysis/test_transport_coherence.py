"""Fits and samples where two levels are closer than the width that the rates give them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from stmlab.analysis.transport import SpectrumData, fit_systems
from stmlab.errors import PhysicsError
from stmlab.events import ParameterValue
from stmlab.physics.stochastic_resonance import stochastic_resonance
from stmlab.simulation.junctions import Drive
from stmlab.simulation.junctions.coupled_spins import CoupledSpins
from stmlab.simulation.junctions.rate_equation import RateEquation
from stmlab.station import Station
from stmlab.systems import read_system
from tests.approximately import close

BIAS = np.linspace(-5.5e-3, 5.5e-3, 81)
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


def test_a_sample_answers_a_drive_by_its_density_matrix():
    """At the same conductance as the spectrum of SRS has it, and at zero frequency as the static current."""
    voltage = 4e-3 + 2e-3 * np.cos(2 * np.pi * np.arange(64) / 64)
    for frequency in (1e3, 1e9):
        drive = Drive(frequency, voltage, smooth=True)
        found = stochastic_resonance(sample().at(1.0), np.array([frequency]), offset_V=4e-3, amplitude_V=2e-3)
        total = found.signal_A[0] + found.direct_current_A
        assert sample().mean_current(drive, 1.0) == close(total, rel=1e-6)
        assert abs(sample(equation="secular").mean_current(drive, 1.0) - total) > 0.02 * total


def test_a_sample_with_rates_alone_says_where_they_are_wrong():
    assert sample().doubts(8e-3) == ()
    assert sample(equation="secular", transverse_anisotropy_meV=0.9).doubts(8e-3) == ()
    for one in (
        sample(equation="secular"),
        sample(order=3, coupling=-0.02),
        sample(tip_spin=0.5, correlation=0.3, field_T=(1e-3, 0.0, 0.0), order=3, coupling=-0.02),
    ):
        (doubt,) = one.doubts(8e-3)
        assert "two levels that lie closer than the width" in doubt


@pytest.mark.parametrize(("equation", "doubted"), [("secular", True), ("automatic", False)])
def test_a_station_tells_the_doubts_of_its_sample_at_the_voltages_of_a_run(equation, doubted):
    with Station.load("simulated", sample="coh_bare", seed=1) as station:
        said = {"setpoint_bias": ParameterValue(8e-3, "V", ""), "delay": ParameterValue(1.0, "s", "")}
        assert station.sample_warnings(said) == ()
        station.simulation.sample = replace(station.simulation.sample, junction=sample(equation=equation))
        assert any("closer than the width" in one for one in station.sample_warnings(said)) == doubted


def test_states_of_a_rate_equation_take_coherences_when_they_are_told_to():
    def atom(equation, transverse):
        return RateEquation(
            1.0, -4.0, transverse, 2.0, (0.01, 0.0, 0.0), 1.0, 1e-7, 3e-8, (0.0, 0.0, 0.5), equation=equation
        )

    close_by, far = (atom("automatic", transverse) for transverse in (2e-4, 0.9))
    voltage = 4e-3 + 2e-3 * np.cos(2 * np.pi * np.arange(64) / 64)
    drive = Drive(1e9, voltage, smooth=True)
    expected = stochastic_resonance(close_by.at(0.5), np.array([1e9]), offset_V=4e-3, amplitude_V=2e-3)
    assert close_by.mean_current(drive, 0.5) == close(expected.signal_A[0] + expected.direct_current_A, rel=1e-6)
    rates = atom("secular", 2e-4)
    assert abs(rates.mean_current(drive, 0.5) / close_by.mean_current(drive, 0.5) - 1) > 0.01
    assert far.mean_current(drive, 0.5) == close(atom("secular", 0.9).mean_current(drive, 0.5), rel=1e-6)
    assert far.static_current(voltage, 2.0) == close(atom("secular", 0.9).static_current(voltage, 2.0), rel=1e-9)
    assert any("closer than the width" in one for one in rates.doubts(6e-3))
    assert close_by.doubts(6e-3) == ()


def test_a_sample_that_is_not_defined_so_far_out_has_no_doubts_there(monkeypatch):
    def refuses(*_):
        raise PhysicsError("coupling = -0.2: third order makes a rate negative")

    monkeypatch.setattr("stmlab.physics.coherent.are_too_close", refuses)
    assert sample(equation="secular").doubts(60e-3) == ()
