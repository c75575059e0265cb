"""The Nanonis driver against scripted bytes, and against the virtual controller over the wire and over TCP."""

from __future__ import annotations

import math

import numpy as np
import pytest
from pymeasure.adapters import ProtocolAdapter

from drivers.nanonis import Nanonis
from drivers.nanonis_lockin import Filter
from drivers.nanonis_spectroscopy import BiasSpectrum, SweepTiming
from drivers.nanonis_tip import LoopGains
from stmlab.clock import SimulatedClock
from stmlab.errors import (
    GarbledAnswer,
    InstrumentFault,
    InstrumentLost,
    OutOfBounds,
    SequenceError,
    TipTripped,
    ValueNotTaken,
)
from stmlab.nanonis.commands import COMMANDS
from stmlab.nanonis.frames import pack_request, pack_response
from stmlab.nanonis.protocol import pack
from stmlab.simulation.microscope import SimulatedMicroscope
from stmlab.simulation.nanonis import VirtualNanonis
from stmlab.simulation.server import WireServer
from stmlab.simulation.wire import WireAdapter
from stmlab.station.instruments import BiasSource, LoopStatus, TipController
from tests.approximately import close
from tests.simulation.tunnel_bench import CUBIC, TunnelBench


class CountingSession:
    """Counts the requests that arrive."""

    def __init__(self, session):
        self._session, self.requests = session, 0

    def receive(self, data):
        self.requests += 1
        return self._session.receive(data)


@pytest.fixture
def bench():
    return TunnelBench()


@pytest.fixture
def session(bench):
    return CountingSession(VirtualNanonis(bench).session())


@pytest.fixture
def nanonis(session):
    return Nanonis(WireAdapter(session))


def exchange(name, arguments=(), returned=(), error=""):
    """One request and its response, byte for byte."""
    command = COMMANDS[name]
    request = pack_request(name, pack(command.arguments, arguments))
    return request, pack_response(name, pack(command.returns, returned), error)


def scripted(*exchanges):
    adapter = ProtocolAdapter(exchanges)
    return Nanonis(adapter, timeout=0.05), adapter


# -- the bytes -------------------------------------------------------------------------------------------------------


def test_the_bytes_of_reading_and_setting_the_bias():
    names = exchange("Signals.NamesGet", (), [("Current (A)", "Bias (V)")])
    bias_range = exchange("Signals.RangeGet", [1], [10.0, -10.0])
    request = b"Bias.Set".ljust(32, b"\0") + bytes.fromhex("00000004000100003e800000")
    done = b"Bias.Set".ljust(32, b"\0") + bytes.fromhex("00000008000000000000000000000000")
    twice = [(request, done), exchange("Bias.Get", (), [0.25])] * 2
    nanonis, _ = scripted(exchange("Bias.Get", (), [0.5]), names, bias_range, *twice)
    assert nanonis.bias == 0.5
    nanonis.bias = 0.25
    nanonis.bias = 0.25  # the range is asked once


def test_a_refusal_of_the_controller_is_raised_in_its_own_words():
    nanonis, _ = scripted(exchange("ZCtrl.GainSet", [1e-11, 0.0625, 1.6e-10], (), "Loop is locked"))
    with pytest.raises(InstrumentFault, match=r"Nanonis: ZCtrl\.GainSet: Loop is locked"):
        nanonis.z.gains = LoopGains(1e-11, 0.0625)


def test_a_refusal_without_a_description_is_raised_too():
    request = pack_request("Bias.Get", b"")
    answer = b"Bias.Get".ljust(32, b"\0") + bytes.fromhex("0000000c00000000000000000000000100000000")
    with pytest.raises(InstrumentFault, match="without description"):
        _ = scripted((request, answer))[0].bias


@pytest.mark.parametrize(
    "answer",
    [
        exchange("Current.Get", (), [1e-10])[1],  # the answer to another question
        b"\0" * 40,
        b"Bias.Get".ljust(32, b"\0") + bytes.fromhex("ffffffff00000000"),
        b"Bias.Get".ljust(32, b"\0") + bytes.fromhex("00000002000000003f00"),
        b"Bias.Get".ljust(32, b"\0") + bytes.fromhex("0000000c000000003f0000000000000700000000"),
    ],
)
def test_a_garbled_frame_is_a_lost_instrument_and_closes_the_line(answer):
    request = pack_request("Bias.Get", b"")
    nanonis, adapter = scripted((request, answer))
    with pytest.raises(GarbledAnswer, match=r"garbled answer to Bias\.Get"):
        _ = nanonis.bias
    assert adapter.connection.close.called


def test_a_command_that_this_release_does_not_know_is_a_fault():
    nanonis, _ = scripted((pack_request("Bias.Get", b""), pack_response("Bias.Get", b"", "unknown command")))
    with pytest.raises(InstrumentFault, match=r"Bias\.Get: unknown command"):
        _ = nanonis.bias


def test_a_status_that_does_not_exist_is_garbage():
    with pytest.raises(GarbledAnswer, match=r"ZCtrl\.StatusGet: 9 \(not between 1 and 6"):
        scripted(exchange("ZCtrl.StatusGet", (), [9]))[0].is_safe()


def test_feedback_off_waits_until_the_real_time_engine_has_opened_the_loop():
    closed, opened = (exchange("ZCtrl.OnOffGet", (), [number]) for number in (1, 0))
    delay, off = exchange("ZCtrl.SwitchOffDelayGet", (), [0.05]), exchange("ZCtrl.StatusGet", (), [1])
    nanonis, adapter = scripted(exchange("ZCtrl.OnOffSet", [0]), closed, delay, closed, closed, opened, off, opened)
    nanonis.feedback = False
    assert adapter._index == 8


@pytest.mark.parametrize(
    "lie",
    [
        [("ZCtrl.OnOffGet", 0), ("ZCtrl.StatusGet", 4)],  # still switching off
        [("ZCtrl.OnOffGet", 0), ("ZCtrl.StatusGet", 1), ("ZCtrl.OnOffGet", 1)],  # the engine is behind the module
    ],
)
def test_one_answer_alone_does_not_make_the_loop_open(lie):
    truth = [("ZCtrl.OnOffGet", 0), ("ZCtrl.StatusGet", 1), ("ZCtrl.OnOffGet", 0)]
    delay = exchange("ZCtrl.SwitchOffDelayGet", (), [0.0])
    steps = [exchange(name, (), [number]) for name, number in [*lie, *truth]]
    nanonis, adapter = scripted(exchange("ZCtrl.OnOffSet", [0]), *steps[: len(lie)], delay, *steps[len(lie) :])
    nanonis.feedback = False
    assert adapter._index == len(steps) + 2


def test_feedback_that_stays_on_is_a_fault():
    stubborn = [exchange("ZCtrl.OnOffGet", (), [1])] * 100
    delay = exchange("ZCtrl.SwitchOffDelayGet", (), [0.0])
    nanonis, _ = scripted(exchange("ZCtrl.OnOffSet", [0]), stubborn[0], delay, *stubborn)
    with pytest.raises(InstrumentFault, match=r"still switching the Z-controller off after 0\.05 s"):
        nanonis.feedback = False


def test_an_old_trip_in_the_lagging_status_does_not_keep_the_loop_from_closing():
    off, tripped = exchange("ZCtrl.OnOffGet", (), [0]), exchange("ZCtrl.StatusGet", (), [5])
    closed, on = exchange("ZCtrl.OnOffGet", (), [1]), exchange("ZCtrl.StatusGet", (), [2])
    nanonis, adapter = scripted(exchange("ZCtrl.OnOffSet", [1]), off, tripped, closed, on)
    nanonis.feedback = True
    assert adapter._index == 5


def test_the_tip_is_withdrawn_before_anything_is_asked():
    nanonis, adapter = scripted(exchange("ZCtrl.Withdraw", [0, -1]), exchange("ZCtrl.LimitsGet", (), [math.nan, 0.0]))
    with pytest.raises(GarbledAnswer, match=r"ZCtrl\.LimitsGet"):
        nanonis.withdraw()
    assert adapter._index == 2


def test_what_would_be_divided_by_is_not_zero():
    z_range, height = exchange("ZCtrl.LimitsGet", (), [1e-7, -1e-7]), exchange("ZCtrl.ZPosGet", (), [0.0])
    rate = exchange("ZCtrl.WithdrawRateGet", (), [0.0])
    with pytest.raises(GarbledAnswer, match=r"ZCtrl\.WithdrawRateGet: 0\.0"):
        scripted(exchange("ZCtrl.Withdraw", [0, -1]), z_range, height, rate)[0].withdraw()
    with pytest.raises(GarbledAnswer, match="a time constant is positive"):
        _ = scripted(exchange("ZCtrl.GainGet", (), [1e-11, 0.0, 0.0]))[0].z.gains
    still = exchange("BiasSpectr.TimingGet", (), [0.0] * 8)
    properties = exchange("BiasSpectr.PropsGet", (), [0, 1, 0, 16, (), (), 0, 0])
    ends = exchange("BiasSpectr.LimitsGet", (), [-0.1, 0.1])
    with pytest.raises(GarbledAnswer, match="a slew rate of zero"):
        scripted(still, properties, ends)[0].spectroscopy.duration()


@pytest.mark.parametrize("curves", [np.zeros((1, 4)), np.zeros((0, 0))])
def test_curves_that_are_not_those_of_the_channels_are_garbled(curves):
    properties = exchange("BiasSpectr.PropsGet", (), [0, 1, 0, 4, (), (), 0, 0])
    timing, ends = exchange("BiasSpectr.TimingGet", (), [0.0] * 8), exchange("BiasSpectr.LimitsGet", (), [0.1, 0.1])
    quiet = exchange("BiasSpectr.PropsSet", [0, 0, 0, 0, math.nan, 2, 2])
    names = ("Bias (V)", "Current (A)") if curves.size else ()
    done = exchange("BiasSpectr.Start", [1, ""], [names, curves, []])
    nanonis, _ = scripted(quiet, properties, timing, properties, ends, done)
    with pytest.raises(GarbledAnswer, match="channels, but"):
        nanonis.spectroscopy.start()


def test_safe_tip_is_sent_whole_and_what_it_does_not_take_is_a_fault():
    kept = exchange("SafeTip.PropsGet", (), [1, 0, 2e-9])
    nanonis, _ = scripted(kept, exchange("SafeTip.PropsSet", [0, 0, 2e-9]), kept)
    with pytest.raises(ValueNotTaken, match="SafeTip auto-recovery was set to False and reads True"):
        nanonis.safe_tip.configure(auto_recovery=False)


# -- the roles -------------------------------------------------------------------------------------------------------


def test_it_fills_both_roles_of_a_station(nanonis):
    assert isinstance(nanonis, BiasSource)
    assert isinstance(nanonis, TipController)


def test_bias_and_setpoint_act_on_the_microscope(nanonis, bench):
    nanonis.bias = -0.025
    nanonis.setpoint = 2e-10
    assert (bench.tip.bias, bench.tip.setpoint) == close((-0.025, 2e-10))
    assert (nanonis.bias, nanonis.setpoint) == close((-0.025, 2e-10))
    assert nanonis.current == close(-2e-10)
    assert nanonis.height == close(bench.height())


@pytest.mark.parametrize("value", [0.1, -3.3e-3, 10.0, 0.7])
def test_a_bias_is_read_back_as_the_decimal_that_was_set_although_the_wire_has_single_precision(nanonis, value):
    nanonis.bias = value
    assert nanonis.bias == value
    nanonis.setpoint = 1e-8  # the end of the range is within it
    assert nanonis.setpoint == 1e-8


def test_feedback_goes_off_and_on_and_says_so(nanonis, bench):
    assert nanonis.feedback
    nanonis.feedback = False
    assert not bench.tip.feedback
    assert not nanonis.feedback
    assert bench.clock.now() >= nanonis.z.switch_off_delay
    nanonis.z.position = 1e-9
    assert nanonis.height == close(1e-9)
    nanonis.feedback = True
    assert bench.tip.feedback
    assert nanonis.current == close(1e-10)


def test_withdraw_returns_when_the_tip_is_away(nanonis, bench):
    nanonis.z.withdraw_rate = 2e-6
    nanonis.withdraw()
    assert bench.tip.withdrawn
    assert bench.clock.now() >= 160e-9 / 2e-6 * 0.99
    assert nanonis.height == close(nanonis.z.limits[1])
    assert nanonis.is_safe()
    nanonis.check_status()


def test_a_tripped_safe_tip_is_not_safe_and_is_a_fault(nanonis):
    nanonis.safe_tip.configure(1e-9, auto_recovery=False, auto_pause=True)
    nanonis.safe_tip.on = True
    assert (nanonis.safe_tip.threshold, nanonis.safe_tip.auto_pause) == (close(1e-9), True)
    assert nanonis.safe_tip.signal == close(1e-10)
    assert nanonis.is_safe()
    nanonis.setpoint = 5e-9
    assert not nanonis.is_safe()
    assert nanonis.z.status is LoopStatus.TRIPPED
    with pytest.raises(InstrumentFault, match="SafeTip has tripped"):
        nanonis.check_status()
    with pytest.raises(InstrumentFault, match="SafeTip has tripped"):
        nanonis.feedback = True  # it trips again at once


def test_a_current_at_the_end_of_the_range_is_a_fault(nanonis, bench):
    bench.law = lambda height: 1e-8
    with pytest.raises(InstrumentFault, match="end of the preamplifier's range"):
        nanonis.check_status()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda n: setattr(n, "bias", 11.0), "bias = 11 V is out of bounds: -10 to 10 V"),
        (lambda n: setattr(n, "bias", math.nan), "bias = nan"),
        (lambda n: setattr(n, "setpoint", 1.1e-8), "setpoint = 1.1e-08 A is out of bounds: -1e-08 to 1e-08 A"),
        (lambda n: n.bias_pulse(0.0, 1.0), "pulse width"),
        (lambda n: n.bias_pulse(0.1, 9.995, relative=True), "pulse bias"),
        (lambda n: setattr(n.z, "position", 1e-6), "Z position"),
        (lambda n: setattr(n.z, "tip_lift", 1e-6), "tip lift"),
        (lambda n: setattr(n.z, "gains", LoopGains(1e-11, 0.0)), "time constant"),
        (lambda n: setattr(n.z, "gains", LoopGains(-1e-11, 1.0)), "proportional gain"),
        (lambda n: setattr(n.z, "switch_off_delay", -1.0), "switch-off delay"),
        (lambda n: setattr(n.z, "withdraw_rate", 0.0), "withdraw rate"),
        (lambda n: n.z.set_home_position(1e-6), "home position"),
        (lambda n: n.safe_tip.configure(-1.0), "SafeTip threshold"),
        (lambda n: n.lockin.modulator(9), "modulator = 9"),
        (lambda n: setattr(n.lockin.modulator(1), "amplitude", 11.0), "modulation amplitude"),
        (lambda n: setattr(n.lockin.modulator(1), "frequency", 0.0), "modulation frequency"),
        (lambda n: setattr(n.lockin.demodulator(1), "harmonic", 0), "harmonic"),
        (lambda n: setattr(n.lockin.demodulator(1), "phase", 400.0), "phase"),
        (lambda n: setattr(n.lockin.demodulator(1), "register", 0), "phase register"),
        (lambda n: setattr(n.lockin.demodulator(1), "low_pass", Filter(9, 10.0)), "filter order"),
        (lambda n: setattr(n.lockin.demodulator(1), "high_pass", Filter(1, 0.0)), "filter cutoff"),
        (lambda n: setattr(n.spectroscopy, "limits", (-1.0, 10.5)), "sweep end = 10.5 V"),
        (lambda n: setattr(n.spectroscopy, "points", 1), "points = 1"),
        (lambda n: setattr(n.spectroscopy, "sweeps", 0), "sweeps = 0"),
        (lambda n: setattr(n.spectroscopy, "timing", SweepTiming(settling=-1.0)), "settling = -1 s"),
        (lambda n: setattr(n.spectroscopy, "timing", SweepTiming(slew_rate=math.nan)), "slew_rate = nan V/s"),
    ],
)
def test_out_of_bounds_is_refused_before_anything_is_set(session, change, words):
    sent = []
    receive = session.receive
    session.receive = lambda data: (sent.append(data[:32].rstrip(b"\0")), receive(data))[1]
    with pytest.raises(OutOfBounds, match=words):
        change(Nanonis(WireAdapter(session)))
    assert not [name for name in sent if not name.endswith(b"Get")]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda n: n.signals.value("Coffee (K)"), "no signal 'Coffee"),
        (lambda n: setattr(n, "current_gain", "LN 10^6"), "current_gain = 'LN 10\\^6' is not offered by Nanonis: Ext"),
        (lambda n: setattr(n, "bias_range", "5 V"), "bias_range = '5 V' is not offered by Nanonis: 10 V, 1 V"),
        (lambda n: setattr(n.spectroscopy, "timing", SweepTiming(z_offset=math.nan)), "z_offset = nan"),
    ],
)
def test_what_does_not_exist_is_refused_with_what_does(nanonis, change, words):
    with pytest.raises(SequenceError, match=words):
        change(nanonis)


def test_a_smaller_bias_range_narrows_the_bounds_of_the_bias(nanonis):
    nanonis.bias = 0.5
    nanonis.bias_range = "1 V"
    assert nanonis.bias_range == "1 V"
    with pytest.raises(OutOfBounds, match="-1 to 1 V"):
        nanonis.bias = 2.0


def test_settings_of_the_z_controller_are_read_back(nanonis, bench):
    nanonis.z.gains = LoopGains(2e-11, 4e-3)
    assert nanonis.z.gains.integral == close(5e-9)
    assert bench.tip.loop_time_constant == close(4e-3)
    nanonis.z.switch_off_delay = 0.1
    nanonis.z.tip_lift = -1e-10
    nanonis.z.set_home_position(3e-9, relative=False)
    assert nanonis.z.home_position == (close(3e-9), False)
    nanonis.z.home()
    assert nanonis.height == close(3e-9)
    assert nanonis.z.status is LoopStatus.OFF


def test_a_pulse_passes_and_the_bias_is_back(nanonis, bench):
    nanonis.bias_pulse(0.1, 0.5, hold=False)
    assert bench.clock.now() == close(0.1)
    assert nanonis.bias == close(0.01)


def test_modulator_and_demodulator_follow_a_phase_register(nanonis, bench):
    modulator, demodulator = nanonis.lockin.modulator(2), nanonis.lockin.demodulator(3)
    modulator.register = demodulator.register = 4
    modulator.frequency = 345.5
    assert demodulator.frequency == 345.5
    modulator.signal = "Bias (V)"
    modulator.amplitude = 2e-4
    modulator.phase = 30.0
    modulator.on = True
    assert (bench.tip.modulation_on, bench.tip.modulation_frequency) == (True, 345.5)
    assert (modulator.on, modulator.harmonic, modulator.phase) == (True, 1, 30.0)
    demodulator.signal = "Current (A)"
    demodulator.harmonic = 2
    demodulator.phase = -45.0
    demodulator.low_pass = Filter(4, 25.0)
    demodulator.high_pass = Filter(0, 1.0)
    demodulator.synchronous = True
    demodulator.polar = True
    assert (demodulator.signal, demodulator.harmonic, demodulator.phase) == ("Current (A)", 2, -45.0)
    assert (demodulator.low_pass, demodulator.high_pass) == (Filter(4, 25.0), Filter(0, 1.0))
    assert demodulator.synchronous
    assert demodulator.polar


def test_signals_are_called_by_name(nanonis):
    assert nanonis.signals.values(["Bias (V)", "Current (A)"]) == close([0.01, 1e-10])
    assert nanonis.signals.value("Bias (V)", newest=False) == close(0.01)
    assert nanonis.signals.range("Current (A)") == (close(-1e-8), close(1e-8))
    assert nanonis.signals.calibration("Current (A)") == (close(1e-9), 0.0)


def test_session_and_version(nanonis):
    nanonis.session_path = "D:\\data\\Fe auf Cu₂N"
    assert nanonis.session_path == "D:\\data\\Fe auf Cu₂N"
    assert nanonis.version.real_time_release == 14718
    assert nanonis.current_gain in nanonis.current_gains
    nanonis.current_gain = nanonis.current_gains[0]


def test_the_snapshot_holds_flat_settings_and_sets_nothing(nanonis, session, bench):
    before = vars(bench.tip).copy()
    snapshot = nanonis.snapshot()
    assert vars(bench.tip) == before
    assert {type(value) for value in snapshot.values()} <= {int, float, bool, str}
    assert snapshot["bias"] == close(0.01)
    assert snapshot["z_status"] == "on"
    assert snapshot["modulation_frequency"] == 689.0
    assert snapshot["safe_tip"] is False


def test_a_controller_without_a_part_still_gives_a_snapshot(bench):
    controller = VirtualNanonis(bench)
    answer = controller.answer
    controller.answer = lambda name, body: (
        pack_response(name, b"", "not licensed") if name.startswith("LockIn") else answer(name, body)
    )
    snapshot = Nanonis(WireAdapter(controller.session())).snapshot()
    assert "not licensed" in snapshot["lockin_settings"]
    assert snapshot["bias"] == close(0.01)


# -- bias spectroscopy -----------------------------------------------------------------------------------------------


def prepare(nanonis):
    sweep = nanonis.spectroscopy
    sweep.channels = ("Current (A)", "LI Demod 1 X (A)")
    sweep.limits = (-0.05, 0.05)
    sweep.points, sweep.sweeps, sweep.backward = 21, 3, True
    sweep.timing = SweepTiming(settling=0.01, integration=0.02, z_averaging=0.05, initial_settling=0.1, z_control=0.3)
    sweep.set_advanced(reset_bias=True, z_hold=True, lockin_run=True)
    nanonis.lockin.modulator(1).amplitude = 1e-3
    return sweep


def check(spectrum):
    assert isinstance(spectrum, BiasSpectrum)
    assert spectrum.data.shape == (5, 21)
    np.testing.assert_allclose(spectrum.bias, np.linspace(-0.05, 0.05, 21), atol=1e-8)
    held = 1e-10 / (0.01 + CUBIC * 0.01**3)
    for backward in (False, True):
        current = spectrum.channel("Current (A)", backward=backward)
        np.testing.assert_allclose(current, held * (spectrum.bias + CUBIC * spectrum.bias**3), rtol=1e-5, atol=1e-16)
    assert spectrum.parameters["Sweep End"] == close(0.05)
    with pytest.raises(SequenceError, match="channel 'Z \\[bwd\\] \\(m\\)' was not recorded"):
        spectrum.channel("Z (m)", backward=True)


def test_a_hardware_swept_spectrum_comes_back_forward_and_backward(nanonis, bench):
    sweep = prepare(nanonis)
    assert (sweep.points, sweep.sweeps, sweep.backward) == (21, 3, True)
    assert (sweep.reset_bias, sweep.z_hold, sweep.lockin_run) == (True, True, True)
    assert sweep.channels == ("Current (A)", "LI Demod 1 X (A)")
    assert sweep.timing.integration == close(0.02)
    expected = sweep.duration()
    spectrum = sweep.start()
    check(spectrum)
    assert expected == close(bench.clock.now(), rel=0.01)
    slope = np.gradient(spectrum.channel("Current (A)"), spectrum.bias)
    ratio = spectrum.channel("LI Demod 1 X (A)")[1:-1] / (1e-3 * slope[1:-1])
    np.testing.assert_allclose(ratio, ratio[0], rtol=0.01)
    assert nanonis.feedback
    assert not sweep.running
    sweep.stop()
    sweep.start_unattended("Fe")


def test_a_spectrum_comes_back_over_tcp_and_a_slow_sweep_is_waited_for(bench):
    with WireServer(VirtualNanonis(bench)) as server:
        nanonis = Nanonis(f"TCPIP::127.0.0.1::{server.port}::SOCKET", timeout=5.0)
        check(prepare(nanonis).start())
        assert nanonis.adapter.timeout == 5.0
        nanonis.close()


def test_the_controllers_modulation_gives_the_slope_of_a_simulated_sample(tmp_path):
    microscope = SimulatedMicroscope.from_config(
        {}, sample="fe_atom", seed=3, clock=SimulatedClock(), directory=tmp_path
    )
    nanonis = Nanonis(microscope.adapter("nanonis"))
    modulator = nanonis.lockin.modulator(1)
    modulator.amplitude, modulator.frequency, modulator.on = 1e-3, 83.0, True
    microscope.lockin.internal_reference = False  # the lock-in amplifier follows the controller's modulation
    microscope.lockin.time_constant, microscope.lockin.poles = 0.03, 4  # fewer let the DC through as a ripple
    sweep = nanonis.spectroscopy
    sweep.channels = ("Current (A)", "LI Demod 1 X (A)")
    sweep.limits, sweep.points, sweep.backward = (-0.01, 0.01), 21, True
    sweep.timing = SweepTiming(settling=0.3, integration=0.1, initial_settling=0.5, z_control=0.2)
    spectrum = sweep.start()
    roll_off = 1 / (1 + (83.0 / microscope.preamplifier.bandwidth) ** 2)
    for backward in (False, True):
        slope = np.gradient(spectrum.channel("Current (A)", backward=backward), spectrum.bias)
        in_phase = spectrum.channel("LI Demod 1 X (A)", backward=backward) / 1e-3
        assert np.mean(in_phase[1:-1]) == close(roll_off * np.mean(slope[1:-1]), rel=5e-3)
    assert nanonis.feedback


@pytest.mark.parametrize("backward", [False, True])
def test_a_sweep_comes_back_in_the_order_in_which_the_bias_went(session, bench, backward):
    nanonis = Nanonis(WireAdapter(session), lockin_signals=("LI Demod 1 X (A)", "LI Demod 1 Y (A)"))
    nanonis.lockin.modulator(1).amplitude, nanonis.lockin.modulator(1).on = 1e-3, True
    sweep = nanonis.sweep_bias(-0.05, 0.05, 21, settling=0.01, integration=0.02, slew=1.0, backward=backward)
    there = np.linspace(-0.05, 0.05, 21)
    np.testing.assert_allclose(sweep.bias, np.concatenate([there, there[::-1]]) if backward else there, atol=1e-8)
    held = 1e-10 / (0.01 + CUBIC * 0.01**3)
    np.testing.assert_allclose(sweep.current, held * (sweep.bias + CUBIC * sweep.bias**3), rtol=1e-5, atol=1e-16)
    assert sweep.x.shape == sweep.y.shape == sweep.bias.shape
    steepest, flattest = sweep.x[np.argmax(np.abs(sweep.bias))], sweep.x[10]
    assert steepest / flattest == close(1 + 3 * CUBIC * 0.05**2, rel=0.02)
    assert nanonis.bias == close(0.01)
    module = nanonis.spectroscopy
    assert (module.sweeps, module.backward, module.z_hold, module.reset_bias) == (1, backward, True, True)
    assert module.timing.slew_rate == close(1.0)


def test_a_trip_of_safe_tip_in_a_sweep_is_called_a_trip(nanonis):
    nanonis.safe_tip.configure(threshold=2e-10)
    nanonis.safe_tip.on = True
    with pytest.raises(TipTripped, match=r"the sweep was ended"):
        nanonis.sweep_bias(0.01, 0.09, 21, settling=0.01, integration=0.02, slew=1.0, backward=False)


def test_lockin_signals_that_the_controller_does_not_have_are_refused_by_name(session):
    nanonis = Nanonis(WireAdapter(session), lockin_signals=("Lockin 7 X (V)", "Lockin 7 Y (V)"))
    with pytest.raises(SequenceError, match="Lockin 7 X"):
        nanonis.sweep_bias(-0.05, 0.05, 21, settling=0.01, integration=0.02, slew=1.0, backward=False)


def test_nobody_at_the_address_is_a_lost_instrument(bench):
    with WireServer(VirtualNanonis(bench)) as server:
        port = server.port
    with pytest.raises(InstrumentLost, match="cannot connect"):
        Nanonis(f"TCPIP::127.0.0.1::{port}::SOCKET")
