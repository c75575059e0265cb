"""The settling time and noise bandwidth that the drivers tell, against the filter itself and against the literature."""

import math

import numpy as np
import pytest
from scipy.special import gammainccinv

from drivers.sr830 import SR830
from drivers.sr860 import SR860
from stmlab.simulation.sr830 import VirtualSR830
from stmlab.simulation.sr860 import VirtualSR860
from stmlab.simulation.wire import WireAdapter
from tests.approximately import close
from tests.simulation.lockin_bench import LockInBench

LOCKINS = [(SR860, VirtualSR860), (SR830, VirtualSR830)]


@pytest.fixture
def bench():
    return LockInBench()


@pytest.fixture(params=LOCKINS, ids=["SR860", "SR830"])
def lockin(request, bench):
    driver, virtual = request.param
    return driver(WireAdapter(virtual(bench).session()))


@pytest.mark.parametrize("slope", [6, 12, 18, 24])
@pytest.mark.parametrize("residual", [0.5, 1e-3, 1e-9])
def test_the_settling_time_solves_the_incomplete_gamma_function(lockin, slope, residual):
    lockin.time_constant, lockin.filter_slope = 0.3, slope
    assert lockin.settling_time(residual) == close(0.3 * gammainccinv(slope // 6, residual), rel=1e-7)


@pytest.mark.parametrize("slope", [6, 12, 18, 24])
def test_after_the_settling_time_the_output_is_within_the_residual_and_no_sooner(lockin, bench, slope):
    lockin.time_constant, lockin.filter_slope = 0.1, slope
    bench.signal = 1.0
    bench.clock.sleep(lockin.settling_time(1e-2))
    assert 1.0 - lockin.xy[0] == close(1e-2, rel=1e-5)


@pytest.mark.parametrize("slope", [6, 12, 18, 24])
def test_the_noise_bandwidth_is_the_integral_of_the_power_response(lockin, slope):
    lockin.time_constant, lockin.filter_slope = 0.03, slope
    angle = (np.arange(100000) + 0.5) / 100000 * math.pi / 2  # 2 pi f tau = tan(angle), midpoint rule
    power = np.cos(angle) ** (slope // 3 - 2)
    integral = power.mean() * (math.pi / 2) / (2 * math.pi * 0.03)
    assert lockin.noise_bandwidth() == close(integral, rel=1e-8)


def test_the_instrument_itself_tells_the_same_noise_bandwidth():
    lockin = SR860(WireAdapter(VirtualSR860(LockInBench()).session()))
    lockin.time_constant, lockin.filter_slope = 1e-3, 24
    assert lockin.noise_bandwidth() == close(lockin.get_noise_bandwidth)


def test_the_synchronous_filter_takes_one_more_period(lockin):
    lockin.frequency, lockin.time_constant = 10.0, 0.1
    before = lockin.settling_time()
    lockin.filter_synchronous = "On" if isinstance(lockin, SR860) else True
    assert lockin.settling_time() == close(before + 0.1)


@pytest.mark.parametrize("residual", [0.0, 1.0, -1e-3, 2.0, math.nan])
def test_a_residual_that_makes_no_sense_is_refused(lockin, residual):
    with pytest.raises(ValueError, match="residual"):
        lockin.settling_time(residual)
