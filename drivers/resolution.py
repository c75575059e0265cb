"""How exactly an instrument keeps what it is told: what was set and what is read back agree within this."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.station.instruments import Value

_SLACK = 1e-10  # relative: of double precision and decimal text


@dataclass(frozen=True)
class Resolution:
    """Largest difference between what was set and what is read back: the larger of the two parts.

    Attributes:
        absolute: in the property's unit.
        relative: of the value that was set.
        modulo: values that differ by this are the same (360 degrees), or None.
    """

    absolute: float = 0.0
    relative: float = 0.0
    modulo: float | None = None

    def agrees(self, wanted: float, read: float) -> bool:
        """Whether ``read`` is ``wanted`` as the instrument keeps it; NaN never is."""
        if read == wanted or math.isinf(wanted) or math.isinf(read):
            return read == wanted
        difference = read - wanted
        if self.modulo is not None:
            difference = math.remainder(difference, self.modulo)
        slack = _SLACK * max(abs(wanted), abs(read), self.modulo or 0.0)
        return abs(difference) <= max(self.absolute, self.relative * abs(wanted)) + slack


def digits(count: int, step: float = 0.0) -> Resolution:
    """Of an instrument that rounds to ``count`` digits, or to ``step`` where that is coarser."""
    return Resolution(absolute=step / 2, relative=0.5 * 10.0 ** (1 - count))


EXACT = Resolution()


def agrees(
    table: Mapping[str, Resolution], name: str, wanted: Value, read: Value, otherwise: Resolution = EXACT
) -> bool:
    """Whether a property of an instrument with this ``table`` reads as it was set; what is no number must be equal."""
    if isinstance(wanted, str | bool) or isinstance(read, str | bool):
        return wanted == read
    return table.get(name, otherwise).agrees(wanted, read)
