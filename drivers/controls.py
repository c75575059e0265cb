"""pymeasure controls that refuse what is out of bounds, in words that say what is allowed.

Each function returns keyword arguments of ``Instrument.control``; pymeasure's own validators truncate, or say neither
the name nor the unit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from stmlab.errors import OutOfBounds, StmlabError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


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


def indexed(name: str, choices: Sequence[Any] | Mapping[Any, int], unit: str, instrument: str) -> dict[str, Any]:
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


def one_of(name: str, choices: Sequence[Any], instrument: str, *, cast: type = str) -> dict[str, Any]:
    """Arguments that make a pymeasure control refuse anything but ``choices``, sent as they are."""

    def validate(value: Any, _: object) -> Any:
        if value not in choices:
            raise NotOffered(f"{name} = {value!r} is not offered by the {instrument}: {', '.join(map(str, choices))}")
        return value

    return {"validator": validate, "cast": cast}


def switch(name: str, instrument: str) -> dict[str, Any]:
    """Arguments that make a pymeasure control one of True and False."""
    choice = one_of(name, (True, False), instrument, cast=int)
    return choice | {"map_values": True, "values": {True: 1, False: 0}}


def checked(arguments: dict[str, Any]) -> dict[str, Any]:
    """The same, and the instrument's error queue is read after each setting."""
    return arguments | {"check_set_errors": True}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def smallest(name: str, value: float, choices: Iterable[float], unit: str, instrument: str) -> float:
    """The smallest of ``choices`` that is at least ``value``.

    Raises:
        OutOfBounds: ``value`` is not positive, or larger than all of them.
    """
    steps = sorted(choices)
    if not 0.0 < value <= steps[-1]:
        raise OutOfBounds(name, value, 0.0, steps[-1], unit, f"the {instrument}")
    return next(step for step in steps if step >= value)
