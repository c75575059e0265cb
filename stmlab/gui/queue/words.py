"""How states are said and coloured: a word always, a colour never alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stmlab.acquisition.queue.entries import AfterFailure, EntryState
from stmlab.display.queues import entry_as_text, progress_as_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.acquisition.queue.entries import QueueEntry
    from stmlab.gui.queue.desk import QueueDesk
    from stmlab.gui.themes import Theme

SIGNS = {
    EntryState.WAITING: "\N{WHITE CIRCLE}",
    EntryState.RUNNING: "\N{BLACK RIGHT-POINTING TRIANGLE}",
    EntryState.DONE: "\N{CHECK MARK}",
    EntryState.FAILED: "\N{MULTIPLICATION X}",
    EntryState.STOPPED: "\N{BLACK SQUARE}",
    EntryState.SKIPPED: "\N{EM DASH}",
    EntryState.INTERRUPTED: "!",
}
AFTER = {
    AfterFailure.STOP: "stop the queue",
    AfterFailure.SKIP: "skip it, take the next",
    AfterFailure.RETRY: "try again, then stop",
}


def state_of(entry: QueueEntry, *, performed: bool) -> str:
    """The state in a word; an entry that runs while nobody performs the queue was interrupted."""
    state = entry.state
    if state is EntryState.RUNNING and not performed:
        state = EntryState.INTERRUPTED
    runs = f" {entry.done}/{entry.runs}" if entry.runs > 1 else ""
    return f"{SIGNS[state]} {state}{runs}"


def colour_of(state: EntryState, theme: Theme) -> str:
    """Of a state."""
    return {
        EntryState.RUNNING: theme.accent if not theme.is_dark else theme.curves[0],
        EntryState.DONE: theme.good,
        EntryState.FAILED: theme.bad,
        EntryState.INTERRUPTED: theme.bad,
        EntryState.STOPPED: theme.warn,
    }.get(state, theme.idle)


def plan_of(entry: QueueEntry) -> str:
    """What is measured, and what is special about it, in one line."""
    more = []
    if entry.after_failure is not AfterFailure.STOP:
        more.append(f"after a failure: {AFTER[entry.after_failure]}")
    if entry.pause_after:
        more.append("then wait for a person")
    return "; ".join([entry_as_text(entry), *more])


def progress_of(desk: QueueDesk) -> str:
    """Where the run stands: "srs: point 12 of 60, 0:01:20 left"; "" between two."""
    return progress_as_text(desk.progress) if desk.progress else ""


def progress_in_numbers(said: Mapping[str, Any]) -> tuple[int, int]:
    """How many points of how many; of a run that chooses them, readings of those that bring its error to the target.

    (0, 1) while nobody can tell how many those are.
    """
    if said.get("target") is None:
        return said["points"], max(said["total"], 1)
    return (0, 1) if said.get("needed") is None else (said["readings"], max(said["needed"], 1))


def queue_state(desk: QueueDesk) -> str:
    """What the queue does, in words."""
    if desk.process.is_starting:
        return "starting"
    if not desk.link.is_connected:
        return "idle"
    if desk.state == "waiting":
        return f"waits: {desk.reason}" if desk.reason else "waits for you"
    if desk.held:
        return f"{desk.run or desk.state}; then waits"
    return desk.run or desk.state or "performed"
