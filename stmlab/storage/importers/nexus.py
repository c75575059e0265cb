"""NeXus, and any HDF5 file with a default plot: NXdata by ``@default``, its ``@signal``, ``@axes`` and errors.

What else the entry holds as single values becomes the header. Other plots of the entry are columns too where they have
the same axis; what was not taken is named. A signal of more than one dimension is a grid of curves over its last axis.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from stmlab.errors import FileError
from stmlab.storage.heaps import are_sound_in
from stmlab.storage.importers.text import unique
from stmlab.storage.recorded import Column, Grid, Recording
from stmlab.storage.refusals import HDF5_ERRORS, reason

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from stmlab.arrays import FloatArray

ENDINGS: tuple[str, ...] = (".nxs", ".nx", ".nx5", ".hdf5")
_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_DEEPEST = 8  # @default of @default of ...
_MOST_KEYS = 2_000
_MOST_PACKED, _SMALL = 200, 1 << 26  # times what is stored, and bytes, that are unpacked
_LONGEST_TEXT = 10_000


def recognises(head: bytes) -> bool:
    """Whether the file's beginning is one of this format."""
    return head.startswith(_SIGNATURE)


def read(path: Path) -> Recording | Grid:
    """Read the default plot.

    Raises:
        FileError: no such file, no HDF5, damaged, or without a plot of numbers.
    """
    if not are_sound_in(path):
        raise FileError(f"{path}: damaged (the lengths of its texts are wrong)")
    try:
        with h5py.File(path, "r") as file:
            return _read(path, file)
    except FileNotFoundError:
        raise FileError(f"{path}: no such file") from None
    except (*HDF5_ERRORS, AttributeError, UnicodeError) as error:
        raise FileError(f"{path}: not an HDF5 file that can be read, or damaged ({reason(error)})") from error


@dataclass(frozen=True, eq=False)
class _Plot:
    """An NXdata: its axes (name, unit, values), None where one is missing, and signals with the same shape."""

    axes: tuple[Column | None, ...]
    signals: tuple[Column, ...]
    others: tuple[Column, ...]
    notes: tuple[str, ...]


def _read(path: Path, file: h5py.File) -> Recording | Grid:
    group, notes = _default(file)
    if group is None:
        raise FileError(f"{path}: an HDF5 file without a default plot (no NXdata with a signal)")
    plot = _plot(path, group)
    notes = [*notes, *plot.notes]
    entry = _entry(group)
    header = _header(entry)
    if plot.signals[0].values.ndim == 1:
        plot = _with_siblings(path, entry, group, plot, notes)
        columns = [_row_numbers(plot) if plot.axes[0] is None else plot.axes[0], *plot.signals, *plot.others]
        return Recording(path, "nexus", header, _renamed(columns), notes=tuple(notes))
    return _grid(path, header, plot, notes)


def _grid(path: Path, header: dict[str, str], plot: _Plot, notes: list[str]) -> Grid:
    shape = plot.signals[0].values.shape
    inner = plot.axes[-1] or Column("point", "", np.arange(shape[-1], dtype=float))
    names, parameters = [], []
    for k, axis in enumerate(plot.axes[:-1]):
        names.append(f"axis {k + 1}" if axis is None else axis.name)
        if axis is not None:
            along = [1] * (len(shape) - 1)
            along[k] = -1
            parameters.append(Column(axis.name, axis.unit, np.broadcast_to(axis.values.reshape(along), shape[:-1])))
    parameters += [other for other in plot.others if other.values.shape == shape[:-1]]
    sweep, *named = _renamed([inner, *plot.signals, *parameters])
    count = len(plot.signals)
    return Grid(path, "nexus", header, tuple(names), sweep, tuple(named[:count]), tuple(named[count:]), tuple(notes))


def _default(file: h5py.File) -> tuple[h5py.Group | None, list[str]]:
    """The NXdata to which the chain of ``@default`` leads; else the first one that has a signal."""
    here: Any = file
    for _ in range(_DEEPEST):
        name = _text(here.attrs.get("default"))
        if not name or name not in here or not isinstance(here[name], h5py.Group):
            break
        here = here[name]
    if here is not file and _signal(here) is not None:
        return here, []
    found = next((group for group in _groups(here if here is not file else file) if _signal(group) is not None), None)
    return found, ["no default plot is named: the first one is taken"] if found is not None else []


def _groups(parent: h5py.Group) -> Iterator[h5py.Group]:
    found: list[h5py.Group] = [parent]

    def visit(_: str, item: Any) -> bool | None:
        if isinstance(item, h5py.Group):
            found.append(item)
        return True if len(found) > _MOST_KEYS else None

    parent.visititems(visit)
    yield from found


def _signal(group: h5py.Group) -> str | None:
    """Name of the dataset that is plotted: ``@signal`` of the group, or the dataset with ``@signal = 1``."""
    name = _text(group.attrs.get("signal"))
    if name and isinstance(group.get(name), h5py.Dataset):
        return name
    for name in list(group)[:_MOST_KEYS]:
        item = group.get(name)
        if isinstance(item, h5py.Dataset) and _text(item.attrs.get("signal")) == "1":
            return str(name)
    return None


def _plot(path: Path, group: h5py.Group) -> _Plot:
    name = _signal(group) or ""
    signal = _column(path, group, name)
    shape = signal.values.shape
    if not shape:
        raise FileError(f"{path}: the default plot {group.name} is a single number")
    notes: list[str] = []
    axes = tuple(
        _axis(path, group, axis, shape, k, notes) for k, axis in enumerate(_axis_names(group, name, len(shape)))
    )
    taken = {name, *(axis.name for axis in axes if axis is not None)}
    signals, others = [signal], list[Column]()
    for key in list(group)[:_MOST_KEYS]:
        item = group.get(key)
        if key in taken or not isinstance(item, h5py.Dataset) or item.ndim == 0 or item.dtype.kind not in "fiu":
            continue
        if item.shape == shape:
            signals.append(_column(path, group, key))
        elif len(shape) > 1 and item.shape == shape[:-1]:
            others.append(_column(path, group, key))
        else:
            notes.append(f"{item.name} of shape {item.shape} does not fit the plot: left out")
    return _Plot(axes, tuple(signals), tuple(others), tuple(notes))


def _axis_names(group: h5py.Group, signal: str, count: int) -> list[str]:
    """One a dimension; "" or "." where there is none."""
    given = group.attrs.get("axes", group[signal].attrs.get("axes", ""))
    if isinstance(given, np.ndarray):
        names = [_text(name) for name in given.ravel()[:64]]
    else:
        names = _text(given).replace(",", ":").split(":")
    placed = [""] * count
    for k, name in enumerate(names):
        at = np.ravel(group.attrs.get(f"{name}_indices", k)) if name else np.array([k])
        if at.size == 1 and 0 <= int(at[0]) < count:
            placed[int(at[0])] = name
    return placed


def _axis(path: Path, group: h5py.Group, name: str, shape: tuple[int, ...], k: int, notes: list[str]) -> Column | None:
    if name in ("", "."):
        return None
    item = group.get(name)
    if not isinstance(item, h5py.Dataset) or item.dtype.kind not in "fiu" or item.shape != (shape[k],):
        found = f"shape {item.shape}" if isinstance(item, h5py.Dataset) else "no dataset"
        notes.append(f"the axis {name} ({found}) does not fit {shape[k]} points: numbered instead")
        return None
    return _column(path, group, name)


def _with_siblings(path: Path, entry: h5py.Group, group: h5py.Group, plot: _Plot, notes: list[str]) -> _Plot:
    """With the signals of the entry's other plots over the very same axis."""
    more = list(plot.others)
    for key in list(entry)[:_MOST_KEYS]:
        other = entry.get(key)
        if not isinstance(other, h5py.Group) or other.name == group.name or _signal(other) is None:
            continue
        try:
            found = _plot(path, other)
        except FileError as error:
            notes.append(f"{other.name} is left out ({error})")
            continue
        axis, ours = found.axes[0], plot.axes[0]
        if axis is not None and ours is not None and np.array_equal(axis.values, ours.values):
            more += found.signals
        else:
            notes.append(f"{other.name} has another axis: left out")
    return _Plot(plot.axes, plot.signals, tuple(more), plot.notes)


def _entry(group: h5py.Group) -> h5py.Group:
    """The NXentry above a plot, or the group above it."""
    here = group.parent
    for _ in range(_DEEPEST):
        if _text(here.attrs.get("NX_class")) in ("NXentry", "NXroot") or here.name == "/":
            break
        here = here.parent
    return here


def _header(entry: h5py.Group) -> dict[str, str]:
    """Single values below the entry: path -> text, with the unit."""
    found: dict[str, str] = {}

    def visit(name: str, item: Any) -> bool | None:
        if isinstance(item, h5py.Dataset) and item.shape == () and item.dtype.kind in "fiubSO":
            unit = _text(item.attrs.get("units"))
            found[name] = f"{_text(item[()])} {unit}".strip()
        return True if len(found) >= _MOST_KEYS else None

    entry.visititems(visit)
    return found


def _column(path: Path, group: h5py.Group, name: str) -> Column:
    """A dataset of numbers, read only if what it promises is stored."""
    item = group[name]
    if item.dtype.kind not in "fiub":
        raise FileError(f"{path}: {item.name} is {item.dtype}, and no plot of numbers")
    needed, stored = math.prod(item.shape) * 8, int(item.id.get_storage_size())
    if needed > max(_MOST_PACKED * stored, _SMALL):
        raise FileError(f"{path}: {item.name} of shape {item.shape} is said to be stored in {stored} bytes: damaged")
    values: FloatArray = item[()].astype(float)
    return Column(name, _text(item.attrs.get("units")), values)


def _row_numbers(plot: _Plot) -> Column:
    return Column("point", "", np.arange(plot.signals[0].values.size, dtype=float))


def _renamed(columns: list[Column]) -> tuple[Column, ...]:
    names = unique(column.name for column in columns)
    return tuple(Column(name, column.unit, column.values) for name, column in zip(names, columns, strict=True))


def _text(value: Any) -> str:
    if value is None or isinstance(value, h5py.Empty):
        return ""
    if isinstance(value, np.ndarray):
        value = value.ravel()[0] if value.size == 1 else ""
    text = value.decode("utf-8", errors="replace") if isinstance(value, bytes) else str(value)
    return text[:_LONGEST_TEXT]
