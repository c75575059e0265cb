"""The commands of the Nanonis programming interface (release R14718): arguments and returns, in wire order.

A line reads ``Name argument:type ... -> value:type ...``; types as in ``nanonis.Field``. How a Set says "no change":

- ``?flag``: 0 is no change, 1 on, 2 off; the Get answers 1 and 0.
- ``?choice``: 0 is no change, n is what the Get calls n - 1.
- ``?zero``, ``?minus``: 0, or -1, is no change.
- every float: NaN is no change.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from stmlab.nanonis.protocol import Command, Field, Fields

if TYPE_CHECKING:
    from collections.abc import Mapping

_TABLE = """
Bias.Set bias:f4
Bias.Get -> bias:f4
Bias.RangeSet index:u2
Bias.RangeGet -> ranges:str[] index:u2
Bias.CalibrSet calibration:f4 offset:f4
Bias.CalibrGet -> calibration:f4 offset:f4
Bias.Pulse wait:u4 width:f4 bias:f4 hold:u2?choice absolute:u2?choice

BiasSpectr.Open
BiasSpectr.Start get_data:u4 base_name:str -> channels:str[] data:f4[][] parameters:f4[]
BiasSpectr.Stop
BiasSpectr.StatusGet -> running:u4
BiasSpectr.ChsSet indexes:i4[]
BiasSpectr.ChsGet -> indexes:i4[] channels:str[]
BiasSpectr.PropsSet save_all:u2?flag sweeps:i4?zero backward:u2?flag points:i4?zero z_offset:f4 autosave:u2?flag \
dialog:u2?flag
BiasSpectr.PropsGet -> save_all:u2 sweeps:i4 backward:u2 points:i4 parameters:str[] fixed_parameters:str[] \
autosave:u2 dialog:u2
BiasSpectr.AdvPropsSet reset_bias:u2?flag z_hold:u2?flag final_z:u2?flag lockin_run:u2?flag
BiasSpectr.AdvPropsGet -> reset_bias:u2 z_hold:u2 final_z:u2 lockin_run:u2
BiasSpectr.LimitsSet start:f4 end:f4
BiasSpectr.LimitsGet -> start:f4 end:f4
BiasSpectr.TimingSet z_averaging:f4 z_offset:f4 initial_settling:f4 slew_rate:f4 settling:f4 integration:f4 \
end_settling:f4 z_control:f4
BiasSpectr.TimingGet -> z_averaging:f4 z_offset:f4 initial_settling:f4 slew_rate:f4 settling:f4 integration:f4 \
end_settling:f4 z_control:f4
BiasSpectr.DigSyncSet sync:u2?choice
BiasSpectr.DigSyncGet -> sync:u2
BiasSpectr.TTLSyncSet line:u2?choice polarity:u2?choice time_to_on:f4 duration:f4
BiasSpectr.TTLSyncGet -> line:u2 polarity:u2 time_to_on:f4 duration:f4
BiasSpectr.PulseSeqSyncSet sequence:u2?zero periods:u4
BiasSpectr.PulseSeqSyncGet -> sequence:u2 periods:u4
BiasSpectr.AltZCtrlSet on:u2?flag setpoint:f4 settling:f4
BiasSpectr.AltZCtrlGet -> on:u2 setpoint:f4 settling:f4
BiasSpectr.ZOffRevertSet revert:u2?flag
BiasSpectr.ZOffRevertGet -> revert:u2
BiasSpectr.MLSLockinPerSegSet on:u4
BiasSpectr.MLSLockinPerSegGet -> on:u4
BiasSpectr.MLSModeSet mode:str
BiasSpectr.MLSModeGet -> mode:str
BiasSpectr.MLSValsSet segments:i4 start:f4[segments] end:f4[segments] initial_settling:f4[segments] \
settling:f4[segments] integration:f4[segments] steps:i4[segments] lockin_run:u4[segments]
BiasSpectr.MLSValsGet -> segments:i4 start:f4[segments] end:f4[segments] initial_settling:f4[segments] \
settling:f4[segments] integration:f4[segments] steps:i4[segments] lockin_run:u4[segments]
BiasSpectr.SafeCond1Set condition:u2 threshold:f4 signal:i4 comparison:u2
BiasSpectr.SafeCond1Get -> condition:u2 threshold:f4 signal:i4 comparison:u2
BiasSpectr.SafeCond2Set condition:i4 threshold:f4 signal:i4 comparison:u2
BiasSpectr.SafeCond2Get -> condition:i4 threshold:f4 signal:i4 comparison:u2

Current.Get -> current:f4
Current.100Get -> current:f4
Current.BEEMGet -> current:f4
Current.GainSet gain:i4?minus filter:i4?minus
Current.GainsGet -> gains:str[] gain:i4 filters:str[] filter:i4
Current.CalibrSet gain:i4 calibration:f8 offset:f8
Current.CalibrGet gain:i4 -> calibration:f8 offset:f8

ZCtrl.ZPosSet z:f4
ZCtrl.ZPosGet -> z:f4
ZCtrl.OnOffSet on:u4
ZCtrl.OnOffGet -> on:u4
ZCtrl.SetpntSet setpoint:f4
ZCtrl.SetpntGet -> setpoint:f4
ZCtrl.GainSet p_gain:f4 time_constant:f4 i_gain:f4
ZCtrl.GainGet -> p_gain:f4 time_constant:f4 i_gain:f4
ZCtrl.SwitchOffDelaySet delay:f4
ZCtrl.SwitchOffDelayGet -> delay:f4
ZCtrl.TipLiftSet lift:f4
ZCtrl.TipLiftGet -> lift:f4
ZCtrl.Home
ZCtrl.HomePropsSet relative:u2?choice position:f4
ZCtrl.HomePropsGet -> relative:u2 position:f4
ZCtrl.ActiveCtrlSet index:i4
ZCtrl.CtrlListGet -> controllers:str[] index:i4
ZCtrl.Withdraw wait:u4 timeout:i4
ZCtrl.WithdrawRateSet rate:f4
ZCtrl.WithdrawRateGet -> rate:f4
ZCtrl.LimitsEnabledSet on:u4
ZCtrl.LimitsEnabledGet -> on:u4
ZCtrl.LimitsSet high:f4 low:f4
ZCtrl.LimitsGet -> high:f4 low:f4
ZCtrl.StatusGet -> status:u2

SafeTip.OnOffSet on:u2?flag
SafeTip.OnOffGet -> on:u2
SafeTip.SignalGet -> signal:f4
SafeTip.PropsSet auto_recovery:u2 auto_pause:u2 threshold:f4
SafeTip.PropsGet -> auto_recovery:u2 auto_pause:u2 threshold:f4

Scan.Action action:u2 direction:u4
Scan.StatusGet -> running:u4
Scan.WaitEndOfScan timeout:i4 -> timed_out:u4 path:str
Scan.WaitEndOfLine timeout:i4 -> timed_out:u4 line:i4 movement:u2 pass_number:i4
Scan.FrameSet x:f4 y:f4 width:f4 height:f4 angle:f4
Scan.FrameGet -> x:f4 y:f4 width:f4 height:f4 angle:f4
Scan.BufferSet indexes:i4[] pixels:i4 lines:i4
Scan.BufferGet -> indexes:i4[] pixels:i4 lines:i4
Scan.PropsSet continuous:u4?flag bouncy:u4?flag autosave:u4?choice series:str comment:str modules:str[] \
autopaste:u4?choice
Scan.PropsGet -> continuous:u4 bouncy:u4 autosave:u4 series:str comment:str modules:str[] counts:i4[] \
parameters:str[][] autopaste:u4
Scan.SpeedSet forward_speed:f4 backward_speed:f4 forward_time:f4 backward_time:f4 keep:u2?choice ratio:f4
Scan.SpeedGet -> forward_speed:f4 backward_speed:f4 forward_time:f4 backward_time:f4 keep:u2 ratio:f4
Scan.FrameDataGrab channel:u4 forward:u4 -> name:str data:f4[][] up:u4
Scan.XYPosGet wait:u4 -> x:f4 y:f4
Scan.Save wait:u4 timeout:i4 -> timed_out:u4
Scan.BackgroundPaste wait:u4 timeout:i4 -> timed_out:u4
Scan.BackgroundDelete wait:u4 timeout:i4 all:u4 -> timed_out:u4

FolMe.XYPosSet x:f8 y:f8 wait:u4
FolMe.XYPosGet wait:u4 -> x:f8 y:f8
FolMe.SpeedSet speed:f4 custom:u4
FolMe.SpeedGet -> speed:f4 custom:u4
FolMe.OversamplSet oversampling:i4
FolMe.OversamplGet -> oversampling:i4 rate:f4
FolMe.Stop
FolMe.PSOnOffSet on:u4
FolMe.PSOnOffGet -> on:u4
FolMe.PSExpSet experiment:u2
FolMe.PSExpGet -> experiment:u2 experiments:str[]
FolMe.PSPropsSet auto_resume:u4?flag own_base_name:u4?flag base_name:str vi_path:str delay:f4
FolMe.PSPropsGet -> auto_resume:u4 own_base_name:u4 base_name:str vi_path:str delay:f4

LockIn.ModOnOffSet modulator:i4 on:u4
LockIn.ModOnOffGet modulator:i4 -> on:u4
LockIn.ModSignalSet modulator:i4 signal:i4
LockIn.ModSignalGet modulator:i4 -> signal:i4
LockIn.ModPhasRegSet modulator:i4 register:i4
LockIn.ModPhasRegGet modulator:i4 -> register:i4
LockIn.ModHarmonicSet modulator:i4 harmonic:i4
LockIn.ModHarmonicGet modulator:i4 -> harmonic:i4
LockIn.ModPhasSet modulator:i4 phase:f4
LockIn.ModPhasGet modulator:i4 -> phase:f4
LockIn.ModAmpSet modulator:i4 amplitude:f4
LockIn.ModAmpGet modulator:i4 -> amplitude:f4
LockIn.ModPhasFreqSet modulator:i4 frequency:f8
LockIn.ModPhasFreqGet modulator:i4 -> frequency:f8
LockIn.DemodSignalSet demodulator:i4 signal:i4
LockIn.DemodSignalGet demodulator:i4 -> signal:i4
LockIn.DemodHarmonicSet demodulator:i4 harmonic:i4
LockIn.DemodHarmonicGet demodulator:i4 -> harmonic:i4
LockIn.DemodHPFilterSet demodulator:i4 order:i4?minus cutoff:f4?zero
LockIn.DemodHPFilterGet demodulator:i4 -> order:i4 cutoff:f4
LockIn.DemodLPFilterSet demodulator:i4 order:i4?minus cutoff:f4?zero
LockIn.DemodLPFilterGet demodulator:i4 -> order:i4 cutoff:f4
LockIn.DemodPhasRegSet demodulator:i4 register:i4
LockIn.DemodPhasRegGet demodulator:i4 -> register:i4
LockIn.DemodPhasSet demodulator:i4 phase:f4
LockIn.DemodPhasGet demodulator:i4 -> phase:f4
LockIn.DemodSyncFilterSet demodulator:i4 on:u4
LockIn.DemodSyncFilterGet demodulator:i4 -> on:u4
LockIn.DemodRTSignalsSet demodulator:i4 signals:u4
LockIn.DemodRTSignalsGet demodulator:i4 -> signals:u4

Signals.NamesGet -> names:str[]
Signals.CalibrGet signal:i4 -> calibration:f4 offset:f4
Signals.RangeGet signal:i4 -> maximum:f4 minimum:f4
Signals.ValGet signal:i4 wait:u4 -> value:f4
Signals.ValsGet signals:i4[] wait:u4 -> values:f4[]
Signals.MeasNamesGet -> names:str[]
Signals.AddRTSet first:i4 second:i4
Signals.AddRTGet -> names:str[] first:str second:str

UserOut.ModeSet output:i4 mode:u2
UserOut.ModeGet output:i4 -> mode:u2
UserOut.MonitorChSet output:i4 signal:i4
UserOut.MonitorChGet output:i4 -> signal:i4
UserOut.ValSet output:i4 value:f4
UserOut.CalibrSet output:i4 calibration:f4 offset:f4
UserOut.CalcSignalNameSet output:i4 name:str
UserOut.CalcSignalNameGet output:i4 -> name:str
UserOut.CalcSignalConfigSet output:i4 signal_1:u2 operation:u2 signal_2:u2
UserOut.CalcSignalConfigGet output:i4 -> signal_1:u2 operation:u2 signal_2:u2
UserOut.LimitsSet output:i4 upper:f4 lower:f4 raw:u4
UserOut.LimitsGet output:i4 raw:u4 -> upper:f4 lower:f4

TCPLog.Start
TCPLog.Stop
TCPLog.ChsSet indexes:i4[]
TCPLog.OversamplSet oversampling:i4
TCPLog.StatusGet -> status:i4

Util.SessionPathSet path:str save:u4
Util.SessionPathGet -> path:str
Util.SettingsLoad path:str session:u4
Util.SettingsSave path:str session:u4
Util.LayoutLoad path:str session:u4
Util.LayoutSave path:str session:u4
Util.Lock
Util.UnLock
Util.RTFreqSet frequency:f4
Util.RTFreqGet -> frequency:f4
Util.AcqPeriodSet period:f4
Util.AcqPeriodGet -> period:f4
Util.RTOversamplSet oversampling:i4
Util.RTOversamplGet -> oversampling:i4
Util.Quit stored:u4 settings:str layout:str save_signals:u4
Util.VersionGet -> product:str version:str host_release:u4 rt_release:u4
"""


def _fields(words: str) -> Fields:
    fields = []
    for word in words.split():
        name, _, kind = word.partition(":")
        type_, _, keeps = kind.partition("?")
        fields.append(Field(name, type_, keeps))
    return Fields(fields)


def _command(line: str) -> Command:
    request, _, returns = line.partition("->")
    name, _, arguments = request.partition(" ")
    return Command(name, _fields(arguments), _fields(returns))


COMMANDS: Mapping[str, Command] = MappingProxyType(
    {command.name: command for line in _TABLE.splitlines() if line for command in [_command(line)]}
)
"""Every command by its name."""
