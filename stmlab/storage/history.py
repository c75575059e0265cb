"""States that a run went through and points that were disturbed, in their order, as lines of JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from stmlab.events import PointsDisturbed, RunState, StateChanged
from stmlab.storage.hdf5 import from_pieces

if TYPE_CHECKING:
    import h5py


def read_history(lines: h5py.Dataset, count: int) -> tuple[tuple[int, StateChanged | PointsDisturbed], ...]:
    """The first ``count`` events, each with the number of readings taken before."""
    found = from_pieces(lines[:]).split("\n")[:count]
    return tuple((said["points"], _event(said)) for said in map(json.loads, found))


def _event(said: dict[str, Any]) -> StateChanged | PointsDisturbed:
    if "disturbed" in said:
        return PointsDisturbed(tuple(said["disturbed"]), said["time"], said["reason"])
    return StateChanged(RunState(said["state"]), said["time"], said["reason"])
