"""The lock-in's output: the filter in time, and what it captures on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stmlab.simulation.capture import Capture
from stmlab.simulation.lockin_filter import LowPassCascade, Tones

if TYPE_CHECKING:
    import numpy as np

    from stmlab.arrays import ComplexArray
    from stmlab.simulation.bench import LockInPanel


class Demodulator:
    """Filter and capture buffer; time moves only by ``live``."""

    def __init__(self, random: np.random.Generator) -> None:
        self._filter = LowPassCascade(random)
        self._capture = Capture()

    def follow(self, panel: LockInPanel, time: float) -> None:
        """Notice at ``time`` (s) that a capture was started or stopped."""
        self._capture.follow(panel.capture_rate, time)

    def live(self, tones: Tones, noise: float, panel: LockInPanel, start: float, end: float) -> None:
        """Live from ``start`` to ``end`` (s on the microscope's clock) with this input (see LowPassCascade.run)."""
        now = start
        for interval, count in self._capture.intervals(start, end):
            stages = self._filter.run(tones, noise, now, interval, count, panel.time_constant)
            self._capture.keep(stages[:, panel.poles - 1])
            now += count * interval
        if end > now:
            self._filter.run(tones, noise, now, end - now, 1, panel.time_constant)

    def output(self, panel: LockInPanel) -> complex:
        """X + iY now, V rms."""
        return self._filter.output(panel.poles)

    def captured(self) -> ComplexArray:
        """X + iY captured since this was last asked, V rms."""
        return self._capture.fetch()
