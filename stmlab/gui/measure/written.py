"""Values as people write them: "200 µV", "4 nA", "20 GHz"; ranges of them in a few letters."""

from __future__ import annotations

import math
from typing import Any

from stmlab.units import exact_quantity, format_quantity


def written(value: Any, unit: str = "") -> str:
    """A parameter's value such that reading it gives the same number: "4 mV", "0.001", "60", "true"."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and math.isfinite(value):
        return exact_quantity(value, unit) if unit else repr(value)
    return str(value)


def written_range(low: float, high: float, unit: str = "") -> str:
    """The range in few letters: "±100 mV", "0 … 20 mV", "1 pA … 10 nA"."""
    if low == -high:
        return f"±{_short(high, unit)}"
    first, last = _short(low, unit), _short(high, unit)
    number, _, ending = first.partition(" ")
    if low == 0 or ending == last.partition(" ")[2]:
        first = number
    return f"{first} … {last}"


def _short(value: float, unit: str) -> str:
    """Four digits; a count in full."""
    if not unit:
        return f"{value:.10g}"
    return format_quantity(float(f"{value:.4g}"), unit)
