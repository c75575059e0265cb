"""What the station file says of outputs: ``[limits]``, ``[safe]``, ``[[interlock]]`` and the controller's own limits.

The slew and the largest step of the bias decide how long a ramp takes, and so how long the safe state is on its way:
both are bounded here.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from stmlab.station.tables import Ampere, Finite, Hertz, Metre, Second, Table, Volt, VoltPerSecond, quantity

LONGEST_RAMP = 600.0
"""s, of the bias from its lowest to its highest value."""
MOST_STEPS = 100_000
"""Steps of the bias from its lowest to its highest value."""


class _Limit(Table):
    @model_validator(mode="after")
    def _ordered(self) -> _Limit:
        low, high = getattr(self, "low", None), getattr(self, "high", None)
        if low is not None and high is not None and not low < high:
            raise ValueError(f"low = {low:g} must be below high = {high:g}")
        return self


class BiasLimit(_Limit):
    """The DC bias of the junction."""

    low: Volt
    high: Volt
    largest_step: Volt = Field(gt=0)
    slew: VoltPerSecond = Field(gt=0)
    smallest_with_feedback: Volt = Field(default=1e-3, gt=0)

    @property
    def largest_magnitude(self) -> float:
        """V."""
        return max(abs(self.low), abs(self.high))

    @model_validator(mode="after")
    def _ramps_end(self) -> BiasLimit:
        span = self.high - self.low
        if not span / self.slew <= LONGEST_RAMP:
            raise ValueError(
                f"slew = {self.slew:g} V/s: from low to high the bias would take {span / self.slew:.3g} s, at most "
                f"{LONGEST_RAMP:g} s is allowed: {span / LONGEST_RAMP:.3g} V/s or more is needed"
            )
        if not span / self.largest_step <= MOST_STEPS:
            raise ValueError(
                f"largest_step = {self.largest_step:g} V: from low to high the bias would take "
                f"{span / self.largest_step:.3g} steps, at most {MOST_STEPS} are allowed"
            )
        if self.smallest_with_feedback > self.largest_magnitude:
            raise ValueError(
                f"smallest_with_feedback = {self.smallest_with_feedback:g} V is beyond low and high: the feedback "
                "could never be closed"
            )
        return self


class SetpointLimit(_Limit):
    """The feedback's current setpoint (magnitude); ``low`` lies above the preamplifier's offset and noise."""

    low: Ampere = Field(gt=0)
    high: Ampere


class AmplitudeLimit(_Limit):
    """A peak amplitude."""

    low: Volt = Field(default=0.0, ge=0)
    high: Volt


class JunctionLimit(Table):
    """What may stand at the junction in all, V peak: DC bias, modulation, microwave, pulses and offsets added up."""

    high: Volt = Field(gt=0)


class FrequencyLimit(_Limit):
    """A frequency."""

    low: Hertz = Field(ge=0)
    high: Hertz


class LimitsConfig(Table):
    """Bounds of every output: an output without bounds cannot be used."""

    bias: BiasLimit
    setpoint: SetpointLimit
    rf_frequency: FrequencyLimit | None = None
    rf_amplitude: AmplitudeLimit | None = None
    junction_amplitude: AmplitudeLimit | None = None
    modulation: AmplitudeLimit | None = None
    junction_total: JunctionLimit | None = None


class SafeConfig(Table):
    """What the station falls back to, whatever happens.

    Attributes:
        bias: V.
        setpoint: A.
        feedback: of the safe state itself: closed at bias and setpoint, or the tip withdrawn.
        on_end: where a run that ends as it should leaves the tip: at its own setpoint, or in the safe state.
        on_fault: after a fault, or with nobody there: withdrawn, or the safe state.
        longest_pause: after which a paused run withdraws the tip, s.
    """

    bias: Volt
    setpoint: Ampere = Field(gt=0)
    feedback: Literal["on", "withdraw"]
    on_end: Literal["setpoint", "safe"] = "setpoint"
    on_fault: Literal["withdraw", "safe"] = "withdraw"
    longest_pause: Second = Field(default=3600.0, gt=0)

    @model_validator(mode="after")
    def _not_zero(self) -> SafeConfig:
        if self.feedback == "on" and self.bias == 0.0:
            raise ValueError("bias = 0 with feedback on would drive the tip into the sample: give a bias or withdraw")
        return self

    def refusal(self, limits: LimitsConfig) -> str | None:
        """Why the safe state cannot be within ``limits``, or None."""
        bias, setpoint = limits.bias, limits.setpoint
        if not bias.low <= self.bias <= bias.high:
            return f"safe.bias = {self.bias:g} V lies outside limits.bias {bias.low:g} to {bias.high:g} V"
        if not setpoint.low <= self.setpoint <= setpoint.high:
            return (
                f"safe.setpoint = {self.setpoint:g} A lies outside limits.setpoint "
                f"{setpoint.low:g} to {setpoint.high:g} A"
            )
        if self.feedback == "on" and abs(self.bias) < bias.smallest_with_feedback:
            return (
                f"safe.bias = {self.bias:g} V is below limits.bias.smallest_with_feedback = "
                f"{bias.smallest_with_feedback:g} V"
            )
        total = limits.junction_total
        if total is not None and abs(self.bias) > total.high:
            return f"safe.bias = {self.bias:g} V is above limits.junction_total.high = {total.high:g} V"
        return None


InterlockedOutput = Literal["bias", "setpoint", "feedback", "modulation", "rf_amplitude", "rf_frequency"]
_UNITS = {"bias": "V", "setpoint": "A", "feedback": "", "modulation": "V", "rf_amplitude": "V", "rf_frequency": "Hz"}


class Condition(Table):
    """Of one output.

    Attributes:
        output: ``bias`` (V), ``setpoint`` (A), ``feedback`` (0 or 1), ``modulation`` (V rms at the lock-in's sine
            output), ``rf_amplitude`` (V peak at the generator's connector, of pulses too, 0 when it is off) or
            ``rf_frequency`` (Hz, 0 when it is off).
        above: holds for a value above this.
        below: holds for a value below this.
        beyond: holds for a magnitude above this.
    """

    output: InterlockedOutput
    above: Finite | None = None
    below: Finite | None = None
    beyond: Finite | None = Field(default=None, ge=0)

    @field_validator("above", "below", "beyond", mode="before")
    @classmethod
    def _in_its_unit(cls, value: Any, info: ValidationInfo) -> Any:
        return quantity(value, _UNITS.get(info.data.get("output", ""), ""))

    @model_validator(mode="after")
    def _one(self) -> Condition:
        if sum(bound is not None for bound in (self.above, self.below, self.beyond)) != 1:
            raise ValueError("one of above, below and beyond (a magnitude) is allowed, and one is needed")
        return self

    def holds(self, value: float) -> bool:
        """Whether ``value`` of the output meets the condition."""
        if self.above is not None:
            return value > self.above
        if self.below is not None:
            return value < self.below
        return self.beyond is not None and abs(value) > self.beyond

    def __str__(self) -> str:
        if self.above is not None:
            return f"{self.output} above {self.above:g}"
        return f"{self.output} below {self.below:g}" if self.below is not None else f"|{self.output}| > {self.beyond:g}"


class InterlockConfig(Table):
    """Conditions that never hold at the same time; the change that would make the last of them hold is refused.

    Attributes:
        name: what the refusal says.
        never: two conditions or more, each on another output.
    """

    name: str = Field(min_length=1)
    never: tuple[Condition, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _different(self) -> InterlockConfig:
        outputs = [condition.output for condition in self.never]
        for output in outputs:
            if outputs.count(output) > 1:
                raise ValueError(f"never names {output} twice: each condition is on another output")
        return self


class ControllerConfig(Table):
    """The STM controller's own limits: what is given is set and read back before a run; all of them are recorded.

    Attributes:
        z_low, z_high: limits of Z, m.
        safe_tip: whether the controller has this guard against too much current, and a run needs it.
        safe_tip_threshold: magnitude of the current beyond which it withdraws the tip, A.
        tip_lift: how far the tip is lifted when the loop opens, m; a run is refused if the controller has another one,
            and, where none is given, if it approaches the tip (negative).
    """

    z_low: Metre | None = None
    z_high: Metre | None = None
    safe_tip: Literal["required", "none"] = "required"
    safe_tip_threshold: Ampere | None = Field(default=None, gt=0)
    tip_lift: Metre | None = None

    @model_validator(mode="after")
    def _both_limits(self) -> ControllerConfig:
        low, high = self.z_low, self.z_high
        if (low is None) != (high is None):
            raise ValueError("z_low and z_high are needed together")
        if low is not None and high is not None and not low < high:
            raise ValueError(f"z_low = {low:g} m must be below z_high = {high:g} m")
        if self.safe_tip == "none" and self.safe_tip_threshold is not None:
            raise ValueError('safe_tip_threshold belongs to safe_tip = "required"')
        return self
