"""What the lock-in amplifiers of one maker share: refusals of settings that they do not have, and common methods."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from stmlab import lowpass
from stmlab.errors import InstrumentFault, InstrumentLost, OutOfBounds, StmlabError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from enum import IntFlag

    from pymeasure.adapters import Adapter


class NotOffered(StmlabError, ValueError):
    """A setting that the instrument does not have. Nothing was sent."""


def within(name: str, low: float, high: float, unit: str, instrument: str) -> dict[str, Any]:
    """Arguments that make a pymeasure control refuse numbers outside ``low`` to ``high`` with OutOfBounds."""

    def validate(value: float, _: object) -> float:
        if not low <= value <= high:
            raise OutOfBounds(name, value, low, high, unit, f"the {instrument}")
        return value

    return {"validator": validate, "values": (low, high)}


def whole(name: str, low: int, high: int, instrument: str) -> dict[str, Any]:
    """Arguments that make a pymeasure control refuse what is no whole number from ``low`` to ``high``."""

    def validate(value: float, _: object) -> int:
        if not low <= value <= high:
            raise OutOfBounds(name, value, low, high, "", f"the {instrument}")
        if value != int(value):
            raise NotOffered(f"{name} = {value} is not a whole number from {low} to {high} (set in the {instrument})")
        return int(value)

    return {"validator": validate, "values": (low, high), "cast": int}


def one_of(name: str, choices: Sequence[Any] | Mapping[Any, int], unit: str, instrument: str) -> dict[str, Any]:
    """Arguments that make a pymeasure control accept only ``choices``, sent as their index.

    A mapping from choice to index may hold synonyms; the first one is read back.
    """
    indices = dict(choices) if isinstance(choices, Mapping) else {choice: i for i, choice in enumerate(choices)}

    def validate(value: Any, _: object) -> Any:
        for choice in indices:
            if value == choice or (_is_number(value) and _is_number(choice) and math.isclose(value, choice)):
                return choice
        allowed = ", ".join(f"{choice:g}" if _is_number(choice) else str(choice) for choice in indices)
        raise NotOffered(f"{name} = {value}{unit and ' '}{unit} is not offered by the {instrument}: {allowed}")

    return {"validator": validate, "values": indices, "map_values": True}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


class LockInAmplifier:
    """Common methods of the drivers here; stands before pymeasure's class in their bases.

    Class attributes:
        SETTINGS: properties that ``snapshot`` reads.
        STATUS: query of each status register -> (flags, those of them that are faults -> in words).
    """

    SETTINGS: ClassVar[tuple[str, ...]] = ()
    STATUS: ClassVar[Mapping[str, tuple[type[IntFlag], Mapping[IntFlag, str]]]] = {}

    name: str
    adapter: Adapter
    time_constant: float
    filter_slope: int
    frequency: float
    filter_synchronous: object
    write: Callable[[str], None]
    ask: Callable[[str], str]

    def values(self, command: str, separator: str = ",", cast: Any = float, **arguments: Any) -> list[Any]:
        """Ask ``command`` and return the values of the answer, each made by ``cast``.

        Raises:
            InstrumentLost: the answer holds something else (pymeasure would hand the text on).
        """
        values: list[Any] = super().values(command, separator=separator, cast=cast, **arguments)  # type: ignore[misc]
        if cast in (int, float) and any(isinstance(value, str) for value in values):
            raise InstrumentLost(self.name, f"garbage on the line: {values!r} in answer to {command}")
        return values

    def settling_time(self, residual: float = 1e-3) -> float:
        """Seconds after a step until the output is within ``residual`` of it, for the filter that is set.

        Exact for the instrument's equal poles; the synchronous filter, where it is on, averages over one more period.
        """
        settled = lowpass.settling_time(self.time_constant, self.filter_slope, residual)
        return settled + 1.0 / self.frequency if self.filter_synchronous in (True, "On") else settled

    def noise_bandwidth(self) -> float:
        """Equivalent noise bandwidth of the filter that is set, Hz."""
        return lowpass.noise_bandwidth(self.time_constant, self.filter_slope)

    def check_status(self) -> None:
        """Read the status registers, which clears them.

        Raises:
            InstrumentFault: an overload, a lost reference, a refused command or a hardware error, in words.
        """
        faults: list[str] = []
        for query, (flags, words) in self.STATUS.items():
            status = flags(self.values(query, cast=int)[0])
            faults += [text for flag, text in words.items() if flag in status and text not in faults]
        if faults:
            raise InstrumentFault(self.name, "; ".join(faults))

    def snapshot(self) -> dict[str, Any]:
        """Identity and every setting, read from the instrument: property -> value (SI units, degrees)."""
        return {"identity": self.id} | {name: getattr(self, name) for name in self.SETTINGS}

    @property
    def id(self) -> str:
        """Maker, model, serial number and firmware."""
        return self.ask("*IDN?").strip()

    def clear(self) -> None:
        """Forget every status event."""
        self.write("*CLS")

    def reset(self) -> None:
        """Go back to the settings of the factory."""
        self.write("*RST")

    def auto_phase(self) -> None:
        """Turn the phase so that Y becomes zero (needs a settled signal)."""
        self.write("APHS")

    def close(self) -> None:
        """Let go of the connection; outputs stay as they are."""
        self.adapter.close()


def smallest(name: str, value: float, choices: Iterable[float], unit: str, instrument: str) -> float:
    """The smallest of ``choices`` that is at least ``value``.

    Raises:
        OutOfBounds: ``value`` is not positive, or larger than all of them.
    """
    steps = sorted(choices)
    if not 0.0 < value <= steps[-1]:
        raise OutOfBounds(name, value, 0.0, steps[-1], unit, f"the {instrument}")
    return next(step for step in steps if step >= value)
