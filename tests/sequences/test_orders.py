"""The order of points, of every experiment that comes with stmlab: taken, with a sweep's data, or refused in words.

Along a setpoint, a height, a temperature or a field nothing ever jumps: the outer axes are gone through in their order,
whatever the order within.
"""

from functools import cache, partial

import numpy as np
import pytest

from stmlab.acquisition import experiments
from stmlab.acquisition.measurement import measurement, resumption
from stmlab.acquisition.ordering import JUMPED, ORDERS
from stmlab.axes import Axis
from stmlab.config_files import find
from stmlab.errors import SequenceError
from stmlab.events import PointTaken, RunState
from stmlab.storage import open_run
from tests.quick_runs import QUICK, unfitted

TAKING = {
    "srs": ("fe_atom", "current", {"points": 24, "sweeps": 2}),
    "srs_map": ("fe_atom", "current", {"points": 10, "dc_points": 2, "amplitude_points": 1}),
    "pump_probe": ("fe_five_states", "current", {"points": 24, "sweeps": 2}),
    "didv": ("coh_bare", "conductance", {"points": 15, "sweeps": 2}),
    "setpoint_ramp": ("coh_afm_tip", "conductance", {"conductances": 2, "points": 11, "stop_conductance": "80 nS"}),
    "transfer": ("fe_atom", "current", {"points_per_decade": 4, "largest_step": "2 GHz"}),
}
"""Name -> sample, channel, and a small plan of several sweeps."""
IN_EVERY_RUN = ("didv", "srs_map", "setpoint_ramp")  # a bias, a frequency, a ramp; all of them among the slow tests
EACH = [pytest.param(name, marks=[pytest.mark.slow] * (name not in IN_EVERY_RUN)) for name in TAKING]
REFUSING = {
    "time_trace": ({"order": "shuffled"}, "order"),
}
"""Name -> what is asked, and a word of why not."""


def test_every_experiment_is_looked_at_here():
    assert set(TAKING) | set(REFUSING) == set(experiments.found().classes)


@pytest.fixture(scope="module")
def noiseless(tmp_path_factory):
    """The simulated station without noise."""
    found, file = find("simulated"), tmp_path_factory.mktemp("station") / "noiseless.toml"
    text = found.read_text(encoding="utf-8").replace("[simulation.options]", "[simulation.options]\nnoise = false")
    file.write_text(text.replace("transfer/", f"{found.parent.as_posix()}/transfer/"), encoding="utf-8")
    return str(file)


@pytest.fixture(scope="module")
def taken(noiseless, tmp_path_factory):
    """Of each experiment and each order a run, as its file holds it."""

    @cache
    def take(name, order):
        path, (sample, _, settings) = tmp_path_factory.mktemp(name) / f"{order}.h5", TAKING[name]
        settings = QUICK | settings | {"order": order}
        with unfitted(), measurement(name, noiseless, sample=sample, path=path, settings=settings) as (runner, _):
            assert runner.run().state is RunState.FINISHED
        return open_run(path)

    return take


def there_and_back(points, sweep):
    """Positions of a sweep: every other one begins where the last one ended."""
    return np.arange(points)[:: (-1) ** sweep]


@pytest.mark.parametrize(
    ("name", "few"),
    [
        ("didv", {"points": 3, "stop_bias": "2 mV"}),
        ("srs_map", {"points": 3, "dc_points": 1, "amplitude_points": 2, "stop_amplitude": "1 mV"}),
        ("setpoint_ramp", {"points": 3}),
        ("transfer", {"points_per_decade": 1}),
    ],
)
def test_a_sweep_may_begin_where_the_last_one_ended(name, few, noiseless, tmp_path, monkeypatch):
    """What the outer axis moves, or the tip that it stabilises, is felt at the first point as well."""
    sample, _, settings = TAKING[name]
    settings = QUICK | settings | few | {"order": "sweep"}
    runs = []
    for turning in (False, True):
        path = tmp_path / f"{turning}.h5"
        with unfitted(), measurement(name, noiseless, sample=sample, path=path, settings=settings) as (runner, _):
            sequence, width = runner.sequence, len(runner.sequence.movers()[-1][0])
            if turning:
                monkeypatch.setattr(sequence, "visit_order", partial(there_and_back, width))
            assert runner.run().state is RunState.FINISHED
        runs.append(open_run(path))
    agree(name, *runs)


def agree(name, run, other):
    """To the part of a step that the filter leaves."""
    one, two = (found.grid(TAKING[name][1]) for found in (run, other))
    np.testing.assert_allclose(one, two, rtol=0, atol=2e-3 * np.ptp(two))


def sweeps_of(run):
    """Positions in the order of their visits, of each sweep along the innermost axis in its turn."""
    width = len(run.axes[-1])
    sweep, position = np.divmod(run.visits.index, width)
    assert np.all(np.diff(sweep) >= 0), "the outer axes are gone through in their order"
    return position.reshape(-1, width)


@pytest.mark.parametrize("name", EACH)
def test_readings_in_another_order_are_those_of_a_sweep(name, taken):
    sweep = taken(name, "sweep")
    for run in (taken(name, "shuffled"), taken(name, "interleaved")):
        positions = sweeps_of(run)
        assert np.all(np.sort(positions, axis=1) == np.arange(positions.shape[1])), "each point once"
        assert np.all(np.any(positions != np.arange(positions.shape[1]), axis=1))
        assert len({tuple(row) for row in positions}) > 1, "each sweep in an order of its own"
        for axis, other in zip(run.axes, sweep.axes, strict=True):
            np.testing.assert_array_equal(axis.values, other.values)
        agree(name, run, sweep)
        planned = np.meshgrid(*[axis.values for axis in run.axes], indexing="ij")
        for axis, values in zip(run.axes, planned, strict=True):
            np.testing.assert_allclose(run.grid(axis.name), values, rtol=1e-6, atol=1e-15)


@pytest.mark.parametrize("name", EACH)
def test_what_was_stopped_in_a_shuffled_sweep_goes_on_in_its_order(name, noiseless, taken, tmp_path):
    whole = taken(name, "shuffled")
    sample, _, settings = TAKING[name]
    path, half = tmp_path / "run.h5", len(whole.axes[-1]) + len(whole.axes[-1]) // 2
    given = QUICK | settings | {"order": "shuffled"}
    with unfitted(), measurement(name, noiseless, sample=sample, path=path, settings=given) as (runner, _):
        runner.listen(lambda event: isinstance(event, PointTaken) and event.visit == half and runner.stop())
        stopped = runner.run()
    assert half < stopped.points < whole.points
    with unfitted(), resumption(path, noiseless) as (runner, _):
        assert runner.run().state is RunState.FINISHED
    run = open_run(path)
    assert run.visits.session[stopped.points] == 1
    np.testing.assert_array_equal(run.visits.index, whole.visits.index)
    assert run.complete
    agree(name, run, whole)


@pytest.mark.parametrize("name", REFUSING)
def test_where_the_instrument_keeps_the_order_another_one_is_refused(name, tmp_path):
    asked, why = REFUSING[name]
    with pytest.raises(SequenceError, match=why), measurement(name, settings=asked, folder=tmp_path):
        pass


@pytest.mark.parametrize("name", [name for name in TAKING if name in ("didv", "setpoint_ramp")])
@pytest.mark.parametrize(
    ("asked", "why"),
    [({"hardware": True}, "visited in their order|sweeps the points in their order"), ({"backward": True}, "backward")],
)
@pytest.mark.parametrize("order", ["shuffled", "interleaved"])
def test_a_sweep_with_a_direction_has_no_other_order(name, asked, why, order, tmp_path):
    with pytest.raises(SequenceError, match=why), measurement(name, settings=asked | {"order": order}, folder=tmp_path):
        pass


@pytest.mark.parametrize("axis", ["setpoint", "height", "temperature", "field", "sweep", "offset"])
@pytest.mark.parametrize("order", [order for order in ORDERS if order not in ("automatic", "sweep")])
def test_an_axis_that_must_not_jump_is_refused_by_name(axis, order, monkeypatch, tmp_path):
    """Of whatever experiment: here srs, with another axis in place of its own."""
    with measurement("srs", folder=tmp_path) as (runner, _):
        monkeypatch.setattr(runner.sequence, "axes", lambda: (Axis(axis, "", np.arange(5.0)),))
        monkeypatch.setattr(runner.sequence, f"move_{axis}", lambda value: None, raising=False)
        runner.sequence.set("order", order)
        with pytest.raises(SequenceError, match=f"order = {order}: the points of the axis {axis} are visited in their"):
            runner.preflight()
    assert axis not in JUMPED
