"""Drivers over TCP while the wire has faults: what is said, and what the instruments end up as.

A call that returns has done what it says; one that does not raises an error that names the instrument; after a fresh
connection the same call works.
"""

from __future__ import annotations

import pytest

from drivers.m8195a import M8195A
from drivers.nanonis import Nanonis
from drivers.sr830 import SR830
from drivers.sr860 import SR860
from stmlab.clock import SimulatedClock
from stmlab.config_files import find
from stmlab.errors import InstrumentFault, InstrumentLost, InstrumentTimeout
from stmlab.simulation.faults import Fault
from stmlab.simulation.microscope import SimulatedMicroscope
from stmlab.simulation.serving import served

WIRE_KINDS = ("drop", "delay", "garble", "half", "double", "swap", "wrong_value", "mute", "error")
TIMEOUT = 2.0  # s
IMPATIENT = 0.15  # s, the time-out while there is a fault: what comes later is late, on a busy computer too
MOST_MESSAGES = {"delay": 4, "mute": 4}  # that a fault hits, one after the other; else 7
MOST_CONNECTIONS = 5

CALLS = {
    "sr860": (
        SR860,
        lambda lockin: setattr(lockin, "sine_voltage", 0.3),
        lambda lockin: lockin.outputs_off(),
        lambda microscope: microscope.instrument("sr860").panel.sine_voltage == 0.0,
    ),
    "sr830": (
        SR830,
        lambda lockin: setattr(lockin, "sine_voltage", 0.3),
        lambda lockin: lockin.outputs_off(),
        lambda microscope: microscope.instrument("sr830").panel.sine_voltage == 0.004,
    ),
    "m8195a": (
        M8195A,
        lambda generator: generator.play_tone(1e9, 0.1, gated=True),
        lambda generator: generator.off(),
        lambda microscope: not microscope.generator.on,
    ),
    "nanonis": (
        Nanonis,
        lambda nanonis: setattr(nanonis, "bias", 0.05),
        lambda nanonis: setattr(nanonis, "bias", 0.02),
        lambda microscope: abs(microscope.tip.bias - 0.02) < 1e-8,
    ),
    "nanonis loop": (
        Nanonis,
        lambda nanonis: setattr(nanonis, "feedback", True),
        lambda nanonis: setattr(nanonis, "feedback", False),
        lambda microscope: not microscope.tip.feedback,
    ),
}


@pytest.fixture(scope="module")
def microscope():
    return SimulatedMicroscope.from_config(
        {}, sample="fe_atom", seed=1, clock=SimulatedClock(1.0), directory=find("simulated").parent
    )


@pytest.fixture(scope="module")
def ports(microscope):
    with served(microscope, dict.fromkeys(("sr860", "sr830", "m8195a", "nanonis"), 0)) as found:
        yield found


@pytest.mark.parametrize("kind", WIRE_KINDS)
@pytest.mark.parametrize("name", CALLS)
def test_a_call_does_what_it_says_or_says_that_it_does_not(microscope, ports, name, kind):
    driver, begin, action, done = CALLS[name]
    plug = name.split()[0]
    instrument = driver(f"TCPIP::127.0.0.1::{ports[plug]}::SOCKET", timeout=TIMEOUT)
    try:
        for message in range(1, MOST_MESSAGES.get(kind, 7) + 1):
            begin(instrument)
            seconds = 2 * IMPATIENT if kind == "delay" else 0.0
            fault = microscope.faults.arm(
                Fault(kind=kind, instrument=plug, message=message, seconds=seconds, seed=message)
            )
            instrument.adapter.timeout = IMPATIENT
            try:
                action(instrument)
                assert done(microscope), (kind, message)
            except (InstrumentLost, InstrumentFault):
                pass
            finally:
                microscope.faults.disarm(fault)
                instrument.adapter.timeout = TIMEOUT
            again(instrument, action)
            assert done(microscope), (kind, message)
            clear(instrument)
    finally:
        instrument.close()


def again(instrument, action):
    """On a fresh connection; a port that serves one client is taken until the late answer to the old one is sent."""
    for _ in range(MOST_CONNECTIONS):
        instrument.reconnect()
        try:
            action(instrument)
        except InstrumentTimeout:
            continue
        return
    pytest.fail(f"no answer on {MOST_CONNECTIONS} fresh connections")


def clear(instrument):
    """Take what an ``error`` fault has put into a queue."""
    try:
        instrument.check_status()
    except InstrumentFault:
        instrument.check_status()
