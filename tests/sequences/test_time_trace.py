"""Current against time on the simulated microscope."""

import numpy as np
import pytest

from sequences.time_trace import TimeTrace
from stmlab.acquisition.runner import Runner
from stmlab.errors import OutOfBounds
from stmlab.station import Station
from stmlab.storage import open_run
from tests.approximately import close


@pytest.fixture
def station():
    with Station.load("simulated", sample="fe_five_states", seed=5) as found:
        yield found


def test_a_trace_is_sampled_at_fixed_height_at_an_even_pace(station, tmp_path):
    sequence = TimeTrace(samples=200, interval=2e-3, dc_bias=5e-3, setpoint_current=2e-9)
    assert sequence.point_seconds() == close(0.4 + sequence.stabilise_time)
    begin = station.clock.now()
    Runner(sequence, station, tmp_path / "run.h5").run()
    run, junction = open_run(tmp_path / "run.h5"), station.simulation.sample.junction
    assert station.clock.now() - begin >= 0.4
    np.testing.assert_allclose(np.diff(run.axes[0].values), 2e-3)
    scale = 2e-9 / junction.static_current(np.array([10e-3]), 1.0)[0]
    current = run.grid("current")
    assert current.shape == (200,)
    assert current.mean() == close(scale * junction.static_current(np.array([5e-3]), 1.0)[0], rel=1e-3)
    assert 0 < current.std() < 1e-2 * current.mean()
    assert station.tip.feedback
    assert station.bias.bias == close(10e-3)


def test_traces_follow_each_other_each_from_the_setpoint(station, tmp_path):
    opened = []

    class Counted(TimeTrace):
        def measure(self):
            opened.append(self.station.tip.openings)
            return super().measure()

    Runner(Counted(samples=50, traces=3), station, tmp_path / "run.h5").run()
    assert open_run(tmp_path / "run.h5").grid("current").shape == (3, 50)
    assert opened[0] > 0
    assert opened == [opened[0], 2 * opened[0], 3 * opened[0]], "stabilised once before each"


@pytest.mark.parametrize(("settings", "name"), [({"dc_bias": 0.5}, "bias"), ({"setpoint_current": 1e-7}, "setpoint")])
def test_what_cannot_be_is_refused_before_anything_moves(station, tmp_path, settings, name):
    with pytest.raises(OutOfBounds, match=name):
        Runner(TimeTrace(**settings), station, tmp_path / "run.h5").run()
    assert not (tmp_path / "run.h5").exists()


def test_the_rates_of_a_slow_switch_come_back(tmp_path):
    with Station.load("simulated", sample="slow_switch", seed=6) as slow:
        sequence = TimeTrace(setpoint_current=250e-12, samples=1500, interval=6e-3)
        fit = Runner(sequence, slow, tmp_path / "run.h5").run().fits[0]
        truth = slow.simulation.true_values(sequence.dc_bias, 0.0)
    assert fit.model == "telegraph"
    for name in ("rate_up", "rate_down"):
        assert abs(fit[name].value - truth[f"{name}_per_s"]) < 3 * fit[name].error
        assert fit[name].error < 0.2 * fit[name].value
    assert fit["step"].value == close(50e-12, rel=0.01)
