"""Finds files of a catalogue by what is known of them: conditions such as ``rate > 1e9 and sample = fe_atom``."""

from __future__ import annotations

import math
import operator
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from stmlab.errors import SequenceError
from stmlab.units import in_unit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from stmlab.storage.catalogue.scan import Entry

_TEXTS: dict[str, Callable[[Entry], tuple[str, ...]]] = {
    "date": lambda entry: (entry.summary.date,),
    "file": lambda entry: (str(entry.path),),
    "message": lambda entry: (entry.summary.message,),
    "note": lambda entry: tuple(note.text for note in entry.added.notes),
    "run_id": lambda entry: (entry.summary.run_id,),
    "sample": lambda entry: (entry.summary.sample,),
    "sequence": lambda entry: (entry.summary.sequence,),
    "state": lambda entry: (entry.state,),
    "station": lambda entry: (entry.summary.station,),
    "tag": lambda entry: entry.added.tags,
}
_NUMBERS: dict[str, Callable[[Entry], int]] = {
    "planned": lambda entry: entry.summary.planned,
    "points": lambda entry: entry.summary.points,
    "size": lambda entry: entry.size,
}
FIELDS = tuple(sorted((*_TEXTS, *_NUMBERS)))
"""Names that every file has; fitted values come by their own names."""

_COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "!=": operator.ne,
    "==": operator.eq,
    "=": operator.eq,
    ">": operator.gt,
    "<": operator.lt,
    "~": operator.contains,
}
_CONDITION = re.compile(
    rf"\s*([^\W\d][\w.]*)\s*({'|'.join(_COMPARED)})\s*(\"[^\"]*\"|'[^']*'|[^\"'\s].*?)\s*(?:\sand\s|$)", re.DOTALL
)
_ERROR = ".error"


@dataclass(frozen=True)
class Condition:
    """``name`` compared with what was given, as text: ``rate > 1 GHz`` or ``date >= 2026-11``; ``~``: contains."""

    name: str
    comparison: str
    given: str

    def __str__(self) -> str:
        return f"{self.name} {self.comparison} {self.given}"

    def holds(self, entry: Entry) -> bool:
        """Whether it is true of a file; of one that has no such value it is not.

        Raises:
            SequenceError: what was given is no such value.
        """
        if self.name in _TEXTS:
            return self._text_holds(_TEXTS[self.name](entry))
        if self.name in _NUMBERS:
            return self._number_holds(float(_NUMBERS[self.name](entry)), "")
        known = entry.summary.value(self.name.removesuffix(_ERROR))
        if known is None:
            return False
        return self._number_holds(known.error if self.name.endswith(_ERROR) else known.value, known.unit)

    def _text_holds(self, texts: tuple[str, ...]) -> bool:
        given = self.given
        if self.comparison == "~":
            return any(given.casefold() in text.casefold() for text in texts)
        if self.name == "date":  # as exactly as it was given: 2026-11 is the whole month
            texts = tuple(text[: len(given)] for text in texts if text)
        compare = _COMPARED[self.comparison]
        return (all if self.comparison == "!=" else any)(compare(text, given) for text in texts)

    def _number_holds(self, value: float, unit: str) -> bool:
        if self.comparison == "~":
            raise SequenceError(f"{str(self)!r}: {self.name} is a number: ~ is for text")
        try:
            given = _number(self.given, unit)
        except SequenceError as error:
            raise SequenceError(f"{str(self)!r}: {error}") from error
        return not math.isnan(value) and _COMPARED[self.comparison](value, given)


@lru_cache(maxsize=256)
def _number(text: str, unit: str) -> float:
    return in_unit(text, unit)


def parsed(text: str) -> tuple[Condition, ...]:
    """Conditions joined by ``and``; text that holds this word stands in quotes.

    Raises:
        SequenceError: not of this form.
    """
    conditions: list[Condition] = []
    place = 0
    while place < len(text) or not conditions:
        found = _CONDITION.match(text, place)
        if found is None or (found.end() == len(text) and text.rstrip().endswith(" and")):
            allowed = 'NAME COMPARISON VALUE is allowed, as in "rate > 1e9" or "sample = fe_atom and points >= 60"'
            raise SequenceError(f"{text!r}: {allowed}; comparisons are {' '.join(_COMPARED)}")
        name, comparison, given = found.groups()
        conditions.append(Condition(name, comparison, given[1:-1] if given[0] in "\"'" else given))
        place = found.end()
    return tuple(conditions)


def selected(entries: Sequence[Entry], conditions: Iterable[Condition]) -> list[Entry]:
    """The files of which every condition is true.

    Raises:
        SequenceError: no file has such a value, or what was given is none.
    """
    conditions = tuple(conditions)
    for condition in conditions:
        _check(entries, condition.name.removesuffix(_ERROR))
    return [entry for entry in entries if all(condition.holds(entry) for condition in conditions)]


def ordered(entries: Sequence[Entry], name: str, *, descending: bool = False) -> list[Entry]:
    """Files by a field or a fitted value; those without one come last, ties by path.

    Raises:
        SequenceError: no file has such a value.
    """
    _check(entries, name)
    keys = {id(entry): _key(entry, name) for entry in entries}
    having = [entry for entry in entries if keys[id(entry)] is not None]
    having.sort(key=lambda entry: entry.path)
    having.sort(key=lambda entry: keys[id(entry)], reverse=descending)  # type: ignore[arg-type, return-value]
    return having + [entry for entry in entries if keys[id(entry)] is None]


def _key(entry: Entry, name: str) -> str | float | None:
    if name in _TEXTS:
        return ", ".join(_TEXTS[name](entry)) or None
    if name in _NUMBERS:
        return _NUMBERS[name](entry)
    known = entry.summary.value(name)
    return None if known is None or math.isnan(known.value) else known.value


def _check(entries: Sequence[Entry], name: str) -> None:
    """Refuse a name that nothing has."""
    if name in FIELDS or not entries or any(entry.summary.value(name) for entry in entries):
        return
    fitted = sorted({value.name for entry in entries for value in entry.summary.fitted})
    raise SequenceError(
        f"{name}: no file has such a value; there are {', '.join(FIELDS)}"
        + (f", and fitted {', '.join(fitted)}" if fitted else "; nothing is fitted")
    )
