"""What is done with the files that are chosen in the catalogue: shown, overlaid, fitted, replayed, used, exported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stmlab.gui.actions import Action
from stmlab.gui.data.exporting import Exporting
from stmlab.gui.data.tasks import parameters_of
from stmlab.storage.catalogue import RECORDED, UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from PyQt6.QtWidgets import QWidget

    from stmlab.gui.context import Context
    from stmlab.storage.catalogue import Entry


class ChosenFiles:
    """The actions on chosen files.

    Args:
        context: what panels share.
        parent: of dialogs.
        chosen: the chosen files, as they stand in the catalogue.
    """

    def __init__(self, context: Context, parent: QWidget, chosen: Callable[[], list[Entry]]) -> None:
        self._context, self._chosen = context, chosen
        self._exporting = Exporting(context, parent)

    def register(self, edit_tags: Callable[[], None], note: Callable[[], None]) -> None:
        """Add every action; tags and notes are edited in the catalogue itself."""
        for name, text, tip, do in (
            ("show", "&Show", "Show the run in the live plots, or draw the recorded file", self.show),
            ("overlay", "&Overlay", "Draw the chosen files over each other", self.overlay),
            ("fit", "F&it...", "Fit the chosen file", self.fit),
            ("map", "&Map", "Show the chosen grid, or run over several axes, as a map", self.map),
            ("replay", "&Replay", "Play the chosen run again, with a time slider", self.replay),
            ("reuse", "&Use these parameters", "Put the run's parameters into the form", self.reuse),
            ("tag", "Edit &tags", "Edit the tags of the chosen file", edit_tags),
            ("note", "Add &note...", "Write a note about the chosen file", note),
            ("export_figure", "Export fi&gure...", "Write a figure of the chosen file: PNG, SVG or PDF", self.figure),
            ("export_data", "Export &data...", "Write the data of the chosen file in another format", self.data),
        ):
            self._context.actions.add(Action(f"data.{name}", text, tip, menu="&Data", section="chosen"), do)

    def enable(self) -> None:
        """Enable what can be done with what is chosen now."""
        entries = self._chosen()
        readable = [entry for entry in entries if entry.state != UNREADABLE]
        one = len(entries) == 1
        run = one and bool(readable) and entries[0].state != RECORDED
        for names, possible in (
            (("overlay",), bool(readable)),
            (("export_figure", "export_data", "show", "fit", "map"), one and bool(readable)),
            (("replay", "reuse"), run),
            (("tag", "note"), one),
        ):
            for name in names:
                self._context.actions[f"data.{name}"].setEnabled(possible)

    def path(self) -> Path | None:
        """Of the first."""
        entries = self._chosen()
        return entries[0].path if entries else None

    def draw(self, paths: list[Path]) -> None:
        """Draw files from anywhere over each other."""
        if paths:
            self._context.overlay_wanted.emit(paths)
            self._context.panel_wanted.emit("overlay")

    def show(self) -> None:
        """A run in the live plots; a recorded file is drawn."""
        entries = self._chosen()
        if len(entries) != 1 or entries[0].state == UNREADABLE:
            return
        if entries[0].state == RECORDED:
            self.draw([entries[0].path])
        else:
            self._context.run_shown.emit(entries[0].path)

    def overlay(self) -> None:
        """Draw all of them over each other."""
        self.draw([entry.path for entry in self._chosen() if entry.state != UNREADABLE])

    def fit(self) -> None:
        """Into the fit panel."""
        self._context.fit_wanted.emit(self.path())
        self._context.panel_wanted.emit("fit")

    def map(self) -> None:
        """Into the map panel."""
        self._context.map_wanted.emit(self.path())
        self._context.panel_wanted.emit("map")

    def replay(self) -> None:
        """Into the replay panel."""
        self._context.replay_wanted.emit(self.path())
        self._context.panel_wanted.emit("replay")

    def reuse(self) -> None:
        """The parameters of a run, for the form."""
        task = self._context.workers.submit(parameters_of, self.path())
        task.done.connect(self._reuse)
        task.failed.connect(self._context.notices.error)

    def _reuse(self, parameters: dict[str, Any]) -> None:
        from stmlab.acquisition.queue.entries import QueueEntry

        self._context.entry_wanted.emit(QueueEntry(**parameters))

    def figure(self) -> None:
        """A figure of the file."""
        self._exporting.figure([entry.path for entry in self._chosen()])

    def data(self) -> None:
        """The data in another format."""
        self._exporting.data([entry.path for entry in self._chosen()])
