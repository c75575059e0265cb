"""A bench with a bare tunnel junction: exact, without noise, what the virtual STM controller is tested on."""

from __future__ import annotations

import cmath
import math
import threading

from stmlab.clock import SimulatedClock
from stmlab.simulation.bench import GeneratorPanel, LockInPanel, TipPanel

DECAY = 1e10  # 1/m
CONDUCTANCE = 10e-9  # S at z = 0
CUBIC = 20.0  # 1/V^2: I = G (V + c V^3)
PREAMPLIFIER = 1e9  # V/A
LOCKIN_PHASE = 0.3  # rad


class TunnelBench:
    """I = G exp(-2 kappa z) (V + c V^3); the feedback is at its setpoint at once; the surface may drift.

    Attributes:
        seen: (time, bias, feedback, modulation on) at every reading of the current.
        drift: m/s towards the tip.
    """

    def __init__(self, clock=None):
        self.clock = clock or SimulatedClock()
        self.lock = threading.RLock()
        self.lockin, self.generator, self.tip = LockInPanel(), GeneratorPanel(), TipPanel()
        self.seen = []
        self.drift = 0.0
        self._time = self.clock.now()
        self._height = 0.0

    def advance(self):
        elapsed, self._time = self.clock.now() - self._time, self.clock.now()
        self._height -= 0.0 if self.tip.withdrawn else self.drift * elapsed
        if self.tip.feedback and not self.tip.withdrawn:
            self._height = math.log(abs(self.law(0.0) / self.tip.setpoint)) / (2 * DECAY)
        if self.tip.opens_at is not None and self._time >= self.tip.opens_at:
            self._height += self.tip.lift
            self.tip.feedback, self.tip.opens_at = False, None

    def current(self):
        self.advance()
        self.seen.append((self.clock.now(), self.tip.bias, self.tip.feedback, self.tip.modulation_on))
        return 0.0 if self.tip.withdrawn else self.law(self._height)

    def largest_current(self):
        self.advance()
        return 0.0 if self.tip.withdrawn else abs(self.law(self._height))

    def height(self):
        self.advance()
        return self._height

    def move_tip(self, height):
        self.advance()
        assert self.tip.withdrawn or not self.tip.feedback
        self._height = height

    def lockin_output(self):
        """dI/dV times the modulation, V rms, as the preamplifier's output turned by the lock-in's phase."""
        self.advance()
        amplitude = self.tip.modulation_amplitude if self.tip.modulation_on else 0.0
        slope = self.conductance(self._height) * (1 + 3 * CUBIC * self.tip.bias**2)
        return PREAMPLIFIER * slope * amplitude / math.sqrt(2) * cmath.exp(1j * LOCKIN_PHASE)

    def law(self, height):
        return self.conductance(height) * (self.tip.bias + CUBIC * self.tip.bias**3)

    def conductance(self, height):
        return 0.0 if self.tip.withdrawn else CONDUCTANCE * math.exp(-2 * DECAY * height)

    def lockin_captured(self):
        raise NotImplementedError

    def lockin_input_overloaded(self):
        raise NotImplementedError
