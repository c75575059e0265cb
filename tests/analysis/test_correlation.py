"""The correlation C from asymmetries, and a whole ramp through steps, exchange and correlation."""

import re
from dataclasses import replace

import numpy as np
import pytest

from stmlab.analysis.correlation import _Model, fit_correlation
from stmlab.analysis.ramp import correlation_of, exchange_of, fit_series
from stmlab.analysis.steps import fit_steps
from stmlab.analysis.transport.model import SpinParameters, SpinSetting
from stmlab.errors import FitError
from stmlab.physics.coupled_tip import ExchangeKind, coupled_junction
from stmlab.physics.spins import Spin
from tests.approximately import close
from tests.repetitions import drawn

BIAS = np.linspace(-10e-3, 10e-3, 161)
GS = np.array([100e-9, 250e-9, 400e-9])
SPINS = SpinParameters(-4.2, 0.87, 2.0, exchange_slope_meV_per_uS=3.6, correlation=-0.5)
SETTING = SpinSetting(ExchangeKind.HEISENBERG)


def spectrum(correlation, conductance, *, slope=3.6, order=2):
    return coupled_junction(
        Spin(1, -4.2, 0.87),
        Spin(0.5),
        conductance,
        2.0,
        exchange=ExchangeKind.HEISENBERG,
        exchange_slope_meV_per_uS=slope,
        correlation=correlation,
        order=order,
        **({"coupling": -0.05} if order == 3 else {}),
    ).conductance(BIAS)


@pytest.fixture(autouse=True, scope="module")
def _spectra_of_a_model_are_computed_once():
    """The asymmetries differ from test to test; the model that they are held against is mostly the same."""
    computed, known = _Model.computed, {}

    def once(conductance, setting, parameters, bias, method):
        key = conductance.tobytes(), setting, parameters, bias.tobytes(), method
        if key not in known:
            known[key] = computed(conductance, setting, parameters, bias, method)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_Model, "computed", once)
        yield


@pytest.fixture(scope="module")
def asymmetries():
    """Read by the step fit off spectra with C = -0.5; rows: inner, outer."""
    fits = [fit_steps(BIAS, spectrum(-0.5, g), temperature_K=2.0, pairs=2) for g in GS]
    return np.array([[fit[f"eta_{side}"].value for fit in fits] for side in ("inner", "outer")])


@drawn(2, of=4)
def test_the_correlation_comes_back_with_an_honest_error(asymmetries, times):
    random, pulls = np.random.default_rng(1), []
    first = fit_correlation(GS, *asymmetries, 0.005, 0.005, setting=SETTING, parameters=SPINS, bias=BIAS)
    assert first["correlation"].value == pytest.approx(-0.5, abs=0.01)
    for _ in range(times):
        noisy = asymmetries + 0.01 * random.standard_normal(asymmetries.shape)
        fit = fit_correlation(GS, *noisy, 0.01, 0.01, setting=SETTING, parameters=SPINS, bias=BIAS)
        pulls.append((fit["correlation"].value - first["correlation"].value) / fit["correlation"].error)
    assert np.abs(pulls).max() < 3.5
    assert fit["correlation"].error < 0.05
    assert fit.covariance[0, 0] == close(fit["correlation"].error ** 2, rel=1e-12)


def test_without_a_bias_axis_the_model_is_read_in_201_points_from_minus_10_to_10_mV(asymmetries):
    one = GS[1:2], *asymmetries[:, 1:2], 0.01, 0.01
    default = fit_correlation(*one, setting=SETTING, parameters=SPINS)
    told = fit_correlation(*one, setting=SETTING, parameters=SPINS, bias=np.linspace(-10e-3, 10e-3, 201))
    assert default["correlation"] == told["correlation"]


def test_a_correlation_below_three_of_its_errors_is_called_not_significant(asymmetries):
    for error in (0.01, 0.3):
        fit = fit_correlation(GS, *asymmetries, error, error, setting=SETTING, parameters=SPINS, bias=BIAS)
        found = fit["correlation"]
        said = any("the correlation is not significant" in warning for warning in fit.warnings)
        assert said is bool(abs(found.value) < 3 * found.error) is (error == 0.3)


def test_what_is_not_known_is_left_out_and_said(asymmetries):
    partly = asymmetries.copy()
    partly[1, 0] = np.nan
    fit = fit_correlation(GS, *partly, 0.01, 0.01, setting=SETTING, parameters=SPINS, bias=BIAS)
    assert fit.points == 5
    assert "1 of 6 asymmetries are not known and left out" in fit.warnings


def test_a_conductance_at_which_the_model_shows_no_two_steps_is_left_out_and_said(asymmetries):
    """The exchange has moved the outer steps beyond the spectrum."""
    conductance, etas = np.append(GS[:1], 3e-6), np.column_stack([asymmetries[:, :1], [0.3, 0.3]])
    fit = fit_correlation(conductance, *etas, 0.01, 0.01, setting=SETTING, parameters=SPINS, bias=BIAS)
    assert fit["correlation"].value == pytest.approx(-0.5, abs=0.01)
    assert fit.points == 2
    assert "left out, because the model shows no two pairs of steps there: 3e-06 S" in fit.warnings


def test_asymmetries_that_no_correlation_makes_get_a_warning_and_a_larger_error(asymmetries):
    turned = asymmetries * np.array([[1], [-1]])
    fit = fit_correlation(GS, *turned, 0.01, 0.01, setting=SETTING, parameters=SPINS, bias=BIAS)
    assert any("scatter more" in warning for warning in fit.warnings)
    honest = fit_correlation(GS, *asymmetries, 0.01, 0.01, setting=SETTING, parameters=SPINS, bias=BIAS)
    assert fit["correlation"].error > 2 * honest["correlation"].error


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"setting": SpinSetting(ExchangeKind.NONE)}, "without exchange"),
        ({"conductance": -GS}, "values above 0"),
        ({"eta_inner": [0.1, 0.2]}, "does not fit 3 conductances"),
        ({"eta_inner": np.nan, "eta_outer": np.nan}, "no asymmetry is known"),
        ({"eta_inner_error": 0.0}, "errors of the asymmetries"),
        ({"parameters": replace(SPINS, temperature_K=30.0), "conductance": GS[:1]}, "the model at"),
    ],
)
def test_what_cannot_be_fitted_is_refused(changes, complaint):
    arguments = {
        "conductance": GS,
        "eta_inner": 0.1,
        "eta_outer": 0.1,
        "eta_inner_error": 0.01,
        "eta_outer_error": 0.01,
        "setting": SETTING,
        "parameters": SPINS,
        "bias": BIAS,
    } | changes
    with pytest.raises(FitError, match=complaint):
        fit_correlation(**arguments)


def ramp(correlation, slope=3.6, order=3):
    random = np.random.default_rng(2)
    setpoints = np.linspace(60e-9, 420e-9, 4)
    rows = [spectrum(correlation, g, slope=slope, order=order) for g in setpoints]
    noisy = [row + 2e-3 * g * random.standard_normal(BIAS.size) for row, g in zip(rows, setpoints, strict=True)]
    return np.tile(BIAS, setpoints.size), np.concatenate(noisy), np.repeat(setpoints, BIAS.size)


@pytest.fixture(scope="module")
def series():
    return fit_series(*ramp(-0.5), temperature_K=2.0)


def test_a_ramp_gives_exchange_and_correlation_from_its_steps(series):
    assert series.setpoint.size == 4
    exchange = exchange_of(series)
    assert exchange.choices["exchange"] == "heisenberg"
    assert exchange["exchange_slope_meV_per_uS"].value == close(3.6, rel=0.1)  # third order pulls the steps
    fit = correlation_of(series)
    assert fit["correlation"].value == pytest.approx(-0.5, abs=0.05)


def test_the_pull_of_third_order_is_in_the_errors_of_exchange_and_its_size_is_told(series):
    """The steps say -4.05 meV: by the pull more than the -4.2 meV that are true, and by no more than their error."""
    exchange = exchange_of(series)
    axial, told = exchange["axial_anisotropy_meV"], exchange.warnings[0]
    pulled = float(re.search(r"axial_anisotropy_meV (\+\S+) meV", told)[1])
    assert axial.value + 4.2 > 0.1
    assert axial.value - pulled == pytest.approx(-4.2, abs=0.04)
    assert axial.error == pytest.approx(np.hypot(pulled, 0.02), abs=0.03)
    assert axial.error == close(np.sqrt(exchange.covariance[0, 0]), rel=1e-12)
    assert "outer ones by -0.1" in told


def test_without_a_readable_model_the_pull_is_said_to_be_unknown(series):
    """At a temperature at which steps as wide as the spectrum remain, the model shows no pairs."""
    hot = replace(series, temperature_K=30.0)
    assert any("not known, and not in the errors" in warning for warning in exchange_of(hot).warnings)


def test_without_exchange_there_is_no_correlation_to_fit():
    series = fit_series(*ramp(0.0, slope=0.0, order=2), temperature_K=2.0)
    assert exchange_of(series).choices["exchange"] == "none"
    with pytest.raises(FitError, match="no exchange"):
        correlation_of(series)


def test_a_spectrum_without_steps_is_left_out_of_a_ramp_by_name():
    bias, conductance, setpoint = ramp(-0.5)
    conductance = np.where(setpoint == setpoint[0], 1e-8 + 1e-7 * bias, conductance)
    series = fit_series(bias, conductance, setpoint, temperature_K=2.0)
    assert series.setpoint.size == 3
    assert any("left out" in warning for warning in series.warnings)
    flat = np.full(bias.size, 1e-8)
    with pytest.raises(FitError, match="0 spectra show two pairs"):
        fit_series(bias, flat, setpoint)
