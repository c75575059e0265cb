"""The whole tree of a run's file, made before the first point; nothing is added later. ``tree`` documents every path.

It is a NeXus file: entry and data are what other people's programs open by themselves. Nothing in it depends on when
or where it was written except what the run says of itself: the same events give the same bytes.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import h5py
import numpy as np

from stmlab.storage.fit_tables import add_fits
from stmlab.storage.fixed import read_fixed
from stmlab.storage.hdf5 import STATE, TEXT, add_dataset, add_group, add_note, add_room, add_table, add_texts
from stmlab.storage.instrument import add_instrument, is_bias_spectroscopy
from stmlab.storage.objects import describe
from stmlab.storage.plot import ELAPSED, add_data, channel_fields, title
from stmlab.storage.shape import Shape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from h5py import h5g

    from stmlab.events import ParameterValue, RunStarted

FORMAT = "stmlab run"
FORMAT_VERSION = 3
NOT_GIVEN = "not given"
"""Stands where NeXus demands a name and the run has none."""

_ROWS = 4096  # of one chunk of the log
_CHUNK_BYTES = 1 << 20

_DEFINITIONS = "https://fairmat-nfdi.github.io/nexus_definitions/classes/contributed_definitions/NXsts.html"

LOG = {
    "checksum": ("<u8", 0, "of the reading: visit, index, attempt, session and all numbers"),
    "index": ("<i8", -1, "place of the point in C order over the axes that software moves"),
    "attempt": ("<i8", 0, "number of readings at the same index before"),
    "session": ("<i8", 0, "0, one more each time that the run was resumed"),
}
"""Columns of the log of readings: type, fill, meaning."""


class Committed(NamedTuple):
    """What may be trusted: how many rows of each table, and whether the run has finished."""

    readings: int
    events: int
    fits: int
    finished: int
    repeats: int


def create(file: h5py.File, started: RunStarted) -> None:
    """Make the whole tree of a run in an empty file.

    Raises:
        FileError: a name cannot stand in a file.
    """
    shape = Shape.of(started)
    spectroscopy = is_bias_spectroscopy(started)
    root = file["/"].id
    describe(root, NX_class="NXroot", default="entry", creator="stmlab", format=FORMAT, format_version=FORMAT_VERSION)
    entry = add_group(root, "entry", "NXentry")
    describe(entry, default="data")
    _describe(entry, started, spectroscopy=spectroscopy)
    add_instrument(entry, started, spectroscopy=spectroscopy)
    _quantities(entry, "parameters", started.parameters)
    _quantities(entry, "factors", started.factors)
    plan = _plan(entry, started)
    add_data(entry, started, shape, strict=spectroscopy)
    _visits(entry, started, shape)
    _events(entry)
    _status(entry)
    add_fits(entry, started)
    add_dataset(plan, "checksum", "", data=np.uint64(read_fixed(h5py.Group(entry)).checksum()))


def least_bytes(started: RunStarted) -> int:
    """Bytes of the readings of a run that goes once through all its axes."""
    shape = Shape.of(started)
    return 8 * (shape.cells + len(LOG) * shape.places)


def _describe(entry: h5g.GroupID, started: RunStarted, *, spectroscopy: bool) -> None:
    if spectroscopy:
        definition = add_dataset(entry, "definition", data="NXsts")
        describe(definition, version="v2026.01", URL=_DEFINITIONS)
        add_dataset(entry, "experiment_technique", data="STS")
        add_dataset(entry, "scan_mode", data="constant height")
        add_dataset(entry, "identifier_experiment", data=started.run_id)
    add_dataset(entry, "title", data=title(started))
    add_dataset(entry, "start_time", data=started.date)
    add_dataset(entry, "entry_identifier", data=started.run_id)
    add_dataset(entry, "experiment_description", data=started.sequence)
    program = add_dataset(entry, "program_name", data="stmlab")
    describe(program, version=started.versions.get("stmlab", NOT_GIVEN))
    add_dataset(add_group(entry, "user", "NXuser"), "name", data=started.user or NOT_GIVEN)
    add_dataset(add_group(entry, "sample", "NXsample"), "name", data=started.sample or NOT_GIVEN)
    provenance = add_group(entry, "provenance", "NXcollection")
    add_dataset(provenance, "git", data=started.git)
    if started.seed is not None:
        add_dataset(provenance, "seed", "", data=started.seed)
    versions = add_group(provenance, "versions", "NXcollection")
    for name, version in started.versions.items():
        add_dataset(versions, name, data=version)


def _quantities(entry: h5g.GroupID, name: str, quantities: Mapping[str, ParameterValue]) -> None:
    target = add_group(entry, name, "NXcollection")
    for key, quantity in quantities.items():
        unit = None if isinstance(quantity.value, str) else quantity.unit
        dataset = add_dataset(target, key, unit, data=quantity.value)
        describe(dataset, description=quantity.meaning)
        if unit is None and quantity.unit:
            describe(dataset, units=quantity.unit)


def _plan(entry: h5g.GroupID, started: RunStarted) -> h5g.GroupID:
    """Axes and channels in their order, with what NXdata has no place for."""
    plan = add_group(entry, "plan", "NXcollection")
    add_dataset(plan, "point_seconds", "s", data=started.point_seconds)
    axes, channels = started.axes, started.channels
    if axes:
        add_texts(plan, "axis_name", [axis.name for axis in axes])
        add_texts(plan, "axis_label", [axis.label for axis in axes])
        add_dataset(plan, "axis_hardware", "", data=np.array([axis.hardware for axis in axes], dtype="<i8"))
        add_dataset(plan, "axis_logarithmic", "", data=np.array([axis.logarithmic for axis in axes], dtype="<i8"))
    if channels:
        fields = channel_fields(channels)
        add_texts(plan, "channel_name", [channel.name for channel in channels])
        add_texts(plan, "channel_field", [fields[channel.name] for channel in channels])
        add_texts(plan, "channel_meaning", [channel.meaning for channel in channels])
    return plan


def _visits(entry: h5g.GroupID, started: RunStarted, shape: Shape) -> None:
    visits = add_group(entry, "visits", "NXcollection")
    count = add_dataset(visits, "committed", "", data=np.zeros(len(Committed._fields), "<i8"))
    describe(count, description=", ".join(Committed._fields))
    rows = max(1, min(shape.places, _ROWS))
    for name, (dtype, fill, meaning) in LOG.items():
        column = add_table(visits, name, dtype, "", rows=rows, start=rows, fill=fill)
        describe(column, description=meaning)
    _repeats(visits, started, shape)


def _repeats(visits: h5g.GroupID, started: RunStarted, shape: Shape) -> None:
    """Columns of the readings that have no cell of their own in ``data``."""
    repeats = add_group(visits, "repeats", "NXcollection")
    inner = shape.inner
    rows = max(1, min(_ROWS, _CHUNK_BYTES // (8 * math.prod(inner))))
    fields = channel_fields(started.channels)
    add_table(repeats, "visit", "<i8", "", rows=rows, fill=-1)
    numbers = [(f"{axis.name}_measured", axis.unit) for axis in started.axes if not axis.hardware]
    for name, unit in [*numbers, (ELAPSED, "s")]:
        add_table(repeats, name, "<f8", unit, rows=rows, fill=np.nan)
    for channel in started.channels:
        add_table(repeats, fields[channel.name], "<f8", channel.unit, rows=rows, inner=inner, fill=np.nan)


def _events(entry: h5g.GroupID) -> None:
    events = add_group(entry, "events", "NXcollection")
    add_table(events, "time", "<f8", "s")
    add_table(events, "readings", "<i8", "")
    add_table(events, "event", STATE)
    add_note(events, "log", "application/jsonl")


def _status(entry: h5g.GroupID) -> None:
    status = add_group(entry, "status", "NXcollection")
    add_room(status, "state", STATE, shape=())
    add_table(status, "reason", TEXT)
    add_table(status, "message", TEXT)
    add_room(status, "points", "<i8", "", shape=())
    add_room(status, "time", "<f8", "s", shape=())
