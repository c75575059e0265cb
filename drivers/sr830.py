"""Stanford Research Systems SR830, 102 kHz lock-in amplifier.

pymeasure's SR830 with its faults mended: nothing is truncated into range, no unknown choice is replaced by another one,
and status is turned into errors. Reached by GPIB (messages end with a line feed) or RS-232 (carriage return).
"""

from __future__ import annotations

from enum import IntFlag
from typing import TYPE_CHECKING, Any, ClassVar

from pymeasure.instruments import Instrument
from pymeasure.instruments.srs.sr830 import SR830 as PymeasureSR830
from pymeasure.instruments.srs.sr830 import ERRStatus, LIAStatus

from drivers.connection import connect
from drivers.controls import indexed, smallest, whole, within
from drivers.lockin import LockInAmplifier
from stmlab import lowpass
from stmlab.errors import OutOfBounds

if TYPE_CHECKING:
    from pymeasure.adapters import Adapter

_HIGHEST_FREQUENCY = 102e3  # Hz, of the reference and of what is detected

_SENSITIVITIES = tuple(map(float, PymeasureSR830.SENSITIVITIES))
_TIME_CONSTANTS = tuple(map(float, PymeasureSR830.TIME_CONSTANTS))


class EventStatus(IntFlag):
    """Standard events since *ESR? was last read."""

    INPUT_QUEUE = 1 << 0
    OUTPUT_QUEUE = 1 << 2
    EXECUTION = 1 << 4
    COMMAND = 1 << 5
    USER_REQUEST = 1 << 6
    POWER_ON = 1 << 7


_OVERLOADS: dict[IntFlag, str] = {
    LIAStatus.INPUT_OVERLOAD: "the input or its amplifier is overloaded",
    LIAStatus.FILTER_OVERLOAD: "the time constant's filter is overloaded",
    LIAStatus.OUTPUT_OVERLOAD: "an output exceeds its scale: choose a larger sensitivity",
    LIAStatus.REF_UNLOCK: "no lock to the external reference",
}
_ERRORS: dict[IntFlag, str] = {
    ERRStatus.BACKUP_ERR: "the battery backup has failed",
    ERRStatus.RAM_ERR: "the RAM is faulty",
    ERRStatus.ROM_ERR: "the ROM is faulty",
    ERRStatus.GPIB_ERR: "a fast GPIB transfer was broken off",
    ERRStatus.DSP_ERR: "the signal processor is faulty",
    ERRStatus.MATH_ERR: "internal arithmetic error",
}
_EVENTS: dict[IntFlag, str] = {
    EventStatus.INPUT_QUEUE: "its input queue has overflowed",
    EventStatus.OUTPUT_QUEUE: "its output queue has overflowed",
    EventStatus.EXECUTION: "it refused a value or a command that it cannot carry out now",
    EventStatus.COMMAND: "it did not understand a command",
}


def _aux_out(number: int) -> Any:
    return Instrument.control(
        f"AUXV? {number}",
        f"AUXV {number},%.9g",
        f"Control the auxiliary output {number}, V (in steps of 1 mV).",
        **within(f"aux_out_{number}", -10.5, 10.5, "V", "SR830"),
    )


def _display(number: int, shown: tuple[str, ...]) -> Any:
    return Instrument.control(
        f"DDEF? {number}",
        f"DDEF {number},%d,0",
        f"Control what channel {number} shows: {', '.join(shown)}.",
        get_process_list=lambda values: shown[int(values[0])],  # the second value is the ratio mode
        **indexed(f"channel{number}", shown, "", "SR830"),
    )


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

    sine_voltage = Instrument.control(
        "SLVL?",
        "SLVL %.9g",
        "Control the sine output's amplitude, V rms.",
        **within("sine_voltage", 0.004, 5.0, "V", "SR830"),
    )
    frequency = Instrument.control(
        "FREQ?",
        "FREQ %.9g",
        "Control the reference frequency, Hz.",
        **within("frequency", 1e-3, _HIGHEST_FREQUENCY, "Hz", "SR830"),
    )
    phase = Instrument.control(
        "PHAS?",
        "PHAS %.2f",
        "Control the phase, degrees (read back between -180 and 180).",
        **within("phase", -360.0, 729.99, "degrees", "SR830"),
    )
    _harmonic = Instrument.control(
        "HARM?", "HARM %d", "Control the detected harmonic.", **whole("harmonic", 1, 19999, "SR830")
    )
    sensitivity = Instrument.control(
        "SENS?",
        "SENS %d",
        "Control the full scale of the outputs, V rms (2 nV to 1 V in steps of 1, 2, 5).",
        **indexed("sensitivity", _SENSITIVITIES, "V", "SR830"),
    )
    time_constant = Instrument.control(
        "OFLT?",
        "OFLT %d",
        "Control the filter's time constant, s (10 us to 30 ks in steps of 1, 3).",
        **indexed("time_constant", _TIME_CONSTANTS, "s", "SR830"),
    )
    filter_slope = Instrument.control(
        "OFSL?",
        "OFSL %d",
        "Control the filter's slope: 6, 12, 18 or 24 dB per octave.",
        **indexed("filter_slope", lowpass.SLOPES, "dB/octave", "SR830"),
    )
    reserve = Instrument.control(
        "RMOD?",
        "RMOD %d",
        "Control the dynamic reserve: High Reserve, Normal or Low Noise.",
        **indexed("reserve", PymeasureSR830.RESERVE_VALUES, "", "SR830"),
    )
    sample_frequency = Instrument.control(
        "SRAT?",
        "SRAT %d",
        "Control the rate at which the buffers are filled, Hz; None: at each trigger.",
        **indexed("sample_frequency", (*PymeasureSR830.SAMPLE_FREQUENCIES, None), "Hz", "SR830"),
    )
    channel1 = _display(1, ("X", "R", "X Noise", "Aux In 1", "Aux In 2"))
    channel2 = _display(2, ("Y", "Theta", "Y Noise", "Aux In 3", "Aux In 4"))
    aux_out_1, aux_out_2, aux_out_3, aux_out_4 = map(_aux_out, range(1, 5))
    dac1, dac2, dac3, dac4 = aux_out_1, aux_out_2, aux_out_3, aux_out_4

    SETTINGS = tuple(
        "reference_source reference_source_trigger frequency phase harmonic sine_voltage input_grounding "
        "input_coupling input_notch_config reserve sensitivity time_constant filter_slope filter_synchronous "
        "channel1 channel2 aux_out_1 aux_out_2 aux_out_3 aux_out_4 input_config".split()
    )
    STATUS: ClassVar = {
        "LIAS?": (LIAStatus, _OVERLOADS),
        "ERRS?": (ERRStatus, _ERRORS),
        "*ESR?": (EventStatus, _EVENTS),
    }

    def __init__(self, adapter: str | Adapter, name: str = "SR830", timeout: float = 2.0, **visa: Any) -> None:
        serial = isinstance(adapter, str) and adapter.upper().startswith("ASRL")
        termination = "\r" if serial else "\n"
        super().__init__(connect(adapter, timeout=timeout, termination=termination, **visa), name)

    @property
    def xy(self) -> tuple[float, float]:
        """X and Y at one moment, V rms."""
        x, y = self.values("SNAP? 1,2")
        return x, y

    @property
    def harmonic(self) -> int:
        """The detected harmonic, 1 to 19999.

        Harmonic times frequency may not exceed 102 kHz (OutOfBounds): the instrument would take a lower harmonic.
        """
        return int(self._harmonic)

    @harmonic.setter
    def harmonic(self, harmonic: int) -> None:
        highest = int(_HIGHEST_FREQUENCY / self.frequency)
        if 1 < harmonic <= 19999 and harmonic > highest:
            raise OutOfBounds("harmonic", harmonic, 1, max(highest, 1), "", "the SR830 at the frequency that is set")
        self._harmonic = harmonic

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
        self.values("LIAS?", cast=int)

    def set_scaling(self, channel: str, precent: float, expand: int = 1) -> None:
        """Offset channel X, Y or R by ``precent`` % (-105 to 105) of the sensitivity and expand it 1, 10 or 100 times.

        Raises:
            NotOffered, OutOfBounds: not one of these.
        """
        which = indexed("channel", self.CHANNELS, "", "SR830")
        factor = indexed("expand", self.EXPANSION_VALUES, "", "SR830")
        number = which["values"][which["validator"](channel, None)] + 1
        within("precent", -105.0, 105.0, "%", "SR830")["validator"](precent, None)
        code = factor["values"][factor["validator"](expand, None)]
        self.write(f"OEXP {number},{precent:.2f},{code}")

    def quick_range(self) -> None:
        """Choose the smallest sensitivity that holds 1.15 times the magnitude, which must not be overloaded now."""
        magnitude = abs(self.magnitude)
        self.sensitivity = smallest("1.15 * magnitude", 1.15 * magnitude, self.SENSITIVITIES, "V", "SR830")

    def save_setup(self, setup_number: int) -> None:
        """Keep the settings in memory 1 to 9."""
        self.write(f"SSET {_memory(setup_number)}")

    def load_setup(self, setup_number: int) -> None:
        """Take the settings from memory 1 to 9."""
        self.write(f"RSET {_memory(setup_number)}")


def _memory(number: int) -> int:
    return int(whole("setup_number", 1, 9, "SR830")["validator"](number, None))
