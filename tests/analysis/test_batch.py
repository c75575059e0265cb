"""Batch fits: the same minima as one by one, honest errors, and bad spectra that do not disturb the good ones."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import least_squares

from stmlab.analysis.batch.srs import fit_srs_batch
from stmlab.analysis.batch.steps import fit_steps_batch
from stmlab.analysis.lorentzian import fit_srs
from stmlab.analysis.residuals import uneven_covariance
from stmlab.analysis.srs_map import fit_srs_map
from stmlab.analysis.steps.shapes import StepShape
from stmlab.errors import FitError
from stmlab.physics.stochastic_resonance import line_shape
from tests.approximately import close
from tests.repetitions import drawn

FREQUENCY = np.geomspace(3e6, 20e9, 60)
BIAS = np.linspace(-10e-3, 10e-3, 201)
SHAPE = StepShape(2.0, 0.2e-3)


def srs(rates, noise, seed=1, step=5e-12, offset=-3e-12):
    random = np.random.default_rng(seed)
    clean = np.array([line_shape(FREQUENCY, rate, step, offset) for rate in rates])
    return clean + noise * random.standard_normal(clean.shape)


def step_spectrum(p):
    x = 1e3 * BIAS
    inner = p[3] * SHAPE.step(-x - p[0]) + p[4] * SHAPE.step(x - p[0])
    return p[2] + inner + p[5] * SHAPE.step(-x - p[1]) + p[6] * SHAPE.step(x - p[1])


def steps(count, noise, seed=1):
    random = np.random.default_rng(seed)
    truth = np.column_stack(
        [random.uniform(1.2, 2.4, count), random.uniform(4.0, 6.0, count), *random.uniform(0.2, 0.6, (5, count))]
    )
    return truth, np.array([step_spectrum(p) for p in truth]) + noise * random.standard_normal((count, BIAS.size))


@pytest.mark.parametrize("noise", [0.05e-12, 0.5e-12, 1.5e-12])
def test_srs_minima_are_those_of_single_fits(noise):
    rates = np.geomspace(2e7, 8e10, 25)
    spectra = srs(rates, noise)
    batch = fit_srs_batch(FREQUENCY, spectra)
    for k, spectrum in enumerate(spectra):
        if not batch.ok[k]:
            continue
        single = fit_srs(FREQUENCY, spectrum)
        for name in ("rate", "step", "offset", "frequency"):
            value, error = batch[name][0][k], batch[name][1][k]
            assert abs(value - single[name].value) < 1e-3 * single[name].error
            assert error == close(single[name].error, rel=1e-3)
        np.testing.assert_allclose(batch.covariance[k], single.covariance, rtol=5e-3)
        assert batch.residual[k] == close(single.residual, rel=1e-6)
    assert batch.ok[4:18].all() or noise > 1e-12


def test_srs_errors_are_honest_with_sigma_and_without():
    rate, noise = 1.7e9, 0.3e-12
    spectra = srs(np.full(400, rate), noise)
    for sigma in (None, noise, np.full(FREQUENCY.size, noise)):
        values, errors = fit_srs_batch(FREQUENCY, spectra, sigma=sigma)["rate"]
        assert 0.9 < np.std((values - rate) / errors) < 1.1
        assert abs(np.mean((values - rate) / errors)) < 0.2


def test_step_minima_are_those_of_least_squares():
    truth, spectra = steps(25, 0.05)
    batch = fit_steps_batch(BIAS, spectra, temperature_K=2.0, modulation_V=0.2e-3)
    assert batch.ok.all()
    for k, spectrum in enumerate(spectra):
        found = least_squares(lambda p, y=spectrum: step_spectrum(p) - y, truth[k], method="lm", xtol=1e-12, ftol=1e-12)
        assert np.all(np.abs(batch.values[k, :7] - found.x) < 1e-3 * batch.errors[k, :7])
        covariance = uneven_covariance(found.jac, found.fun)
        np.testing.assert_allclose(batch.covariance[k], covariance, rtol=0.02, atol=1e-3 * covariance.max())


@pytest.mark.parametrize("noise", [0.05, 0.01 + 0.1 * np.abs(BIAS) / BIAS.max()])
def test_step_errors_are_honest(noise):
    """Where the noise is even, and where it grows with the current."""
    truth, spectra = steps(400, noise, seed=4)
    batch = fit_steps_batch(BIAS, spectra, temperature_K=2.0, modulation_V=0.2e-3)
    pulls = (batch.values[:, :7] - truth) / batch.errors[:, :7]
    assert np.all((pulls.std(axis=0) > 0.9) & (pulls.std(axis=0) < 1.1))
    eta = (truth[:, 3] - truth[:, 4]) / (truth[:, 3] + truth[:, 4])
    values, errors = batch["eta_inner"]
    assert 0.9 < np.std((values - eta) / errors) < 1.1


@pytest.mark.parametrize("more", [lambda rows: rows + 0.01 * 1e3 * BIAS, lambda rows: np.roll(rows, 2, axis=1)])
def test_a_sloping_background_and_an_offset_of_the_bias_are_marked(more):
    _, spectra = steps(200, 0.02, seed=7)
    settings = {"temperature_K": 2.0, "modulation_V": 0.2e-3}
    assert np.mean(fit_steps_batch(BIAS, spectra, **settings).structured) < 0.02
    batch = fit_steps_batch(BIAS, more(spectra), **settings)
    assert np.mean(batch.structured[batch.ok]) > 0.95


def test_a_rate_far_above_the_band_makes_no_overflow():
    current = 1 / (1 + (2 * np.pi * FREQUENCY / (1e5 * FREQUENCY.max())) ** 2)
    current = current + 0.01 * np.random.default_rng(0).standard_normal((20, FREQUENCY.size))
    assert not fit_srs_batch(FREQUENCY, current, sigma=0.01).ok.any()


@pytest.mark.parametrize("apart", [1e-3, 1e-5, 1e-7, 3e-9, 1e-9, 1e-10, 1e-12, 1e-15])
def test_a_band_too_narrow_for_a_rate_gives_none_and_says_so(apart):
    frequency = 1e9 * (1 + apart * np.arange(8))
    currents = np.linspace(0, 20e-12, 8) + 1e-12 * np.random.default_rng(3).standard_normal((3, 8))
    try:
        fit = fit_srs_batch(frequency, currents)
    except FitError as error:
        assert "too close together" in str(error)
        assert apart < 1e-8
    else:
        assert fit.reasons == ("no step from which a rate could be read",) * 3


def test_a_start_leads_to_the_same_minimum():
    _, spectra = steps(10, 0.03, seed=5)
    free = fit_steps_batch(BIAS, spectra, temperature_K=2.0, modulation_V=0.2e-3)
    begun = fit_steps_batch(BIAS, spectra, temperature_K=2.0, modulation_V=0.2e-3, start=(1.8, 5.0))
    assert np.all(np.abs(free.values - begun.values) < 1e-2 * free.errors)


def test_bad_spectra_are_flagged_and_do_not_disturb_the_others():
    good = srs([1e9, 2e9], 0.2e-12)
    noise = np.random.default_rng(6).standard_normal(60) * 1e-12
    bad = np.vstack([good[0], np.full(60, np.nan), np.full(60, 1e-12), noise, good[1]])
    batch, alone = fit_srs_batch(FREQUENCY, bad), fit_srs_batch(FREQUENCY, good)
    assert batch.ok.tolist() == [True, False, False, False, True]
    assert all(batch.reasons[k] for k in (1, 2, 3))
    assert np.isnan(batch.values[1:4]).all()
    np.testing.assert_allclose(batch.values[[0, 4]], alone.values, rtol=1e-10)


def test_steps_that_are_not_there_are_flagged():
    _, good = steps(2, 0.05)
    noise = np.random.default_rng(7).standard_normal(BIAS.size)
    one = 0.3 + 0.5 * SHAPE.step(1e3 * BIAS - 3.0) + 0.5 * SHAPE.step(-1e3 * BIAS - 3.0)
    rows = np.vstack([good[0], noise, np.full(BIAS.size, 2.0), np.where(BIAS > 0, np.inf, 1.0), one, good[1]])
    batch = fit_steps_batch(BIAS, rows, temperature_K=2.0, modulation_V=0.2e-3)
    assert batch.ok[[0, 5]].all()
    assert not batch.ok[[1, 2, 3]].any()
    alone = fit_steps_batch(BIAS, good, temperature_K=2.0, modulation_V=0.2e-3)
    np.testing.assert_allclose(batch.values[[0, 5]], alone.values, rtol=1e-10)


@settings(max_examples=20, deadline=None)
@given(scale=st.floats(1e-15, 1e6), shift=st.floats(-10.0, 10.0), seed=st.integers(0, 1000))
def test_scale_and_order_make_no_difference(scale, shift, seed):
    spectra = srs([5e8, 2e9, 6e9], 0.2e-12, seed=seed)
    batch = fit_srs_batch(FREQUENCY, spectra)
    order = np.random.default_rng(seed).permutation(3)
    moved = fit_srs_batch(FREQUENCY, scale * (1e12 * spectra[order] + shift))
    np.testing.assert_allclose(moved["rate"][0], batch["rate"][0][order], rtol=1e-5)
    np.testing.assert_allclose(moved["step"][0], scale * 1e12 * batch["step"][0][order], rtol=1e-5)


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        (lambda: fit_srs_batch(FREQUENCY, np.zeros(60)), "are needed"),
        (lambda: fit_srs_batch(-FREQUENCY, np.zeros((2, 60))), "positive frequencies"),
        (lambda: fit_srs_batch(FREQUENCY, np.zeros((2, 60)), sigma=0.0), "sigma"),
        (lambda: fit_srs_batch(FREQUENCY, np.zeros((0, 60))), "no spectra"),
        (lambda: fit_steps_batch(np.abs(BIAS), np.zeros((2, 201)), temperature_K=2.0), "both polarities"),
        (lambda: fit_steps_batch(0.05 * BIAS, np.zeros((2, 201)), temperature_K=2.0), "too few for steps"),
    ],
)
def test_what_cannot_be_fitted_at_all_is_refused(call, complaint):
    with pytest.raises(FitError, match=complaint):
        call()


def test_a_name_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(KeyError, match="rate, step, offset"):
        fit_srs_batch(FREQUENCY, srs([1e9], 1e-13))["width"]


def test_a_residual_that_is_not_white_is_marked_as_in_the_fit_of_one():
    spectra = srs(np.full(300, 2e9), 0.2e-12)
    order = np.random.default_rng(0).permutation(FREQUENCY.size)
    batch = fit_srs_batch(FREQUENCY[order], spectra[:, order])
    assert np.mean(batch.structured) < 0.02
    wander = 1e-12 * np.cumsum(np.random.default_rng(1).standard_normal((100, FREQUENCY.size)), axis=1)
    batch = fit_srs_batch(FREQUENCY[order], wander[:, order])
    assert batch.ok.sum() > 20
    assert np.mean(batch.structured[batch.ok]) > 0.95
    assert not batch.structured[~batch.ok].any()
    for row in np.flatnonzero(batch.ok)[:5]:
        assert any("not white" in warning for warning in fit_srs(FREQUENCY, wander[row]).warnings)
    rows = 1 + np.array([SHAPE.step(side * 1e3 * BIAS - e) for e in (2.0, 5.0) for side in (-1, 1)]).sum(axis=0)
    rows = rows + 0.02 * np.random.default_rng(2).standard_normal((200, BIAS.size))
    assert np.mean(fit_steps_batch(BIAS, rows, temperature_K=2.0).structured) < 0.02
    waves = rows + 0.1 * np.sin(1e3 * BIAS)
    batch = fit_steps_batch(BIAS, waves, temperature_K=2.0)
    assert np.mean(batch.structured[batch.ok]) > 0.95


def srs_map_of(rows, columns, seed=1):
    """Lines with rates of their own; some distorted by strong modulation, some without a step."""
    chance = np.random.default_rng(seed)
    rates = 1e9 * np.exp(chance.uniform(-4.0, 3.0, rows * columns))
    steps_ = 5e-12 * np.linspace(-1.0, 1.0, rows * columns)
    currents = np.array([line_shape(FREQUENCY, rate, step, -3e-12) for rate, step in zip(rates, steps_, strict=True)])
    strong = chance.uniform(size=rates.size) < 0.3
    half = np.array([line_shape(FREQUENCY, rate / 2, 0.5 * s, 0.0) for rate, s in zip(rates, steps_, strict=True)])
    currents += np.where(strong, 1.0, 0.0)[:, None] * half + 0.2e-12 * chance.standard_normal(currents.shape)
    drift = chance.uniform(size=rates.size) < 0.1
    return currents + np.where(drift, 1.0, 0.0)[:, None] * 1e-12 * np.sin(np.linspace(0, 9, FREQUENCY.size))


def test_a_map_says_of_every_spectrum_what_a_single_fit_says():
    rows, columns = 8, 10
    currents = srs_map_of(rows, columns)
    bias, drive = (axis.ravel() for axis in np.meshgrid(np.arange(1.0, 9.0), np.arange(1.0, 11.0), indexing="ij"))
    order = np.random.default_rng(3).permutation(FREQUENCY.size)
    fit = fit_srs_map(
        np.repeat(bias, 60), np.repeat(drive, 60), np.tile(FREQUENCY[order], 80), currents[:, order].ravel()
    )
    said: dict[str, list[str]] = {}
    for warning in fit.warnings:
        place, _, text = warning.partition(": ")
        said.setdefault(place, []).append(text)
    told = 0
    for k, current in enumerate(currents):
        place = f"bias {bias[k]:g} V, amplitude {drive[k]:g} V"
        try:
            single = fit_srs(FREQUENCY, current)
        except FitError:
            assert np.isnan(fit.curves["rate"][k])
            assert "not significant" in said[place][0] or "no step" in said[place][0]
            continue
        assert fit[f"rate_{k + 1}"].at == place
        for name in ("rate", "step", "offset"):
            assert abs(fit[f"{name}_{k + 1}"].value - single[name].value) < 1e-3 * single[name].error
        kinds = [[text.split(" ")[1] for text in texts] for texts in (said.get(place, []), single.warnings)]
        assert kinds[0] == kinds[1], place
        told += len(single.warnings)
    assert told > 10


@drawn(150, of=400)
def test_of_two_tops_close_together_a_map_means_the_one_that_a_single_fit_finds(times):
    """A line of width Gamma is as well one of width (2 Gamma) / 2: between both minima may lie more, shallow ones."""
    shape = FREQUENCY.size
    random = np.random.default_rng(4)
    currents = np.array([line_shape(FREQUENCY, 2e9, -5e-12, -3e-12) for _ in range(times)])
    currents += 0.15e-12 * random.standard_normal(currents.shape)
    bias, frequency = np.arange(times).repeat(shape), np.tile(FREQUENCY, times)
    fit = fit_srs_map(bias, np.ones(times * shape), frequency, currents.ravel())
    warned = {text.split(",")[0] for text in fit.warnings if "distorted" in text}
    single = {
        f"bias {k} V"
        for k in range(times)
        if any("distorted" in text for text in fit_srs(FREQUENCY, currents[k]).warnings)
    }
    assert warned == single
    assert len(warned) > 1, "else this shows nothing"


def test_spectra_of_a_map_may_have_frequencies_of_their_own():
    currents = srs_map_of(2, 2, seed=5)
    parts = [slice(None), slice(0, 50), slice(10, 60), slice(None)]
    columns = [
        np.concatenate(
            [np.full(FREQUENCY[part].size, value) for part, value in zip(parts, (1.0, 1.0, 2.0, 2.0), strict=True)]
        ),
        np.concatenate(
            [np.full(FREQUENCY[part].size, value) for part, value in zip(parts, (1.0, 2.0, 1.0, 2.0), strict=True)]
        ),
        np.concatenate([FREQUENCY[part] for part in parts]),
        np.concatenate([current[part] for current, part in zip(currents, parts, strict=True)]),
    ]
    fit = fit_srs_map(*columns)
    for k, part in enumerate(parts):
        single = fit_srs(FREQUENCY[part], currents[k][part])
        assert abs(fit.curves["rate"][k] - single["rate"].value) < 1e-3 * single["rate"].error
    with pytest.raises(FitError, match="none of 1 spectra can be fitted; the first: bias 0 V, amplitude 0 V: "):
        fit_srs_map([0, 0, 0], [0, 0, 0], [1e6, 2e6, 3e6], [1, 2, 3])
