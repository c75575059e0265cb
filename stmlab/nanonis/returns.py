"""What the other commands of the Nanonis programming interface return: those that neither driver nor simulation uses.

A controller that refuses a command still sends all its usual returns before the error section, empty; a client that
gets none takes the error section for them. For that it is enough to know of which numbers the returns consist.

A line reads ``Module Command=returns Command=returns ...``. A letter is a number, as in ``struct`` (H u2, I u4, i i4,
f f4, d f8); ``s`` are the characters of a string or of an array of strings, ``*f`` is an array and ``2f`` a table,
whose sizes stand before them as numbers of their own.

The table was made by ``python -m tests.nanonis.client_layouts`` from what nanonis_spm 1.0.9, the maker's own client,
takes apart (three commands that it cannot take apart: by its descriptions); a test compares it with that client.
"""

from __future__ import annotations

import re
import struct
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_NUMBER = re.compile(r"(?<![*2])[HIifd]")

_TABLE = """
APRFGen FreqGet=f FreqSet FreqSwpLimitsGet=ff FreqSwpLimitsSet FreqSwpPropsGet=HffHifH FreqSwpPropsSet FreqSwpStart
APRFGen ListSwpPropsGet=Hii2fHfH ListSwpPropsSet ListSwpStart PowerGet=f PowerSet PowerSwpLimitsGet=ff
APRFGen PowerSwpLimitsSet PowerSwpPropsGet=ffHifH PowerSwpPropsSet PowerSwpStart RFOutOnOffGet=I RFOutOnOffSet SwpStop
APRFGen TrigPropsGet=HfHHHH TrigPropsSet TrigRearm
AtomTrack CtrlSet DriftComp PropsGet=fffff PropsSet QuickCompStart StatusGet=H
AutoApproach OnOffGet=H OnOffSet Open
BeamDefl AutoOffset HorConfigGet=isisff HorConfigSet IntConfigGet=isisff IntConfigSet VerConfigGet=isisff VerConfigSet
BiasSwp LimitsGet=ff LimitsSet Open PropsSet Start=iisii2f
CPDComp Close DataGet=i*f*f*fi*f*f*ffdd Open ParamsGet=ffi ParamsSet
DataLog ChsGet=i*i ChsSet Open PropsGet=Hiifiisis PropsSet Start StatusGet=isHHfisisi Stop
DigLines OutStatusSet PropsSet Pulse TTLValGet=i*I
FunGen1Ch IdleGet=f IdleSet PropsGet=ffHH PropsSet Start StatusGet=Ii Stop
FunGen2Ch IdleGet=f IdleSet OnOffGet=I OnOffSet PropsGet=ffHHH PropsSet SignalGet=i SignalSet Start StatusGet=Ii Stop
FunGen2Ch WaveformGet=H WaveformSet
GenPICtrl AOPropsGet=isisffff AOPropsSet AOValGet=f AOValSet DemodChGet=i DemodChSet ModChGet=i ModChSet OnOffGet=I
GenPICtrl OnOffSet PropsGet=fffH PropsSet
GenSwp AcqChsGet=i*iiis AcqChsSet LimitsGet=ff LimitsSet Open PropsGet=ffiHIIf PropsSet Start=iisii2f Stop
GenSwp SwpSignalGet=is SwpSignalListGet=iis SwpSignalSet
HSSwp AcqChsGet=i*Iiisi*i AcqChsSet AutoReverseGet=iiifiiif AutoReverseSet EndSettlGet=f EndSettlSet NumSweepsGet=Ii
HSSwp NumSweepsSet ResetSignalsGet=i ResetSignalsSet SaveBasenameGet=isis SaveBasenameSet SaveDataGet=i SaveDataSet
HSSwp SaveOptionsGet=isiis SaveOptionsSet Start StatusGet=I Stop SwpChBwdDelayGet=f SwpChBwdDelaySet SwpChBwdSwGet=I
HSSwp SwpChBwdSwSet SwpChLimitsGet=iff SwpChLimitsSet SwpChNumPtsGet=i SwpChNumPtsSet SwpChSigListGet=iisi*i
HSSwp SwpChSignalGet=ii SwpChSignalSet SwpChTimingGet=ffff SwpChTimingSet ZCtrlOffGet=iifff ZCtrlOffSet
Interf CtrlCalibrOpen CtrlNullDefl CtrlOnOffGet=I CtrlOnOffSet CtrlPropsGet=ffI CtrlPropsSet CtrlReset ValGet=f
Interf WPiezoGet=f WPiezoSet
KelvinCtrl AmpGet=f BiasLimitsGet=ff BiasLimitsSet CtrlOnOffGet=I CtrlOnOffSet CtrlSignalGet=i CtrlSignalSet
KelvinCtrl GainGet=ffH GainSet ModOnOffGet=HH ModOnOffSet ModParamsGet=fff ModParamsSet SetpntGet=f SetpntSet
Laser OnOffGet=I OnOffSet PowerGet=f PropsGet=f PropsSet
LockInFreqSwp LimitsGet=ff LimitsSet Open PropsGet=HHfHfIIis PropsSet SignalGet=i SignalSet Start=iisii2f
MCVA5 ContStateUpdateGet=I ContStateUpdateSet ContTempUpdateGet=I ContTempUpdateSet CouplingGet=H CouplingSet
MCVA5 GainGet=H GainSet InputModeGet=H InputModeSet SingleStateUpdate=iiiiiiii SingleTempUpdate=HHHH UserInGet=I
MCVA5 UserInSet
MPass Activate Load Save
MProbeBias CalibrGet=ff CalibrSet Get=f Pulse RangeGet=H RangeSet Set
MProbeCurrent CalibrGet=dd CalibrSet GainSet GainsGet=iisiiisi Get=f
MProbeScanner ActiveScannerGet=i CalibrGet=ffffff CalibrSet ScannerSwitch SpeedGet=f SpeedSet Stop XYPosGet=ff
MProbeScanner XYPosSet
MProbeZCtrl GainGet=ff GainSet Home HomePropsGet=Hf HomePropsSet LimitsGet=ff LimitsSet OnOffGet=I OnOffSet
MProbeZCtrl SetpntGet=f SetpntSet Withdraw ZPosGet=f ZPosSet
Marks LineDraw LinesDraw LinesErase LinesGet=i*f*f*f*f*I*I LinesVisibleSet PointDraw PointsDraw PointsErase
Marks PointsGet=i*f*fis*I*I PointsVisibleSet
Motor FreqAmpGet=ff FreqAmpSet PosGet=ddd StartClosedLoop StartMove StepCounterGet=iii StopMove
OCSync AnglesGet=ffff AnglesSet LinkAnglesGet=II LinkAnglesSet
Osci1T ChGet=ii ChSet DataGet=ddi*d Run TimebaseSet TrigGet TrigSet
Osci2T DataGet=ddi*di*d OversamplSet Run TrigGet TrigSet
OsciHR CalibrModeGet=H CalibrModeSet ChGet=i ChSet OsciDataGet=isdi*fI OversamplGet=i OversamplSet PSDAvrgCountGet=i
OsciHR PSDAvrgCountSet PSDAvrgRestart PSDAvrgTypeGet=H PSDAvrgTypeSet PSDDataGet=ddi*dI PSDShow PSDWeightGet=H
OsciHR PSDWeightSet PSDWindowGet=H PSDWindowSet PreTrigGet=i PreTrigSet Run SamplesGet=i SamplesSet TrigArmModeGet=H
OsciHR TrigArmModeSet TrigDigChGet=i TrigDigChSet TrigDigSlopeGet=H TrigDigSlopeSet TrigLevChGet=i TrigLevChSet
OsciHR TrigLevHystGet=d TrigLevHystSet TrigLevSlopeGet=H TrigLevSlopeSet TrigLevValGet=d TrigLevValSet TrigModeGet=H
OsciHR TrigModeSet TrigRearm
PICtrl CtrlChGet=iiisi*i CtrlChPropsGet=ff CtrlChPropsSet CtrlChSet InputChGet=iiisi*i InputChSet OnOffGet=I OnOffSet
PICtrl PropsGet=fffH PropsSet
PLL AddOnOffGet=I AddOnOffSet AmpCtrlBandwidthGet=f AmpCtrlBandwidthSet AmpCtrlGainGet=fff AmpCtrlGainSet
PLL AmpCtrlOnOffGet=I AmpCtrlOnOffSet AmpCtrlSetpntGet=f AmpCtrlSetpntSet CenterFreqGet=d CenterFreqSet
PLL DemodFilterGet=H DemodFilterSet DemodHarmonicGet=H DemodHarmonicSet DemodInputGet=HH DemodInputSet
PLL DemodPhasRefGet=f DemodPhasRefSet ExcRangeGet=H ExcRangeSet ExcitationGet=f ExcitationSet FreqExcOverwriteGet=ii
PLL FreqExcOverwriteSet FreqRangeGet=f FreqRangeSet FreqShiftAutoCenter FreqShiftGet=f FreqShiftSet InpCalibrGet=f
PLL InpCalibrSet InpPropsGet=HH InpPropsSet InpRangeGet=f InpRangeSet OutOnOffGet=I OutOnOffSet PhasCtrlBandwidthGet=f
PLL PhasCtrlBandwidthSet PhasCtrlGainGet=ff PhasCtrlGainSet PhasCtrlOnOffGet=I PhasCtrlOnOffSet
PLLFreqSwp Open ParamsGet=iff ParamsSet Start=iisii2fddffii Stop
PLLPhasSwp Start=iisii2f Stop
PLLSignalAnlzr ChGet=i ChSet FFTAvgRestart FFTDataGet=ddi*d FFTPropsGet=HHHi FFTPropsSet Open OsciDataGet=ddi*d
PLLSignalAnlzr TimebaseGet=iiiis TimebaseSet TrigAuto TrigGet=HiHddHiis TrigRearm TrigSet
PLLZoomFFT AvgRestart ChGet=i ChSet DataGet=ddi*d Open PropsGet=HHHi PropsSet
Pattern CloudGet=i*f*f CloudSet ExpOpen ExpPause ExpStart ExpStatusGet=I ExpStop GridGet=iifffff GridSet LineGet=iffff
Pattern LineSet PropsGet=iisisisfI PropsSet
Piezo CalibrGet=fff DriftCompGet=IfffIIIf DriftCompSet HVAInfoGet=ffffIII HVAStatusLEDGet=IIII HystFileLoad
Piezo HystFileSave HystOnOffGet=I HystOnOffSet HystValsGet=i*fi*fi*fi*f HystValsSet RangeGet=fff RangeSet SensGet=fff
Piezo SensSet TiltGet=ff TiltSet XYZLimitsGet=Hffffff XYZLimitsSet
Script Autosave ChsGet=i*i ChsSet DataGet=ii2f Deploy LUTDeploy LUTLoad LUTOpen LUTSave Load Open Run Save Stop
Script Undeploy
SignalChart ChsGet=ii ChsSet Open
SpectrumAnlzr ACCouplingGet=I ACCouplingSet AveragGet=HHI AveragSet BandRMSGet=ddd ChGet=i ChSet CursorPosGet=ddd
SpectrumAnlzr CursorPosSet DCGet=d DataGet=ffi*f FFTWindowGet=H FFTWindowSet FreqRangeGet=ii*f FreqRangeSet
SpectrumAnlzr FreqResGet=Hi*f FreqResSet Run
TipRec BufferClear BufferSizeGet=i BufferSizeSet DataGet=i*iii2f DataSave
TipShaper PropsGet=fIffffffffI PropsSet Start
UserIn CalibrSet
ZSpectr AdvPropsGet=fHHH AdvPropsSet ChsGet=i*iiis ChsSet DigSyncGet=H DigSyncSet Open PropsGet=HiiisiisHH PropsSet
ZSpectr PulseSeqSyncGet=HI PulseSeqSyncSet RangeGet=ff RangeSet RetractDelayGet=f RetractDelaySet RetractGet=HfiH
ZSpectr RetractSecondGet=ifiH RetractSecondSet RetractSet Start=iisii2fi*f StatusGet=I Stop TTLSyncGet=HHff TTLSyncSet
ZSpectr TimingGet=fffffff TimingSet
"""


def _layouts() -> Iterator[tuple[str, str]]:
    for line in _TABLE.split("\n"):
        module, _, commands = line.partition(" ")
        for command in commands.split():
            name, _, returns = command.partition("=")
            yield f"{module}.{name}", returns


RETURNS: Mapping[str, str] = MappingProxyType(dict(_layouts()))
"""Returns by the name of the command; none of them stands in ``commands.COMMANDS``."""


def empty_returns(name: str) -> bytes:
    """All returns of one of these commands, empty: numbers are 0, strings and arrays have no elements."""
    return bytes(struct.calcsize(">" + "".join(_NUMBER.findall(RETURNS[name]))))
