"""The queue: its entries, and what can be done with them."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PyQt6.QtWidgets import QFileDialog, QInputDialog, QLabel, QSizePolicy, QToolBar, QToolButton, QVBoxLayout

from stmlab.acquisition.queue.entries import AfterFailure, EntryState, QueueEntry
from stmlab.gui.actions import Action
from stmlab.gui.panel import Area, Panel
from stmlab.gui.queue.desk import desk_of
from stmlab.gui.queue.dialogs import LoopDialog
from stmlab.gui.queue.entry_list import EntryList
from stmlab.gui.queue.words import AFTER

if TYPE_CHECKING:
    from collections.abc import Callable

    from stmlab.gui.context import Context

_MENU = "&Queue"
_MOST = 10_000
_BUTTONS = ("up", "down", "edit", "duplicate", "remove")


class QueuePanel(Panel):
    """What is measured one after the other; every change is in the queue's file at once.

    Attributes:
        desk: of the queue.
        entries: the list.
    """

    name, title, area = "queue", "Queue", Area.RIGHT

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.desk = desk_of(context)
        self.entries = EntryList()
        self.file = QLabel()
        self._performed = False  # when the entries were shown last
        self._one: list[str] = []  # actions that need an entry
        self._register()
        self._lay_out()
        self.entries.moved.connect(self.desk.move)
        self.entries.itemSelectionChanged.connect(self._enable)
        self.entries.itemActivated.connect(lambda *_: self.edit())
        self.desk.queue_changed.connect(self.refresh)
        self.desk.run_changed.connect(self._take_state)
        context.entry_added.connect(self.desk.add)
        context.entry_replaced.connect(self.desk.edit)
        context.theme_changed.connect(lambda _: self.refresh())
        self.refresh()

    # -- building ----------------------------------------------------------------------------------------------------

    def _register(self) -> None:
        self._add("edit", "Use these &parameters", "Put this entry into the form", "Ctrl+E", self.edit)
        self._add("duplicate", "&Duplicate", "The same once more, right behind", "Ctrl+Shift+D", self.duplicate)
        self._add("repeat", "&Repeat...", "Do all of it several times", "", self.repeat)
        self._add("loop", "&Loop over a parameter...", "One run for each of several values", "Ctrl+L", self.loop)
        self._add("up", "Move &up", "Measure this earlier", "Alt+Up", partial(self.shift, -1))
        self._add("down", "Move d&own", "Measure this later", "Alt+Down", partial(self.shift, 1))
        self._add("again", "&Wait again", "Let an entry that is over wait again: its missing runs", "", self.again)
        self._add("skip", "S&kip", "Leave this entry out", "", self.skip)
        self._add("remove", "Re&move", "Take this entry out; its files stay", "Ctrl+Backspace", self.remove)
        pause = Action(
            "queue.pause_after",
            "&Pause after it",
            "Let the queue wait for you when this entry is done",
            "",
            _MENU,
            checkable=True,
            section="entry",
        )
        self.context.actions.add(pause, self.pause_after)
        self._one.append(pause.name)
        for after in AfterFailure:
            text = f"After a failure: {AFTER[after]}"
            tip = "What the queue does if this entry fails; a tip that tripped always stops it"
            action = Action(f"queue.after_{after}", text, tip, "", _MENU, checkable=True, section="failure")
            self.context.actions.add(action, partial(self.after_failure, after))
            self._one.append(action.name)
        hold = Action(
            "queue.hold",
            "Pause &between entries",
            "Wait for you before the next entry, however the run goes on",
            "Ctrl+H",
            _MENU,
            checkable=True,
            section="queue",
        )
        self.context.actions.add(hold, self.hold)
        for name, text, tip, do in (
            ("open", "&Open queue...", "Another queue's file", self.open),
            ("new", "&New queue...", "An empty queue in a file of its own", self.new),
            (
                "clear",
                "Remove what is &done",
                "Take out every entry that is done; its files stay",
                self.clear,
            ),
        ):
            self.context.actions.add(Action(f"queue.{name}", text, tip, "", _MENU, section="file"), do)

    def _add(self, name: str, text: str, tip: str, keys: str, do: Callable[[], object]) -> None:
        self.context.actions.add(Action(f"queue.{name}", text, tip, keys, _MENU, section="entry"), do)
        self._one.append(f"queue.{name}")

    def _lay_out(self) -> None:
        for name in self._one:
            self.entries.addAction(self.context.actions[name])
        buttons = QToolBar()  # in a narrow panel the last ones are behind its arrow
        for name in ("run.start", *(f"queue.{name}" for name in _BUTTONS)):
            buttons.addAction(self.context.actions[name])
            button = buttons.widgetForAction(self.context.actions[name])
            assert isinstance(button, QToolButton)
            button.setAutoRaise(False)
        self.file.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 4, 4, 4)
        column.addWidget(self.entries, stretch=1)
        column.addWidget(buttons)
        column.addWidget(self.file)

    # -- with entries ------------------------------------------------------------------------------------------------

    def chosen(self) -> list[QueueEntry]:
        """The entries that are selected, from above."""
        known = {entry.id: entry for entry in self.desk.queue.entries}
        return [known[name] for name in self.entries.selected() if name in known]

    def edit(self) -> None:
        """Put the first one into the form."""
        for entry in self.chosen()[:1]:
            self.context.entry_wanted.emit(entry)

    def duplicate(self) -> None:
        """Each right behind itself."""
        for entry in self.chosen():
            self.desk.duplicate(entry.id)

    def repeat(self) -> None:
        """Ask how often."""
        for entry in self.chosen()[:1]:
            count, given = QInputDialog.getInt(self, "Repeat", "Times in all", entry.repeat, 1, _MOST)
            if given:
                self._edit(entry, repeat=count)

    def loop(self) -> None:
        """Ask over which values; answered when the dialog is closed."""
        for entry in self.chosen()[:1]:
            dialog = LoopDialog(entry, self)
            dialog.looped_as.connect(self.desk.edit)
            dialog.open()

    def shift(self, by: int) -> None:
        """Up or down by one."""
        chosen = self.chosen()
        for entry in chosen if by < 0 else reversed(chosen):
            place = self.desk.queue.place(entry.id) + by
            if 0 <= place < len(self.desk.queue):
                self.desk.move(entry.id, place)

    def again(self) -> None:
        """Let them wait again."""
        for entry in self.chosen():
            self._edit(entry, state=EntryState.WAITING)

    def skip(self) -> None:
        """Leave them out."""
        for entry in self.chosen():
            self._edit(entry, state=EntryState.SKIPPED)

    def remove(self) -> None:
        """Take them out."""
        for entry in self.chosen():
            self.desk.remove(entry.id)

    def pause_after(self) -> None:
        """Whether the queue waits when they are done."""
        on = self.context.actions["queue.pause_after"].isChecked()
        for entry in self.chosen():
            self._edit(entry, pause_after=on)

    def after_failure(self, after: AfterFailure) -> None:
        """What is done if they fail."""
        for entry in self.chosen():
            self._edit(entry, after_failure=after)
        self._enable()

    def _edit(self, entry: QueueEntry, **changes: Any) -> None:
        self.desk.edit(entry, **changes)

    # -- with the queue ----------------------------------------------------------------------------------------------

    def hold(self) -> None:
        """Whether the queue waits before the next entry."""
        self.desk.ask("hold", on=self.context.actions["queue.hold"].isChecked())

    def open(self) -> None:
        """Choose another queue's file."""
        path, _ = QFileDialog.getOpenFileName(self, "Open queue", str(self.desk.file.parent), "Queues (*.toml)")
        if path:
            self.desk.open(Path(path))

    def new(self) -> None:
        """Choose where an empty one lies."""
        path, _ = QFileDialog.getSaveFileName(self, "New queue", str(self.desk.file.parent), "Queues (*.toml)")
        if path:
            self.desk.open(Path(path).with_suffix(".toml"))

    def clear(self) -> None:
        """Take out what is done."""
        for entry in self.desk.queue.entries:
            if entry.state is EntryState.DONE:
                self.desk.remove(entry.id)

    # -- what is shown -----------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """The entries as the desk knows them."""
        desk = self.desk
        self._performed = desk.link.is_connected
        self.entries.show_queue(desk.queue, self.context.theme, performed=desk.link.is_connected)
        self.file.setText(desk.file.name)
        self.file.setToolTip(str(desk.file))
        self._enable()

    def _take_state(self) -> None:
        """Of the run; the entries come by themselves, unless nobody performs them any more, or somebody does."""
        if self._performed != self.desk.link.is_connected:
            self.refresh()
        else:
            self._enable()

    def _enable(self) -> None:
        actions, chosen = self.context.actions, self.chosen()
        states = {entry.state for entry in chosen}
        over = states <= {*EntryState} - {EntryState.WAITING, EntryState.RUNNING}
        idle = EntryState.RUNNING not in states or not self.desk.link.is_connected
        waiting = states == {EntryState.WAITING}
        allowed = {"queue.edit": True, "queue.duplicate": True, "queue.again": over or not self.desk.link.is_connected}
        allowed |= {f"queue.{name}": waiting for name in ("up", "down", "skip")}
        for name in self._one:
            actions[name].setEnabled(bool(chosen) and allowed.get(name, idle))
        first = chosen[0] if chosen else None
        actions["queue.pause_after"].setChecked(first is not None and first.pause_after)
        for after in AfterFailure:
            actions[f"queue.after_{after}"].setChecked(first is not None and first.after_failure is after)
        actions["queue.hold"].setChecked(bool(self.desk.held))
        actions["queue.hold"].setEnabled(self.desk.link.is_connected)
        actions["queue.clear"].setEnabled(any(entry.state is EntryState.DONE for entry in self.desk.queue.entries))
