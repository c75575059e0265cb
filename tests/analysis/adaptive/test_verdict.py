"""What a run that chose its points must refuse, and when its target counts as reached."""

import math

import numpy as np
import pytest

from stmlab.analysis import analyse
from stmlab.analysis.adaptive.posterior import resonance
from stmlab.analysis.adaptive.verdict import judged
from stmlab.analysis.lorentzian import fit_srs
from stmlab.analysis.steps.model import StepModel
from stmlab.axes import Axis
from stmlab.errors import FitError
from stmlab.events import ParameterValue
from stmlab.results import FitParameter, FitResult
from tests.approximately import close
from tests.repetitions import drawn

X = np.tile(np.linspace(17.5, 25.0, 40), 5)
TIME = np.arange(200.0)
U = np.array(21.3)


def spectrum(seed=1):
    line = resonance(X, U)
    return line, 2 + 30 * line + np.random.default_rng(seed).normal(size=200)


def verdict(line, y, target=0.05):
    fit = fit_srs(np.exp(X) / (2 * math.pi), y)
    return judged(fit, line, y, TIME, target, "rate")


def test_a_good_fit_within_its_target_is_as_it_was():
    for seed in range(10):
        line, y = spectrum(seed)
        assert verdict(line, y).warnings == ()


def test_an_error_above_the_target_is_said():
    fit = verdict(*spectrum(), target=0.001)
    assert len(fit.warnings) == 1
    assert "the target error of 0.1 % was not reached: it is" in fit.warnings[0]


def test_a_fit_in_doubt_has_not_reached_its_target():
    line, y = spectrum()
    y = y + 8 * resonance(X, U + 3)
    fit = verdict(line, y)
    assert "does not count as reached" in fit.warnings[-1]


def test_outliers_give_no_value():
    line, y = spectrum()
    y[[17, 120]] += [40, -25]
    with pytest.raises(FitError, match="2 of 200 readings lie more than"):
        verdict(line, y)


@pytest.mark.parametrize("moment", [30, 100, 170])
def test_a_jump_of_the_tip_gives_no_value(moment):
    line, y = spectrum()
    y[moment:] += 12 * line[moment:]
    with pytest.raises(FitError, match="the line has changed after"):
        verdict(line, y)


def test_a_drift_of_a_percent_is_no_jump():
    line, y = spectrum()
    drift = 1 + 0.01 * np.sin(TIME / 60)
    assert verdict(line, 2 + (y - 2) * drift).warnings == ()


def test_a_line_near_an_end_of_the_band_gives_no_value():
    line = resonance(X, np.array(24.5))
    y = 2 + 300 * line + np.random.default_rng(1).normal(size=200)
    with pytest.raises(FitError, match="widen the band"):
        verdict(line, y)


# -- steps in dI/dV -------------------------------------------------------------------------------------------------

BIAS = np.random.default_rng(8).uniform(-10e-3, 10e-3, 400)


def spectrum_of_steps(energy=4.0, seed=1):
    """Steps of 20 on a background of 30, in units of the noise."""
    model = StepModel(1, 1.2, 0.0, True, True, False)
    values = [
        model.value(np.array([e, 0.0, 20.0, 20.0, 30.0, 0.0]), 1e3 * BIAS[k : k + 1])[0] for k, e in energies(energy)
    ]
    return np.array(values) + np.random.default_rng(seed).normal(size=400)


def energies(energy):
    return enumerate(np.broadcast_to(energy, 400))


class StepRun:
    """What `analyse` needs of an adaptive run of didv."""

    def __init__(self, conductance, reach=10e-3, target=0.01):
        self.path, self.sequence, self.points = "run.h5", "didv", 400
        self.data, self.coordinates = {"conductance": conductance}, {"bias": BIAS}
        self.axes = (Axis("bias", "V", np.linspace(-reach, reach, 1000)),)
        self.time = np.arange(400.0)
        said = {"biases": "adaptive", "pairs": 1, "target_error": target, "temperature": 1.2, "modulation": 0.0}
        self.parameters = {name: ParameterValue(value, "", "") for name, value in said.items()}


def test_a_good_spectrum_of_steps_has_reached_its_target():
    for seed in range(5):
        assert analyse(StepRun(spectrum_of_steps(seed=seed))).warnings == ()


def test_an_energy_that_jumps_gives_no_value():
    """Neither background nor height change: an exchange field of the tip does that."""
    energy = np.where(np.arange(400) < 180, 4.0, 4.4)
    with pytest.raises(FitError, match=r"the line has changed after 1[78]. of 400 readings"):
        analyse(StepRun(spectrum_of_steps(energy)))


def test_noise_that_grows_with_the_bias_is_no_outlier_and_a_spike_is_one():
    noise = np.random.default_rng(3).normal(size=400)
    loud = spectrum_of_steps() + 800 * np.abs(BIAS) * noise
    fit = analyse(StepRun(loud, target=0.05))
    assert fit["inner_energy"].value == close(4.0, rel=0.02)
    loud[int(np.argmin(np.abs(BIAS - 1e-3)))] += 12.0
    with pytest.raises(FitError, match="1 of 400 readings lie more than"):
        analyse(StepRun(loud, target=0.05))


def test_a_step_at_the_end_of_the_range_gives_no_value():
    with pytest.raises(FitError, match="widen the range; there is no value"):
        analyse(StepRun(spectrum_of_steps(9.6)))


@pytest.mark.parametrize("moment", [3, 14, 199])
def test_a_single_outlier_is_no_jump(moment):
    """Also the first or the last ones, of which few readings are on one side."""
    line, y = spectrum()
    y[moment] += 40
    with pytest.raises(FitError, match="1 of 200 readings lie more than"):
        verdict(line, y)


@drawn(100, of=500)
def test_white_noise_is_no_outlier_although_few_readings_tell_that_around_each(times):
    """With 41 around each it was one in a hundred runs of 1,257 readings; by chance it is one in ten thousand."""
    chance = np.random.default_rng(5)
    x, line = chance.random(1257), np.tile([0.0, 1.0], 629)[:1257]
    refused = 0
    for _ in range(times):
        y = 2 + 10 * line + chance.normal(size=1257)
        fit = FitResult("steps", (FitParameter("rate", 1.0, 0.001),), ("rate",), np.array([[1e-6]]), 1257, 1.0)
        try:
            judged(fit, line, y, np.arange(1257.0), 0.01, "rate", x=x)
        except FitError:
            refused += 1
    assert refused <= times // 200
