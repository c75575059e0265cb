"""An evening: every kind of run once, each as small as it can be."""

from stmlab.acquisition.queue.entries import Queue, QueueEntry
from stmlab.acquisition.queue.file import owned

SMALL = {
    "transfer": {"points_per_decade": 3, "largest_step": "8 GHz"},
    "srs": {"points": 6},
    "srs_map": {"dc_points": 2, "points": 6},
    "setpoint_ramp": {"conductances": 2, "points": 5},
    "pump_probe": {"points": 5},
    "time_trace": {"samples": 200},
    "didv": {"points": 5},
}


def entry(sequence, **more):
    """A small run of that sequence on the simulated microscope."""
    settings = {**SMALL[sequence], **more.pop("settings", {})}
    return QueueEntry(sequence=sequence, settings=settings, **{"seed": 1, **more})


def written(path, *entries):
    """A queue file with these entries; returns its path."""
    with owned(path, new=True) as file:
        file.keep(Queue(entries=entries))
    return path
