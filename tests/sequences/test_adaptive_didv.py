"""dI/dV spectra that choose their biases, through the wire of the simulated microscope."""

import numpy as np
import pytest

from stmlab.acquisition.measurement import measure, measurement, resumption
from stmlab.errors import OutOfBounds, SequenceError
from stmlab.events import PointTaken
from stmlab.simulation.faults import Fault
from stmlab.storage import open_run
from tests.approximately import close
from tests.benchmarks.adaptive_steps import SAMPLE

ENERGY = 4.0  # meV, of the sample: |D| of a spin of 1 on an easy axis
ADAPTIVE = {"biases": "adaptive", "pairs": 1, "time_constant": "10 ms", "stabilise_time": "0.2 s"}
NOISY = ADAPTIVE | {"setpoint_current": "20 pA", "target_error": "0.4 %"}


@pytest.fixture(scope="module")
def easy_axis(tmp_path_factory):
    path = tmp_path_factory.mktemp("samples") / "easy_axis.toml"
    path.write_text(SAMPLE)
    return str(path)


@pytest.fixture(scope="module", params=[0.004, pytest.param(0.002, marks=pytest.mark.slow)])
def target(request):
    """What the error of the energy shall come to."""
    return request.param


@pytest.fixture(scope="module")
def watched(easy_axis, target, tmp_path_factory):
    """A run, whether feedback was on and the bias modulated at each point, and the same after the run."""
    path, seen = tmp_path_factory.mktemp("adaptive") / "run.h5", []
    settings = NOISY | {"target_error": target}
    with measurement("didv", sample=easy_axis, seed=5, path=path, settings=settings) as (runner, _):
        station = runner.station

        def watch(event=None):
            if event is None or isinstance(event, PointTaken):
                seen.append((station.tip.feedback, station.lockin.sine_voltage > 0))

        runner.listen(watch)
        outcome = runner.run()
        watch()
    return outcome, seen


@pytest.fixture(scope="module")
def known(watched):
    return watched[0]


def test_it_ends_when_the_energy_is_known_as_well_as_asked_for(known, target):
    (fit,) = known.fits
    energy = fit["inner_energy"]
    assert known.message == ""
    assert fit.model == "steps_one_pair"
    assert fit.warnings == ()
    assert energy.error < 1.1 * target * ENERGY
    assert abs(energy.value - ENERGY) < 4 * energy.error
    assert 40 <= known.points < 800


def test_the_file_has_the_data_sorted_and_the_visits_in_their_order(known, target):
    run = open_run(known.path)
    assert run.complete
    assert np.all(np.diff(run.axes[0].values) > 0)
    assert len(np.unique(run.visits.index)) == len(run.visits) == run.points, "each visit is a point of its own"
    assert not np.all(np.diff(run.visits.index) > 0)
    chosen, errors = run.visits.data["chosen"], run.visits.data["relative_error"]
    first = np.flatnonzero(chosen).min()
    assert set(chosen[:first]) == {0.0}
    assert np.mean(chosen != 1) == close(1 / 3, rel=0.1)
    assert errors[-1] < 2 * target < errors[first]
    assert run.visits.data["energy_so_far"][-1] == close(ENERGY, rel=0.01)
    near = np.abs(np.abs(run.coordinates["bias"]) - ENERGY * 1e-3) < 0.5e-3
    assert np.mean(near) > 0.3, "a tenth of the range has a third of the readings or more"


def test_fitted_again_it_is_judged_again(known):
    from stmlab.analysis import analyse

    again = analyse(open_run(known.path))
    assert again["inner_energy"].value == close(known.fits[0]["inner_energy"].value)


def test_feedback_is_open_and_modulation_on_while_biases_are_chosen(watched):
    outcome, (*seen, _, after) = watched  # the last point is told when the run is over
    assert seen == [(False, True)] * (outcome.points - 1)
    assert after == (True, False)


def test_what_was_stopped_goes_on_where_it_was(easy_axis, target, tmp_path):
    path, settings = tmp_path / "run.h5", NOISY | {"target_error": target}
    with measurement("didv", sample=easy_axis, seed=5, path=path, settings=settings) as (runner, _):
        runner.listen(lambda event: isinstance(event, PointTaken) and event.visit == 49 and runner.stop())
        stopped = runner.run()
    assert stopped.points in (50, 51)
    with resumption(path) as (runner, _):
        outcome = runner.run()
    run = open_run(path)
    assert run.visits.session.max() == 1
    assert run.visits.data["relative_error"][stopped.points + 4] < 0.1, "what was read before is known"
    assert set(run.visits.data["chosen"][stopped.points :]) <= {1.0, 2.0}
    energy = outcome.fits[0]["inner_energy"]
    assert energy.error < 1.1 * target * energy.value


def test_a_pause_keeps_what_is_known(easy_axis, target, tmp_path):
    path, settings = tmp_path / "run.h5", NOISY | {"target_error": target}
    with measurement("didv", sample=easy_axis, seed=5, path=path, settings=settings) as (runner, _):

        def watch(event):
            if isinstance(event, PointTaken) and event.visit == 40:
                runner.pause()
                runner.resume()

        runner.listen(watch)
        outcome = runner.run()
    energy = outcome.fits[0]["inner_energy"]
    assert energy.error < 1.1 * target * energy.value
    assert abs(energy.value - ENERGY) < 4 * energy.error


def test_no_step_in_the_range_gives_a_sentence_and_no_number(easy_axis, tmp_path, monkeypatch):
    monkeypatch.setattr("stmlab.analysis.adaptive.planned._HOPELESS", 70)  # readings; test_step_choice has all of them
    settings = NOISY | {"start_bias": "-2.5 mV", "stop_bias": "2.5 mV", "setpoint_current": "5 pA"}
    outcome = measure("didv", sample=easy_axis, seed=5, path=tmp_path / "run.h5", settings=settings)
    assert outcome.fits == ()
    assert "no pair of steps stands out of the noise of 69 readings" in outcome.message
    assert 70 <= outcome.points < 75


def test_a_step_at_the_end_of_the_range_gives_a_sentence_and_no_number(easy_axis, tmp_path):
    settings = NOISY | {"start_bias": "-4.2 mV", "stop_bias": "4.2 mV", "setpoint_current": "50 pA"}
    outcome = measure("didv", sample=easy_axis, seed=5, path=tmp_path / "run.h5", settings=settings)
    assert outcome.fits == ()
    assert "widen the range" in outcome.message


def test_a_jump_of_the_tip_gives_a_sentence_and_no_number(easy_axis, tmp_path):
    settings = NOISY | {"time_limit": "20 s"}
    with measurement("didv", sample=easy_axis, seed=5, path=tmp_path / "run.h5", settings=settings) as (runner, _):
        station = runner.station

        def jump(event):
            if isinstance(event, PointTaken) and event.visit == 60:
                station.simulation.faults.arm(Fault(kind="tip_jump", value=20e-12))

        runner.listen(jump)
        outcome = runner.run()
    assert outcome.fits == ()
    assert "the tip or the sample has changed; there is no value" in outcome.message


def test_the_time_limit_holds(easy_axis, tmp_path):
    settings = NOISY | {"target_error": "0.1 %", "time_limit": "10 s", "setpoint_current": "5 pA"}
    path = tmp_path / "run.h5"
    with measurement("didv", sample=easy_axis, seed=5, path=path, settings=settings) as (runner, plan):
        outcome = runner.run()
        assert runner.station.clock.now() < 15
    assert plan.seconds < 12
    assert outcome.points <= plan.points + 10
    assert "asked for" in outcome.message or "stands out" in outcome.message
    assert all(fit.warnings for fit in outcome.fits)


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"sweeps": 3}, "no sweeps to repeat"),
        ({"order": "shuffled"}, "visited as they are chosen"),
        ({"hardware": True}, "hardware = true: adaptive biases are chosen and set one by one"),
        ({"backward": True}, "backward = true: adaptive biases"),
        ({"start_bias": "1 mV"}, "start_bias below and stop_bias above zero"),
        ({"start_bias": "9 mV", "stop_bias": "-9 mV"}, "start_bias below and stop_bias above zero"),
    ],
)
def test_what_cannot_be_is_refused(settings, why):
    with pytest.raises(SequenceError, match=why), measurement("didv", settings={"biases": "adaptive"} | settings):
        pass


def test_the_whole_range_is_checked_before_anything_moves():
    with pytest.raises(OutOfBounds), measurement("didv", settings={"biases": "adaptive", "stop_bias": "0.2 V"}):
        pass


def test_readings_beyond_the_usual_window_are_fitted_too(easy_axis, tmp_path):
    settings = NOISY | {"start_bias": "-14 mV", "stop_bias": "14 mV", "target_error": "2 %"}
    outcome = measure("didv", sample=easy_axis, seed=5, path=tmp_path / "run.h5", settings=settings)
    assert outcome.fits[0].points == outcome.points
