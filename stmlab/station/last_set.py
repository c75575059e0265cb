"""What this session has set and the instruments have confirmed; what a look at them is compared with.

Kept by the guards: a value is noted when its driver has taken it. A value whose setting failed is forgotten, because
nobody knows whether it was taken; the instrument counts as moved all the same.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Value = float | bool | str


class LastSet:
    """Instrument -> property -> the value that was last set and confirmed.

    Instruments are called as in the station file, properties as in their driver.

    Args:
        announce: called with the name of an instrument whose output is about to change.
    """

    def __init__(self, announce: Callable[[str], None] = lambda _: None) -> None:
        self._announce = announce
        self._values: dict[str, dict[str, Value]] = {}
        self._moved: set[str] = set()

    def note(self, instrument: str, name: str, value: Value) -> None:
        """``value`` was set and has been confirmed."""
        self._values.setdefault(instrument, {})[name] = value

    def moving(self, instrument: str) -> None:
        """An output of ``instrument`` is about to change."""
        self._announce(instrument)
        self._moved.add(instrument)

    def forget(self, instrument: str, name: str | None = None) -> None:
        """Nothing is known any more of ``instrument``, or of one of its properties."""
        if name is None:
            self._values.get(instrument, {}).clear()
        else:
            self._values.get(instrument, {}).pop(name, None)

    def of(self, instrument: str) -> Mapping[str, Value]:
        """Property -> value of one instrument; a view that follows what is set and forgotten later."""
        return MappingProxyType(self._values.setdefault(instrument, {}))

    def now(self) -> dict[str, dict[str, Value]]:
        """All of it as it stands; may be asked from any thread."""
        return {instrument: dict(values) for instrument, values in list(self._values.items())}

    @property
    def moved(self) -> frozenset[str]:
        """Instruments with an output that was changed in this session: what never moved is not made safe."""
        return frozenset(self._moved)
