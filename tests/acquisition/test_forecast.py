"""A plan for tonight: readings and time of each way, beside what is known of them."""

import json
import math

import numpy as np
import pytest
from typer.testing import CliRunner

from sequences.didv import ConductanceSpectrum
from sequences.pump_probe import PumpProbe
from stmlab.acquisition.forecast import Forecast, Way, forecast
from stmlab.acquisition.measurement import measure
from stmlab.analysis.adaptive.forecast import ExpectedLine
from stmlab.analysis.adaptive.posterior import resonance
from stmlab.analysis.adaptive.scale_choice import RESONANCE_CHECKS
from stmlab.analysis.lorentzian import rate_error_bound
from stmlab.cli import app
from stmlab.display.forecasts import forecast_as_text
from stmlab.errors import FitError, SequenceError
from stmlab.results import FitResult
from tests.approximately import close

BAND = (3e6, 20e9)
RATE = 2 * math.pi * math.sqrt(BAND[0] * BAND[1])  # in the middle
ENDS = tuple(math.log(2 * math.pi * f) for f in BAND)
LINE = ExpectedLine(resonance, RATE, 10.0, RESONANCE_CHECKS)
POINTS = 20


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    """A run of earlier, whose filter settles in 1.307 s."""
    settings = {"points": POINTS, "averages": 4, "time_constant": "100 ms"}
    return measure("srs", seed=3, path=tmp_path_factory.mktemp("old") / "old.h5", settings=settings)


def test_the_bound_is_that_of_the_best_design():
    """Half of the readings about 0.43 and 1.35 times the place, a quarter each at the ends: sd(u) = 4.07 / signal."""
    from scipy.optimize import minimize

    def variance(weights_and_places):
        weights = np.exp(weights_and_places[:4])
        weights /= weights.sum()
        x = weights_and_places[4:]
        line = 0.5 * (1 - np.tanh(x))
        rows = np.stack([np.ones(4), line, 10 * 0.5 / np.cosh(x) ** 2], axis=1)
        return np.linalg.inv((rows * weights[:, None]).T @ rows)[2, 2]

    end = math.log(BAND[1] / BAND[0]) / 2
    best = minimize(
        lambda v: variance(np.concatenate([v[:4], [-end, *v[4:], end]])),
        [0, 0, 0, 0, -0.7, 0.3],
        method="Nelder-Mead",
        options={"maxiter": 4000, "fatol": 1e-9},
    )
    assert LINE.fewest_readings(*ENDS, 0.01) == close(best.fun / 1e-4, rel=0.005)


def test_no_way_beats_the_bound_and_chosen_points_beat_the_grid():

    grid = np.linspace(*ENDS, 60)
    least, even = LINE.fewest_readings(*ENDS, 0.02), LINE.grid_readings(grid, 0.02, 60)
    chosen = LINE.chosen_readings(*ENDS, 0.02, 5000)
    assert least < chosen < even / 1.7
    assert even == close(60 * (rate_error_bound(np.geomspace(*BAND, 60), RATE, 10.0, 1.0) / RATE / 0.02) ** 2, rel=1e-6)
    loud = ExpectedLine(resonance, RATE, 1000.0, RESONANCE_CHECKS)
    assert loud.grid_readings(grid, 0.02, 60) == 60, "a grid has all its points"


def test_a_rate_beyond_the_range_takes_endless_readings():
    beyond = ExpectedLine(resonance, 1e3 * RATE, 10.0, RESONANCE_CHECKS)
    assert math.isinf(beyond.chosen_readings(*ENDS, 0.02, 100))


def test_an_old_run_tells_rate_step_and_noise(old):
    found = forecast("srs", 0.02, like=old.path)
    (fit,) = old.fits
    assert found.value == fit["rate"].value
    log, optimal, adaptive, bound = found.ways
    error = fit["rate"].error / fit["rate"].value
    assert log.readings == POINTS, "a grid has all its points"
    assert bound.readings <= optimal.readings
    assert log.seconds > POINTS * 10 * 0.1, "four poles settle at the time constant of the old run"
    assert adaptive.seconds > 0
    assert adaptive.name == "adaptive, averages=1"
    at_first = log.seconds / POINTS
    log, _, adaptive, _ = forecast("srs", 0.002, like=old.path, settings={"time_constant": "0.1 s"}).ways
    assert log.readings == close(4 * POINTS * (error / 0.002) ** 2, rel=0.05), "as the fit's own error scales"
    assert (log.seconds - POINTS * at_first) / (log.readings - POINTS) < 0.7 * at_first, (
        "further readings need not settle"
    )
    assert adaptive.name != "adaptive, averages=1"
    assert adaptive.seconds < log.seconds / 1.7
    assert math.isnan(bound.seconds)
    with pytest.raises(SequenceError, match=r"time_constant = 30 ms: in .*old\.h5 it was 100 ms"):
        forecast("srs", 0.01, like=old.path, settings={"time_constant": "30 ms"})


def test_stabilising_the_tip_on_the_way_is_a_part_of_the_time(old):
    seldom, often = (
        forecast("srs", 0.003, like=old.path, settings={"stabilise_every": every, "stabilise_time": "3 s"})
        for every in (0, 5)
    )
    for one, other in zip(seldom.ways[:2], often.ways[:2], strict=True):
        assert other.readings == one.readings
        assert other.seconds - one.seconds == close(3 * (3.0 + 1.307), rel=0.01), "of 20 points three more times"
    averages = int(often.ways[2].name.removeprefix("adaptive, averages="))
    assert averages > 1
    times = math.ceil(often.ways[2].readings / averages / 5) - 1
    assert often.ways[2].seconds - seldom.ways[2].seconds == close(times * (3.0 + 1.307), rel=0.01)


def test_the_command_and_its_table(tmp_path):
    done = CliRunner().invoke(
        app, ["plan", "srs", "--sample", "fe_atom", "--seed", "1", "--target", "1 %", "--json", "--set", "points=20"]
    )
    assert done.exit_code == 0, done.stderr
    said = json.loads(done.stdout)
    assert [way["name"] for way in said["ways"]][-1] == "bound (Cramer-Rao)"
    assert said["ways"][-1]["seconds"] is None
    found = Forecast(
        *("rate", 1.7e9, "1/s", 30.0, 0.01, "old.h5"),
        (Way("adaptive", 246.2, 96.4), Way("bound", math.inf, math.nan)),
        ("the line is not flat",),
    )
    assert forecast_as_text(found).splitlines() == [
        "rate 1.7·10⁹ /s, step 30 standard deviations of a reading (from old.h5); to 1 %:",
        "  adaptive                       247 readings  0:01:36",
        "  bound                     too many readings  ",
        "  warning: the line is not flat",
    ]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["transfer"], "transfer cannot be planned"),
        (["srs", "--target", "0 %"], "--target 0 %"),
        (["srs", "--target", "x"], "x"),
    ],
)
def test_what_cannot_be_planned_is_refused(arguments, why):
    done = CliRunner().invoke(app, ["plan", *arguments])
    assert done.exit_code == 1
    assert why in done.stderr


def test_the_short_run_is_as_was_asked_but_for_what_is_planned(monkeypatch):
    asked = []

    def refuse(*_, settings, **__):
        asked.append(settings)
        raise FitError("short enough")

    monkeypatch.setattr("stmlab.acquisition.forecast.measure", refuse)
    with pytest.raises(FitError, match="short enough"):
        forecast("srs", 0.01, settings={"points": 20, "averages": 3, "grid": "optimal"})
    assert asked == [{"points": 20}]


def test_another_sequence_is_not_like_it(tmp_path):
    outcome = measure("didv", seed=3, path=tmp_path / "old.h5", settings={"points": 5})
    with pytest.raises(SequenceError, match="a run of didv"):
        forecast("srs", 0.01, like=outcome.path)


def test_t1_is_planned_like_an_old_run(tmp_path):
    settings = {"delays": "even", "points": 31}
    outcome = measure("pump_probe", sample="fe_five_states", seed=3, path=tmp_path / "old.h5", settings=settings)
    found = forecast("pump_probe", 0.005, like=outcome.path, sample="fe_five_states", settings={"points": 31})
    (fit,) = outcome.fits
    even, fitted, adaptive, bound = found.ways
    error = fit["T1"].error / fit["T1"].value
    assert (found.name, found.value, found.unit) == ("T1", fit["T1"].value, "s")
    assert even.readings == close(31 * (error / 0.005) ** 2, rel=0.05), "as the fit's own error scales"
    assert bound.readings < adaptive.readings < fitted.readings < even.readings
    assert adaptive.seconds < fitted.seconds < even.seconds
    with pytest.raises(SequenceError, match=r"fitted_sides = negative: in .*old\.h5 it was positive"):
        forecast("pump_probe", 0.005, like=outcome.path, settings={"fitted_sides": "negative"})


def test_adaptive_delays_on_both_sides_are_not_planned():
    fit = FitResult("decay", (), (), np.empty((0, 0)), 41, 1.0)
    with pytest.raises(SequenceError, match="adaptive delays lie on one side"):
        PumpProbe(fitted_sides="both").expected(fit, 1.0)


def test_a_value_that_is_fitted_stands_for_all_its_readings():
    assert ConductanceSpectrum(averages=3, sweeps=2, backward=True).readings_averaged() == 12
    assert ConductanceSpectrum(averages=3, biases="adaptive").readings_averaged() == 3


@pytest.mark.slow
def test_energies_of_steps_are_planned_and_the_run_takes_as_long_as_was_said(tmp_path):
    settings = {"pairs": 1, "start_bias": "-3 mV", "stop_bias": "3 mV", "points": 121}
    arguments = ["plan", "didv", "--sample", "coh_bare", "--seed", "1", "--target", "1 %", "--json"]
    arguments += [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.stderr
    said = json.loads(done.stdout)
    even, adaptive, bound = said["ways"]
    assert (even["name"], adaptive["name"].partition(",")[0]) == ("even biases", "adaptive")
    assert said["unit"] == "meV"
    assert bound["readings"] < adaptive["readings"] < even["readings"]
    averages = int(adaptive["name"].partition("=")[2])
    outcome = measure(
        "didv",
        sample="coh_bare",
        seed=2,
        path=tmp_path / "run.h5",
        settings=settings | {"biases": "adaptive", "target_error": "1 %", "averages": averages},
    )
    assert 0.5 < outcome.points * averages / adaptive["readings"] < 2
