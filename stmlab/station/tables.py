"""What every table of a station file is made of: keys that are not known are refused, and quantities carry their unit.

Numbers are SI; a string with a unit (``"100 mV"``) is converted.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from stmlab.errors import SequenceError
from stmlab.units import in_unit


class Table(BaseModel):
    """A table whose keys are all known, because a misspelled limit is no limit."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def quantity(value: Any, unit: str) -> Any:
    """``value`` as a number of ``unit`` if it is text; whatever else it is, pydantic judges.

    Raises:
        ValueError: no number, or of another unit; or true or false.
    """
    if isinstance(value, bool):
        raise ValueError(f"a number, or a number with a unit of {unit}, is allowed" if unit else "a number is allowed")
    if not isinstance(value, str):
        return value
    try:
        return in_unit(value, unit)
    except SequenceError as error:
        raise ValueError(str(error)) from error


def _in(unit: str) -> BeforeValidator:
    return BeforeValidator(lambda value: quantity(value, unit), json_schema_input_type=float | str)


_FINITE = Field(allow_inf_nan=False)
Volt = Annotated[float, _in("V"), _FINITE]
VoltPerSecond = Annotated[float, _in("V/s"), _FINITE]
Ampere = Annotated[float, _in("A"), _FINITE]
Hertz = Annotated[float, _in("Hz"), _FINITE]
VoltPerAmpere = Annotated[float, _in("V/A"), _FINITE]
Metre = Annotated[float, _in("m"), _FINITE]
MetrePerSecond = Annotated[float, _in("m/s"), _FINITE]
Second = Annotated[float, _in("s"), _FINITE]
Finite = Annotated[float, _FINITE]
Number = Annotated[float, _in(""), _FINITE]
