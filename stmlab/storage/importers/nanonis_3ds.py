"""Nanonis ``.3ds`` grids: lines ``key=value``, ``:HEADER_END:``, then for each place its parameters and curves.

Places follow each other in rows of the first number of ``Grid dim``; each is a block of big-endian 4-byte numbers: the
fixed parameters (start and end of the sweep), the experiment's, and every channel's curve. A grid that was stopped ends
early, or holds zeros: what was not measured is nan. Sweeps in segments (``Filetype=MLS``) share the point where one
segment ends and the next begins.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stmlab.errors import FileError
from stmlab.storage.importers.text import name_and_unit, read_number, unique
from stmlab.storage.recorded import Column, Grid

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from stmlab.arrays import FloatArray

ENDINGS: tuple[str, ...] = (".3ds",)
_END = b":HEADER_END:"
_LONGEST_HEADER = 1 << 20  # bytes
_SEGMENTS = re.compile(r"^Segment Start \(V\), Segment End \(V\).*Steps \(xn\)")
_MOST_MISSING = 256  # times what is there: more is no grid that was stopped, but a header that is wrong
_SMALL = 1 << 28  # bytes, which may be missing from any file
_SAME = 1e-5  # of the sweep: starts and ends that differ by less are one
_START, _STOP = "Sweep Start", "Sweep End"


def recognises(head: bytes) -> bool:
    """Whether the file's beginning is one of this format."""
    return head.lstrip(b"\xef\xbb\xbf").startswith(b"Grid dim=") or (_END in head and b"Points=" in head)


@dataclass(frozen=True)
class _Layout:
    """What the header says of the blocks."""

    header: Mapping[str, str]
    shape: tuple[int, int]
    parameters: tuple[str, ...]
    channels: tuple[str, ...]
    points: int

    @property
    def block(self) -> int:
        """Numbers of one place."""
        return len(self.parameters) + len(self.channels) * self.points


def read(path: Path) -> Grid:
    """Read a grid.

    Raises:
        FileError: no header, or one that contradicts itself or the file's size; segments that do not add up.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise FileError(f"{path}: no such file") from None
    except OSError as error:
        raise FileError(f"{path}: cannot be read ({error.strerror or error})") from error
    end = content.find(_END, 0, _LONGEST_HEADER)
    if end < 0:
        raise FileError(f"{path}: not a Nanonis grid: there is no line {_END.decode()}")
    layout = _layout(path, content[:end].decode("utf-8-sig", errors="replace"))
    start = end + len(_END)
    start += len(re.match(rb"\r?\n?", content[start : start + 2])[0])  # type: ignore[index]
    blocks, notes = _blocks(path, layout, content[start:])
    return _grid(path, layout, blocks, notes)


def _layout(path: Path, text: str) -> _Layout:
    pairs = [
        (key, value.strip().strip('"'))
        for key, equals, value in (line.partition("=") for line in text.splitlines())
        if equals
    ]
    header = dict(zip(unique(key for key, _ in pairs), (value for _, value in pairs), strict=True))
    dim = re.fullmatch(r"\s*(\d{1,7})\s*x\s*(\d{1,7})\s*", header.get("Grid dim", ""))
    if dim is None:
        raise FileError(f"{path}: the header's Grid dim = {header.get('Grid dim')!r} is not as in 64 x 64")
    shape = (int(dim[2]), int(dim[1]))
    points = _whole(path, header, "Points")
    names = [
        tuple(name for name in header.get(key, "").split(";") if name.strip())
        for key in ("Fixed parameters", "Experiment parameters", "Channels")
    ]
    layout = _Layout(header, shape, (*names[0], *names[1]), names[2], points)
    if not layout.channels or not points or not all(shape):
        raise FileError(f"{path}: the header names no channels, points or places: there is nothing to read")
    told = _whole(path, header, "# Parameters (4 byte)")
    if told != len(layout.parameters):
        raise FileError(f"{path}: the header promises {told} parameters a place and names {len(layout.parameters)}")
    size = _whole(path, header, "Experiment size (bytes)")
    if size != 4 * points * len(layout.channels):
        raise FileError(
            f"{path}: {size} bytes a place do not fit {len(layout.channels)} channels of {points} points (4 bytes each)"
        )
    return layout


def _whole(path: Path, header: Mapping[str, str], key: str) -> int:
    text = header.get(key, "")
    if not re.fullmatch(r"\s*\d{1,12}\s*", text):
        raise FileError(f"{path}: the header's {key} = {text[:40]!r}: a whole number is needed")
    return int(text)


def _blocks(path: Path, layout: _Layout, data: bytes) -> tuple[FloatArray, list[str]]:
    """All numbers, shape (places, numbers of a place), nan where nothing was measured."""
    rows, columns = layout.shape
    places, size = rows * columns, 4 * layout.block
    if places * size > max(_MOST_MISSING * len(data), _SMALL):
        raise FileError(f"{path}: the header promises {columns} x {rows} places, the file holds {len(data) // size}")
    whole, rest = divmod(len(data), size)
    notes = []
    if whole > places:
        notes.append(f"{len(data) - places * size} bytes follow the last place: left out")
    elif rest:
        notes.append(f"the file ends within place {whole + 1}: that one is left out")
    whole = min(whole, places)
    if not whole:
        raise FileError(f"{path}: no place is whole ({len(data)} bytes of data, {size} bytes a place)")
    blocks = np.full((places, layout.block), np.nan)
    with np.errstate(invalid="ignore"):  # a nan of 4 bytes that would signal
        blocks[:whole] = np.frombuffer(data, ">f4", whole * layout.block).reshape(whole, layout.block)
    empty = np.flatnonzero(~blocks[:whole].any(axis=1))
    if empty.size:
        blocks[empty] = np.nan
        notes.append(f"{empty.size} places hold zeros alone, parameters too: taken for not measured")
    if whole < places:
        notes.append(f"{places - whole} of {places} places are missing: the grid was stopped")
    return blocks, notes


def _grid(path: Path, layout: _Layout, blocks: FloatArray, notes: list[str]) -> Grid:
    swept = name_and_unit(layout.header.get("Sweep Signal", "") or "Sweep", 0)
    titles = [name_and_unit(title, k) for k, title in enumerate((*layout.parameters, *layout.channels), 1)]
    given = [swept[0], *(name for name, _ in titles)]
    names = unique(given)
    notes += [
        f"two columns have one name: the later is called {n}" for n, old in zip(names, given, strict=True) if n != old
    ]
    count = len(layout.parameters)
    curves = blocks[:, count:].reshape(*layout.shape, len(layout.channels), layout.points)
    parameters = blocks[:, :count].reshape(*layout.shape, count)
    sweep, note = _sweep(path, layout, parameters, swept[1])
    named = [(name, unit) for name, (_, unit) in zip(names[1:], titles, strict=True)]
    return Grid(
        path,
        "nanonis",
        layout.header,
        ("y", "x"),
        Column(*swept, sweep),
        tuple(Column(*named[count + k], np.ascontiguousarray(curves[:, :, k])) for k in range(len(layout.channels))),
        tuple(Column(*named[k], np.ascontiguousarray(parameters[..., k])) for k in range(count)),
        tuple(notes + note),
    )


def _sweep(path: Path, layout: _Layout, parameters: FloatArray, unit: str) -> tuple[FloatArray, list[str]]:
    """What was swept: shape (points,), or that of every place where they differ."""
    if (key := next((key for key in layout.header if _SEGMENTS.match(key)), None)) is not None:
        return _segments(path, layout, layout.header[key]), []
    if layout.header.get("Filetype", "Linear").strip().lower() == "mls":
        raise FileError(f"{path}: swept in segments (MLS), but the header does not say which")
    if not {_START, _STOP} <= set(layout.parameters):
        raise FileError(f"{path}: the header names no {_START} and {_STOP}: what was swept is not known")
    ends = parameters[..., [layout.parameters.index(name) for name in (_START, _STOP)]]
    known = ends[np.isfinite(ends).all(axis=-1)]
    if not known.size:
        raise FileError(f"{path}: no place says where its sweep starts and ends")
    first = known[0]
    if np.abs(known - first).max() <= _SAME * max(abs(float(first[1] - first[0])), 1e-300):
        return np.linspace(*_exact(first), layout.points), []
    each = np.linspace(ends[..., 0], ends[..., 1], layout.points, axis=-1)
    return each, [f"not every place has the same sweep: each has its own, in {unit or 'no unit'}"]


def _exact(ends: FloatArray) -> tuple[float, float]:
    """Ends of the sweep as they were typed: the shortest decimal number that has the same 4 bytes."""
    start, stop = (float(str(np.float32(end))) for end in ends)
    return start, stop


def _segments(path: Path, layout: _Layout, text: str) -> FloatArray:
    parts = []
    for segment in text.split(";"):
        try:
            cells = [read_number(cell) for cell in segment.split(",")]
            start, stop, steps = cells[0], cells[1], int(cells[4])
        except (ValueError, IndexError, OverflowError):
            raise FileError(f"{path}: a segment of the sweep, {segment[:60]!r}, is not as its title says") from None
        if not 0 < steps <= layout.points:
            raise FileError(f"{path}: a segment of {steps} points in a sweep of {layout.points}")
        parts.append(np.linspace(start, stop, steps))
    joined = np.concatenate([parts[0], *(part[1:] for part in parts[1:])])
    apart = np.concatenate(parts)
    for sweep in (joined, apart):
        if sweep.size == layout.points:
            return sweep
    raise FileError(
        f"{path}: the segments make {joined.size} points, {apart.size} if their ends are met twice; the curves have "
        f"{layout.points}: what was swept is not known"
    )
