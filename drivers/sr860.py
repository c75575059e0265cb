"""Stanford Research Systems SR860, 500 kHz lock-in amplifier.

pymeasure's SR860 with its faults mended: nothing is truncated into range, the external reference's input, the advanced
filter, the DC mode, the signal input and the negative TTL edge send what the instrument understands, and status is
read. Reached by TCP, VXI-11, USB, GPIB or RS-232; each message ends with a line feed.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

from pymeasure.instruments.srs.sr860 import SR860 as PymeasureSR860

from drivers import answers
from drivers.connection import connect
from drivers.controls import NotOffered, Setting, control, indexed, measurement, smallest, whole, within
from drivers.lockin import CHECK, LOOK, XY
from drivers.resolution import Resolution, digits
from drivers.sr860_capture import Capture
from drivers.sr860_status import ERRORS, EVENTS, OVERLOADS, ErrorStatus, EventStatus, LockInStatus
from stmlab import lowpass
from stmlab.errors import StationError

if TYPE_CHECKING:
    from pymeasure.adapters import Adapter

_INPUT_RANGES = {1.0: "1V", 0.3: "300M", 0.1: "100M", 0.03: "30M", 0.01: "10M"}  # V peak -> pymeasure's name
_LONGEST_GREETING = 5  # lines
_TRIGGERS = {"SIN": 0, "POS": 1, "NEG": 2, "POSTTL": 1, "NEGTTL": 2}
_FREQUENCY = (1e-3, 500e3, "Hz", "SR860")
_VOLTS = answers.number(-10.0, 10.0)
_ANYTHING = answers.text(r"[\x20-\x7e]*")  # a greeting may hold empty lines
_DISPLAYED = range(17)  # what a display channel can show

_SENSITIVITIES = tuple(map(float, PymeasureSR860.SENSITIVITIES))
_TIME_CONSTANTS = tuple(map(float, PymeasureSR860.TIME_CONSTANTS))


def _frequency_preset(number: int) -> Setting:
    return control(
        f"PSTF? {number - 1}",
        f"PSTF {number - 1}, %.9g",
        f"Control the frequency behind the button F{number}, Hz.",
        within(f"frequencypreset{number}", *_FREQUENCY),
    )


def _amplitude_preset(number: int) -> Setting:
    return control(
        f"PSTA? {number - 1}",
        f"PSTA {number - 1}, %.9g",
        f"Control the sine amplitude behind the button A{number}, V rms.",
        within(f"sine_amplitudepreset{number}", 0.0, 2.0, "V", "SR860"),
    )


def _level_preset(number: int) -> Setting:
    return control(
        f"PSTL? {number - 1}",
        f"PSTL {number - 1}, %.9g",
        f"Control the sine output's DC level behind the button L{number}, V.",
        within(f"sine_dclevelpreset{number}", -5.0, 5.0, "V", "SR860"),
    )


def _aux_out(number: int) -> Setting:
    return control(
        f"AUXV? {number - 1}",
        f"AUXV {number - 1}, %.9g",
        f"Control the auxiliary output {number}, V.",
        within(f"aux_out_{number}", -10.5, 10.5, "V", "SR860"),
    )


def _display(number: int) -> Setting:
    return control(
        f"CDSP? {number - 1}",
        f"CDSP {number - 1}, %d",
        f"Control what display channel {number} shows (0 X ... 16 external frequency).",
        whole(f"parameter_DAT{number}", _DISPLAYED[0], _DISPLAYED[-1], "SR860"),
    )


def _aux_in(number: int) -> Any:
    return measurement(f"OAUX? {number - 1}", f"Measure the auxiliary input {number}, V.", answers.number(-11.0, 11.0))


def _strip_chart(number: int) -> Setting:
    return control(
        f"CGRF? {number - 1}",
        f"CGRF {number - 1}, %d",
        f"Control whether the strip chart shows data channel {number}, by number of pymeasure's choices.",
        indexed(f"strip_chart_dat{number}", PymeasureSR860.ON_OFF_VALUES, "", "SR860"),
    )


def _choice(name: str, command: str, choices: Any, what: str) -> Setting:
    kind = indexed(name, choices, "", "SR860")
    return control(f"{command}?", f"{command} %d", f"Control {what}: {', '.join(map(str, choices))}.", kind)


class SR860(Capture, PymeasureSR860):
    """SR860 lock-in amplifier; a LockIn of stmlab.station.instruments.

    A setting outside its range raises OutOfBounds, one that is not offered NotOffered; nothing is sent then. What the
    instrument itself refuses is reported by ``check_status``. It rounds: frequencies to 6 digits, amplitudes to 3.

    Args:
        adapter: an address as drivers.connection.connect takes it, or an Adapter.
        name: for errors and snapshots.
        timeout: seconds to wait for an answer.
        visa: further settings of a VISA resource.

    Raises:
        InstrumentLost: nothing answers at the address.
        StationError: something else answers there.
    """

    RESOLUTION: ClassVar = {
        **dict.fromkeys(["frequency", "internalfrequency"], digits(6, step=1e-4)),
        **dict.fromkeys([f"frequencypreset{number}" for number in range(1, 5)], digits(6, step=1e-4)),
        "phase": Resolution(absolute=1e-3, modulo=360.0),
        "sine_voltage": digits(3, step=1e-9),
        "sine_offset": digits(3, step=1e-4),
        **dict.fromkeys([f"sine_amplitudepreset{number}" for number in range(1, 5)], digits(3, step=1e-9)),
        **dict.fromkeys([f"sine_dclevelpreset{number}" for number in range(1, 5)], digits(3, step=1e-4)),
        **dict.fromkeys([f"aux_out_{number}" for number in range(1, 5)], Resolution(absolute=5e-4)),
    }

    frequency = control("FREQ?", "FREQ %.9g", "Control the reference frequency, Hz.", within("frequency", *_FREQUENCY))
    internalfrequency = control(
        "FREQINT?",
        "FREQINT %.9g",
        "Control the internal oscillator's frequency, Hz.",
        within("internalfrequency", *_FREQUENCY),
    )
    phase = control(
        "PHAS?",
        "PHAS %.7f",
        "Control the phase, degrees (read back between -180 and 180).",
        within("phase", -360000.0, 360000.0, "degrees", "SR860"),
    )
    harmonic = control("HARM?", "HARM %d", "Control the detected harmonic, 1 to 99.", whole("harmonic", 1, 99, "SR860"))
    harmonicdual = control(
        "HARMDUAL?",
        "HARMDUAL %d",
        "Control the detected harmonic of the external reference in dual mode, 1 to 99.",
        whole("harmonicdual", 1, 99, "SR860"),
    )
    sine_voltage = control(
        "SLVL?",
        "SLVL %.9g",
        "Control the sine output's amplitude, V rms.",
        within("sine_voltage", 0.0, 2.0, "V", "SR860"),
    )
    sine_offset = control(
        "SOFF?",
        "SOFF %.9g",
        "Control the sine output's DC level, V.",
        within("sine_offset", -5.0, 5.0, "V", "SR860"),
    )
    dcmode = control(
        "REFM?",
        "REFM %d",
        "Control whether the sine output's DC level is common (COM) or differential (DIF).",
        indexed("dcmode", {"COM": 0, "DIF": 1, "common": 0, "difference": 1}, "", "SR860"),
    )
    reference_source = control(
        "RSRC?",
        "RSRC %d",
        "Control the reference: INT, EXT, DUAL or CHOP.",
        indexed("reference_source", ("INT", "EXT", "DUAL", "CHOP"), "", "SR860"),
    )
    reference_triggermode = control(
        "RTRG?",
        "RTRG %d",
        "Control the external reference's trigger: SIN, POS (TTL) or NEG (TTL).",
        indexed("reference_triggermode", _TRIGGERS, "", "SR860"),
    )
    reference_source_trigger = reference_triggermode
    reference_externalinput = control(
        "REFZ?",
        "REFZ %d",
        "Control the external reference's input impedance: 50OHMS or 1MEG.",
        indexed("reference_externalinput", ("50OHMS", "1MEG"), "", "SR860"),
    )
    input_signal = control(
        "IVMD?",
        "IVMD %d",
        "Control the signal input: VOLT or CURR.",
        indexed("input_signal", {"VOLT": 0, "CURR": 1, "voltage": 0, "current": 1}, "", "SR860"),
    )
    sensitivity = control(
        "SCAL?",
        "SCAL %d",
        "Control the full scale of the outputs, V rms (1 nV to 1 V in steps of 1, 2, 5).",
        indexed("sensitivity", _SENSITIVITIES, "V", "SR860"),
    )
    time_constant = control(
        "OFLT?",
        "OFLT %d",
        "Control the filter's time constant, s (1 us to 30 ks in steps of 1, 3).",
        indexed("time_constant", _TIME_CONSTANTS, "s", "SR860"),
    )
    filter_slope = control(
        "OFSL?",
        "OFSL %d",
        "Control the filter's slope: 6, 12, 18 or 24 dB per octave.",
        indexed("filter_slope", lowpass.SLOPES, "dB/octave", "SR860"),
    )
    filter_advanced = control(
        "ADVFILT?",
        "ADVFILT %d",
        "Control whether the filter is the advanced one (On) or a row of equal RC poles (Off).",
        indexed("filter_advanced", ("Off", "On"), "", "SR860"),
    )
    frequencypreset1, frequencypreset2, frequencypreset3, frequencypreset4 = map(_frequency_preset, range(1, 5))
    sine_amplitudepreset1, sine_amplitudepreset2 = _amplitude_preset(1), _amplitude_preset(2)
    sine_amplitudepreset3, sine_amplitudepreset4 = _amplitude_preset(3), _amplitude_preset(4)
    sine_dclevelpreset1, sine_dclevelpreset2, sine_dclevelpreset3, sine_dclevelpreset4 = map(_level_preset, range(1, 5))
    aux_out_1, aux_out_2, aux_out_3, aux_out_4 = map(_aux_out, range(1, 5))
    dac1, dac2, dac3, dac4 = aux_out_1, aux_out_2, aux_out_3, aux_out_4
    parameter_DAT1, parameter_DAT2, parameter_DAT3, parameter_DAT4 = map(_display, range(1, 5))
    horizontal_time_div = control(
        "GSPD?",
        "GSPD %d",
        "Control the strip chart's time per division, by number.",
        whole("horizontal_time_div", 0, 16, "SR860"),
    )

    timebase = _choice("timebase", "TBMODE", (0, 1), "the 10 MHz time base (0 automatic, 1 internal)")
    input_voltage_mode = _choice("input_config", "ISRC", PymeasureSR860.INPUT_VOLTAGE_MODE, "the voltage input")
    input_config = input_voltage_mode
    input_coupling = _choice("input_coupling", "ICPL", PymeasureSR860.INPUT_COUPLING, "the input's coupling")
    input_shields = _choice("input_grounding", "IGND", PymeasureSR860.INPUT_SHIELDS, "the input's shield")
    input_grounding = input_shields
    input_range = _choice("input_range", "IRNG", PymeasureSR860.INPUT_RANGE, "the input range, peak")
    input_current_gain = _choice("input_current_gain", "ICUR", PymeasureSR860.INPUT_GAIN, "the current input's gain")
    filter_synchronous = _choice("filter_synchronous", "SYNC", PymeasureSR860.INPUT_FILTER, "the synchronous filter")
    front_panel = _choice("front_panel", "DBLK", PymeasureSR860.ON_OFF_VALUES, "the blanking of the front panel")
    screen_layout = _choice("screen_layout", "DLAY", PymeasureSR860.SCREEN_LAYOUT_VALUES, "the layout of the screen")
    strip_chart_dat1, strip_chart_dat2, strip_chart_dat3, strip_chart_dat4 = map(_strip_chart, range(1, 5))
    aux_in_1, aux_in_2, aux_in_3, aux_in_4 = map(_aux_in, range(1, 5))
    adc1, adc2, adc3, adc4 = aux_in_1, aux_in_2, aux_in_3, aux_in_4
    x = measurement("OUTP? 0", "Measure X, V rms.", _VOLTS)
    y = measurement("OUTP? 1", "Measure Y, V rms.", _VOLTS)
    magnitude = measurement("OUTP? 2", "Measure the magnitude, V rms.", answers.number(0.0, 15.0))
    theta = measurement("OUTP? 3", "Measure the phase of the signal, degrees.", answers.number(-180.0, 180.0))
    gettimebase = measurement("TBSTAT?", "Get the 10 MHz time base that is used.", answers.integer(0, 1))
    extfreqency = measurement("FREQEXT?", "Get the external frequency, Hz.", answers.number(0.0, 1e7))
    detectedfrequency = measurement("FREQDET?", "Get the detected frequency, Hz.", answers.number(0.0, 1e8))
    get_signal_strength_indicator = measurement("ILVL?", "Get the signal strength.", answers.integer(0, 4))
    get_noise_bandwidth = measurement("ENBW?", "Get the equivalent noise bandwidth, Hz.", answers.number(0.0, 1e7))

    SETTINGS = tuple(
        "reference_source frequency internalfrequency phase harmonic harmonicdual reference_triggermode "
        "reference_externalinput timebase sine_voltage sine_offset dcmode input_signal input_config input_coupling "
        "input_grounding input_range input_current_gain sensitivity time_constant filter_slope filter_synchronous "
        "filter_advanced aux_out_1 aux_out_2 aux_out_3 aux_out_4".split()
    )
    WATCHED: ClassVar = tuple(
        "sine_voltage sine_offset frequency phase harmonic reference_source sensitivity time_constant filter_slope "
        "filter_synchronous filter_advanced input_signal input_config input_coupling input_range "
        "aux_out_1 aux_out_2 aux_out_3 aux_out_4".split()
    )
    ALWAYS: ClassVar = WATCHED[:1]
    BY_TURNS: ClassVar = WATCHED[1:]
    LASTING: ClassVar = ("CUROVLDSTAT?",)
    STATUS: ClassVar = {
        "LIAS?": (LockInStatus, OVERLOADS),
        "CUROVLDSTAT?": (LockInStatus, OVERLOADS),
        "ERRS?": (ErrorStatus, ERRORS),
        "*ESR?": (EventStatus, EVENTS),
    }

    def __init__(self, adapter: str | Adapter, name: str = "SR860", timeout: float = 2.0, **visa: Any) -> None:
        self._start_listening()
        super().__init__(connect(adapter, timeout=timeout, **visa), name)
        self._greeted = adapter if isinstance(adapter, str) else None
        self._meet()

    def reconnect(self) -> None:
        """See Device."""
        super().reconnect()
        self._meet()

    def _meet(self) -> None:
        """Make sure that an SR860 answers at the address; a telnet port greets before it answers."""
        if self._greeted is None:
            return
        lines = [self.question("*IDN?", _ANYTHING)]
        while "SR860," not in lines[-1] and len(lines) < _LONGEST_GREETING:
            if len(lines[-1].split(",")) == 4:  # the identity of something else
                break
            lines.append(self.read().strip())
        if "SR860," not in lines[-1]:
            self.close()
            said = next((line for line in reversed(lines) if line), "an empty line")
            raise StationError(f"{self._greeted}: {said!r} answers there, which is no SR860")

    @property
    def least_sine_voltage(self) -> float:
        """The sine output can be switched off."""
        return 0.0

    @property
    def xy(self) -> tuple[float, float]:
        """X and Y at one moment, V rms."""
        x, y = self.question("SNAP? 0,1", XY)
        return x, y

    def snap(self, *names: str | int) -> list[float]:
        """2 or 3 quantities at one moment, by the instrument's names or numbers, such as X, Y, R, THeta, 15 (FInt)."""
        wanted = names or ("X", "Y")
        if not 2 <= len(wanted) <= 3:
            raise NotOffered(f"snap of {len(wanted)} quantities is not offered by the SR860: 2 or 3")
        query = f"SNAP? {', '.join(map(str, wanted))}"
        return list(self.question(query, answers.row(*(answers.number() for _ in wanted))))

    def snap_all(self) -> list[float]:
        """What the four data channels show, at one moment."""
        return list(self.question("SNAPD?", answers.row(*(answers.number() for _ in range(4)))))

    def use_internal_reference(self) -> None:
        """Run on the internal oscillator; the sync output at the rear carries its TTL."""
        self.reference_source = "INT"

    def prepare_input(self, full_scale: float) -> None:
        """Read an AC voltage of up to ``full_scale`` V rms with the smallest input range and sensitivity that hold it.

        The advanced filter is switched off, so that ``settling_time`` and ``noise_bandwidth`` hold for what is set.
        Overloads noted so far belong to the old range and are forgotten.

        Raises:
            OutOfBounds: ``full_scale`` is not positive, or its peak exceeds the largest input range of 1 V.
        """
        largest = [limit / math.sqrt(2.0) for limit in _INPUT_RANGES]
        limit = smallest("full_scale", full_scale, largest, "V", "SR860's input range")
        self.sensitivity = smallest("full_scale", full_scale, self.SENSITIVITIES, "V", "SR860's sensitivity")
        self.input_range = list(_INPUT_RANGES.values())[largest.index(limit)]
        self.input_signal = "VOLT"
        self.input_coupling = "AC"
        self.filter_advanced = "Off"
        self._read_registers("LIAS?")
        for listener in (CHECK, LOOK):
            self._registers.forget(listener, "LIAS?")

    def auto_range(self) -> None:
        """Let the instrument choose the input range."""
        self.write("ARNG")

    def auto_scale(self) -> None:
        """Let the instrument choose the sensitivity."""
        self.write("ASCL")
