"""Telegraph switching: rates of traces made in continuous time, and of recorded ones."""

import math

import numpy as np
import pytest
from scipy.linalg import expm
from scipy.signal import lfilter

from stmlab.analysis.telegraph import fit_telegraph
from stmlab.analysis.telegraph.course import most_likely_states
from stmlab.analysis.telegraph.dwells import corrected_rates, dwells, idealised
from stmlab.analysis.telegraph.likelihood import log_likelihood, with_slopes
from stmlab.analysis.telegraph.noise import likelihood_of_noise
from stmlab.analysis.telegraph.products import Products
from stmlab.analysis.telegraph.samples import Samples
from stmlab.analysis.telegraph.search import most_likely
from stmlab.analysis.telegraph.switching import Switching
from stmlab.errors import FitError
from stmlab.storage.recorded import open_recording
from tests.approximately import close
from tests.recorded_files import RECORDED, recorded
from tests.repetitions import drawn

INTERVAL = 1e-3


def trace(up, down, samples, noise, seed, *, averaged=True):
    """Exact switching in continuous time; rates per sample, levels 0 and 1; each sample a mean or a moment."""
    random = np.random.default_rng(seed)
    state = bool(random.random() < up / (up + down))
    times, states, now = [0.0], [state], 0.0
    while now < samples:
        now += random.exponential(1 / (down if state else up))
        state = not state
        times.append(now)
        states.append(state)
    times, states = np.array(times), np.array(states, dtype=float)
    if averaged:
        high = np.concatenate([[0.0], np.cumsum(np.diff(times) * states[:-1])])
        clean = np.diff(np.interp(np.arange(samples + 1.0), times, high))
    else:
        clean = states[np.searchsorted(times, np.arange(samples) + 0.5) - 1]
    return clean + noise * random.standard_normal(samples)


def noise(seed, samples):
    return 0.05 * np.random.default_rng(seed).standard_normal(samples)


@pytest.mark.parametrize(
    ("up", "down", "noise", "averaged"),
    [
        (0.1, 0.05, 0.1, False),
        pytest.param(0.02, 0.05, 0.2, True, marks=pytest.mark.slow),
        pytest.param(0.02, 0.01, 1 / 3, True, marks=pytest.mark.slow),
    ],
)
def test_rates_and_their_errors_are_honest(up, down, noise, averaged):
    pulls = []
    for seed in range(24):
        fit = fit_telegraph(trace(up, down, 1500, noise, seed, averaged=averaged), INTERVAL)
        pulls.append(
            [
                math.log(fit[name].value * INTERVAL / true) * fit[name].value / fit[name].error
                for name, true in (("rate_up", up), ("rate_down", down))
            ]
        )
    assert np.all(np.abs(np.mean(pulls, axis=0)) < 0.7)
    assert np.all((np.std(pulls, axis=0) > 0.7) & (np.std(pulls, axis=0) < 1.25))


@pytest.mark.parametrize("correlation", [pytest.param(0.3, marks=pytest.mark.slow), 0.6, 0.9, 0.97])
@drawn(2, of=6)
def test_filtered_noise_is_not_taken_for_switching(correlation, times):
    """It strays to either side as a telegraph does; it has one level all the same."""
    for seed in range(times):
        white = np.random.default_rng(seed).standard_normal(5000)
        with pytest.raises(FitError, match="does not show two levels"):
            fit_telegraph(1e-12 * lfilter([1.0], [1.0, -correlation], white), INTERVAL)


@drawn(2, of=4)
def test_levels_near_each_other_are_told_from_noise_that_is_white(times):
    for seed in range(times):
        fit = fit_telegraph(trace(0.05, 0.08, 5000, 1 / 2.5, seed), INTERVAL)
        assert fit["rate"].value * INTERVAL == pytest.approx(0.13, abs=5 * fit["rate"].error * INTERVAL)


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.95])
def test_the_likelihood_of_noise_is_that_of_the_process_that_made_it(correlation):
    """Against the closed form for a first-order process of known innovations."""
    white = np.random.default_rng(1).standard_normal(20000)
    made = lfilter([1.0], [1.0, -correlation], white)
    true = -0.5 * white.size * (math.log(2 * math.pi * white.var()) + 1)
    assert likelihood_of_noise(made) == pytest.approx(true, abs=30)
    if correlation:
        assert likelihood_of_noise(made) > -0.5 * white.size * (math.log(2 * math.pi * made.var()) + 1) + 1000


@pytest.mark.parametrize("constant", [1.0, 2.5, 6.0])
def test_jumps_that_a_filter_spreads_are_not_counted_more_than_once(constant):
    up, down, fine, samples = 0.012, 0.03, 20, 20_000
    clean = trace(up / fine, down / fine, samples * fine, 0.0, 5)
    unfiltered = fit_telegraph(clean[fine - 1 :: fine], INTERVAL)
    keep = math.exp(-1 / (constant * fine))
    filtered = lfilter([1 - keep], [1, -keep], clean)[fine - 1 :: fine]
    for noise in (0.003, 0.1):
        fit = fit_telegraph(filtered + noise * np.random.default_rng(6).standard_normal(samples), INTERVAL)
        assert any("filter" in warning for warning in fit.warnings)
        for name in ("rate_up", "rate_down"):
            assert fit[name].value == close(unfiltered[name].value, rel=0.1)
        assert fit["high"].value == pytest.approx(1.0, abs=0.02)


def test_both_ways_to_the_rates_agree():
    current = trace(0.02, 0.01, 20_000, 0.1, 1)
    likelihood, counted = fit_telegraph(current, INTERVAL), fit_telegraph(current, INTERVAL, dead_time=3e-3)
    for name in ("rate_up", "rate_down"):
        assert abs(likelihood[name].value - counted[name].value) < 0.5 * likelihood[name].error
        assert counted[name].error == close(likelihood[name].error, rel=0.3)
    assert likelihood["occupation"].value == pytest.approx(2 / 3, abs=0.05)
    assert likelihood["rate"].value == close(30, rel=0.1)


def test_the_correction_for_missed_dwells_is_that_of_a_long_simulation():
    up, down, dead, fine = 0.05, 0.03, 6.0, 10
    states = trace(up / fine, down / fine, 2_000_000, 0.0, 2, averaged=False)
    counted = dwells(states, dead * fine)
    means = counted.low.mean() / fine, counted.high.mean() / fine
    assert corrected_rates(*means, dead) == close((up, down), rel=0.06)
    assert 1 / (means[0] - dead) < 0.85 * up  # without the correction


def unrounded(values):
    """As the likelihood reads a trace, every sample with its own value."""
    return Samples.of(values, 1e-6)


@pytest.mark.parametrize("shape", [(8,), (3, 7), (2, 1000), (1, 70_001)])
def test_samples_are_all_there_and_in_their_order(shape):
    values = np.random.default_rng(4).normal(size=shape)
    for scale, off in ((1e-9, 0.0), (0.3, 2e-4)):
        samples = Samples.of(values, scale)
        assert samples.size == values.size == samples.counts.sum()
        placed = np.append(samples.values, np.nan)[samples.steps]
        np.testing.assert_allclose(samples.in_order(placed), np.atleast_2d(values), rtol=0, atol=off)
        assert np.isnan(placed).sum() == placed.size - values.size


def test_the_values_of_a_coarse_digitiser_stay_what_they_are():
    values = np.random.default_rng(4).integers(0, 40, 1000) * 0.125
    samples = Samples.of(values, 0.3)
    np.testing.assert_array_equal(samples.values, np.unique(values))
    np.testing.assert_array_equal(samples.counts, np.unique(values, return_counts=True)[1])


@pytest.mark.parametrize(
    "model", [Switching(0.1, 0.3, 0.0, 1.0, 0.4), Switching(3.0, 2.0, 0.0, 1.0, 0.2, averaged=True)]
)
def test_the_course_is_the_likeliest_of_all(model):
    """Beside the whole list of courses of short traces; several, so that segments follow each other."""
    values = np.random.default_rng(5).normal(0.5, 0.6, (5, 9))
    samples = Samples.of(np.tile(values, 15), 1e-9)
    scores = scored_of(model, values)
    for row, scored in zip(most_likely_states(Samples.of(values, 1e-9), model), scores, strict=True):
        found = {}
        for path in np.ndindex(*[2] * 10):
            found[path[1:]] = max(
                found.get(path[1:], -np.inf),
                math.log(model.stationary()[path[0]]) + sum(scored[t, path[t], path[t + 1]] for t in range(9)),
            )
        assert tuple(row.astype(int)) == max(found, key=found.get)
    assert samples.steps.shape[1] > 5
    longer = most_likely_states(samples, model)
    scored = scored_of(model, np.tile(values, 15))
    for row, score in zip(longer, scored, strict=True):
        np.testing.assert_array_equal(row, step_by_step(score, np.log(model.stationary())))


def scored_of(model, values):
    """Of each sample, ln of its probability with the way there; shape (traces, n, 2, 2)."""
    return np.moveaxis(np.log(model.joint(values.ravel())).reshape(2, 2, *values.shape), (0, 1), (2, 3))


def step_by_step(scores, begin):
    """Viterbi as in the textbook."""
    best, came = begin, []
    for score in scores:
        ways = best[:, None] + score
        came.append(ways.argmax(axis=0))
        best = ways.max(axis=0)
    state, states = best.argmax(), []
    for way in reversed(came):
        states.append(state)
        state = way[state]
    return states[::-1]


def test_the_likelihood_is_the_sum_over_all_paths():
    values, switching = trace(0.3, 0.2, 8, 0.2, 3), Switching(0.3, 0.2, 0.05, 0.9, 0.25)
    matrices, total = switching.joint(values), 0.0
    for path in np.ndindex(*[2] * 9):
        probability = switching.stationary()[path[0]]
        for t in range(8):
            probability *= matrices[path[t], path[t + 1], t]
        total += probability
    assert log_likelihood(unrounded(values), switching) == close(math.log(total), rel=1e-12)
    np.testing.assert_allclose(switching.transitions().sum(axis=1), 1.0)
    np.testing.assert_allclose(switching.stationary() @ switching.transitions(), switching.stationary())


@pytest.mark.parametrize("averaged", [True, False])
@pytest.mark.parametrize("heavy", [True, False])
@pytest.mark.parametrize(("noise", "shape"), [(0.25, (1, 517)), (0.25, (3, 170)), (0.02, (1, 517))])
def test_slopes_of_the_likelihood_are_those_of_its_values(noise, shape, heavy, averaged):
    values = np.array([trace(0.1, 0.2, shape[1], 0.2, seed) for seed in range(shape[0])])
    model = Switching(0.12, 0.15, 0.05, 0.9, noise, averaged=averaged, heavy=heavy)
    samples, vector, step = Samples.of(values, model.scale), model.vector(), 1e-5
    found, slopes = with_slopes(samples, model)
    assert found == close(log_likelihood(samples, model), rel=1e-14)
    beside = [
        [log_likelihood(samples, model.moved(vector + side * row)) for side in (1, -1)] for row in step * np.eye(5)
    ]
    expected = np.subtract(*np.transpose(beside)) / (2 * step)
    np.testing.assert_allclose(slopes, expected, atol=1e-6 * np.abs(expected).max())


@pytest.mark.parametrize("length", [1, 2, 15, 16, 39, 5000])
def test_products_in_pairs_are_those_of_one_factor_after_the_other(length):
    """Of so many that they underflow unless they are divided again and again."""
    factors = 1e-3 * np.random.default_rng(length).random((2, 2, length, 3))
    found, product, logarithm = Products.of(factors), np.eye(2)[..., None], 0.0
    for factor in np.moveaxis(factors, 2, 0):
        product = np.einsum("ijs,jks->iks", product, factor)
        size = product.max(axis=(0, 1))
        product, logarithm = product / size, logarithm + np.log(size).sum()
    of_found = np.log(found.whole.max(axis=(0, 1))).sum() + found.logarithm
    assert of_found == close(logarithm, rel=1e-12)
    np.testing.assert_allclose(found.whole / found.whole.max(axis=(0, 1)), product, rtol=1e-9)


@pytest.mark.parametrize(("up", "down"), [(0.01, 0.3), (0.8, 1.2)])
def test_averages_over_an_interval_are_distributed_as_simulated_ones(up, down):
    """Characteristic function of the time in the high state: e^(dt (Q + i k H)), Q the rates, H the high state."""
    grid, sigma = np.linspace(-2.0, 3.0, 4001), 0.15
    model = Switching(up, down, 0.0, 1.0, sigma)
    joint = model.joint(grid) - (model.transitions() * 1e-5 / sigma)[..., None]
    for k in (0.5, 3.0, 7.0):
        exact = expm(np.array([[-up, up], [down, -down + 1j * k]])) * math.exp(-0.5 * (k * sigma) ** 2)
        found = np.trapezoid(joint * np.exp(1j * k * grid), grid)
        np.testing.assert_allclose(found, exact, atol=1e-5)


@pytest.mark.parametrize(
    ("up", "down", "sigma", "samples"),
    [
        (0.8, 1.0, 0.1, 5_000),
        pytest.param(0.8, 1.0, 0.1, 20_000, marks=pytest.mark.slow),
        pytest.param(0.2, 0.25, 0.1, 20_000, marks=pytest.mark.slow),
        pytest.param(0.3, 0.4, 0.25, 20_000, marks=pytest.mark.slow),
    ],
)
def test_rates_as_fast_as_the_samples_come_back(up, down, sigma, samples):
    pulls = []
    for seed in range(6):
        fit = fit_telegraph(trace(up, down, samples, sigma, seed), INTERVAL)
        for name, true in (("rate_up", up), ("rate_down", down), ("step", INTERVAL)):
            pulls.append((fit[name].value * INTERVAL - true) / fit[name].error / INTERVAL)
        assert fit["rate"].error < 0.05 * fit["rate"].value
        assert any("sample faster" in warning for warning in fit.warnings) == (max(up, down) > 0.5)
    assert abs(np.mean(pulls)) < 0.5
    assert 0.68 < np.std(pulls) < 1.3


@drawn(2, of=4)
def test_levels_of_a_quiet_trace_are_not_pulled_by_its_hidden_dwells(times):
    for seed in range(times):
        fit = fit_telegraph(trace(0.1, 0.15, 20000, 0.1, seed), INTERVAL)
        assert fit["low"].value == pytest.approx(0.0, abs=3.5 * fit["low"].error)
        assert fit["high"].value == pytest.approx(1.0, abs=3.5 * fit["high"].error)


@pytest.mark.parametrize(
    ("made", "up", "down"),
    [
        pytest.param(lambda seed: trace(0.0005, 0.05, 20000, 0.1, seed), 0.5, 50.0, marks=pytest.mark.slow),
        (lambda seed: trace(0.003, 0.3, 20000, 0.25, seed), 3.0, 300.0),
    ],
)
@drawn(3, of=6)
def test_a_state_that_is_rare_is_found(made, up, down, times):
    for seed in range(times):
        fit = fit_telegraph(made(seed), INTERVAL)
        assert fit["rate_up"].value == pytest.approx(up, abs=4 * fit["rate_up"].error)
        assert fit["rate_down"].value == pytest.approx(down, abs=4 * fit["rate_down"].error)
        assert fit["step"].value == pytest.approx(1.0, abs=0.06)


def test_five_short_dwells_far_out_of_the_noise_are_switching():
    current = 0.1 * np.random.default_rng(0).standard_normal(20000)
    for begin in (2000, 6000, 9000, 13000, 17000):
        current[begin : begin + 20] += 1
    fit = fit_telegraph(current, INTERVAL)
    assert fit.choices["transitions"] == "10"
    assert fit["rate_down"].value == close(50, rel=0.1)


@drawn(4, of=8)
def test_noise_that_crosses_a_threshold_is_told_or_left_out(times):
    for seed in range(times):
        loud = trace(0.005, 0.008, 20000, 0.3, seed)
        counted = fit_telegraph(loud, INTERVAL, threshold=0.5)
        assert any("noise that crosses" in warning for warning in counted.warnings)
        for current, settings in (
            (loud, {"threshold": 0.5, "dead_time": 5e-3}),
            (trace(0.005, 0.008, 20000, 0.2, seed), {"threshold": 0.5}),
        ):
            fit = fit_telegraph(current, INTERVAL, **settings)
            assert fit["rate"].value == pytest.approx(13.0, abs=3 * fit["rate"].error)
            assert not any("noise that crosses" in warning for warning in fit.warnings)


@drawn(6, of=12)
def test_a_trace_without_noise_has_a_result(times):
    for seed in range(times):
        fit = fit_telegraph(trace(0.02, 0.03, 3000, 0.0, seed), INTERVAL)
        assert fit["rate"].value == pytest.approx(50, abs=5 * fit["rate"].error)
        assert (fit["low"].value, fit["high"].value) == pytest.approx((0, 1), abs=1e-6)
        assert all(parameter.error > 0 for parameter in fit.parameters)


@pytest.mark.slow
def test_errors_of_levels_know_that_the_noise_has_a_memory():
    """Noise of a first-order process: the mean of n samples varies as that of n (1 - r)/(1 + r) independent ones."""
    pulls, memory = [], 0.7
    for seed in range(30):
        white = np.random.default_rng(100 + seed).standard_normal(6000)
        coloured = 0.04 * math.sqrt(1 - memory**2) * lfilter([1.0], [1.0, -memory], white)
        fit = fit_telegraph(trace(0.01, 0.01, 6000, 0.0, seed) + coloured, INTERVAL)
        pulls.append([fit["low"].value / fit["low"].error, (fit["high"].value - 1) / fit["high"].error])
        assert any("errors of the levels are widened" in warning for warning in fit.warnings)
    assert 0.7 < np.std(pulls) < 1.3


@pytest.mark.parametrize(("deviation", "told"), [(0.3, False), (0.38, True), (0.42, True)])
def test_levels_closer_than_three_times_the_noise_are_told(deviation, told):
    fit = fit_telegraph(trace(0.01, 0.02, 6000, deviation, 3), INTERVAL)
    warnings = [warning for warning in fit.warnings if "times the noise apart" in warning]
    assert warnings == ([f"the levels lie only {1 / deviation:.1f} times the noise apart"] if told else [])


@drawn(6, of=40)
def test_dwells_that_are_far_too_regular_are_told(times):
    square = (np.arange(3000) // 60) % 2 + 2 * noise(5, 3000)
    assert any("far too regular" in warning for warning in fit_telegraph(square, INTERVAL).warnings)
    assert all(
        "regular" not in w for k in range(times) for w in fit_telegraph(trace(0.02, 0.02, 1200, 0.1, k), 1.0).warnings
    )


def test_several_traces_are_one_process():
    """Their likelihoods are multiplied; from the end of one to the beginning of the next there is no transition."""
    made = np.array([trace(0.02, 0.05, 4000, 0.1, seed) for seed in range(4)])
    model = Switching(0.02, 0.05, 0.0, 1.0, 0.1)
    apart = sum(log_likelihood(unrounded(one), model) for one in made)
    assert log_likelihood(unrounded(made), model) == close(apart, rel=1e-12)
    fit, alone = fit_telegraph(made, INTERVAL), [fit_telegraph(one, INTERVAL) for one in made]
    weights = np.array([one["rate_up"].error ** -2 for one in alone])
    assert fit["rate_up"].error == close(weights.sum() ** -0.5, rel=0.1)
    assert int(fit.choices["transitions"]) == pytest.approx(
        sum(int(one.choices["transitions"]) for one in alone), abs=2
    )
    np.testing.assert_allclose(fit.curves["data"].reshape(4, -1), made, atol=1e-12)
    ends = np.array([np.r_[np.ones(10), np.zeros(10), np.ones(30)], np.r_[np.zeros(30), np.ones(5), np.zeros(15)]])
    counted = dwells(ends, 1.0)
    assert (counted.transitions, counted.low.tolist(), counted.high.tolist()) == (4, [10.0], [5.0])


def test_the_histogram_and_what_is_expected_of_it_count_the_same_samples():
    for sigma in (0.004, 0.3):
        curves = fit_telegraph(trace(0.02, 0.03, 5000, sigma, 1), INTERVAL).curves
        assert curves["histogram"].sum() == 5000
        assert curves["histogram_fit"].sum() == close(5000, rel=0.01)
        assert curves["histogram_fit"].max() < 1.3 * curves["histogram"].max()


def test_densities_are_normalised():
    grid = np.linspace(-40.0, 41.0, 40_001)
    for averaged in (True, False):
        for heavy in (True, False):
            model = Switching(0.1, 0.1, 0.0, 1.0, 0.2, averaged=averaged, heavy=heavy)
            densities = model.joint(grid) / model.transitions()[..., None]
            np.testing.assert_allclose(np.trapezoid(densities - 1e-5 / 0.2, grid), 1.0, atol=1e-4)


def test_noise_between_the_thresholds_makes_no_transition():
    states = idealised(np.array([0.0, 0.45, 0.55, 0.45, 1.0, 0.55, 0.45, 0.0]), (0.3, 0.7))
    assert states.tolist() == [0, 0, 0, 0, 1, 1, 1, 0]


@recorded
@pytest.mark.parametrize(
    ("name", "low", "high", "times"),
    [
        ("a", -255.6e-12, -197.4e-12, (1581, 1980, 2691, 2734, 4513, 4686)),
        ("b", -260.9e-12, -221.4e-12, (80, 1637, 1823, 3763, 4701, 4756)),
    ],
)
def test_recorded_traces_switch_where_a_reader_sees_it(name, low, high, times):
    """Levels and times read off the plotted traces, before the fit."""
    recording = open_recording(RECORDED / f"spmqt_createc_ivt_telegraph_300mv_{name}.VERT")
    fit = fit_telegraph(recording["Current"].values, recording.sample_interval)
    assert fit["low"].value == pytest.approx(low, abs=1e-12)
    assert fit["high"].value == pytest.approx(high, abs=1e-12)
    assert tuple(np.flatnonzero(np.diff(fit.curves["fit"]))) == pytest.approx(times, abs=2)
    dwelt = np.mean(fit.curves["fit"] < 0.5 * (low + high)) * 5.0  # s in the low state
    assert fit["rate_up"].value == pytest.approx(3 / dwelt, abs=fit["rate_up"].error)
    assert any("only 6 transitions" in warning for warning in fit.warnings)


@pytest.mark.parametrize(
    ("current", "complaint"),
    [
        (np.random.default_rng(1).standard_normal(3000), "does not show two levels"),
        (np.repeat([0, 1, 2, 1, 0, 2, 0, 1, 2, 0] * 15, 20) + noise(1, 3000), "or a third level"),
        (np.r_[np.zeros(500), 100, np.zeros(500)] + noise(2, 1001), "levels|transitions"),
        (np.r_[np.zeros(500), np.ones(500)] + 0.1 * np.random.default_rng(2).standard_normal(1000), "1 transition in"),
        (np.full(200, 3e-12), "nothing that switches"),
        (np.r_[np.nan, trace(0.1, 0.1, 300, 0.1, 4)], "1 of 301 values are not finite"),
        (np.zeros(20), "at least 50"),
        (np.zeros((60, 2)), "a row"),
        (np.arange(3000) % 2 * 1.0, "too long for mean dwells"),
        (noise(1, 3000) + (np.random.default_rng(2).random(3000) < 0.01), "come singly"),
        (np.random.default_rng(3).standard_t(2, 5000), "does not show two levels"),
        (lfilter([1.0], [1.0, -0.9], np.random.default_rng(4).standard_t(3, 5000)), "does not show two levels"),
    ],
)
def test_what_cannot_be_fitted_is_refused(current, complaint):
    with pytest.raises(FitError, match=complaint):
        fit_telegraph(current, INTERVAL)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"threshold": 2.0}, "outside the two levels"),
        ({"dead_time": -1.0}, "dead_time"),
        ({"dead_time": 0.05}, "transition|too long"),
        ({"threshold": "middle"}, "threshold = 'middle': a number"),
        ({"threshold": [0.5]}, "a number"),
        ({"dead_time": math.nan}, "dead_time = nan s: a sample"),
        ({"dead_time": "2 ms"}, "a number"),
    ],
)
def test_impossible_thresholds_and_dead_times_are_refused(settings, complaint):
    with pytest.raises(FitError, match=complaint):
        fit_telegraph(trace(0.1, 0.1, 2000, 0.1, 5), INTERVAL, **settings)


@pytest.mark.parametrize("interval", [None, "1e-3", [1e-3], math.inf, 1j])
def test_an_interval_that_is_no_number_is_refused(interval):
    with pytest.raises(FitError, match="sample_interval"):
        fit_telegraph(trace(0.1, 0.1, 2000, 0.1, 5), interval)


def test_doubtful_traces_say_so():
    drifting = trace(0.02, 0.02, 4000, 0.1, 6) + np.linspace(0, 0.3, 4000)
    assert any("drift" in warning for warning in fit_telegraph(drifting, INTERVAL).warnings)
    few = np.r_[np.zeros(400), np.ones(300), np.zeros(300)] + 0.1 * np.random.default_rng(7).standard_normal(1000)
    assert any("only 2 transitions" in warning for warning in fit_telegraph(few, INTERVAL).warnings)
    three = trace(0.02, 0.02, 4000, 0.05, 8) + 2.2 * (np.arange(4000) % 700 < 60)
    assert fit_telegraph(three, INTERVAL).warnings
    fast = fit_telegraph(trace(0.5, 0.6, 4000, 0.05, 9), INTERVAL)
    assert any("sample faster" in warning for warning in fast.warnings)


@pytest.mark.parametrize(("digit", "offset", "noise"), [(0.3, 0.1, 0.05), (0.25, 0.0, 0.1), (0.3, 0.1, 0.1)])
def test_a_coarse_digitiser_makes_no_transitions(digit, offset, noise):
    made = trace(0.02, 0.05, 40000, noise, 2)
    fit = fit_telegraph(np.round((made + offset) / digit) * digit, INTERVAL)
    for name, true in (("rate_up", 20.0), ("rate_down", 50.0)):
        assert fit[name].value == pytest.approx(true, abs=4 * fit[name].error)
    for name, true in (("low", offset), ("high", 1 + offset)):
        assert fit[name].value == pytest.approx(true, abs=0.2)
        assert fit[name].error > digit / 4
    assert any("digitised in steps" in warning for warning in fit.warnings)


@pytest.mark.parametrize("constant", [1.0, 3.0])
def test_a_filter_before_loud_noise_is_told(constant):
    kept = math.exp(-1 / constant)
    filtered = lfilter([1 - kept], [1, -kept], trace(0.02, 0.05, 40000, 0.0, 3))
    fit = fit_telegraph(filtered + 0.2 * np.random.default_rng(1).standard_normal(40000), INTERVAL)
    assert any("away from its new level" in warning for warning in fit.warnings)


@drawn(3, of=5)
def test_the_noise_of_a_quiet_trace_is_not_that_of_its_hidden_dwells(times):
    for seed in range(times):
        fit = fit_telegraph(trace(0.02, 0.02, 10000, 0.01, seed), INTERVAL)
        assert fit["noise"].value == pytest.approx(0.01, abs=4 * fit["noise"].error)
        assert not fit.warnings


def test_dwells_hardly_longer_than_the_dead_time_are_told():
    made = trace(0.1, 0.1, 50000, 0.1, 4)
    assert any("dead time" in warning for warning in fit_telegraph(made, INTERVAL, threshold=0.5).warnings)
    with pytest.raises(FitError, match=r"a sample, 0\.001 s, or more"):
        fit_telegraph(made, INTERVAL, dead_time=0.0)


def coloured(samples, memory, seed):
    keep = math.exp(-1 / memory)
    return lfilter([math.sqrt(1 - keep**2)], [1, -keep], np.random.default_rng(seed).standard_normal(samples))


TIME = np.arange(5000)
MOVING = {
    "settling": 5 * np.exp(-TIME / 800) + 0.3 * coloured(5000, 0.5, 0),
    "settling in coloured noise": 5 * np.exp(-TIME / 500) + 0.5 * coloured(5000, 10, 1),
    "creep": np.log1p(TIME / 20) + 0.3 * coloured(5000, 2, 2),
    "drift": TIME / 1000 + 0.3 * coloured(5000, 5, 3),
    "drift there and back": 2 * np.cos(TIME / 1000) + 0.2 * coloured(5000, 3, 4),
    "loud mains": np.sin(2 * np.pi * 50e-3 * TIME) + 0.2 * coloured(5000, 0.5, 5),
    "quiet mains": np.sin(2 * np.pi * 50e-3 * TIME) + 0.02 * coloured(5000, 0.5, 6),
    "slow hum": np.sin(2 * np.pi * 0.7e-3 * TIME) + 0.1 * coloured(5000, 0.5, 7),
    "noise with a long memory": coloured(5000, 300, 8) + 0.2 * coloured(5000, 0.5, 9),
    "wandering": np.cumsum(0.05 * np.random.default_rng(10).standard_normal(5000)),
}


@pytest.mark.parametrize("name", MOVING)
def test_one_level_that_moves_is_no_switching(name):
    with pytest.raises(FitError, match=r"does not show two levels|transition|a filter of"):
        fit_telegraph(1e-12 * MOVING[name], INTERVAL)
    with pytest.raises(FitError):
        fit_telegraph(1e-12 * MOVING[name], INTERVAL, dead_time=3e-3)


@pytest.mark.parametrize(
    "more",
    [
        TIME / 2500,
        np.sin(2 * np.pi * 50e-3 * TIME),
        coloured(5000, 200, 1),
        1.5 * np.exp(-TIME / 800),
    ],
    ids=["drift", "mains", "slow noise", "settling"],
)
def test_switching_is_seen_through_what_moves_less_than_its_step(more):
    made = 5 * trace(0.01, 0.02, 5000, 0.06, 3) + more
    fit = fit_telegraph(made, INTERVAL)
    assert fit["rate_up"].value == close(10, rel=0.5)
    assert fit["rate_down"].value == close(20, rel=0.5)
    assert fit["step"].value == close(5, rel=0.1)


def test_a_filtered_telegraph_is_told_from_filtered_noise():
    keep = math.exp(-1 / 4.0)
    made = lfilter([1 - keep], [1, -keep], trace(0.01, 0.02, 5000, 0.0, 4)) + 0.05 * coloured(5000, 0.5, 1)
    assert fit_telegraph(made, INTERVAL)["step"].value == close(1, rel=0.05)


def test_a_kind_that_cannot_win_is_left_where_it_begins_and_one_that_can_is_not():
    y = trace(0.02, 0.03, 4000, 0.2, seed=6)
    start = Switching(0.03, 0.02, 0.05, 0.9, 0.25)
    samples = Samples.of(y, start.scale)
    best, likelihood = most_likely(samples, start)
    assert likelihood > log_likelihood(samples, start) + 10
    assert most_likely(samples, start, than=likelihood) == (best, likelihood)
    left, its = most_likely(samples, start, than=likelihood + 1e5)
    assert its == close(log_likelihood(samples, left), rel=1e-12)
    assert np.abs(left.vector() - start.vector()).max() < 1e-3
