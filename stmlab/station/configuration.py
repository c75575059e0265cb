"""What stands in a lab, as read from ``config/*.toml``: checked once, here, in one line per mistake.

Numbers are SI; a string with a unit (``"100 mV"``) is converted. Keys that are not known are refused, because a
misspelled limit is no limit.
"""

from __future__ import annotations

import ipaddress
import tomllib
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from stmlab.config_files import explain
from stmlab.errors import StationError
from stmlab.station.limits_tables import ControllerConfig, InterlockConfig, LimitsConfig, SafeConfig
from stmlab.station.tables import Hertz, Number, Table, Volt, VoltPerAmpere
from stmlab.station.watch_tables import WatchConfig, WatcherConfig

if TYPE_CHECKING:
    from pathlib import Path


_NOBODYS = tuple(map(ipaddress.ip_network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")))
"""Addresses for documentation (RFC 5737): those of the template, and of no instrument."""

AuxOutput = Literal["1", "2", "3", "4"]


class InstrumentConfig(Table):
    """One instrument: which driver, where it is, which roles it fills.

    Attributes:
        driver: ``module:Class``.
        address: of the run's connection.
        guardian_address: a connection that only the guardian uses ("" where there is none).
        live_address: a connection through which a sweep is seen before its end ("" where there is none).
        roles: which it fills.
        aux_outputs: V at those auxiliary outputs, by number, that every run sets; the others are left alone.
        options: of the driver.
    """

    driver: str = Field(pattern=r"^[\w.]+:\w+$")
    address: str
    guardian_address: str = ""
    live_address: str = ""
    roles: tuple[Literal["lockin", "generator", "bias", "tip", "spectroscopy"], ...] = ()
    aux_outputs: dict[AuxOutput, Volt] = Field(default_factory=dict)
    options: dict[str, bool | int | float | str] = Field(default_factory=dict)

    @field_validator("address", "guardian_address", "live_address")
    @classmethod
    def _of_an_instrument(cls, address: str) -> str:
        if any(_is_nobodys(part) for part in address.split("::")):
            raise ValueError("this address is a placeholder of the template: write that of your instrument")
        return address


class PreamplifierConfig(Table):
    """The current preamplifier."""

    gain: VoltPerAmpere = Field(gt=0)
    bandwidth: Hertz = Field(gt=0)
    saturation: Volt = Field(gt=0)
    model: str = ""


class ModulationConfig(Table):
    """How the lock-in's sine output reaches the bias.

    Attributes:
        divider: volts at the sine output per volt at the junction.
    """

    divider: Number = Field(gt=0)


class PathConfig(Table):
    """The radio-frequency path; ``options`` are read by the part itself."""

    part: str = Field(pattern=r"^[\w.]+:\w+$")
    options: dict[str, Any] = Field(default_factory=dict)


class SimulationConfig(Table):
    """The simulated microscope; ``options`` and each ``fault`` are read by the microscope itself."""

    microscope: str = Field(pattern=r"^[\w.]+:\w+$")
    seed: int = Field(default=0, ge=0, strict=True)
    sample: str = ""
    options: dict[str, Any] = Field(default_factory=dict)
    fault: tuple[dict[str, Any], ...] = ()


class StationConfig(Table):
    """A whole station."""

    name: str
    description: str = ""
    user: str = ""
    sample: str = ""
    instruments: dict[str, InstrumentConfig]
    limits: LimitsConfig
    safe: SafeConfig
    watch: WatchConfig = WatchConfig()
    watcher: tuple[WatcherConfig, ...] = ()
    interlock: tuple[InterlockConfig, ...] = ()
    controller: ControllerConfig = ControllerConfig()
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
        if refusal := self.safe.refusal(self.limits):
            raise ValueError(refusal)
        if self.limits.modulation is not None and self.modulation is None:
            raise ValueError(
                "limits.modulation needs a [modulation] table with the divider of the lock-in's sine output: what it "
                "adds at the junction would not be known"
            )
        threshold, preamplifier = self.controller.safe_tip_threshold, self.preamplifier
        if threshold is not None and preamplifier is not None:
            largest = preamplifier.saturation / preamplifier.gain
            if threshold >= largest:
                raise ValueError(
                    f"controller.safe_tip_threshold = {threshold:g} A: SafeTip could never trip: the preamplifier "
                    f"saturates at {largest:g} A"
                )
        for number, watcher in enumerate(self.watcher):
            if watcher.instrument not in self.instruments:
                raise ValueError(
                    f"watcher.{number}.signal = {watcher.signal!r}: no instrument is called {watcher.instrument!r}; "
                    f"there are {', '.join(self.instruments)}"
                )
        return self


def read_station(path: Path) -> tuple[StationConfig, str]:
    """Read and check a station file; returns the checked tables and the text as it stands.

    Raises:
        StationError: one line that names file, key, value and what is allowed.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StationError(f"{path}: {error}") from error
    return parsed_station(text, path), text


def parsed_station(text: str, path: Path) -> StationConfig:
    """Check the text of a station file, which stood at ``path``.

    Raises:
        StationError: see `read_station`.
    """
    try:
        return StationConfig.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise StationError(f"{path}: {error}") from error
    except ValidationError as error:
        raise StationError(explain(error, path)) from error


def _is_nobodys(host: str) -> bool:
    try:
        return any(ipaddress.ip_address(host) in network for network in _NOBODYS)
    except ValueError:  # a name, or no host
        return False
