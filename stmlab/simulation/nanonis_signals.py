"""Signals and lock-in module of the simulated Nanonis controller.

The lock-in amplifier's outputs X and Y are cabled to the inputs 2 and 3, which show them in V rms. The controller's own
lock-in modulates the bench's bias; what its demodulators give is asked of the bench (see ``Demodulates``).
"""

from __future__ import annotations

import cmath
import math
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from stmlab.nanonis.commands import COMMANDS
from stmlab.simulation.nanonis_current import FULL_SCALE
from stmlab.simulation.nanonis_settings import Refusal
from stmlab.simulation.nanonis_tip import Z_RANGE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from stmlab.arrays import FloatArray
    from stmlab.simulation.bench import Bench
    from stmlab.simulation.machine import Machine
    from stmlab.simulation.nanonis_bias import BiasModule
    from stmlab.simulation.nanonis_current import CurrentModule
    from stmlab.simulation.nanonis_settings import Settings
    from stmlab.simulation.nanonis_tip import TipModule

CURRENT, LOCKIN_X, LOCKIN_Y, BIAS, X, Y, Z = 0, 1, 2, 24, 28, 29, 30
_DEMODULATORS = 86  # X and Y of demodulator 1 come first
_NUMBERS = range(1, 9)


def _names() -> tuple[str, ...]:
    names = [f"Input {number} (V)" for number in range(1, 25)]
    names += [f"Output {number} (V)" for number in range(1, 25)]
    names += [f"Internal {number} (V)" for number in range(1, 81)]
    named = {
        CURRENT: "Current (A)",
        LOCKIN_X: "LockIn X (V)",
        LOCKIN_Y: "LockIn Y (V)",
        BIAS: "Bias (V)",
        X: "X (m)",
        Y: "Y (m)",
        Z: "Z (m)",
    }
    for number in _NUMBERS:
        for part, letter in enumerate("XY"):
            named[_DEMODULATORS + 2 * (number - 1) + part] = f"LI Demod {number} {letter} (A)"
    return tuple(named.get(index, name) for index, name in enumerate(names))


NAMES = _names()
"""The 128 signals."""


@runtime_checkable
class Demodulates(Protocol):
    """A bench that demodulates the current for the controller's own lock-in."""

    def demodulated_current(self, frequency: float, integration: float) -> complex:
        """X + iY of the current at ``frequency`` (Hz), noise included, averaged over ``integration`` (s) until now.

        A peak, so that the first harmonic over the modulation's amplitude is dI/dV. Phase zero is the modulation's.
        """


class SignalModule:
    """Reads every signal and keeps the bench's modulation as the lock-in module says."""

    def __init__(
        self,
        bench: Bench,
        settings: Settings,
        tip: TipModule,
        bias: BiasModule,
        current: CurrentModule,
        machine: Machine,
    ) -> None:
        self._bench, self._settings, self._machine = bench, settings, machine
        self._tip, self._bias, self._current = tip, bias, current
        self._demodulating = bench if isinstance(bench, Demodulates) else None

    def handlers(self) -> Mapping[str, Callable[..., Any]]:
        """What carries out which command."""
        handlers: dict[str, Callable[..., Any]] = {
            "Signals.NamesGet": lambda: (NAMES,),
            "Signals.MeasNamesGet": lambda: (NAMES,),
            "Signals.CalibrGet": self._calibration,
            "Signals.RangeGet": self._range,
            "Signals.ValGet": self._value,
            "Signals.ValsGet": self._values,
            "Signals.AddRTSet": self._assign,
            "Signals.AddRTGet": self._assigned,
            "UserOut.ValSet": self._put_out,
            "UserOut.CalibrSet": self._calibrate_output,
        }
        for name in ("OnOff", "Signal", "PhasReg", "Harmonic", "Amp", "PhasFreq"):
            command = COMMANDS[f"LockIn.Mod{name}Set"]
            handlers[command.name] = lambda *values, command=command: self._modulate_as_set(command, values)
        return handlers

    def read(self, indexes: Sequence[int], integration: float) -> FloatArray:
        """The signals of these numbers now, shape (len(indexes),); demodulators over the last ``integration`` s."""
        return np.array([self._read(int(index), integration) for index in indexes])

    @property
    def modulating(self) -> int:
        """The modulator that is on and modulates the bias, 0 for none."""
        for number in _NUMBERS:
            if self._settings.of("LockIn.ModOnOff", number)["on"] and self._modulates_bias(number):
                return number
        return 0

    def modulate(self, number: int) -> None:
        """Let modulator ``number`` modulate the bias, or (0) none."""
        if number == 0:
            self._tip.change(modulation_on=False)
            return
        self._tip.change(
            modulation_on=True,
            modulation_amplitude=self._settings.of("LockIn.ModAmp", number)["amplitude"],
            modulation_frequency=self._frequency_of("Mod", number),
        )

    def _modulate_as_set(self, command: Any, values: Sequence[Any]) -> tuple[()]:
        topic, part = command.name[:-3], values[:1]
        before = dict(self._settings.of(topic, *part)) if 1 <= values[0] <= 8 else {}
        self._settings.carry_out(command, values)
        on = [n for n in _NUMBERS if self._settings.of("LockIn.ModOnOff", n)["on"] and self._modulates_bias(n)]
        if len(on) > 1:
            self._settings.of(topic, *part).update(before)
            raise Refusal(f"modulators {on[0]} and {on[1]} would both modulate the bias: only one at a time may")
        self.modulate(on[0] if on else 0)
        return ()

    def _modulates_bias(self, number: int) -> bool:
        return bool(self._settings.of("LockIn.ModSignal", number)["signal"] == BIAS)

    def _frequency_of(self, part: str, number: int) -> float:
        register = self._settings.of(f"LockIn.{part}PhasReg", number)["register"]
        harmonic = self._settings.of(f"LockIn.{part}Harmonic", number)["harmonic"]
        return float(harmonic * self._settings.of("LockIn.ModPhasFreq", register)["frequency"])

    def _read(self, index: int, integration: float) -> float:
        _check_index(index)
        if index == CURRENT:
            return self._tip.current()
        if index in (LOCKIN_X, LOCKIN_Y):
            output = self._bench.lockin_output()
            return output.real if index == LOCKIN_X else output.imag
        if BIAS <= index < BIAS + 24:
            return self._output(index)
        demodulator, part = divmod(index - _DEMODULATORS, 2)
        if 0 <= demodulator < len(_NUMBERS):
            output = self._demodulated(demodulator + 1, integration)
            return output.imag if part else output.real
        return 0.0  # nothing is cabled to the other inputs

    def _output(self, index: int) -> float:
        if index == BIAS:
            return self._bench.tip.bias
        if index in (X, Y):
            return float(self._settings["FolMe.XYPos"]["x" if index == X else "y"])
        if index == Z:
            return self._bench.height()
        number = index - BIAS + 1
        return float(self._settings.of("UserOut.Val", number).get("value", 0.0)) if number in _NUMBERS else 0.0

    def _demodulated(self, number: int, integration: float) -> complex:
        """X + iY of a demodulator, or R + i phase (degrees) if it is set so; A peak."""
        output = self._current_at(self._frequency_of("Demod", number), integration)
        output *= cmath.exp(-1j * math.radians(self._settings.of("LockIn.DemodPhas", number)["phase"]))
        if self._settings.of("LockIn.DemodRTSignals", number)["signals"]:
            return complex(abs(output), math.degrees(cmath.phase(output)))
        return output

    def _current_at(self, frequency: float, integration: float) -> complex:
        if self._demodulating is not None:
            return self._demodulating.demodulated_current(frequency, integration)
        # Without it the demodulators see what the lock-in amplifier sees, in peak current instead of voltage.
        calibration, _ = self._current.calibration
        return self._bench.lockin_output() * math.sqrt(2) * calibration

    def _value(self, index: int, wait: int) -> tuple[float]:
        return (float(self._values([index], wait)[0][0]),)

    def _values(self, indexes: Sequence[int], wait: int) -> tuple[FloatArray]:
        period = self._settings["Util.AcqPeriod"]["period"]
        if wait:
            self._machine.wait(period)
        return (self.read(indexes, period),)

    def _calibration(self, index: int) -> tuple[float, float]:
        _check_index(index)
        return self._current.calibration if index == CURRENT else (1.0, 0.0)

    def _range(self, index: int) -> tuple[float, float]:
        _check_index(index)
        if index == Z:
            return Z_RANGE[1], Z_RANGE[0]
        if index in (X, Y):
            return 1e-6, -1e-6
        limit = self._bias.limit if index == BIAS else FULL_SCALE
        if index == CURRENT or 0 <= index - _DEMODULATORS < 2 * len(_NUMBERS):
            limit = self._current.limit
        return limit, -limit

    def _assign(self, first: int, second: int) -> None:
        for index in (first, second):
            _check_index(index)
        self._settings["Signals.AddRT"].update(first=NAMES[first], second=NAMES[second])

    def _assigned(self) -> tuple[tuple[str, ...], str, str]:
        kept = self._settings["Signals.AddRT"]
        return NAMES, str(kept["first"] or NAMES[0]), str(kept["second"] or NAMES[0])

    def _put_out(self, output: int, value: float) -> None:
        upper, lower = (self._settings.of("UserOut.Limits", _output(output), 0)[side] for side in ("upper", "lower"))
        if not lower <= value <= upper:
            raise Refusal(f"output {output} = {value:g} is out of range, {lower:g} to {upper:g} is allowed")
        self._settings.of("UserOut.Val", output)["value"] = value

    def _calibrate_output(self, output: int, calibration: float, offset: float) -> None:
        self._settings.of("UserOut.Calibr", _output(output)).update(calibration=calibration, offset=offset)


def _check_index(index: int) -> None:
    if not 0 <= index < len(NAMES):
        raise Refusal(f"signal index = {index} is out of range, 0 to {len(NAMES) - 1} is allowed")


def _output(number: int) -> int:
    if number not in _NUMBERS:
        raise Refusal(f"output = {number} is out of range, 1 to {len(_NUMBERS)} is allowed")
    return number
