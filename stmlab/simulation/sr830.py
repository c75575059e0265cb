"""The virtual SR830: the older lock-in amplifier, on GPIB or RS-232.

It knows the settings, outputs, status and setup memories; the data buffers and the macro commands are left out and
answered as a command that is not understood. Its external reference is the controller's modulation; nothing is
connected to its auxiliary inputs.
"""

from __future__ import annotations

import cmath
import math
import re
from typing import TYPE_CHECKING, Any, ClassVar

from stmlab.simulation.lockin_commands import (
    COMMON,
    Command,
    ExecutionError,
    LockInSession,
    Number,
    Setting,
    VirtualLockIn,
    Whole,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from stmlab.simulation.bench import Bench
    from stmlab.simulation.wire import Session

_SCALES = [float(f"{digit}e{decade}") for decade in range(-9, 1) for digit in (1, 2, 5)][1:28]  # V: 2 nV to 1 V
_TIME_CONSTANTS = [float(f"{digit}e{decade}") for decade in range(-5, 5) for digit in (1, 3)]  # s: 10 us to 30 ks
_EXPANSIONS = [1, 10, 100]
_HIGHEST_FREQUENCY = 102e3  # Hz, of the reference and of what is detected
_RESERVES = [1000.0, 30.0, 1.0]  # by number: what the input holds over the sensitivity (assumed: it varies with it)
_LARGEST_INPUT = 1.0  # V rms
_EXTERNAL, _INTERNAL = 0, 1  # FMOD
_INPUT, _OUTPUT, _UNLOCKED, _CROSSED = 1 << 0, 1 << 2, 1 << 3, 1 << 4  # bits of LIAS?
_SLOW = 200.0  # Hz, of what is detected: only below it are there the synchronous filter and time constants above 30 s
_LONGEST_ABOVE = 13  # OFLT: 30 s
_XYR, _CHANNEL, _FOUR, _MEMORY = Whole(1, 3), Whole(1, 2), Whole(1, 4), Whole(1, 9)

_READINGS: Mapping[int, Callable[[Any, complex], float]] = {  # of SNAP?, by number of the parameter
    1: lambda _, output: output.real,
    2: lambda _, output: output.imag,
    3: lambda _, output: abs(output),
    4: lambda _, output: math.degrees(cmath.phase(output)),
    **dict.fromkeys(range(5, 9), lambda *_: 0.0),  # nothing is connected to the auxiliary inputs
    9: lambda self, _: self.reference_frequency,
    10: lambda self, output: self.shown(1, output),
    11: lambda self, output: self.shown(2, output),
}


class VirtualSR830(VirtualLockIn):
    """An SR830 on the bench.

    Args:
        bench: what it is connected to.
        serial: answers end with a carriage return, as on RS-232, instead of the line feed of GPIB.
    """

    IDENTITY = "Stanford_Research_Systems,SR830,simulated,ver1.07"
    GRAMMAR = re.compile(r"(\*[A-Z]{3}|[A-Z]{4})\s*(\?)?\s*(\S.*)?", re.IGNORECASE)
    SETTINGS: ClassVar[Mapping[str, Setting]] = {
        "FMOD": Setting(
            Whole(0, 1), _INTERNAL, panel="internal_reference", physical=lambda source: source == _INTERNAL
        ),
        "FREQ": Setting(Number(1e-3, _HIGHEST_FREQUENCY, digits=5, step=1e-4), 1e3, panel="reference_frequency"),
        "PHAS": Setting(Number(-360.0, 729.99, step=0.01, turn=360.0), panel="phase"),
        "RSLP": Setting(Whole(0, 2)),
        "HARM": Setting(Whole(1, 19999), 1, panel="harmonic", physical=int),
        "SLVL": Setting(Number(0.004, 5.0, step=0.002), 1.0, panel="sine_voltage"),
        "ISRC": Setting(Whole(0, 3)),
        "IGND": Setting(Whole(0, 1)),
        "ICPL": Setting(Whole(0, 1), panel="ac_coupled", physical=lambda i: i == 0),
        "ILIN": Setting(Whole(0, 3)),
        "SENS": Setting(Whole(0, 26), 26),
        "RMOD": Setting(Whole(0, 2), 1),
        "OFLT": Setting(Whole(0, 19), 8, panel="time_constant", physical=lambda i: _TIME_CONSTANTS[int(i)]),
        "OFSL": Setting(Whole(0, 3), 1, panel="poles", physical=lambda i: int(i) + 1),
        "SYNC": Setting(Whole(0, 1), panel="synchronous", physical=bool),
        "FPOP": Setting(Whole(0, 1), 0, _CHANNEL),
        "AUXV": Setting(Number(-10.5, 10.5, step=1e-3), 0.0, _FOUR),
        "SRAT": Setting(Whole(0, 14)),
        "SEND": Setting(Whole(0, 1), 1),
        "OUTX": Setting(Whole(0, 1), 1),
        "OVRM": Setting(Whole(0, 1), 1),
        "KCLK": Setting(Whole(0, 1), 1),
        "ALRM": Setting(Whole(0, 1), 1),
        "LOCL": Setting(Whole(0, 2)),
        "*PSC": Setting(Whole(0, 1), 1),
    }

    def __init__(self, bench: Bench, *, serial: bool = False) -> None:
        self._termination = b"\r" if serial else b"\n"
        self._memories: dict[int, dict[tuple[str, int], float]] = {}
        super().__init__(bench)

    def session(self, client: str = "") -> Session:
        """A new connection."""
        return _SR830Session(self, client)

    def reply(self, answers: list[str | bytes]) -> bytes:
        """Every answer with a termination of its own."""
        texts = (answer if isinstance(answer, bytes) else answer.encode("ascii") for answer in answers)
        return b"".join(text + self._termination for text in texts)

    def check(self, name: str, value: float) -> float:
        """Refuse a frequency, and lower a harmonic, that would bring the detected frequency above 102 kHz."""
        if name == "FREQ" and (self.value("FMOD") == _EXTERNAL or value * self.value("HARM") > _HIGHEST_FREQUENCY):
            raise ExecutionError(f"FREQ {value}")
        if name == "HARM":
            return max(1.0, min(value, _HIGHEST_FREQUENCY // self.value("FREQ")))
        return value

    def put(self, name: str, value: float, channel: int = 0) -> None:
        """Change a setting; input range, synchronous filter and long time constants follow others by themselves."""
        slow = self._slow
        super().put(name, value, channel)
        if name in ("SENS", "RMOD"):
            reserve = _RESERVES[int(self._values.get(("RMOD", 0), 1))]
            held = min(reserve * _SCALES[int(self.value("SENS"))], _LARGEST_INPUT)
            self.panel.input_range = math.sqrt(2.0) * held
        elif name in ("FREQ", "HARM") and self._slow is not slow:
            self.status.note("LIAS", _CROSSED)
            if slow:
                super().put("SYNC", 0)
                super().put("OFLT", min(self.value("OFLT"), _LONGEST_ABOVE))

    @property
    def _slow(self) -> bool:
        """Whether the detected frequency is below 200 Hz."""
        return self.panel.reference_frequency * self.panel.harmonic < _SLOW

    def reset(self) -> None:
        """Go back to the settings of the factory."""
        super().reset()
        self._shown = {1: (0, 0), 2: (0, 0)}  # of each channel: quantity, ratio
        self._scaling = {1: (0.0, 0), 2: (0.0, 0), 3: (0.0, 0)}  # of X, Y, R: offset in %, number of the expansion

    def observe(self) -> None:
        """Note overloads and a lost reference."""
        output = self.bench.lockin_output()
        bits = _INPUT if self.bench.lockin_input_overloaded() else 0
        if any(self._exceeds(value, i) for i, value in enumerate((output.real, output.imag, abs(output)), 1)):
            bits |= _OUTPUT
        if not self.reference_frequency:
            bits |= _UNLOCKED
        self.status.note("LIAS", bits)

    def _exceeds(self, value: float, quantity: int) -> bool:
        offset, expansion = self._scaling[quantity]
        scale = _SCALES[int(self.value("SENS"))]
        return abs(value / scale - offset / 100.0) * _EXPANSIONS[expansion] > 1.0

    def shown(self, channel: int, output: complex) -> float:
        """What a channel's display shows; noise and auxiliary inputs are not simulated and read 0."""
        quantity = self._shown[channel][0]
        if quantity == 0:
            return output.real if channel == 1 else output.imag
        return (abs(output) if channel == 1 else math.degrees(cmath.phase(output))) if quantity == 1 else 0.0

    def _snap(self, *parameters: float) -> str:
        output = self.bench.lockin_output()
        return ",".join(f"{_READINGS[int(parameter)](self, output):.7g}" for parameter in parameters)

    def _auto_phase(self) -> None:
        turned = self.value("PHAS") + math.degrees(cmath.phase(self.bench.lockin_output()))
        self.put("PHAS", round((turned + 180.0) % 360.0 - 180.0, 2))

    def _auto_gain(self) -> None:
        magnitude = abs(self.bench.lockin_output())
        self.put("SENS", min(i for i, scale in enumerate(_SCALES) if scale >= magnitude or scale == _SCALES[-1]))

    def _auto_offset(self, quantity: float) -> None:
        output = self.bench.lockin_output()
        value = (output.real, output.imag, abs(output))[int(quantity) - 1]
        offset = round(100.0 * value / _SCALES[int(self.value("SENS"))], 2)
        if abs(offset) > 105.0:
            raise ExecutionError(f"offset {offset} %")
        self._scaling[int(quantity)] = (offset, self._scaling[int(quantity)][1])

    def _show(self, channel: float, quantity: float, ratio: float) -> None:
        self._shown[int(channel)] = (int(quantity), int(ratio))

    def _scale_output(self, quantity: float, offset: float, expansion: float) -> None:
        self._scaling[int(quantity)] = (offset, int(expansion))

    def _save(self, memory: float) -> None:
        self._memories[int(memory)] = dict(self._values)

    def _recall(self, memory: float) -> None:
        if int(memory) not in self._memories:
            raise ExecutionError(f"memory {memory} is empty")
        for (name, channel), value in self._memories[int(memory)].items():
            self.put(name, value, channel)

    COMMANDS: ClassVar[Mapping[str, Command]] = {
        **COMMON,
        "FREQ?": Command(lambda self: f"{self.reference_frequency:.7g}"),
        "OUTP?": Command(_snap, (Whole(1, 4),)),
        "OUTR?": Command(lambda self, channel: self._snap(channel + 9), (_CHANNEL,)),
        "SNAP?": Command(_snap, (Whole(1, 11),) * 6, 2),
        "OAUX?": Command(lambda self, _: "0", (_FOUR,)),
        "DDEF": Command(_show, (_CHANNEL, Whole(0, 4), Whole(0, 2))),
        "DDEF?": Command(lambda self, channel: "{},{}".format(*self._shown[int(channel)]), (_CHANNEL,)),
        "OEXP": Command(_scale_output, (_XYR, Number(-105.0, 105.0, step=0.01), Whole(0, 2))),
        "OEXP?": Command(lambda self, quantity: "{:g},{}".format(*self._scaling[int(quantity)]), (_XYR,)),
        "APHS": Command(_auto_phase),
        "AGAN": Command(_auto_gain),
        "AOFF": Command(_auto_offset, (_XYR,)),
        "SSET": Command(_save, (_MEMORY,)),
        "RSET": Command(_recall, (_MEMORY,)),
    }


class _SR830Session(LockInSession):
    """A connection on which carriage returns end messages as well."""

    def feed(self, data: bytes) -> None:
        """See LineSession."""
        super().feed(data.replace(b"\r", b"\n"))
