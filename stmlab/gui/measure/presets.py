"""Presets: sets of parameters under a name, for each sequence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, pyqtSignal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.gui.context import Context


class Presets(QObject):
    """Those that are remembered.

    Signals:
        changed: one was saved or deleted.
    """

    changed = pyqtSignal()

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._context = context

    def names(self, sequence: str) -> list[str]:
        """Of a sequence, by alphabet."""
        return sorted(self._known().get(sequence, {}))

    def texts(self, sequence: str, name: str) -> dict[str, str]:
        """What a preset holds: parameter -> text; what it does not name is as the sequence has it."""
        return dict(self._known()[sequence][name])

    def save(self, sequence: str, name: str, texts: Mapping[str, str]) -> None:
        """Under this name, in place of one that has it."""
        ours = self._known().get(sequence, {})
        self._keep(sequence, {**ours, name: dict(texts)})

    def delete(self, sequence: str, name: str) -> None:
        """It is gone."""
        self._keep(sequence, {key: texts for key, texts in self._known()[sequence].items() if key != name})

    def _known(self) -> dict[str, dict[str, dict[str, str]]]:
        return self._context.settings.known.presets

    def _keep(self, sequence: str, presets: dict[str, dict[str, str]]) -> None:
        self._context.remember(presets={**self._known(), sequence: presets})
        self.changed.emit()
