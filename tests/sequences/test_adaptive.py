"""Runs that choose their points, and orders of points, through the wire of the simulated microscope."""

import math

import numpy as np
import pytest

from sequences.pump_probe import PumpProbe
from stmlab.acquisition.measurement import measure, measurement, resumption
from stmlab.acquisition.ordering import order_of
from stmlab.acquisition.runner import Runner
from stmlab.errors import SequenceError
from stmlab.events import PointTaken, RunState, StateChanged
from stmlab.station import Station
from stmlab.storage import open_run
from tests.approximately import close

ADAPTIVE = {"grid": "adaptive", "time_constant": "10 ms", "stabilise_time": "0.2 s"}
RATE = 1.732e9  # of the sample fe_atom at 4 mV and a weak drive


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """A run, each of its points and the one that is under way when it is told, and the same of each new state."""
    path, told, states = tmp_path_factory.mktemp("adaptive") / "run.h5", [], []
    settings = ADAPTIVE | {"target_error": "2 %"}
    with measurement("srs", sample="fe_atom", seed=5, path=path, settings=settings) as (runner, _):
        states.append((None, runner.under_way))
        runner.listen(lambda event: isinstance(event, PointTaken) and told.append((event.index, runner.under_way)))
        runner.listen(lambda event: isinstance(event, StateChanged) and states.append((event.state, runner.under_way)))
        outcome = runner.run()
    return outcome, told, states


@pytest.fixture(scope="module")
def known_to_a_percent(watched):
    return watched[0]


def test_it_ends_when_the_rate_is_known_as_well_as_asked_for(known_to_a_percent):
    (fit,) = known_to_a_percent.fits
    rate = fit["rate"]
    assert known_to_a_percent.message == ""
    assert fit.warnings == ()
    assert rate.error / rate.value < 0.022
    assert abs(rate.value - RATE) < 4 * rate.error
    assert 30 <= known_to_a_percent.points < 1000


def test_the_file_has_the_data_sorted_and_the_visits_in_their_order(known_to_a_percent):
    run = open_run(known_to_a_percent.path)
    assert run.complete
    frequency = run.axes[0].values
    assert np.all(np.diff(frequency) > 0)
    assert len(np.unique(run.visits.index)) == len(run.visits) == run.points, "each visit is a point of its own"
    assert not np.all(np.diff(run.visits.index) > 0)
    chosen, errors = run.visits.data["chosen"], run.visits.data["relative_error"]
    assert set(chosen[:12]) == {0.0}
    assert abs(np.sum(chosen == 1) - np.sum(chosen == 2)) <= 1
    assert errors[-1] < 0.03 < errors[11]
    assert run.visits.data["rate_so_far"][-1] == close(RATE, rel=0.03)


def test_fitted_again_it_is_judged_again(known_to_a_percent):
    from stmlab.analysis import analyse

    again = analyse(open_run(known_to_a_percent.path))
    assert again["rate"].value == close(known_to_a_percent.fits[0]["rate"].value)


def test_the_run_tells_which_point_it_is_taking(watched):
    _, told, states = watched
    assert states[:3] == [(None, None), (RunState.PREPARING, None), (RunState.RUNNING, None)]
    visited = [index for index, _ in told]
    assert [following for _, following in told[:-1]] == visited[1:], "a point is handed on when the next is on its way"
    assert told[-1][1] == visited[-1]


@pytest.mark.parametrize(("target", "visits"), [(0.025, 20), pytest.param(0.015, 30, marks=pytest.mark.slow)])
def test_what_was_stopped_goes_on_where_it_was(tmp_path, target, visits):
    path = tmp_path / "run.h5"
    settings = ADAPTIVE | {"target_error": target}
    with measurement("srs", sample="fe_atom", seed=5, path=path, settings=settings) as (runner, _):
        runner.listen(lambda event: isinstance(event, PointTaken) and event.visit == visits - 1 and runner.stop())
        stopped = runner.run()
    assert stopped.points in (visits, visits + 1)
    with resumption(path) as (runner, _):
        outcome = runner.run()
    run = open_run(path)
    assert run.visits.session.max() == 1
    assert run.visits.data["relative_error"][stopped.points] < 0.1, "what was read before is known"
    assert set(run.visits.data["chosen"][stopped.points + 3 :]) <= {1.0, 2.0}
    assert outcome.fits[0]["rate"].error / outcome.fits[0]["rate"].value < 1.1 * target


def test_a_rate_outside_the_band_gives_a_sentence_and_no_number(tmp_path):
    outcome = measure(
        "srs",
        sample="fe_atom",
        seed=5,
        path=tmp_path / "run.h5",
        settings=ADAPTIVE | {"stop_frequency": "100 MHz", "target_error": "5 %"},
    )
    assert outcome.fits == ()
    assert "widen the" in outcome.message


def test_the_time_limit_holds(tmp_path):
    settings = ADAPTIVE | {"target_error": "0.1 %", "time_limit": "6 s"}
    with measurement("srs", sample="fe_atom", seed=5, path=tmp_path / "run.h5", settings=settings) as (runner, plan):
        outcome = runner.run()
    assert plan.seconds < 11
    assert outcome.points <= plan.points + 12
    assert "0.1 % was asked for" in outcome.message
    assert "was not reached" in outcome.fits[0].warnings[0]


def test_stabilising_the_tip_on_the_way_counts_for_the_time_limit(tmp_path):
    settings = ADAPTIVE | {"target_error": "0.1 %", "time_limit": "12 s", "stabilise_every": 5, "stabilise_time": "1 s"}
    with measurement("srs", sample="fe_atom", seed=5, path=tmp_path / "run.h5", settings=settings) as (runner, _):
        outcome = runner.run()
    elapsed = open_run(tmp_path / "run.h5").visits.time
    assert 9.0 < elapsed.max() < 13.0
    assert "as many as were allowed" in outcome.message


@pytest.mark.parametrize(
    ("sequence", "settings", "allowed"),
    [
        ("srs", {"grid": "adaptive", "averages": 20, "time_limit": "30 s"}, 7),
        ("pump_probe", {"delays": "adaptive", "stabilise_every": 1, "time_limit": "15 s"}, 8),
        ("didv", {"biases": "adaptive", "averages": 20, "time_limit": "30 s"}, 6),
    ],
)
def test_a_time_limit_that_ends_before_the_whole_range_is_seen_is_refused(tmp_path, sequence, settings, allowed):
    with pytest.raises(
        SequenceError, match=rf"time_limit = .* s: it allows {allowed} readings, the first \d+ are spread"
    ):
        measure(sequence, path=tmp_path / "run.h5", settings=settings)
    assert not (tmp_path / "run.h5").exists()


def test_adaptive_delays_find_t1(tmp_path):
    settings = {"delays": "adaptive", "target_error": "3 %", "time_constant": "10 ms", "stabilise_time": "0.2 s"}
    path = tmp_path / "run.h5"
    with measurement("pump_probe", sample="fe_five_states", seed=5, path=path, settings=settings) as (runner, _):
        outcome = runner.run()
        true = 1 / runner.station.simulation.sample.true_rate(runner.sequence.dc_bias, 0.0)
    t1 = outcome.fits[0]["T1"]
    assert t1.error < 0.033 * t1.value
    assert abs(t1.value - true) < 4 * t1.error
    assert np.all(open_run(outcome.path).coordinates["delay"] > 0)


@pytest.mark.parametrize(("side", "farthest"), [("positive", 4e-9), ("negative", -3e-9)])
def test_adaptive_delays_end_where_the_range_does(side, farthest):
    sequence = PumpProbe(delays="adaptive", fitted_sides=side, start_delay=-3e-9, stop_delay=4e-9)
    delay = sequence.axes()[0].values
    assert delay[np.abs(delay).argmax()] == close(farthest)
    assert np.all(delay * farthest > 0)


ANOTHER_ATOM = """
name = "another"
title = "S = 3/2: a weak decay, in which an echo of the line is large"
kind = "rate_equation"
source = "of this test"
decay_constant_per_m = 1e10
[rate_equation]
spin = 1.5
axial_anisotropy_meV = -2.1
transverse_anisotropy_meV = 0.35
g_factor = 2.05
field_T = [0.0, 0.0, 3.0]
temperature_K = 0.7
tunnel_conductance_S = 80e-9
sample_conductance_S = 3.1e-6
tip_polarisation = [0.0, 0.0, 0.6]
potential_scattering = 0.5
"""


@pytest.mark.slow
def test_an_echo_of_the_line_on_the_decay_is_doubted(tmp_path):
    """The echo lies at 2.4 ns, and is a tenth of the decay: T1 is a tenth off."""
    sample = tmp_path / "another.toml"
    sample.write_text(ANOTHER_ATOM, encoding="utf-8")
    settings = {"delays": "adaptive", "target_error": "3 %", "time_constant": "10 ms", "setpoint_current": "3 nA"}
    outcome = measure("pump_probe", sample=sample, seed=6, path=tmp_path / "run.h5", settings=settings)
    assert "does not count as reached: the fit is in doubt" in outcome.fits[0].warnings[-1]


class Echoing(PumpProbe):
    """In place of the atom: a decay of 0.8 ns, with a tenth of it missing at 2.4 ns."""

    random: np.random.Generator

    def move_delay(self, delay):
        self.next_point()
        self._delay = delay

    def measure(self):
        decay = math.exp(-self._delay / 0.8e-9) - 0.1 * math.exp(-0.5 * ((self._delay - 2.4e-9) / 0.2e-9) ** 2)
        nothing = dict.fromkeys(("current_error", "x", "y", "pump_height", "probe_height"), 0.0)
        return {**nothing, "current": 1e-12 * (decay + 0.03 * self.random.standard_normal()), **self.known_before()}


def test_a_run_whose_readings_leave_structure_has_not_reached_its_target(tmp_path):
    with Station.load("simulated", sample="fe_atom", seed=1) as station:
        sequence = Echoing(delays="adaptive", target_error=0.025, time_constant=0.01, stabilise_time=0.2)
        sequence.random = np.random.default_rng(6)
        outcome = Runner(sequence, station, tmp_path / "run.h5").run()
    assert "does not count as reached: the fit is in doubt" in outcome.fits[0].warnings[-1]


@pytest.mark.parametrize(
    ("sequence", "settings", "why"),
    [
        ("srs", {"grid": "adaptive", "sweeps": 3}, "no sweeps to repeat"),
        ("srs", {"grid": "adaptive", "start_frequency": "2 GHz", "stop_frequency": "1 GHz"}, "below stop_frequency"),
        ("pump_probe", {"delays": "adaptive", "fitted_sides": "both"}, "set fitted_sides to positive or negative"),
        ("pump_probe", {"delays": "adaptive", "stop_delay": "1 ns"}, "adaptive delays need a range"),
        ("srs", {"grid": "adaptive", "order": "shuffled"}, "visited as they are chosen"),
        ("didv", {"hardware": True, "order": "shuffled"}, "the controller sweeps the points in their order"),
        ("setpoint_ramp", {"order": "elsewhere"}, "one of automatic, sweep, shuffled, interleaved"),
    ],
)
def test_what_cannot_be_is_refused(sequence, settings, why):
    with pytest.raises(SequenceError, match=why), measurement(sequence, settings=settings):
        pass


# -- orders -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["sweep", "shuffled", "interleaved"])
@pytest.mark.parametrize("points", [1, 5, 41])
def test_every_point_is_visited_once(name, points):
    for repetition in range(3):
        assert sorted(order_of(name, "frequency", points, repetition)) == list(range(points))


def test_each_repetition_is_shuffled_in_its_own_way_and_the_same_in_each_run():
    first, second = (order_of("shuffled", "delay", 41, k) for k in (0, 1))
    assert not np.array_equal(first, second)
    assert np.array_equal(first, order_of("shuffled", "delay", 41, 0))


def test_a_setpoint_or_a_height_is_never_jumped_along():
    for axis in ("setpoint", "height", "temperature", "field"):
        assert list(order_of("sweep", axis, 3, 0)) == [0, 1, 2]
        with pytest.raises(SequenceError, match="visited in their order"):
            order_of("shuffled", axis, 3, 0)


def test_repeated_sweeps_are_shuffled_and_their_data_sorted(tmp_path):
    settings = {"sweeps": 3, "points": 12, "time_constant": "10 ms", "stabilise_time": "0.2 s"}
    run = open_run(measure("srs", seed=1, path=tmp_path / "run.h5", settings=settings).path)
    assert run.shape == (3, 12)
    assert not np.array_equal(run.visits.index[:12], np.arange(12))
    assert sorted(run.visits.index[:12]) == list(range(12))
    assert np.all(np.diff(run.grid("current")[0]) < 2e-12), "a step down, not noise"
    assert run.fits[0]["rate"].value == close(RATE, rel=0.2)


def test_a_shuffled_bias_counts_its_travel_and_its_spectrum_is_the_same(tmp_path):
    settings = {"points": 21, "time_constant": "10 ms", "stabilise_time": "0.2 s"}
    with measurement("didv", seed=1, path=tmp_path / "a.h5", settings=settings) as (runner, plan):
        runner.run()
    shuffled = settings | {"order": "shuffled"}
    with measurement("didv", seed=1, path=tmp_path / "b.h5", settings=shuffled) as (runner, jumping):
        runner.run()
    assert jumping.ramps > 2 * plan.ramps
    one, other = (open_run(tmp_path / name).grid("conductance") for name in ("a.h5", "b.h5"))
    noise = np.std(np.diff(one, 2)) / math.sqrt(6)
    assert np.std(one - other) < 2.5 * math.sqrt(2) * noise
    assert abs(np.mean(one - other)) < noise
