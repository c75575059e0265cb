"""T1 from pump-probe data."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stmlab.analysis.decay import fit_decay
from stmlab.errors import FitError
from tests.approximately import close

DELAY = np.linspace(-4e-9, 4e-9, 41)


def decay(delay, t1=0.8e-9, positive=3e-12, negative=-1e-12, offset=0.7e-12):
    height = np.where(delay > 0, positive, negative)
    return offset + height * np.exp(-np.abs(delay) / t1)


def test_noiseless_data_give_the_lifetime_back_with_every_height():
    fit = fit_decay(DELAY, decay(DELAY), exclusion=0.7e-9)
    for name, value in (("T1", 0.8e-9), ("offset", 0.7e-12), ("height_positive", 3e-12), ("height_negative", -1e-12)):
        assert fit[name].value == close(value, rel=1e-6)
    assert fit["rate"].value == close(1 / 0.8e-9, rel=1e-6)
    assert fit.warnings == ()
    assert fit.points == 34


@given(t1=st.floats(1e-12, 1e-3), offset=st.floats(-10, 10), height=st.floats(0.1, 10))
def test_the_fit_follows_the_units_of_time_and_current(t1, offset, height):
    delay = t1 * np.linspace(0.2, 6, 25)
    current = 1e-12 * (offset + height * np.exp(-delay / t1))
    assert fit_decay(delay, current)["T1"].value == close(t1, rel=1e-5)


def test_the_cross_correlation_of_overlapping_pulses_is_left_out():
    current = decay(DELAY) + 20e-12 * np.exp(-((DELAY / 0.2e-9) ** 2))
    with_it, without = fit_decay(DELAY, current), fit_decay(DELAY, current, exclusion=0.9e-9)
    assert abs(with_it["T1"].value / 0.8e-9 - 1) > 0.3
    assert without["T1"].value == close(0.8e-9, rel=1e-3)
    assert without.curves["x_excluded"].size == 9


def test_one_side_can_be_fitted_alone():
    current = decay(DELAY)
    current[DELAY < 0] = 0.0  # whatever is on the other side
    fit = fit_decay(DELAY, current, exclusion=0.1e-9, sides="positive")
    assert fit["T1"].value == close(0.8e-9, rel=1e-6)
    assert [p.name for p in fit.parameters] == ["T1", "offset", "height_positive", "rate"]


@pytest.mark.slow
def test_error_bars_are_honest():
    truth = {"T1": 0.8e-9, "offset": 0.7e-12, "height_positive": 3e-12, "height_negative": -1e-12, "rate": 1 / 0.8e-9}
    pulls = []
    for seed in range(200):
        noise = np.random.default_rng(seed).normal(0, 0.05e-12, DELAY.size)
        fit = fit_decay(DELAY, decay(DELAY) + noise, exclusion=0.7e-9)
        pulls.append([(fit[name].value - value) / fit[name].error for name, value in truth.items()])
    width = np.std(pulls, axis=0)
    assert np.all((width > 0.85) & (width < 1.15))
    assert np.all(np.abs(np.mean(pulls, axis=0)) < 0.3)


def test_the_rate_has_the_relative_error_of_the_lifetime():
    fit = fit_decay(DELAY, decay(DELAY) + np.random.default_rng(7).normal(0, 0.1e-12, DELAY.size), exclusion=0.7e-9)
    assert fit["rate"].value == close(1 / fit["T1"].value, rel=1e-12)
    assert fit["rate"].error / fit["rate"].value == close(fit["T1"].error / fit["T1"].value, rel=1e-12)


def test_a_decay_without_a_significant_height_and_without_a_known_lifetime_is_refused():
    refused = fitted = 0
    for seed in range(40):
        noise = np.random.default_rng(seed).normal(0, 2e-12, DELAY.size)
        try:
            fit = fit_decay(DELAY, decay(DELAY) + noise, exclusion=0.7e-9)
        except FitError as refusal:
            refused += "no height is three standard errors" in str(refusal)
            continue
        fitted += 1
        heights = [fit[f"height_{side}"] for side in ("positive", "negative")]
        strong = any(abs(height.value) >= 3 * height.error for height in heights)
        assert strong or fit["T1"].error <= fit["T1"].value
    assert refused > 5
    assert fitted > 5


@pytest.mark.parametrize(("errors", "told"), [(2.6, True), (2.9, True), (3.1, False), (3.5, False)])
def test_a_height_is_significant_from_three_standard_errors(errors, told):
    delay = np.linspace(0.02e-9, 6e-9, 300)
    current = 0.7e-12 + 3e-12 * np.exp(-delay / 0.8e-9)  # without noise: the fit is exact, its errors follow sigma
    known = fit_decay(delay, current, sigma=1e-14)["height_positive"]
    fit = fit_decay(delay, current, sigma=1e-14 * known.value / known.error / errors)
    assert fit["height_positive"].value / fit["height_positive"].error == close(errors, rel=1e-4)
    assert any("no decay is significant" in warning for warning in fit.warnings) is told


def test_known_noise_gives_the_error_and_a_chi_square_of_one():
    noise = np.random.default_rng(5).normal(0, 0.05e-12, DELAY.size)
    free = fit_decay(DELAY, decay(DELAY) + noise, exclusion=0.7e-9)
    known = fit_decay(DELAY, decay(DELAY) + noise, exclusion=0.7e-9, sigma=0.05e-12)
    assert known["T1"].value == close(free["T1"].value, rel=1e-6)
    assert known.reduced_chi_square == pytest.approx(1.0, abs=0.5)
    assert known["T1"].error == close(free["T1"].error, rel=0.3)


def test_sides_that_disagree_are_told():
    noise = np.random.default_rng(2).normal(0, 0.02e-12, DELAY.size)
    current = np.where(DELAY > 0, decay(DELAY), decay(DELAY, t1=2e-9)) + noise
    assert any("two sides" in warning for warning in fit_decay(DELAY, current, exclusion=0.7e-9).warnings)


def test_delays_too_short_for_the_lifetime_are_told():
    delay = np.linspace(0.1e-9, 1e-9, 30)
    current = decay(delay, t1=0.8e-9) + np.random.default_rng(0).normal(0, 1e-15, 30)
    assert any("delays reach only" in warning for warning in fit_decay(delay, current).warnings)


def test_a_lifetime_that_the_delays_are_too_coarse_for_is_told():
    delay = np.linspace(0.05e-9, 4e-9, 60)
    for t1 in (0.03e-9, 0.06e-9):
        current = decay(delay, t1) + np.random.default_rng(1).normal(0, 0.01e-12, 60)
        assert any("shorter than the delays can show" in warning for warning in fit_decay(delay, current).warnings)


def test_a_lifetime_known_to_a_third_is_not_given_with_an_error_that_claims_to_be_symmetric():
    noise = np.random.default_rng(3).normal(0, 0.8e-12, DELAY.size)
    fit = fit_decay(DELAY, decay(DELAY) + noise, exclusion=0.7e-9)
    assert fit["T1"].error > 0.2 * fit["T1"].value
    assert any("larger upwards" in warning for warning in fit.warnings)


def test_noise_without_a_decay_is_never_a_confident_lifetime():
    for seed in range(20):
        current = np.random.default_rng(seed).normal(0, 1e-12, DELAY.size)
        try:
            fit = fit_decay(DELAY, current, exclusion=0.5e-9)
        except FitError:
            continue
        assert fit.warnings or fit["T1"].error > 0.15 * fit["T1"].value


@pytest.mark.parametrize(
    ("delay", "current", "options", "text"),
    [
        (DELAY[:3], DELAY[:3], {}, "points"),
        (DELAY, np.full(41, np.nan), {}, "not finite"),
        (DELAY, np.full(41, 1e-12), {}, "no decay"),
        (DELAY, DELAY[:5], {}, "shape"),
        (DELAY, decay(DELAY), {"exclusion": 5e-9}, "exclusion"),
        (DELAY, decay(DELAY), {"exclusion": -1.0}, "exclusion"),
        (DELAY, decay(DELAY), {"sides": "left"}, "sides"),
        (DELAY, decay(DELAY), {"sigma": 0.0}, "sigma"),
        (DELAY, ["a"] * 41, {}, "numbers"),
    ],
)
def test_data_that_cannot_carry_the_fit_are_refused_in_one_line(delay, current, options, text):
    with pytest.raises(FitError, match=text) as refusal:
        fit_decay(delay, current, **options)
    assert "\n" not in str(refusal.value)


def test_what_is_no_single_decay_is_told():
    """Pulses that overlap, left in; a sigma that is too small."""
    delay = np.concatenate([-np.linspace(5e-9, 300e-9, 40)[::-1], np.linspace(5e-9, 300e-9, 40)])
    clean = np.where(delay > 0, 1e-12, 0.6e-12) * np.exp(-np.abs(delay) / 50e-9) + 0.2e-12
    overlap = 2e-12 * np.exp(-(delay**2) / 2 / 8e-9**2)
    for seed in range(10):
        noise = 2e-14 * np.random.default_rng(seed).normal(size=80)
        assert not fit_decay(delay, clean + noise, sigma=2e-14).warnings
        assert any("not white" in warning for warning in fit_decay(delay, clean + overlap + noise).warnings)
        assert any("more than sigma" in warning for warning in fit_decay(delay, clean + noise, sigma=2e-15).warnings)


@pytest.mark.parametrize("points", [5, pytest.param(7, marks=pytest.mark.slow), 40])
def test_a_scan_cut_off_in_its_flat_part_gives_no_t1(points):
    """No T1 that noise made, where few points chose it or where it is not known to its own size."""
    refused = 0
    for seed in range(30):
        current = 1e-12 + 2e-14 * np.random.default_rng(seed).standard_normal(points)
        try:
            fit = fit_decay(np.linspace(3e-7, 9e-7, points), current)
        except FitError as error:
            refused += "no height is three standard errors" in str(error)
            continue
        weak = abs(fit["height_positive"].value) < 3 * fit["height_positive"].error
        assert not (weak and (points < 8 or fit["T1"].error > fit["T1"].value))
    assert refused
