"""What was set and what is read back agree within the instrument's resolution, and no further."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymeasure.test import expected_protocol

from drivers.m8195a import M8195A
from drivers.nanonis import Nanonis
from drivers.resolution import EXACT, Resolution, agrees, digits
from drivers.sr830 import SR830
from drivers.sr860 import SR860
from stmlab.errors import ValueNotTaken
from stmlab.simulation.m8195a import VirtualM8195A
from stmlab.simulation.nanonis import VirtualNanonis
from stmlab.simulation.sr830 import VirtualSR830
from stmlab.simulation.sr860 import VirtualSR860
from stmlab.simulation.wire import WireAdapter
from tests.simulation.generator_bench import GeneratorBench
from tests.simulation.lockin_bench import LockInBench
from tests.simulation.tunnel_bench import TunnelBench

DRIVERS = {
    SR830: lambda: SR830(WireAdapter(VirtualSR830(LockInBench()).session())),
    SR860: lambda: SR860(WireAdapter(VirtualSR860(LockInBench()).session())),
    M8195A: lambda: M8195A(WireAdapter(VirtualM8195A(GeneratorBench(), 1).session())),
    Nanonis: lambda: Nanonis(WireAdapter(VirtualNanonis(TunnelBench()).session())),
}


@pytest.mark.parametrize(
    ("driver", "name", "wanted", "edge"),
    [
        (SR830, "sine_voltage", 0.1, 1e-3),  # steps of 2 mV
        (SR830, "frequency", 691.23, 691.23 * 0.5e-4),  # 5 digits
        (SR830, "frequency", 0.01, 0.5e-4),  # or 0.1 mHz
        (SR830, "phase", 30.0, 5e-3),
        (SR830, "aux_out_3", 1.0, 5e-4),
        (SR860, "sine_voltage", 0.123, 0.123 * 5e-3),  # 3 digits
        (SR860, "sine_offset", 0.0, 0.5e-4),
        (SR860, "frequency", 691.234, 691.234 * 0.5e-5),  # 6 digits
        (SR860, "phase", -179.0, 1e-3),
        (M8195A, "level", 0.3, 2e-4),
        (M8195A, "sample_clock", 64e9, 640.0),
        (Nanonis, "bias", 0.01, 20.0 / 2**20),  # the converter's step
        (Nanonis, "setpoint", 1e-10, 1e-10 * 2**-23),  # single precision
        (Nanonis, "tip_lift", 1e-9, 1e-9 * 2**-23),
    ],
)
@pytest.mark.parametrize("sign", [1, -1])
def test_values_agree_up_to_the_edge_of_the_resolution(driver, name, wanted, edge, sign):
    instrument = DRIVERS[driver]()
    assert instrument.agrees(name, wanted, wanted)
    assert instrument.agrees(name, wanted, wanted + sign * 0.999 * edge)
    assert not instrument.agrees(name, wanted, wanted + sign * 1.2 * edge)
    assert not instrument.agrees(name, wanted, math.nan)


@pytest.mark.parametrize("driver", [SR830, SR860])
def test_the_phase_is_the_same_after_a_turn(driver):
    agrees_ = DRIVERS[driver]().agrees
    assert agrees_("phase", 270.0, -90.0)
    assert agrees_("phase", -180.0, 180.0)
    assert agrees_("phase", 720.0, 0.0)
    assert not agrees_("phase", 0.0, 180.0)
    assert not agrees_("frequency", 0.0, 360.0)


@pytest.mark.parametrize(
    ("wanted", "read"), [(3, 4), (True, False), ("INT", "EXT"), ("on", True), (0.3, 0.1), (None, 1.0)]
)
def test_what_has_no_resolution_must_be_equal(wanted, read):
    assert agrees({}, "anything", wanted, wanted)
    if read is not None and wanted is not None:
        assert not agrees({}, "anything", wanted, read)


def test_infinity_agrees_with_itself_only():
    assert EXACT.agrees(math.inf, math.inf)
    assert not Resolution(absolute=1.0).agrees(math.inf, 1e300)


@given(st.floats(1e-9, 1e9), st.integers(2, 8))
def test_a_number_agrees_with_itself_rounded_to_so_many_digits(value, count):
    assert digits(count).agrees(value, float(f"{value:.{count - 1}e}"))


@given(st.floats(0.125, 10.0, width=32) | st.floats(-10.0, -0.125, width=32))
def test_a_bias_agrees_with_itself_in_single_precision(value):
    nanonis = DRIVERS[Nanonis]()
    nanonis.bias = value
    assert nanonis.agrees("bias", value, nanonis.bias)


# -- what does not take ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("driver", "name", "value", "exchange", "words"),
    [
        (SR860, "sine_voltage", 0.1, [("SLVL 0.1", None), ("SLVL?", "0.101")], "set to 0.1 V and reads 0.101 V"),
        (SR860, "sine_voltage", 0.0, [("SLVL 0", None), ("SLVL?", "0.5")], "set to 0 V and reads 0.5 V"),
        (SR860, "sine_offset", 0.0, [("SOFF 0", None), ("SOFF?", "0.2")], "sine_offset"),
        (SR860, "aux_out_1", 1.0, [("AUXV 0, 1", None), ("AUXV? 0", "0")], "aux_out_1"),
        (SR860, "sensitivity", 1e-3, [("SCAL 9", None), ("SCAL?", "8")], "0.001 V and reads 0.002 V"),
        (SR830, "sine_voltage", 0.1, [("SLVL 0.1", None), ("SLVL?", "0.104")], "set to 0.1 V and reads 0.104 V"),
        (SR830, "time_constant", 0.1, [("OFLT 8", None), ("OFLT?", "9")], "0.1 s and reads 0.3 s"),
        (
            M8195A,
            "output",
            False,
            [(":OUTP1 0", None), (":SYST:ERR?", '0,"No error"'), (":OUTP1?", "1")],
            "set to False and reads True",
        ),
    ],
)
def test_a_setting_that_does_not_take_is_named_with_both_values(driver, name, value, exchange, words):
    with expected_protocol(driver, exchange) as instrument, pytest.raises(ValueNotTaken, match=words) as fault:
        setattr(instrument, name, value)
    assert fault.value.transient
    assert (fault.value.name, fault.value.wanted) == (name, value)


def test_a_sine_within_its_steps_has_taken():
    with expected_protocol(SR830, [("SLVL 0.1013", None), ("SLVL?", "0.102")]) as lockin:
        lockin.sine_voltage = 0.1013
