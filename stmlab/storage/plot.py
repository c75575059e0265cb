"""The data of a run on its axes, as one NXdata group: what a viewer draws when it opens the file.

Every channel has the shape of the whole plan from the start and holds nan until it is measured: so a map can be looked
at while it is taken, axes and signal always fit each other, and each cell has its place in the file. HDF5's dimension
scales tell netCDF and xarray which axis belongs to which dimension. NXsts does not allow them: its files have soft
links named DATA and AXISNAME instead.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import h5py
import numpy as np
from h5py import h5ds

from stmlab.storage.hdf5 import add_dataset, add_group, add_room
from stmlab.storage.objects import describe

if TYPE_CHECKING:
    from h5py import h5d, h5g

    from stmlab.axes import Axis, Channel
    from stmlab.events import RunStarted
    from stmlab.storage.shape import Shape

ELAPSED = "elapsed"
_ERROR = "_error"
_IMAGE_ROWS = 3  # fewer curves than this are drawn as curves


def add_data(entry: h5g.GroupID, started: RunStarted, shape: Shape, *, strict: bool) -> None:
    """Make the group ``data`` with nothing measured yet.

    Args:
        entry: where.
        started: the run.
        shape: of its data.
        strict: the file is to satisfy an application definition: no scales, no style.

    Raises:
        FileError: two of axes and channels have the same name.
    """
    group = add_group(entry, "data", "NXdata")
    axes = {axis.name: _add_axis(group, axis, kept=axis.name in shape.axes) for axis in started.axes}
    fields = channel_fields(started.channels)
    moved = [axis for axis in started.axes if not axis.hardware]
    outer = [name for name in shape.axes if name in {axis.name for axis in moved}]
    units = {f"{axis.name}_measured": axis.unit for axis in moved} | {ELAPSED: "s"}
    columns = {name: _add_cells(group, name, unit, shape, ()) for name, unit in units.items()}
    for axis, column in zip(moved, columns.values(), strict=False):
        describe(column, long_name=_label(f"{axis.label or axis.name}, as it really was", axis.unit))
        describe(group, **{f"{axis.name}_measured_indices": list(range(len(outer)))})
    describe(columns[ELAPSED], long_name="time since the start of the run (s)")
    drawn = [_add_channel(group, channel, fields, shape) for channel in started.channels]
    add_dataset(group, "title", data=title(started))
    if started.channels:
        drawn.append(_say_what_to_draw(group, started, shape))
    if not strict:
        _add_scales({name: axes[name] for name in shape.axes}, outer, columns, drawn)
        _add_style(group, started, shape)
        if started.channels:
            describe(drawn[0], interpretation=_interpretation(started, shape))
    elif started.channels:
        links = {"DATA": (started.channels[0].name, drawn[0]), "AXISNAME": (shape.axes[-1], axes[shape.axes[-1]])}
        _add_links(group, links)


def title(started: RunStarted) -> str:
    """One line above the plot."""
    return f"{started.sequence} on {started.sample}" if started.sample else started.sequence


def channel_fields(channels: tuple[Channel, ...]) -> dict[str, str]:
    """Channel -> its name in the file: NeXus knows the error of ``current`` as ``current_errors``."""
    names = {channel.name for channel in channels}
    return {name: f"{name}s" if name.removesuffix(_ERROR) in names - {name} else name for name in names}


def _add_axis(group: h5g.GroupID, axis: Axis, *, kept: bool) -> h5d.DatasetID:
    dataset = add_dataset(group, axis.name, axis.unit, data=axis.values if kept else axis.values[0])
    describe(dataset, long_name=_label(axis.label or axis.name, axis.unit))
    return dataset


def _add_channel(group: h5g.GroupID, channel: Channel, fields: dict[str, str], shape: Shape) -> h5d.DatasetID:
    dataset = _add_cells(group, fields[channel.name], channel.unit, shape, shape.inner)
    describe(dataset, long_name=_label(channel.name.replace("_", " "), channel.unit))
    return dataset


def _add_cells(group: h5g.GroupID, name: str, unit: str, shape: Shape, inner: tuple[int, ...]) -> h5d.DatasetID:
    """A dataset of the plan's full shape."""
    whole = (*shape.outer, *inner)
    chunked = {"chunks": shape.chunk(inner), "early": shape.early} if whole else {}
    return add_room(group, name, "<f8", unit, shape=whole, fill=np.nan, **chunked)


def _say_what_to_draw(group: h5g.GroupID, started: RunStarted, shape: Shape) -> h5d.DatasetID:
    """Returns the cells of the last fit."""
    signal = started.channels[0]
    fit = _add_cells(group, f"{signal.name}_fit", signal.unit, shape, shape.inner)
    describe(fit, long_name=_label("fit", signal.unit))
    describe(group, signal=signal.name, axes=list(shape.axes), auxiliary_signals=[f"{signal.name}_fit"])
    describe(group, **{f"{name}_indices": k for k, name in enumerate(shape.axes)})
    return fit


def _interpretation(started: RunStarted, shape: Shape) -> str:
    """Whether the two inner dimensions make a map; a few curves, and repetitions, are curves."""
    if len(shape.axes) < 2:
        return "spectrum"
    outer = next(axis for axis in started.axes if axis.name == shape.axes[-2])
    return "image" if outer.unit and len(outer) >= _IMAGE_ROWS else "spectrum"


def _add_scales(
    axes: dict[str, h5d.DatasetID], outer: list[str], columns: dict[str, h5d.DatasetID], drawn: list[h5d.DatasetID]
) -> None:
    for name, axis in axes.items():
        h5ds.set_scale(axis, name.encode())
    for dataset, names in [(d, outer) for d in columns.values()] + [(d, list(axes)) for d in drawn]:
        for k, name in enumerate(names):
            h5ds.attach_scale(dataset, axes[name], k)
    beside = " ".join(columns)
    for dataset in drawn:
        describe(dataset, coordinates=beside)  # netCDF's way to say so


def _add_style(group: h5g.GroupID, started: RunStarted, shape: Shape) -> None:
    """Logarithmic axes: silx and h5web ask for it in words of their own."""
    logarithmic = {axis.name for axis in started.axes if axis.logarithmic}
    scales = ["log" if name in logarithmic else "linear" for name in shape.axes]
    if "log" in scales:
        describe(group, SILX_style=json.dumps({"axes_scale_types": scales, "axes_scale_type": scales}))


def _add_links(group: h5g.GroupID, links: dict[str, tuple[str, h5d.DatasetID]]) -> None:
    """Last of all: netCDF names a dimension after the first link to its axis."""
    for link, (name, dataset) in links.items():
        target = f"/entry/data/{name}"
        describe(dataset, target=target)
        h5py.Group(group)[link] = h5py.SoftLink(target)


def _label(words: str, unit: str) -> str:
    return f"{words} ({unit})" if unit else words
