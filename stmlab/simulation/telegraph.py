"""Slow switching, seen in time: a junction that goes back and forth between two states while one watches.

Fast junctions answer with averages. Where a junction switches no faster than about ten times what the controller's
converter can follow, its state is followed in time instead: exponential dwells with the rates of the present bias, and
the converter's single pole behind them. It shows in the current readings while the feedback is open and no microwave
plays; the loop is taken to follow the mean, and the lock-in's noise does not contain it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from stmlab.simulation.junctions import Telegraph

_FAST = 10.0  # of the converter's rate 2 pi f: a junction that switches faster is not followed


class SlowSwitch:
    """State of a junction that switches slowly, and what of it has passed the converter.

    Args:
        bandwidth: -3 dB of the converter's pole, Hz.
        random: where the dwells are drawn from.
    """

    def __init__(self, bandwidth: float, random: np.random.Generator) -> None:
        self._pole = 2 * math.pi * bandwidth
        self._random = random
        self._excited: bool | None = None  # None: not followed up to now
        self._passed = 0.0  # excited state behind the pole, 0 to 1

    def live(self, seconds: float, telegraph: Telegraph | None) -> None:
        """Let ``seconds`` pass with the rates of ``telegraph`` (None: nothing that switches by itself)."""
        if telegraph is None or telegraph.total >= _FAST * self._pole:
            self._excited = None
            return
        if self._excited is None:
            self._excited = bool(self._random.random() < telegraph.occupation)
            self._passed = float(self._excited)
        left = seconds
        while left > 0:
            leaving = telegraph.relaxation_per_s if self._excited else telegraph.excitation_per_s
            dwell = float(self._random.exponential(1 / leaving)) if leaving > 0 else math.inf
            # A dwell that outlasts the time has no memory: the next call may draw it anew.
            self._pass(min(dwell, left))
            left -= dwell
            if left > 0:
                self._excited = not self._excited

    def deviation(self, telegraph: Telegraph | None) -> float:
        """Of the current behind the converter from its mean, A."""
        if telegraph is None or self._excited is None:
            return 0.0
        return telegraph.difference_A * (self._passed - telegraph.occupation)

    def _pass(self, seconds: float) -> None:
        goal = float(bool(self._excited))
        self._passed = goal + (self._passed - goal) * math.exp(-self._pole * seconds)
