"""Readings that the energies of steps will take: against fits of many spectra, and the fit that they come from."""

import numpy as np
import pytest

from stmlab.analysis.adaptive.step_forecast import ExpectedSteps
from stmlab.analysis.steps.fit import fit_steps
from stmlab.analysis.steps.model import StepModel
from stmlab.physics.constants import MEV_PER_V
from tests.approximately import close
from tests.repetitions import drawn

X = np.linspace(-10, 10, 201)  # meV
WARM, MODULATION = 1.2, 0.2e-3
HEIGHTS, SNR = {1: [1.0, 1.2], 2: [1.5, 1.6, 0.4, 0.4]}, 8.0


def expected(pairs, *, plateaus=(), temperature=None):
    """Steps at 4 meV, or at 2.5 and 5 meV, of which the outer one is known less well."""
    model = StepModel(pairs, temperature, MODULATION, True, True, bool(plateaus))
    shaping = [4.0] if pairs == 1 else [2.5, 2.5]
    shaping += [0.1] + ([] if temperature else [np.log(WARM)])
    linear = SNR * np.array([*HEIGHTS[pairs], *plateaus, 3.0, 0.02])
    return ExpectedSteps(model, np.concatenate([shaping, linear]))


def spectrum(known, noise, chance):
    return known.model.value(known.vector, X) + noise * chance.normal(size=len(X))


@pytest.mark.parametrize("pairs", [1, pytest.param(2, marks=pytest.mark.slow)])
@drawn(25, of=80)
def test_after_so_many_readings_the_fits_scatter_by_the_target(pairs, times):
    known, target, chance = expected(pairs), 0.004, np.random.default_rng(pairs)
    readings = known.grid_readings(X, target, len(X))
    noise = (len(X) / readings) ** 0.5
    fits = [
        fit_steps(X / MEV_PER_V, spectrum(known, noise, chance), modulation_V=MODULATION, pairs=pairs, window_V=None)
        for _ in range(times)
    ]
    names = ["inner_energy", "outer_energy"][:pairs]
    scatter = [np.std([fit[name].value for fit in fits]) for name in names] / known.model.energies(known.vector)
    assert max(scatter) == close(target, rel=0.25)


@pytest.mark.parametrize(("pairs", "target"), [(1, 0.004), pytest.param(2, 0.008, marks=pytest.mark.slow)])
def test_no_way_beats_the_bound_and_chosen_biases_beat_even_ones(pairs, target):
    known = expected(pairs)
    least, even = known.fewest_readings(-10.0, 10.0, target), known.grid_readings(X, target, len(X))
    chosen = known.chosen_readings(-10.0, 10.0, target, 5000)
    assert least < chosen < even / 2
    four = known.chosen_readings(-10.0, 10.0, target, 5000, averages=4)
    assert four < chosen / 2


def test_what_is_expected_is_what_was_fitted():
    chance, noise = np.random.default_rng(5), 1e-9
    known = expected(2, plateaus=(0.3, -0.2))
    y = noise * spectrum(known, 0.02, chance)
    fit = fit_steps(X / MEV_PER_V, y, modulation_V=MODULATION, pairs=2, window_V=None, unit="S")
    found = ExpectedSteps.of(fit, StepModel(2, None, MODULATION, True, True, False), noise)
    assert found.model == known.model
    np.testing.assert_allclose(found.model.value(found.vector, X), known.model.value(known.vector, X), atol=0.05)
    assert found.signal == close(SNR * np.mean(HEIGHTS[2]), rel=0.01)
    assert found.value == close(2.5, rel=0.01)


def test_of_a_temperature_that_is_known_the_plan_makes_use():
    given = expected(1, temperature=WARM)
    y = spectrum(given, 0.02, np.random.default_rng(6))
    fit = fit_steps(
        X / MEV_PER_V, y, modulation_V=MODULATION, pairs=1, window_V=None, temperature_K=WARM, plateau_slopes=False
    )
    found = ExpectedSteps.of(fit, given.model, 1.0)
    np.testing.assert_allclose(found.vector, given.vector, rtol=0.02, atol=0.05)
    assert given.grid_readings(X, 0.001, len(X)) < expected(1).grid_readings(X, 0.001, len(X))
