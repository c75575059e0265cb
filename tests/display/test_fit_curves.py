"""Which curve of a fit belongs to which sweep, for every kind of fit; and what was fitted, over the sweeps."""

import numpy as np
import pytest

from stmlab.display.fit_curves import curves_of, series_of
from stmlab.display.symbols import symbol
from stmlab.results import FitParameter
from tests.gui.live.runs import axis, fit_of

BIAS = axis("bias", "V", [-1, 0, 1])


def test_a_fit_of_one_sweep_is_of_all_of_the_run():
    smooth = np.linspace(0, 2, 9)
    fit = fit_of([0, 1, 2], [1, 2, 3], [1, 2, 3], x_smooth=smooth, fit_smooth=smooth + 1)
    (curve,) = curves_of(fit, (BIAS,))
    assert curve.outer == {}
    np.testing.assert_array_equal(curve.x_smooth, smooth)


def test_spectra_of_a_ramp_are_told_by_their_setpoint():
    x, setpoint = np.tile([-1.0, 0, 1], 2), np.repeat([30e-9, 10e-9], 3)
    fit = fit_of(x, x, np.arange(6), model="transport", setpoint=setpoint)
    curves = curves_of(fit, (axis("setpoint", "S", [10e-9, 20e-9, 30e-9]), BIAS))
    assert [curve.outer for curve in curves] == [{0: 2}, {0: 0}]
    np.testing.assert_array_equal(curves[1].fit, [3, 4, 5])


def test_spectra_of_a_map_are_told_by_the_words_of_their_values():
    places = ["bias -8 mV, amplitude 1.3 mV", "bias 4 mV, amplitude 1.3 mV"]
    parameters = [FitParameter(f"rate_{k + 1}", 1e9, 1e7, "1/s", places[k]) for k in range(2)]
    x = np.tile([1e6, 1e7, 1e8], 2)
    fit = fit_of(x, x, np.arange(6), model="srs_map", parameters=parameters)
    axes = axis("offset", "V", [-8e-3, -4e-3, 4e-3], label="DC bias"), axis("drive", "V", [1.3e-3], label="amplitude")
    curves = curves_of(fit, (*axes, axis("frequency", "Hz", [1e6, 1e7, 1e8])))
    assert [curve.outer for curve in curves] == [{0: 0, 1: 0}, {0: 2, 1: 0}]


def test_a_transfer_function_is_of_the_largest_amplitude():
    fit = fit_of([1e6, 1e7, 1e8], [1, 2, 3], [1, 2, 3], model="transfer")
    (curve,) = curves_of(fit, (axis("drive", "V", [0.2, 0.14]), axis("frequency", "Hz", [1e6, 1e7, 1e8])))
    assert curve.outer == {0: 0}


def test_traces_begin_at_their_own_start():
    time = np.arange(6) * 1e-3
    fit = fit_of(time, np.ones(6), np.arange(6), model="telegraph", trace=np.repeat([0.0, 1.0], 3))
    curves = curves_of(fit, (axis("trace", "", [0, 1]), axis("time", "s", time[:3], hardware=True)))
    assert [curve.outer for curve in curves] == [{0: 0}, {0: 1}]
    np.testing.assert_allclose(curves[1].x, time[:3], atol=1e-12)
    np.testing.assert_array_equal(curves[1].fit, [3, 4, 5])


@pytest.mark.parametrize("model", ["exchange", "correlation"])
def test_what_was_read_off_the_sweeps_is_no_curve_over_a_sweep(model):
    assert curves_of(fit_of([1, 2], [1, 2], [1, 2], model=model), (BIAS,)) == ()


def test_fitted_values_become_series_over_what_differs_most():
    parameters = [
        FitParameter(f"{name}_{k + 1}", 10.0 * k + drive, 0.1, unit, f"bias {bias} mV, amplitude {drive} mV")
        for k, (bias, drive) in enumerate((b, d) for d in (1, 2) for b in (8, -8, 0))
        for name, unit in (("rate", "1/s"), ("step", "A"))
    ]
    series = series_of(fit_of([1.0], [1.0], [1.0], parameters=parameters))
    assert [(one.name, one.held) for one in series] == [
        ("rate", "amplitude 1 mV"),
        ("rate", "amplitude 2 mV"),
        ("step", "amplitude 1 mV"),
        ("step", "amplitude 2 mV"),
    ]
    assert series[0].along == ("bias", "V")
    np.testing.assert_allclose(series[0].at, [-8e-3, 0, 8e-3], atol=1e-15)
    np.testing.assert_array_equal(series[0].values, [11, 21, 1])


def test_a_ramp_gives_its_conductances_and_a_single_value_no_series():
    parameters = [FitParameter("correlation", 0.3, 0.1)]
    parameters += [
        FitParameter(f"conductance_{k + 1}", g, 0.1, "S", f"setpoint {g} nS") for k, g in enumerate((10, 30))
    ]
    (series,) = series_of(fit_of([1.0], [1.0], [1.0], parameters=parameters))
    assert (series.name, series.along, series.held) == ("conductance", ("setpoint", "S"), "")
    np.testing.assert_allclose(series.at, [10e-9, 30e-9], rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "model", "written"),
    [
        ("rate", "srs", "Γ"),
        ("rate_3", "srs_map", "Γ"),
        ("step", "srs", "I_SR"),
        ("step", "telegraph", "ΔI"),
        ("eta_inner", "steps", "η_inner"),
        ("outer_energy", "steps", "E_outer"),
        ("T1", "decay", "T₁"),
        ("something", "srs", ""),
    ],
)
def test_symbols_are_those_of_the_field(name, model, written):
    assert symbol(name, model) == written
