"""The controller's current converter: a low-pass in front of it limits the noise of its readings."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


class CurrentConverter:
    """White current noise behind a single pole, in time: two readings soon after each other share their noise.

    Args:
        bandwidth: -3 dB of the pole, Hz; the noise bandwidth is pi/2 times that.
        random: where the noise is drawn from.
    """

    def __init__(self, bandwidth: float, random: np.random.Generator) -> None:
        self._bandwidth = bandwidth
        self._random = random
        self._noise = float(random.standard_normal())  # in units of its standard deviation

    def live(self, seconds: float) -> None:
        """Let ``seconds`` pass."""
        kept = math.exp(-2 * math.pi * self._bandwidth * seconds)
        self._noise = kept * self._noise + math.sqrt(1 - kept * kept) * float(self._random.standard_normal())

    def reading(self, current: float, density: float) -> float:
        """``current`` (A) as it is read now, with noise of one-sided ``density`` (A/sqrt(Hz))."""
        return current + density * math.sqrt(0.5 * math.pi * self._bandwidth) * self._noise
