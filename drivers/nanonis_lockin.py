"""The lock-in module inside a Nanonis controller: modulators and demodulators on eight phase registers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stmlab.errors import InstrumentFault

if TYPE_CHECKING:
    from drivers.nanonis_protocol import NanonisLine
    from drivers.nanonis_signals import Signals

NUMBERS = (1, 8)  # of modulators, demodulators and phase registers
_LARGEST_HARMONIC = 1024


@dataclass(frozen=True)
class Filter:
    """A high-pass or low-pass filter of a demodulator.

    Attributes:
        order: 0 (off) to 8.
        cutoff: Hz.
    """

    order: int
    cutoff: float


class LockInModule:
    """The lock-in module; modulators and demodulators are numbered from 1 to 8."""

    def __init__(self, line: NanonisLine, signals: Signals) -> None:
        self._line, self._signals = line, signals
        self._modulators: tuple[int, ...] | None = None

    @property
    def modulators(self) -> tuple[int, ...]:
        """Numbers of the modulators that this controller has: those about which it answers (asked once)."""
        if self._modulators is None:
            self._modulators = tuple(number for number in range(NUMBERS[0], NUMBERS[1] + 1) if self._has(number))
        return self._modulators

    def forget(self) -> None:
        """Ask anew which modulators there are: the controller may be another one."""
        self._modulators = None

    def off(self) -> None:
        """Switch off every modulator; each is read back."""
        for number in self.modulators:
            modulator = self.modulator(number)
            if modulator.on:
                modulator.on = False

    def is_off(self) -> bool:
        """Whether no modulator modulates, as read now."""
        return not any(self.modulator(number).on for number in self.modulators)

    def _has(self, number: int) -> bool:
        for _ in range(2):  # a single refusal may be an error of another kind
            try:
                _ = self.modulator(number).on
            except InstrumentFault:  # not licensed, or there are fewer
                continue
            return True
        return False

    def modulator(self, number: int = 1) -> Modulator:
        """The modulator of this number."""
        return Modulator(self._line, self._signals, self._line.bounded("modulator", number, *NUMBERS, ""))

    def demodulator(self, number: int = 1) -> Demodulator:
        """The demodulator of this number."""
        return Demodulator(self._line, self._signals, self._line.bounded("demodulator", number, *NUMBERS, ""))


class _Numbered:
    """One of several equal parts of the module."""

    _PART = ""

    def __init__(self, line: NanonisLine, signals: Signals, number: int) -> None:
        self._line, self._signals, self.number = line, signals, number

    def _get(self, what: str) -> Any:
        return self._line.get(f"LockIn.{self._PART}{what}Get", self.number)

    def _set(self, what: str, *values: Any) -> None:
        self._line.ask(f"LockIn.{self._PART}{what}Set", self.number, *values)

    @property
    def signal(self) -> str:
        """Name of the signal that is modulated or demodulated."""
        return str(self._line.item(f"LockIn.{self._PART}SignalGet", self._signals.names, self._get("Signal")))

    @signal.setter
    def signal(self, name: str) -> None:
        self._set("Signal", self._signals.index(name))

    @property
    def register(self) -> int:
        """Phase register (frequency generator) that this part follows, 1 to 8."""
        return self._line.whole(f"LockIn.{self._PART}PhasRegGet", self.number, low=NUMBERS[0], high=NUMBERS[1])

    @register.setter
    def register(self, value: int) -> None:
        self._set("PhasReg", self._line.bounded("phase register", value, *NUMBERS, ""))

    @property
    def frequency(self) -> float:
        """Of the phase register, Hz: shared by all that follow it."""
        return self._line.number("LockIn.ModPhasFreqGet", self.register, low=0.0)

    @frequency.setter
    def frequency(self, value: float) -> None:
        self._line.bounded("modulation frequency", value, 1e-6, math.inf, "Hz")
        self._line.ask("LockIn.ModPhasFreqSet", self.register, value)

    @property
    def harmonic(self) -> int:
        """Multiple of the register's frequency, from 1."""
        return self._line.whole(f"LockIn.{self._PART}HarmonicGet", self.number, low=1, high=_LARGEST_HARMONIC)

    @harmonic.setter
    def harmonic(self, value: int) -> None:
        self._set("Harmonic", self._line.bounded("harmonic", value, 1, _LARGEST_HARMONIC, ""))

    @property
    def phase(self) -> float:
        """Degrees."""
        return self._line.number(f"LockIn.{self._PART}PhasGet", self.number, low=-360.0, high=360.0)

    @phase.setter
    def phase(self, value: float) -> None:
        self._set("Phas", self._line.bounded("phase", value, -360.0, 360.0, "deg"))


class Modulator(_Numbered):
    """Adds a sine to a signal."""

    _PART = "Mod"

    @property
    def on(self) -> bool:
        """Whether it modulates."""
        return self._line.switch("LockIn.ModOnOffGet", self.number)

    @on.setter
    def on(self, value: bool) -> None:
        self._set("OnOff", int(bool(value)))
        self._line.confirm(f"modulator {self.number}", bool(value), self.on)

    @property
    def amplitude(self) -> float:
        """Peak amplitude in the unit of the signal, V for the bias."""
        return self._line.number("LockIn.ModAmpGet", self.number, low=0.0)

    @amplitude.setter
    def amplitude(self, value: float) -> None:
        low, high = self._signals.range(signal := self.signal)
        self._set("Amp", self._line.bounded("modulation amplitude", value, 0.0, (high - low) / 2, "V", signal))
        self._line.confirm(f"amplitude of modulator {self.number}", value, self.amplitude, "V")


class Demodulator(_Numbered):
    """Gives X and Y of a signal."""

    _PART = "Demod"

    @property
    def high_pass(self) -> Filter:
        """Filter before the demodulation."""
        return self._filter("LockIn.DemodHPFilterGet")

    @high_pass.setter
    def high_pass(self, value: Filter) -> None:
        self._set("HPFilter", *self._checked(value))

    @property
    def low_pass(self) -> Filter:
        """Filter behind the demodulation."""
        return self._filter("LockIn.DemodLPFilterGet")

    @low_pass.setter
    def low_pass(self, value: Filter) -> None:
        self._set("LPFilter", *self._checked(value))

    @property
    def synchronous(self) -> bool:
        """Whether X and Y are averaged over whole periods."""
        return self._line.switch("LockIn.DemodSyncFilterGet", self.number)

    @synchronous.setter
    def synchronous(self, value: bool) -> None:
        self._set("SyncFilter", int(bool(value)))

    @property
    def polar(self) -> bool:
        """Whether its signals are R and phase instead of X and Y."""
        return self._line.switch("LockIn.DemodRTSignalsGet", self.number)

    @polar.setter
    def polar(self, value: bool) -> None:
        self._set("RTSignals", int(bool(value)))

    def _filter(self, command: str) -> Filter:
        order, cutoff = self._line.ask(command, self.number)
        return Filter(self._line.checked(command, order, 0, 8), self._line.checked(command, cutoff, 0.0))

    def _checked(self, value: Filter) -> tuple[int, float]:
        order = self._line.bounded("filter order", value.order, 0, 8, "")
        return order, self._line.bounded("filter cutoff", value.cutoff, 1e-6, math.inf, "Hz")
