"""The virtual Nanonis controller, asked with the real bytes."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stmlab.nanonis.commands import COMMANDS
from stmlab.nanonis.frames import HEADER_SIZE, pack_request, unpack_error, unpack_header
from stmlab.nanonis.protocol import pack, unpack
from stmlab.simulation.nanonis import VirtualNanonis
from stmlab.simulation.nanonis_settings import BOUNDS
from stmlab.simulation.nanonis_signals import NAMES
from tests.approximately import close
from tests.simulation.tunnel_bench import CONDUCTANCE, CUBIC, DECAY, LOCKIN_PHASE, TunnelBench

OFF, ON, SWITCHING_OFF, SAFE_TIP, WITHDRAWING = 1, 2, 4, 5, 6


class Client:
    """One connection that speaks the wire's bytes."""

    def __init__(self, bench=None):
        self.bench = bench or TunnelBench()
        self.session = VirtualNanonis(self.bench).session()

    def send(self, name, body, respond=True):
        """Returns the values before the error section, and the description of the error."""
        answer = self.session.receive(pack_request(name, body, respond=respond))
        header = unpack_header(answer[:HEADER_SIZE])
        assert header.name == name
        assert header.size == len(answer) - HEADER_SIZE
        values, section = unpack(COMMANDS[name].returns if name in COMMANDS else (), answer[HEADER_SIZE:])
        return values, unpack_error(section)

    def ask(self, name, *values):
        returned, error = self.send(name, pack(COMMANDS[name].arguments, values))
        assert error == ""
        return returned

    def refusal(self, name, *values):
        _, error = self.send(name, pack(COMMANDS[name].arguments, values))
        assert error != ""
        assert "\n" not in error
        return error


@pytest.fixture
def client():
    return Client()


# -- settings that are only kept -------------------------------------------------------------------------------------

PAIRS = sorted(
    name[:-3]
    for name in COMMANDS
    if name.endswith("Set")
    and name[:-3] + "Get" in COMMANDS
    and name not in ("Signals.AddRTSet", "ZCtrl.LimitsSet", "ZCtrl.ZPosSet", "ZCtrl.GainSet")  # tested below
)


def sample_of(topic, field):
    """Something that this field accepts and that is not what it holds at first."""
    low, high = BOUNDS.get(f"{topic}.{field.name}", BOUNDS.get(field.name, (0, 1 if topic.startswith("Bias.") else 3)))
    item = field.type.partition("[")[0]
    if item == "str":
        return ("Bias", "Z-Controller") if "[" in field.type else "MLS"
    number = (low + high) / 2 if math.isfinite(high) else 0.25
    if item[0] != "f":
        number = int(min(high, max(number, 1)))
    if field.keeps and low in (0, 1):
        number = 1  # on, or the first choice, or just one
    if field.name == "setpoint":
        number = 1e-9
    if topic == "Current.Calibr" and field.name == "gain":
        number = -1
    return np.array([number, number]) if "[" in field.type else number


@pytest.mark.parametrize("topic", PAIRS)
def test_every_setting_is_returned_as_it_was_set(client, topic):
    setter, getter = COMMANDS[f"{topic}Set"], COMMANDS[f"{topic}Get"]
    given = {field.name: sample_of(topic, field) for field in setter.arguments}
    if "segments" in given:
        given["segments"] = 2
    if topic == "FolMe.XYPos":
        given["wait"] = 0
    client.ask(setter.name, *given.values())
    returned = client.ask(getter.name, *(given[field.name] for field in getter.arguments))
    for field, value in zip(getter.returns, returned, strict=True):
        if field.name not in given:
            continue
        keeps = next(f.keeps for f in setter.arguments if f.name == field.name)
        wanted = given[field.name] - 1 if keeps == "choice" else given[field.name]
        np.testing.assert_array_equal(value, pack_and_unpack(field, wanted, returned[0]))


def pack_and_unpack(field, value, first):
    """What is left of a value on its way: floats are of single precision."""
    if field.type.endswith("[segments]"):
        return np.float32(value) if field.type[0] == "f" else value
    return unpack([field], pack([field], [value]))[0][0]


def test_the_parts_of_the_lock_in_and_the_outputs_keep_settings_of_their_own(client):
    for number in (1, 2, 8):
        client.ask("LockIn.DemodPhasSet", number, 10.0 * number)
        client.ask("UserOut.LimitsSet", number, float(number), -1.0, 1)
    assert [client.ask("LockIn.DemodPhasGet", number) for number in (1, 2, 3, 8)] == [(10.0,), (20.0,), (0.0,), (80.0,)]
    assert client.ask("UserOut.LimitsGet", 2, 1) == (2.0, -1.0)
    assert client.ask("UserOut.LimitsGet", 2, 0) == (10.0, -10.0)


def test_no_change_codes_change_nothing(client):
    client.ask("BiasSpectr.PropsSet", 1, 5, 1, 33, 1e-10, 1, 1)
    before = client.ask("BiasSpectr.PropsGet")
    client.ask("BiasSpectr.PropsSet", 0, 0, 0, 0, math.nan, 0, 0)
    assert client.ask("BiasSpectr.PropsGet") == before
    assert before[:4] == (1, 5, 1, 33)
    assert before[6:] == (1, 1)
    client.ask("BiasSpectr.PropsSet", 2, 0, 2, 0, math.nan, 2, 2)
    assert client.ask("BiasSpectr.PropsGet")[:4] == (0, 5, 0, 33)
    timing = client.ask("BiasSpectr.TimingGet")
    assert timing[1] == close(1e-10)  # Z offset stands in both places
    client.ask("BiasSpectr.TimingSet", *[math.nan] * 5, 0.125, math.nan, math.nan)
    assert client.ask("BiasSpectr.TimingGet") == (*timing[:5], 0.125, *timing[6:])
    client.ask("LockIn.DemodLPFilterSet", 1, 4, 30.0)
    client.ask("LockIn.DemodLPFilterSet", 1, -1, 0.0)
    assert client.ask("LockIn.DemodLPFilterGet", 1) == (4, 30.0)
    client.ask("ZCtrl.HomePropsSet", 2, 1e-9)
    client.ask("ZCtrl.HomePropsSet", 0, math.nan)
    assert client.ask("ZCtrl.HomePropsGet") == (1, close(1e-9))


# -- what is refused -------------------------------------------------------------------------------------------------


def test_an_unknown_command_is_refused_by_name(client):
    assert client.send("Coffee.Make", b"") == ((), "unknown command: Coffee.Make")


@pytest.mark.parametrize(("name", "body"), [("Bias.Set", b"\0\0"), ("Bias.Set", bytes(5)), ("Bias.Get", bytes(4))])
def test_a_body_of_the_wrong_size_is_refused_and_nothing_changes(client, name, body):
    _, error = client.send(name, body)
    assert "bytes" in error
    assert client.bench.tip.bias == TunnelBench().tip.bias


def test_a_refusal_still_returns_the_usual_values_before_its_error_section(client):
    values, error = client.send("LockIn.ModPhasFreqGet", pack(COMMANDS["LockIn.ModPhasFreqGet"].arguments, [9]))
    assert values == (0.0,)
    assert error == "LockIn.ModPhasFreq: modulator = 9 is out of range, 1 to 8 is allowed"
    (names, data, parameters), error = client.send("BiasSpectr.Start", b"\0\0\0\1")
    assert (names, data.size, parameters.size) == ((), 0, 0)
    assert "BiasSpectr" in error or "body ends" in error


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("Bias.Set", [10.5], "bias = 10.5 V is out of range, -10 to 10 V"),
        ("Bias.Set", [math.nan], "bias = nan"),
        ("Bias.RangeSet", [2], "bias range = 2"),
        ("Bias.Pulse", [1, -1.0, 0.0, 0, 0], "no pulse"),
        ("ZCtrl.SetpntSet", [2e-8], "setpoint = 2e-08 A is out of range"),
        ("ZCtrl.SetpntSet", [0.0], "without 0"),
        ("ZCtrl.ZPosSet", [0.0], "Z-controller is on"),
        ("ZCtrl.OnOffSet", [2], "neither 0"),
        ("ZCtrl.GainSet", [0.0, 1.0, 1.0], "not positive"),
        ("ZCtrl.LimitsSet", [1e-9, 2e-9], "must rise"),
        ("ZCtrl.ActiveCtrlSet", [4], "Z-controller 4 is out of range, 0 to 3"),
        ("ZCtrl.ActiveCtrlSet", [1], "switch it off before selecting"),
        ("SafeTip.OnOffSet", [3], "0 (no change), 1 (on), 2 (off)"),
        ("Current.GainSet", [1, 0], "gain 1"),
        ("Current.100Get", [], "not available"),
        ("BiasSpectr.ChsSet", [[0, 128]], "channel indexes [0, 128]"),
        ("BiasSpectr.ChsSet", [[]], "channel indexes []"),
        ("BiasSpectr.MLSModeSet", ["Sideways"], "sweep mode = 'Sideways'"),
        ("BiasSpectr.PropsSet", [0, 0, 0, 1, 0.0, 0, 0], "points = 1 is out of range, 2 to 100000"),
        ("BiasSpectr.TimingSet", [0, 0, 0, 1, 0, -1.0, 0, 0], "integration = -1"),
        ("LockIn.ModHarmonicSet", [1, 0], "harmonic = 0"),
        ("LockIn.DemodHPFilterSet", [1, 9, 1.0], "order = 9"),
        ("Signals.ValGet", [128, 0], "signal index = 128"),
        ("Signals.ValsGet", [[0, -1], 0], "signal index = -1"),
        ("UserOut.ValSet", [1, 11.0], "output 1 = 11 is out of range, -10 to 10"),
        ("UserOut.ModeSet", [1, 3], "mode = 3"),
        ("Scan.Action", [0, 1], "one spot"),
        ("TCPLog.Start", [], "not available"),
        ("Util.SettingsSave", ["C:\\x.ini", 0], "not available"),
        ("Util.SessionPathSet", ["", 0], "must not be empty"),
    ],
)
def test_each_refusal_names_the_value_and_what_is_allowed(client, name, values, words):
    assert words in client.refusal(name, *values)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(set(COMMANDS) - {"BiasSpectr.Start"})), st.binary(max_size=40))
def test_whatever_the_body_the_answer_is_whole(name, body):
    values, _ = Client().send(name, body)
    assert len(values) == len(COMMANDS[name].returns)


@given(st.lists(st.integers(1, 60), max_size=8))
def test_requests_may_arrive_in_pieces_of_any_size(cuts):
    client = Client()
    stream = b"".join(
        pack_request(name, pack(COMMANDS[name].arguments, values))
        for name, values in [("Bias.Set", [0.25]), ("Bias.Get", []), ("Util.SessionPathGet", []), ("Bias.Get", [])]
    )
    edges = np.cumsum([0, *cuts, len(stream)])
    answers = b"".join(client.session.receive(stream[a:b]) for a, b in itertools.pairwise(edges))
    names = []
    while answers:
        header = unpack_header(answers[:HEADER_SIZE])
        names.append(header.name)
        answers = answers[HEADER_SIZE + header.size :]
    assert names == ["Bias.Set", "Bias.Get", "Util.SessionPathGet", "Bias.Get"]


def test_no_response_is_sent_when_none_is_wanted(client):
    request = pack_request("Bias.Set", pack(COMMANDS["Bias.Set"].arguments, [0.5]), respond=False)
    assert client.session.receive(request) == b""
    assert client.bench.tip.bias == 0.5


@pytest.mark.parametrize("garbage", [b"GET / HTTP/1.1\r\n" + bytes(24), b"Bias.Get".ljust(32, b"\0") + b"\x7f" * 8])
def test_a_connection_that_sends_garbage_is_dropped(client, garbage):
    with pytest.raises(ConnectionAbortedError):
        client.session.receive(garbage)


# -- bias, tip, SafeTip ----------------------------------------------------------------------------------------------


def test_time_is_lived_through_with_the_old_bias(client):
    bench = client.bench
    lived = []
    bench.advance = lambda: lived.append(bench.tip.bias)
    client.ask("Bias.Set", 0.5)
    assert lived[0] == TunnelBench().tip.bias
    assert bench.tip.bias == 0.5


def test_the_bias_must_fit_the_selected_range(client):
    client.ask("Bias.Set", 2.0)
    assert "does not fit" in client.refusal("Bias.RangeSet", 1)
    client.ask("Bias.Set", 0.5)
    client.ask("Bias.RangeSet", 1)
    assert "-1 to 1 V" in client.refusal("Bias.Set", 2.0)
    assert client.ask("Bias.RangeGet") == (("10 V", "1 V"), 1)
    bias = NAMES.index("Bias (V)")
    assert client.ask("Signals.RangeGet", bias) == (1.0, -1.0)


def test_a_pulse_holds_the_tip_for_its_width_and_puts_the_bias_back(client):
    bench = client.bench
    during, height = [], bench.height()
    sleep = bench.clock.sleep
    bench.clock.sleep = lambda seconds: (
        during.append((bench.tip.bias, bench.tip.feedback, bench.height() - height)),
        sleep(seconds),
    )
    client.ask("Bias.Pulse", 1, 0.1, 1.0, 1, 1)  # relative, held
    client.ask("Bias.Pulse", 1, 0.1, 1.0, 2, 2)  # absolute, not held: the loop retracts
    assert during[0] == (1.01, False, 0.0)
    assert during[1][:2] == (1.0, True)
    assert during[1][2] > 1e-10
    assert (bench.tip.bias, bench.tip.feedback, bench.clock.now()) == (0.01, True, close(0.2))


def test_switching_off_takes_the_delay_and_lifts_the_tip(client):
    bench = client.bench
    client.ask("ZCtrl.SwitchOffDelaySet", 0.05)
    client.ask("ZCtrl.TipLiftSet", 1e-10)
    height = bench.height()
    client.ask("ZCtrl.OnOffSet", 0)
    states = [client.ask("ZCtrl.StatusGet")[0] for _ in range(4)]
    assert states == [SWITCHING_OFF, SWITCHING_OFF, OFF, OFF]
    assert bench.clock.now() == close(0.06)  # three acquisition periods
    assert bench.height() - height == close(1e-10, rel=1e-6)
    assert client.ask("ZCtrl.OnOffGet") == (0,)
    client.ask("ZCtrl.ZPosSet", 2e-9)
    assert client.ask("ZCtrl.ZPosGet") == (close(2e-9),)
    client.ask("ZCtrl.OnOffSet", 1)
    assert client.ask("ZCtrl.StatusGet") == (ON,)
    assert bench.height() == close(height)


def test_withdrawing_takes_the_time_of_the_way_and_ends_at_the_upper_limit(client):
    bench = client.bench
    client.ask("ZCtrl.WithdrawRateSet", 4e-6)  # 160 nm in 40 ms: two acquisition periods
    client.ask("ZCtrl.Withdraw", 0, -1)
    assert [client.ask("ZCtrl.StatusGet")[0] for _ in range(3)] == [WITHDRAWING, OFF, OFF]
    assert client.ask("ZCtrl.ZPosGet")[0] == close(160e-9)
    assert client.ask("Current.Get") == (0.0,)
    client.ask("ZCtrl.OnOffSet", 1)
    assert not bench.tip.withdrawn
    start = bench.clock.now()
    client.ask("ZCtrl.Withdraw", 1, -1)
    assert bench.clock.now() - start == close(160e-9 / 4e-6, rel=0.01)
    client.ask("ZCtrl.OnOffSet", 1)
    assert "within 10 ms" in client.refusal("ZCtrl.Withdraw", 1, 10)


def test_limits_of_z_act_only_while_enabled(client):
    client.ask("ZCtrl.LimitsSet", 50e-9, -50e-9)
    assert client.ask("ZCtrl.LimitsGet") == (close(160e-9), close(-160e-9))
    client.ask("ZCtrl.LimitsEnabledSet", 1)
    client.ask("ZCtrl.LimitsSet", 50e-9, -50e-9)
    assert client.ask("ZCtrl.LimitsGet") == (close(50e-9), close(-50e-9))
    client.ask("ZCtrl.SwitchOffDelaySet", 0.0)
    client.ask("ZCtrl.OnOffSet", 0)
    assert client.ask("ZCtrl.OnOffGet") == (0,)
    assert "z = 6e-08 m" in client.refusal("ZCtrl.ZPosSet", 60e-9)


def test_home_opens_the_loop_and_moves_the_tip(client):
    height = client.bench.height()
    client.ask("ZCtrl.HomePropsSet", 2, 3e-9)
    client.ask("ZCtrl.Home")
    assert client.ask("ZCtrl.StatusGet") == (OFF,)
    assert client.bench.height() - height == close(3e-9)


def test_safe_tip_trips_above_its_threshold_and_withdraws(client):
    bench = client.bench
    client.ask("SafeTip.PropsSet", 0, 0, 1e-9)
    client.ask("SafeTip.OnOffSet", 1)
    client.ask("ZCtrl.SwitchOffDelaySet", 0.0)
    client.ask("ZCtrl.OnOffSet", 0)
    assert client.ask("ZCtrl.StatusGet") == (OFF,)
    client.ask("ZCtrl.ZPosSet", -math.log(20) / (2 * DECAY))  # 2 nA at 10 mV
    assert client.ask("ZCtrl.StatusGet") == (SAFE_TIP,)
    assert bench.tip.withdrawn
    assert client.ask("Current.Get") == (0.0,)
    client.ask("ZCtrl.OnOffSet", 1)
    assert client.ask("ZCtrl.StatusGet") == (ON,)


def test_safe_tip_recovers_by_itself_if_it_may(client):
    client.ask("SafeTip.PropsSet", 1, 0, 1e-9)
    client.ask("SafeTip.OnOffSet", 1)
    client.ask("ZCtrl.SetpntSet", 2e-9)
    assert client.ask("ZCtrl.StatusGet") == (SAFE_TIP,)
    client.ask("ZCtrl.SetpntSet", 1e-10)
    client.bench.clock.sleep(2.0)
    assert client.ask("ZCtrl.StatusGet") == (ON,)


def test_loop_gains_reach_the_bench_and_the_integral_follows(client):
    client.ask("ZCtrl.GainSet", 2e-11, 1e-3, 0.0)
    assert (client.bench.tip.proportional_gain, client.bench.tip.loop_time_constant) == close((2e-11, 1e-3))
    assert client.ask("ZCtrl.GainGet") == close((2e-11, 1e-3, 2e-8))


def test_the_calibration_of_the_current_scales_what_is_read(client):
    before = client.ask("Current.Get")[0]
    assert client.ask("Current.CalibrGet", -1) == (1e-9, 0.0)
    client.ask("Current.CalibrSet", -1, 2e-9, 1e-12)
    assert client.ask("Current.Get")[0] == close(2 * before + 1e-12)


# -- lock-in and signals ---------------------------------------------------------------------------------------------


def test_the_modulator_of_the_bias_reaches_the_bench(client):
    tip = client.bench.tip
    client.ask("LockIn.ModAmpSet", 2, 2e-4)
    client.ask("LockIn.ModPhasRegSet", 2, 3)
    client.ask("LockIn.ModPhasFreqSet", 3, 345.0)
    client.ask("LockIn.ModHarmonicSet", 2, 2)
    assert not tip.modulation_on
    client.ask("LockIn.ModOnOffSet", 2, 1)
    assert (tip.modulation_on, tip.modulation_frequency) == (True, 690.0)
    assert tip.modulation_amplitude == close(2e-4)
    assert "both" in client.refusal("LockIn.ModOnOffSet", 1, 1)
    assert client.ask("LockIn.ModOnOffGet", 1) == (0,)
    client.ask("LockIn.ModSignalSet", 2, 30)  # modulates Z now: not the bias
    assert not tip.modulation_on
    client.ask("LockIn.ModOnOffSet", 1, 1)
    assert tip.modulation_frequency == 689.0


def test_signals_are_called_by_index_and_wait_for_new_data(client):
    (names,) = client.ask("Signals.NamesGet")
    assert len(names) == 128
    assert len(set(names)) == 128
    index = names.index
    wanted = [index("Bias (V)"), index("Current (A)"), index("Z (m)")]
    assert client.ask("Signals.ValsGet", wanted, 0)[0] == close([0.01, 1e-10, client.bench.height()])
    assert client.bench.clock.now() == 0.0
    client.ask("Signals.ValGet", index("Bias (V)"), 1)
    assert client.bench.clock.now() == close(0.02)
    client.ask("UserOut.ValSet", 3, 1.5)
    assert client.ask("Signals.ValGet", index("Output 3 (V)"), 0) == (1.5,)
    client.ask("FolMe.XYPosSet", 1e-8, -2e-8, 1)
    assert client.ask("Signals.ValsGet", [index("X (m)"), index("Y (m)")], 0)[0] == close([1e-8, -2e-8])
    assert client.ask("Scan.XYPosGet", 0) == close((1e-8, -2e-8))
    client.ask("Signals.AddRTSet", 0, 24)
    assert client.ask("Signals.AddRTGet")[1:] == ("Current (A)", "Bias (V)")


def test_demodulators_show_what_the_lock_in_sees_turned_by_their_phase(client):
    client.ask("LockIn.ModAmpSet", 1, 1e-3)
    client.ask("LockIn.ModOnOffSet", 1, 1)
    expected = client.bench.lockin_output() / 1e9 * math.sqrt(2)
    x, y = NAMES.index("LI Demod 1 X (A)"), NAMES.index("LI Demod 1 Y (A)")
    assert client.ask("Signals.ValsGet", [x, y], 0)[0] == close([expected.real, expected.imag])
    client.ask("LockIn.DemodPhasSet", 1, math.degrees(LOCKIN_PHASE))
    values = client.ask("Signals.ValsGet", [x, y], 0)[0]
    assert values[0] == close(abs(expected))
    assert abs(values[1]) < 1e-6 * abs(expected)
    client.ask("LockIn.DemodPhasSet", 1, 0.0)
    client.ask("LockIn.DemodRTSignalsSet", 1, 1)
    polar = client.ask("Signals.ValsGet", [x, y], 0)[0]
    assert polar == close([abs(expected), math.degrees(LOCKIN_PHASE)], rel=1e-5)
    cabled = client.ask("Signals.ValGet", NAMES.index("LockIn X (V)"), 0)[0]
    assert cabled == close(client.bench.lockin_output().real)


def test_a_bench_that_demodulates_for_the_controller_is_asked_at_the_demodulators_frequency(client):
    class Demodulating(TunnelBench):
        def demodulated_current(self, frequency, integration):
            return complex(frequency, integration)

    client = Client(Demodulating())
    client.ask("LockIn.ModPhasFreqSet", 1, 500.0)
    client.ask("LockIn.DemodHarmonicSet", 4, 2)
    x, y = NAMES.index("LI Demod 4 X (A)"), NAMES.index("LI Demod 4 Y (A)")
    assert client.ask("Signals.ValsGet", [x, y], 0)[0] == close([1000.0, 0.02])


# -- bias spectroscopy -----------------------------------------------------------------------------------------------

TIMES = {"z_averaging": 0.1, "z_offset": 0.0, "initial": 0.05, "slew": math.inf, "settling": 0.01, "integration": 0.02}


def prepare(client, *, channels=("Current (A)",), points=11, sweeps=1, backward=True, **times):
    t = TIMES | {"end": 0.03, "z_control": 0.2} | times
    client.ask("BiasSpectr.ChsSet", [NAMES.index(name) for name in channels])
    client.ask("BiasSpectr.LimitsSet", -0.1, 0.1)
    client.ask("BiasSpectr.PropsSet", 0, sweeps, 1 if backward else 2, points, math.nan, 2, 2)
    client.ask("BiasSpectr.TimingSet", *t.values())


def test_a_sweep_returns_the_curve_of_the_junction_at_the_height_where_the_loop_left_it(client):
    prepare(client, channels=("Current (A)", "Bias (V)"))
    names, data, parameters = client.ask("BiasSpectr.Start", 1, "")
    assert names == ("Bias calc (V)", "Current (A)", "Bias (V)", "Current [bwd] (A)", "Bias [bwd] (V)")
    bias = np.linspace(-0.1, 0.1, 11)
    held = 1e-10 / (0.01 + CUBIC * 0.01**3)  # S: setpoint 100 pA at 10 mV
    np.testing.assert_allclose(data[0], bias, atol=1e-8)
    np.testing.assert_allclose(data[1], held * (bias + CUBIC * bias**3), rtol=1e-6, atol=1e-16)
    np.testing.assert_array_equal(data[1:3], data[3:5])
    by_name = dict(zip(sum(client.ask("BiasSpectr.PropsGet")[5:3:-1], ()), parameters, strict=True))
    assert by_name["Sweep Start"] == close(-0.1)
    assert by_name["Integration time (s)"] == close(0.02)
    assert by_name["Final Z (m)"] == close(client.bench.height())


def test_a_sweep_takes_its_time_with_the_loop_open_and_closes_it_afterwards(client):
    prepare(client, sweeps=2)
    bench = client.bench
    client.ask("BiasSpectr.Start", 1, "")
    one = 2 * 0.1 + 0.05 + 22 * (0.01 + 0.02) + 0.03 + 0.2
    assert bench.clock.now() == close(2 * one, rel=1e-6)
    assert len(bench.seen) == 2 * 22 * 4
    assert not any(feedback for _, _, feedback, _ in bench.seen)
    first = bench.seen[0]
    assert first[:2] == (close(0.1 + 0.05 + 0.01 + 0.02 / 4), close(-0.1))
    assert (bench.tip.feedback, bench.tip.bias) == (True, 0.01)
    assert client.ask("BiasSpectr.StatusGet") == (0,)
    client.ask("BiasSpectr.Stop")


def test_forward_and_backward_differ_where_the_junction_drifts(client):
    prepare(client)
    client.bench.drift = 1e-11
    _, data, _ = client.ask("BiasSpectr.Start", 1, "")
    assert np.all(np.abs(data[2, :-1]) >= np.abs(data[1, :-1]))  # later, so closer
    ratio = data[2, 0] / data[1, 0]
    assert ratio == close(math.exp(2 * DECAY * 1e-11 * 21 * 0.03), rel=1e-3)


def test_sweeps_are_averaged(client):
    prepare(client, sweeps=4, backward=False)
    law, sweep_of = client.bench.law, iter(np.repeat([1.0, 2.0, 3.0, 10.0], 11 * 4))
    client.bench.law = lambda height: law(height)
    client.bench.current = lambda: next(sweep_of)
    _, data, _ = client.ask("BiasSpectr.Start", 1, "")
    np.testing.assert_array_equal(data[1], np.full(11, 4.0))


def test_the_slew_rate_and_the_z_offset_are_kept(client):
    prepare(client, backward=False, slew=1.0, z_offset=1e-10)
    client.ask("BiasSpectr.TimingSet", *[math.nan] * 2, 0.0, math.nan, 0.0, 0.0, 0.0, 0.0)
    height = client.bench.height()
    _, data, _ = client.ask("BiasSpectr.Start", 1, "")
    assert client.bench.clock.now() == close(2 * 0.1 + 0.11 + 0.2 + 0.09, rel=1e-5)  # V of way over 1 V/s
    held = 1e-10 / (0.01 + CUBIC * 0.01**3) * math.exp(-2 * DECAY * 1e-10)
    assert data[1, -1] == close(held * (0.1 + CUBIC * 1e-3), rel=1e-5)
    assert client.bench.height() == close(height)


def test_the_loop_may_stay_closed_and_the_bias_may_stay_at_the_end(client):
    prepare(client, backward=False)
    client.ask("BiasSpectr.AdvPropsSet", 2, 2, 2, 0)
    client.ask("BiasSpectr.LimitsSet", 0.02, 0.1)
    _, data, parameters = client.ask("BiasSpectr.Start", 1, "")
    assert all(feedback for _, _, feedback, _ in client.bench.seen)
    np.testing.assert_allclose(data[1], 1e-10, rtol=1e-6)
    assert client.bench.tip.bias == close(0.1)
    assert math.isnan(parameters[-1])  # final Z not recorded


def test_the_lock_in_runs_only_during_the_sweep_if_so_set_and_gives_the_slope(client):
    prepare(client, channels=("LI Demod 1 X (A)", "LI Demod 1 Y (A)", "Current (A)"))
    client.ask("LockIn.ModAmpSet", 1, 1e-3)
    client.ask("BiasSpectr.AdvPropsSet", 0, 0, 0, 1)
    client.ask("LockIn.DemodPhasSet", 1, math.degrees(LOCKIN_PHASE))
    names, data, _ = client.ask("BiasSpectr.Start", 1, "")
    assert all(modulated for *_, modulated in client.bench.seen)
    assert not client.bench.tip.modulation_on
    slope = 1e-10 / (0.01 + CUBIC * 0.01**3) * (1 + 3 * CUBIC * data[0] ** 2)
    np.testing.assert_allclose(data[names.index("LI Demod 1 X (A)")], slope * 1e-3, rtol=1e-5)
    np.testing.assert_allclose(data[names.index("LI Demod 1 X [bwd] (A)")], slope * 1e-3, rtol=1e-5)


def test_segments_have_points_and_times_of_their_own(client):
    prepare(client, backward=False, z_averaging=0.0, end=0.0, z_control=0.0)
    client.ask("BiasSpectr.MLSModeSet", "MLS")
    segments = [2, [-0.1, 0.0], [-0.02, 0.02], [0.0, 0.5], [0.01, 0.0], [0.01, 0.02], [5, 3], [0, 0]]
    client.ask("BiasSpectr.MLSValsSet", *segments)
    _, data, _ = client.ask("BiasSpectr.Start", 1, "")
    np.testing.assert_allclose(data[0], [-0.1, -0.08, -0.06, -0.04, -0.02, 0.0, 0.01, 0.02], atol=1e-8)
    assert client.bench.clock.now() == close(5 * 0.02 + 0.5 + 3 * 0.02, rel=1e-5)


def test_the_alternate_setpoint_holds_the_tip_where_the_sweep_is_taken(client):
    prepare(client, backward=False)
    client.ask("BiasSpectr.AltZCtrlSet", 1, 5e-11, 0.3)
    _, data, _ = client.ask("BiasSpectr.Start", 1, "")
    held = 5e-11 / (0.01 + CUBIC * 0.01**3)
    assert data[1, -1] == close(held * (0.1 + CUBIC * 1e-3), rel=1e-5)
    assert client.bench.tip.setpoint == 1e-10


def test_without_data_a_sweep_returns_empty_curves(client):
    prepare(client)
    names, data, parameters = client.ask("BiasSpectr.Start", 0, "")
    assert (names, data.size, parameters.size) == ((), 0, 0)
    assert len(client.bench.seen) == 2 * 11 * 4


def test_a_sweep_beyond_the_bias_range_is_refused_before_it_begins(client):
    prepare(client)
    client.ask("BiasSpectr.LimitsSet", -2.0, 2.0)
    client.ask("Bias.RangeSet", 1)
    assert "-1 to 1 V" in client.refusal("BiasSpectr.Start", 1, "")
    assert client.bench.seen == []


def test_a_trip_of_safe_tip_ends_the_sweep(client):
    prepare(client)
    client.ask("SafeTip.PropsSet", 0, 0, 5e-10)
    client.ask("SafeTip.OnOffSet", 1)
    assert "SafeTip has tripped at a bias of -0.1 V" in client.refusal("BiasSpectr.Start", 1, "")
    assert client.ask("ZCtrl.StatusGet") == (SAFE_TIP,)
    assert (client.bench.tip.bias, client.bench.tip.feedback) == (0.01, False)


def test_the_bench_begins_where_the_setpoint_is():
    assert TunnelBench().height() == close(math.log(CONDUCTANCE * 0.01002 / 1e-10) / (2 * DECAY))
