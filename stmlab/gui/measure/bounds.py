"""What a field may hold: the bounds of the parameter, and those of the station for the output that takes its value."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from stmlab.config_files import find
from stmlab.gui.measure.written import written_range
from stmlab.station import assembly
from stmlab.station.configuration import read_station
from stmlab.units import format_quantity

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from stmlab.acquisition.parameters import Parameter
    from stmlab.station.configuration import StationConfig
    from stmlab.station.limits import Limit


@dataclass(frozen=True)
class StationFacts:
    """What a station's file says.

    Attributes:
        limits: of every output, by name; that of the modulation as V peak at the junction.
        sample: under the tip where no other one is chosen.
    """

    limits: Mapping[str, Limit]
    sample: str


def station_facts(station: str) -> StationFacts:
    """Read a station's file; nothing is connected.

    Raises:
        StationError: there is no such file, or it is wrong.
    """
    path = find(station)
    config, _ = read_station(path)
    return StationFacts(_limits(config, path), config.sample or (config.simulation.sample if config.simulation else ""))


def _limits(config: StationConfig, path: Path) -> dict[str, Limit]:
    found, junction = assembly.limits(config, path), assembly.junction(config, path)
    scale = junction.volts("modulation", 1.0)
    if "modulation" in found and scale is not None:
        limit = found["modulation"]
        found["modulation"] = replace(limit, low=limit.low * scale, high=limit.high * scale)
    return found


@dataclass(frozen=True)
class Bounds:
    """Of a numerical parameter.

    Attributes:
        low, high: of the parameter, in ``unit``.
        limit: of the station, or None.
    """

    low: float
    high: float
    unit: str
    limit: Limit | None = None

    @classmethod
    def of(cls, parameter: Parameter, limit: Limit | None) -> Bounds | None:
        """Those of a parameter; None if it is no number."""
        low, high = getattr(parameter, "minimum", None), getattr(parameter, "maximum", None)
        if not isinstance(low, int | float) or not isinstance(high, int | float):
            return None
        return cls(low, high, getattr(parameter, "units", None) or "", limit)

    @property
    def of_magnitude(self) -> bool:
        """Whether the station's limit bounds a magnitude, and the parameter has a sign."""
        return self.limit is not None and self.low < 0 <= self.limit.low

    @property
    def allowed(self) -> tuple[float, float]:
        """The narrower of both."""
        if self.limit is None:
            return self.low, self.high
        least = -self.limit.high if self.of_magnitude else self.limit.low
        return max(self.low, least), min(self.high, self.limit.high)

    def refusal(self, value: float) -> str:
        """Why the station does not allow a value that the parameter does, "" if it does."""
        limit = self.limit
        size = abs(value) if self.of_magnitude else value
        if limit is None or limit.low <= size <= limit.high:
            return ""
        allowed = written_range(limit.low, limit.high, self.unit)
        where = limit.source.rpartition(": ")[2]
        return f"{format_quantity(value, self.unit)}: the station allows {allowed} ({where})"

    def explained(self) -> str:
        """Both bounds and where they are set, for a tip."""
        lines = [f"parameter: {written_range(self.low, self.high, self.unit)}"]
        if self.limit is not None:
            limit = self.limit
            lines.append(f"station: {written_range(limit.low, limit.high, self.unit)} (set in {limit.source})")
        return "\n".join(lines)

    def __str__(self) -> str:
        return written_range(*self.allowed, self.unit)


def bounds_of(
    parameters: Mapping[str, Parameter], outputs: Mapping[str, str], limits: Mapping[str, Limit]
) -> dict[str, Bounds]:
    """Parameter -> its bounds, for all that are numbers.

    Args:
        parameters: of a sequence.
        outputs: parameter -> name of the limit of its output.
        limits: of the station.
    """
    found = {name: Bounds.of(parameter, limits.get(outputs.get(name, ""))) for name, parameter in parameters.items()}
    return {name: bounds for name, bounds in found.items() if bounds is not None}
