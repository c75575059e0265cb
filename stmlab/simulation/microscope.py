"""The simulated microscope: the Bench of its virtual instruments.

    generator -> line, bias tee --+
                                  +--> junction -> preamplifier -> lock-in (filter in time) -> X, Y
    controller's bias ------------+         |            +-------> converter -> current
                                            +-- tip height (feedback, drift, withdrawal)

Time is lived through in ``advance`` only, with the panels as they stand, in pieces in which the conductance hardly
changes. A bias set by the controller is at the junction at once, and what the chopper switches settles within each half
period; the lock-in's filter, the feedback loop and the drift take the time that they take. Instruments may be served by
threads: ``lock`` is held for one reading or one change (see ``machine``).
"""

from __future__ import annotations

import importlib
import math
import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.config_files import find
from stmlab.errors import PhysicsError, StationError
from stmlab.physics.constants import CONDUCTANCE_QUANTUM_S
from stmlab.simulation.bench import GeneratorPanel, LockInPanel, TipPanel
from stmlab.simulation.config import SimulationConfig
from stmlab.simulation.converter import CurrentConverter
from stmlab.simulation.currents import Levels
from stmlab.simulation.demodulator import Demodulator
from stmlab.simulation.fault_injection import Faults
from stmlab.simulation.faults import Fault
from stmlab.simulation.feedback import Loop, Release, Tip
from stmlab.simulation.flight_recorder import FlightRecorder, TrueState
from stmlab.simulation.replay.recorded import RecordedJunction
from stmlab.simulation.replay.trace import PlayedTrace, RecordedTrace
from stmlab.simulation.samples import Sample, read_sample, recorded_sample
from stmlab.simulation.signal_path import SignalPath
from stmlab.simulation.telegraph import SlowSwitch
from stmlab.simulation.wire import WireAdapter

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from stmlab.arrays import ComplexArray, FloatArray
    from stmlab.clock import Clock
    from stmlab.simulation.lockin_input import InputSignal

_INSTRUMENTS = {
    "sr860": "stmlab.simulation.sr860:VirtualSR860",
    "sr830": "stmlab.simulation.sr830:VirtualSR830",
    "m8195a": "stmlab.simulation.m8195a:VirtualM8195A",
    "nanonis": "stmlab.simulation.nanonis:VirtualNanonis",
}


class SimulatedMicroscope:
    """A microscope with a sample in it; implements Bench.

    Args:
        sample: what is under the tip.
        clock: the only source of time.
        seed: of all noise.
        config: everything between the instruments and the sample.
    """

    def __init__(self, sample: Sample, *, clock: Clock, seed: int = 0, config: SimulationConfig | None = None) -> None:
        self.sample, self.clock, self.seed = sample, clock, seed
        self.lock = threading.RLock()
        self.recorder: FlightRecorder | None = None
        self.faults = Faults(self)
        config = config if config is not None else SimulationConfig()
        self.config = config.model_copy(update={"noise": config.noise and sample.noise})
        self.lockin, self.generator, self.tip = LockInPanel(), GeneratorPanel(), TipPanel()
        self.recorded = sample.junction if isinstance(sample.junction, RecordedJunction) else None
        if self.recorded is not None:
            self.tip.bias, self.tip.setpoint = self.recorded.home
        self._played = PlayedTrace(self.recorded) if isinstance(self.recorded, RecordedTrace) else None
        self.preamplifier = self.config.preamplifier
        self._path = SignalPath(self, sample.junction, self.config)
        for_lockin, for_converter, for_switch = np.random.default_rng(seed).spawn(3)
        self._demodulator = Demodulator(for_lockin)
        self._converter = CurrentConverter(self.config.converter_bandwidth, for_converter)
        self._switch = SlowSwitch(self.config.converter_bandwidth, for_switch)
        self._time = clock.now()
        contact = math.log(CONDUCTANCE_QUANTUM_S / sample.junction.reference_conductance)
        self._tip = Tip(sample.decay_constant, drift=self.config.drift, contact=contact, time=self._time)
        self._tip.move(-self._path.setpoint_log_scale() / (2 * sample.decay_constant))
        self._away = False
        self._overloaded, self._overloaded_until = False, -math.inf
        self._largest_current = 0.0
        self._instruments: dict[str, Any] = {}

    @classmethod
    def from_config(
        cls,
        mapping: Mapping[str, Any],
        *,
        sample: str | None = None,
        replay: Mapping[str, Any] | None = None,
        seed: int | None = None,
        clock: Clock,
        directory: Path,
    ) -> SimulatedMicroscope:
        """The microscope of a station file.

        Args:
            mapping: see SimulationConfig.
            sample: overrides the one in ``mapping``.
            replay: a recording that is the sample, see ReplayTable; None: no recording.
            seed: overrides the one in ``mapping``.
            clock: of the station.
            directory: of the station file; samples are first looked for in ``samples`` beside it.

        Raises:
            pydantic.ValidationError: ``mapping`` has a wrong key or value.
            StationError: no sample is named, or its file is missing or wrong.
            FileError, FitError: the recording cannot be replayed.
        """
        config = SimulationConfig.model_validate(dict(mapping))
        seed = config.seed if seed is None else seed
        if replay is not None:
            return cls(recorded_sample(replay), clock=clock, seed=seed, config=config)
        name = sample or config.sample
        if not name:
            raise StationError("the simulated microscope needs a sample: name a file of config/samples")
        beside = directory / "samples" / f"{name}.toml"
        path = beside if beside.is_file() else find(name, "samples")
        return cls(read_sample(path), clock=clock, seed=seed, config=config)

    def true_values(self, v_dc: float, v_ac: float) -> Mapping[str, float | str]:
        """What an experiment at bias ``v_dc`` and drive amplitude ``v_ac`` (V) should find; keys carry the unit."""
        return self.sample.true_values(v_dc, v_ac)

    def true_transfer(self, frequency: FloatArray) -> ComplexArray:
        """Amplitude at the junction over amplitude at the generator's connector, as it really is; Hz."""
        return self._path.transfer(frequency)

    # -- connections ---------------------------------------------------------------------------------------------

    def instrument(self, name: str) -> Any:
        """The virtual instrument "sr860", "sr830", "m8195a" or "nanonis", a VirtualInstrument: one of each.

        Raises:
            StationError: there is no instrument of that name.
        """
        if name not in _INSTRUMENTS:
            raise StationError(f"simulation:{name}: no such instrument; there are {', '.join(_INSTRUMENTS)}")
        if name not in self._instruments:
            module, _, virtual = _INSTRUMENTS[name].partition(":")
            instrument = getattr(importlib.import_module(module), virtual)(self)
            instrument.machine.interference = self.faults.on_wire(name)
            self._instruments[name] = instrument
        return self._instruments[name]

    def adapter(self, name: str) -> WireAdapter:
        """A new connection to an instrument, inside this process."""
        address = f"simulation:{name}"
        instrument = self.instrument(name)
        return WireAdapter(instrument.session(address), name=address, renew=lambda: instrument.session(address))

    # -- Bench -----------------------------------------------------------------------------------------------------

    def advance(self) -> None:
        """Live through the time up to ``clock.now()`` with the panels as they are; open the loop when that is due."""
        with self.lock:
            self._notice_withdrawal()
            self._demodulator.follow(self.lockin, self._time)
            if self._played is not None:
                self._played.follow(sampling=self.tip.sampling)
            now = self.clock.now()
            if now > self._time:
                self._live_until(now)
            if self.recorder is not None:
                self.recorder.notice(self.tip, self._state)

    def lockin_output(self) -> complex:
        """X + iY of the lock-in now, V rms."""
        with self.lock:
            self.advance()
            if self.recorded is not None and not self._loop_closed() and not self.tip.withdrawn:
                self.recorded.check_reading(self._path.bias)
            return self._demodulator.output(self.lockin)

    def lockin_captured(self) -> ComplexArray:
        """X + iY every 1 / ``lockin.capture_rate`` since that was set, V rms; each value is given out once."""
        with self.lock:
            self.advance()
            return self._demodulator.captured()

    def lockin_input_overloaded(self) -> bool:
        """Whether the lock-in's input has exceeded its range since this was last asked, or does so now."""
        with self.lock:
            self.advance()
            scale = self._tip.scale
            overloaded = self._overloaded or self._exceeds_range(self._path.input(self._path.levels(scale), scale))
            self._overloaded = False
            return overloaded

    def current(self) -> float:
        """Tunnel current now as the controller's converter reads it, A."""
        with self.lock:
            self.advance()
            levels = self._path.levels(self._tip.scale)
            on, off = map(self.preamplifier.passed, (levels.on, levels.off))
            mean = Levels(on, off, levels.chopped).mean
            return self._converter.reading(mean + self._switching(), self._path.current_noise(mean))

    def largest_current(self) -> float:
        """Largest magnitude of the tunnel current since this was last asked, without noise, A."""
        with self.lock:
            self.advance()
            levels, largest = self._path.levels(self._tip.scale), self._largest_current
            self._largest_current = 0.0
            return max(largest, abs(levels.on), abs(levels.off))

    def height(self) -> float:
        """Z position of the tip now, m; zero where the conductance was the sample's reference at the beginning."""
        with self.lock:
            self.advance()
            return self._tip.height

    def move_tip(self, height: float) -> None:
        """Put the tip at ``height`` (m).

        Raises:
            PhysicsError: feedback is on and holds the tip.
        """
        with self.lock:
            self.advance()
            if self.tip.feedback and not self.tip.withdrawn:
                raise PhysicsError(f"height = {height:.6g} m: the feedback holds the tip; switch it off first")
            self._tip.move(height)

    # -- beyond the Bench ------------------------------------------------------------------------------------------

    def preamplifier_saturated(self) -> bool:
        """Whether the preamplifier is at its end now, with the microwave on or off."""
        with self.lock:
            self.advance()
            levels = self._path.levels(self._tip.scale)
            return self.preamplifier.saturates(np.array([levels.on, levels.off]))

    def live(self) -> None:
        """Let happen what is due without anybody asking; a served microscope does so many times a second."""
        self.faults.live()
        self.advance()
        controller = self._instruments.get("nanonis")
        if controller is not None:
            controller.live()

    def record(self) -> FlightRecorder:
        """Switch the flight recorder on, if it is off; returns it."""
        with self.lock:
            if self.recorder is None:
                self.advance()
                self.recorder = FlightRecorder(closed=self._loop_closed())
            return self.recorder

    def true_state(self) -> TrueState:
        """The junction as it is, whatever the instruments report."""
        with self.lock:
            self.advance()
            return self._state()

    def arm(self, fault: Mapping[str, Any]) -> int:
        """Let a fault happen, as a table of a station file describes it; returns its id.

        Raises:
            pydantic.ValidationError: ``fault`` has a wrong key or value (see Fault).
        """
        return self.faults.arm(Fault.model_validate(fault))

    def jump(self, distance: float) -> None:
        """Let the tip change, as if it were ``distance`` (m) closer."""
        with self.lock:
            self.advance()
            self._tip.jump(distance)

    def drift(self, rate: float) -> None:
        """Let the surface drift by ``rate`` (m/s) towards the tip, beyond what is configured."""
        with self.lock:
            self.advance()
            self._tip.set_drift(self.config.drift + rate)

    def overload(self, seconds: float) -> None:
        """Let the lock-in's input exceed its range for ``seconds``, at least once."""
        with self.lock:
            self.advance()
            self._overloaded, self._overloaded_until = True, self._time + seconds

    # -- the physics -----------------------------------------------------------------------------------------------

    def _live_until(self, now: float) -> None:
        release = self._release()
        for piece in self._tip.pieces(now, self._loop(), release):
            if piece.end > piece.start:
                self._live(piece.start, piece.end, piece.scale)
        if release is not None and release.at <= now:
            self.tip.feedback, self.tip.opens_at = False, None
        if self._played is not None:
            self._played.live(now - self._time)
        self._switch.live(now - self._time, self._path.telegraph(self._tip.scale))
        self._converter.live(now - self._time)
        self._time = now

    def _live(self, start: float, end: float, scale: float) -> None:
        reference, levels = self._path.reference, self._path.levels(scale)
        self._largest_current = max(self._largest_current, abs(levels.on), abs(levels.off))
        if self.recorder is not None:
            self.recorder.lived(
                conductance=self._path.conductance(levels, scale),
                current=max(abs(levels.on), abs(levels.off)),
                bias=abs(self._path.bias),
                voltage=self._path.largest_voltage,
                closed=self._loop_closed(),
            )
        signal = self._path.input(levels, scale)
        self._overloaded = self._overloaded or self._exceeds_range(signal)
        tones = self._path.tones(signal)
        noise = self._path.input_noise(levels, self.lockin.harmonic * reference)
        self._demodulator.live(tones, noise, self.lockin, start, end)

    def _switching(self) -> float:
        """Of the current from its mean, A: what switches by itself, or was recorded to do so; seen with open loop."""
        if self.tip.feedback:
            return 0.0
        if self._played is not None:
            return self._played.deviation(self._path.bias, self._tip.scale) if self.tip.sampling else 0.0
        return self._switch.deviation(self._path.telegraph(self._tip.scale))

    def _state(self) -> TrueState:
        scale, path = self._tip.scale, self._path
        levels, amplitude = path.levels(scale), path.generator_amplitude
        return TrueState(
            time=self._time,
            bias=path.bias,
            setpoint=self.tip.setpoint,
            loop_closed=self._loop_closed(),
            current=max(levels.on, levels.off, key=abs),
            conductance=path.conductance(levels, scale),
            height=self._tip.height,
            rf_on=amplitude > 0.0,
            rf_amplitude=amplitude,
            modulation=path.modulation,
            tripped=self.tip.tripped,
            withdrawn=self.tip.withdrawn,
        )

    def _loop_closed(self) -> bool:
        return self.tip.feedback and not self.tip.withdrawn

    def _exceeds_range(self, signal: InputSignal) -> bool:
        return signal.peak > self.lockin.input_range or self._time < self._overloaded_until

    def _notice_withdrawal(self) -> None:
        if self.tip.withdrawn and not self._away:
            self._tip.move(self._tip.height + self.config.withdraw_distance)
        self._away = self.tip.withdrawn

    def _loop(self) -> Loop | None:
        if self.tip.withdrawn or not self.tip.feedback:
            return None
        return Loop(self._path.setpoint_log_scale(), self.tip.proportional_gain, self.tip.loop_time_constant)

    def _release(self) -> Release | None:
        """The loop that is being switched off, unless it is stuck."""
        tip = self.tip
        if tip.opens_at is None or not self._loop_closed():
            return None
        if tip.stuck == "closed":
            tip.opens_at = None
            return None
        return Release(tip.opens_at - tip.switch_off_delay, tip.opens_at, tip.lift)
