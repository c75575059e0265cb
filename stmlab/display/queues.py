"""Queues for people and for scripts: one line an entry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stmlab.display.runs import duration_as_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.acquisition.queue.entries import Queue, QueueEntry


def entry_as_text(entry: QueueEntry) -> str:
    """What is measured: "srs, fe_atom: amplitude = 2.8 mV; dc_bias = 4 mV, 6 mV; 2 times"."""
    head = ", ".join(
        filter(None, (entry.sequence, entry.sample, entry.station if entry.station != "simulated" else ""))
    )
    said = [f"{name} = {value}" for name, value in entry.settings.items()]
    said += [f"{name} = {', '.join(values)}" for name, values in entry.loop.items()]
    if entry.repeat > 1:
        said.append(f"{entry.repeat} times")
    return f"{head}: {'; '.join(said)}" if said else head


def queue_as_text(queue: Queue) -> str:
    """One line an entry: number, id, state, runs done, what is measured, what there is to say, the last file."""
    lines = []
    for number, entry in enumerate(queue.entries, start=1):
        runs = f" {entry.done}/{entry.runs}" if entry.runs > 1 else ""
        more = "".join(f"\n       {text}" for text in (entry.message, entry.file) if text)
        lines.append(f"{number:>3}  {entry.id:<8}  {entry.state + runs:<13} {entry_as_text(entry)}{more}")
    return "\n".join(lines) or "nothing in this queue"


def queue_as_dict(queue: Queue) -> dict[str, Any]:
    """The entries as their file says them."""
    return {"entries": [entry.model_dump(mode="json") for entry in queue.entries]}


def progress_as_text(said: Mapping[str, Any]) -> str:
    """Where a run stands, as its queue says: "srs: point 12 of 60, 0:01:20 left"; of chosen points also the error."""
    run = f" (run {said['run'] + 1} of {said['runs']})" if said["runs"] > 1 else ""
    adaptive = said.get("target") is not None
    of = "" if adaptive else f" of {said['total']}"
    parts = [f"{said['sequence']}{run}: point {said['points']}{of}"]
    if adaptive and said["error"] is not None:
        parts.append(f"error {100 * said['error']:.2g} % of {100 * said['target']:.2g} %")
    if said["left"] is not None and said["points"] < said["total"]:
        parts.append(f"{duration_as_text(max(round(said['left']), 1))} left")
    return ", ".join(parts)
