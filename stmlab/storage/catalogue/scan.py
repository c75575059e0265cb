"""Goes through a folder: every file with its summary, its state now, its tags and notes."""

from __future__ import annotations

import os
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stmlab.errors import FileError
from stmlab.storage.catalogue.index import Index, Row, cache_folder
from stmlab.storage.catalogue.looking import look_at_recording, look_at_run, unreadable
from stmlab.storage.catalogue.notes import SUFFIX, Notes, read_notes
from stmlab.storage.catalogue.summary import RECORDED, UNREADABLE, Summary
from stmlab.storage.liveness import has_writer
from stmlab.storage.recorded import is_recorded
from stmlab.storage.refusals import reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Progress = Callable[[int, int], None]

_OTHER = "other"  # state of a file that is neither a run nor, as far as anybody looked, a recording
_NOTHING = Summary(_OTHER).as_json()
_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_ENDINGS = (".h5", ".hdf5")
_SETTLED = 2_000_000_000  # ns; a file as young as this may change again without its times telling
_AT_ONCE = 200  # rows written together: what is lost if the first scan of a large folder is broken off


@dataclass(frozen=True)
class Entry:
    """One file of a folder.

    Attributes:
        path: in the folder as it was given.
        stamp: another one once the file has changed.
        size: bytes.
        summary: what the file says of itself.
        state: of the run as it is now: that of its file, "killed", or "unfinished" where it cannot be known whether it
            is still being written; "unreadable" or "recorded" of what is no run.
        added: tags and notes of people.
    """

    path: Path
    stamp: str
    size: int
    summary: Summary
    state: str
    added: Notes


@dataclass(frozen=True)
class Catalogue:
    """What is in a folder.

    Attributes:
        entries: runs and files that claim to be some, recordings if they were asked for; by path.
        others: number of other files.
        troubles: what could not be looked at: folders, notes, the index; one line each.
    """

    entries: tuple[Entry, ...]
    others: int
    troubles: tuple[str, ...]


def catalogue(
    folder: Path, *, recorded: bool = False, index: Path | None = None, progress: Progress | None = None
) -> Catalogue:
    """Everything in ``folder`` and the folders below; hidden ones, and links to folders, are left out.

    Args:
        folder: where to look.
        recorded: list what other programs recorded, too.
        index: the index file; by default the user's own.
        progress: called with (files looked at, files to look at) while new and changed files are read.

    Raises:
        FileError: there is no such folder, or it cannot be read.
    """
    if not folder.is_dir():
        raise FileError(
            f"{folder}: {'not a folder: `stmlab show` shows a file' if folder.exists() else 'no such folder'}"
        )
    troubles: list[str] = []
    found = sorted(_files(folder, troubles), key=lambda file: file.path)
    with closing(Index(index or cache_folder() / "index.sqlite")) as rows:
        looks = _looked(found, Path(os.path.realpath(folder)), rows, recorded=recorded, progress=progress)
        troubles += [rows.trouble] if rows.trouble else []
    entries = [_entry(file, look, troubles) for file, look in zip(found, looks, strict=True) if look.state != _OTHER]
    return Catalogue(tuple(entries), len(found) - len(entries), tuple(troubles))


@dataclass(frozen=True)
class _File:
    """One file as the system lists it: ``place`` is its path below the folder."""

    path: str
    place: str
    stat: os.stat_result
    annotated: bool

    @property
    def stamp(self) -> str:
        s = self.stat
        return f"{s.st_dev}:{s.st_ino}:{s.st_size}:{s.st_mtime_ns}:{s.st_ctime_ns}"


def _files(folder: Path, troubles: list[str]) -> Iterator[_File]:
    waiting = [""]
    while waiting:
        below = waiting.pop()
        where = os.path.join(folder, below)
        try:
            with os.scandir(where) as listing:
                items = [item for item in listing if not item.name.startswith(".")]
        except OSError as error:
            if not below:
                raise FileError(f"{folder}: cannot be read ({reason(error)})") from error
            troubles.append(f"{where}: cannot be read ({reason(error)})")
            continue
        waiting += [os.path.join(below, item.name) for item in items if item.is_dir(follow_symlinks=False)]
        yield from _of_one_folder(below, items, troubles)


def _of_one_folder(below: str, items: list[os.DirEntry[str]], troubles: list[str]) -> Iterator[_File]:
    names = {item.name for item in items}
    for item in items:
        data, beside, _ = item.name.partition(SUFFIX)
        if beside and item.name == data + SUFFIX:
            if data not in names:
                troubles.append(f"{item.path}: tags and notes of a file that is not here: {data}")
            continue
        try:
            if item.is_file():
                yield _File(item.path, os.path.join(below, item.name), item.stat(), item.name + SUFFIX in names)
        except OSError as error:
            troubles.append(f"{item.path}: cannot be read ({reason(error)})")


def _looked(
    files: list[_File], folder: Path, index: Index, *, recorded: bool, progress: Progress | None
) -> list[Summary]:
    """The summary of each file: as the index knows it where the file is the same, else by looking at it."""
    known = index.known(folder)
    paths = [os.path.join(folder, file.place) for file in files]
    looks = [_known(known.get(path), file.stamp, recorded=recorded) for path, file in zip(paths, files, strict=True)]
    missing = [k for k, look in enumerate(looks) if look is None]
    waiting: list[tuple[str, Row]] = []
    for done, k in enumerate(missing, 1):
        file, stamp = files[k], files[k].stamp
        row = index.moved(stamp) if file.stat.st_ino else None
        look = _known(row, stamp, recorded=recorded)
        if row is None or look is None:
            look, row = _look(file, recorded=recorded)
        looks[k] = look
        waiting.append((paths[k], row))
        if len(waiting) == _AT_ONCE or done == len(missing):
            index.keep(waiting)
            waiting.clear()
        if progress is not None:
            progress(done, len(missing))
    index.forget(known.keys() - set(paths))  # last: until then a file that was moved is known by its stamp
    return [look for look in looks if look is not None]


def _known(row: Row | None, stamp: str, *, recorded: bool) -> Summary | None:
    """What a row says of the file with this stamp; None: look at the file."""
    if row is None or row.stamp != stamp or row.run is None:
        return None
    try:
        run = Summary.from_json(row.run)
        if not recorded or run.state not in (_OTHER, UNREADABLE):
            return run
        if row.recording is None:
            return None
        recording = Summary.from_json(row.recording)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return run if recording.state == _OTHER else recording


def _look(file: _File, *, recorded: bool) -> tuple[Summary, Row]:
    """The summary of a file, and what the index is to keep of it."""
    path = Path(file.path)
    young = time.time_ns() - max(file.stat.st_mtime_ns, file.stat.st_ctime_ns) < _SETTLED
    stamp = "" if young else file.stamp
    try:
        look = look_at_run(path) if _claims_to_be_a_run(path) else Summary(_OTHER)
    except OSError as error:
        look = unreadable(path, error)
    run, recording = look.as_json(), None
    if recorded and look.state in (_OTHER, UNREADABLE):
        if is_recorded(path):
            look = look_at_recording(path)
            recording = look.as_json()
        else:
            recording = _NOTHING
    return look, Row(stamp, run, recording)


def _claims_to_be_a_run(path: Path) -> bool:
    if path.suffix.lower() in _ENDINGS:
        return True
    with path.open("rb") as file:
        return file.read(len(_SIGNATURE)) == _SIGNATURE


def _entry(file: _File, summary: Summary, troubles: list[str]) -> Entry:
    path, added = Path(file.path), Notes()
    if file.annotated:
        try:
            added = read_notes(path)
        except FileError as error:
            troubles.append(str(error))
    return Entry(path, file.stamp, file.stat.st_size, summary, _state(path, summary), added)


def _state(path: Path, summary: Summary) -> str:
    """The state now: of a run without an end, whether somebody is writing it."""
    if summary.ended or summary.state in (RECORDED, UNREADABLE):
        return summary.state
    try:
        live = has_writer(path)
    except OSError:
        live = None
    return {True: summary.state, False: "killed", None: "unfinished"}[live]
