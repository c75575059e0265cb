"""The head of the form: station, sample, sequence with its description, preset."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QSignalBlocker, Qt, pyqtSignal
from PyQt6.QtWidgets import QComboBox, QFormLayout, QLabel, QSizePolicy, QWidget

from stmlab.acquisition import experiments
from stmlab.config_files import known, said
from stmlab.gui.still import StillComboBox

if TYPE_CHECKING:
    from pathlib import Path

    from stmlab.acquisition.sequence import Sequence
    from stmlab.gui.context import Context


class Head(QWidget):
    """What is chosen before any parameter.

    Signals:
        sequence_chosen, station_chosen, sample_chosen, preset_chosen: the name.
    """

    sequence_chosen = pyqtSignal(str)
    station_chosen = pyqtSignal(str)
    sample_chosen = pyqtSignal(str)
    preset_chosen = pyqtSignal(str)

    def __init__(self, context: Context) -> None:
        super().__init__()
        self.context = context
        self.classes: dict[str, type[Sequence]] = {}
        self.station, self.sample = StillComboBox(), StillComboBox()
        self.sequence, self.preset = StillComboBox(), StillComboBox()
        self.description = QLabel()
        self.description.setWordWrap(True)
        self.description.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        for text, box, tip in (
            ("S&tation", self.station, "Name or file of a station; it is connected when a run starts, not before"),
            ("Sam&ple", self.sample, "On a simulated station: what is under the tip; else a name for the file"),
            ("Se&quence", self.sequence, "What is measured"),
            ("Pr&eset", self.preset, "Parameters that were saved under a name"),
        ):
            box.setToolTip(tip)
            box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            box.setMinimumContentsLength(10)
            form.addRow(text, box)
            if box is self.sequence:
                form.addRow(self.description)
        for box in (self.station, self.sample):
            box.setEditable(True)
            box.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self._connect()

    def _connect(self) -> None:
        for box, signal in ((self.station, self.station_chosen), (self.sample, self.sample_chosen)):
            line = box.lineEdit()
            assert line is not None
            line.editingFinished.connect(lambda signal=signal, box=box: signal.emit(_chosen(box)))
            box.activated.connect(lambda _index, signal=signal, box=box: signal.emit(_chosen(box)))
        self.sequence.currentTextChanged.connect(self._choose)
        self.preset.activated.connect(lambda _index: self.preset_chosen.emit(self.preset.currentText()))

    # -- what there is -----------------------------------------------------------------------------------------------

    def reload(self) -> None:
        """Look again for sequences, stations and samples; what is broken is a notice."""
        found = experiments.found()
        for problem in found.problems:
            self.context.notices.warning(problem, "the other sequences are there; mend it and reload")
        self.classes = found.classes
        chosen = self.sequence.currentText()
        with QSignalBlocker(self.sequence):
            self.sequence.clear()
            for name, made in found.classes.items():
                self.sequence.addItem(name)
                self.sequence.setItemData(self.sequence.count() - 1, made.title, Qt.ItemDataRole.ToolTipRole)
            self.sequence.setCurrentText(chosen)
        _fill(self.station, known(), "description")
        _fill(self.sample, known("samples"), "title")

    def choose(self, *, station: str = "", sample: str | None = None, sequence: str = "") -> None:
        """Show these as chosen; signals are sent as if a person had."""
        if station:
            self.station.setCurrentText(station)
            self.station_chosen.emit(station)
        if sample is not None:
            self.sample.setCurrentText(sample)
            self.sample_chosen.emit(sample)
        if sequence:
            if sequence == self.sequence.currentText():
                self._choose(sequence)
            self.sequence.setCurrentText(sequence)

    def settle(self) -> None:
        """What is written in the boxes counts, whether the keyboard has left them or not."""
        self.station_chosen.emit(_chosen(self.station))
        if _chosen(self.sample) != self.context.settings.known.sample:
            self.sample_chosen.emit(_chosen(self.sample))

    def show_own_sample(self, name: str) -> None:
        """What is under the tip of the station where no other sample is chosen."""
        line = self.sample.lineEdit()
        assert line is not None
        line.setPlaceholderText(f"{name} (the station's own)" if name else "none is named")

    def show_presets(self, names: list[str], chosen: str = "") -> None:
        """Those of the sequence; the empty one stands for what is typed."""
        with QSignalBlocker(self.preset):
            self.preset.clear()
            self.preset.addItems(["", *names])
            self.preset.setCurrentText(chosen)

    def _choose(self, name: str) -> None:
        made = self.classes.get(name)
        self.description.setText("" if made is None else made.title)
        self.description.setToolTip("" if made is None else (made.__doc__ or "").strip())
        if made is not None:
            self.sequence_chosen.emit(name)


def _chosen(box: QComboBox) -> str:
    return box.currentText().strip()


def _fill(box: QComboBox, files: dict[str, Path], key: str) -> None:
    """Names, each with its title as a tip; what is written in the box stays."""
    text = box.currentText()
    with QSignalBlocker(box):
        box.clear()
        for name, path in files.items():
            box.addItem(name)
            box.setItemData(box.count() - 1, said(path, key), Qt.ItemDataRole.ToolTipRole)
        box.setCurrentText(text)
