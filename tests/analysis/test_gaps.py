"""What looks like steps and is none: superconducting gaps, bound states in them, resonances."""

import numpy as np
import pytest

from stmlab.analysis.steps import STEP_MODELS, fit_steps
from stmlab.analysis.steps.shapes import StepShape
from stmlab.errors import FitError

BIAS = np.linspace(-8e-3, 8e-3, 401)
X = 1e3 * BIAS
ENERGY = np.linspace(-30, 30, 12001)


def broadened(density, temperature):
    """dI/dV of a metal tip against a density of states over ``ENERGY``, meV."""
    kt = 0.0861733 * temperature
    kernel = 1 / (4 * kt * np.cosh(np.clip((ENERGY[None, :] - X[:, None]) / (2 * kt), -300, 300)) ** 2)
    return kernel @ density * (ENERGY[1] - ENERGY[0])


def superconductor(gap, dynes):
    """Density of states by Bardeen, Cooper and Schrieffer with Dynes' broadening, meV."""
    at = ENERGY - 1j * dynes
    return np.abs((at / np.sqrt(at**2 - gap**2 + 0j)).real)


def bound_states(gap, energy):
    peaks = sum(height * 0.05**2 / ((ENERGY - side * energy) ** 2 + 0.05**2) for side, height in ((1, 4.0), (-1, 2.5)))
    return superconductor(gap, 0.02) + peaks


SPECTRA = {
    "aluminium, cold": broadened(superconductor(0.7, 0.05), 0.4),
    "a gap that heat has filled": broadened(superconductor(0.7, 0.05), 4.2),
    "lead": broadened(superconductor(1.4, 0.05), 1.2),
    "lead, hot": broadened(superconductor(1.4, 0.2), 4.2),
    "a wide gap": broadened(superconductor(3.0, 0.2), 4.2),
    "bound states": broadened(bound_states(1.4, 0.6), 1.2),
    "bound states near the edge": broadened(bound_states(1.4, 1.0), 1.2),
}


def noisy(spectrum, seed=0):
    return spectrum + 0.005 * np.random.default_rng(seed).standard_normal(spectrum.size)


@pytest.mark.parametrize("model", STEP_MODELS)
@pytest.mark.parametrize("name", SPECTRA)
def test_a_gap_is_refused_or_told(name, model):
    method, pairs = STEP_MODELS[model]
    for sign in (1, -1):
        try:
            fit = fit_steps(BIAS, sign * noisy(SPECTRA[name]), method=method, pairs=pairs)
        except FitError:
            continue
        assert any("gap" in warning for warning in fit.warnings)


@pytest.mark.parametrize("energies", [(2.0,), (1.2, 3.8)])
@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_steps_are_not_called_a_gap(energies, temperature):
    shape = StepShape(temperature)
    spectrum = 1 + sum(0.4 * shape.step(side * X - energy) for energy in energies for side in (-1, 1))
    fit = fit_steps(BIAS, noisy(spectrum), pairs=len(energies))
    assert not any("gap" in warning for warning in fit.warnings)


def test_peaks_that_rise_above_the_steps_are_refused():
    shape = StepShape(1.0)
    spectrum = sum(shape.step(side * X - 3) + 3 * np.exp(-((X - side * 3.5) ** 2)) for side in (-1, 1))
    with pytest.raises(FitError, match="as peaks do"):
        fit_steps(BIAS, noisy(1 + spectrum), pairs=1, temperature_K=1.0)


def test_one_peak_beside_true_steps_is_refused_where_it_dwarfs_them():
    shape = StepShape(1.0)
    steps = 1 + sum(2 * shape.step(side * X - 3) for side in (-1, 1))
    with pytest.raises(FitError, match=r"at 5\.\d+ mV dI/dV differs .* as peaks do"):
        fit_steps(BIAS, noisy(steps + 2.5 * np.exp(-(((X - 5) / 0.3) ** 2))), pairs=1, temperature_K=1.0)
    fit = fit_steps(BIAS, noisy(steps + 0.4 * np.exp(-(((X - 5) / 0.3) ** 2))), pairs=1, temperature_K=1.0)
    assert fit["inner_energy"].value == pytest.approx(3, abs=0.1)
    assert any("not white" in warning for warning in fit.warnings)


@pytest.mark.parametrize(("low", "high"), [(0.7, 2.7), (0.8, 3.2), (-2.6, -1.0)])
def test_an_offset_beyond_the_energy_is_no_answer(low, high):
    """A dip that lies at one polarity alone is no pair of steps, shifted by more than their energy."""
    shape = StepShape(1.0)
    dip = 1 + shape.step(low - X) + shape.step(X - high)
    with pytest.raises(FitError, match="no step pair is found"):
        fit_steps(BIAS, noisy(dip), pairs=1, temperature_K=1.0)
