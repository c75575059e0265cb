"""The rate from a stochastic resonance spectrum: its value, its error, and what it says of bad data."""

import math
import re
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import curve_fit

from stmlab.analysis import analyse
from stmlab.analysis.lorentzian import fit_srs, rate_error_bound
from stmlab.axes import Axis
from stmlab.errors import FitError
from stmlab.physics.driven import occupation_harmonics
from stmlab.physics.stochastic_resonance import line_shape
from stmlab.physics.two_level import two_level_generators
from tests.approximately import close
from tests.repetitions import drawn

RATE, STEP, OFFSET = 1.73e9, 5.37e-12, -2.1e-12
CENTRE = RATE / (2 * np.pi)
GRID = np.geomspace(CENTRE / 100, CENTRE * 100, 60)


def noisy(seed, noise, grid=GRID, rate=RATE):
    return line_shape(grid, rate, STEP, OFFSET) + np.random.default_rng(seed).normal(0, noise, len(grid))


def distorted(modulation, frequencies):
    """Gamma_+ = (A/2)(1 + cos wt), mean total rate 1: real part of the first harmonic of the occupation."""
    phase = 2 * np.pi * np.arange(64) / 64
    generators = two_level_generators(0.5 * modulation * (1 + np.cos(phase)), 1 - 0.5 * modulation + 0 * phase)
    harmonics = occupation_harmonics(generators, frequencies, tolerance=1e-12)[:, :, 1]
    return harmonics[:, harmonics.shape[1] // 2 + 1].real


@settings(max_examples=60, deadline=None)
@given(
    rate=st.floats(1e3, 1e11),
    step=st.floats(1e-15, 1e-9),
    sign=st.sampled_from([1, -1]),
    offset=st.floats(-1e-10, 1e-10),
    place=st.floats(-1.4, 1.4),
    points=st.integers(12, 80),
)
def test_a_line_without_noise_gives_its_own_parameters(rate, step, sign, offset, place, points):
    assume(step > 1e-4 * abs(offset))  # else rounding of the offset is noise on the step
    grid = np.geomspace(1e-2, 1e2, points) * 10**place * rate / (2 * np.pi)
    fit = fit_srs(grid, line_shape(grid, rate, sign * step, offset))
    assert fit["rate"].value == close(rate, rel=1e-6)
    assert fit["step"].value == close(sign * step, rel=1e-6)
    assert fit["offset"].value == pytest.approx(offset, abs=1e-6 * step)
    assert fit["frequency"].value == close(rate / (2 * math.pi), rel=1e-6)
    assert fit["lifetime"].value == close(1 / rate, rel=1e-6)
    assert fit.warnings == ()


def test_values_and_errors_are_those_of_scipy():
    current = noisy(5, 2e-13)
    fit = fit_srs(GRID, current)
    found, covariance = curve_fit(
        lambda x, g, a, b: line_shape(x, g, a, b), GRID / 1e9, current * 1e12, p0=[1.5, 5.0, -2.0]
    )
    units = np.array([1e9, 1e-12, 1e-12])
    assert [fit[name].value for name in fit.free] == close(found * units, rel=1e-5)
    assert [fit[name].error for name in fit.free] == close(np.sqrt(np.diag(covariance)) * units, rel=1e-4)
    assert fit.covariance == close(covariance * np.outer(units, units), rel=1e-3)
    assert fit.residual == close(np.std(current - line_shape(GRID, *found * units)), rel=1e-3)
    assert (fit.model, fit.points, fit.reduced_chi_square) == ("srs", 60, None)


def test_points_may_come_in_any_order_and_any_container():
    current, order = noisy(6, 2e-13), np.random.default_rng(0).permutation(60)
    one, other = fit_srs(GRID, current), fit_srs(GRID[order].tolist(), current[order].tolist())
    assert other["rate"].value == close(one["rate"].value, rel=1e-9)
    assert np.all(np.diff(other.curves["x"]) > 0)
    np.testing.assert_allclose(other.curves["data"], current, rtol=1e-12)
    np.testing.assert_allclose(other.curves["data"] - other.curves["fit"], other.curves["residual"], atol=1e-24)


# -- errors --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("grid", "options", "expected"),
    [
        (np.logspace(-2, 2, 60), {}, 0.830),
        (np.logspace(0, 4, 60), {}, 5.05),
        (np.logspace(-3, 3, 60), {}, 0.945),
        (np.repeat([1e-8, 1.0, 1e8], [15, 30, 15]), {}, 0.516),
        (np.repeat([1e-8, 2**0.25], [18, 42]), {"offset_known": True}, 0.376),
    ],
)
def test_the_statistical_bound_has_the_values_of_the_facts(grid, options, expected):
    bound = rate_error_bound(CENTRE * grid, RATE, STEP, STEP / 20, **options)
    assert bound * 20 / RATE == close(expected, rel=2e-3)


def test_the_bound_is_infinite_where_the_points_tell_nothing():
    assert rate_error_bound([1e6, 1e6, 1e9], RATE, STEP, 1e-13) == math.inf
    each = rate_error_bound(GRID, RATE, STEP, np.full(60, 1e-13))
    assert each == close(rate_error_bound(GRID, RATE, STEP, 1e-13), rel=1e-12)


@pytest.mark.parametrize("known", [False, True])
@drawn(100, of=300)
def test_the_true_rate_lies_within_one_error_as_often_as_it_should(known, times):
    noise = STEP / 20
    bound = rate_error_bound(GRID, RATE, STEP, noise)
    rates = [fit_srs(GRID, noisy(seed, noise), sigma=noise if known else None)["rate"] for seed in range(times)]
    inside = np.mean([abs(rate.value - RATE) < rate.error for rate in rates])
    assert 0.60 < inside < 0.76
    assert np.median([rate.error for rate in rates]) == close(bound, rel=0.05)
    assert np.std([rate.value for rate in rates]) == close(bound, rel=0.13)


def test_what_is_derived_from_the_rate_carries_its_error():
    fit = fit_srs(GRID, noisy(5, STEP / 20))
    rate = fit["rate"]
    assert rate.error > 0
    assert fit["frequency"].error == close(rate.error / (2 * math.pi), rel=1e-12)
    assert fit["lifetime"].error == close(rate.error / rate.value**2, rel=1e-12)


def test_a_step_below_five_of_its_errors_is_refused_and_one_above_is_not():
    refused = []
    for seed in range(40):
        try:
            fit = fit_srs(GRID, noisy(seed, 0.75 * STEP))
        except FitError as refusal:
            (height,) = re.findall(r"not significant, (\d\.\d) standard errors high", str(refusal))
            refused.append(float(height))
        else:
            assert abs(fit["step"].value) >= 5 * fit["step"].error
    assert 5 < len(refused) < 35
    assert 4 < max(refused) <= 5


def test_unequal_noise_is_weighted():
    noise = np.where(np.arange(60) % 2, 1e-14, 1e-12)
    current = line_shape(GRID, RATE, STEP, OFFSET) + noise * np.random.default_rng(1).normal(size=60)
    order = np.random.default_rng(2).permutation(60)
    fit = fit_srs(GRID[order], current[order], sigma=noise[order])
    assert fit["rate"].error == close(rate_error_bound(GRID, RATE, STEP, noise), rel=0.02)
    assert abs(fit["rate"].value - RATE) < 4 * fit["rate"].error
    assert 0.4 < fit.reduced_chi_square < 1.6
    assert fit["rate"].error < 0.2 * fit_srs(GRID, current)["rate"].error


# -- where the line does not hold ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("modulation", "deviation"), [(0.2, -0.63), (0.6, -5.83), (1.0, -16.95)])
def test_strong_modulation_is_underestimated_as_known_and_said_aloud(modulation, deviation):
    frequencies = np.geomspace(1e-2, 1e2, 60) / (2 * np.pi)
    fit = fit_srs(frequencies, distorted(modulation, frequencies))
    assert 100 * (fit["rate"].value - 1) == pytest.approx(deviation, abs=0.01)
    assert any("distorted as by strong modulation" in warning for warning in fit.warnings)


def test_two_widths_correct_it_at_three_to_five_times_the_error():
    frequencies = np.geomspace(1e-2, 1e2, 60) / (2 * np.pi)
    line = distorted(0.6, frequencies)
    exact = fit_srs(frequencies, line, harmonics=2)
    assert 100 * (exact["rate"].value - 1) == pytest.approx(0.7, abs=0.05)
    assert exact.model == "srs_two_widths"
    assert exact.free == ("rate", "step", "half_width_step", "offset")
    current = line + np.random.default_rng(4).normal(0, np.ptp(line) / 300, 60)
    one, two = fit_srs(frequencies, current), fit_srs(frequencies, current, harmonics=2)
    assert 3 < two["rate"].error / one["rate"].error < 5
    assert abs(two["rate"].value - 1) < 3 * two["rate"].error
    assert any("(1.0" in warning and "srs_two_widths" in warning for warning in one.warnings)


def test_an_honest_line_is_rarely_called_distorted():
    called = [any("distorted" in w for w in fit_srs(GRID, noisy(seed, STEP / 50)).warnings) for seed in range(100)]
    assert sum(called) <= 6


@pytest.mark.parametrize(
    ("centre", "warning"),
    [(2.9e6, "is nearer than half a decade to an end of"), (3.5e9, "is nearer than"), (2e10, "lies outside")],
)
def test_a_rate_at_the_edge_of_the_band_or_beyond_comes_with_a_warning(centre, warning):
    grid = np.geomspace(1e6, 1e10, 60)
    fit = fit_srs(grid, noisy(1, STEP / 1000, grid, rate=2 * np.pi * centre))
    assert any(warning in text for text in fit.warnings)
    assert abs(fit["frequency"].value - centre) < 4 * fit["frequency"].error


def test_noise_alone_never_gives_a_confident_rate():
    confident = 0
    for seed in range(40):
        noise = np.random.default_rng(seed).normal(0, 1e-13, 60)
        try:
            fit = fit_srs(GRID, noise)
        except FitError:
            continue
        confident += not fit.warnings and fit["rate"].error < 0.5 * fit["rate"].value
    assert confident <= 1


def test_few_points_and_too_much_scatter_are_said():
    grid = np.geomspace(CENTRE / 100, CENTRE * 100, 7)
    assert any("7 points are few" in w for w in fit_srs(grid, noisy(1, STEP / 1e3, grid)).warnings)
    wild = fit_srs(GRID, noisy(1, STEP / 20), sigma=STEP / 60)
    assert any("scatter more than sigma allows" in w for w in wild.warnings)


# -- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frequency", "current", "text"),
    [
        (GRID[:3], noisy(0, 1e-13)[:3], "3 points are too few for 3 parameters"),
        ([], [], "0 points are too few"),
        (GRID, np.where(np.arange(60) == 5, np.nan, 1e-12), "current: 1 of 60 values are not finite"),
        (np.where(np.arange(60) == 5, np.inf, GRID), GRID, "frequency: 1 of 60 values are not finite"),
        (GRID, GRID[:-1], r"frequency has shape \(60,\), current \(59,\)"),
        (GRID.reshape(6, 10), GRID.reshape(6, 10), r"shape \(6, 10\)"),
        (GRID - GRID[3], GRID, "frequency = -.* Hz: positive"),
        (GRID * 0, GRID, "frequency = 0 Hz: positive"),
        (GRID * 0 + 1e6, GRID, "1 different frequencies cannot tell 3 parameters apart"),
        (GRID, GRID * 0 + 3e-12, "current = 3e-12 A at every frequency"),
        (["a"] * 5, GRID[:5], "frequency: .* are not numbers"),
    ],
)
def test_data_that_cannot_carry_a_fit_are_refused_in_one_line(frequency, current, text):
    with pytest.raises(FitError, match=text) as refusal:
        fit_srs(frequency, current)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("sigma", [0.0, -1e-13, np.nan, np.ones(59), np.zeros(60)])
def test_a_noise_that_cannot_be_is_refused(sigma):
    with pytest.raises(FitError, match="sigma"):
        fit_srs(GRID, noisy(0, 1e-13), sigma=sigma)


def test_only_one_or_two_widths_are_offered():
    with pytest.raises(FitError, match="harmonics = 3: 1 or 2 is allowed"):
        fit_srs(GRID, noisy(0, 1e-13), harmonics=3)
    with pytest.raises(FitError, match="4 points are too few for 4 parameters"):
        fit_srs(GRID[::15], noisy(0, 1e-13)[::15], harmonics=2)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(1e-3, 1e12), st.floats(-1e-6, 1e-6)), min_size=4, max_size=30))
def test_any_finite_data_give_a_fit_or_a_refusal(points):
    frequency, current = zip(*points, strict=True)
    try:
        fit = fit_srs(frequency, current)
    except FitError:
        return
    assert all(math.isfinite(p.value) and math.isfinite(p.error) and p.error >= 0 for p in fit.parameters)


@pytest.mark.parametrize("harmonics", [1, 2])
def test_a_current_that_only_wanders_is_no_confident_step(harmonics):
    for seed in range(20):
        wander = 1e-13 * np.cumsum(np.random.default_rng(seed).normal(size=80))
        try:
            fit = fit_srs(np.geomspace(1e6, 1e10, 80), wander, harmonics=harmonics)
        except FitError:
            continue
        assert any("not white" in warning for warning in fit.warnings)


# -- runs --------------------------------------------------------------------------------------------------------------


def run_of(sequence, **columns):
    coordinates = {"frequency": columns.pop("frequency", GRID)}
    points = len(coordinates["frequency"])
    axes = tuple(Axis(name, "", values, "") for name, values in coordinates.items())
    return SimpleNamespace(
        path="run.h5",
        sequence=sequence,
        coordinates=coordinates,
        data=columns,
        axes=axes,
        points=points,
        parameters={},
        factors={},
    )


def test_the_sequence_chooses_the_model_and_a_name_overrules_it():
    current = noisy(2, 1e-13)
    run = run_of("srs", current=current)
    assert analyse(run)["rate"].value == fit_srs(GRID, current)["rate"].value
    assert analyse(run_of("other", current=current), "srs").model == "srs"
    assert analyse(run, "srs_two_widths").model == "srs_two_widths"


def test_a_spectrum_that_was_not_flattened_says_so_before_all_else():
    run = run_of("srs", current=noisy(2, 1e-13))
    run.factors = {"flattened": SimpleNamespace(value=False)}
    assert analyse(run).warnings[0].startswith("the spectrum is not flattened")


def test_a_map_that_was_stopped_is_fitted_where_it_is_whole():
    clean, rows = noisy(2, 1e-14), 3
    run = run_of("srs_map", frequency=np.tile(GRID, rows)[:-20], current=np.tile(clean, rows)[:-20])
    axis = Axis("frequency", "Hz", GRID, "")
    run.axes = (Axis("offset", "V", np.arange(3.0), ""), Axis("drive", "V", np.ones(1), ""), axis)
    run.coordinates |= {"offset": np.repeat(np.arange(3.0), GRID.size)[:-20], "drive": np.ones(run.points)}
    fit = analyse(run)
    assert [parameter.name for parameter in fit.parameters if parameter.name.startswith("rate")] == ["rate_1", "rate_2"]
    assert fit.warnings[0] == f"the last spectrum is not whole ({GRID.size - 20} of {GRID.size} points) and left out"
    with pytest.raises(FitError, match="field: the model srs_map takes no settings"):
        analyse(run, settings={"field": 1.0})


def test_an_unknown_model_or_missing_data_are_refused_with_what_there_is():
    with pytest.raises(FitError, match=r"model 'sine' is not known: .*srs, .*srs_two_widths.* are"):
        analyse(run_of("srs", current=GRID), "sine")
    with pytest.raises(FitError, match=r"sequence other has no model of its own: name one of .*srs"):
        analyse(run_of("other"))
    with pytest.raises(FitError, match=r"the model needs current, the run has frequency, x"):
        analyse(run_of("srs", x=GRID))


@pytest.mark.parametrize("model", ["srs", "srs_two_widths"])
def test_many_spectra_are_not_fitted_as_one(model):
    run = run_of("srs_map", current=noisy(2, 1e-13))
    run.axes = (Axis("drive", "V", np.array([1e-3, 2e-3]), ""), *run.axes)
    with pytest.raises(FitError, match="many over drive: srs_map takes"):
        analyse(run, model)
    run.axes = run.axes[:1]
    with pytest.raises(FitError, match="needs a run over frequency, this one is over drive"):
        analyse(run, model)


@pytest.mark.parametrize("harmonics", [1, 2])
def test_a_spectrum_cut_off_before_its_line_gives_no_rate(harmonics):
    """From either end, a rate is given only where the line is seen, and is right then."""
    current, given = noisy(3, 1e-13), 0
    for points in range(4 + harmonics, 60, 2):
        for part in (slice(points), slice(-points, None)):
            try:
                fit = fit_srs(GRID[part], current[part], harmonics=harmonics)
            except FitError:
                continue
            given += 1
            assert abs(fit["rate"].value - RATE) < 5 * fit["rate"].error
            assert fit["rate"].error < RATE
    assert given > 15
