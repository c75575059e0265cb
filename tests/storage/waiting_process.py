"""A run that has taken three points, says so and waits before the fourth until it is killed."""

import os
import signal

import numpy as np

from stmlab.acquisition.runner import Runner
from stmlab.axes import Axis
from tests.acquisition.bench_station import BenchStation, Ramp


class Sweeps(Ramp):
    channels = Ramp.channels[:1]
    sweep = False
    taken = 0

    def axes(self):
        return (*super().axes(), Axis("bias", "V", np.arange(100.0), hardware=True)) if self.sweep else super().axes()

    def point_seconds(self):
        return 0.0

    def measure(self):
        self.taken += 1
        return {"reading": self.taken + np.arange(100.0) if self.sweep else float(self.taken)}

    def wait(self, seconds):
        if self.taken == 3:
            super().wait(0.01)
            os.write(1, b"waiting\n")
            signal.pause()
        super().wait(seconds)


class HardwareSweeps(Sweeps):
    sweep = True


def run(path, mode):
    """``mode``: arrays, numbers."""
    kind = HardwareSweeps if mode == "arrays" else Sweeps
    Runner(kind(points=9, rows=1, settling=30.0), BenchStation(), path).run()
