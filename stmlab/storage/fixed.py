"""What is written once, before the first reading, as its checksum covers it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from stmlab.storage.checksum import checksum_of
from stmlab.storage.values import dataset_at, holds, members, value_at, value_of

if TYPE_CHECKING:
    import h5py
    from h5py import h5d


class Said(NamedTuple):
    """A dataset and all that it holds."""

    dataset: h5d.DatasetID
    value: Any


class Fixed(NamedTuple):
    """Axes, parameters, factors, configuration and the instruments' settings before the run, by their names."""

    axes: dict[str, Said]
    parameters: dict[str, Said]
    factors: dict[str, Said]
    notes: dict[str, Said]

    def checksum(self) -> int:
        """CRC-32 of all of it."""
        return checksum_of(said.value for group in self for said in group.values())


def read_fixed(entry: h5py.Group) -> Fixed:
    """Read it from the file of a run."""
    plan = "plan/axis_name"
    names = [name.decode() for name in value_at(entry, plan)] if holds(entry["plan"], "axis_name") else []
    return Fixed(
        {name: _said(dataset_at(entry["data"], name)) for name in names},
        {name: _said(dataset) for name, dataset in members(entry["parameters"])},
        {name: _said(dataset) for name, dataset in members(entry["factors"])},
        {name: _said(dataset_at(entry["instrument"], f"{name}/data")) for name in ("configuration", "snapshot_before")},
    )


def _said(dataset: h5d.DatasetID) -> Said:
    return Said(dataset, value_of(dataset))
