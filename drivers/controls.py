"""pymeasure controls that refuse what is out of bounds, check what is answered and confirm what was set.

Each function that returns a ``Kind`` says what one setting can be; pymeasure's own validators truncate, or say neither
the name nor the unit, and what it reads is whatever the answer happens to hold.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pymeasure.instruments import Instrument

from drivers import answers
from stmlab.errors import OutOfBounds, StmlabError, ValueNotTaken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from drivers.answers import Reader


class NotOffered(StmlabError, ValueError):
    """A setting that the instrument does not have. Nothing was sent."""


@dataclass(frozen=True)
class Kind:
    """What a setting can be.

    Attributes:
        name: of the setting.
        unit: of its values.
        check: returns the value if it is one; raises OutOfBounds or NotOffered.
        code: value -> what is sent.
        reader: answer -> value.
    """

    name: str
    unit: str
    check: Callable[[Any], Any]
    code: Callable[[Any], Any]
    reader: Reader


def within(
    name: str, low: float, high: float, unit: str, instrument: str, reads: tuple[float, float] | None = None
) -> Kind:
    """A number from ``low`` to ``high``; ``reads``: what it can read, if that is something else."""

    def check(value: float) -> float:
        if not low <= value <= high:
            raise OutOfBounds(name, value, low, high, unit, f"the {instrument}")
        return value

    return Kind(name, unit, check, _unchanged, answers.number(*(reads or (low, high))))


def whole(name: str, low: int, high: int, instrument: str) -> Kind:
    """A whole number from ``low`` to ``high``."""

    def check(value: float) -> int:
        if not low <= value <= high:
            raise OutOfBounds(name, value, low, high, "", f"the {instrument}")
        if value != int(value):
            raise NotOffered(f"{name} = {value} is not a whole number from {low} to {high} (set in the {instrument})")
        return int(value)

    return Kind(name, "", check, _unchanged, answers.integer(low, high))


def indexed(name: str, choices: Sequence[Any] | Mapping[Any, int], unit: str, instrument: str) -> Kind:
    """One of ``choices``, sent as its index.

    A mapping from choice to index may hold synonyms; the first one is read back.
    """
    indices = dict(choices) if isinstance(choices, Mapping) else {choice: i for i, choice in enumerate(choices)}
    meanings = {str(index): choice for choice, index in reversed(indices.items())}

    def check(value: Any) -> Any:
        for choice, index in indices.items():
            if value == choice or (_is_number(value) and _is_number(choice) and math.isclose(value, choice)):
                return meanings[str(index)]
        allowed = ", ".join(f"{choice:g}" if _is_number(choice) else str(choice) for choice in indices)
        raise NotOffered(f"{name} = {value}{unit and ' '}{unit} is not offered by the {instrument}: {allowed}")

    return Kind(name, unit, check, indices.__getitem__, answers.one_of(meanings))


def one_of(name: str, choices: Sequence[Any], instrument: str, prefix: str = "", also_read: Sequence[Any] = ()) -> Kind:
    """One of ``choices``, sent as it is and answered with ``prefix`` before it; ``also_read`` cannot be set."""

    def check(value: Any) -> Any:
        if value not in choices:
            raise NotOffered(f"{name} = {value!r} is not offered by the {instrument}: {', '.join(map(str, choices))}")
        return value

    reads = {f"{prefix}{choice}": choice for choice in (*choices, *also_read)}
    return Kind(name, "", check, _unchanged, answers.one_of(reads))


def switch(name: str, instrument: str, words: tuple[str, str] | None = None) -> Kind:
    """True or False, or the two ``words`` for off and on; sent as 1 and 0."""
    return indexed(name, words or {False: 0, True: 1}, "", instrument)


class Setting(property):
    """A property of an instrument, with the query that reads it and the reader of the answer."""

    query: str
    reader: Reader

    def asked_by(self, query: str, reader: Reader) -> Setting:
        """The same, knowing how it is asked."""
        self.query, self.reader = query, reader
        return self


def control(query: str, command: str, doc: str, kind: Kind, *, check_errors: bool = False) -> Setting:
    """A setting: refused out of bounds, read by the kind's reader, and read back after it has been set.

    The class needs ``question(query, reader)`` and ``agrees(name, wanted, read)``.

    Args:
        query: that reads it.
        command: that sets it, with one format of pymeasure's controls.
        doc: of the property.
        kind: what it can be.
        check_errors: read the instrument's error queue after each setting.
    """
    inner = Instrument.control(
        query,
        command,
        doc,
        validator=lambda value, _: kind.check(value),
        set_process=kind.code,
        check_set_errors=check_errors,
        values_kwargs={"reader": kind.reader},
    )

    def fset(self: Any, value: Any) -> None:
        inner.fset(self, value)
        confirm(self, kind, value, inner.fget(self))

    return Setting(inner.fget, fset, doc=doc).asked_by(query, kind.reader)


def confirm(instrument: Any, kind: Kind, value: Any, read: Any) -> None:
    """Raise ValueNotTaken if a setting reads as something else than what was set."""
    wanted = kind.check(value)
    if not instrument.agrees(kind.name, wanted, read):
        raise ValueNotTaken(instrument.name, kind.name, wanted, read, kind.unit)


def measurement(query: str, doc: str, reader: Reader) -> Any:
    """Something that is only read."""
    return Instrument.measurement(query, doc, values_kwargs={"reader": reader})


def smallest(name: str, value: float, choices: Iterable[float], unit: str, instrument: str) -> float:
    """The smallest of ``choices`` that is at least ``value``.

    Raises:
        OutOfBounds: ``value`` is not positive, or larger than all of them.
    """
    steps = sorted(choices)
    if not 0.0 < value <= steps[-1]:
        raise OutOfBounds(name, value, 0.0, steps[-1], unit, f"the {instrument}")
    return next(step for step in steps if step >= value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _unchanged(value: Any) -> Any:
    return value
