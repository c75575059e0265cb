"""Thumbnails for the rows in view: asked for one by one, so that nobody waits for those further down."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stmlab.gui.data.tasks import picture_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from stmlab.gui.data.catalogue_table import CatalogueTable
    from stmlab.gui.work import Workers
    from stmlab.storage.catalogue import Entry


class Pictures:
    """Draws the thumbnails that are missing.

    Args:
        workers: who draws.
        table: who shows them.
        wanted: the files in view now, the first ones first.
    """

    def __init__(self, workers: Workers, table: CatalogueTable, wanted: Callable[[], Iterable[Entry]]) -> None:
        self._workers, self._table, self._wanted = workers, table, wanted
        self._drawing: Entry | None = None

    def draw(self) -> None:
        """Draw the first that is missing, then the next."""
        if self._drawing is not None:
            return
        missing = (entry for entry in self._wanted() if not self._table.has_picture(entry))
        self._drawing = next(missing, None)
        if self._drawing is not None:
            task = self._workers.submit(picture_of, self._drawing, long=True)
            task.done.connect(self._drawn)
            task.failed.connect(lambda _why: self._drawn(None))  # the row says what is wrong with the file

    def _drawn(self, picture: Path | None) -> None:
        entry, self._drawing = self._drawing, None
        if entry is not None:
            self._table.set_picture(entry, picture)
        self.draw()
