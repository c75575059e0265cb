"""Tags and notes of a file, in a small JSON file beside it: ``run.h5`` has ``run.h5.notes.json``.

The data are never touched. Move both together; whoever moves a folder does.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from stmlab.errors import FileError
from stmlab.storage.refusals import reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

if sys.platform != "win32":
    import fcntl

SUFFIX = ".notes.json"


@dataclass(frozen=True)
class Note:
    """What somebody wrote, and when (ISO 8601, UTC)."""

    date: str
    text: str


@dataclass(frozen=True)
class Notes:
    """What was added to a file: tags in alphabetical order, notes in the order in which they were written."""

    tags: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()


def notes_path(path: Path) -> Path:
    """Where tags and notes of the file ``path`` stand."""
    return path.with_name(path.name + SUFFIX)


def read_notes(path: Path) -> Notes:
    """Tags and notes of the file ``path``; none if nobody wrote any.

    Raises:
        FileError: they cannot be read.
    """
    return _notes(path, _read(path))


def add_tags(path: Path, tags: Sequence[str]) -> Notes:
    """Tag a file; a tag that it has already stays.

    Raises:
        FileError: no such file, not a word or words for a tag, or the notes can be neither read nor written.
    """
    wanted = {_tag(path, tag) for tag in tags}
    with _changing(path) as said:
        said["tags"] = sorted({*_notes(path, said).tags, *wanted})
    return _notes(path, said)


def remove_tags(path: Path, tags: Sequence[str]) -> Notes:
    """Take tags off a file.

    Raises:
        FileError: as `add_tags`; or the file has no such tag.
    """
    with _changing(path) as said:
        left = list(_notes(path, said).tags)
        for tag in tags:
            if tag.strip() not in left:
                raise FileError(f"{path}: has no tag {tag.strip()!r}; it has {', '.join(left) or 'none'}")
            left.remove(tag.strip())
        said["tags"] = left
    return _notes(path, said)


def add_note(path: Path, text: str) -> Notes:
    """Write one more note about a file.

    Raises:
        FileError: as `add_tags`; or the text is empty.
    """
    if not text.strip():
        raise FileError(f"{path}: an empty note is not kept")
    with _changing(path) as said:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        said["notes"] = [*said.get("notes", []), {"date": now, "text": _sound(path, text.strip())}]
    return _notes(path, said)


def _tag(path: Path, tag: str) -> str:
    if not tag.strip() or "," in tag or not tag.isprintable():
        raise FileError(f"{path}: {tag!r} is no tag: words without commas are")
    return tag.strip()


def _sound(path: Path, text: str) -> str:
    """Text that a file can hold."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise FileError(f"{path}: {text!r} is not text in UTF-8") from None
    return text


def _read(path: Path) -> dict[str, Any]:
    beside = notes_path(path)
    try:
        said = json.loads(beside.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise FileError(f"{beside}: cannot be read ({reason(error)})") from error
    except (ValueError, RecursionError) as error:
        raise FileError(f"{beside}: damaged: no JSON ({error})") from error
    if not isinstance(said, dict):
        raise FileError(f"{beside}: damaged: not an object with tags and notes")
    return said


def _notes(path: Path, said: dict[str, Any]) -> Notes:
    try:
        tags, notes = said.get("tags", []), said.get("notes", [])
        if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
            raise TypeError("tags are no list of words")
        return Notes(tuple(sorted(tags)), tuple(Note(str(note["date"]), str(note["text"])) for note in notes))
    except (TypeError, KeyError) as error:
        raise FileError(f"{notes_path(path)}: damaged: not tags and notes ({error})") from error


@contextmanager
def _changing(path: Path) -> Iterator[dict[str, Any]]:
    """What stands beside the file, to be changed; written whole or not at all, and what is not ours stays.

    Raises:
        FileError: no such file, or its notes can be neither read nor written.
    """
    if not path.is_file():
        raise FileError(f"{path}: {'a folder: tags and notes are for files' if path.is_dir() else 'no such file'}")
    beside = notes_path(path)
    part = beside.with_name(f".{beside.name}.{secrets.token_hex(4)}.part")
    with _alone(path.parent):
        said = _read(path)
        _notes(path, said)
        yield said
        try:
            part.write_text(json.dumps(said, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
            part.replace(beside)
        except OSError as error:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            raise FileError(f"{beside}: cannot be written ({reason(error)})") from error


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Nobody else changes notes in ``folder`` meanwhile, where the system and the drive have locks on folders."""
    if sys.platform == "win32":
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
