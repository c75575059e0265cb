"""pymeasure controls that refuse what is out of bounds, with an error that says what is allowed, and check for errors.

Each function returns keyword arguments of ``Instrument.control``; ``instrument`` is how a refusal names the instrument.
pymeasure's own validators truncate, or say neither the name nor the unit.
"""

from __future__ import annotations

from typing import Any

from stmlab.errors import OutOfBounds, SequenceError


def within(instrument: str, name: str, low: float, high: float, unit: str) -> dict[str, Any]:
    """Arguments that make a control refuse numbers outside ``low`` to ``high``."""

    def validate(value: float, _: object) -> float:
        if not low <= value <= high:
            raise OutOfBounds(name, value, low, high, unit, instrument)
        return value

    return {"validator": validate, "check_set_errors": True}


def one_of(instrument: str, name: str, *choices: Any, cast: type = str) -> dict[str, Any]:
    """Arguments that make a control refuse anything but ``choices``."""

    def validate(value: Any, _: object) -> Any:
        if value not in choices:
            raise SequenceError(f"{name} = {value!r}: {instrument} has {', '.join(map(str, choices))}")
        return value

    return {"validator": validate, "cast": cast, "check_set_errors": True}


def whole(instrument: str, name: str, low: int, high: int) -> dict[str, Any]:
    """Arguments that make a control refuse anything but whole numbers from ``low`` to ``high``."""
    bounded = within(instrument, name, low, high, "")

    def validate(value: float, _: object) -> int:
        if bounded["validator"](value, None) != int(value):
            raise SequenceError(f"{name} = {value}: {instrument} takes whole numbers from {low} to {high}")
        return int(value)

    return bounded | {"validator": validate, "cast": int}


def switch(instrument: str, name: str) -> dict[str, Any]:
    """Arguments that make a control one of True and False."""
    return one_of(instrument, name, True, False, cast=int) | {"map_values": True, "values": {True: 1, False: 0}}
