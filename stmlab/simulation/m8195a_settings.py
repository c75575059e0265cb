"""What can be set on a Keysight M8195A, with its ranges and its state after ``*RST``.

Ranges of the offset, of the termination voltage and of the dividers of the reference output, and some defaults, are
assumed: they are not in the pages of the User's Guide that the rest was taken from.
"""

from __future__ import annotations

from stmlab.simulation.scpi_commands import Setting
from stmlab.simulation.scpi_values import Boolean, Choice, Integer, Number

_MOST = (1 << 32) - 1
SEGMENT_NUMBER = Integer(1, 16 << 20)  # of a segment
LENGTH = Integer(1, 1 << 40)
OFFSET = Integer(0, 1 << 40)
CODE = Integer(-128, 127)
LINE = Integer(0, (16 << 20) - 2)  # of the sequence table
_WORD = Integer(0, _MOST)
_COUNT = Integer(1, _MOST)
_ADVANCE = Choice(("AUTO", "CONDitional", "REPeat", "SINGle"))
_SLOPE = Choice(("POSitive", "NEGative", "EITHer"))
_THRESHOLD = Number(-4.0, 4.0, "V")
AMPLITUDE = Number(0.075, 1.0, "V")  # peak to peak
OFFSET_RANGE = Number(-1.0, 3.3, "V")
_INPUT = Choice(("TRIGger", "EVENt", "INTernal"))

RASTER = "[:SOURce]:FREQuency:RASTer"
DAC_MODE = ":INSTrument:DACMode"
DIVIDER = ":INSTrument:MEMory:EXTended:RDIVider"
MEMORY = ":TRACe#:MMODe"
SELECTED = ":TRACe#:SELect"
SEGMENT_ADVANCE = ":TRACe#:ADVance"
_VOLTAGE = "[:SOURce]:VOLTage#[:LEVel][:IMMediate]"
LEVEL = f"{_VOLTAGE}[:AMPLitude]"
VOLTAGE_OFFSET = f"{_VOLTAGE}:OFFSet"
HIGH, LOW = f"{_VOLTAGE}:HIGH", f"{_VOLTAGE}:LOW"
OUTPUT = ":OUTPut#[:STATe]"
CONTINUOUS = ":INITiate:CONTinuous[:STATe]"
GATE = ":INITiate:GATE[:STATe]"
_TRIGGER = ":ARM[:SEQuence][:STARt][:LAYer]:TRIGger"
TRIGGER_SOURCE = f"{_TRIGGER}:SOURce"
SOFTWARE_GATE = ":TRIGger[:SEQuence][:STARt]:BEGin:GATE[:STATe]"
INPUT_DISABLED = ":TRIGger[:SEQuence][:STARt]:BEGin:HWDisable[:STATe]"
FUNCTION = ":FUNCtion:MODE"
SEQUENCE_START = ":STABle:SEQuence:SELect"
SCENARIO_START = ":STABle:SCENario:SELect"
DYNAMIC = ":STABle:DYNamic[:STATe]"
REFERENCE_IN_RANGE = "[:SOURce]:ROSCillator:RNG#:FREQuency"
REFERENCE_RANGE = "[:SOURce]:ROSCillator:RANGe"
REFERENCES = {1: Number(10e6, 300e6, "HZ"), 2: Number(210e6, 17e9, "HZ")}  # by the number of the range
REFERENCE_DEFAULTS = {1: 100e6, 2: 1e9}  # Hz
ANY_REFERENCE = Number(10e6, 17e9, "HZ")

SHARED = (
    Setting(SELECTED, SEGMENT_NUMBER, 1),
    Setting(SEGMENT_ADVANCE, _ADVANCE, "AUTO"),
    Setting(":TRACe#:COUNt", _COUNT, 1),
    Setting(":TRACe#:MARKer[:STATe]", Boolean(), False),
)
"""What all channels that extended memory sources have in common (User's Guide, 6.21)."""


def _interpolation(rate: str, longest_delay: float) -> tuple[Setting, ...]:
    return (
        Setting(f":OUTPut#:FILTer:{rate}:SCALe", Number(0.0, 1.0), 1.0),
        Setting(f":OUTPut#:FILTer:{rate}:DELay", Number(-longest_delay, longest_delay, "S"), 0.0),
    )


SETTINGS = (
    Setting(RASTER, Number(53.76e9, 65.0e9, "HZ"), 64.0e9),
    Setting("[:SOURce]:ROSCillator:SOURce", Choice(("EXTernal", "AXI", "INTernal")), "AXI"),
    Setting(REFERENCE_RANGE, Choice(("RANG1", "RANG2")), "RANG1"),
    Setting(":OUTPut:ROSCillator:SOURce", Choice(("INTernal", "EXTernal", "SCLK1", "SCLK2")), "INT"),
    Setting(":OUTPut:ROSCillator:SCD", Integer(1, 32768), 32),
    Setting(":OUTPut:ROSCillator:RCD#", Integer(1, 32768), 1),
    Setting(DAC_MODE, Choice(("SINGle", "DUAL", "FOUR", "MARKer", "DCDuplicate", "DCMarker")), "SING"),
    Setting(DIVIDER, Choice(("DIV1", "DIV2", "DIV4")), "DIV1"),
    Setting(":FORMat:BORDer", Choice(("NORMal", "SWAPped")), "NORM"),
    Setting(MEMORY, Choice(("INTernal", "EXTended")), "EXT"),
    *SHARED,
    Setting(LEVEL, AMPLITUDE, 0.3),
    Setting(VOLTAGE_OFFSET, OFFSET_RANGE, 0.0),
    Setting(f"{_VOLTAGE}:TERMination", Number(-1.0, 3.3, "V"), 0.0),
    Setting(OUTPUT, Boolean(), False),
    Setting(":OUTPut#:DIOFfset", Integer(-128, 127), 0),
    *_interpolation("FRATe", 50e-12),
    *_interpolation("HRATe", 100e-12),
    *_interpolation("QRATe", 200e-12),
    Setting(":OUTPut#:FILTer:FRATe:TYPE", Choice(("LOWPass", "ZOH", "USER")), "ZOH"),
    Setting(":OUTPut#:FILTer:HRATe:TYPE", Choice(("NYQuist", "LINear", "ZOH", "USER")), "NYQ"),
    Setting(":OUTPut#:FILTer:QRATe:TYPE", Choice(("NYQuist", "LINear", "ZOH", "USER")), "NYQ"),
    Setting(CONTINUOUS, Boolean(), True),
    Setting(GATE, Boolean(), False),
    Setting(":INITiate:CONTinuous:ENABle", Choice(("SELF", "ARMed")), "SELF"),
    Setting(TRIGGER_SOURCE, _INPUT, "INT"),
    Setting(":ARM[:SEQuence][:STARt][:LAYer]:MDELay", Number(0.0, 10e-9, "S"), 0.0),
    Setting(":ARM[:SEQuence][:STARt][:LAYer]:SDELay#", Integer(0, 95), 0),
    Setting(f"{_TRIGGER}:LEVel", _THRESHOLD, 0.0),
    Setting(f"{_TRIGGER}:SLOPe", _SLOPE, "POS"),
    Setting(f"{_TRIGGER}:FREQuency", Number(0.1, 17.857142857e6, "HZ"), 1e6),
    Setting(f"{_TRIGGER}:OPERation", Choice(("ASYNchronous", "SYNChronous")), "ASYN"),
    Setting(":ARM[:SEQuence][:STARt][:LAYer]:EVENt:LEVel", _THRESHOLD, 0.0),
    Setting(":ARM[:SEQuence][:STARt][:LAYer]:EVENt:SLOPe", _SLOPE, "POS"),
    Setting(SOFTWARE_GATE, Boolean(), False),
    Setting(INPUT_DISABLED, Boolean(), False),
    Setting(":TRIGger[:SEQuence][:STARt]:ENABle:HWDisable[:STATe]", Boolean(), False),
    Setting(":TRIGger[:SEQuence][:STARt]:ADVance:HWDisable[:STATe]", Boolean(), False),
    Setting(":TRIGger[:SEQuence][:STARt]:SOURce:ENABle", _INPUT, "TRIG"),
    Setting(":TRIGger[:SEQuence][:STARt]:SOURce:ADVance", _INPUT, "TRIG"),
    Setting(FUNCTION, Choice(("ARBitrary", "STSequence", "STSCenario")), "ARB"),
    Setting(SEQUENCE_START, LINE, 0),
    Setting(SCENARIO_START, LINE, 0),
    Setting(":STABle:SCENario:ADVance", _ADVANCE, "AUTO"),
    Setting(":STABle:SCENario:COUNt", _COUNT, 1),
    Setting(DYNAMIC, Boolean(), False),
    Setting(":SYSTem:EIN:MODE", Choice(("EIN", "TOUT")), "EIN"),
)
