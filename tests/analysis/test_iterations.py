"""A fit that takes its time: it tells how far it is, ends where it is asked to, and says what that leaves of it."""

import math
from contextlib import suppress
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from stmlab.analysis import models
from stmlab.analysis.decay import fit_decay
from stmlab.analysis.fitting import fit_grid, fit_recording
from stmlab.analysis.grids import analyse_grid
from stmlab.analysis.iterations import (
    NOT_REACHED,
    OUT_OF_TIME,
    STOPPED,
    Iterations,
    ended_early,
    fitting,
    following,
    iterations,
)
from stmlab.analysis.lorentzian import fit_srs
from stmlab.analysis.n_state import fit_states, srs_spectra
from stmlab.analysis.ramp import exchange_of, fit_series
from stmlab.analysis.srs_map import fit_srs_map
from stmlab.analysis.steps import fit_steps
from stmlab.analysis.steps.shapes import StepShape
from stmlab.analysis.telegraph import fit_telegraph
from stmlab.analysis.transport import fit_transport
from stmlab.errors import FitEnded, FitError
from stmlab.events import FitProgress
from stmlab.physics.stochastic_resonance import line_shape
from stmlab.results import FitParameter, FitResult
from stmlab.storage.recorded import Column, Grid
from stmlab.systems import read_system
from tests.analysis.n_state import maps
from tests.analysis.n_state import test_n_state as pairs
from tests.approximately import close

DATA = Path(__file__).parents[1] / "data"
BIAS = np.linspace(-8e-3, 8e-3, 161)
FREQUENCY = np.geomspace(1e6, 1e10, 40)


class Clock:
    """Goes on by a step at every look."""

    def __init__(self, step):
        self.now, self.step = 0.0, step

    def __call__(self):
        self.now += self.step
        return self.now


def result(**choices):
    parameters = (FitParameter("rate", 2.0, 0.1, "1/s"),)
    return FitResult("slow", parameters, ("rate",), np.eye(1), 10, 0.1, 1.0, ("thin",), choices=choices)


def crawling(watched=None):
    """A fit that gains next to nothing, for ever."""
    steps = watched or iterations()
    for k in count(1):
        if steps.over:
            return result(kind="plain"), k - 1
        steps.done(1.0 + 1.0 / k)
    raise AssertionError


# -- the mechanism -----------------------------------------------------------------------------------------------------


def test_a_fit_is_told_of_once_it_has_taken_two_seconds_and_then_four_times_a_second():
    told, clock = [], Clock(0.0)
    steps = Iterations("slow", listeners=(told.append,), clock=clock)
    for k in range(100):
        clock.now = 0.1 * k
        steps.done(100.0 - k)
    assert told[0].seconds == close(2.0)
    assert told[0] == FitProgress("slow", 21, 80.0, "chi square", told[0].seconds)
    apart = np.diff([progress.seconds for progress in told])
    assert np.all((apart > 0.25) & (apart < 0.35))
    assert len(told) == 27


def test_a_quick_fit_tells_nothing():
    told = []
    with following(told.append), fitting("quick") as steps:
        steps.done(1.0)
    assert told == []


def test_a_stopped_fit_hands_out_the_best_so_far_without_errors_and_says_so_first():
    looks = count()
    with following(stop=lambda: next(looks) == 12), fitting("slow") as steps:
        found, taken = crawling()
        marked = steps.marked(found)
    assert taken == 12
    assert ended_early(marked) == STOPPED
    assert marked.warnings[0].startswith("stopped after 12 iterations")
    assert marked.warnings[1:] == ("thin",)
    assert marked["rate"].value == 2.0
    assert math.isnan(marked["rate"].error)
    assert np.isnan(marked.covariance).all()
    assert marked.reduced_chi_square is None
    assert marked.choices["kind"] == "plain"


def test_a_fit_that_comes_to_its_end_is_as_it_was():
    with following(stop=lambda: False), fitting("quick") as steps:
        steps.done(1.0)
        assert steps.marked(found := result()) is found
    assert ended_early(found) == ""


def test_the_time_limit_is_the_processors_time_and_is_named_with_its_unit():
    steps = Iterations("slow", 30.0, cpu=Clock(1.0))
    found, taken = crawling(steps)
    assert taken == 30
    assert ended_early(marked := steps.marked(found)) == OUT_OF_TIME
    assert marked.warnings[0].startswith("out of its time limit of 30 s after 30 iterations")


def test_once_over_a_fit_stays_so():
    looks = iter([False, True, False, False])
    steps = Iterations("slow", stop=lambda: next(looks))
    assert [steps.over for _ in range(4)] == [False, True, True, True]


def test_what_takes_no_time_is_done_to_its_end():
    steps = Iterations("slow", stop=lambda: True)
    with steps.finishing():
        assert not steps.over
        assert steps.ended == ""
    assert steps.over
    with steps.finishing():
        assert not steps.over
    assert steps.over


def test_a_refusal_of_what_a_stop_left_is_no_refusal_of_the_data():
    with pytest.raises(FitEnded, match=r"stopped after 0 iterations.*before there was a result") as ended:
        with following(stop=lambda: True), fitting("slow") as steps:
            assert steps.over
            raise FitError("no step from which a rate could be read")
    assert ended.value.stopped
    assert isinstance(ended.value, FitError)
    with pytest.raises(FitError, match="no step"), following(stop=lambda: True), fitting("slow"):
        raise FitError("no step from which a rate could be read")


def test_outside_of_a_followed_fit_nobody_stops_anything():
    with following(stop=lambda: True):
        assert not iterations().over
    with fitting("inner"):
        assert not iterations().over


# -- every fit ---------------------------------------------------------------------------------------------------------


def noise(points, scale, seed=3):
    return scale * np.random.default_rng(seed).standard_normal(points)


def steps_over_bias(inner=1.2, outer=3.8):
    shape, x = StepShape(1.0, 0.2e-3), 1e3 * BIAS
    rows = [0.3 * shape.step(-x - inner), 0.35 * shape.step(x - inner)]
    rows += [0.5 * shape.step(-x - outer), 0.4 * shape.step(x - outer)]
    return 1.0 + sum(rows) + noise(BIAS.size, 5e-3)


def switching(samples=3000):
    states = np.cumsum(np.random.default_rng(5).random(samples) < 0.05) % 2
    return 1e-12 * (states + noise(samples, 0.15))


def transport():
    return fit_transport(
        BIAS[::4], 1e-7 * steps_over_bias()[::4], np.full(BIAS[::4].size, 1e-7), temperature_K=1.0, exchange=("none",)
    )


def map_of_lines(spectra=9):
    """Every spectrum over frequencies of its own, so that each is fitted by itself."""
    rows = []
    for k in range(spectra):
        f = FREQUENCY * (1 + 0.01 * k)
        current = line_shape(f, 1e8, 1e-12, 2e-12) + noise(f.size, 2e-14, k)
        rows.append(np.stack([np.full(f.size, 1e-3 * (k + 1)), np.full(f.size, 1e-3), f, current]))
    return fit_srs_map(*np.concatenate(rows, axis=1))


def series():
    parts = [(steps_over_bias(1.2 + 0.05 * k, 3.8 + 0.1 * k) * g, g) for k, g in enumerate((1e-7, 2e-7, 3e-7, 4e-7))]
    setpoint = np.repeat([g for _, g in parts], BIAS.size)
    return fit_series(np.tile(BIAS, 4), np.concatenate([y for y, _ in parts]), setpoint, temperature_K=1.0)


def exchange():
    found = series()
    with iterations().finishing():
        return exchange_of(found)


@cache
def spectra_of_a_pair_of_states():
    """At one amplitude: as few as may be."""
    v, a, f = (x.ravel() for x in np.meshgrid(pairs.BIASES, pairs.AMPLITUDES[1:], pairs.FREQUENCIES, indexing="ij"))
    rows, setpoint = pairs.pair_rows()
    current, at = rows[:, 1:].ravel(), (maps.SETPOINT_BIAS_V, setpoint)
    spectra = srs_spectra(v, a, f, current, at, pairs.FIELD_T, pairs.TEMPERATURE_K)
    with TemporaryDirectory() as folder:
        (file := Path(folder, "pair.toml")).write_text(pairs.PAIR, encoding="utf-8")
        return spectra, read_system(file)


def states():
    spectra, system = spectra_of_a_pair_of_states()
    return fit_states(spectra, [system])


FITS = {
    "srs": lambda: fit_srs(FREQUENCY, line_shape(FREQUENCY, 1e8, 1e-12, 2e-12) + noise(40, 2e-14)),
    "decay": lambda: fit_decay(np.linspace(1e-10, 5e-9, 60), np.exp(-np.linspace(0.1, 5, 60)) + noise(60, 0.01)),
    "steps": lambda: fit_steps(BIAS, steps_over_bias(), temperature_K=1.0, modulation_V=0.2e-3, pairs=2),
    "gaussians": lambda: fit_steps(
        BIAS, steps_over_bias(), temperature_K=1.0, modulation_V=0.2e-3, pairs=2, method="gaussians"
    ),
    "telegraph": lambda: fit_telegraph(switching(), 1e-3),
    "transport": transport,
    "srs_map": map_of_lines,
    "exchange": exchange,
    "n_state": states,
}


HELD = {
    "srs": ("srs", "srs_two_widths"),
    "decay": ("decay",),
    "steps": ("steps", "steps_one_pair"),
    "gaussians": ("gaussians", "gaussians_one_pair"),
    "telegraph": ("telegraph",),
    "transport": ("transport",),
    "srs_map": ("srs_map",),
    "exchange": ("exchange", "correlation"),
    "n_state": ("n_state",),
}
QUICK = {"transfer", "bound_state"}  # a closed form and power laws, solved a few times over


def test_every_model_is_held_to_it():
    assert set(HELD) == set(FITS)
    assert set().union(*HELD.values()) | QUICK == set(models.MODELS), "add a case to FITS and its name here"


@pytest.mark.parametrize("name", FITS)
@pytest.mark.parametrize("look", [0, 1, 2, 5, 18])
def test_every_fit_ends_at_the_look_at_which_it_is_stopped_with_a_doubt_or_with_a_reason(name, look):
    asked = count()
    try:
        with following(stop=lambda: next(asked) >= look), fitting(name) as steps:
            fitted = steps.marked(FITS[name]())
    except FitEnded as nothing:
        assert nothing.stopped
    else:
        assert ended_early(fitted) in {STOPPED, ""}
        if ended_early(fitted):
            assert fitted.warnings[0].startswith("stopped after")
        else:
            assert next(asked) <= look, "nobody was asked often enough: it came to its end"
    assert next(asked) <= look + 2, "once it is over a fit does not go on asking"


@pytest.mark.parametrize("name", FITS)
def test_every_fit_looks_in_its_innermost_loop_and_makes_no_step_more(name, monkeypatch):
    monkeypatch.setattr("stmlab.analysis.iterations._PATIENCE", 0.0)
    monkeypatch.setattr("stmlab.analysis.iterations._EVERY", 0.0)
    whole, part = [], []
    with following(whole.append), fitting(name):
        FITS[name]()
    enough = len(whole) // 2
    with suppress(FitEnded), following(part.append, stop=lambda: len(part) >= enough), fitting(name):
        FITS[name]()
    assert enough >= 2
    more = {"exchange": 200, "n_state": 8}.get(name, 1)  # levels and lines of a few spectra take no time
    assert len(part) <= enough + more


@pytest.mark.parametrize(
    ("name", "look"), [("srs", 4), ("decay", 4), ("steps", 10), ("telegraph", 25), ("transport", 80)]
)
def test_the_best_so_far_is_not_far_from_the_end(name, look):
    whole, asked = FITS[name](), count()
    with following(stop=lambda: next(asked) >= look), fitting(name) as steps:
        part = steps.marked(FITS[name]())
    first = whole.free[0]
    assert part[first].value == close(whole[first].value, rel=0.2)
    assert part.residual < 3 * whole.residual


def test_a_map_that_is_stopped_keeps_the_spectra_that_were_fitted_with_their_errors():
    whole, asked = map_of_lines(), count()
    with following(stop=lambda: next(asked) >= 3), fitting("srs_map") as steps:
        part = steps.marked(map_of_lines())
    kept = len(part.parameters) // 3
    assert 1 < kept < 9
    assert tuple(part.parameters) == whole.parameters[: 3 * kept]
    assert part.warnings[0].startswith(f"stopped after {kept} of 9 curves")
    assert ended_early(part) == STOPPED


def grid(rows=30):
    curves = np.array([[steps_over_bias(outer=3.0 + 0.01 * (k % 50)) for k in range(40)] for _ in range(rows)])
    return Grid(Path("a.3ds"), "nanonis", {}, ("y", "x"), Column("Bias", "V", BIAS), (Column("LI X", "V", curves),))


def test_a_grid_tells_how_many_curves_are_fitted_and_ends_between_them(monkeypatch):
    monkeypatch.setattr("stmlab.analysis.iterations._PATIENCE", 0.0)
    monkeypatch.setattr("stmlab.analysis.iterations._EVERY", 0.0)
    told = []
    with following(told.append, stop=lambda: len(told) >= 3):
        (found,) = analyse_grid(grid(), settings={"temperature": 1.0, "modulation": 0.2e-3}).values()
    fitted = [progress.curves for progress in told]
    assert [progress.iterations for progress in told] == list(range(1, len(told) + 1))
    assert told[-1].total == 1200
    assert fitted == sorted(fitted)
    assert found.ok.sum() == fitted[-1] < 1200
    assert found.reason(29, 39) == NOT_REACHED
    assert found.warnings[0].startswith(f"stopped after {fitted[-1]} of 1200 curves")
    assert np.isfinite(found["outer_energy"][1][found.ok]).all()


def test_the_temperature_of_a_grid_is_looked_for_only_as_long_as_nobody_stops_it():
    with following(stop=lambda: True), pytest.raises(FitEnded, match="before there was a result"):
        fit_grid(grid(1), modulation=0.2e-3)


def test_a_stop_ends_the_fits_of_all_sweeps_of_a_file():
    asked = count()
    with following(stop=lambda: next(asked) >= 3):
        found = fit_recording(DATA / "spectrum.dat")
    assert ended_early(found["forward"]) == STOPPED
    told = " ".join(found["forward"].warnings)
    assert "backward" not in found or ended_early(found["backward"]) == STOPPED
    assert ("the sweep backward is refused: stopped after" in told) == ("backward" not in found)
    assert next(asked) == 5, "each was asked for once more"


# -- the setting -------------------------------------------------------------------------------------------------------


def test_every_model_takes_a_time_limit_with_its_unit():
    (found,) = fit_recording(DATA / "frequency.dat", time_limit="1e-6 ms").values()
    assert ended_early(found) == OUT_OF_TIME
    assert found.warnings[0].startswith("out of its time limit of 1 ns")
    assert found.choices["given"] == "time_limit = 1e-09 s"


@pytest.mark.parametrize(("limit", "complaint"), [(0.0, "time_limit = 0 s: a time above 0"), (math.nan, "above 0")])
def test_a_time_limit_that_is_no_time_is_refused(limit, complaint):
    with pytest.raises(FitError, match=complaint):
        fit_recording(DATA / "frequency.dat", time_limit=limit)


def test_a_run_is_fitted_with_the_same_limit(monkeypatch):
    class Run:
        sequence, data, parameters, path = "slow", {}, {}, "run.h5"

    monkeypatch.setattr(models, "MODELS", {"slow": lambda run, told: crawling()[0]})
    found = models.analyse(Run(), "slow", {"time_limit": 1e-2})
    assert found.warnings[0].startswith("out of its time limit of 10 ms after")
