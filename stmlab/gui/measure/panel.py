"""The panel in which a run is prepared: what is chosen, its parameters, the check beside them, and where it goes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QFileDialog, QHBoxLayout, QInputDialog, QScrollArea, QSplitter, QVBoxLayout

from stmlab.acquisition.queue.entries import EntryState, QueueEntry, new_id
from stmlab.errors import StmlabError
from stmlab.gui.actions import Action
from stmlab.gui.measure.bounds import station_facts
from stmlab.gui.measure.destination import Destination
from stmlab.gui.measure.form import ParameterForm
from stmlab.gui.measure.head import Head
from stmlab.gui.measure.in_process import OldRun, old_run
from stmlab.gui.measure.plan_view import PlanView
from stmlab.gui.measure.preflight import Preflight
from stmlab.gui.measure.presets import Presets
from stmlab.gui.measure.written import written
from stmlab.gui.panel import Area, Panel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.acquisition.planning import Plan
    from stmlab.gui.context import Context
    from stmlab.gui.themes import Theme
    from stmlab.station.limits import Limit


class MeasurePanel(Panel):
    """Makes queue entries; starts nothing by itself, and connects to nothing.

    Attributes:
        form: of the sequence that is chosen; None while there is none.
        source: the entry that was taken into the form, of which a new one keeps what the form does not show.
    """

    name = "measure"
    title = "Measure"
    area = Area.LEFT

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.form: ParameterForm | None = None
        self.source: QueueEntry | None = None
        self._wrong_station = ""  # why the station that is written cannot be used
        self._limits: Mapping[str, Limit] = {}
        self._own_sample = ""
        self.presets = Presets(context)
        self.head, self.view = Head(context), PlanView(context.theme)
        self.destination = Destination()
        self.preflight = Preflight(context.workers, self)
        self._register()
        self._lay_out()
        self._connect()
        self.reload()
        self._as_remembered()

    # -- building ----------------------------------------------------------------------------------------------------

    def _register(self) -> None:
        add, menu = self.context.actions.add, "&Measure"
        for name, text, tip, keys, do in (
            ("run", "&Run now", "Run this; the queue waits until it is done", "Ctrl+R", self.run),
            ("add", "&Add to queue", "Put this at the end of the queue", "Ctrl+B", self.add),
            (
                "replace",
                "Re&place entry",
                "Put this in place of the entry that was taken from the queue",
                "",
                self.replace,
            ),
        ):
            add(Action(f"measure.{name}", text, tip, keys, menu, tool_bar=name == "run", section="run"), do)
        for name, text, tip, keys, do in (
            ("save_preset", "&Save preset...", "Keep these parameters under a name", "Ctrl+S", self.save_preset),
            ("delete_preset", "&Delete preset", "Forget the preset that is chosen", "", self.delete_preset),
            ("defaults", "De&faults", "Every parameter as the sequence has it", "", self.defaults),
            (
                "from_run",
                "Parameters from a r&un...",
                "Take the parameters of a run's file",
                "Ctrl+U",
                self.ask_for_run,
            ),
            ("reload", "Re&load sequences", "Look again for sequences, stations and samples", "", self.reload),
        ):
            add(Action(f"measure.{name}", text, tip, keys, menu, section="parameters"), do)
        self.context.actions["measure.replace"].setEnabled(False)

    def _lay_out(self) -> None:
        self.area_of_form = QScrollArea()
        self.area_of_form.setWidgetResizable(True)
        self.area_of_form.setFrameShape(QScrollArea.Shape.NoFrame)
        self.area_of_form.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.splitter = QSplitter(Qt.Orientation.Vertical)
        self.splitter.addWidget(self.area_of_form)
        self.splitter.addWidget(self.view)
        self.splitter.setSizes([3000, 2000])  # shares
        self.splitter.setChildrenCollapsible(False)
        buttons = QHBoxLayout()
        for name in ("run", "add", "replace"):
            buttons.addWidget(self.context.actions.button(f"measure.{name}"))
        buttons.addStretch(1)
        column = QVBoxLayout(self)
        column.addWidget(self.head)
        column.addWidget(self.splitter, stretch=1)
        column.addWidget(self.destination)
        column.addLayout(buttons)

    def _connect(self) -> None:
        self.head.sequence_chosen.connect(self.choose_sequence)
        self.head.station_chosen.connect(self.choose_station)
        self.head.sample_chosen.connect(self.choose_sample)
        self.head.preset_chosen.connect(self.choose_preset)
        self.presets.changed.connect(self._show_presets)
        self.destination.changed.connect(self._keep)
        self.destination.changed.connect(self._show_plan)
        self.preflight.asked.connect(lambda: self.view.wait("checking ..."))
        self.preflight.ready.connect(self._take_plan)
        self.context.entry_wanted.connect(self.take_entry)
        self.context.theme_changed.connect(self._paint)

    # -- what is chosen ----------------------------------------------------------------------------------------------

    def reload(self) -> None:
        """Look again for sequences, stations and samples."""
        self.head.reload()

    def choose_sequence(self, name: str) -> None:
        """Show its parameters, as they were last used at this station."""
        self.context.remember(sequence=name, values=self._values())
        made = self.head.classes[name]
        self.form = ParameterForm(made(), self._limits, self.context.theme)
        self.form.fill(self.context.settings.known.values.get(self._key(), {}))
        self.form.changed.connect(self._check)
        self.area_of_form.setWidget(self.form)
        self.area_of_form.setMinimumWidth(self.form.minimumSizeHint().width() + self._scroll_bar_width())
        self._show_presets()
        self._check()

    def choose_station(self, name: str) -> None:
        """Show its limits; its file is read, nothing is connected."""
        if name == self.context.settings.known.station and self._limits and not self._wrong_station:
            return
        try:
            facts, self._wrong_station = station_facts(name), ""
        except StmlabError as error:
            self._wrong_station = str(error)
            self._check()
            return
        self._limits, self._own_sample = facts.limits, facts.sample
        self.head.show_own_sample(facts.sample)
        self.context.remember(station=name, values=self._values())
        if self.form is not None:
            self.form.use_limits(self._limits)
            self.form.reset()
            self.form.fill(self.context.settings.known.values.get(self._key(), {}))
        self.context.station_changed.emit(name)

    def choose_sample(self, name: str) -> None:
        """What is under the tip."""
        self.context.remember(sample=name)
        self._check()

    def choose_preset(self, name: str) -> None:
        """Fill the form with a preset; what it does not name is as the sequence has it."""
        if self.form is None or not name:
            return
        self.form.reset()
        missing = self.form.fill(self.presets.texts(self.form.sequence.name, name))
        self._tell_missing(missing, f"preset {name}")

    # -- what the user does ------------------------------------------------------------------------------------------

    @property
    def reason(self) -> str:
        """Why there is no entry, "" if there is one."""
        if self.form is None:
            return "no sequence is chosen"
        return self._wrong_station or self.form.reason

    def entry(self) -> QueueEntry | None:
        """What the form holds, as a new entry; None, after a notice, while it is refused."""
        self.head.settle()
        if self.form is None or self.reason:
            self.context.notices.error(f"not started: {self.reason}", "correct it in the form")
            return None
        self._keep()
        sequence, kept = self.form.sequence.name, self._kept_of_source()
        looped = self.source.loop if self.source is not None and kept else {}
        settings = {name: text for name, text in self.form.settings().items() if name not in looped}
        chosen = self.context.settings.known
        return QueueEntry.model_validate(
            {
                **kept,
                "id": new_id(),
                "sequence": sequence,
                "station": chosen.station,
                "sample": chosen.sample or None,
                "settings": settings,
                "folder": str(Path(chosen.folder).expanduser().absolute()),
                "name": self.destination.name(),
                "note": self.destination.note(),
            }
        )

    def run(self) -> None:
        """Ask for this run now."""
        plan = self.preflight.plan
        if plan is not None and plan.refusal:
            self.context.notices.error(f"not started: {plan.refusal}", "nothing has moved")
        elif (entry := self.entry()) is not None:
            self.context.run_asked.emit(entry)

    def add(self) -> None:
        """Put this at the end of the queue."""
        if (entry := self.entry()) is not None:
            self.context.entry_added.emit(entry)

    def replace(self) -> None:
        """Put this in place of the entry that was taken from the queue."""
        if self.source is not None and (entry := self.entry()) is not None:
            self.context.entry_replaced.emit(entry.changed(id=self.source.id))

    def take_entry(self, entry: QueueEntry) -> None:
        """Put an entry into the form."""
        self.head.choose(station=entry.station, sample=entry.sample or "", sequence=entry.sequence)
        if self.form is None or self.form.sequence.name != entry.sequence:
            self.context.notices.error(f"{entry.sequence}: no such sequence", "reload the sequences, or choose another")
            return
        self.source = entry
        self.context.actions["measure.replace"].setEnabled(entry.state is EntryState.WAITING)
        self.form.reset()
        first = {name: values[0] for name, values in entry.loop.items()}
        self._tell_missing(self.form.fill({**entry.settings, **first}), "the entry")
        self.destination.show_entry(entry)
        self.context.panel_wanted.emit(self.name)

    def ask_for_run(self) -> None:
        """Let a file be chosen, and take its parameters."""
        where = self.context.settings.known.folder
        path, _ = QFileDialog.getOpenFileName(self, "Parameters from a run", where, "Runs (*.h5);;All files (*)")
        if path:
            self.take_run(Path(path))

    def take_run(self, path: Path) -> None:
        """Take the parameters of a run's file, which a work process reads."""
        task = self.context.workers.submit(old_run, path)
        task.done.connect(self._take_old_run)
        task.failed.connect(lambda why: self.context.notices.error(why, "choose the file of a run"))

    def defaults(self) -> None:
        """Every parameter as the sequence has it."""
        if self.form is not None:
            self.form.reset()

    def save_preset(self) -> None:
        """Ask for a name, and keep what differs from the defaults."""
        if self.form is None:
            return
        name, given = QInputDialog.getText(self, "Save preset", "Name", text=self.head.preset.currentText())
        if given and name.strip():
            self.presets.save(self.form.sequence.name, name.strip(), self.form.settings())
            self._show_presets(name.strip())

    def delete_preset(self) -> None:
        """Forget the preset that is chosen."""
        name = self.head.preset.currentText()
        if self.form is not None and name:
            self.presets.delete(self.form.sequence.name, name)

    def begin(self) -> None:
        """The station, for those that were not there when it was chosen."""
        if not self._wrong_station:
            self.context.station_changed.emit(self.context.settings.known.station)

    def close_down(self) -> None:
        """Keep what is typed."""
        self.preflight.stop()
        self._keep()

    # -- details -----------------------------------------------------------------------------------------------------

    def _as_remembered(self) -> None:
        known = self.context.settings.known
        self.destination.folder.setText(known.folder)
        sequence = known.sequence if known.sequence in self.head.classes else next(iter(self.head.classes), "")
        self.head.choose(station=known.station, sample=known.sample, sequence=sequence)

    def _take_old_run(self, run: OldRun) -> None:
        if run.sequence not in self.head.classes:
            self.context.notices.error(f"{run.path.name}: {run.sequence}: no such sequence", "choose another run")
            return
        self.head.choose(sequence=run.sequence)
        assert self.form is not None
        self.source = None
        self.context.actions["measure.replace"].setEnabled(False)
        self.form.reset()
        missing = self.form.fill({name: written(value, unit) for name, (value, unit) in run.parameters.items()})
        self._tell_missing(missing, run.path.name)
        self.context.notices.info(f"parameters of {run.path.name}; station and sample are as chosen here")

    def _kept_of_source(self) -> dict[str, object]:
        """What an entry has beyond the form: seed, loop, repetitions, tags, what comes after a failure."""
        source = self.source
        if source is None or self.form is None or source.sequence != self.form.sequence.name:
            return {}
        shown = {"id", "settings", "folder", "name", "note", "state", "done", "files", "message"}
        return source.model_dump(exclude=shown)

    def _check(self) -> None:
        """Have the whole run checked, unless a field is wrong by itself."""
        if self.form is None:
            return
        if self.reason:
            self.preflight.forget()
            self.view.wait(f"not checked: {self.reason}")
            return
        known = self.context.settings.known
        self.preflight.ask(self.form.sequence.name, known.station, known.sample, self.form.settings())

    def _take_plan(self, plan: Plan) -> None:
        self._show_plan()
        if self.form is not None:
            self.form.object_to(plan.parameters, plan.refusal)

    def _show_plan(self) -> None:
        if self.preflight.plan is not None and self.form is not None:
            known = self.context.settings.known
            file = self.destination.file(self.form.sequence.name, known.sample or self._own_sample)
            self.view.show_plan(self.preflight.plan, file)

    def _show_presets(self, chosen: str = "") -> None:
        if self.form is not None:
            self.head.show_presets(self.presets.names(self.form.sequence.name), chosen)

    def _tell_missing(self, names: tuple[str, ...], what: str) -> None:
        if names and self.form is not None:
            said = f"{what}: {self.form.sequence.name} has no parameter {', '.join(names)}"
            self.context.notices.warning(said, "it was left out")

    def _key(self) -> str:
        assert self.form is not None
        return f"{self.form.sequence.name} at {self.context.settings.known.station}"

    def _values(self) -> dict[str, dict[str, str]]:
        """What is remembered of every sequence at every station, what is typed now among it."""
        values = self.context.settings.known.values
        return dict(values) if self.form is None else {**values, self._key(): self.form.settings()}

    def _keep(self) -> None:
        """What is typed now, for the next time."""
        self.context.remember(folder=self.destination.folder.text().strip() or ".", values=self._values())

    def _scroll_bar_width(self) -> int:
        bar = self.area_of_form.verticalScrollBar()
        return 0 if bar is None else bar.sizeHint().width()

    def _paint(self, theme: Theme) -> None:
        self.view.paint(theme)
        if self.form is not None:
            self.form.paint(theme)
