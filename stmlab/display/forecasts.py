"""A plan as text."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING

from stmlab.units import format_quantity

if TYPE_CHECKING:
    from stmlab.acquisition.forecast import Forecast


def forecast_as_text(found: Forecast) -> str:
    """A line for each way, after what it is expected from."""
    value = format_quantity(float(f"{found.value:.4g}"), found.unit)
    head = (
        f"{found.name} {value}, step {found.signal:.3g} standard deviations of a reading (from {found.source}); "
        f"to {100 * found.target:.3g} %:"
    )
    lines = [f"  {way.name:24}{_count(way.readings):>10} readings  {_duration(way.seconds)}" for way in found.ways]
    return "\n".join([head, *lines, *(f"  warning: {warning}" for warning in found.warnings)])


def _count(readings: float) -> str:
    return "too many" if math.isinf(readings) else f"{math.ceil(readings):,}"


def _duration(seconds: float) -> str:
    return "" if not math.isfinite(seconds) else str(timedelta(seconds=round(seconds)))
