"""Several files over each other: runs and recorded files, with offset and normalisation."""

from __future__ import annotations

from bisect import bisect
from typing import TYPE_CHECKING

from PyQt6.QtCore import QItemSelectionModel, Qt
from PyQt6.QtGui import QColor, QIcon, QPixmap
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from stmlab.errors import SequenceError
from stmlab.gui.actions import Action
from stmlab.gui.data.curve_plot import CurvePlot, Drawn
from stmlab.gui.data.dropping import accept_files
from stmlab.gui.data.exporting import Exporting
from stmlab.gui.data.opened import Opened, open_file
from stmlab.gui.data.overlaying import Normalisation, comparable
from stmlab.gui.panel import Area, Panel
from stmlab.units import in_unit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from stmlab.gui.context import Context
    from stmlab.gui.data.opened import Curve

_OWN = "each its own"  # channel


class OverlayPanel(Panel):
    """Curves of the files in the list: of a grid the mean, or the place that was chosen in its map."""

    name = "overlay"
    title = "Overlay"
    area = Area.MAIN

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        known = context.settings.panel(self.name)
        self.opened: list[tuple[Opened, tuple[int, ...]]] = []
        self._numbers: list[int] = []
        self._asked = 0
        self.files = QListWidget()
        self.channel, self.normalisation = QComboBox(), QComboBox()
        self.offset = QLineEdit(str(known.get("offset", "0")))
        self.plot = CurvePlot(context.theme)
        self.status, self.pointed = QLabel(), QLabel()
        self.exporting = Exporting(context, self)
        self._build(str(known.get("normalisation", Normalisation.NONE)))
        self._register()
        accept_files(self, self.add)
        context.overlay_wanted.connect(self.add)
        context.theme_changed.connect(self._use_theme)
        self._draw()

    def _register(self) -> None:
        for name, text, tip, do in (
            ("remove", "&Remove from overlay", "Take the chosen files out of the overlay", self.remove_chosen),
            ("clear", "&Clear overlay", "Take every file out of the overlay", self.clear),
            ("view_all", "All of the overlay in &view", "Show all of the curves", self.plot.show_all),
            ("export", "Export figure of the o&verlay...", "Write what is drawn: PNG, SVG or PDF", self.export),
        ):
            self.context.actions.add(Action(f"overlay.{name}", text, tip, menu="&Data", section="overlay"), do)
        self._buttons.addWidget(self.context.actions.button("overlay.remove"))
        self._buttons.addWidget(self.context.actions.button("overlay.clear"))

    def _build(self, normalisation: str) -> None:
        self.files.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.files.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.files.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.files.setToolTip("Files that are drawn; drop more here")
        self.files.itemChanged.connect(lambda _item: self._draw())
        self.files.currentRowChanged.connect(self._look_at)
        self.channel.setToolTip("What is drawn of each file")
        self.channel.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.normalisation.addItems([str(one) for one in Normalisation])
        self.normalisation.setCurrentText(normalisation)
        self.normalisation.setToolTip("What each curve is divided by")
        self.offset.setToolTip("Added to each curve once more than to the one before: 2 pA; without unit if normalised")
        for box in (self.channel, self.normalisation):
            box.currentTextChanged.connect(lambda _text: self._draw())
        self.offset.textChanged.connect(lambda _text: self._draw())
        self.status.setWordWrap(True)
        self.plot.pointed.connect(self.pointed.setText)
        side, left, right = QSplitter(), QWidget(), QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.files, stretch=1)
        self._buttons = QVBoxLayout()
        column.addLayout(self._buttons)
        row = QHBoxLayout()
        for text, field in (("C&hannel", self.channel), ("&Normalise", self.normalisation), ("O&ffset", self.offset)):
            label = QLabel(text)
            label.setBuddy(field)
            row.addWidget(label)
            row.addWidget(field)
        row.addStretch(1)
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(row)
        column.addWidget(self.plot, stretch=1)
        column.addWidget(self.pointed)
        column.addWidget(self.status)
        side.addWidget(left)
        side.addWidget(right)
        side.setStretchFactor(1, 1)
        side.setSizes([25 * self.fontMetrics().averageCharWidth(), 80 * self.fontMetrics().averageCharWidth()])
        QVBoxLayout(self).addWidget(side)

    # -- files -------------------------------------------------------------------------------------------------------

    def add(self, wanted: Sequence[Path | tuple[Path, tuple[int, ...]]]) -> None:
        """Read files in a work process and draw them, too: paths, or paths with a place in their grid."""
        for one in wanted:
            path, place = one if isinstance(one, tuple) else (one, ())
            self._asked += 1
            task = self.context.workers.submit(open_file, path)
            task.done.connect(lambda opened, place=place, number=self._asked: self._take(opened, place, number))
            task.failed.connect(self.context.notices.error)

    def remove_chosen(self) -> None:
        """Take the chosen files out."""
        for row in sorted((self.files.row(item) for item in self.files.selectedItems()), reverse=True):
            self.files.takeItem(row)
            del self.opened[row], self._numbers[row]
        self._changed()

    def clear(self) -> None:
        """Take all files out."""
        self.files.clear()
        self.opened, self._numbers = [], []
        self._changed()

    def _take(self, opened: Opened, place: tuple[int, ...], number: int) -> None:
        """In the order in which they were asked for, whichever was read first."""
        for row, (known, at) in enumerate(self.opened):
            if (known.path, at) == (opened.path, place):
                self.opened[row] = opened, place  # read anew
                self._changed()
                return
        row = bisect(self._numbers, number)
        self.opened.insert(row, (opened, place))
        self._numbers.insert(row, number)
        item = QListWidgetItem(opened.curve("", place).name)
        item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
        item.setCheckState(Qt.CheckState.Checked)
        item.setToolTip(f"{opened.title}\n{opened.path}")
        self.files.insertItem(row, item)
        self._changed()
        self.files.setCurrentItem(item, QItemSelectionModel.SelectionFlag.ClearAndSelect)

    def _look_at(self, row: int) -> None:
        if 0 <= row < len(self.opened):
            self.context.data_shown.emit(self.opened[row][0])

    def _changed(self) -> None:
        names = list(dict.fromkeys(name for opened, _ in self.opened for name in opened.channels))
        before = self.channel.currentText()
        self.channel.blockSignals(True)
        self.channel.clear()
        self.channel.addItems([_OWN, *names])
        self.channel.setCurrentText(before if before in names else _OWN)
        self.channel.blockSignals(False)
        self._draw()

    # -- the drawing -------------------------------------------------------------------------------------------------

    def curves(self) -> tuple[list[Curve], list[str]]:
        """What is drawn, and why the rest is not."""
        name = self.channel.currentText()
        chosen, lacking = [], []
        for row, (opened, place) in enumerate(self.opened):
            item = self.files.item(row)
            if item is None or item.checkState() is not Qt.CheckState.Checked:
                continue
            if name in ("", _OWN) or name in opened.channels:
                chosen.append(opened.curve("" if name in ("", _OWN) else name, place))
            else:
                lacking.append(f"{opened.path.name} has no {name}")
        normalisation = Normalisation(self.normalisation.currentText())
        unit = chosen[0].y_unit if chosen and normalisation is Normalisation.NONE else ""
        drawn, left_out = comparable(chosen, normalisation, in_unit(self.offset.text() or "0", unit))
        return drawn, [*lacking, *left_out]

    def _draw(self) -> None:
        try:
            curves, left_out = self.curves()
        except SequenceError as error:
            self._say(f"offset: {error}", bad=True)
            return
        colours = self.context.theme.curves
        drawn = [Drawn(curve, colours[k % len(colours)]) for k, curve in enumerate(curves)]
        self.plot.draw(drawn)
        self._paint_list({one.curve.name: one.colour for one in drawn})
        empty = "Choose files in the catalogue and overlay them, or drop some here" if not self.opened else ""
        self._say("; ".join(left_out) or empty, bad=bool(left_out))
        self._keep()

    def _paint_list(self, colours: dict[str, str]) -> None:
        self.files.blockSignals(True)
        side = self.fontMetrics().height()
        for row in range(self.files.count()):
            item = self.files.item(row)
            assert item is not None
            swatch = QPixmap(side, side // 3)
            swatch.fill(QColor(colours.get(item.text(), self.context.theme.base)))
            item.setIcon(QIcon(swatch))
        self.files.blockSignals(False)

    def _say(self, text: str, *, bad: bool) -> None:
        self.status.setText(text)
        self.status.setStyleSheet(f"color: {self.context.theme.warn}" if bad else "")

    def _keep(self) -> None:
        kept = {"normalisation": self.normalisation.currentText(), "offset": self.offset.text()}
        if self.context.settings.panel(self.name) != kept:
            self.context.settings.remember_panel(self.name, **kept)

    def _use_theme(self) -> None:
        self.plot.use_theme(self.context.theme)
        self._draw()

    def export(self) -> None:
        """Write a figure of what is drawn."""
        self.exporting.curves([one.curve for one in self.plot.drawn], "overlay")
