"""What is typed into the search field of the catalogue: words, or conditions such as ``rate > 1 GHz``; no Qt."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from stmlab.storage.catalogue import parsed, selected

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stmlab.storage.catalogue import Entry

_COMPARES = re.compile(r"[<>=~]")


def found(entries: Sequence[Entry], text: str) -> list[Entry]:
    """The files that hold every word, anywhere; or for which every condition is true.

    Raises:
        SequenceError: conditions that nothing understands.
    """
    if _COMPARES.search(text):
        return selected(entries, parsed(text))
    words = text.casefold().split()
    return [entry for entry in entries if all(word in _said(entry) for word in words)]


def _said(entry: Entry) -> str:
    """Everything that is written about a file."""
    summary, added = entry.summary, entry.added
    texts = [str(entry.path), entry.state, summary.date, summary.sequence, summary.sample, summary.station]
    texts += [summary.message, summary.run_id, *added.tags, *(note.text for note in added.notes)]
    texts += [f"{value.name} {value.model}" for value in summary.fitted]
    return "\n".join(texts).casefold()
