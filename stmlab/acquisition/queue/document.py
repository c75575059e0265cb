"""The text of a queue's file: read into a queue, and changed so that what people wrote keeps its look."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from stmlab.acquisition.queue.entries import Queue, QueueEntry
from stmlab.config_files import explain
from stmlab.errors import FileError

if TYPE_CHECKING:
    from pathlib import Path

_PLAIN = QueueEntry(id="-", sequence="-").model_dump(mode="json")


class Document:
    """One text.

    Args:
        text: TOML.
        path: of its file, for messages.

    Attributes:
        queue: what it says; an entry without an id has got one.

    Raises:
        FileError: not TOML, or an entry is not as it should be: named with key and value.
    """

    def __init__(self, text: str, path: Path) -> None:
        import tomlkit
        from tomlkit.exceptions import TOMLKitError

        try:
            self._toml = tomlkit.parse(text)
        except TOMLKitError as error:
            raise FileError(f"{path}: {error}") from error
        said = self._toml.unwrap()
        if unknown := sorted(said.keys() - {"entry"}):
            raise FileError(f"{path}: {unknown[0]}: this key is not known; entries begin with [[entry]]")
        self.queue = _queue(said.get("entry", []), path)
        self._tables: dict[str, Any] = {}
        self._before: dict[str, str] = {}  # what stands before the head of an entry
        tables = list(self._toml.get("entry", ()))
        for entry, table, before in zip(self.queue.entries, tables, _taken_off(tables), strict=True):
            self._tables[entry.id], self._before[entry.id] = table, before

    def saying(self, queue: Queue) -> str:
        """The text that says what ``queue`` says."""
        import tomlkit

        wanted, heads = tomlkit.aot(), []
        for entry in queue.entries:
            table = self._tables.setdefault(entry.id, tomlkit.table())
            _update(table, entry)
            wanted.append(table)
            heads.append((table.trivia, self._before.get(entry.id, "")))
        if wanted:
            self._toml["entry"] = wanted
        else:
            self._toml.pop("entry", None)
        for place, (trivia, before) in enumerate(heads):  # only now: a table indents its keys as it is indented itself
            trivia.indent = ("\n" if place else "") + before.lstrip("\n")
        text = str(self._toml.as_string())
        for trivia, _ in heads:
            trivia.indent = ""
        return text


def _queue(tables: list[dict[str, Any]], path: Path) -> Queue:
    entries = []
    for number, table in enumerate(tables, start=1):
        try:
            entries.append(QueueEntry.model_validate(table))
        except ValidationError as error:
            raise FileError(explain(error, path, f"entry {number}")) from error
    try:
        return Queue(entries=tuple(entries))
    except ValidationError as error:
        raise FileError(explain(error, path)) from error


def _taken_off(tables: list[Any]) -> list[str]:
    """The comments before each entry: the parser leaves them at the end of the entry before."""
    before = [table.trivia.indent for table in tables[:1]]
    for earlier, _ in itertools.pairwise(tables):
        last, comments = earlier, ""
        while last.value.body and isinstance(last.value.body[-1][1], dict):
            last = last.value.body[-1][1]
        while last.value.body and last.value.body[-1][0] is None:
            comments = last.value.body.pop()[1].as_string() + comments
        before.append(comments)
    return before


def _update(table: Any, entry: QueueEntry) -> None:
    """Change the keys of one entry that are not as they were."""
    before = QueueEntry.model_validate(table.unwrap()).model_dump(mode="json") if "sequence" in table else {}
    for name, value in entry.model_dump(mode="json").items():
        said = name in table
        if said and before.get(name) == value:
            continue
        if value is None or (value == _PLAIN[name] and name not in ("id", "sequence")):
            if said:
                table.remove(name)
        else:
            table[name] = value
