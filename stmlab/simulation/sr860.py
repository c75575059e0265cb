"""The virtual SR860: the lock-in amplifier of the simulated microscope, as its remote interface shows it.

It knows what pymeasure and the maker's own package use of the settings, outputs, status and the capture memory; screen
cursors, FFT, scans and the UDP stream are left out and answered as a command that is not understood. Its external
reference is the controller's modulation; nothing is connected to its auxiliary inputs.
"""

from __future__ import annotations

import cmath
import math
import re
from collections import deque
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from stmlab import lowpass
from stmlab.simulation.lockin_commands import HERTZ, VOLTS, Choice, Command, ExecutionError, Number, Setting, Whole
from stmlab.simulation.sr860_capture import CaptureMemory, fastest_rate
from stmlab.simulation.virtual_lockin import COMMON, VirtualLockIn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from stmlab.simulation.bench import Bench

_SCALES = [1.0, *(float(f"{digit}e-{decade}") for decade in range(1, 10) for digit in (5, 2, 1))]  # V, by number
_TIME_CONSTANTS = [float(f"{digit}e{decade}") for decade in range(-6, 5) for digit in (1, 3)]  # s, by number
_INPUT_RANGES = [1.0, 0.3, 0.1, 0.03, 0.01]  # V peak, by number
_EXPANSIONS = [1, 10, 100]
_HIGHEST_FREQUENCY = 500e3  # Hz, of what is detected
_INTERNAL, _EXTERNAL = 0, 1  # RSRC
_MEMORY_OF_NOISE = 100  # readings

_FREQUENCY = Number(1e-3, _HIGHEST_FREQUENCY, digits=6, step=1e-4, units=HERTZ)
_AMPLITUDE = Number(0.0, 2.0, digits=3, step=1e-9, units=VOLTS)
_LEVEL = Number(-5.0, 5.0, digits=3, step=1e-4, units=VOLTS)
_AUX = Number(-10.5, 10.5, step=1e-3, units=VOLTS)
_SWITCH = Choice("OFF", "ON")
_FOUR = Whole(0, 3)
_XYR = Choice("X", "Y", "R")
_PARAMETER = Choice(
    *("X", "Y", "R", "THeta", "IN1", "IN2", "IN3", "IN4", "XNOise", "YNOise"),
    *("OUT1", "OUT2", "PHAse", "SAMp", "LEVel", "FInt", "FExt"),
)
_READINGS: tuple[Callable[[Any, complex], float], ...] = (  # of the instrument, by number of the parameter
    lambda _, output: output.real,
    lambda _, output: output.imag,
    lambda _, output: abs(output),
    lambda _, output: math.degrees(cmath.phase(output)),
    *(lambda *_: 0.0,) * 4,  # nothing is connected to the auxiliary inputs
    lambda self, _: self.noise_density()[0],
    lambda self, _: self.noise_density()[1],
    lambda self, _: self.value("AUXV", 0),
    lambda self, _: self.value("AUXV", 1),
    lambda self, _: self.value("PHAS"),
    lambda self, _: self.value("SLVL"),
    lambda self, _: self.value("SOFF"),
    lambda self, _: self.value("FREQ"),
    lambda self, _: self.external_frequency,
)
_OVERLOAD_UNLOCKED, _OVERLOAD_INPUT, _OVERLOAD_DISPLAY = 1 << 3, 1 << 4, 1 << 8


class VirtualSR860(VirtualLockIn):
    """An SR860 on the bench.

    Settings after ``*RST`` are the instrument's as far as they are known (internal reference at 100 kHz, phase 0, sine
    output off, 1 V, 100 ms, 6 dB per octave), otherwise the first choice.

    Args:
        bench: what it is connected to.
    """

    IDENTITY = "Stanford_Research_Systems,SR860,simulated,V1.51"
    GRAMMAR = re.compile(r"(\*?[A-Z][A-Z0-9]*)(\?)?(?:\s+(\S.*))?", re.IGNORECASE)
    ALIASES: ClassVar[Mapping[str, str]] = {"FREQINT": "FREQ"}
    SETTINGS: ClassVar[Mapping[str, Setting]] = {
        "TBMODE": Setting(Choice("AUTO", "IN")),
        "FREQ": Setting(_FREQUENCY, 100e3, panel="reference_frequency"),
        "PHAS": Setting(Number(-360e3, 360e3, step=1e-7, units={"DEG": 1.0}, turn=360.0), panel="phase"),
        "HARM": Setting(Whole(1, 99), 1, panel="harmonic", physical=int),
        "HARMDUAL": Setting(Whole(1, 99), 1),
        "BLADESLOTS": Setting(Choice("SLT6", "SLT30")),
        "BLADEPHASE": Setting(Number(-360.0, 360.0, units={"DEG": 1.0})),
        "SLVL": Setting(_AMPLITUDE, panel="sine_voltage"),
        "SOFF": Setting(_LEVEL, panel="sine_offset"),
        "REFM": Setting(Choice("COMmon", "DIFference")),
        "RSRC": Setting(
            Choice("INT", "EXT", "DUAL", "CHOP"), panel="internal_reference", physical=lambda i: i == _INTERNAL
        ),
        "RTRG": Setting(Choice("SIN", "POSttl", "NEGttl")),
        "REFZ": Setting(Choice("50ohms", "1Meg"), 1),
        "PSTF": Setting(_FREQUENCY, 100e3, _FOUR),
        "PSTA": Setting(_AMPLITUDE, 0.0, _FOUR),
        "PSTL": Setting(_LEVEL, 0.0, _FOUR),
        "IVMD": Setting(Choice("VOLTage", "CURRent")),
        "ISRC": Setting(Choice("A", "A-B")),
        "ICPL": Setting(Choice("AC", "DC"), panel="ac_coupled", physical=lambda i: i == 0),
        "IGND": Setting(Choice("FLOat", "GROund")),
        "IRNG": Setting(
            Choice("1Volt", "300Mvolt", "100Mvolt", "30Mvolt", "10Mvolt"),
            panel="input_range",
            physical=lambda i: _INPUT_RANGES[int(i)],
        ),
        "ICUR": Setting(Choice("1MEG", "100MEG")),
        "SCAL": Setting(Whole(0, 27)),
        "OFLT": Setting(Whole(0, 21), 10, panel="time_constant", physical=lambda i: _TIME_CONSTANTS[int(i)]),
        "OFSL": Setting(Whole(0, 3), panel="poles", physical=lambda i: int(i) + 1),
        "SYNC": Setting(_SWITCH, panel="synchronous", physical=bool),
        "ADVFILT": Setting(_SWITCH),
        "COUT": Setting(Choice("XY", "RTHeta"), 0, Choice("OCH1", "OCH2")),
        "CEXP": Setting(Choice("OFF", "X10", "X100"), 0, _XYR),
        "COFA": Setting(_SWITCH, 0, _XYR),
        "COFP": Setting(Number(-999.99, 999.99, step=0.01), 0.0, _XYR),
        "CRAT": Setting(_SWITCH, 0, _XYR),
        "AUXV": Setting(_AUX, 0.0, _FOUR),
        "DBLK": Setting(_SWITCH),
        "DLAY": Setting(Whole(0, 5)),
        "CDSP": Setting(_PARAMETER, 0, _FOUR),
        "CGRF": Setting(_SWITCH, 1, _FOUR),
        "GSPD": Setting(Whole(0, 16)),
        "LOCL": Setting(Whole(0, 2)),
        "OVRM": Setting(_SWITCH, 1),
    }

    def __init__(self, bench: Bench) -> None:
        self._noise: deque[complex] = deque(maxlen=_MEMORY_OF_NOISE)
        super().__init__(bench)

    @property
    def greeting(self) -> bytes:
        """What the telnet port sends on connect (the real one's words are not known)."""
        return b"Stanford Research Systems SR860 (simulated)\n"

    def reply(self, answers: list[str | bytes]) -> bytes:
        """Answers joined by semicolons and ended by a line feed; a binary block ends by itself."""
        if not answers:
            return b""
        parts = [answer if isinstance(answer, bytes) else answer.encode("ascii") for answer in answers]
        return b";".join(parts) + (b"" if isinstance(answers[-1], bytes) else b"\n")

    def check(self, name: str, value: float) -> float:
        """Refuse a harmonic above 500 kHz."""
        frequency = value if name == "FREQ" else self.value("FREQ")
        harmonic = value if name == "HARM" else self.value("HARM")
        if name in ("FREQ", "HARM") and frequency * harmonic > _HIGHEST_FREQUENCY:
            raise ExecutionError(f"{name} {value}")
        return value

    def put(self, name: str, value: float, channel: int = 0) -> None:
        """Change a setting; a capture follows the time constant."""
        super().put(name, value, channel)
        if name == "OFLT":
            self._capture.retime()

    def reset(self) -> None:
        """Go back to the settings of the factory."""
        self._capture = CaptureMemory(self.bench, self.panel)
        super().reset()
        for display in range(4):
            self.put("CDSP", display, display)  # X, Y, R, theta

    def observe(self) -> None:
        """Note overloads and a lost reference."""
        self.status.note("LIAS", self.conditions())

    def conditions(self) -> int:
        """Overloads now, as CUROVLDSTAT? and, while they last, LIAS? have them."""
        output, scale = self._output(), self._scale
        shown = {0: output.real, 1: output.imag, 2: abs(output)}
        bits = 0 if self.reference_frequency else _OVERLOAD_UNLOCKED
        if self.bench.lockin_input_overloaded():
            bits |= _OVERLOAD_INPUT
        for channel in range(2):
            quantity = channel if self.value("COUT", channel) == 0 else 2 + channel
            if quantity in shown and self._exceeds(shown[quantity] / scale, quantity):
                bits |= 1 << channel
        for display in range(4):
            quantity = int(self.value("CDSP", display))
            if quantity in shown and self._exceeds(shown[quantity] / scale, quantity):
                bits |= _OVERLOAD_DISPLAY << display
        return bits

    def _exceeds(self, share: float, quantity: int) -> bool:
        """Whether a quantity, over the scale, is beyond its end."""
        offset = self.value("COFP", quantity) / 100.0 if self.value("COFA", quantity) else 0.0
        expansion = _EXPANSIONS[int(self.value("CEXP", quantity))]
        return abs(share - offset) * expansion > 1.0

    @property
    def _scale(self) -> float:
        return _SCALES[int(self.value("SCAL"))]

    def _output(self) -> complex:
        output = self.bench.lockin_output()
        self._noise.append(output)
        return output

    def noise_density(self) -> tuple[float, float]:
        """Standard deviation of the last readings of X and Y over the root of the bandwidth, V rms per root Hz."""
        readings = np.array(self._noise) / math.sqrt(self._noise_bandwidth())
        return float(readings.real.std()), float(readings.imag.std())

    def _noise_bandwidth(self) -> float:
        return lowpass.noise_bandwidth(self.panel.time_constant, lowpass.SLOPES[self.panel.poles - 1])

    @property
    def external_frequency(self) -> float:
        """Of the external reference in use, Hz."""
        return 0.0 if self.panel.internal_reference else self.reference_frequency

    def _frequency(self) -> str:
        external = self.value("RSRC") == _EXTERNAL
        return f"{self.external_frequency if external else self.value('FREQ'):.11g}"

    def _snap(self, *parameters: float) -> str:
        output = self._output()
        return ",".join(f"{_READINGS[int(parameter)](self, output):.11g}" for parameter in parameters)

    def _snap_display(self) -> str:
        return self._snap(*(self.value("CDSP", display) for display in range(4)))

    def _auto_phase(self) -> None:
        turned = self.value("PHAS") + math.degrees(cmath.phase(self._output()))
        self.put("PHAS", (turned + 180.0) % 360.0 - 180.0)

    def _auto_range(self) -> None:
        peak = abs(self._output()) * math.sqrt(2.0)
        self.put("IRNG", max(i for i, limit in enumerate(_INPUT_RANGES) if limit >= peak or i == 0))

    def _auto_scale(self) -> None:
        magnitude = abs(self._output())
        self.put("SCAL", max(i for i, scale in enumerate(_SCALES) if scale >= magnitude or i == 0))

    def _auto_offset(self, quantity: float) -> None:
        output = self._output()
        value = (output.real, output.imag, abs(output))[int(quantity)]
        self.put("COFP", round(100.0 * value / self._scale, 2), int(quantity))
        self.put("COFA", 1, int(quantity))

    def _signal_level(self) -> str:
        if self.bench.lockin_input_overloaded():
            return "4"
        filled = abs(self._output()) * math.sqrt(2.0) / self.panel.input_range
        return str(min(3, int(4.0 * filled)))

    def _captured_row(self, position: float) -> str:
        return ",".join(f"{value:.9g}" for value in self._capture.row(int(position)))

    def _operation_complete(self) -> None:
        self.status.note("*ESR", 1)

    COMMANDS: ClassVar[Mapping[str, Command]] = {
        **COMMON,
        "*OPC": Command(_operation_complete),
        "*OPC?": Command(lambda self: "1"),
        "*TRG": Command(lambda self: self._capture.trigger()),
        "FREQ?": Command(_frequency),
        "FREQEXT?": Command(lambda self: f"{self.external_frequency:.11g}"),
        "FREQDET?": Command(lambda self: f"{self.reference_frequency * self.value('HARM'):.11g}"),
        "TBSTAT?": Command(lambda self: "1"),  # the internal clock
        "OUTP?": Command(_snap, (_PARAMETER,)),
        "OUTR?": Command(lambda self, display: self._snap(self.value("CDSP", int(display))), (_FOUR,)),
        "SNAP?": Command(_snap, (_PARAMETER, _PARAMETER, _PARAMETER), 2),
        "SNAPD?": Command(_snap_display),
        "OAUX?": Command(lambda self, _: "0", (_FOUR,)),
        "ENBW?": Command(lambda self: f"{self._noise_bandwidth():.11g}"),
        "ILVL?": Command(_signal_level),
        "CUROVLDSTAT?": Command(lambda self: str(self.conditions())),
        "APHS": Command(_auto_phase),
        "ARNG": Command(_auto_range),
        "ASCL": Command(_auto_scale),
        "OAUT": Command(_auto_offset, (_XYR,)),
        "CAPTURELEN": Command(lambda self, size: self._capture.resize(int(size)), (Whole(1, 4096),)),
        "CAPTURELEN?": Command(lambda self: str(self._capture.length)),
        "CAPTURECFG": Command(
            lambda self, channels: self._capture.configure(int(channels)), (Choice("X", "XY", "RT", "XYRT"),)
        ),
        "CAPTURECFG?": Command(lambda self: str(self._capture.channels)),
        "CAPTURERATEMAX?": Command(lambda self: f"{fastest_rate(self.panel.time_constant):.11g}"),
        "CAPTURERATE": Command(lambda self, divisions: self._capture.divide(int(divisions)), (Whole(0, 20),)),
        "CAPTURERATE?": Command(lambda self: f"{self._capture.rate:.11g}"),
        "CAPTURESTART": Command(
            lambda self, continuous, mode: self._capture.start(continuous=bool(continuous), mode=int(mode)),
            (Choice("ONEshot", "CONTinuous"), Choice("IMM", "TRIGstart", "SAMPpertrig")),
        ),
        "CAPTURESTOP": Command(lambda self: self._capture.stop()),
        "CAPTURESTAT?": Command(lambda self: str(self._capture.state())),
        "CAPTUREBYTES?": Command(lambda self: str(self._capture.size())),
        "CAPTUREPROG?": Command(lambda self: str(self._capture.filled())),
        "CAPTUREVAL?": Command(_captured_row, (Whole(0, 1 << 20),)),
        "CAPTUREGET?": Command(
            lambda self, offset, size: self._capture.block(int(offset), int(size)), (Whole(0, 4095), Whole(1, 64))
        ),
    }
