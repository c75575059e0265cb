"""States that a run went through and points that were disturbed, in their order, as lines of JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from stmlab.events import Analysed, PointsDisturbed, RunState, StateChanged
from stmlab.storage.hdf5 import from_pieces

if TYPE_CHECKING:
    from collections.abc import Sequence

    import h5py

    from stmlab.storage.fits import StoredFit


def read_history(lines: h5py.Dataset, count: int) -> tuple[tuple[int, StateChanged | PointsDisturbed], ...]:
    """The first ``count`` events, each with the number of readings taken before."""
    found = from_pieces(lines[:]).split("\n")[:count]
    return tuple((said["points"], _event(said)) for said in map(json.loads, found))


def in_order(
    history: Sequence[tuple[int, StateChanged | PointsDisturbed]],
    fits: Sequence[StoredFit],
    states: int = 0,
) -> list[tuple[int, StateChanged | PointsDisturbed | Analysed]]:
    """States, disturbed points and fits as they came, each with the number of readings before it.

    Args:
        history: as `read_history` gives it, from event number ``states`` on.
        fits: in their order; one that was added after the run is left out.
        states: number of events before the first one of ``history``.
    """
    later: list[tuple[tuple[int, ...], StateChanged | PointsDisturbed | Analysed]]
    later = [((readings, k, 0, 0), event) for k, (readings, event) in enumerate(history, start=states)]
    later += [
        ((stored.place[0], stored.place[1] - 1, 1, k), Analysed(stored.fit))
        for k, stored in enumerate(fits)
        if stored.place is not None
    ]
    return [(key[0], event) for key, event in sorted(later, key=lambda each: each[0])]


def _event(said: dict[str, Any]) -> StateChanged | PointsDisturbed:
    if "disturbed" in said:
        return PointsDisturbed(tuple(said["disturbed"]), said["time"], said["reason"])
    return StateChanged(RunState(said["state"]), said["time"], said["reason"])
