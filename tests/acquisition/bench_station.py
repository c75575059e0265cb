"""A station of two imaginary instruments with no delay, for tests of the runner: it notes what is done to it."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from stmlab.acquisition.parameters import FloatParameter, IntegerParameter
from stmlab.acquisition.sequence import Sequence
from stmlab.axes import Axis, Channel
from stmlab.clock import SimulatedClock
from stmlab.station.limits import Limit
from stmlab.station.safe_report import Ending, Loop, SafeReport


class BenchWatch:
    """A watch that sees what a test tells it to: an error to raise, a disturbance, or nothing; one look at a time."""

    def __init__(self, clock):
        self.looks, self.begun, self.seen = 0, 0, {}
        self._clock = clock
        self.before = self.oldest = self.looked = -1.0
        self.interval = 0.05

    def begin(self):
        self.begun += 1

    def look_at_everything(self):
        """All is well."""

    def look(self):
        if self._clock.now() == self.looked:
            return None
        self.before, self.looked = self.looked, self._clock.now()
        self.looks += 1
        seen = self.seen.pop(self.looks, None)
        if isinstance(seen, Exception):
            raise seen
        return seen


class BenchStation:
    """Stands in for stmlab.Station: same face, a list of what happened instead of instruments."""

    def __init__(self, *, problems=(), clock=None):
        self.clock = clock or SimulatedClock()
        self.config = SimpleNamespace(name="bench", user="")
        self.path, self.longest_pause, self.attempts = "bench.toml", 3600.0, 4
        self.heartbeat = SimpleNamespace(expect=lambda seconds: None, rest=lambda: None)
        self.watch = BenchWatch(self.clock)
        self.text, self.sample, self.seed, self.simulation = "", "", 1, None
        self.log, self.audit = [], SimpleNamespace(run="")
        self.value = 0.0
        self._problems = list(problems)
        self.displaced = []  # what `moved_from` says, one after the other

    def sample_warnings(self, parameters):
        return ()

    def limit(self, name):
        return Limit(name, "V", -1.0, 1.0, "bench.toml: limits.source")

    def check_demands(self, demands):
        for name, values in demands.items():
            self.limit(name).check(values)

    def check_recorded(self, axes, parameters):
        """Nothing here is replayed."""

    def hold(self):
        self.log.append("hold")

    def make_safe(self, ending=Ending.FAULT):
        self.log.append("safe" if ending is Ending.NORMAL else "safe after a fault")
        return SafeReport(Loop.CLOSED, tuple(self._problems))

    def prepare_outputs(self, demands):
        self.log.append("outputs")

    def reconnect(self, checkpoint):
        checkpoint()
        self.log.append("reconnect")

    def place(self):
        return self.value

    def moved_from(self, place):
        return self.displaced.pop(0) if self.displaced else ""

    def snapshot(self):
        return {"source": {"value": self.value}}

    def check_status(self):
        self.log.append("status")


class Ramp(Sequence):
    """Moves a source along a line, as often as ``rows`` says, and reads it back."""

    name = "ramp"
    title = "a ramp"
    channels = (Channel("reading", "V", "the source read back"), Channel("square", "V^2", "its square"))
    end = FloatParameter("End", units="V", default=1.0, minimum=-10, maximum=10, description="last value")
    points = IntegerParameter("Points", default=5, minimum=1, maximum=1_000_000)
    rows = IntegerParameter("Rows", default=2, minimum=1, maximum=1000)
    settling = FloatParameter("Settling", units="s", default=0.0, minimum=0, maximum=100)

    def axes(self):
        return (
            Axis("row", "", np.arange(self.rows, dtype=float)),
            Axis("source", "V", np.linspace(0.0, self.end, self.points)),
        )

    def demands(self):
        return {"source": self.axes()[1].values}

    def point_seconds(self):
        return float(self.settling)

    def prepare(self):
        self.station.log.append("prepare")

    def move_row(self, value):
        self.station.log.append(f"row {value:g}")

    def move_source(self, value):
        self.station.value = value

    def settling_time(self):
        return self.settling

    def measure(self):
        return {"reading": self.station.value, "square": self.station.value**2}

    def finish(self):
        self.station.log.append("finish")
