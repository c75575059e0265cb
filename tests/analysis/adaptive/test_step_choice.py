"""Biases where they tell most of the energies of steps: honest posteriors, fewer readings, and ends without a value."""

import itertools
import math

import numpy as np
import pytest

from stmlab.analysis.adaptive.choice import least_variance, most_informative
from stmlab.analysis.adaptive.placements import Placements
from stmlab.analysis.adaptive.planned import Why
from stmlab.analysis.adaptive.step_choice import LEAST, StepChoice
from stmlab.analysis.adaptive.step_posterior import RESOLVED, StepPosterior
from stmlab.analysis.residuals import is_structured
from stmlab.analysis.steps.fit import fit_steps
from stmlab.analysis.steps.model import StepModel
from stmlab.analysis.steps.shapes import StepShape
from stmlab.analysis.steps.solution import solve_near, solve_steps
from stmlab.analysis.steps.spectrum import StepSpectrum
from stmlab.errors import FitError
from tests.approximately import close
from tests.repetitions import drawn

REACH, WARM, MODULATION = 10.0, 1.2, 0.2e-3


def model(pairs=1, temperature=None):
    return StepModel(pairs, temperature, MODULATION, True, True, False)


def steps(*energies, heights=None, offset=0.1):
    """Parameters of steps at these energies, meV; of height 1 on a background of 3."""
    heights = heights or [1.0] * (2 * len(energies))
    return np.array([*np.diff(energies, prepend=0.0), offset, np.log(WARM), *heights, 3.0, 0.02])


class Reader:
    """Reads snr * G(x) + noise of unit strength."""

    def __init__(self, vector, snr=10.0, seed=1, change=None):
        self.vector, self.snr, self.change = vector, snr, change
        self.model, self.chance = model((len(vector) - 4) // 3), np.random.default_rng(seed)
        self.x, self.y, self.why = [], [], []

    def value(self, x):
        return self.snr * self.model.value(self.vector, np.atleast_1d(x))

    def run(self, choice):
        while (x := choice.choose()) is not None:
            self.x.append(x)
            self.why.append(choice.why)
            reading = float(self.value(x)[0]) + self.chance.normal()
            self.y.append(self.change(len(self.x), reading) if self.change else reading)
            choice.learn(len(self.x), x, self.y[-1])
        return self

    def fit(self, pairs=1):
        return fit_steps(1e-3 * np.array(self.x), self.y, modulation_V=MODULATION, pairs=pairs, window_V=None)


def chosen(target=0.005, pairs=1, most=4000, crossing=0.1, seed=0):
    return StepChoice(model(pairs), -REACH, REACH, target, most, crossing, seed)


def even_error(vector, snr, points=201):
    """Cramer-Rao bound of the inner energy on an even grid, meV."""
    slopes = snr * model().jacobian(vector, np.linspace(-REACH, REACH, points))
    return float(np.sqrt(np.linalg.inv(slopes.T @ slopes)[0, 0]))


# -- what is known ------------------------------------------------------------------------------------------------


def test_probabilities_of_placements_are_those_of_least_squares_one_by_one():
    """For each: the sum of squares left by its own least squares, and the determinant, to Student's law."""
    reader = Reader(steps(4.0), snr=4.0)
    x = np.linspace(-REACH, REACH, 25)
    y = reader.value(x) + reader.chance.normal(size=25)
    placements = Placements(model(1, WARM), REACH)
    for place, reading in zip(x, y, strict=True):
        placements.add(place, reading)
    placements.solve()
    shape, spacing = StepShape(WARM, MODULATION), REACH / 25
    logarithms = []
    for shift, number in itertools.product(range(-2, 3), range(1, 25)):
        up, down = (x - spacing * (shift + side * number) for side in (1, -1))
        design = np.stack([shape.step(up), shape.step(down), np.ones(25), x], axis=1)
        left = np.linalg.lstsq(design, y, rcond=None)[1][0]
        logarithms.append(-0.5 * np.linalg.slogdet(design.T @ design)[1] - 0.5 * (25 - 4) * np.log(left))
    expected = np.exp(np.array(logarithms) - max(logarithms))
    np.testing.assert_allclose(placements.weights, expected / expected.sum(), rtol=1e-5, atol=1e-12)


def test_a_reading_that_is_taken_back_leaves_no_trace():
    x = np.linspace(-REACH, REACH, 25)
    y = Reader(steps(4.0)).value(x) + np.random.default_rng(2).normal(size=25)
    disturbed, clean = StepPosterior(model(), -REACH, REACH), StepPosterior(model(), -REACH, REACH)
    for key, (place, reading) in enumerate(zip(x, y, strict=True)):
        disturbed.add(key, place, reading + (50.0 if key == 7 else 0.0))
        clean.add(key, place, reading)
    disturbed.add(7, x[7], y[7])
    disturbed.solve()
    clean.solve()
    assert len(disturbed) == 25
    np.testing.assert_allclose(disturbed.weights, clean.weights, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize(("pairs", "energies"), [(1, (3.3,)), (2, (2.1, 4.9))])
def test_once_found_energies_and_errors_are_those_of_the_fit(pairs, energies):
    reader = Reader(steps(*energies))
    choice = chosen(0.004, pairs)
    fit = reader.run(choice).fit(pairs)
    known = choice.posterior
    for k, name in enumerate(("inner_energy", "outer_energy")[:pairs]):
        assert abs(known.energies[k] - fit[name].value) < 0.2 * fit[name].error
        assert known.errors[k] == close(fit[name].error, rel=0.1)
    assert choice.known()["value"] == known.energies[0]


@drawn(16, of=60)
def test_what_the_fit_cannot_rule_out_counts_in_the_run_too(times):
    """Plateau slopes that noise may have made widen the errors of both alike."""
    widened = 0
    for seed in range(times):
        reader = Reader(steps(3.5), seed=seed)
        x = np.linspace(-REACH, REACH, 90)
        y = reader.value(x) + reader.chance.normal(size=len(x))
        data = StepSpectrum.checked(1e-3 * x, y, None, None, 8)
        near, fit = solve_near(data, model(), steps(3.5), 20), solve_steps(data, model(), None)
        assert near is not None
        assert near.covariance[0, 0] == close(fit.covariance[0, 0], rel=0.05) or is_structured(
            data.y - fit.model.value(fit.vector, data.x), len(fit.vector)
        )
        flat = solve_steps(data, model(), False)
        widened += fit.covariance[0, 0] > 1.1 * flat.covariance[0, 0]
    assert widened >= 2, "else this shows nothing"


def test_a_run_ends_by_the_error_of_every_reading_for_itself():
    """Not by that of means of neighbours, which may be smaller."""
    choice = chosen(0.002)
    energy = Reader(steps(3.0)).run(choice).fit()["inner_energy"]
    assert len(choice.posterior) > 200
    assert choice.reached
    assert choice.posterior.errors[0] == close(energy.error, rel=1e-3)


# -- what is chosen -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("runs", [4, pytest.param(40, marks=pytest.mark.slow)])
def test_pulls_are_honest_and_readings_are_few(runs):
    pulls, gains, chance = [], [], np.random.default_rng(3)
    for seed in range(runs):
        vector = steps(chance.uniform(2.5, 5.0), heights=chance.uniform(0.7, 1.3, 2).tolist())
        reader = Reader(vector, seed=seed).run(chosen(0.004, seed=seed))
        energy = reader.fit()["inner_energy"]
        assert energy.error < 1.1 * 0.004 * energy.value
        pulls.append((energy.value - vector[0]) / energy.error)
        gains.append(201 * (even_error(vector, 10.0) / (0.004 * vector[0])) ** 2 / len(reader.x))
    assert np.median(gains) > 3.5
    assert abs(np.mean(pulls)) < 4 / math.sqrt(runs)
    assert np.sqrt(np.mean(np.square(pulls))) < 1 + 3 / math.sqrt(runs)


def test_a_third_of_the_readings_is_spread_evenly_over_the_range():
    reader = Reader(steps(4.0)).run(chosen(0.002))
    spread = np.array([x for x, why in zip(reader.x, reader.why, strict=True) if why is not Why.INFORMATION])
    assert len(spread) == close(len(reader.x) / 3, rel=0.05)
    numbers = np.histogram(spread, 10, (-REACH, REACH))[0]
    assert numbers.min() > 0.7 * len(spread) / 10
    assert numbers.max() < 1.4 * len(spread) / 10


def test_a_design_for_a_wrong_energy_is_worse_than_an_even_grid_and_this_one_finds_the_right_one():
    """Fixed, for an energy that is wrong by 0.4 meV."""
    vector, wrong = steps(4.0), steps(4.4)
    known = StepPosterior(model(), -REACH, REACH)
    for key, place in enumerate(np.linspace(-REACH, REACH, 61)):
        known.add(key, place, float(10 * model().value(wrong, np.array([place]))[0]) + 0.1 * (-1) ** key)
    known.solve()
    known.solve()
    assert known.found
    fixed = np.array(least_variance(known, np.linspace(-REACH, REACH, 400), 300))
    slopes = 10 * model().jacobian(vector, fixed)
    fixed_error = np.sqrt(300 * np.linalg.inv(slopes.T @ slopes)[0, 0])
    even = np.sqrt(201) * even_error(vector, 10.0)
    assert fixed_error > 1.5 * even
    choice = chosen(0.002)
    reader = Reader(vector).run(choice)
    assert choice.reached
    assert np.sqrt(len(reader.x)) * 0.002 * 4.0 < 0.6 * even


def test_a_step_between_two_readings_is_not_taken_for_a_sharp_one():
    """Readings within its width are asked for before anything else."""
    choice, reader = chosen(0.01), Reader(steps(4.1), snr=30.0)
    reader.run(choice)
    width = choice.posterior.width_meV
    for centre in (-4.0, 4.2):
        inside = np.abs(np.array(reader.x) - centre) < width / 2
        assert np.count_nonzero(inside) >= RESOLVED
    assert choice.posterior.lacking() == []
    sparse = StepPosterior(model(1, WARM), -REACH, REACH)
    for key, place in enumerate(np.linspace(-REACH, REACH, 31)):
        sparse.add(key, place, float(reader.value(place)[0]))
    for _ in range(3):
        sparse.solve()
    lacking = np.array(sparse.lacking())
    assert len(lacking) >= 2 * (RESOLVED - 2)
    assert np.all(np.minimum(np.abs(lacking + 4.0), np.abs(lacking - 4.2)) < 0.5 * width)


def test_while_steps_might_be_wider_than_they_seem_their_width_is_sought():
    reader, known = Reader(steps(4.0), snr=5.0, seed=3), StepPosterior(model(), -REACH, REACH)
    places = [*np.linspace(-REACH, REACH, 31), *np.tile([-4.3, -3.9, -3.5, 3.7, 4.1, 4.5], 4)]
    more = np.tile([-9.0, -6.0, -4.3, -3.9, -3.5, 0.0, 3.7, 4.1, 4.5, 7.0], 60)
    for part in (places, more):
        for place in part:
            known.add(len(known), place, float(reader.value(place)[0]) + reader.chance.normal())
        for _ in range(3):
            known.solve()
        assert known.found
        at = known.model.names.index("log_temperature")
        assert known.width_is_known == (part is more)
        assert known.direction[at] == (0.0 if part is more else 1.0)
        assert known.direction[0] == (1.0 if part is more else 0.0)


def test_a_far_place_must_be_worth_its_way():
    x, placements, reader = np.linspace(-REACH, REACH, 201), Placements(model(1, WARM), REACH), Reader(steps(4.0), 3.0)
    for place in np.linspace(-REACH, REACH, 14):
        placements.add(place, float(reader.value(place)[0]) + reader.chance.normal())
    placements.solve()
    free = most_informative(placements, x)
    costly = most_informative(placements, x, 1.0 + 100.0 * (x * free > 0))
    assert costly * free <= 0


def test_the_way_to_a_place_counts_while_the_steps_are_looked_for():
    """From the end of the range, where the spread readings end; both know the same."""
    free, costly = [], []
    for seed in range(8):
        for ways, crossing in ((free, 0.0), (costly, 100.0)):
            reader, choice = Reader(steps(4.0), snr=3.0, seed=seed), chosen(crossing=crossing)
            for key in range(3 * len(choice.posterior.model.names)):
                x = choice.choose()
                choice.learn(key, x, float(reader.value(x)[0]) + reader.chance.normal())
            assert x == REACH
            ways.append(REACH - choice.choose())
            assert choice.why is Why.INFORMATION
    assert np.all(np.array(costly) <= free)
    assert sum(costly) < 0.5 * sum(free)


@pytest.mark.parametrize("crossing", [0.1, 10.0])
def test_the_bias_travels_little_beside_the_readings(crossing):
    reader = Reader(steps(4.0)).run(chosen(0.002, crossing=crossing))
    travel = crossing * np.abs(np.diff(reader.x)) / (2 * REACH)
    assert travel[100:].mean() < 0.35
    assert travel.mean() < 0.7


def test_two_energies_are_both_known_at_the_end():
    choice = chosen(0.006, pairs=2)
    reader = Reader(steps(2.4, 5.2, heights=[1.0, 1.0, 0.3, 0.3])).run(choice)
    fit = reader.fit(2)
    for name, true in (("inner_energy", 2.4), ("outer_energy", 5.2)):
        assert fit[name].error < 1.1 * 0.006 * true
        assert abs(fit[name].value - true) < 4 * fit[name].error
    informative = np.array([x for x, why in zip(reader.x, reader.why, strict=True) if why is Why.INFORMATION])
    assert np.mean(np.abs(np.abs(informative - 0.1) - 5.2) < 0.8) > 0.4, "the outer pair is the lower one"


def test_what_was_known_before_a_run_was_resumed_counts():
    first = chosen(0.004)
    reader = Reader(steps(4.0)).run(first)
    again = chosen(0.004)
    for key, (x, y) in enumerate(zip(reader.x[:70], reader.y[:70], strict=True)):
        again.learn(key, x, y)
    reader.run(again)
    assert Why.START not in reader.why[len(first.posterior) :]
    assert len(again.posterior) == close(len(first.posterior), rel=0.5)


# -- ends without a value -----------------------------------------------------------------------------------------


def test_no_step_ends_with_a_sentence_and_no_value():
    choice = chosen()
    reader = Reader(steps(4.0, heights=[1e-3, 1e-3])).run(choice)
    assert choice.ended.startswith("no pair of steps stands out of the noise of 40")
    with pytest.raises(FitError):
        reader.fit()


def test_one_step_where_two_are_looked_for_is_said(monkeypatch):
    monkeypatch.setattr("stmlab.analysis.adaptive.planned._HOPELESS", 160)  # above, all of them
    choice = chosen(pairs=2)
    Reader(steps(4.0)).run(choice)
    assert "no two pairs of steps stand out" in choice.ended
    assert "set pairs to 1" in choice.ended


@pytest.mark.parametrize("energy", [9.8, 12.0])
def test_a_step_at_or_beyond_the_end_of_the_range_gives_no_value(energy):
    choice = chosen(0.002, most=300)
    reader = Reader(steps(energy)).run(choice)
    assert "in this range" in choice.ended or "widen the range" in choice.ended
    try:
        fit = reader.fit()
    except FitError:
        return
    assert fit.warnings


def test_however_little_is_asked_for_enough_readings_tell_the_noise_around_a_step():
    assert len(Reader(steps(4.0)).run(chosen(0.5)).x) == 60


def test_it_ends_when_no_more_readings_are_allowed():
    choice = chosen(0.001, most=100)
    reader = Reader(steps(4.0)).run(choice)
    assert len(reader.x) == 100
    assert "0.1 % was asked for" in choice.ended


@pytest.mark.slow
def test_a_second_pair_that_is_not_looked_for_is_doubted():
    """The spread readings see it."""
    doubted = 0
    for seed in range(3):
        choice = chosen(0.01, most=300, seed=seed)
        reader = Reader(steps(2.4, 5.5), seed=seed).run(choice)
        try:
            doubted += bool(reader.fit().warnings)
        except FitError:
            doubted += 1
    assert doubted == 3


def test_there_are_enough_readings_to_tell_the_noise():
    assert len(Reader(steps(4.0), snr=300.0).run(chosen(0.1)).x) >= LEAST
