"""A parameter as an axis: "0..6 T:61", "1e6..1e10 /s:41 log", "50 nS, 0.1 uS, 0.3 uS", "none, ising".

LOW..HIGH:COUNT is evenly spaced, with `log` by even factors. An end without a unit has the unit of the other end, so
that "-10..10 mV" is what it looks like; without any unit both are in the parameter's own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from stmlab.errors import PhysicsError

if TYPE_CHECKING:
    from stmlab.models.model import Parameter, Value

_RANGE = re.compile(r"(.+?)\.\.(.+?):\s*(\d+)\s*(log)?")
_ENDS_IN_UNIT = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*(.*)")
_MOST = 1_000_000  # values of an axis
_FORM = 'LOW..HIGH UNIT:COUNT as in "0..6 T:61" (then "log" for even factors), or a list as in "50 nS, 100 nS"'


def axis_values(parameter: Parameter, text: str) -> list[Value]:
    """The values that ``text`` asks for, each checked by the parameter.

    Raises:
        PhysicsError: not of one of the forms, or a value that the parameter refuses.
    """
    if ".." not in text:
        return [parameter.checked(one) for one in _united([one.strip() for one in text.split(",")])]
    found = _RANGE.fullmatch(text.strip())
    if found is None:
        raise PhysicsError(f"{parameter.name} = {text}: {_FORM} is allowed")
    ends, count = _united([found[1].strip(), found[2].strip()]), int(found[3])
    if not 1 <= count <= _MOST:
        raise PhysicsError(f"{parameter.name} = {text}: 1 to {_MOST} values are allowed")
    checked = [parameter.checked(end) for end in ends]
    if any(isinstance(end, str) for end in checked):
        raise PhysicsError(f"{parameter.name} = {text}: words are listed: {', '.join(map(str, checked))}")
    low, high = (float(end) for end in checked)
    if found[4] and not (low > 0 and high > 0):
        raise PhysicsError(f"{parameter.name} = {text}: even factors need both ends above 0")
    values = np.geomspace(low, high, count) if found[4] else np.linspace(low, high, count)
    return [float(value) for value in values]


def _united(parts: list[str]) -> list[str]:
    """Numbers without a unit get the unit of the last part, where that has one."""
    last = _ENDS_IN_UNIT.fullmatch(parts[-1])
    unit = last[1] if last is not None else ""
    return [f"{part} {unit}" if unit and _is_plain(part) else part for part in parts]


def _is_plain(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
