"""Fits of many files: each file of one curve is a task, and those of many curves are shared out in their parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from stmlab.analysis.fitting import fit_opened, holds_many, opened
from stmlab.analysis.iterations import stopped
from stmlab.cluster import Lost, executor
from stmlab.errors import FitEnded, FitError, StmlabError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from stmlab.analysis.grid_fit import GridFit
    from stmlab.analysis.guided import Guide
    from stmlab.results import FitResult
    from stmlab.storage import Run
    from stmlab.storage.recorded import Grid, Recording

    Fits: TypeAlias = Mapping[str, FitResult | GridFit]


@dataclass(frozen=True)
class Asked:
    """How files are to be fitted: see `fit_file`."""

    model: str | None = None
    channel: str | None = None
    settings: Mapping[str, Any] | None = None
    within: tuple[float | str, float | str] | None = None
    guide: Guide | None = None

    def fitted(self, source: Run | Recording | Grid) -> Fits:
        """The fits of what a file holds; raises FitError, FileError and SequenceError as `fit_file`."""
        return fit_opened(source, self.model, self.channel, self.settings, self.guide)

    def __call__(self, source: Run | Recording | Grid) -> Fits | str:
        """The same as a task: the fits, or why there are none."""
        try:
            return self.fitted(source)
        except StmlabError as error:  # as text: not every error comes back from another process
            return str(error)


def fit_files(files: Sequence[Path], asked: Asked) -> Iterator[tuple[Path, Fits | StmlabError | OSError]]:
    """The fits of every file as they end, or why there are none; a file that was given twice is fitted once.

    The files are read here: workers need not see them.
    """
    left = dict.fromkeys(files)
    shared: list[Path] = []
    many: list[Path] = []
    unread: list[tuple[Path, StmlabError | OSError]] = []

    def curves() -> Iterator[Run | Recording | Grid]:
        for file in tuple(left):
            try:
                source = opened(file, asked.within)
            except (StmlabError, OSError) as error:
                unread.append((file, error))
                continue
            if holds_many(source, asked.model):
                many.append(file)
            else:
                shared.append(file)
                yield source

    for done in executor().completed(asked, curves(), len(left), stopped):
        file = shared[done.number]
        del left[file]
        yield file, _told(done.result)
    for file, error in unread:
        del left[file]
        yield file, error
    for file in many:
        if stopped():
            break
        del left[file]
        yield file, _of_many(file, asked)
    for file in left:
        yield file, FitEnded("not begun: a fit before was stopped", stopped=True)


def _told(found: Fits | str | Lost) -> Fits | FitError:
    if isinstance(found, Lost):
        return FitError(found.reason)
    return FitError(found) if isinstance(found, str) else found


def _of_many(file: Path, asked: Asked) -> Fits | StmlabError | OSError:
    try:
        return asked.fitted(opened(file, asked.within))
    except (StmlabError, OSError) as error:
        return error
