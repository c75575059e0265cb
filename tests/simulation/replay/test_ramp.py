"""Spectra at several conductances as the junction."""

import numpy as np
import pytest

from stmlab.errors import OutOfBounds
from stmlab.simulation.samples import recorded_sample
from tests.simulation.replay.recordings import replayed, run

RAMP = {
    "time_constant": 0.01,
    "start_bias": -6e-3,
    "stop_bias": 6e-3,
    "points": 9,
    "start_conductance": 50e-9,
    "stop_conductance": 400e-9,
    "conductances": 3,
}


@pytest.fixture(scope="module")
def ramp(tmp_path_factory):
    """Spectra whose shape changes with the conductance, with the simulated microscope's noise."""
    return run(
        tmp_path_factory.mktemp("ramp"), "setpoint_ramp", "recorded", sample="coh_afm_tip", seed=3, settings=RAMP
    )


def test_a_ramp_replayed_is_itself(ramp, tmp_path):
    again = replayed(tmp_path, "setpoint_ramp", ramp.path)
    for name in ("conductance", "current", "x"):
        np.testing.assert_allclose(again.data[name], ramp.data[name], rtol=1e-6, err_msg=name)


def test_one_spectrum_of_a_ramp_is_taken_at_its_conductance(ramp, tmp_path):
    settings = {"setpoint_current": ramp.axes[0].values[1] * 10e-3, "points": 9, "time_constant": 0.01}
    again = replayed(tmp_path, "didv", ramp.path, settings=settings)
    np.testing.assert_allclose(again.data["conductance"], ramp.grid("conductance")[1], rtol=1e-6)


def test_a_conductance_that_was_not_recorded_is_refused(ramp, tmp_path):
    with pytest.raises(OutOfBounds, match=r"setpoint = 5e-07 S is out of bounds: 5e-08 to 4e-07 S is allowed"):
        replayed(tmp_path, "setpoint_ramp", ramp.path, settings={"stop_conductance": 500e-9, "conductances": 2})
    with pytest.raises(OutOfBounds, match="setpoint_bias"):
        replayed(tmp_path, "setpoint_ramp", ramp.path, settings={"setpoint_bias": 5e-3})
    with pytest.raises(OutOfBounds, match=r"its setpoints at 0.01 V"):
        replayed(tmp_path, "didv", ramp.path, settings={"setpoint_current": 5e-9})


def test_between_conductances_the_shape_is_interpolated(ramp):
    junction = recorded_sample({"file": ramp.path}).junction
    low, high = junction.conductance[1] / junction.setpoints[1], junction.conductance[2] / junction.setpoints[2]
    between = 0.5 * (junction.setpoints[1] + junction.setpoints[2])
    scale = junction.scale_at(*[junction.home[0], between * junction.home[0]])
    found = np.array([junction.broadened(v, 0.0, scale) for v in junction.bias]) / between
    assert np.all(found >= np.minimum(low, high) * (1 - 1e-12))
    assert np.all(found <= np.maximum(low, high) * (1 + 1e-12))
    assert np.any(np.abs(low - high) > 0.01 * np.abs(low))
