"""The transport model fitted to spectra of known spins: kind of exchange, sign, parameters, refusals."""

import math

import numpy as np
import pytest

from stmlab.analysis.transport import fit_transport
from stmlab.analysis.transport.doubts import shown_error
from stmlab.analysis.transport.model import SpinParameters, SpinSetting
from stmlab.analysis.transport.model import spectra as model_spectra
from stmlab.analysis.transport.problem import Problem
from stmlab.errors import FitError, PhysicsError
from stmlab.physics.coupled_tip import ExchangeKind, coupled_junction
from stmlab.physics.spins import Spin, SpinSystem
from stmlab.physics.transport import TunnelJunction
from tests.approximately import close

BIAS = np.linspace(-8e-3, 8e-3, 41)
SETPOINTS = (100e-9, 300e-9, 500e-9)
NAMES = ("axial_anisotropy_meV", "transverse_anisotropy_meV", "exchange_slope_meV_per_uS", "correlation")


def spectra(
    kind, truth, setpoints=SETPOINTS, *, field=0.0, noise=2e-3, order=2, seed=0, potential=0.0, offset=0.0, kondo=-0.05
):
    """Junctions at thermal broadening alone, with white noise."""
    axial, transverse, slope, correlation = truth
    random, rows = np.random.default_rng(seed), []
    for g in setpoints:
        junction = coupled_junction(
            Spin(1, axial, transverse),
            Spin(0.5),
            g,
            2.0,
            exchange=ExchangeKind(kind),
            exchange_slope_meV_per_uS=slope,
            correlation=correlation,
            field_T=(0.0, 0.0, field),
            order=order,
            potential_scattering=potential,
            **({"coupling": kondo} if order == 3 else {}),
        )
        rows.append(junction.conductance(BIAS - offset) + noise * g * random.standard_normal(BIAS.size))
    return np.tile(BIAS, len(setpoints)), np.concatenate(rows), np.repeat(setpoints, BIAS.size)


@pytest.mark.parametrize(
    ("kind", "truth", "field"),
    [
        ("heisenberg", (-4.2, 0.87, 3.6, -0.5), 0.0),
        pytest.param("heisenberg", (3.9, 0.85, -4.1, -0.46), 0.0, marks=pytest.mark.slow),
        pytest.param("ising", (-3.23, 0.58, 5.9, 0.35), 0.0, marks=pytest.mark.slow),
        ("ising", (-4.05, 0.65, -1.5, 0.6), 5.0),
    ],
)
def test_kind_sign_and_parameters_come_back_within_their_errors(kind, truth, field):
    fit = fit_transport(*spectra(kind, truth, field=field), temperature_K=2.0, field_T=field, order=2)
    assert fit.choices["exchange"] == kind
    for name, value in zip(NAMES, truth, strict=True):
        assert abs(fit[name].value - value) < 4 * fit[name].error
        assert fit[name].error < 0.02 * abs(value)
    for k, g in enumerate(SETPOINTS):
        assert fit[f"conductance_{k + 1}"].value == close(g, rel=5e-3)
    assert fit.curves["aic"].size == 3
    assert not any("structure" in warning or "as well as" in warning for warning in fit.warnings)


@pytest.mark.parametrize(
    ("kind", "truth", "setpoints", "potential", "order"),
    [
        ("heisenberg", (-4.2, 0.87, 3.6, -0.5), SETPOINTS, 0.55, 2),
        pytest.param("ising", (-3.23, 0.58, 5.9, 0.35), SETPOINTS, -0.4, 2, marks=pytest.mark.slow),
        ("none", (-4.8, 0.7, 0.0, 0.0), SETPOINTS[:1], -0.5, 3),
    ],
)
def test_electrons_that_pass_beside_the_spin_and_an_offset_of_the_bias_are_found(
    kind, truth, setpoints, potential, order
):
    data = spectra(kind, truth, setpoints, potential=potential, offset=80e-6, noise=1e-3, order=order)
    fit = fit_transport(*data, temperature_K=2.0, order=order, exchange=[kind])
    wanted = dict(zip(NAMES, truth, strict=True)) | {"potential_scattering": potential, "bias_offset": 80e-6}
    for name in set(wanted) & {parameter.name for parameter in fit.parameters}:
        assert abs(fit[name].value - wanted[name]) < 4 * fit[name].error, name
    assert fit["potential_scattering"].error < 0.02
    assert fit["bias_offset"].error < 10e-6


def test_what_the_spectra_do_not_ask_for_is_not_in_the_result():
    fit = fit_transport(*spectra("none", (-4.8, 0.7, 0.0, 0.0), SETPOINTS[:1]), order=2)
    assert "potential_scattering" not in {parameter.name for parameter in fit.parameters}
    assert abs(fit["bias_offset"].value) < 4 * fit["bias_offset"].error


def test_axes_that_could_as_well_have_other_names_are_told_apart():
    """Easy axis z with these values has the steps of an easy plane; a scan in second order takes it for one."""
    data = spectra("heisenberg", (-4.321, 0.488, 1.91, -0.143), (20e-9, 300e-9, 550e-9), order=3, kondo=-0.099)
    fit = fit_transport(*data, exchange=["heisenberg"])
    assert fit["axial_anisotropy_meV"].value == close(-4.321, rel=0.02)
    assert fit["transverse_anisotropy_meV"].value == close(0.488, rel=0.02)
    assert not any("structure" in warning for warning in fit.warnings)


@pytest.mark.parametrize("seed", [pytest.param(0, marks=pytest.mark.slow), 2])
def test_an_inner_step_that_temperature_hides_leads_to_no_other_valley(seed):
    """E = 0.08 meV at 2 K: two steps read off the spectrum mean nothing."""
    data = spectra("heisenberg", (-3.7, 0.08, 2.7, 0.4), (80e-9, 250e-9, 500e-9), noise=3e-3, seed=seed)
    fit = fit_transport(*data, order=2, exchange=["heisenberg"])
    for name, value in zip(NAMES, (-3.7, 0.08, 2.7, 0.4), strict=True):
        assert abs(fit[name].value - value) < 4 * fit[name].error, name
    assert fit["axial_anisotropy_meV"].error < 0.01
    assert fit.warnings == ()


def test_conductances_in_another_unit_are_refused():
    bias, conductance, setpoint = spectra("none", (-4.8, 0.7, 0.0, 0.0), SETPOINTS[:1])
    with pytest.raises(FitError, match="no tunnel junction's: is the spectrum really in S"):
        fit_transport(bias, 1e9 * conductance, setpoint)


def test_a_sign_that_a_weak_field_leaves_open_is_told_with_both_values():
    data = spectra("ising", (-3.23, 0.58, 5.9, 0.35), field=0.02, noise=2e-2)
    fit = fit_transport(*data, temperature_K=2.0, field_T=0.02, order=2, exchange=["ising"])
    assert abs(abs(fit["exchange_slope_meV_per_uS"].value) - 5.9) < 0.2
    (open_sign,) = (warning for warning in fit.warnings if "as well as" in warning)
    assert open_sign.count("meV/uS, C = ") == 2
    assert open_sign.count("J = -") == 1


def test_third_order_is_found_in_a_single_spectrum_without_exchange():
    data = spectra("none", (-4.8, 0.7, 0.0, 0.0), (100e-9,), noise=1e-3, order=3)
    fit = fit_transport(*data)
    assert fit.choices["exchange"] == "none"
    for name, value in (*zip(NAMES, (-4.8, 0.7), strict=False), ("kondo_coupling", -0.05), ("temperature_K", 2.0)):
        assert abs(fit[name].value - value) < 4 * fit[name].error
    second = fit_transport(*data, order=2)
    assert any("structure" in warning for warning in second.warnings)
    assert second.residual > 2 * fit.residual


def test_without_a_field_the_sign_of_an_ising_exchange_is_said_to_be_open():
    fit = fit_transport(*spectra("ising", (-3.23, 0.58, -5.9, -0.35)), temperature_K=2.0, order=2, exchange=["ising"])
    assert fit["exchange_slope_meV_per_uS"].value == close(5.9, rel=0.01)
    assert fit["correlation"].value == pytest.approx(0.35, abs=0.01)
    assert any("-J with -C" in warning for warning in fit.warnings)


@pytest.mark.slow
def test_error_bars_are_honest():
    truth, pulls = (-4.2, 0.87, 3.6, -0.5), []
    for seed in range(20):
        data = spectra("heisenberg", truth, (150e-9, 400e-9), noise=5e-3, seed=seed)
        fit = fit_transport(*data, temperature_K=2.0, order=2, exchange=["heisenberg"])
        pulls.append([(fit[n].value - v) / fit[n].error for n, v in zip(NAMES, truth, strict=True)])
    assert np.all(np.abs(np.mean(pulls, axis=0)) < 0.75)
    assert np.all((np.std(pulls, axis=0) > 0.6) & (np.std(pulls, axis=0) < 1.5))


def _with_nan():
    bias, conductance, setpoint = spectra("ising", (-3.23, 0.58, 5.9, 0.35))
    return bias, np.where(np.arange(bias.size) == 5, np.nan, conductance), setpoint


@pytest.mark.parametrize(
    ("data", "settings", "complaint"),
    [
        (_with_nan(), {}, "conductance: 1 of 123 values are not finite"),
        ((BIAS, BIAS[:3], BIAS), {}, "shapes"),
        (([], [], []), {}, "no points"),
        ((BIAS[:8], np.ones(8), np.ones(8)), {}, "at least 12 a spectrum"),
        ((BIAS[21:], np.ones(20), np.ones(20)), {}, "one polarity"),
        ((BIAS, np.ones(41), np.ones(41)), {}, "constant"),
        ((BIAS, 1e-7 + 1e-6 * BIAS, np.full(41, 1e-7)), {}, "no spectrum shows two pairs of steps"),
        (spectra("ising", (-3.23, 0.58, 5.9, 0.35)), {"exchange": ["xy"]}, "none, heisenberg, ising are known"),
        (spectra("none", (-3.23, 0.58, 0, 0), SETPOINTS[:1]), {"exchange": ["ising"]}, "a single spectrum allows only"),
        (spectra("ising", (-3.23, 0.58, 5.9, 0.35)), {"spin": 1.5}, "spin = 1.5"),
        (spectra("ising", (-3.23, 0.58, 5.9, 0.35)), {"order": 4}, "order = 4: 2 or 3"),
        (spectra("ising", (-3.23, 0.58, 5.9, 0.35)), {"temperature_K": 0.0}, "temperature_K = 0 K: above 0"),
        (spectra("ising", (-3.23, 0.58, 5.9, 0.35)), {"modulation_V": -1e-4}, "modulation_V = -0.0001 V: 0 or more"),
        (spectra("ising", (-3.23, 0.58, 5.9, 0.35)), {"scattering_S": 0.0}, "scattering_S = 0 S: above 0"),
        (spectra("ising", (-3.23, 0.58, 5.9, 0.35)), {"field_T": "z"}, "field_T = 'z': a number"),
    ],
)
def test_what_cannot_be_fitted_is_refused(data, settings, complaint):
    with pytest.raises(FitError, match=complaint):
        fit_transport(*data, **settings)


def test_an_error_beyond_all_that_a_parameter_can_be_is_none():
    assert shown_error(1.0, -3.0, 0.2) == 0.2
    assert shown_error(1.0, 0.0, 8e9) == math.inf
    assert shown_error(0.0, 3e-8, 1e-8) == 1e-8
    assert shown_error(0.0, 3e-8, 1.0) == math.inf


def test_a_transverse_anisotropy_of_nothing_is_found_with_an_error():
    """The spectra do not depend on its sign and have no slope by it at 0."""
    fit = fit_transport(*spectra("heisenberg", (-3.7, 0.0, 2.7, 0.4), noise=3e-3), order=2, exchange=["heisenberg"])
    found = fit["transverse_anisotropy_meV"]
    assert 0.0 <= found.value < 4 * found.error < 0.5
    assert abs(fit["axial_anisotropy_meV"].value + 3.7) < 4 * fit["axial_anisotropy_meV"].error


def test_a_spectrum_that_asks_for_more_third_order_than_there_is_ends_and_says_so(monkeypatch):
    """Peaks on the steps as of a Kondo coupling beyond its bound; it was followed along that bound for ever."""
    calls, slopes = [], Problem._slopes
    monkeypatch.setattr(Problem, "_slopes", lambda *given: calls.append(1) or slopes(*given))
    bias = np.linspace(-20e-3, 20e-3, 201)
    clean = TunnelJunction(SpinSystem((Spin(1, -7.0, 1.0),)), 4.0, 1e-9, order=3, coupling=-0.05).conductance(bias)
    peaks = 0.5 * np.ptp(clean) * np.exp(-(((np.abs(bias) - 8e-3) / 1.5e-3) ** 2))
    noise = 1e-2 * np.random.default_rng(0).standard_normal(bias.size)
    fit = fit_transport(bias, (clean + peaks) * (1 + noise), np.full(bias.size, 1e-9))
    assert len(calls) < 30
    assert any("more third order" in one or "ran to the end" in one or "does not hold" in one for one in fit.warnings)
    assert all(math.isfinite(parameter.value) for parameter in fit.parameters)


def test_where_third_order_ends_no_parameters_beside_the_best_describe_the_spectrum_better():
    """The edge of the model is curved: steps that were only shortened ended far from the best place on it."""
    bias, random = np.linspace(-30e-3, 30e-3, 401), np.random.default_rng(1)
    truth = SpinParameters(-7.0, 1.0, 4.0, kondo_coupling=-0.05, potential_scattering=0.3)
    setting = SpinSetting(order=3)
    clean = model_spectra(setting, truth, np.array([1e-9]), bias)[0]
    peaks = 0.5 * np.ptp(clean) * np.exp(-(((np.abs(bias) - 8e-3) / 1.5e-3) ** 2))
    data = (clean + peaks) * (1 + 0.01 * random.standard_normal(bias.size))
    fit = fit_transport(bias, data, np.full(bias.size, 1e-9))
    assert not any("did not settle" in warning for warning in fit.warnings)

    def deviance(values):
        named = dict(zip(fit.free, values.tolist(), strict=True))
        spins = SpinParameters(**{name: value for name, value in named.items() if not name.startswith("conductance")})
        left = model_spectra(setting, spins, np.array([named["conductance_1"]]), bias)[0] - data
        return bias.size * math.log(float(np.mean(left**2)))

    best = np.array([fit[name].value for name in fit.free])
    beside = random.multivariate_normal(np.zeros(best.size), fit.covariance, 120, method="eigh") * 0.3
    others, refused = [], 0
    for step in beside:
        try:
            others.append(deviance(best + step))
        except PhysicsError:
            refused += 1
    assert refused > 20  # the best is at the edge
    assert min(others) > deviance(best) - 0.1
