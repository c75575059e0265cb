"""Stanford Research Systems SR830, 102 kHz lock-in amplifier.

pymeasure's SR830 with its faults mended: nothing is truncated into range, no unknown choice is replaced by another one,
and status is turned into errors. Reached by GPIB (messages end with a line feed) or RS-232 (carriage return).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pymeasure.instruments.srs.sr830 import SR830 as PymeasureSR830
from pymeasure.instruments.srs.sr830 import ERRStatus, LIAStatus

from drivers import answers
from drivers.connection import connect, patience
from drivers.controls import NotOffered, Setting, control, indexed, measurement, smallest, switch, whole, within
from drivers.lockin import CHECK, LOOK, XY, LockInAmplifier
from drivers.resolution import Resolution, digits
from drivers.sr830_status import CHANGES, ERRORS, EVENTS, OVERLOADS, EventStatus
from stmlab import lowpass
from stmlab.errors import GarbledAnswer, OutOfBounds

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pymeasure.adapters import Adapter

PROPERTY = "property"  # who else listens to the status registers
_LEAST_SINE = 0.004  # V rms
_MOST_AT_ONCE = 6  # quantities in one SNAP?
_LONGEST_COMMAND = 30.0  # s, of the automatic functions
_HIGHEST_FREQUENCY = 102e3  # Hz, of the reference and of what is detected

_SENSITIVITIES = tuple(map(float, PymeasureSR830.SENSITIVITIES))
_TIME_CONSTANTS = tuple(map(float, PymeasureSR830.TIME_CONSTANTS))


_VOLTS = answers.number(-10.0, 10.0)


def _aux_out(number: int) -> Setting:
    return control(
        f"AUXV? {number}",
        f"AUXV {number},%.9g",
        f"Control the auxiliary output {number}, V (in steps of 1 mV).",
        within(f"aux_out_{number}", -10.5, 10.5, "V", "SR830"),
    )


def _aux_in(number: int) -> Any:
    return measurement(
        f"OAUX? {number}", f"Measure the auxiliary input {number}, V (in steps of 1/3 mV).", answers.number(-11.0, 11.0)
    )


def _display(number: int, shown: tuple[str, ...]) -> Setting:
    kind = indexed(f"channel{number}", shown, "", "SR830")
    both = answers.row(kind.reader, answers.integer(0, 2))  # and the ratio to an auxiliary input, for us always 0
    kind = replace(kind, reader=lambda answer: both(answer)[0])
    return control(
        f"DDEF? {number}", f"DDEF {number},%d,0", f"Control what channel {number} shows: {', '.join(shown)}.", kind
    )


def _choice(name: str, command: str, choices: Any, what: str, unit: str = "") -> Setting:
    offered = ", ".join(map(str, choices)) if len(choices) < 6 else f"{choices[0]:g} to {choices[-1]:g} {unit}"
    kind = indexed(name, choices, unit, "SR830")
    return control(f"{command}?", f"{command} %d", f"Control {what}: {offered}.", kind)


class SR830(LockInAmplifier, PymeasureSR830):
    """SR830 lock-in amplifier; a LockIn of stmlab.station.instruments.

    A setting outside its range raises OutOfBounds, one that is not offered NotOffered; nothing is sent then. What the
    instrument itself refuses is reported by ``check_status``. It rounds: frequencies to 5 digits or 0.1 mHz, the sine
    output to 2 mV, the phase to 0.01 degrees.

    Args:
        adapter: an address as drivers.connection.connect takes it, or an Adapter.
        name: for errors and snapshots.
        timeout: seconds to wait for an answer.
        visa: further settings of a VISA resource, such as ``baud_rate``.
    """

    JOINED = False
    RESOLUTION: ClassVar = {
        "frequency": digits(5, step=1e-4),
        "phase": Resolution(absolute=5e-3, modulo=360.0),
        "sine_voltage": Resolution(absolute=1e-3),
        **dict.fromkeys([f"aux_out_{number}" for number in range(1, 5)], Resolution(absolute=5e-4)),
    }

    sine_voltage = control(
        "SLVL?",
        "SLVL %.9g",
        "Control the sine output's amplitude, V rms.",
        within("sine_voltage", _LEAST_SINE, 5.0, "V", "SR830"),
    )
    frequency = control(
        "FREQ?",
        "FREQ %.9g",
        "Control the reference frequency, Hz (reads 0 without an external reference).",
        within("frequency", 1e-3, _HIGHEST_FREQUENCY, "Hz", "SR830", reads=(0.0, _HIGHEST_FREQUENCY)),
    )
    phase = control(
        "PHAS?",
        "PHAS %.2f",
        "Control the phase, degrees (read back between -180 and 180).",
        within("phase", -360.0, 729.99, "degrees", "SR830"),
    )
    _harmonic = control("HARM?", "HARM %d", "Control the detected harmonic.", whole("harmonic", 1, 19999, "SR830"))
    sensitivity = _choice("sensitivity", "SENS", _SENSITIVITIES, "the full scale of the outputs", "V rms")
    time_constant = _choice("time_constant", "OFLT", _TIME_CONSTANTS, "the filter's time constant", "s")
    filter_slope = control(
        "OFSL?",
        "OFSL %d",
        "Control the filter's slope: 6, 12, 18 or 24 dB per octave.",
        indexed("filter_slope", lowpass.SLOPES, "dB/octave", "SR830"),
    )
    filter_synchronous = control(
        "SYNC?", "SYNC %d", "Control the synchronous filter below 200 Hz.", switch("filter_synchronous", "SR830")
    )
    reserve = _choice("reserve", "RMOD", PymeasureSR830.RESERVE_VALUES, "the dynamic reserve")
    reference_source = _choice("reference_source", "FMOD", PymeasureSR830.REFERENCE_SOURCES, "the reference")
    reference_source_trigger = _choice(
        "reference_source_trigger", "RSLP", PymeasureSR830.REFERENCE_SOURCE_TRIGGER, "the external reference's trigger"
    )
    input_config = _choice("input_config", "ISRC", PymeasureSR830.INPUT_CONFIGS, "the input")
    input_grounding = _choice("input_grounding", "IGND", PymeasureSR830.INPUT_GROUNDINGS, "the input's shield")
    input_coupling = _choice("input_coupling", "ICPL", PymeasureSR830.INPUT_COUPLINGS, "the input's coupling")
    input_notch_config = _choice("input_notch_config", "ILIN", PymeasureSR830.INPUT_NOTCH_CONFIGS, "the line filter")
    sample_frequency = control(
        "SRAT?",
        "SRAT %d",
        "Control the rate at which the buffers are filled, Hz; None: at each trigger.",
        indexed("sample_frequency", (*PymeasureSR830.SAMPLE_FREQUENCIES, None), "Hz", "SR830"),
    )
    channel1 = _display(1, ("X", "R", "X Noise", "Aux In 1", "Aux In 2"))
    channel2 = _display(2, ("Y", "Theta", "Y Noise", "Aux In 3", "Aux In 4"))
    aux_out_1, aux_out_2, aux_out_3, aux_out_4 = map(_aux_out, range(1, 5))
    dac1, dac2, dac3, dac4 = aux_out_1, aux_out_2, aux_out_3, aux_out_4
    aux_in_1, aux_in_2, aux_in_3, aux_in_4 = map(_aux_in, range(1, 5))
    adc1, adc2, adc3, adc4 = aux_in_1, aux_in_2, aux_in_3, aux_in_4
    x = measurement("OUTP? 1", "Measure X, V rms.", _VOLTS)
    y = measurement("OUTP? 2", "Measure Y, V rms.", _VOLTS)
    magnitude = measurement("OUTP? 3", "Measure the magnitude, V rms.", answers.number(0.0, 15.0))
    theta = measurement("OUTP? 4", "Measure the phase of the signal, degrees.", answers.number(-180.0, 180.0))
    status = measurement("*STB?", "Get the status byte.", answers.integer(0, 255))
    buffer_count = measurement("SPTS?", "Get how many points the buffers hold.", answers.integer(0, 16383))

    SETTINGS = tuple(
        "reference_source reference_source_trigger frequency phase harmonic sine_voltage input_grounding "
        "input_coupling input_notch_config reserve sensitivity time_constant filter_slope filter_synchronous "
        "channel1 channel2 aux_out_1 aux_out_2 aux_out_3 aux_out_4 input_config".split()
    )
    WATCHED: ClassVar = tuple(
        "sine_voltage frequency phase harmonic sensitivity time_constant filter_slope filter_synchronous reserve "
        "reference_source input_coupling input_config aux_out_1 aux_out_2 aux_out_3 aux_out_4".split()
    )
    BY_TURNS: ClassVar = WATCHED
    STATUS: ClassVar = {
        "LIAS?": (LIAStatus, OVERLOADS),
        "ERRS?": (ERRStatus, ERRORS),
        "*ESR?": (EventStatus, EVENTS),
    }
    BY_ITSELF: ClassVar = CHANGES

    def __init__(self, adapter: str | Adapter, name: str = "SR830", timeout: float = 2.0, **visa: Any) -> None:
        serial = isinstance(adapter, str) and adapter.upper().startswith("ASRL")
        termination = "\r" if serial else "\n"
        self._start_listening(PROPERTY)
        super().__init__(connect(adapter, timeout=timeout, termination=termination, **visa), name)

    @property
    def xy(self) -> tuple[float, float]:
        """X and Y at one moment, V rms."""
        x, y = self.question("SNAP? 1,2", XY)
        return x, y

    def snap(self, *names: str) -> list[float]:
        """2 to 6 quantities at one moment, by pymeasure's names: X, Y, R, Theta, Aux In 1 ... 4, Frequency, CH1, CH2.

        Without ``names`` X and Y. Raises NotOffered for anything else.
        """
        wanted = names or ("X", "Y")
        numbers: dict[str, int] = self.SNAP_ENUMERATION
        if not 2 <= len(wanted) <= _MOST_AT_ONCE or any(name.lower() not in numbers for name in wanted):
            raise NotOffered(f"snap of {', '.join(wanted)} is not offered by the SR830: 2 to 6 of {', '.join(numbers)}")
        query = "SNAP? " + ",".join(str(numbers[name.lower()]) for name in wanted)
        return list(self.question(query, answers.row(*(answers.number() for _ in wanted))))

    def _set_harmonic(self, harmonic: int) -> None:
        """Harmonic times frequency may not exceed 102 kHz (OutOfBounds): the instrument would take a lower harmonic."""
        frequency = self.frequency
        highest = int(_HIGHEST_FREQUENCY / frequency) if frequency else 1
        if 1 < harmonic <= 19999 and harmonic > highest:
            raise OutOfBounds("harmonic", harmonic, 1, max(highest, 1), "", "the SR830 at the frequency that is set")
        self._harmonic = harmonic

    harmonic = Setting(
        _harmonic.fget,
        _set_harmonic,
        doc="The detected harmonic, 1 to 19999; times the frequency it may not exceed 102 kHz.",
    ).asked_by(_harmonic.query, _harmonic.reader)

    # -- outputs and status ----------------------------------------------------------------------------------------

    @property
    def least_sine_voltage(self) -> float:
        """The sine output cannot be switched off: 4 mV rms are left."""
        return _LEAST_SINE

    @property
    def sine_offset(self) -> float:
        """V; the sine output has no DC level."""
        return 0.0

    @sine_offset.setter
    def sine_offset(self, value: float) -> None:
        if value:
            raise OutOfBounds("sine_offset", value, 0.0, 0.0, "V", "the SR830, whose sine output has no DC level")

    @property
    def lia_status(self) -> LIAStatus:
        """What the lock-in status has noted since it was read last."""
        return LIAStatus(self._read_one("LIAS?"))

    @property
    def err_status(self) -> ERRStatus:
        """Hardware errors since they were read last."""
        return ERRStatus(self._read_one("ERRS?"))

    def _read_one(self, query: str) -> int:
        self._read_registers(query)
        return self._registers.take(PROPERTY, query)

    def is_out_of_range(self) -> bool:
        """Whether an output has exceeded its scale since the status was read last."""
        return LIAStatus.OUTPUT_OVERLOAD in self.lia_status

    # -- what takes the instrument a while -------------------------------------------------------------------------

    def auto_phase(self) -> None:
        """Turn the phase so that Y becomes zero (needs a settled signal); returns when that is done."""
        self._carry_out("APHS")

    def auto_gain(self) -> None:
        """Let the instrument choose the sensitivity; returns when that is done."""
        self._carry_out("AGAN")

    def auto_reserve(self) -> None:
        """Let the instrument choose the dynamic reserve; returns when that is done."""
        self._carry_out("ARSV")

    def auto_offset(self, channel: str) -> None:
        """Offset channel X, Y or R to zero; returns when that is done."""
        self._carry_out(f"AOFF {self._number(channel)}")

    def _carry_out(self, command: str) -> None:
        """While a command is carried out the instrument answers nothing: wait once, and ask nothing twice."""
        self.write(command)
        with patience(self.adapter, _LONGEST_COMMAND):
            self.question("*STB? 1", answers.integer(0, 1))

    def _number(self, channel: str) -> int:
        kind = indexed("channel", self.CHANNELS, "", "SR830")
        return int(kind.code(kind.check(channel))) + 1

    def use_internal_reference(self) -> None:
        """Run on the internal oscillator; the sync output at the rear carries its TTL."""
        self.reference_source = "Internal"

    def prepare_input(self, full_scale: float) -> None:
        """AC-couple input A and choose the smallest sensitivity that holds ``full_scale`` V rms.

        Its input range follows from sensitivity and reserve. Overloads noted so far belong to the old sensitivity and
        are forgotten.

        Raises:
            OutOfBounds: ``full_scale`` is not positive or above 1 V.
        """
        self.sensitivity = smallest("full_scale", full_scale, self.SENSITIVITIES, "V", "SR830's sensitivity")
        self.input_config = "A"
        self.input_coupling = "AC"
        self._read_registers("LIAS?")
        for listener in (CHECK, LOOK):
            self._registers.forget(listener, "LIAS?")

    def get_scaling(self, channel: str) -> tuple[float, int]:
        """Offset, % of the sensitivity, and expansion (1, 10 or 100) of channel X, Y or R."""
        expansions = answers.one_of({str(i): factor for i, factor in enumerate(self.EXPANSION_VALUES)})
        offset, expansion = self.question(
            f"OEXP? {self._number(channel)}", answers.row(answers.number(-105.0, 105.0), expansions)
        )
        return offset, expansion

    def set_scaling(self, channel: str, precent: float, expand: int = 1) -> None:
        """Offset channel X, Y or R by ``precent`` % (-105 to 105) of the sensitivity and expand it 1, 10 or 100 times.

        Raises:
            NotOffered, OutOfBounds: not one of these.
        """
        number, factor = self._number(channel), indexed("expand", self.EXPANSION_VALUES, "", "SR830")
        within("precent", -105.0, 105.0, "%", "SR830").check(precent)
        self.write(f"OEXP {number},{precent:.2f},{factor.code(factor.check(expand))}")

    def quick_range(self) -> None:
        """Choose the smallest sensitivity that holds 1.15 times the magnitude, which must not be overloaded now."""
        magnitude = abs(self.magnitude)
        self.sensitivity = smallest("1.15 * magnitude", 1.15 * magnitude, self.SENSITIVITIES, "V", "SR830")

    def get_buffer(self, channel: int = 1, start: int = 0, end: int | None = None) -> NDArray[np.float32]:
        """Points ``start`` to ``end`` (all) of a channel's buffer, V rms or degrees, shape (end - start,)."""
        count = (self.buffer_count if end is None else end) - start
        query = f"TRCB? {channel},{start},{count}"
        self.write(query)
        points = np.frombuffer(self.read_bytes(4 * count), dtype="<f4")
        if not np.isfinite(points).all():
            raise GarbledAnswer(self.name, query, points, "not finite")
        return points

    def save_setup(self, setup_number: int) -> None:
        """Keep the settings in memory 1 to 9."""
        self.write(f"SSET {_memory(setup_number)}")

    def load_setup(self, setup_number: int) -> None:
        """Take the settings from memory 1 to 9."""
        self.write(f"RSET {_memory(setup_number)}")


def _memory(number: int) -> int:
    return int(whole("setup_number", 1, 9, "SR830").check(number))
