"""A bench with nothing but a steady signal and the lock-in's filter: what the virtual lock-ins are tested on."""

from __future__ import annotations

import cmath
import math
import threading
from typing import TYPE_CHECKING

import numpy as np

from stmlab.clock import SimulatedClock
from stmlab.simulation.bench import GeneratorPanel, LockInPanel, TipPanel

if TYPE_CHECKING:
    from stmlab.arrays import ComplexArray


class LockInBench:
    """Signal at the reference frequency -> phase -> equal poles, exact for a signal that is constant in between."""

    def __init__(self, signal: complex = 0.0) -> None:
        self.clock = SimulatedClock()
        self.lock = threading.RLock()
        self.lockin, self.generator, self.tip = LockInPanel(), GeneratorPanel(), TipPanel()
        self.signal = signal  # V rms
        self._time = self.clock.now()
        self._poles = [0j] * 4
        self._captured: list[complex] = []
        self._until_next = 0.0
        self._capture_rate = 0.0
        self._overloaded = False

    def settle(self) -> None:
        """Let pass whatever the filter needs."""
        self.clock.sleep(100.0 * self.lockin.time_constant)

    def advance(self) -> None:
        elapsed = self.clock.now() - self._time
        self._time = self.clock.now()
        self._overloaded |= abs(self.signal) * math.sqrt(2.0) > self.lockin.input_range
        if self.lockin.capture_rate != self._capture_rate:
            self._capture_rate = self.lockin.capture_rate
            self._until_next = 1.0 / self._capture_rate if self._capture_rate else 0.0
        while self._capture_rate and elapsed >= self._until_next * (1.0 - 1e-9):
            self._filter(self._until_next)
            elapsed = max(0.0, elapsed - self._until_next)
            self._until_next = 1.0 / self._capture_rate
            self._captured.append(self._poles[self.lockin.poles - 1])
        self._filter(elapsed)
        if self._capture_rate:
            self._until_next -= elapsed

    def _filter(self, elapsed: float) -> None:
        if elapsed == 0.0:
            return
        target = self.signal * cmath.exp(-1j * math.radians(self.lockin.phase))
        x = elapsed / self.lockin.time_constant
        off = [pole - target for pole in self._poles]
        decay = [math.exp(-x) * x**k / math.factorial(k) for k in range(4)]
        self._poles = [target + sum(decay[j] * off[k - j] for j in range(k + 1)) for k in range(4)]

    def lockin_output(self) -> complex:
        self.advance()
        return self._poles[self.lockin.poles - 1]

    def lockin_captured(self) -> ComplexArray:
        captured, self._captured = np.array(self._captured, dtype=complex), []
        return captured

    def lockin_input_overloaded(self) -> bool:
        self.advance()
        overloaded, self._overloaded = self._overloaded, False
        return overloaded

    def current(self) -> float:
        return 0.0

    def height(self) -> float:
        return self.tip.height

    def move_tip(self, height: float) -> None:
        self.tip.height = height
