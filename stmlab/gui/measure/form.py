"""A sequence's parameters as a form, in groups; each value is checked while it is typed, and refused at its field."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QVBoxLayout, QWidget

from stmlab.errors import SequenceError
from stmlab.gui.measure.bounds import bounds_of
from stmlab.gui.measure.groups import Group
from stmlab.gui.measure.row import Row
from stmlab.gui.measure.written import written

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.acquisition.sequence import Sequence
    from stmlab.gui.themes import Theme
    from stmlab.station.limits import Limit

_CLOSED = ("advanced",)  # groups that are opened when somebody wants them


class ParameterForm(QWidget):
    """Holds a sequence of its own, connected to nothing: whatever is typed touches no run.

    Args:
        sequence: whose parameters are set.
        limits: of the station.
        theme: colours.

    Signals:
        changed: a value was typed, right or wrong.
    """

    changed = pyqtSignal()

    def __init__(self, sequence: Sequence, limits: Mapping[str, Limit], theme: Theme) -> None:
        super().__init__()
        self.sequence = sequence
        self.rows: dict[str, Row] = {}
        self.groups: dict[str, Group] = {}
        self._defaults = self._as_text()
        self._quiet = False
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 4, 0)
        parameters = sequence.parameter_objects()
        for title, names in sequence.grouped().items():
            group = Group(title.capitalize(), is_open=title not in _CLOSED)
            self.groups[title] = group
            layout.addWidget(group)
            for name in names:
                row = Row(name, parameters[name], group.rows, theme)
                row.field.set_text(self._defaults[name])
                row.field.changed.connect(lambda _text, name=name: self._take(name))
                self.rows[name] = row
        layout.addStretch(1)
        self.use_limits(limits)
        self._align()

    # -- what it holds -----------------------------------------------------------------------------------------------

    @property
    def reason(self) -> str:
        """Why the first wrong field is refused; "" when every field holds what is allowed."""
        wrong = next((row for row in self.rows.values() if row.reason), None)
        return "" if wrong is None else f"{wrong.parameter.name}: {wrong.reason}"

    def texts(self) -> dict[str, str]:
        """Every parameter as it is written in its field."""
        return {name: row.field.text() for name, row in self.rows.items()}

    def settings(self) -> dict[str, str]:
        """Those that differ from the sequence's defaults, as written."""
        return {name: text for name, text in self.texts().items() if text != self._defaults[name]}

    def fill(self, texts: Mapping[str, str]) -> tuple[str, ...]:
        """Put texts into their fields, right or wrong; returns the names that this sequence does not have."""
        self._quiet = True
        for name, text in texts.items():
            if name in self.rows:
                self.rows[name].field.set_text(text)
        self._quiet = False
        self._check_all()
        return tuple(name for name in texts if name not in self.rows)

    def reset(self) -> None:
        """The sequence's defaults."""
        self.fill(self._defaults)

    # -- bounds ------------------------------------------------------------------------------------------------------

    def use_limits(self, limits: Mapping[str, Limit]) -> None:
        """Those of another station."""
        found = bounds_of(self.sequence.parameter_objects(), self.sequence.outputs_set(), limits)
        for name, row in self.rows.items():
            row.show_bounds(found.get(name))
        self._check_all()

    def object_to(self, names: tuple[str, ...], objection: str) -> None:
        """What the check of the whole run refuses about these parameters; a refusal of their own hides it."""
        for name, row in self.rows.items():
            row.object_to(objection if name in names else "")

    def paint(self, theme: Theme) -> None:
        """In the colours of the theme."""
        for row in self.rows.values():
            row.paint(theme)

    # -- details -----------------------------------------------------------------------------------------------------

    def _align(self) -> None:
        """The columns of all groups stand below each other."""
        for column, widgets in (
            (0, [row.label for row in self.rows.values()]),
            (2, [row.allowed for row in self.rows.values()]),
        ):
            width = max((widget.sizeHint().width() for widget in widgets), default=0)
            for group in self.groups.values():
                group.rows.setColumnMinimumWidth(column, width)

    def _take(self, name: str) -> None:
        if not self._quiet:
            self._check(name)
            self.object_to((), "")  # out of date
            self.changed.emit()

    def _check_all(self) -> None:
        for name in self.rows:
            self._check(name)
        self.object_to((), "")
        for group_name, names in self.sequence.grouped().items():
            if any(self.rows[name].reason for name in names):
                self.groups[group_name].open()
        self.changed.emit()

    def _check(self, name: str) -> None:
        row = self.rows[name]
        try:
            self.sequence.set(name, row.field.text())
        except SequenceError as error:
            row.refuse(str(error).removeprefix(f"{self.sequence.name}: {name} = "))
            return
        value = getattr(self.sequence, name)
        row.refuse("" if row.bounds is None else row.bounds.refusal(float(value)))

    def _as_text(self) -> dict[str, str]:
        return {name: written(p.value, p.unit) for name, p in self.sequence.parameter_record().items()}
