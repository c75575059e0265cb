"""Runs on disk: writer, reader, fits added later."""

from __future__ import annotations

from stmlab.storage.fits import append_fit
from stmlab.storage.reader import open_run
from stmlab.storage.recovery import recover
from stmlab.storage.refusals import check_new
from stmlab.storage.resuming import check_resumable, reopen
from stmlab.storage.run import Run
from stmlab.storage.writer import BATCH_SECONDS, Writer

__all__ = [
    "BATCH_SECONDS",
    "Run",
    "Writer",
    "append_fit",
    "check_new",
    "check_resumable",
    "open_run",
    "recover",
    "reopen",
]
