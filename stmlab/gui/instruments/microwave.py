"""A tone by hand: frequency and amplitude at the junction, play and off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QFormLayout, QHBoxLayout, QLabel, QLineEdit, QPushButton, QWidget

from stmlab.errors import SequenceError
from stmlab.units import in_unit

if TYPE_CHECKING:
    from stmlab.gui.themes import Theme


class Microwave(QWidget):
    """Fields and buttons.

    Args:
        theme: colours.

    Signals:
        play: frequency, Hz, and amplitude at the junction, V peak.
        off: nothing shall be played.
    """

    play = pyqtSignal(float, float)
    off = pyqtSignal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.frequency, self.amplitude, self.refusal = QLineEdit("1 GHz"), QLineEdit("1 mV"), QLabel()
        self.refusal.setWordWrap(True)
        self.refusal.hide()
        self.play_button, self.off_button = QPushButton("Play tone"), QPushButton("RF off")
        self.play_button.clicked.connect(self._play)
        self.off_button.clicked.connect(self.off)
        buttons = QHBoxLayout()
        buttons.addWidget(self.play_button)
        buttons.addWidget(self.off_button)
        form = QFormLayout(self)
        form.setContentsMargins(0, 6, 0, 0)
        form.addRow("Frequency", self.frequency)
        form.addRow("Amplitude at the junction (peak)", self.amplitude)
        form.addRow(buttons)
        form.addRow(self.refusal)
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        self.paint(theme)

    def refuse(self, why: str) -> None:
        """Say why nothing is played; "" when it is."""
        self.refusal.setText(why)
        self.refusal.setVisible(bool(why))

    def paint(self, theme: Theme) -> None:
        """Other colours."""
        self.refusal.setStyleSheet(f"color: {theme.bad};")

    def _play(self) -> None:
        try:
            frequency, amplitude = in_unit(self.frequency.text(), "Hz"), in_unit(self.amplitude.text(), "V")
        except SequenceError as error:
            self.refuse(str(error))
            return
        self.play.emit(frequency, amplitude)
