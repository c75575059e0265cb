"""Fits from a person's own start values: the same minimum as without a guide, and what is fixed stays."""

import numpy as np
import pytest

from stmlab.analysis.decay import fit_decay
from stmlab.analysis.guided import QUANTITIES, Guide
from stmlab.analysis.guided.lines import guided_decay, guided_srs
from stmlab.analysis.guided.steps import guided_steps
from stmlab.analysis.guided.transport import guided_transport
from stmlab.analysis.iterations import fitting, following
from stmlab.analysis.lorentzian import fit_srs
from stmlab.analysis.steps import fit_steps
from stmlab.analysis.steps.model import StepModel
from stmlab.analysis.transport.model import SpinParameters, SpinSetting, spectra
from stmlab.errors import FitError
from stmlab.physics.coupled_tip import ExchangeKind
from stmlab.physics.stochastic_resonance import two_width_line_shape
from tests.approximately import close

FREQUENCY = np.geomspace(3e6, 20e9, 80)
BIAS = np.linspace(-10e-3, 10e-3, 241)


def line(seed=1, half=0.0):
    noise = np.random.default_rng(seed).normal(0, 5e-14, FREQUENCY.size)
    return two_width_line_shape(FREQUENCY, 1.7e9, -5e-12, half, 8e-12) + noise


def spectrum(setting=None, parameters=None, conductances=(0.1e-6,), noise=2e-10, seed=2):
    setting = setting or SpinSetting(modulation_V=1e-4)
    found = spectra(setting, parameters or SpinParameters(-4.2, 0.87, 2.0), np.array(conductances), BIAS)
    return found + np.random.default_rng(seed).normal(0, noise, found.shape)


def same(guided, other, names, rel=1e-4):
    """Values and errors, which a numerical derivative gives less exactly."""
    for name in names:
        assert guided[name].value == close(other[name].value, rel=rel, abs=1e-3 * other[name].error), name
        assert guided[name].error == close(other[name].error, rel=0.05), name
        assert guided[name].unit == other[name].unit
    assert guided.residual == close(other.residual, rel=1e-5)
    assert guided.labels == other.labels
    assert set(other.curves) <= set(guided.curves)


def test_the_line_ends_where_the_fit_without_a_guide_does():
    begun = Guide({"rate": 4e8, "step": -1e-12, "offset": 0.0})
    found, other = guided_srs(FREQUENCY, line(), begun), fit_srs(FREQUENCY, line())
    same(found, other, ("rate", "step", "offset", "frequency", "lifetime"))
    assert found.model == other.model
    np.testing.assert_allclose(found.curves["x"], other.curves["x"])
    np.testing.assert_allclose(found.curves["fit_smooth"], other.curves["fit_smooth"], rtol=1e-4)
    assert found.choices["begun at"] == "rate = 400·10⁶ /s, step = -1 pA, offset = 0 A"


def test_two_widths_too():
    begun = Guide({"rate": 1e9, "step": -3e-12, "half_width_step": 0.0, "offset": 7e-12})
    data = line(half=-2e-12)
    found, other = guided_srs(FREQUENCY, data, begun, harmonics=2), fit_srs(FREQUENCY, data, harmonics=2)
    same(found, other, ("rate", "step", "half_width_step", "offset"), rel=1e-3)


def test_the_decay_ends_where_the_fit_without_a_guide_does():
    delay = np.linspace(-4e-9, 4e-9, 81)
    current = 2e-12 + np.where(delay > 0, 9e-12, 4e-12) * np.exp(-np.abs(delay) / 6e-10)
    current += np.random.default_rng(3).normal(0, 1e-13, delay.size)
    begun = Guide({"T1": 2e-9, "offset": 0.0, "height_positive": 1e-12, "height_negative": 1e-12})
    found = guided_decay(delay, current, begun, exclusion=3.5e-10)
    same(found, fit_decay(delay, current, exclusion=3.5e-10), ("T1", "offset", "height_positive", "height_negative"))
    assert found.curves["x_excluded"].size == 7
    one_side = guided_decay(delay, current, Guide({"T1": 2e-9}), exclusion=3.5e-10, sides="positive")
    same(one_side, fit_decay(delay, current, exclusion=3.5e-10, sides="positive"), ("T1", "offset", "height_positive"))


def test_steps_end_where_the_fit_without_a_guide_does():
    data = spectrum()[0]
    told = {"modulation_V": 1e-4, "unit": "S"}
    other = fit_steps(BIAS, data, plateau_slopes=False, **told)
    begun = Guide({"inner_energy": 2.4, "outer_energy": 6.5, "temperature": 3.0})
    found = guided_steps(BIAS, data, begun, **told)
    names = ("inner_energy", "outer_energy", "inner_height_positive", "background", "bias_offset", "temperature")
    same(found, other, (*names, "eta_inner", "eta_outer"), rel=1e-3)


def test_steps_with_uneven_noise_have_the_errors_of_the_fit_without_a_guide():
    """Nothing but steps, noisier at the ends by far: neither structure nor even noise."""
    model = StepModel(2, None, 1e-4, offset=True, slope=True, plateaus=False)
    vector = np.array([2.5, 3.5, 0.0, np.log(2.0), *[2e-8] * 4, 5e-8, 0.0])
    ends = 1 + 9 * (np.abs(BIAS) > 8e-3)
    data = model.value(vector, 1e3 * BIAS) + 2e-10 * ends * np.random.default_rng(8).normal(size=BIAS.size)
    told = {"modulation_V": 1e-4, "unit": "S"}
    other = fit_steps(BIAS, data, plateau_slopes=False, **told)
    found = guided_steps(BIAS, data, Guide({"inner_energy": 2.2, "outer_energy": 6.3, "temperature": 3.0}), **told)
    same(found, other, ("inner_energy", "outer_energy", "outer_height_positive", "background_slope"), rel=1e-3)
    assert not found.warnings


def test_a_temperature_that_is_told_is_fixed():
    data = spectrum()[0]
    found = guided_steps(BIAS, data, Guide({"inner_energy": 2.4}), temperature_K=2.0, modulation_V=1e-4)
    assert "temperature" not in found.free
    assert found.choices["fixed"] == "temperature = 2 K"
    same(found, fit_steps(BIAS, data, temperature_K=2.0, modulation_V=1e-4, plateau_slopes=False), ("inner_energy",))


def test_transport_finds_the_truth_of_one_spectrum():
    parameters = SpinParameters(-4.2, 0.87, 2.0, kondo_coupling=-0.05)
    data = spectrum(SpinSetting(modulation_V=1e-4, order=3), parameters)[0]
    begun = {"axial_anisotropy_meV": -4.5, "transverse_anisotropy_meV": 0.7, "kondo_coupling": -0.1}
    begun |= {"potential_scattering": 0.0, "bias_offset": 0.0, "temperature_K": 2.5}
    guide = Guide(begun, fixed=("potential_scattering",))
    found = guided_transport(BIAS, data, np.full(BIAS.size, 0.08e-6), guide, modulation_V=1e-4)
    truth = {"axial_anisotropy_meV": -4.2, "transverse_anisotropy_meV": 0.87, "temperature_K": 2.0}
    truth |= {"kondo_coupling": -0.05, "bias_offset": 0.0, "conductance_1": 0.1e-6}
    for name, value in truth.items():
        assert abs(found[name].value - value) < 4 * found[name].error, name
    assert found.residual == close(2e-10, rel=0.15)


def test_transport_finds_the_exchange_of_a_ramp():
    parameters = SpinParameters(-4.2, 0.87, 2.0, exchange_slope_meV_per_uS=3.6, correlation=-0.5)
    conductances = (0.05e-6, 0.15e-6, 0.3e-6)
    setting = SpinSetting(ExchangeKind.HEISENBERG, modulation_V=1e-4)
    data = spectrum(setting, parameters, conductances)
    begun = {"axial_anisotropy_meV": -4.4, "transverse_anisotropy_meV": 0.8, "temperature_K": 2.0}
    begun |= {"exchange_slope_meV_per_uS": 3.0, "correlation": -0.4, "potential_scattering": 0.0, "bias_offset": 0.0}
    guide = Guide(begun, ("potential_scattering", "bias_offset"), "heisenberg")
    many = np.repeat(conductances, BIAS.size)
    found = guided_transport(np.tile(BIAS, 3), data.ravel(), many, guide, modulation_V=1e-4, temperature_K=2.0, order=2)
    for name, value in (("exchange_slope_meV_per_uS", 3.6), ("correlation", -0.5), ("axial_anisotropy_meV", -4.2)):
        assert abs(found[name].value - value) < 4 * found[name].error, name
    assert found["conductance_2"].at == "setpoint 150 nS"
    assert found.choices["exchange"] == "heisenberg"
    with pytest.raises(FitError, match="a guided fit of a ramp needs none, heisenberg, ising"):
        guided_transport(np.tile(BIAS, 3), data.ravel(), many, Guide(begun))


# -- what is fixed, missing, wrong -----------------------------------------------------------------------------------


def test_what_is_fixed_stays_and_the_others_fit_around_it():
    found = guided_srs(FREQUENCY, line(), Guide({"rate": 1e9}, fixed=("rate",)))
    design = np.column_stack([1 / (1 + (2 * np.pi * FREQUENCY / 1e9) ** 2), np.ones_like(FREQUENCY)])
    step, offset = np.linalg.lstsq(design * 1.0, line() * 1e12, rcond=None)[0] * 1e-12
    assert found.free == ("step", "offset")
    assert (found["step"].value, found["offset"].value) == (close(step, rel=1e-6), close(offset, rel=1e-6))
    assert found.choices == {"fixed": "rate = 1·10⁹ /s"}


def test_what_is_not_given_begins_where_the_fit_without_a_guide_ends():
    found = guided_srs(FREQUENCY, line(), Guide({}, fixed=("offset",)))
    other = fit_srs(FREQUENCY, line())
    assert found["rate"].value == close(other["rate"].value, rel=1e-4)
    assert found["rate"].error < other["rate"].error


def test_noise_that_a_fit_refuses_can_be_fitted_from_start_values_and_says_what_it_is():
    noise = np.random.default_rng(5).normal(0, 1e-13, FREQUENCY.size)
    with pytest.raises(FitError, match="no step"):
        guided_srs(FREQUENCY, noise, Guide({"rate": 1e9}))
    found = guided_srs(FREQUENCY, noise, Guide({"rate": 1e9, "step": 1e-13, "offset": 0.0}, fixed=("rate",)))
    assert abs(found["step"].value) < 5 * found["step"].error


@pytest.mark.parametrize(
    ("guide", "why"),
    [
        (Guide({"speed": 1.0}), "speed: this fit has the parameters rate, step, offset"),
        (Guide({"rate": -1.0}), "rate = -1 /s: a start above 0 is needed"),
        (Guide({}, fixed=("rate", "step", "offset")), "every parameter is fixed"),
        (Guide({"rate": 1e300, "step": 1e308, "offset": 1e308}), "the model has no finite value at the start values"),
    ],
)
def test_a_guide_that_leads_nowhere_is_refused(guide, why):
    with pytest.raises(FitError, match=why):
        guided_srs(FREQUENCY, line(), guide)


def test_a_start_beyond_what_a_parameter_may_be_is_refused():
    begun = {"axial_anisotropy_meV": -4.0, "correlation": 2.0}
    with pytest.raises(FitError, match="correlation = 2: a start from -1 to 1 is allowed"):
        Guide(begun).begun(QUANTITIES["transport"], lambda: dict.fromkeys(names("transport"), 0.5))


def names(model):
    return [quantity.name for quantity in QUANTITIES[model]]


def test_too_few_points_are_refused():
    with pytest.raises(FitError, match="3 points are too few for 3 parameters"):
        guided_srs(FREQUENCY[:3], line()[:3], Guide({"rate": 1e9, "step": 1e-12, "offset": 0.0}))


def test_a_parameter_at_its_bound_is_told():
    data = line() * -1
    flat = np.full(FREQUENCY.size, 1e-12) + 1e-15 * np.arange(FREQUENCY.size)
    found = guided_srs(FREQUENCY, flat, Guide({"rate": 1e9, "step": 0.0, "offset": 1e-12}, fixed=("rate",)))
    assert found.warnings  # a straight line leaves structure
    assert not any("converged" in warning for warning in guided_srs(FREQUENCY, data, Guide({})).warnings)


def test_a_guided_fit_is_stopped_with_the_best_so_far():
    looks = []

    def stop():
        looks.append(1)
        return len(looks) > 2

    begun = Guide({"rate": 1e7, "step": 1e-12, "offset": 0.0})
    with following(stop=stop), fitting("srs") as steps:
        found = steps.marked(guided_srs(FREQUENCY, line(), begun))
    assert found.choices["ended"] == "stopped"
    assert np.isnan(found["rate"].error)


def test_every_model_that_can_be_guided_names_its_parameters():
    assert set(QUANTITIES) == {"srs", "srs_two_widths", "decay", "steps", "steps_one_pair", "transport"}
    for quantities in QUANTITIES.values():
        assert len({quantity.name for quantity in quantities}) == len(quantities)
