"""What looks like steps and is none: superconducting gaps, bound states in them, resonances."""

from functools import cache
from itertools import product

import numpy as np
import pytest

from stmlab.analysis.steps import STEP_MODELS, fit_steps
from stmlab.analysis.steps.doubts import _regained
from stmlab.analysis.steps.shapes import StepShape
from stmlab.analysis.steps.spectrum import StepSpectrum
from stmlab.errors import FitError
from stmlab.physics.baths import Bath
from stmlab.physics.spins import Spin, SpinSystem
from stmlab.physics.transport import TunnelJunction
from tests.approximately import close

BIAS = np.linspace(-8e-3, 8e-3, 401)
X = 1e3 * BIAS
ENERGY = np.linspace(-12, 12, 4801)  # beyond the bias by ten kT


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


DENSITIES = {  # with the temperature, K
    "aluminium, cold": (superconductor(0.7, 0.05), 0.4),
    "a gap that heat has filled": (superconductor(0.7, 0.05), 4.2),
    "lead": (superconductor(1.4, 0.05), 1.2),
    "lead, hot": (superconductor(1.4, 0.2), 4.2),
    "a wide gap": (superconductor(3.0, 0.2), 4.2),
    "bound states": (bound_states(1.4, 0.6), 1.2),
    "bound states near the edge": (bound_states(1.4, 1.0), 1.2),
}


@cache
def measured(name):
    return broadened(*DENSITIES[name])


def noisy(spectrum, seed=0):
    return spectrum + 0.005 * np.random.default_rng(seed).standard_normal(spectrum.size)


def signs():
    """Of each spectrum and model one, in turn; the other one is a slow test."""
    for k, (name, model) in enumerate(product(DENSITIES, STEP_MODELS)):
        for sign in (1, -1):
            yield pytest.param(name, model, sign, marks=[pytest.mark.slow] * (sign != (-1) ** (k // 2)))


@pytest.mark.parametrize(("name", "model", "sign"), list(signs()))
def test_a_gap_is_refused_or_told(name, model, sign):
    method, pairs = STEP_MODELS[model]
    try:
        fit = fit_steps(BIAS, sign * noisy(measured(name)), method=method, pairs=pairs)
    except FitError:
        return
    assert any("gap" in warning for warning in fit.warnings)


@pytest.mark.parametrize("energies", [(2.0,), (1.2, 3.8)])
@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_steps_are_not_called_a_gap(energies, temperature):
    shape = StepShape(temperature)
    spectrum = 1 + sum(0.4 * shape.step(side * X - energy) for energy in energies for side in (-1, 1))
    fit = fit_steps(BIAS, noisy(spectrum), pairs=len(energies))
    assert not any("gap" in warning for warning in fit.warnings)


@pytest.mark.parametrize("coupling", [0.0, -0.05, -0.1])
@pytest.mark.parametrize("method", ["steps", "gaussians"])
def test_nothing_that_tunnels_elastically_is_not_called_a_gap_of_its_own(method, coupling):
    """U = 0 and a ground state without moment: dI/dV vanishes at zero bias, as in the sample coh_bare."""
    spin = SpinSystem((Spin(1, -4.8, 0.7),))
    order = {"order": 3, "coupling": coupling} if coupling else {"order": 2}
    junction = TunnelJunction(spin, 1.0, 1e-7, baths=(Bath(0, 2e-6),), **order)
    conductance = junction.conductance(BIAS)
    assert abs(conductance[200]) < 1e-3 * conductance[0]
    fit = fit_steps(BIAS, noisy(1e7 * conductance), method=method)
    told = [warning for warning in fit.warnings if "at zero bias" in warning]
    assert len(told) == 1
    assert "nothing tunnels elastically" in told[0]
    assert "potential scattering" in told[0]
    assert "rather than" not in told[0]


def test_a_gap_with_its_peaks_is_called_one():
    fit = fit_steps(BIAS, noisy(measured("lead")), pairs=1)
    assert any("a gap, as of a superconductor, rather than inelastic steps" in warning for warning in fit.warnings)
    assert not any("nothing tunnels elastically" in warning for warning in fit.warnings)


def spectrum_of(x, y):
    return StepSpectrum.checked(1e-3 * x, y, None, None, 3)


@pytest.mark.parametrize("level", [(1.0, 1.0), (1.0, 1.4)])
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("points", [641, 1601])
@pytest.mark.parametrize("regained", [0.0, 0.25, 0.8, 1.6])
@pytest.mark.parametrize("half", [0.4, 1.5])
def test_what_peaks_regain_is_their_area_over_that_of_the_dip(half, regained, points, sign, level):
    """A square dip of depth 1, and beside it squares of the same width as high as the share they hold."""
    x = np.linspace(-8, 8, points)
    distance = np.abs(x)
    shape = np.where(distance < half, -1.0, np.where(distance < 2 * half, regained, 0.0))
    answer = _regained(spectrum_of(x, np.where(x < 0, *level) + sign * shape + 1.0))
    # the dip ends with one of the 80 parts of the spectrum, which mixes up to 0.2 of x at each side
    assert answer == pytest.approx(regained, abs=(0.03 + 0.2 * regained) / half)


def test_a_dip_is_followed_to_the_end_of_the_spectrum_where_nothing_fills_it():
    x = np.linspace(-8, 8, 801)
    assert _regained(spectrum_of(x, 1 + np.abs(x))) == pytest.approx(0.0, abs=0.02)
    one_sided = np.where(np.abs(x) < 1, 0.0, 1.0) + np.where((x > 1) & (x < 2), 1.0, 0.0)
    assert _regained(spectrum_of(x, one_sided)) == pytest.approx(0.5, abs=0.1)


def test_a_dip_that_nothing_fills_at_one_polarity_is_counted_to_its_end():
    x = np.linspace(-0.6, 8, 801)
    dip = np.where(x < 1, np.abs(x), 1.0) + np.where((x > 1) & (x < 2), 0.5, 0.0)
    missing = 0.5 + 0.57 * 0.6 - 0.6**2 / 2  # against 1, and against the outermost tenth at negative bias
    assert _regained(spectrum_of(x, dip)) == pytest.approx(0.5 / missing, abs=0.05)


def test_few_points_are_taken_one_by_one():
    x = np.linspace(-8, 8, 33)
    y = 1 - (np.abs(x) < 0.9) + 0.3 * ((np.abs(x) > 0.9) & (np.abs(x) < 1.9))
    assert _regained(spectrum_of(x, y)) == close(4 * 0.3 / 3, rel=1e-9)  # four points stand out, three are missing


def test_what_noise_regains_is_nothing():
    for seed in range(20):
        noise = np.random.default_rng(seed).standard_normal(X.size)
        assert _regained(spectrum_of(X, 1 + 0.1 * noise)) == 0.0


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
