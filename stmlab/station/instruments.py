"""What a sequence may ask of an instrument, whoever made it.

Each Protocol is one role of the station. A driver fills one or more roles (the STM controller is both the bias source
and the tip controller). SI units; angles in degrees here, as instruments have them. Amplitude is peak amplitude.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from stmlab.arrays import ComplexArray, FloatArray


Value = float | bool | str | int
"""Of a property, as an instrument is read."""


@dataclass(frozen=True)
class Look:
    """What one look at an instrument showed.

    Attributes:
        values: property -> value, of those that were read this time.
        reports: what the instrument says is wrong since the last look, in words.
        changed_itself: property -> why the instrument may have changed it by itself since the last look.
    """

    values: Mapping[str, Value]
    reports: tuple[str, ...] = ()
    changed_itself: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@runtime_checkable
class Device(Protocol):
    """What every instrument can do.

    Class attributes:
        WATCHED: properties that ``look`` reads, always or when they are due.
        BY_TURNS: those of them that it reads only when they are due.
    """

    WATCHED: ClassVar[tuple[str, ...]]
    BY_TURNS: ClassVar[tuple[str, ...]]

    def snapshot(self) -> Mapping[str, Any]:
        """Every setting worth keeping beside data, read from the instrument: property -> value."""

    def check_status(self) -> None:
        """Read status and error queue; raise InstrumentFault if the instrument reports anything wrong."""

    def look(self, due: Sequence[str] = ()) -> Look:
        """Read what must be known at every point, and those of ``BY_TURNS`` that are ``due``.

        One message to a lock-in or generator; two questions to an STM controller, and one for each that is due. It
        never waits for new data and leaves the events that it reads to ``check_status``, which tells them once more.
        """

    def agrees(self, name: str, wanted: Value, read: Value) -> bool:
        """Whether ``read`` is what the property ``name`` reads after ``wanted`` was set, within its resolution."""

    def reconnect(self) -> None:
        """Close the connection and make a new one to the same address; no setting is touched.

        Raises InstrumentLost if nothing answers there.
        """

    def close(self) -> None:
        """Let go of the connection; outputs stay as they are."""


@runtime_checkable
class LockIn(Device, Protocol):
    """A lock-in amplifier that reads voltages."""

    frequency: float  # of the internal reference, Hz
    phase: float  # degrees
    harmonic: int
    time_constant: float  # s, one of the instrument's steps
    filter_slope: int  # dB per octave: 6, 12, 18 or 24
    sensitivity: float  # V rms, full scale of the outputs
    sine_voltage: float  # V rms at the sine output (an output: guarded by limits)
    sine_offset: float  # V, DC level of the sine output (0 where there is none)
    aux_out_1: float  # V, auxiliary outputs
    aux_out_2: float
    aux_out_3: float
    aux_out_4: float

    @property
    def least_sine_voltage(self) -> float:
        """The smallest sine, V rms; not 0 if it cannot be switched off."""

    def outputs_off(self) -> None:
        """Sine to its least, DC level to 0, both read back. The auxiliary outputs stay as they are."""

    def quiet(self) -> bool:
        """Whether the sine is at its least and the DC level 0, as read back now."""

    @property
    def xy(self) -> tuple[float, float]:
        """X and Y at one moment, V rms."""

    def clear(self) -> None:
        """Forget the errors and overloads of before: the registers keep them until they are read."""

    def settling_time(self, residual: float = 1e-3) -> float:
        """Seconds after a step until the output is within ``residual`` of it, for the filter that is set."""

    def noise_bandwidth(self) -> float:
        """Equivalent noise bandwidth of the filter that is set, Hz."""

    def use_internal_reference(self) -> None:
        """Run on the internal oscillator, whose TTL chops the generator."""

    def prepare_input(self, full_scale: float) -> None:
        """AC-couple the input and choose the smallest input range and sensitivity that hold ``full_scale`` V rms."""


@dataclass(frozen=True)
class Tone:
    """A sine as the generator really plays it.

    Attributes:
        frequency: Hz, ``cycles * sample_rate / samples``.
        amplitude: V peak at the generator's connector, its sample-and-hold roll-off already compensated.
        cycles, samples: periods and samples in memory.
        sample_rate: samples per second that leave the memory, Sa/s.
        divider: of the sample clock: the clock runs at ``sample_rate * divider``.
    """

    frequency: float
    amplitude: float
    cycles: int
    samples: int
    sample_rate: float
    divider: int


@dataclass(frozen=True)
class PulsePair:
    """Pump and probe, as the generator really plays them.

    Attributes:
        pump, probe: V at the generator's connector (signed).
        width: full width at half maximum, s.
        rise_time: 10-90 % of the edges, s.
        delay: from the middle of the pump to the middle of the probe, s (negative: probe first).
        period: repetition time, s.
    """

    pump: float
    probe: float
    width: float
    rise_time: float
    delay: float
    period: float


@runtime_checkable
class Generator(Device, Protocol):
    """A waveform generator on the radio-frequency path."""

    @property
    def frequency_range(self) -> tuple[float, float]:
        """Lowest and highest tone, Hz."""

    def largest_amplitude(self, frequency: float) -> float:
        """Largest tone at the connector, V peak, at ``frequency`` (falls with the sample-and-hold roll-off)."""

    def plan_tone(self, frequency: float) -> Tone:
        """The tone of least frequency error (amplitude 0), without sending anything.

        Raises OutOfBounds for a frequency that cannot be played.
        """

    def play_tone(self, frequency: float, amplitude: float, *, gated: bool) -> Tone:
        """Play a sine of ``amplitude`` V peak at the connector; gated: only while the trigger input is high.

        Returns what is really played. Raises OutOfBounds before anything is sent.
        """

    def check_pulses(self, pulses: PulsePair) -> None:
        """Raise OutOfBounds or SequenceError for pulses that cannot be played; nothing is sent."""

    def play_pulses(self, pulses: PulsePair, *, gated: bool) -> PulsePair:
        """Play pump and probe over and over; returns what is really played."""

    def off(self) -> None:
        """Stop playing and open the output of every channel."""

    def is_off(self) -> bool:
        """Whether the output of every channel is open and nothing runs, as read back now."""

    @property
    def confirmed(self) -> Mapping[str, Value]:
        """What ``play_tone``, ``play_pulses`` or ``off`` has set last, as it was read back: watched property -> value.

        Empty before the first of them.
        """


@runtime_checkable
class BiasSource(Device, Protocol):
    """What sets the DC bias of the junction."""

    bias: float  # V (an output: guarded by limits)

    @property
    def bias_limits(self) -> tuple[float, float]:
        """Lowest and highest bias that the instrument itself allows now, V."""


class LoopStatus(Enum):
    """What the Z-controller says that it is doing."""

    OFF = "off"
    ON = "on"
    HOLD = "hold"
    SWITCHING_OFF = "switching off"
    TRIPPED = "tripped"
    WITHDRAWING = "withdrawing"


@dataclass(frozen=True)
class Setpoint:
    """Where the loop is closed: bias (V) and current (A, signed where the controller's is)."""

    bias: float
    current: float


@dataclass(frozen=True)
class TipState:
    """Where the tip is and what holds it.

    Attributes:
        loop: whether the loop is closed, as the real-time engine says.
        status: what the Z-controller's module says; the real-time engine may be behind it.
        current: A.
        height: Z, m; grows away from the sample.
        bias: V.
        setpoint: A.
        lower_limit, upper_limit: of Z, m.
        switch_off_delay: Z is averaged over so many seconds before the loop opens.
        tip_lift: the tip is retracted by so much when the loop opens, m.
    """

    loop: bool
    status: LoopStatus
    current: float
    height: float
    bias: float
    setpoint: float
    lower_limit: float
    upper_limit: float
    switch_off_delay: float
    tip_lift: float


@dataclass(frozen=True)
class SafeGuard:
    """The controller's own guard against too much current (SafeTip).

    Attributes:
        on: whether it watches.
        auto_recovery: whether the loop closes again by itself some time after a trip.
        threshold: magnitude of the signal at which it trips, A for the current.
        signal: what it watches, as it reads now.
    """

    on: bool
    auto_recovery: bool
    threshold: float
    signal: float


@dataclass(frozen=True)
class ActiveLoop:
    """Which of its Z-controllers the STM controller uses; the setpoint is a value of that one's signal.

    Attributes:
        name: as the STM controller calls it, such as ``log Current``.
        signal: what it regulates, such as ``Current``.
        logarithmic, absolute: of that; with neither the setpoint must have the sign of the signal.
    """

    name: str
    signal: str
    logarithmic: bool
    absolute: bool

    @property
    def of_current(self) -> bool:
        """Whether it regulates the tunnel current."""
        return "current" in self.signal.lower()

    @property
    def signed(self) -> bool:
        """Whether the sign of the setpoint matters."""
        return not (self.logarithmic or self.absolute)


@runtime_checkable
class TipController(Device, Protocol):
    """What holds the tip: current reading, feedback loop, height."""

    setpoint: float  # A (an output: guarded by limits)
    feedback: bool  # reading back gives what the controller really does
    height_limits: tuple[float, float]  # lowest and highest Z that the controller itself allows, m; read back when set

    @property
    def current(self) -> float:
        """Tunnel current, A."""

    @property
    def height(self) -> float:
        """Z position, m."""

    @property
    def state(self) -> TipState:
        """Where the tip is and what holds it, read now."""

    def is_withdrawn(self, state: TipState) -> bool:
        """Whether the loop is open and the tip is near its upper limit."""

    @property
    def safe_guard(self) -> SafeGuard:
        """The guard against too much current, read now."""

    def set_safe_guard(self, *, on: bool = True, auto_recovery: bool = False, threshold: float | None = None) -> None:
        """Set the guard and read it back; raises ValueNotTaken. ``threshold`` in A, None keeps it."""

    @property
    def active_loop(self) -> ActiveLoop:
        """The Z-controller that is used, read now."""

    def modulation_off(self) -> None:
        """Switch off every modulator of the controller itself, read back."""

    def modulation_is_off(self) -> bool:
        """Whether none of the controller's own modulators modulates, as read back now."""

    def withdraw(self) -> None:
        """Take the tip back and wait until it is there. It works at any bias and trusts no current."""

    def is_safe(self) -> bool:
        """Whether the SafeTip guard has not tripped and the tip is not withdrawing."""


@dataclass(frozen=True, eq=False)
class BiasSweep:
    """What a controller read while it swept the bias itself; each shape (n,), in the order of visit.

    Attributes:
        bias: V.
        current: A.
        x, y: the lock-in's outputs as the controller reads them, V rms.
    """

    bias: FloatArray
    current: FloatArray
    x: FloatArray
    y: FloatArray


@runtime_checkable
class BiasSpectroscope(Device, Protocol):
    """A controller that sweeps the bias by itself, at an even pace, with the feedback open."""

    def sweep_bias(
        self,
        start: float,
        stop: float,
        points: int,
        *,
        settling: float,
        integration: float,
        slew: float,
        backward: bool,
        tell: Callable[[BiasSweep], None] | None = None,
    ) -> BiasSweep:
        """Sweep from ``start`` to ``stop`` (V) and, ``backward``, back again; returns when that is done.

        Equal ends record the current against time. The bias ends where it was, the feedback as it was.

        Args:
            start: first bias, V.
            stop: last bias, V.
            points: in one direction.
            settling: s at each point before it is read.
            integration: s over which each point is averaged.
            slew: of the bias between points, V/s.
            backward: sweep back too.
            tell: called from another thread with what can be seen of the sweep so far, where the station has a
                ``live_address`` for that: for viewers, not the data.
        """


@runtime_checkable
class RadioFrequencyPath(Protocol):
    """All between the generator's connector and the junction."""

    @property
    def band(self) -> tuple[float, float]:
        """Lowest and highest frequency for which the transfer is known, Hz."""

    def transfer(self, frequency: FloatArray) -> ComplexArray:
        """Complex amplitude at the junction over amplitude at the connector; same shape as ``frequency`` (Hz).

        Raises OutOfBounds outside the band: an extrapolated transfer function is a guess.
        """

    def as_measured(self, table: Path) -> RadioFrequencyPath:
        """The same path with a transfer function that was measured as a whole, from connector to junction.

        Args:
            table: file of it, as the sequence ``transfer`` writes it.
        """

    def check(self, *, voltage: float = 0.0, current: float = 0.0, rf_amplitude: float = 0.0) -> None:
        """Raise OutOfBounds if a DC voltage (V), DC current (A) or RF amplitude (V peak) is more than it stands."""

    def check_age(self, today: date) -> None:
        """Raise StationError if the transfer function is older than the station allows, or has no date then."""

    def describe(self) -> Mapping[str, Any]:
        """Where the transfer function comes from: file, date, band."""


@dataclass(frozen=True)
class Preamplifier:
    """The current preamplifier: not on any bus, so its settings are configuration.

    Attributes:
        gain: V/A.
        bandwidth: -3 dB of its single pole, Hz.
        saturation: largest output, V.
        model: what stands on its front.
    """

    gain: float
    bandwidth: float
    saturation: float
    model: str = ""

    def response(self, frequency: float) -> complex:
        """Output over input at ``frequency`` (Hz), V/A, with amplitude roll-off and phase."""
        return self.gain / complex(1.0, frequency / self.bandwidth)
