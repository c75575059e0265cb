"""Thumbnails of files, drawn when somebody wants them and kept in the user's cache folder."""

from __future__ import annotations

import hashlib
import os
import secrets
from typing import TYPE_CHECKING

from stmlab.errors import FileError
from stmlab.storage.catalogue import RECORDED, UNREADABLE, cache_folder
from stmlab.storage.refusals import reason

if TYPE_CHECKING:
    from pathlib import Path

    from stmlab.storage.catalogue import Entry

_DPI = 100
_VERSION = "1"  # of the drawing: another one draws all anew


def thumbnail_path(entry: Entry) -> Path:
    """Where the thumbnail of a file is, or would be: a file that has changed has another one."""
    place = _hash(os.path.realpath(entry.path))
    return cache_folder() / "thumbnails" / place[:2] / f"{place}-{_hash(_VERSION + entry.stamp)}.png"


def thumbnail(entry: Entry) -> Path:
    """The thumbnail of a file, a PNG of 160 x 120; drawn now if there is none yet.

    Raises:
        FileError: the file cannot be read, or the thumbnail not be kept.
    """
    path = thumbnail_path(entry)
    if path.exists():
        return path
    if entry.state == UNREADABLE:
        raise FileError(f"{entry.path}: {entry.summary.message}")
    image = _image(entry)
    part = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(image)
        part.replace(path)
        for older in path.parent.glob(f"{path.name.partition('-')[0]}-*.png"):
            if older != path:
                older.unlink(missing_ok=True)
    except OSError as error:
        raise FileError(f"{path}: cannot be written ({reason(error)})") from error
    return path


def _image(entry: Entry) -> bytes:
    from io import BytesIO

    from stmlab.display.figures.thumbnail import draw_recorded_thumbnail, draw_run_thumbnail
    from stmlab.storage import open_run
    from stmlab.storage.recorded import open_recording

    if entry.state == RECORDED:
        figure = draw_recorded_thumbnail(open_recording(entry.path))
    else:
        figure = draw_run_thumbnail(open_run(entry.path))
    image = BytesIO()
    figure.savefig(image, dpi=_DPI, format="png")
    return image.getvalue()


def _hash(text: str) -> str:
    return hashlib.sha256(os.fsencode(text)).hexdigest()[:24]
