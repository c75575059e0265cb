"""The virtual SR830: the older lock-in amplifier, on GPIB or RS-232.

It knows the settings, outputs, status, setup memories and data buffers; the macro commands are left out and answered as
a command that is not understood. The fast transfer, which sends points without being asked, is refused. Its external
reference is the controller's modulation; nothing is connected to its auxiliary inputs.
"""

from __future__ import annotations

import cmath
import math
import re
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from stmlab.simulation.lockin_commands import Command, ExecutionError, Number, Setting, Whole
from stmlab.simulation.sr830_buffer import POINTS, DataBuffer, as_floats, as_integers, as_text
from stmlab.simulation.virtual_lockin import COMMON, VirtualLockIn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from stmlab.arrays import ComplexArray, FloatArray
    from stmlab.simulation.bench import Bench

_SCALES = [float(f"{digit}e{decade}") for decade in range(-9, 1) for digit in (1, 2, 5)][1:28]  # V: 2 nV to 1 V
_TIME_CONSTANTS = [float(f"{digit}e{decade}") for decade in range(-5, 5) for digit in (1, 3)]  # s: 10 us to 30 ks
_EXPANSIONS = [1, 10, 100]
_HIGHEST_FREQUENCY = 102e3  # Hz, of the reference and of what is detected
_RESERVES = [1000.0, 30.0, 1.0]  # by number: what the input holds over the sensitivity (assumed: it varies with it)
_LARGEST_INPUT = 1.0  # V rms
_EXTERNAL, _INTERNAL = 0, 1  # FMOD
_INPUT, _OUTPUT, _UNLOCKED, _CROSSED, _TIME_CONSTANT = 1 << 0, 1 << 2, 1 << 3, 1 << 4, 1 << 5  # bits of LIAS?
_UPWARD, _DOWNWARD = 203.12, 199.21  # Hz, of what is detected: where it changes to the upper and to the lower range
_LONGEST_ABOVE = 13  # OFLT in the upper range, which has no synchronous filter either: 30 s
_SHORTEST = ((45.0, 10.0), (55.0, 20.0), (62.0, 30.0), (72.0, 40.0))  # dB by OFSL: gain that allows 10 us; step of OFLT
_NO_SCAN, _READY = 1 << 0, 1 << 1  # bits of *STB?
_XYR, _CHANNEL, _FOUR, _MEMORY = Whole(1, 3), Whole(1, 2), Whole(1, 4), Whole(1, 9)
_PIECE = (_CHANNEL, Whole(0, POINTS - 1), Whole(1, POINTS))  # of a buffer: display, first point, count

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
        "TSTR": Setting(Whole(0, 1)),
        "FAST": Setting(Whole(0, 2)),
        "OUTX": Setting(Whole(0, 1), 1),
        "OVRM": Setting(Whole(0, 1), 1),
        "KCLK": Setting(Whole(0, 1), 1),
        "ALRM": Setting(Whole(0, 1), 1),
        "LOCL": Setting(Whole(0, 2)),
        "*PSC": Setting(Whole(0, 1), 1),
    }

    def __init__(self, bench: Bench, *, serial: bool = False) -> None:
        self._termination = b"\r" if serial else b"\n"
        self._upper = True  # range of the detected frequency
        self._memories: dict[int, dict[tuple[str, int], float]] = {}
        super().__init__(bench)

    def reply(self, answers: list[str | bytes]) -> bytes:
        """Every text with a termination of its own; binary points end by themselves."""
        return b"".join(
            answer if isinstance(answer, bytes) else answer.encode("ascii") + self._termination for answer in answers
        )

    def check(self, name: str, value: float) -> float:
        """What is refused beside other settings; a harmonic above 102 kHz is lowered."""
        if name == "FAST" and value:
            raise ExecutionError("points are sent only when they are asked for")
        if name == "FREQ" and (self.value("FMOD") == _EXTERNAL or value * self.value("HARM") > _HIGHEST_FREQUENCY):
            raise ExecutionError(f"FREQ {value}")
        if name == "OFLT" and not self._shortest <= value <= (_LONGEST_ABOVE if self._upper else math.inf):
            raise ExecutionError(f"OFLT {value}")
        if name == "HARM":
            return max(1.0, min(value, _HIGHEST_FREQUENCY // self.value("FREQ")))
        return value

    def put(self, name: str, value: float, channel: int = 0) -> None:
        """Change a setting; input range, synchronous filter and time constant follow others by themselves."""
        self._buffer.collect()
        super().put(name, value, channel)
        if name == "SRAT":
            self._buffer.retime(int(value))
        elif name == "SEND":
            self._buffer.repeat(loop=bool(value))
        elif name in ("SENS", "RMOD"):
            self.panel.input_range = math.sqrt(2.0) * self._held
            self._follow()
        elif name == "OFSL":
            self._follow()
        elif name in ("FREQ", "HARM"):
            self._cross()
        self.panel.synchronous = bool(self._values.get(("SYNC", 0))) and not self._upper

    def _cross(self) -> None:
        """Change the range of the detected frequency; in the upper one some things are not to be had (5-23)."""
        detected = self.panel.reference_frequency * self.panel.harmonic
        upper = detected > (_UPWARD if not self._upper else _DOWNWARD)
        if upper is self._upper:
            return
        self._upper = upper
        self.status.note("LIAS", _CROSSED)
        if upper:
            super().put("SYNC", 0)
            self._bring_time_constant(self.value("OFLT"), _LONGEST_ABOVE)

    def _follow(self) -> None:
        """A time constant that is too short for the gain becomes longer (4-9)."""
        if ("OFLT", 0) in self._values:
            self._bring_time_constant(max(self.value("OFLT"), self._shortest), math.inf)

    def _bring_time_constant(self, least: float, most: float) -> None:
        number = min(least, most)
        if number != self.value("OFLT"):
            super().put("OFLT", number)
            self.status.note("LIAS", _TIME_CONSTANT)

    @property
    def _held(self) -> float:
        """What the input holds, V rms."""
        reserve = _RESERVES[int(self._values.get(("RMOD", 0), 1))]
        return min(reserve * _SCALES[int(self.value("SENS"))], _LARGEST_INPUT)

    @property
    def _shortest(self) -> int:
        """OFLT of the shortest time constant at this slope and gain of the filter: reserve and expand (4-9)."""
        expand = max(_EXPANSIONS[number] for _, number in self._scaling.values())
        gain = 20.0 * math.log10(self._held / _SCALES[int(self.value("SENS"))] * expand)
        allowing, step = _SHORTEST[int(self._values.get(("OFSL", 0), 1))]
        return 0 if gain < allowing else math.floor((gain - allowing) / step) + 1

    def reset(self) -> None:
        """Go back to the settings of the factory."""
        self._shown = {1: (0, 0), 2: (0, 0)}  # of each channel: quantity, ratio
        self._scaling = {1: (0.0, 0), 2: (0.0, 0), 3: (0.0, 0)}  # of X, Y, R: offset in %, number of the expansion
        self._upper = True
        self._buffer = DataBuffer(self.bench, self.panel, self._on_displays)
        super().reset()

    def summary(self) -> int:
        """See VirtualLockIn: it is ready (5-2), whenever it answers; a pause belongs to a scan."""
        return _READY | (0 if self._buffer.scanning else _NO_SCAN)

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

    def _on_displays(self, outputs: ComplexArray) -> FloatArray:
        return np.array([[self.shown(channel, output) for output in outputs] for channel in (1, 2)])

    def _stored(self, channel: float, start: float, count: float) -> FloatArray:
        return self._buffer.piece(int(channel), int(start), int(count))

    def _points(self) -> str:
        self._buffer.collect()
        return str(self._buffer.count)

    def _auto_reserve(self) -> None:
        """The least reserve that holds what is at the input, as far as the output tells."""
        peak, scale = abs(self.bench.lockin_output()), _SCALES[int(self.value("SENS"))]
        self.put("RMOD", max(i for i, reserve in enumerate(_RESERVES) if reserve * scale >= peak or i == 0))

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
        self._buffer.collect()
        self._shown[int(channel)] = (int(quantity), int(ratio))

    def _scale_output(self, quantity: float, offset: float, expansion: float) -> None:
        self._scaling[int(quantity)] = (offset, int(expansion))
        self._follow()

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
        "SPTS?": Command(_points),
        "STRT": Command(lambda self: self._buffer.start()),
        "STRD": Command(lambda self: self._buffer.start(delayed=True)),
        "PAUS": Command(lambda self: self._buffer.pause()),
        "REST": Command(lambda self: self._buffer.clear()),
        "TRIG": Command(lambda self: self._buffer.trigger(starts=bool(self.value("TSTR")))),
        "TRCA?": Command(lambda self, *piece: as_text(self._stored(*piece)), _PIECE),
        "TRCB?": Command(lambda self, *piece: as_floats(self._stored(*piece)), _PIECE),
        "TRCL?": Command(lambda self, *piece: as_integers(self._stored(*piece)), _PIECE),
        "ARSV": Command(_auto_reserve),
        "APHS": Command(_auto_phase),
        "AGAN": Command(_auto_gain),
        "AOFF": Command(_auto_offset, (_XYR,)),
        "SSET": Command(_save, (_MEMORY,)),
        "RSET": Command(_recall, (_MEMORY,)),
    }
