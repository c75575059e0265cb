"""Grids: every curve as a fit of it alone, maps with errors, and places that are refused with a reason."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import stmlab
from stmlab.analysis.batch import fit_decay_batch, fit_steps_batch
from stmlab.analysis.decay import fit_decay
from stmlab.analysis.grids import GRID_MODELS, analyse_grid
from stmlab.analysis.steps import fit_steps
from stmlab.analysis.steps.shapes import StepShape
from stmlab.errors import FitError
from stmlab.physics.stochastic_resonance import line_shape
from stmlab.storage.recorded import Column, Grid, open_recording
from tests.approximately import close
from tests.recorded_files import DATA

BIAS = np.linspace(-8e-3, 8e-3, 161)
SHAPE = StepShape(1.0, 0.2e-3)
KNOWN = {"temperature": 1.0, "modulation": 0.2e-3}
FREE = ("inner_energy", "outer_energy", "background", "bias_offset", "background_slope", "inner_height_negative")


def step_curve(inner=1.2, outer=3.8, offset=0.0, slope=0.0, heights=(0.3, 0.35, 0.5, 0.4)):
    x = 1e3 * BIAS - offset
    a, b, c, d = heights
    inner_steps = a * SHAPE.step(-x - inner) + b * SHAPE.step(x - inner)
    return 1.0 + slope * 1e3 * BIAS + inner_steps + c * SHAPE.step(-x - outer) + d * SHAPE.step(x - outer)


def energies(rows=4, columns=5):
    return 3.8 - 0.1 * np.arange(columns) + np.zeros((rows, 1))


def step_grid(noise=0.01, offset=0.1, slope=0.004, backward=None, seed=1, unit="V"):
    """Steps at 1.2 meV and at energies that fall from column to column."""
    chance = np.random.default_rng(seed)
    outer = energies()
    clean = np.array([[step_curve(outer=e, offset=offset, slope=slope) for e in row] for row in outer])
    channels = [Column("LI Demod 1 X", unit, clean + noise * chance.standard_normal(clean.shape))]
    if backward is not None:
        shifted = np.array([[step_curve(outer=e, offset=backward, slope=slope) for e in row] for row in outer])
        noisy = shifted + noise * chance.standard_normal(clean.shape)
        channels.append(Column("LI Demod 1 X [bwd]", unit, noisy))
    return Grid(Path("a.3ds"), "nanonis", {}, ("y", "x"), Column("Bias", "V", BIAS), tuple(channels))


def test_every_curve_is_fitted_as_by_itself():
    grid = step_grid()
    fit = analyse_grid(grid, settings=KNOWN)["forward"]
    assert fit.ok.all()
    for row, column in ((0, 0), (1, 3), (3, 4)):
        curve = grid["LI Demod 1 X"].values[row, column]
        single = fit_steps(BIAS, curve, temperature_K=1.0, modulation_V=0.2e-3, plateau_slopes=False)
        for name in (*FREE, "eta_inner"):
            values, errors = fit[name]
            assert abs(values[row, column] - single[name].value) < 2e-3 * single[name].error, name
            if not name.startswith("eta"):
                assert errors[row, column] == close(single[name].error, rel=0.02)


def test_the_maps_show_what_was_put_in_with_honest_errors():
    fit = analyse_grid(step_grid(seed=3), settings=KNOWN)["forward"]
    truths = {"outer_energy": energies(), "inner_energy": 1.2, "bias_offset": 1e-4, "background_slope": 4.0}
    for name, truth in truths.items():
        values, errors = fit[name]
        pulls = (values - truth) / errors
        assert np.abs(pulls).max() < 4.5
        assert 0.6 < pulls.std() < 1.4
    assert fit.unit("inner_height_positive") == "V"
    assert fit.unit("background_slope") == "V/V"


def test_an_offset_of_several_widths_is_found():
    fit = analyse_grid(step_grid(offset=-0.7), settings=KNOWN)["forward"]
    np.testing.assert_allclose(fit["bias_offset"][0], -0.7e-3, atol=2e-5)
    np.testing.assert_allclose(fit["outer_energy"][0], energies(), atol=0.03)


def test_directions_have_maps_of_their_own():
    fits = analyse_grid(step_grid(backward=-0.2), settings=KNOWN)
    assert list(fits) == ["forward", "backward"]
    for name, offset in (("forward", 1e-4), ("backward", -2e-4)):
        np.testing.assert_allclose(fits[name]["bias_offset"][0], offset, atol=2e-5)


def test_a_temperature_that_nobody_says_is_that_of_some_curves():
    fit = analyse_grid(step_grid(), settings={"modulation": 0.2e-3})["forward"]
    value = float(fit.choices["temperature"].split()[0].strip("("))
    assert fit.choices["temperature"].endswith("by 12 of the curves")
    assert abs(value - (1000 if "mK" in fit.choices["temperature"] else 1.0)) < 0.05 * value


def test_places_that_are_refused_are_masked_with_a_reason_and_disturb_nobody():
    grid = step_grid()
    values = grid["LI Demod 1 X"].values.copy()
    values[0, 1], values[1, 2] = np.nan, 1.0 + 0.01 * np.random.default_rng(0).standard_normal(BIAS.size)
    values[2, 2, 5] = np.nan
    damaged = replace(grid, channels=(Column("LI Demod 1 X", "V", values),))
    fit, whole = (analyse_grid(each, settings=KNOWN)["forward"] for each in (damaged, grid))
    assert fit.reason(0, 1) == "not measured"
    assert fit.reason(1, 2) == "no steps that could be told from noise"
    assert fit.reason(2, 2) == "values that are not finite"
    assert dict(fit.refused) == {fit.reason(*place): 1 for place in ((0, 1), (1, 2), (2, 2))}
    assert np.argwhere(~fit.ok).tolist() == [[0, 1], [1, 2], [2, 2]]
    assert np.isnan(fit["outer_energy"][0][~fit.ok]).all()
    kept, there = fit["outer_energy"][0][fit.ok], whole["outer_energy"][0][fit.ok]
    assert (np.abs(kept - there) < 1e-3 * whole["outer_energy"][1][fit.ok]).all()
    assert "3 of 20 places have no numbers" in fit.warnings[-1]


def test_places_with_sweeps_of_their_own_are_fitted_over_them():
    grid = step_grid()
    sweep = np.broadcast_to(BIAS, (4, 5, BIAS.size)).copy()
    sweep[2:] = BIAS + 0.3e-3
    fit = analyse_grid(replace(grid, sweep=Column("Bias", "V", sweep)), settings=KNOWN)["forward"]
    assert fit.ok.all()
    np.testing.assert_allclose(fit["bias_offset"][0][:2], 1e-4, atol=2e-5)
    np.testing.assert_allclose(fit["bias_offset"][0][2:], 4e-4, atol=2e-5)


def test_a_current_is_differentiated_where_there_is_no_lock_in():
    grid = step_grid(noise=0.0)
    step = BIAS[1] - BIAS[0]
    current = 1e-9 * np.cumsum(grid.channels[0].values, axis=-1) * step
    current += 1e-15 * np.random.default_rng(4).standard_normal(current.shape)
    made = replace(grid, channels=(Column("Current", "nA", 1e9 * current),))
    fit = analyse_grid(made, settings=KNOWN)["forward"]
    assert fit.labels == {"y": "d(Current)/dV", "y_unit": "S"}
    np.testing.assert_allclose(fit["outer_energy"][0], energies(), atol=0.05)


FREQUENCY = np.geomspace(3e6, 20e9, 60)


def test_resonance_lines_and_decays_are_maps_too():
    chance = np.random.default_rng(5)
    rates = np.geomspace(5e8, 5e9, 6).reshape(2, 3)
    lines = np.array([[line_shape(FREQUENCY, rate, 5e-12, -3e-12) for rate in row] for row in rates])
    lines += 0.1e-12 * chance.standard_normal(lines.shape)
    grid = Grid(
        Path("a"), "x", {}, ("y", "x"), Column("Frequency", "GHz", 1e-9 * FREQUENCY), (Column("Current", "A", lines),)
    )
    values, errors = analyse_grid(grid)["forward"]["rate"]
    assert (np.abs(values - rates) < 4 * errors).all()
    delay = np.linspace(-400e-9, 400e-9, 81)
    times = np.array([[40e-9, 60e-9, 90e-9]])
    scans = np.exp(-np.abs(delay) / times[..., None]) * np.where(delay > 0, 2e-12, 1e-12) + 5e-13
    scans += 2e-14 * chance.standard_normal(scans.shape)
    grid = Grid(Path("a"), "x", {}, ("y", "x"), Column("Delay", "s", delay), (Column("Current", "A", scans),))
    fit = analyse_grid(grid, settings={"exclusion": 5e-9})["forward"]
    assert (np.abs(fit["T1"][0] - times) < 4 * fit["T1"][1]).all()
    assert (fit["T1"][1] < 0.05 * times).all()


def scans(times, noise, delay, seed=6):
    rows = np.exp(-np.abs(delay) / np.array(times)[:, None]) * np.where(delay > 0, 2e-12, 1e-12) + 5e-13
    return rows + noise * np.random.default_rng(seed).standard_normal(rows.shape)


@pytest.mark.parametrize("sides", ["both", "positive", "negative"])
def test_decay_minima_are_those_of_single_fits(sides):
    delay = np.random.default_rng(0).permutation(np.linspace(-400e-9, 400e-9, 81))
    rows = scans(np.geomspace(20e-9, 200e-9, 8), 3e-14, delay)
    batch = fit_decay_batch(delay, rows, exclusion=8e-9, sides=sides)
    for k, row in enumerate(rows):
        single = fit_decay(delay, row, exclusion=8e-9, sides=sides)
        for name in batch.names:
            value, error = batch[name][0][k], batch[name][1][k]
            assert abs(value - single[name].value) < 1e-3 * single[name].error, name
            assert error == close(single[name].error, rel=1e-3), name
        assert batch.residual[k] == close(single.residual, rel=1e-6)


def test_decay_errors_are_honest_and_noise_is_no_decay():
    delay = np.linspace(-400e-9, 400e-9, 81)
    batch = fit_decay_batch(delay, scans(np.full(300, 60e-9), 5e-14, delay), exclusion=1e-9)
    values, errors = batch["T1"]
    assert 0.9 < np.std((values - 60e-9) / errors) < 1.1
    noise = 1e-13 * np.random.default_rng(8).standard_normal((200, delay.size))
    bad = np.vstack([noise, np.full((1, delay.size), 1e-12), np.full((1, delay.size), np.nan)])
    empty = fit_decay_batch(delay, bad)
    assert empty.ok.mean() < 0.3
    assert empty.reasons[-2:] == ("the same current at every delay", "values that are not finite")


@pytest.mark.parametrize("more", [{"bias_offset": True}, {"background_slope": True}])
def test_what_is_not_fitted_is_marked(more):
    curves = np.array([step_curve(offset=0.3, slope=0.02)] * 20)
    curves += 0.003 * np.random.default_rng(2).standard_normal(curves.shape)
    fitted = fit_steps_batch(BIAS, curves, temperature_K=1.0, modulation_V=0.2e-3, **more)
    assert fitted.structured[fitted.ok].mean() > 0.9
    both = {"bias_offset": True, "background_slope": True}
    assert not fit_steps_batch(BIAS, curves, temperature_K=1.0, modulation_V=0.2e-3, **both).structured.any()


def test_a_window_leaves_some_out_and_says_so():
    fit = analyse_grid(step_grid(), settings={**KNOWN, "window": 6e-3})["forward"]
    assert fit.choices["fitted"] == "121 of 161 points within +-6 mV"
    np.testing.assert_allclose(fit["outer_energy"][0], energies(), atol=0.03)


def test_one_pair_is_a_model_of_its_own():
    curves = np.array([[step_curve(heights=(0.3, 0.4, 0.0, 0.0))]])
    curves += 0.005 * np.random.default_rng(2).standard_normal(curves.shape)
    grid = Grid(Path("a"), "x", {}, ("y", "x"), Column("Bias", "V", BIAS), (Column("LI X", "V", curves),))
    fit = analyse_grid(grid, "steps_one_pair", settings=KNOWN)["forward"]
    assert fit.batch.names[:2] == ("inner_energy", "bias_offset")
    assert abs(fit["inner_energy"][0][0, 0] - 1.2) < 4 * fit["inner_energy"][1][0, 0] < 0.05


@pytest.mark.parametrize(
    ("arguments", "settings", "complaint"),
    [
        (("telegraph",), {}, "'telegraph' is not for grids: steps, steps_one_pair, srs, decay, transport are fitted"),
        (("transport",), {}, "no curve can be fitted: no current among Bias, LI Demod 1 X"),
        (("srs",), {}, "Bias was swept: srs needs a frequency"),
        (("steps",), {"field": 1.0}, "field: the model steps takes temperature, modulation, window"),
        (("steps",), {**KNOWN, "window": 1e-4}, "no curve can be fitted"),
    ],
)
def test_what_cannot_be_fitted_is_refused(arguments, settings, complaint):
    with pytest.raises(FitError, match=complaint):
        analyse_grid(step_grid(), *arguments, settings=settings)


def test_every_model_that_is_offered_has_a_fit_of_many_curves():
    assert set(GRID_MODELS) == {"steps", "steps_one_pair", "srs", "decay", "transport"}


@pytest.mark.skipif(not (DATA / "trials" / "grid.3ds").exists(), reason="the trial files are not here")
def test_the_trials_grid_gives_its_map_of_energies():
    path = DATA / "trials" / "grid.3ds"
    fits = stmlab.fit_grid(path, "steps")
    assert list(fits) == ["forward", "backward"]
    outer = 3.80 - 0.05 * np.arange(12) + np.zeros((10, 1))
    for fit in fits.values():
        assert fit.ok.sum() == 114
        assert dict(fit.refused) == {"not measured": 5, "no steps that could be told from noise": 1}
        assert fit.reason(4, 3) == "no steps that could be told from noise"  # x 3, y 4
        assert np.argwhere(~fit.ok)[1:].tolist() == [[9, column] for column in range(7, 12)]
        for name, truth in (("inner_energy", 1.2), ("outer_energy", outer)):
            values, errors = fit[name]
            pulls = ((values - truth) / errors)[fit.ok]
            assert np.abs(pulls).max() < 5
            assert 0.8 < pulls.std() < 1.2
            assert errors[fit.ok].max() < 0.005
    assert open_recording(path).measured.sum() == 115
