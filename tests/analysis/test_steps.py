"""Inelastic steps in dI/dV: energies, heights and asymmetries, with honest errors."""

import numpy as np
import pytest

from stmlab.analysis.step_asymmetry import BIAS_V, fitted_steps, level_steps
from stmlab.analysis.steps import fit_steps
from stmlab.analysis.steps.shapes import StepShape
from stmlab.errors import FitError
from stmlab.papers.muenks_model import ANTIFERROMAGNETIC, FERROMAGNETIC
from stmlab.storage.recorded import open_recording
from tests.approximately import close
from tests.recorded_files import RECORDED, recorded
from tests.repetitions import drawn

BIAS = np.linspace(-10e-3, 10e-3, 401)
MODULATION = 0.2e-3
TRUE = {"inner_energy": 1.74, "outer_energy": 5.07, "eta_inner": 0.1 / 1.9, "eta_outer": -0.3 / 1.9}
METHODS = ("steps", "gaussians")
SAMPLE_OF_METHODS = ("steps", pytest.param("gaussians", marks=pytest.mark.slow))


def spectrum(
    bias=BIAS,
    energies=(1.74, 5.07),
    heights=((1.0, 0.9), (0.8, 1.1)),
    *,
    temperature=2.0,
    modulation=MODULATION,
    offset=0.1,
    unit=1e-7,
    noise=0.0,
    seed=0,
):
    x, shape = 1e3 * bias - offset, StepShape(temperature, modulation)
    steps = sum(n * shape.step(-x - e) + p * shape.step(x - e) for e, (n, p) in zip(energies, heights, strict=True))
    return unit * (1.0 + steps + noise * np.random.default_rng(seed).normal(size=bias.shape))


def parted(fit):
    return {parameter.name: (parameter.value, parameter.error) for parameter in fit.parameters}


def test_a_window_that_leaves_points_out_is_told():
    wide = np.linspace(-15e-3, 15e-3, 301)
    fit = fit_steps(wide, spectrum(wide, noise=0.01), modulation_V=MODULATION)
    assert fit.choices == {"fitted": "201 of 301 points within +-10 mV"}
    assert fit_steps(wide, spectrum(wide, noise=0.01), modulation_V=MODULATION, window_V=None).choices == {}
    with pytest.raises(FitError, match=r"the 81 of 401 points within \+-2 mV"):
        noise = np.random.default_rng(0).normal(size=BIAS.size)
        fit_steps(BIAS, noise, window_V=2e-3)


def test_a_spectrum_without_noise_gives_back_its_steps():
    fit = fit_steps(BIAS, spectrum(), modulation_V=MODULATION)
    for name, value in TRUE.items():
        assert fit[name].value == pytest.approx(value, abs=1e-6)
    assert fit["temperature"].value == close(2.0, rel=1e-5)
    assert fit["bias_offset"].value == pytest.approx(0.1e-3, abs=1e-9)
    assert fit["background"].value == close(1e-7, rel=1e-6)
    assert fit["outer_height_positive"].value == close(1.1e-7, rel=1e-5)
    assert fit.warnings == ()


EVEN, SHOT = np.full_like(BIAS, 0.05), 0.01 + 0.09 * np.abs(BIAS / 10e-3)


@pytest.mark.parametrize(
    ("method", "options", "known", "noise"),
    [
        pytest.param("steps", {}, False, EVEN, marks=pytest.mark.slow),
        pytest.param("steps", {"temperature_K": 2.0}, True, EVEN, marks=pytest.mark.slow),
        pytest.param("steps", {"temperature_K": 2.0}, False, SHOT, marks=pytest.mark.slow),
        pytest.param("gaussians", {}, False, EVEN, marks=pytest.mark.slow),
        pytest.param("gaussians", {}, True, EVEN, marks=pytest.mark.slow),
        pytest.param("gaussians", {}, False, SHOT, marks=pytest.mark.slow),
    ],
)
def test_pulls_over_200_seeds_have_the_width_of_one(method, options, known, noise):
    pulls = {name: [] for name in TRUE}
    warned = 0
    for seed in range(200):
        noisy = spectrum(noise=noise, seed=seed)
        sigma = 1e-7 * noise if known else None
        fit = fit_steps(BIAS, noisy, modulation_V=MODULATION, method=method, sigma=sigma, **options)
        warned += any("noise is uneven" not in warning for warning in fit.warnings)
        for name, value in TRUE.items():
            pulls[name].append((fit[name].value - value) / fit[name].error)
    for name, values in pulls.items():
        # Gaussians are not quite the steps' shape: their centres may be off by a little.
        assert abs(np.mean(values)) < 0.3, name
        assert 0.85 < np.std(values) < 1.15, name
    # Plateaus that are louder than the rest seem bent a few times in a hundred.
    assert warned < 4


@pytest.mark.parametrize(("gs", "tip", "eta"), [
    (100, ANTIFERROMAGNETIC, 0.101),
    pytest.param(300, ANTIFERROMAGNETIC, 0.246, marks=pytest.mark.slow),
    pytest.param(100, FERROMAGNETIC, -0.157, marks=pytest.mark.slow),
    (300, FERROMAGNETIC, -0.291),
])  # fmt: skip
def test_gaussians_find_the_asymmetries_of_the_transport_model(gs, tip, eta):
    junction = tip.junction(1e-3 * gs, tip.slope_meV_per_uS * gs * 1e-3)
    fit = fit_steps(BIAS_V, junction.conductance(BIAS_V), method="gaussians")
    reference = fitted_steps(junction)
    assert fit["eta_outer"].value == pytest.approx(eta, abs=2e-3)
    assert fit["eta_outer"].value == pytest.approx(reference.outer, abs=2e-3)
    assert fit["eta_inner"].value == pytest.approx(reference.inner, abs=3e-3)
    assert fit["inner_energy"].value == pytest.approx(reference.inner_meV, abs=3e-3)
    assert fit["outer_energy"].value == pytest.approx(reference.outer_meV, abs=3e-3)


@pytest.mark.parametrize("tip", [ANTIFERROMAGNETIC, FERROMAGNETIC])
@pytest.mark.parametrize("modulation", [0.0, 0.2e-3])
def test_steps_find_the_levels_of_the_transport_model(tip, modulation):
    junction = tip.junction(0.1, 0.0)
    read = junction.conductance(BIAS_V, modulation)
    fit = fit_steps(BIAS_V, read, modulation_V=modulation)
    found = fit["inner_energy"].value, fit["outer_energy"].value
    assert found == pytest.approx(level_steps(tip.system(0.0)), abs=1e-3)
    assert fit["temperature"].value == pytest.approx(2.0, abs=0.01)
    assert abs(fit["eta_outer"].value) < 1e-6


@pytest.mark.parametrize("method", METHODS)
def test_covariance_runs_over_the_first_parameters_and_gives_their_errors(method):
    fit = fit_steps(BIAS, spectrum(noise=0.05), modulation_V=MODULATION, method=method, background_slope=True)
    assert tuple(parameter.name for parameter in fit.parameters[: len(fit.free)]) == fit.free
    assert fit.covariance == close(fit.covariance.T)
    errors = [parameter.error for parameter in fit.parameters[: len(fit.free)]]
    assert np.sqrt(np.diag(fit.covariance)) == close(errors)
    assert {"background", "background_slope", "eta_inner", "eta_outer", "bias_offset"} <= set(parted(fit))


@pytest.mark.parametrize("method", METHODS)
def test_eta_is_its_definition_with_the_error_of_both_heights(method):
    fit = fit_steps(BIAS, spectrum(noise=0.05), modulation_V=MODULATION, method=method)
    names = ["outer_height_negative", "outer_height_positive"]
    at = [fit.free.index(name) for name in names]
    negative, positive = (fit[name].value for name in names)
    assert fit["eta_outer"].value == close((negative - positive) / (negative + positive))
    drawn = np.random.default_rng(1).multivariate_normal([negative, positive], fit.covariance[np.ix_(at, at)], 20000)
    spread = np.std((drawn[:, 0] - drawn[:, 1]) / drawn.sum(axis=1))
    assert fit["eta_outer"].error == close(spread, rel=0.05)


@pytest.mark.parametrize("method", METHODS)
def test_the_unit_and_the_order_of_the_points_change_nothing(method):
    small = fit_steps(BIAS, spectrum(noise=0.05), modulation_V=MODULATION, method=method)
    order = np.random.default_rng(0).permutation(BIAS.size)
    volts = fit_steps(BIAS[order], -3e7 * spectrum(noise=0.05)[order], modulation_V=MODULATION, method=method)
    assert volts["outer_height_negative"].value == close(-3e7 * small["outer_height_negative"].value, rel=1e-4)
    for name in TRUE:
        assert volts[name].value == pytest.approx(small[name].value, abs=1e-3 * small[name].error)
        assert volts[name].error == close(small[name].error, rel=1e-3)


@pytest.mark.parametrize("method", METHODS)
def test_polarities_swap_with_the_sign_of_the_bias(method):
    one = fit_steps(BIAS, spectrum(noise=0.05), modulation_V=MODULATION, method=method)
    other = fit_steps(-BIAS, spectrum(noise=0.05), modulation_V=MODULATION, method=method)
    assert other["eta_outer"].value == pytest.approx(-one["eta_outer"].value, abs=1e-3 * one["eta_outer"].error)
    assert other["inner_energy"].value == pytest.approx(one["inner_energy"].value, abs=1e-5)
    assert other["bias_offset"].value == pytest.approx(-one["bias_offset"].value, abs=1e-8)


@pytest.mark.parametrize(
    ("bias", "made", "options"),
    [
        (np.linspace(-6e-3, 6e-3, 1201), {"energies": (0.6, 1.1), "temperature": 0.3, "modulation": 0.05e-3}, {}),
        (np.linspace(-8e-3, 12e-3, 401), {"offset": 0.6}, {"window_V": None}),
        (np.linspace(-60e-3, 60e-3, 601), {"energies": (17.0, 36.0), "temperature": 6.0}, {"window_V": None}),
        (np.linspace(-10e-3, 10e-3, 81), {"energies": (0.8, 5.8), "temperature": 1.0}, {}),
        (np.linspace(-10e-3, 10e-3, 201), {"modulation": 1e-3, "energies": (2.0, 6.0)}, {}),
    ],
)
@pytest.mark.parametrize("temperature", [None, "known"])
def test_starts_are_found_for_sharp_wide_shifted_and_coarse_spectra(bias, made, options, temperature):
    made = {"modulation": MODULATION, "energies": (1.74, 5.07), "temperature": 2.0, **made}
    read = spectrum(bias, **made, noise=0.02)
    known = made["temperature"] if temperature == "known" else None
    fit = fit_steps(bias, read, modulation_V=made["modulation"], temperature_K=known, **options)
    for name, energy in zip(("inner_energy", "outer_energy"), made["energies"], strict=True):
        assert abs(fit[name].value - energy) < 4 * fit[name].error < 0.2


@pytest.mark.parametrize("method", METHODS)
def test_one_pair_is_fitted_by_itself(method):
    read = spectrum(energies=(2.0,), heights=((1.0, 0.8),), noise=0.05)
    fit = fit_steps(BIAS, read, modulation_V=MODULATION, pairs=1, method=method)
    assert "outer_energy" not in parted(fit)
    assert abs(fit["inner_energy"].value - 2.0) < 4 * fit["inner_energy"].error
    assert abs(fit["eta_inner"].value - 0.2 / 1.8) < 4 * fit["eta_inner"].error


@pytest.mark.parametrize("method", SAMPLE_OF_METHODS)
@drawn(4, of=15)
def test_two_pairs_asked_of_one_are_never_a_confident_answer(method, times):
    for seed in range(times):
        read = spectrum(energies=(2.0,), heights=((1.0, 0.8),), noise=0.05, seed=seed)
        try:
            fit = fit_steps(BIAS, read, modulation_V=MODULATION, method=method)
        except FitError:
            continue
        assert any("three standard errors" in w or "one pair of steps" in w for w in fit.warnings)


@drawn(12, of=40)
def test_an_asymmetry_of_steps_below_three_of_their_errors_is_not_determined(times):
    said = {"neither": 0, "not each": 0, "": 0}
    for seed in range(times):
        high = ((1.0, 0.9), (0.05 * (2 + seed % 6), 0.05 * (seed % 5)))
        read = spectrum(heights=high, noise=0.25, seed=seed)
        try:
            fit = fit_steps(BIAS, read, modulation_V=MODULATION, temperature_K=2.0)
        except FitError:
            continue
        for pair in ("inner", "outer"):
            heights = [fit[f"{pair}_height_{side}"] for side in ("negative", "positive")]
            weak = [bool(abs(height.value) < 3 * height.error) for height in heights]
            which = "neither" if all(weak) else "not each" if any(weak) else ""
            said[which] += 1
            told = [warning for warning in fit.warnings if f"eta_{pair} is not determined" in warning]
            wanted = f"{which} of the {pair} steps is three standard errors high: eta_{pair} is not determined"
            assert told == ([wanted] if which else [])
    assert min(said.values()) > 1


def test_one_pair_is_offered_where_the_second_is_not_significant():
    for seed in (0, 1, 4, 5):
        read = spectrum(energies=(2.0,), heights=((1.0, 0.8),), noise=0.05, seed=seed)
        one = fit_steps(BIAS, read, modulation_V=MODULATION, pairs=1)
        assert not any("second" in warning for warning in one.warnings)
        two = fit_steps(BIAS, read, modulation_V=MODULATION, pairs=2)
        assert any("one pair of steps describes" in warning for warning in two.warnings)
    clear = fit_steps(BIAS, spectrum(noise=0.05), modulation_V=MODULATION)
    assert not any("one pair of steps describes" in warning for warning in clear.warnings)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("slope", [0.0, 5e-6])
@drawn(4, of=15)
def test_noise_without_a_step_is_refused(method, slope, times):
    for seed in range(times):
        noise = np.random.default_rng(seed).normal(0, 0.05e-7, BIAS.size)
        with pytest.raises(FitError, match="no step"):
            fit_steps(BIAS, 1e-7 + slope * BIAS + noise, method=method)


@pytest.mark.parametrize(
    "shape",
    [
        np.abs,
        lambda x: np.sin(3 * x),
        pytest.param(lambda x: x**2, marks=pytest.mark.slow),
        pytest.param(lambda x: np.exp(-(x**2)), marks=pytest.mark.slow),
    ],
)
def test_what_is_smooth_but_no_steps_is_refused_or_warned_of(shape):
    read = shape(BIAS / 5e-3) + np.random.default_rng(0).normal(0, 0.01, BIAS.size)
    for method in METHODS:
        try:
            fit = fit_steps(BIAS, read, method=method)
        except FitError:
            continue
        assert fit.warnings


@pytest.mark.parametrize(
    "bend",
    [
        lambda v: v * np.tanh(v),
        lambda v: 1 / (1 + v**2),
        pytest.param(lambda v: np.log(np.cosh(v)), marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("method", SAMPLE_OF_METHODS)
def test_a_clean_bend_is_not_taken_for_steps(bend, method):
    """Without noise every wiggle of a fit is significant; a bend must still not read as steps."""
    with pytest.raises(FitError, match="steps"):
        fit_steps(BIAS, 1e-7 * (1 + 0.1 * bend(BIAS / 4e-3)), method=method)


@pytest.mark.parametrize(
    ("offset", "slope"),
    [(1.2, 0.0), (1.2, 0.02)]
    + [pytest.param(*case, marks=pytest.mark.slow) for case in ((0.0, 0.0), (0.0, 0.02), (0.0, 0.002), (1.2, 0.002))],
)
@drawn(24, of=40)
def test_a_sloping_background_and_a_large_offset_of_the_bias_change_neither_eta_nor_energies(slope, offset, times):
    pulls, warned = [], 0
    for seed in range(times):
        noisy = spectrum(noise=0.03, offset=offset, seed=seed) + 1e-7 * slope * 1e3 * BIAS
        fit = fit_steps(BIAS, noisy, modulation_V=MODULATION, temperature_K=2.0)
        warned += bool(fit.warnings)
        pulls.append([(fit[name].value - value) / fit[name].error for name, value in TRUE.items()])
    assert np.all(np.abs(np.mean(pulls, axis=0)) < 0.6)
    assert np.abs(pulls).max() < 4.5
    assert warned < 0.1 * times


def test_a_background_that_is_fixed_at_no_slope_and_has_one_is_told():
    tilted = spectrum(noise=0.02) + 1e-7 * 0.02 * 1e3 * BIAS
    fit = fit_steps(BIAS, tilted, modulation_V=MODULATION, background_slope=False, plateau_slopes=False)
    assert fit.warnings
    assert "background_slope" not in {parameter.name for parameter in fit.parameters}


@pytest.mark.parametrize("bad", ["a", True, [1.0, 2.0], 1j])
@pytest.mark.parametrize("name", ["temperature_K", "modulation_V", "window_V"])
def test_arguments_that_are_no_numbers_are_refused(name, bad):
    with pytest.raises(FitError, match=name):
        fit_steps(BIAS, spectrum(noise=0.01), **{name: bad})


@pytest.mark.parametrize(
    ("bend", "noise", "pairs", "why"),
    [
        (lambda v: np.abs(v) ** 1.5, 2e-3, 1, "wider than they are"),
        (lambda v: 0.6 * (v + v**2), 5e-2, 2, "no height is three standard errors"),
    ],
)
def test_what_is_wrong_with_steps_in_a_bend_is_said(bend, noise, pairs, why):
    read = 1 + 0.5 * bend(BIAS / 10e-3) + noise * np.random.default_rng(0).standard_normal(BIAS.size)
    with pytest.raises(FitError, match=why):
        fit_steps(BIAS, read, pairs=pairs)


def test_bends_as_wide_as_the_spectrum_are_no_steps():
    bend = 1 + 0.5 * np.abs(BIAS / 10e-3) ** 1.5 + 0.1 * (BIAS / 10e-3)
    noise = 2e-3 * np.random.default_rng(5).standard_normal(BIAS.size)
    with pytest.raises(FitError, match="steps"):
        fit_steps(BIAS, bend + noise)


def test_bent_plateaus_get_slopes_of_their_own_and_a_warning():
    x, bend = 1e3 * BIAS - 0.1, 0.06
    shape = StepShape(2.0, MODULATION)
    bent = spectrum(noise=0.02) - 1e-7 * bend * (shape.ramp(x - 5.07) + shape.ramp(-x - 5.07))
    fit = fit_steps(BIAS, bent, modulation_V=MODULATION)
    assert any("plateaus beyond" in warning for warning in fit.warnings)
    assert fit["plateau_slope_positive"].value == pytest.approx(
        -bend * 1e-4, abs=4 * fit["plateau_slope_positive"].error
    )
    assert abs(fit["eta_outer"].value - TRUE["eta_outer"]) < 4 * fit["eta_outer"].error
    flat = fit_steps(BIAS, bent, modulation_V=MODULATION, plateau_slopes=False)
    assert any("not white" in warning for warning in flat.warnings)
    assert flat["outer_energy"].error > 2 * fit["outer_energy"].error


@pytest.mark.parametrize(
    ("made", "options", "text"),
    [
        ({"energies": (1.74, 9.5)}, {}, "end of the fitted window"),
        ({"energies": (3.0, 3.6), "noise": 0.002}, {}, "overlap"),
        ({"energies": (0.3, 5.0)}, {"temperature_K": 2.0}, "overlap at zero bias"),
        ({"heights": ((1.0, 1.0), (0.02, 0.02)), "noise": 0.08}, {"temperature_K": 2.0}, "three standard errors"),
        ({"heights": ((1.0, -1.0), (1.0, 1.0))}, {"temperature_K": 2.0}, "down at the other"),
        ({"bias": BIAS[::20]}, {"temperature_K": 2.0}, "too coarse"),
    ],
)  # fmt: skip
def test_what_the_data_cannot_tell_is_told(made, options, text):
    made = {"noise": 0.01, **made}
    bias = made.get("bias", BIAS)
    fit = fit_steps(bias, spectrum(**made), modulation_V=MODULATION, **options)
    assert any(text in warning for warning in fit.warnings), fit.warnings


def test_uneven_noise_is_told_and_cured_by_sigma():
    sigma = 1e-7 * np.where(np.abs(BIAS) < 5e-3, 0.01, 0.06)
    read = spectrum() + sigma * np.random.default_rng(3).normal(size=BIAS.size)
    assert any("uneven" in w for w in fit_steps(BIAS, read, modulation_V=MODULATION).warnings)
    known = fit_steps(BIAS, read, modulation_V=MODULATION, sigma=sigma)
    assert known.warnings == ()
    assert known.reduced_chi_square == pytest.approx(1.0, abs=0.3)


def test_repeated_biases_are_averaged_before_they_are_differentiated():
    bias = np.concatenate([BIAS, BIAS])
    read = np.concatenate([spectrum(noise=0.05, seed=1), spectrum(noise=0.05, seed=2)])
    twice = fit_steps(bias, read, method="gaussians", modulation_V=MODULATION)
    mean = fit_steps(BIAS, read.reshape(2, -1).mean(axis=0), method="gaussians", modulation_V=MODULATION)
    assert twice["eta_outer"].value == pytest.approx(mean["eta_outer"].value, abs=1e-4)
    assert twice["eta_outer"].error == close(mean["eta_outer"].error, rel=1e-3)
    assert np.isfinite(fit_steps(bias, read, modulation_V=MODULATION).curves["derivative"]).all()


@pytest.mark.parametrize("method", METHODS)
def test_curves_fit_together(method):
    fit = fit_steps(BIAS, spectrum(noise=0.05), modulation_V=MODULATION, method=method, window_V=8e-3)
    curves = fit.curves
    assert np.abs(curves["x"]).max() <= 8e-3 + 1e-12
    assert curves["residual"] == close(curves["data"] - curves["fit"])
    assert fit.residual == close(np.sqrt(np.mean(curves["residual"] ** 2)))
    at = np.interp(curves["x"], curves["x_smooth"], curves["fit_smooth"])
    assert at == pytest.approx(curves["fit"], abs=1e-3 * np.ptp(curves["fit"]))
    assert len(curves["x_derivative"]) == len(curves["derivative"]) == len(curves["derivative_fit"]) == fit.points - 1
    area = np.sum(curves["derivative_fit"] * np.diff(curves["x"]))
    assert area == close(curves["fit"][-1] - curves["fit"][0])


@pytest.mark.parametrize(
    ("bias", "read", "options", "text"),
    [
        (BIAS[196:206], spectrum()[196:206], {}, "too few"),
        (BIAS, np.where(BIAS == BIAS[3], np.nan, spectrum()), {}, "not finite"),
        (BIAS, np.where(BIAS == BIAS[3], np.inf, spectrum()), {"method": "gaussians"}, "not finite"),
        (BIAS, spectrum()[:-1], {}, "shape"),
        (BIAS[220:], spectrum()[220:], {}, "both polarities"),
        (BIAS, np.full(401, 3.0), {}, "no step"),
        (BIAS, 3.0 + 1e3 * BIAS, {}, "no step"),
        ([], [], {}, "no values"),
        (["a"] * 401, spectrum(), {}, "numbers"),
        (BIAS, spectrum(), {"method": "splines"}, "method"),
        (BIAS, spectrum(), {"pairs": 3}, "pairs"),
        (BIAS, spectrum(), {"temperature_K": 0.0}, "temperature_K"),
        (BIAS, spectrum(), {"modulation_V": -1e-3}, "modulation_V"),
        (BIAS, spectrum(), {"window_V": -1.0}, "window_V"),
        (BIAS, spectrum(), {"window_V": 0.1e-3}, "too few"),
        (BIAS, spectrum(), {"sigma": 0.0}, "sigma"),
        (BIAS, spectrum(), {"sigma": np.ones(3)}, "sigma"),
    ],
)
def test_data_that_cannot_carry_the_fit_are_refused_in_one_line(bias, read, options, text):
    with pytest.raises(FitError, match=text) as refusal:
        fit_steps(bias, read, **options)
    assert "\n" not in str(refusal.value)


@recorded
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("window", [7e-3, 10e-3, None])
def test_a_recorded_spectrum_has_both_pairs_in_both_directions(method, window):
    recording = open_recording(RECORDED / "spmqt_nanonis_sts_15mv.dat")
    bias = recording["Bias calc"].values
    sweeps = [recording[name].values for name in ("LockIn [AVG]", "LockIn [AVG] [bwd]")]
    forward, backward = (fit_steps(bias, read, method=method, window_V=window) for read in sweeps)
    for fit in (forward, backward):
        assert fit["inner_energy"].value == pytest.approx(1.24, abs=0.04)
        assert fit["outer_energy"].value == pytest.approx(3.72, abs=0.1)
        assert abs(fit["eta_inner"].value) < 0.06
        assert -0.25 < fit["eta_outer"].value < 0.05
        assert 0.002 < fit["eta_outer"].error < 0.1
        assert any("not white" in warning or "uneven" in warning for warning in fit.warnings)
    for name in ("inner_energy", "outer_energy", "eta_inner", "eta_outer"):
        spread = np.hypot(forward[name].error, backward[name].error)
        assert abs(forward[name].value - backward[name].value) < 3 * spread, name
    # The lock-in lags: the zero is shifted along the sweep.
    assert forward["bias_offset"].value > 0.05e-3 > -0.02e-3 > backward["bias_offset"].value


@pytest.mark.parametrize("low", [1e-3, pytest.param(4e-3, marks=pytest.mark.slow)])
@drawn(5, of=20)
def test_a_gap_at_a_step_is_told_and_no_gaussian_hides_in_it(low, times):
    for seed in range(times):
        bias = np.linspace(-9e-3, 9e-3, 241)
        bias = bias[(bias < low) | (bias > low + 1e-3)]
        seen = spectrum(bias, energies=(1.5, 4.5), offset=0.0, noise=0.02, seed=seed)
        for method in METHODS:
            try:
                fit = fit_steps(bias, seen, modulation_V=MODULATION, method=method)
            except FitError:
                continue
            for name, true in (("inner_energy", 1.5), ("outer_energy", 4.5)):
                told = any("points over the width" in warning for warning in fit.warnings)
                assert told or abs(fit[name].value - true) < 5 * fit[name].error
                assert fit[name].error > 1e-3


@pytest.mark.parametrize("few", [5, 7])
@drawn(3, of=10)
def test_too_few_points_at_one_polarity_are_told(few, times):
    bias = np.concatenate([np.linspace(-9e-3, -0.5e-3, few), np.linspace(0, 9e-3, 200)])
    for seed in range(times):
        try:
            fit = fit_steps(bias, spectrum(bias, energies=(1.5, 4.5), noise=0.01, seed=seed), modulation_V=MODULATION)
        except FitError:
            continue
        assert any("points over the width of the step at -" in warning for warning in fit.warnings)
