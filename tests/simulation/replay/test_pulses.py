"""Recorded pump-probe scans as the junction."""

import math

import numpy as np
import pytest

from stmlab.errors import FileError, OutOfBounds, PhysicsError, SequenceError
from stmlab.simulation.junctions import Drive, Played
from stmlab.simulation.replay.pulses import PulseShape, delay_of
from stmlab.simulation.samples import recorded_sample
from tests.approximately import close
from tests.quick_runs import QUICK
from tests.simulation.replay.recordings import replayed, run

SCAN = {**QUICK, "points": 9, "start_delay": -2e-9, "stop_delay": 2e-9}
WIDTH, RISE, PERIOD, SAMPLES = 429e-12, 154e-12, 20e-9, 1280
RATE = SAMPLES / PERIOD


def memory(pump, probe, delay, width=WIDTH, periods=1):
    """Two pulses in 8 bits, the pump at a quarter of the period, as a generator is given them."""
    edge = RISE * math.pi / (2 * math.asin(0.8))
    time = np.arange(SAMPLES) / RATE

    def pulse(middle):
        away = np.abs((time - middle + PERIOD / 2) % PERIOD - PERIOD / 2)
        return 0.5 * (1 - np.sin(np.pi * np.clip((away - width / 2) / edge, -0.5, 0.5)))

    voltage = pump * pulse(PERIOD / 4) + probe * pulse(PERIOD / 4 + delay)
    return np.tile(np.rint(voltage * 127 / np.abs(voltage).max()).astype(np.int8), periods)


@pytest.fixture(scope="module")
def scan(tmp_path_factory):
    """A scan with the simulated microscope's noise, pulses that overlap included."""
    return run(tmp_path_factory.mktemp("scan"), "pump_probe", "recorded", sample="fe_atom", seed=3, settings=SCAN)


def test_a_scan_replayed_is_itself(scan, tmp_path):
    again = replayed(tmp_path, "pump_probe", scan.path)
    largest = np.abs(scan.data["current"]).max()
    np.testing.assert_allclose(again.data["current"], scan.data["current"], rtol=0, atol=1e-6 * largest)


@pytest.mark.parametrize(("pump", "probe"), [(-10e-3, -2e-3), (10e-3, -5e-3), (5e-3, 5e-3), (-2e-3, -10e-3)])
@pytest.mark.parametrize("delay", [-9.7e-9, -2.013e-9, -0.31e-9, 0.0, 0.2e-9, 1.2345e-9, 9.9e-9])
def test_the_delay_is_read_off_the_waveform(pump, probe, delay):
    shape = PulseShape(pump, probe, WIDTH, RISE)
    for periods in (1, 3):
        found, left = delay_of(memory(pump, probe, delay, periods=periods), periods, RATE, shape, (-10e-9, 10e-9))
        assert found == close(delay, abs=0.1 / RATE)
        assert left < 1e-3


def test_a_pulse_has_the_spectrum_of_its_shape():
    samples = memory(1.0, 0.0, 0.0) / 127
    lines = np.abs(np.fft.rfft(samples)[1:150]) / RATE
    shape = PulseShape(1.0, 0.0, WIDTH, RISE).line(np.arange(1, 150) / PERIOD)
    np.testing.assert_allclose(lines, np.abs(shape), atol=2e-3 * WIDTH)


def test_other_pulses_and_delays_are_refused(scan, tmp_path):
    with pytest.raises(OutOfBounds, match=r"delay = 2.5e-09 s is out of bounds: -2e-09 to 2e-09 s .*its delay"):
        replayed(tmp_path, "pump_probe", scan.path, settings={"stop_delay": 2.5e-9})
    with pytest.raises(SequenceError, match=r"pump = -0.008 V: .* was recorded with -0.01 V: set pump to that"):
        replayed(tmp_path, "pump_probe", scan.path, settings={"pump": -8e-3})
    with pytest.raises(SequenceError, match=r"width = 5e-10 s"):
        replayed(tmp_path, "pump_probe", scan.path, settings={"width": 500e-12})
    with pytest.raises(SequenceError, match=r"period = "):
        replayed(tmp_path, "pump_probe", scan.path, settings={"period": 25e-9})
    with pytest.raises(OutOfBounds, match="its DC bias"):
        replayed(tmp_path, "pump_probe", scan.path, settings={"dc_bias": 1e-3})
    junction = recorded_sample({"file": scan.path}).junction
    for samples, words in (
        (memory(-10e-3, -2e-3, 2.1e-9), "delay = 2.*is recorded"),
        (memory(-10e-3, -2e-3, 1e-9, width=800e-12), "does not play the pulses"),
    ):
        with pytest.raises(PhysicsError, match=words):
            junction.change(Drive(1 / PERIOD, np.zeros(4), smooth=False, played=Played(samples, RATE, 0.1)))


def test_between_delays_it_is_interpolated(scan):
    junction = recorded_sample({"file": scan.path}).junction
    between = 0.5 * (junction.delay[6] + junction.delay[7])
    drive = Drive(1 / PERIOD, np.zeros(4), smooth=False, played=Played(memory(-10e-3, -2e-3, between), RATE, 0.1))
    assert junction.current[6:8].min() <= junction.change(drive) <= junction.current[6:8].max()


def test_a_file_of_delay_and_current_asks_for_its_pulses(tmp_path):
    delay = np.linspace(-4e-9, 4e-9, 41)
    rows = "\n".join(f"{d:.9e}\t{2e-12 * math.exp(-abs(d) / 1e-9):.9e}" for d in delay)
    file = tmp_path / "a.dat"
    file.write_text(f"Experiment\tSweep\n\n[DATA]\nDelay (s)\tCurrent (A)\n{rows}\n")
    with pytest.raises(FileError, match="does not say pump, probe, width, rise_time of its pulses: give each, as in"):
        recorded_sample({"file": file})
    told = {"pump": "-10 mV", "probe": "-2 mV", "width": "429 ps", "rise_time": "154 ps"}
    again = replayed(tmp_path, "pump_probe", file, settings={**QUICK, "points": 5}, **told)
    np.testing.assert_allclose(again.data["current"], 2e-12 * np.exp(-np.abs(again.grid("delay")) / 1e-9), rtol=1e-4)
