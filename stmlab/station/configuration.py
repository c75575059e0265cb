"""What stands in a lab, as read from ``config/*.toml``: checked once, here, in one line per mistake.

Numbers are SI; a string with a unit (``"100 mV"``) is converted. Keys that are not known are refused, because a
misspelled limit is no limit.
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from stmlab.config_files import explain
from stmlab.errors import SequenceError, StationError
from stmlab.units import in_unit

if TYPE_CHECKING:
    from pathlib import Path


def _quantity(unit: str) -> BeforeValidator:
    def read(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return in_unit(value, unit)
        except SequenceError as error:
            raise ValueError(str(error)) from error

    return BeforeValidator(read, json_schema_input_type=float | str)


_FINITE = Field(allow_inf_nan=False)
Volt = Annotated[float, _quantity("V"), _FINITE]
VoltPerSecond = Annotated[float, _quantity("V/s"), _FINITE]
Ampere = Annotated[float, _quantity("A"), _FINITE]
Hertz = Annotated[float, _quantity("Hz"), _FINITE]
VoltPerAmpere = Annotated[float, _quantity("V/A"), _FINITE]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class InstrumentConfig(_Table):
    """One instrument: which driver, where it is, which roles it fills."""

    driver: str = Field(pattern=r"^[\w.]+:\w+$")
    address: str
    roles: tuple[Literal["lockin", "generator", "bias", "tip", "spectroscopy"], ...] = ()
    options: dict[str, bool | int | float | str] = {}


class _Limit(_Table):
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


class SetpointLimit(_Limit):
    """The feedback's current setpoint (magnitude)."""

    low: Ampere = Field(ge=0)
    high: Ampere


class AmplitudeLimit(_Limit):
    """A peak amplitude."""

    low: Volt = 0.0
    high: Volt


class FrequencyLimit(_Limit):
    """A frequency."""

    low: Hertz = Field(ge=0)
    high: Hertz


class LimitsConfig(_Table):
    """Bounds of every output: an output without bounds cannot be used."""

    bias: BiasLimit
    setpoint: SetpointLimit
    rf_frequency: FrequencyLimit | None = None
    rf_amplitude: AmplitudeLimit | None = None
    junction_amplitude: AmplitudeLimit | None = None
    modulation: AmplitudeLimit | None = None


class SafeConfig(_Table):
    """What the station falls back to, whatever happens."""

    bias: Volt
    setpoint: Ampere = Field(gt=0)
    feedback: Literal["on", "withdraw"]

    @model_validator(mode="after")
    def _not_zero(self) -> SafeConfig:
        if self.feedback == "on" and self.bias == 0.0:
            raise ValueError("bias = 0 with feedback on would drive the tip into the sample: give a bias or withdraw")
        return self


class PreamplifierConfig(_Table):
    """The current preamplifier."""

    gain: VoltPerAmpere = Field(gt=0)
    bandwidth: Hertz = Field(gt=0)
    saturation: Volt = Field(gt=0)
    model: str = ""


class ModulationConfig(_Table):
    """How the lock-in's sine output reaches the bias.

    Attributes:
        divider: volts at the sine output per volt at the junction.
    """

    divider: float = Field(gt=0, allow_inf_nan=False)


class PathConfig(_Table):
    """The radio-frequency path; ``options`` are read by the part itself."""

    part: str = Field(pattern=r"^[\w.]+:\w+$")
    options: dict[str, Any] = {}


class SimulationConfig(_Table):
    """The simulated microscope; ``options`` are read by the microscope itself."""

    microscope: str = Field(pattern=r"^[\w.]+:\w+$")
    seed: int = Field(default=0, ge=0)
    sample: str = ""
    options: dict[str, Any] = {}


class StationConfig(_Table):
    """A whole station."""

    name: str
    description: str = ""
    sample: str = ""
    instruments: dict[str, InstrumentConfig]
    limits: LimitsConfig
    safe: SafeConfig
    preamplifier: PreamplifierConfig | None = None
    modulation: ModulationConfig | None = None
    rf_path: PathConfig | None = None
    simulation: SimulationConfig | None = None

    @model_validator(mode="after")
    def _consistent(self) -> StationConfig:
        filled: dict[str, str] = {}
        for name, instrument in self.instruments.items():
            for role in instrument.roles:
                if role in filled:
                    raise ValueError(f"role {role!r} is filled by both {filled[role]} and {name}")
                filled[role] = name
            if instrument.address.startswith("simulation:") and self.simulation is None:
                raise ValueError(f"instruments.{name}.address = {instrument.address!r} needs a [simulation] table")
        bias, setpoint = self.limits.bias, self.limits.setpoint
        if not bias.low <= self.safe.bias <= bias.high:
            raise ValueError(
                f"safe.bias = {self.safe.bias:g} V lies outside limits.bias {bias.low:g} to {bias.high:g} V"
            )
        if not setpoint.low <= self.safe.setpoint <= setpoint.high:
            raise ValueError(
                f"safe.setpoint = {self.safe.setpoint:g} A lies outside limits.setpoint "
                f"{setpoint.low:g} to {setpoint.high:g} A"
            )
        if self.safe.feedback == "on" and abs(self.safe.bias) < bias.smallest_with_feedback:
            raise ValueError(
                f"safe.bias = {self.safe.bias:g} V is below limits.bias.smallest_with_feedback = "
                f"{bias.smallest_with_feedback:g} V"
            )
        return self


def read_station(path: Path) -> tuple[StationConfig, str]:
    """Read and check a station file; returns the checked tables and the text as it stands.

    Raises:
        StationError: one line that names file, key, value and what is allowed.
    """
    try:
        text = path.read_text(encoding="utf-8")
        return StationConfig.model_validate(tomllib.loads(text)), text
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise StationError(f"{path}: {error}") from error
    except ValidationError as error:
        raise StationError(explain(error, path)) from error
