"""Drivers on virtual instruments one of whose answers is exchanged: what every property and method makes of it."""

from __future__ import annotations

import inspect
import math
from dataclasses import dataclass, field

import numpy as np

from drivers.controls import Setting
from drivers.m8195a import M8195A
from drivers.nanonis import Nanonis
from drivers.nanonis_lockin import Filter
from drivers.nanonis_spectroscopy import SweepTiming
from drivers.nanonis_tip import LoopGains
from drivers.sr830 import SR830
from drivers.sr860 import SR860
from stmlab.simulation.m8195a import VirtualM8195A
from stmlab.simulation.nanonis import VirtualNanonis
from stmlab.simulation.sr830 import VirtualSR830
from stmlab.simulation.sr860 import VirtualSR860
from stmlab.simulation.wire import WireAdapter
from stmlab.station.instruments import PulsePair
from tests.simulation.generator_bench import GeneratorBench
from tests.simulation.lockin_bench import LockInBench
from tests.simulation.tunnel_bench import TunnelBench

PAIR = PulsePair(pump=0.3, probe=0.15, width=2e-9, rise_time=0.2e-9, delay=6e-9, period=50e-9)
NO_ANSWER = object()  # of a property that cannot be read


class Exchanging:
    """A session whose answer of this number (from 0) is exchanged.

    Attributes:
        answers: how many there were; questions without an answer do not count.
        first: of each answer's first 32 bytes, where a frame has its name -> the number of the first such answer.
    """

    def __init__(self, session, number, exchange) -> None:
        self._session, self._number, self._exchange, self.answers = session, number, exchange, 0
        self.first = {}

    def receive(self, data):
        answer = self._session.receive(data)
        if answer:
            self.first.setdefault(answer[:32], self.answers)
            if self.answers == self._number:
                answer = self._exchange(answer)
            self.answers += 1
        return answer


@dataclass(frozen=True, repr=False)
class Subject:
    """A driver and how it is driven.

    Attributes:
        driver: class.
        virtual: makes the instrument.
        calls: what to do -> a function of the driver.
        binary: whether answers are frames of the Nanonis interface.
        arguments: of the driver.
    """

    driver: type
    virtual: object
    calls: dict = field(hash=False)
    binary: bool = False
    arguments: dict = field(default_factory=dict, hash=False)
    seen: dict = field(default_factory=dict, init=False, hash=False)

    def __repr__(self) -> str:
        return self.driver.__name__

    def references(self):
        """Call -> what it returns undisturbed, and how many answers it takes."""
        if not self.seen:
            self.seen.update({name: self.run(name) for name in self.calls})
        return self.seen

    def connect(self, number=-1, exchange=None):
        """A driver of a new instrument, and its session; nothing is exchanged before ``begin``."""
        session = Exchanging(self.virtual().session(), number, exchange)
        return self.driver(WireAdapter(session), **self.arguments), session

    def commands(self):
        """Name in an answer -> a call and the number of the answer in it."""
        found = {}
        for name in self.calls:
            driver, session = self.connect()
            self.calls[name](driver)
            for frame, number in session.first.items():
                found.setdefault(frame.rstrip(b"\0").decode(), (name, number))
        return found

    def run(self, name, number=-1, exchange=None):
        """What the call ``name`` returns, and how many answers it took."""
        driver, session = self.connect(number, exchange)
        return self.calls[name](driver), session.answers


def _bench():
    bench = LockInBench()
    bench.signal = 1e-3 + 0.5e-3j
    bench.settle()
    return bench


def reading(name):
    def read(driver):
        part = driver
        for piece in name.split("."):
            part = getattr(part, piece)
        return part

    return read


def setting(name, value):
    def change(driver):
        *path, last = name.split(".")
        part = driver
        for piece in path:
            part = getattr(part, piece)
        setattr(part, last, value)

    return change


def properties(driver):
    """Names of every public property, those of pymeasure's classes too."""
    return sorted(
        name for name, value in inspect.getmembers(driver) if isinstance(value, property) and not name.startswith("_")
    )


def _lockin_calls(driver, virtual, without, methods):
    names = [name for name in properties(driver) if name not in without]
    sample = driver(WireAdapter(virtual().session()))
    settable = {name: getattr(sample, name) for name in names if isinstance(getattr(driver, name), Setting)}
    return {
        **{name: reading(name) for name in names},
        **{f"{name} set": setting(name, value) for name, value in settable.items()},
        **methods,
        "look": lambda lockin: lockin.look(),
        **{f"look {name}": lambda lockin, name=name: lockin.look([name]) for name in driver.BY_TURNS},
    }


_LOCKIN = {
    "clear": lambda lockin: lockin.clear(),
    "check_status": lambda lockin: lockin.check_status(),
    "snapshot": lambda lockin: lockin.snapshot(),
    "settling_time": lambda lockin: lockin.settling_time(),
    "noise_bandwidth": lambda lockin: lockin.noise_bandwidth(),
    "outputs_off": lambda lockin: lockin.outputs_off(),
    "quiet": lambda lockin: lockin.quiet(),
    "use_internal_reference": lambda lockin: lockin.use_internal_reference(),
    "prepare_input": lambda lockin: lockin.prepare_input(1e-3),
    "snap": lambda lockin: lockin.snap(),
}
_NOT_SIMULATED = ("buffer_count",)
_NOT_SCPI = ("complete", "next_error", "options")  # pymeasure offers them and refuses
_DEPRECATED = ("sensitvity", "filer_synchronous")  # pymeasure warns of them


def _synchronous(lockin):
    lockin.write("SYNC 1")
    return lockin.settling_time()


def _capture(lockin):
    lockin.configure_capture("XY", 512)
    lockin.start_capture()
    lockin.stop_capture()
    return lockin.captured_bytes


SR860_SUBJECT = Subject(
    SR860,
    lambda: VirtualSR860(_bench()),
    _lockin_calls(
        SR860,
        lambda: VirtualSR860(_bench()),
        (*_DEPRECATED, *_NOT_SCPI, "status"),
        _LOCKIN
        | {
            "snap_all": lambda lockin: lockin.snap_all(),
            "capture": _capture,
            "read_capture": lambda lockin: lockin.read_capture(),
            "synchronous": _synchronous,
        },
    ),
)
SR830_SUBJECT = Subject(
    SR830,
    lambda: VirtualSR830(_bench()),
    _lockin_calls(
        SR830,
        lambda: VirtualSR830(_bench()),
        (*_NOT_SIMULATED, *_NOT_SCPI),
        _LOCKIN
        | {
            "auto_phase": lambda lockin: lockin.auto_phase(),
            "auto_gain": lambda lockin: lockin.auto_gain(),
            "auto_offset": lambda lockin: lockin.auto_offset("X"),
            "get_scaling": lambda lockin: lockin.get_scaling("X"),
            "output_conversion": lambda lockin: lockin.output_conversion("X")(0.0),
            "is_out_of_range": lambda lockin: lockin.is_out_of_range(),
            "quick_range": lambda lockin: lockin.quick_range(),
            "synchronous": _synchronous,
        },
    ),
)
_SETTINGS = {
    **{"sample_clock": 60e9, "divider": 2, "dac_mode": "SING", "memory": "EXT", "function": "ARB", "level": 0.5},
    **{"offset": 0.1, "output": True, "continuous": False, "gate": True, "trigger_source": "TRIG"},
    **{"trigger_level": -1.25, "trigger_slope": "NEG"},
}
M8195A_SUBJECT = Subject(
    M8195A,
    lambda: VirtualM8195A(GeneratorBench(), 1),
    {
        **{name: reading(name) for name in properties(M8195A)},
        **{f"{name} set": setting(name, value) for name, value in _SETTINGS.items()},
        "snapshot": lambda generator: generator.snapshot(),
        "check_status": lambda generator: generator.check_status(),
        "off": lambda generator: generator.off(),
        "is_off": lambda generator: generator.is_off(),
        "play_tone": lambda generator: generator.play_tone(1e9, 0.1, gated=True),
        "play_pulses": lambda generator: generator.play_pulses(PAIR, gated=False),
        "upload": lambda generator: generator.upload(np.zeros(1280, np.int8)),
        "look": lambda generator: generator.look(),
        **{f"look {name}": lambda generator, name=name: generator.look([name]) for name in M8195A.BY_TURNS},
    },
)


def _nanonis_calls():
    parts = {
        "": Nanonis,
        "z.": type(reading("z")(_nanonis())),
        "safe_tip.": type(_nanonis().safe_tip),
        "signals.": type(_nanonis().signals),
        "lockin.": type(_nanonis().lockin),
        "spectroscopy.": type(_nanonis().spectroscopy),
    }
    names = [prefix + name for prefix, part in parts.items() for name in properties(part)]
    calls = {name: reading(name) for name in names if name not in (*_NOT_SCPI, "id", "status")}
    for kind in ("modulator", "demodulator"):
        part = type(getattr(_nanonis().lockin, kind)(1))
        for name in properties(part):
            calls[f"{kind}.{name}"] = lambda nanonis, kind=kind, name=name: getattr(
                getattr(nanonis.lockin, kind)(2), name
            )
    return calls | _NANONIS_SETTINGS | _NANONIS_METHODS


def _nanonis():
    return Nanonis(WireAdapter(VirtualNanonis(TunnelBench()).session()))


_NANONIS_SETTINGS = {
    f"{name} set": setting(name, value)
    for name, value in {
        **{"bias": 0.05, "setpoint": 2e-10, "feedback": False, "bias_range": "1 V", "session_path": "C:\\data"},
        **{"height_limits": (-1e-7, 1e-7), "z.gains": LoopGains(1e-11, 5e-3), "z.switch_off_delay": 0.1},
        **{"z.tip_lift": 1e-10, "z.withdraw_rate": 1e-6, "safe_tip.on": True, "spectroscopy.limits": (-0.1, 0.1)},
        **{"spectroscopy.points": 16, "spectroscopy.sweeps": 2, "spectroscopy.backward": True},
        "spectroscopy.timing": SweepTiming(settling=1e-3, slew_rate=1.0),
        "spectroscopy.channels": ("Current (A)",),
    }.items()
}
_NANONIS_METHODS = {
    "snapshot": lambda nanonis: nanonis.snapshot(),
    "check_status": lambda nanonis: nanonis.check_status(),
    "is_safe": lambda nanonis: nanonis.is_safe(),
    "is_withdrawn": lambda nanonis: nanonis.is_withdrawn(nanonis.state),
    "withdraw": lambda nanonis: nanonis.withdraw(),
    "feedback again": lambda nanonis: (setattr(nanonis, "feedback", False), setattr(nanonis, "feedback", True))[0],
    "modulation_off": lambda nanonis: nanonis.modulation_off(),
    "modulation_is_off": lambda nanonis: nanonis.modulation_is_off(),
    "set_safe_guard": lambda nanonis: nanonis.set_safe_guard(threshold=4e-9),
    "pulse": lambda nanonis: nanonis.bias_pulse(0.01, 0.1, relative=True),
    "home position": lambda nanonis: nanonis.z.set_home_position(1e-9),
    "signal": lambda nanonis: nanonis.signals.value("Bias (V)"),
    "signals": lambda nanonis: nanonis.signals.values(["Bias (V)", "Z (m)"]),
    "calibration": lambda nanonis: nanonis.signals.calibration("Current (A)"),
    "modulator amplitude set": lambda nanonis: setattr(nanonis.lockin.modulator(1), "amplitude", 1e-3),
    "modulator on": lambda nanonis: setattr(nanonis.lockin.modulator(1), "on", True),
    "low pass": lambda nanonis: setattr(nanonis.lockin.demodulator(1), "low_pass", Filter(2, 30.0)),
    "sweep": lambda nanonis: nanonis.sweep_bias(
        -0.01, 0.01, 4, settling=1e-3, integration=1e-3, slew=1.0, backward=True
    ),
    "start_unattended": lambda nanonis: nanonis.spectroscopy.start_unattended(),
    "look": lambda nanonis: nanonis.look(),
    **{f"look {name}": lambda nanonis, name=name: nanonis.look([name]) for name in Nanonis.BY_TURNS},
}
NANONIS_SUBJECT = Subject(
    Nanonis,
    lambda: VirtualNanonis(TunnelBench()),
    _nanonis_calls(),
    binary=True,
    arguments={"timeout": 1.0, "lockin_signals": ("LI Demod 1 X (A)", "LI Demod 1 Y (A)")},
)
SUBJECTS = (SR860_SUBJECT, SR830_SUBJECT, M8195A_SUBJECT, NANONIS_SUBJECT)


def alike(value, reference) -> bool:
    """Whether a value could stand where ``reference`` does: of its kind, of its shape, and finite."""
    if isinstance(reference, float):
        number = isinstance(value, float | int) and not isinstance(value, bool)  # a rate is 0.0625 Hz, or 1 Hz
        return number and (math.isfinite(value) or math.isinf(reference))
    if isinstance(reference, tuple) and type(reference) is tuple and type(value) is tuple:
        numbers = all(isinstance(item, int | float) for item in (*reference, *value))
        return not numbers or len(value) == len(reference)
    return type(value) is type(reference)
