"""Two clients that nobody here wrote against the virtual controller over TCP: the maker's own and nanonisTCP.

Left out because the client itself is at odds with the protocol: Util.VersionGet (nanonis_spm cannot read any answer to
it) and the settings files, which the simulated controller does not have.
"""

from __future__ import annotations

import math
import socket

import nanonis_spm
import numpy as np
import pytest
from nanonisTCP import nanonisTCP
from nanonisTCP.Bias import Bias
from nanonisTCP.BiasSpectr import BiasSpectr
from nanonisTCP.Current import Current
from nanonisTCP.FolMe import FolMe
from nanonisTCP.LockIn import LockIn
from nanonisTCP.SafeTip import SafeTip
from nanonisTCP.Scan import Scan
from nanonisTCP.Signals import Signals
from nanonisTCP.UserOut import UserOut
from nanonisTCP.Util import Util
from nanonisTCP.ZController import ZController

from stmlab.nanonis.returns import RETURNS
from stmlab.simulation.nanonis import VirtualNanonis
from stmlab.simulation.server import WireServer
from tests.approximately import close
from tests.nanonis.client_layouts import UNDECODABLE, client_types
from tests.simulation.tunnel_bench import CUBIC, TunnelBench

PATIENCE = 5.0  # s; a client that waits for more bytes than come fails instead of hanging


class Patient:
    """A socket whose time-out stays as it is: nanonis_spm sets 1000 s."""

    def __init__(self, connection):
        self._connection = connection

    def __getattr__(self, name):
        return getattr(self._connection, name)

    def settimeout(self, seconds):
        pass


@pytest.fixture
def bench():
    return TunnelBench()


@pytest.fixture
def port(bench):
    with WireServer(VirtualNanonis(bench)) as server:
        yield server.port


@pytest.fixture
def maker(port):
    connection = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    client = nanonis_spm.Nanonis(Patient(connection))
    yield client
    client.close()


@pytest.fixture
def tcp(port):
    client = nanonisTCP("127.0.0.1", port)
    client.s.settimeout(PATIENCE)
    yield client
    client.close_connection()


def plain(values):
    """Tuples of one and arrays of them, as nanonis_spm returns arrays, made plain."""
    return [np.ravel(value).tolist() if isinstance(value, list | np.ndarray) else value for value in values]


def good(answer):
    """The values of an answer of nanonis_spm that reports no error."""
    error, _, values = answer
    assert error == ""
    return plain(values)


ON_AND_OFF = [
    # topic, arguments of Set, arguments of Get, what Get returns
    ("Bias_", [0.25], [], [0.25]),
    ("Bias_Calibr", [1.25, 0.5], [], [1.25, 0.5]),
    ("BiasSpectr_AdvProps", [2, 1, 2, 1], [], [0, 1, 0, 1]),
    ("BiasSpectr_AdvProps", [0, 0, 0, 0], [], [1, 1, 1, 0]),
    ("BiasSpectr_Limits", [-0.5, 0.25], [], [-0.5, 0.25]),
    (
        "BiasSpectr_Timing",
        [0.5, 0.0, 0.25, 8.0, 0.5, 2.0, 0.125, 0.25],
        [],
        [0.5, 0.0, 0.25, 8.0, 0.5, 2.0, 0.125, 0.25],
    ),
    ("BiasSpectr_DigSync", [2], [], [1]),
    ("BiasSpectr_TTLSync", [3, 2, 0.5, 0.25], [], [2, 1, 0.5, 0.25]),
    ("BiasSpectr_PulseSeqSync", [2, 7], [], [2, 7]),
    ("BiasSpectr_AltZCtrl", [1, 0.0, 0.5], [], [1, 0.0, 0.5]),
    ("BiasSpectr_ZOffRevert", [2], [], [0]),
    ("BiasSpectr_MLSLockinPerSeg", [1], [], [1]),
    ("BiasSpectr_MLSMode", ["MLS"], [], [3, "MLS"]),
    (
        "BiasSpectr_MLSVals",
        [2, [-1.0, 0.0], [0.0, 1.0], [0.5, 0.25], [0.5, 0.25], [0.5, 0.25], [10, 20], [1, 0]],
        [],
        [2, [-1.0, 0.0], [0.0, 1.0], [0.5, 0.25], [0.5, 0.25], [0.5, 0.25], [10, 20], [1, 0]],
    ),
    ("Current_Calibr", [-1, 2e-9, 1e-12], [-1], [2e-9, 1e-12]),
    ("ZCtrl_OnOff", [1], [], [1]),
    ("ZCtrl_Setpnt", [2.0**-33], [], [2.0**-33]),
    ("ZCtrl_Gain", [2.0**-36, 2.0**-8, 2.0**-28], [], [2.0**-36, 2.0**-8, 2.0**-28]),
    ("ZCtrl_SwitchOffDelay", [0.125], [], [0.125]),
    ("ZCtrl_TipLift", [2.0**-32], [], [2.0**-32]),
    ("ZCtrl_HomeProps", [1, 2.0**-30], [], [0, 2.0**-30]),
    ("ZCtrl_WithdrawRate", [2.0**-20], [], [2.0**-20]),
    ("ZCtrl_LimitsEnabled", [1], [], [1]),
    ("SafeTip_OnOff", [1], [], [1]),
    ("SafeTip_Props", [1, 1, 2.0**-29], [], [1, 1, 2.0**-29]),
    ("Scan_Frame", [2.0**-30, 0.0, 2.0**-25, 2.0**-26, 45.0], [], [2.0**-30, 0.0, 2.0**-25, 2.0**-26, 45.0]),
    ("Scan_Buffer", [[0, 30], 64, 32], [], [2, [0, 30], 64, 32]),
    ("Scan_Speed", [0.5, 0.25, 2.0, 4.0, 2, 0.5], [], [0.5, 0.25, 2.0, 4.0, 1, 0.5]),
    ("FolMe_Speed", [0.5, 1], [], [0.5, 1]),
    ("FolMe_PSOnOff", [1], [], [1]),
    ("FolMe_PSProps", [1, 2, "Fe", "C:\\x.vi", 0.5], [], [1, 0, 2, "Fe", 7, "C:\\x.vi", 0.5]),
    ("LockIn_ModOnOff", [1, 1], [1], [1]),
    ("LockIn_ModSignal", [2, 30], [2], [30]),
    ("LockIn_ModPhasReg", [2, 5], [2], [5]),
    ("LockIn_ModHarmonic", [1, 3], [1], [3]),
    ("LockIn_ModPhas", [1, -30.0], [1], [-30.0]),
    ("LockIn_ModAmp", [1, 2.0**-12], [1], [2.0**-12]),
    ("LockIn_ModPhasFreq", [1, 691.3], [1], [691.3]),
    ("LockIn_DemodSignal", [2, 1], [2], [1]),
    ("LockIn_DemodHarmonic", [2, 2], [2], [2]),
    ("LockIn_DemodHPFilter", [1, 2, 32.0], [1], [2, 32.0]),
    ("LockIn_DemodLPFilter", [1, 8, 16.0], [1], [8, 16.0]),
    ("LockIn_DemodPhasReg", [8, 8], [8], [8]),
    ("LockIn_DemodPhas", [1, 90.0], [1], [90.0]),
    ("LockIn_DemodSyncFilter", [1, 1], [1], [1]),
    ("LockIn_DemodRTSignals", [1, 1], [1], [1]),
    ("UserOut_Mode", [1, 2], [1], [2]),
    ("UserOut_MonitorCh", [1, 30], [1], [30]),
    ("UserOut_CalcSignalName", [1, "dI/dV"], [1], [5, "dI/dV"]),
    ("UserOut_CalcSignalConfig", [1, 0, 4, 24], [1], [0, 4, 24]),
    ("UserOut_Limits", [1, 5.0, -5.0, 0], [1, 0], [5.0, -5.0]),
    ("Util_RTFreq", [10000.0], [], [10000.0]),
    ("Util_AcqPeriod", [0.0625], [], [0.0625]),
    ("Util_RTOversampl", [20], [], [20]),
]


@pytest.mark.parametrize(("topic", "given", "of", "returned"), ON_AND_OFF)
def test_the_makers_client_reads_back_what_it_has_set(maker, topic, given, of, returned):
    good(getattr(maker, f"{topic}Set")(*given))
    assert good(getattr(maker, f"{topic}Get")(*of)) == returned


def test_the_makers_client_reads_lists_of_names(maker):
    assert good(maker.Bias_RangeGet())[1:] == [2, ["10 V", "1 V"], 0]
    good(maker.Bias_RangeSet(1))
    assert good(maker.Bias_RangeGet())[3] == 1
    size, count, names = good(maker.Signals_NamesGet())
    assert (count, len(names), size) == (128, 128, sum(len(name) + 4 for name in names))
    good(maker.BiasSpectr_ChsSet([names.index("Current (A)"), names.index("Z (m)")]))
    assert good(maker.BiasSpectr_ChsGet())[1:] == [[0, 30], 24, 2, ["Current (A)", "Z (m)"]]
    assert good(maker.ZCtrl_CtrlListGet())[2:] == [["log Current", "abs Current", "Current", "Frequency Shift"], 0]
    assert good(maker.Current_GainsGet())[3:] == [0, 18, 1, ["Full bandwidth"], 0]
    good(maker.Current_GainSet(-1, -1))
    good(maker.FolMe_PSExpSet(1))
    assert good(maker.FolMe_PSExpGet())[0] == 1
    good(maker.Signals_AddRTSet(24, 0))
    assert good(maker.Signals_AddRTGet())[-3::2] == ["Bias (V)", "Current (A)"]
    assert good(maker.Signals_MeasNamesGet())[2] == names
    good(maker.FolMe_OversamplSet(20))
    assert good(maker.FolMe_OversamplGet())[0] == 20
    assert good(maker.Util_SessionPathGet())[1].startswith("C:\\")


def test_scan_properties_pass_between_clients_that_count_the_modules_bytes_differently(maker, tcp):
    good(maker.Scan_PropsSet(1, 2, 3, "Fe", "on Cu2N", ["Bias", "Z-Controller"], 0))
    assert Scan(tcp).PropsGet()[:6] == [1, 0, 2, "Fe", "on Cu2N", ["Bias", "Z-Controller"]]
    Scan(tcp).PropsSet(2, 1, 1, "Co", "", ["Current"])
    assert Scan(tcp).PropsGet()[:6] == [0, 1, 0, "Co", "", ["Current"]]


def test_the_makers_client_moves_the_tip(maker, bench):
    good(maker.ZCtrl_SwitchOffDelaySet(0.05))
    good(maker.ZCtrl_OnOffSet(0))
    states = [good(maker.ZCtrl_StatusGet())[0] for _ in range(3)]
    assert states == [4, 4, 1]
    assert good(maker.ZCtrl_OnOffGet()) == [0]
    good(maker.ZCtrl_ZPosSet(1e-9))
    assert good(maker.ZCtrl_ZPosGet())[0] == close(1e-9)
    assert good(maker.Current_Get())[0] == close(bench.current())
    good(maker.ZCtrl_Home())
    good(maker.ZCtrl_Withdraw(1, -1))
    assert bench.tip.withdrawn
    assert good(maker.ZCtrl_LimitsGet()) == close([160e-9, -160e-9])
    good(maker.ZCtrl_LimitsEnabledSet(1))
    good(maker.ZCtrl_LimitsSet(100e-9, -100e-9))
    assert good(maker.ZCtrl_LimitsGet()) == close([100e-9, -100e-9])


def test_the_makers_client_pulses_reads_signals_and_grabs_an_empty_frame(maker, bench):
    good(maker.Bias_Pulse(1, 0.1, 0.5, 1, 2))
    assert bench.clock.now() == close(0.1)
    assert good(maker.Signals_ValGet(24, 1))[0] == close(0.01)
    count, values = good(maker.Signals_ValsGet([0, 24], 0))
    assert count == 2
    assert values == close([1e-10, 0.01])
    assert good(maker.Signals_RangeGet(24)) == [10.0, -10.0]
    assert good(maker.Signals_CalibrGet(0)) == close([1e-9, 0.0])
    assert good(maker.SafeTip_SignalGet())[0] == close(1e-10)
    good(maker.UserOut_ValSet(2, 1.5))
    good(maker.UserOut_CalibrSet(2, 1.0, 0.0))
    good(maker.FolMe_XYPosSet(1e-9, 2e-9, 1))
    assert good(maker.FolMe_XYPosGet(1)) == [1e-9, 2e-9]
    assert good(maker.Scan_XYPosGet(0)) == close([1e-9, 2e-9])
    good(maker.Scan_BufferSet([0], 16, 4))
    name_size, name, rows, columns, data, _ = good(maker.Scan_FrameDataGrab(0, 1))
    assert (name_size, name, rows, columns, len(data)) == (11, "Current (A)", 4, 16, 64)
    assert np.isnan(data).all()
    good(maker.Scan_Action(1, 0))
    assert good(maker.Scan_StatusGet()) == [0]
    assert good(maker.Scan_WaitEndOfScan(100)) == [0, 0, ""]
    good(maker.Util_Lock())
    good(maker.Util_UnLock())
    good(maker.FolMe_Stop())


def test_the_makers_client_takes_a_bias_spectrum(maker, bench):
    good(maker.BiasSpectr_Open())
    good(maker.BiasSpectr_ChsSet([0, 24]))
    unchanged = float("nan")  # as in the maker's own example
    good(maker.BiasSpectr_TimingSet(0, 0, unchanged, unchanged, 0.01, 0.02, 0, 0))
    good(maker.BiasSpectr_PropsSet(0, 2, 1, 9, unchanged, 2, 2))
    good(maker.BiasSpectr_LimitsSet(-0.04, 0.04))
    assert good(maker.BiasSpectr_PropsGet())[:4] == [0, 2, 1, 9]
    _, count, names, rows, columns, _, number, parameters = good(maker.BiasSpectr_Start(1, "Fe"))
    assert names == ["Bias calc (V)", "Current (A)", "Bias (V)", "Current [bwd] (A)", "Bias [bwd] (V)"]
    assert (count, rows, columns, number, len(parameters)) == (5, 5, 9, 10, 10)
    data = maker.BiasSpectr_Start(1, "")[2][5]
    check_curve(data[0], data[1], data[3])
    assert bench.tip.feedback
    assert maker.BiasSpectr_StatusGet()[1][:4] == bytes(4)  # not running; the client leaves it to us to read it
    good(maker.BiasSpectr_Stop())


def check_curve(bias, forward, backward):
    np.testing.assert_allclose(bias, np.linspace(-0.04, 0.04, 9), atol=1e-8)
    held = 1e-10 / (0.01 + CUBIC * 0.01**3)
    for current in (forward, backward):
        np.testing.assert_allclose(current, held * (np.asarray(bias) + CUBIC * np.asarray(bias) ** 3), rtol=1e-5)


@pytest.mark.parametrize(
    ("method", "arguments", "words"),
    [
        ("Bias_Set", [11.0], "bias = 11 V is out of range"),
        ("ZCtrl_ZPosSet", [0.0], "switch it off before moving the tip"),
        ("LockIn_ModPhasFreqGet", [9], "modulator = 9 is out of range, 1 to 8"),
        ("Signals_ValGet", [128, 0], "signal index = 128"),
        ("BiasSpectr_ChsSet", [[128]], "channel indexes [128]"),
        ("Scan_Action", [0, 1], "one spot"),
        ("TCPLog_Start", [], "not available"),
        ("Current_100Get", [], "not available"),
        ("BiasSwp_Open", [], "not simulated: BiasSwp.Open"),
        ("AtomTrack_PropsGet", [], "not simulated: AtomTrack.PropsGet"),
    ],
)
def test_the_makers_client_hears_why_something_is_refused(maker, capsys, method, arguments, words):
    error, *_ = getattr(maker, method)(*arguments)
    assert words in error
    assert "The following error appeared" in capsys.readouterr().out
    assert good(maker.Bias_Get()) == [close(0.01)]  # and the line is as good as before


def test_every_command_that_is_not_simulated_is_refused_in_words_that_the_makers_client_reads(maker):
    heard = {}
    for name, types in client_types().items():
        if name in RETURNS and name not in UNDECODABLE:
            error, _, values = maker.quickSend(name, [], [], types)
            heard[name] = error, all(np.size(value) == 0 or not value for value in values)
    assert heard == {name: (f"not simulated: {name}", True) for name in heard}
    assert set(heard) | set(UNDECODABLE) == set(RETURNS)


def test_nanonis_tcp_sets_and_reads_bias_current_and_tip(tcp, bench):
    bias, current, z = Bias(tcp), Current(tcp), ZController(tcp)
    bias.Set(0.125)
    assert bias.Get() == 0.125
    bias.RangeSet(1)
    assert bias.RangeGet() == [["10 V", "1 V"], 1]
    bias.CalibrSet(1.5, -0.25)
    assert bias.CalibrGet() == [1.5, -0.25]
    bias.Pulse(0.1, 0.5, z_hold=1, rel_abs=2, wait_until_done=True)
    assert bench.clock.now() == close(0.1)
    assert current.Get() == close(1e-10)
    assert current.GainsGet() == [["External 10^9 V/A"], 0]
    assert (current.last_filters, current.last_filter_index) == (["Full bandwidth"], 0)
    current.GainSet(0)
    current.CalibrSet(2e-9, 1e-12)
    assert current.CalibrGet() == [2e-9, 1e-12]
    z.SetpntSet(2.0**-34)
    assert z.SetpntGet() == 2.0**-34
    z.GainSet(2.0**-36, 2.0**-8)
    assert z.GainGet() == [2.0**-36, 2.0**-8, 2.0**-28]
    z.SwitchOffDelaySet(0.03125)
    z.TipLiftSet(2.0**-33)
    z.OnOffSet(False)
    assert [z.StatusGet() for _ in range(2)] == [[4, "Switching Off"], [1, "Off"]]
    assert z.OnOffGet() == 0
    z.ZPosSet(1e-9)
    assert z.ZPosGet() == close(1e-9)
    z.HomePropsSet(2, 1e-9)
    assert z.HomePropsGet() == [1, close(1e-9)]
    z.Home()
    assert z.ZPosGet() == close(2e-9)
    z.WithdrawRateSet(1e-5)
    assert z.WithdrawRateGet() == close(1e-5)
    z.LimitsEnabledSet(True)
    z.LimitsSet(5e-8, -5e-8)
    assert z.LimitsGet() == close([5e-8, -5e-8])
    assert z.CtrlListGet() == [["log Current", "abs Current", "Current", "Frequency Shift"], 0]
    z.Withdraw(True)
    assert bench.tip.withdrawn


def test_nanonis_tcp_works_the_lock_in_and_safe_tip(tcp, bench):
    lockin, safe = LockIn(tcp), SafeTip(tcp)
    settings = {
        "ModSignal": 24,
        "ModPhasReg": 2,
        "ModHarmonic": 2,
        "ModPhas": 15.0,
        "ModAmp": 2.0**-12,
        "ModPhasFreq": 345.65,
        "DemodSignal": 0,
        "DemodHarmonic": 2,
        "DemodPhasReg": 3,
        "DemodPhas": -90.0,
        "DemodSyncFilter": 1,
        "DemodRTSignals": 1,
    }
    for name, value in settings.items():
        getattr(lockin, f"{name}Set")(2, value)
    lockin.ModOnOffSet(2, True)
    assert {name: getattr(lockin, f"{name}Get")(2) for name in settings} == settings
    assert lockin.ModOnOffGet(2)
    assert (bench.tip.modulation_on, bench.tip.modulation_frequency) == (True, 2 * 345.65)
    lockin.DemodHPFilterSet(1, 2, 16.0)
    lockin.DemodLPFilterSet(1, 4, 32.0)
    filters = [lockin.DemodHPFilterGet(1), lockin.DemodLPFilterGet(1)]
    assert [list(one.values()) for one in filters] == [[2, 16.0], [4, 32.0]]
    safe.PropsSet(True, False, 2.0**-29)
    safe.OnOffSet(1)
    assert (safe.PropsGet(), safe.OnOffGet()) == ([1, 0, 2.0**-29], 1)
    assert safe.SignalGet() == close(1e-10)


def test_nanonis_tcp_reads_signals_outputs_frame_and_session(tcp):
    signals, output, follow, scan, util = Signals(tcp), UserOut(tcp), FolMe(tcp), Scan(tcp), Util(tcp)
    names = signals.NamesGet()
    assert len(names) == 128
    assert signals.ValGet(names.index("Bias (V)"), False) == close(0.01)
    assert signals.RangeGet(names.index("Bias (V)")) == [10.0, -10.0]
    assert signals.CalibrGet(names.index("Bias (V)")) == [1.0, 0.0]
    output.ModeSet(1, 1)
    output.MonitorChSet(1, 30)
    output.ValSet(1, 0.5)
    assert (output.ModeGet(1), output.MonitorChGet(1)) == (1, 30)
    follow.XYPosSet(1e-9, -2e-9, True)
    assert list(follow.XYPosGet(False)) == [1e-9, -2e-9]
    follow.SpeedSet(0.5, True)
    assert list(follow.SpeedGet()) == [0.5, 1]
    scan.FrameSet(0.0, 0.0, 2.0**-25, 2.0**-26, 30.0)
    assert list(scan.FrameGet()) == [0.0, 0.0, 2.0**-25, 2.0**-26, 30.0]
    assert not scan.StatusGet()
    util.SessionPathSet("D:\\Fe")
    assert util.SessionPathGet() == "D:\\Fe"


def test_nanonis_tcp_takes_a_bias_spectrum(tcp, bench):
    spectroscopy = BiasSpectr(tcp)
    spectroscopy.Open()
    spectroscopy.ChsSet([0])
    assert spectroscopy.ChsGet()[0] == [0]  # it forgets the number of names, so it misreads them
    spectroscopy.LimitsSet(-0.04, 0.04)
    assert spectroscopy.LimitsGet() == {"start_value": close(-0.04), "end_value": close(0.04)}
    spectroscopy.TimingSet(0.0, 0.0, 0.5, 8.0, 0.25, 0.5, 0.0, 0.0)
    assert list(spectroscopy.TimingGet().values()) == [0.0, 0.0, 0.5, 8.0, 0.25, 0.5, 0.0, 0.0]
    spectroscopy.PropsSet(num_sweeps=2, back_sweep=1, num_points=9, z_offset=0.0, autosave=2, save_dialog=2)
    properties = spectroscopy.PropsGet()
    assert [properties[key] for key in ("num_sweeps", "back_sweep", "num_points")] == [2, 1, 9]
    assert properties["fixed_parameters"] == ["Sweep Start", "Sweep End"]
    spectroscopy.AdvPropsSet(reset_bias=1, z_controller_hold=1, record_final_z=2, lockin_run=2)
    spectroscopy.MLSModeSet("linear")
    spectroscopy.MLSValsSet([-0.5], [0.5], [0.25], [0.25], [0.5], [16], [1])
    assert spectroscopy.MLSValsGet()["steps"] == [16]
    answer = spectroscopy.Start(1)
    curves = answer["data_dict"]
    check_curve(curves["Bias calc (V)"], curves["Current (A)"], curves["Current [bwd] (A)"])
    assert len(answer["parameters"]) == 10
    assert math.isnan(answer["parameters"][-1])
    assert spectroscopy.StatusGet() == 0
    spectroscopy.Stop()
    assert spectroscopy.Start(0) is None
    assert bench.tip.feedback


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda tcp: Bias(tcp).Set(11.0), "= 11 V is out of range"),
        (lambda tcp: ZController(tcp).ZPosSet(0.0), "switch it off before moving the tip"),
        (lambda tcp: BiasSpectr(tcp).ChsSet([200]), "nel indexes"),
    ],
)
def test_nanonis_tcp_raises_what_is_refused(tcp, call, words):
    with pytest.raises(Exception, match=words):  # it takes the first letters of the description for a size
        call(tcp)
    assert Bias(tcp).Get() == close(0.01)
