"""Telegraph switching: rates of traces made in continuous time, and of recorded ones."""

import math

import numpy as np
import pytest
from scipy.signal import lfilter

from stmlab.analysis.telegraph import fit_telegraph
from stmlab.analysis.telegraph.dwells import corrected_rates, dwells, idealised
from stmlab.analysis.telegraph.likelihood import Switching, log_likelihood
from stmlab.analysis.telegraph.noise import likelihood_of_noise
from stmlab.errors import FitError
from stmlab.storage.recorded import open_recording
from tests.recorded_files import RECORDED, recorded

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
    ("up", "down", "noise", "averaged"), [(0.02, 0.05, 0.2, True), (0.1, 0.05, 0.1, False), (0.02, 0.01, 1 / 3, True)]
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
    assert np.all((np.std(pulls, axis=0) > 0.6) & (np.std(pulls, axis=0) < 1.45))


@pytest.mark.parametrize("correlation", [0.3, 0.6, 0.9, 0.97])
def test_filtered_noise_is_not_taken_for_switching(correlation):
    """It strays to either side as a telegraph does; it has one level all the same."""
    for seed in range(6):
        white = np.random.default_rng(seed).standard_normal(5000)
        with pytest.raises(FitError, match="does not show two levels"):
            fit_telegraph(1e-12 * lfilter([1.0], [1.0, -correlation], white), INTERVAL)


def test_levels_near_each_other_are_told_from_noise_that_is_white():
    for seed in range(4):
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
            assert fit[name].value == pytest.approx(unfiltered[name].value, rel=0.1)
        assert fit["high"].value == pytest.approx(1.0, abs=0.02)


def test_both_ways_to_the_rates_agree():
    current = trace(0.02, 0.01, 20_000, 0.1, 1)
    likelihood, counted = fit_telegraph(current, INTERVAL), fit_telegraph(current, INTERVAL, dead_time=3e-3)
    for name in ("rate_up", "rate_down"):
        assert abs(likelihood[name].value - counted[name].value) < 0.5 * likelihood[name].error
        assert counted[name].error == pytest.approx(likelihood[name].error, rel=0.3)
    assert likelihood["occupation"].value == pytest.approx(2 / 3, abs=0.05)
    assert likelihood["rate"].value == pytest.approx(30, rel=0.1)


def test_the_correction_for_missed_dwells_is_that_of_a_long_simulation():
    up, down, dead, fine = 0.05, 0.03, 6.0, 20
    states = trace(up / fine, down / fine, 4_000_000, 0.0, 2, averaged=False)
    counted = dwells(states, dead * fine)
    means = counted.low.mean() / fine, counted.high.mean() / fine
    assert corrected_rates(*means, dead) == pytest.approx((up, down), rel=0.06)
    assert 1 / (means[0] - dead) < 0.85 * up  # without the correction


def test_the_likelihood_is_the_sum_over_all_paths():
    values, switching = trace(0.3, 0.2, 8, 0.2, 3), Switching(0.3, 0.2, 0.05, 0.9, 0.25)
    matrices, total = switching.transitions() * switching.densities(values), 0.0
    for path in np.ndindex(*[2] * 9):
        probability = switching.stationary()[path[0]]
        for t in range(8):
            probability *= matrices[t, path[t], path[t + 1]]
        total += probability
    assert log_likelihood(values, switching) == pytest.approx(math.log(total), rel=1e-12)
    np.testing.assert_allclose(switching.transitions().sum(axis=1), 1.0)
    np.testing.assert_allclose(switching.stationary() @ switching.transitions(), switching.stationary())


def test_densities_are_normalised():
    grid = np.linspace(-40.0, 41.0, 400_001)
    for averaged in (True, False):
        for heavy in (True, False):
            found = Switching(0.1, 0.1, 0.0, 1.0, 0.2, averaged=averaged, heavy=heavy).densities(grid)
            np.testing.assert_allclose(np.trapezoid(found - 1e-5 / 0.2, grid, axis=0), 1.0, atol=1e-4)


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
    ],
)
def test_impossible_thresholds_and_dead_times_are_refused(settings, complaint):
    with pytest.raises(FitError, match=complaint):
        fit_telegraph(trace(0.1, 0.1, 2000, 0.1, 5), INTERVAL, **settings)


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


def test_the_noise_of_a_quiet_trace_is_not_that_of_its_hidden_dwells():
    for seed in range(5):
        fit = fit_telegraph(trace(0.02, 0.02, 10000, 0.01, seed), INTERVAL)
        assert fit["noise"].value == pytest.approx(0.01, abs=4 * fit["noise"].error)
        assert not fit.warnings


def test_dwells_hardly_longer_than_the_dead_time_are_told():
    made = trace(0.1, 0.1, 50000, 0.1, 4)
    assert any("dead time" in warning for warning in fit_telegraph(made, INTERVAL, threshold=0.5).warnings)
    with pytest.raises(FitError, match=r"a sample, 0\.001 s, or more"):
        fit_telegraph(made, INTERVAL, dead_time=0.0)
