"""Fits in a work process: what is asked for, and the fit that is followed and stopped; no Qt."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from stmlab.analysis.grid_fit import GridFit
    from stmlab.gui.work_process import Progress
    from stmlab.results import FitResult


@dataclass(frozen=True)
class FitAsked:
    """What the fit panel asks for; values as people write them.

    Attributes:
        model: its name; "": the one for what was done.
        channel: of a recorded file; "": the lock-in's.
        settings: what the file does not say.
        within: both ends of a stretch; "" each for all of it.
        start: where parameters begin.
        fixed: parameters that stay there.
        exchange: of a guided fit of a ramp.
    """

    model: str = ""
    channel: str = ""
    settings: dict[str, str] = field(default_factory=dict)
    within: tuple[str, str] = ("", "")
    start: dict[str, str] = field(default_factory=dict)
    fixed: tuple[str, ...] = ()
    exchange: str = ""


def fit_in_work(path: Path, asked: FitAsked, progress: Progress) -> dict[str, FitResult | GridFit]:
    """Fit a file; progress is a `FitProgress`. A fit that is stopped gives the best that it had."""
    from stmlab.analysis.fitting import fit_file
    from stmlab.analysis.guided import Guide
    from stmlab.analysis.iterations import following
    from stmlab.errors import FitError

    if any(asked.within) and not all(asked.within):
        raise FitError("a range needs both of its ends")
    low, high = asked.within
    with following(progress.tell, stop=lambda: progress.stopping):
        return fit_file(
            path,
            asked.model or None,
            asked.channel or None,
            asked.settings,
            within=(low, high) if low else None,
            guide=Guide.read(asked.start, asked.fixed, asked.exchange if asked.start or asked.fixed else ""),
        )


def keep_fit(path: Path, fit: FitResult) -> None:
    """Add a fit to the file of its run, as ``stmlab fit --keep`` does."""
    from stmlab.storage import append_fit

    append_fit(path, fit)


def models_for(*, is_run: bool, is_grid: bool) -> tuple[str, ...]:
    """Names of the models that a file may be fitted with."""
    from stmlab.analysis.grids import GRID_MODELS
    from stmlab.analysis.models import MODELS
    from stmlab.analysis.recordings import MODELS as OF_RECORDINGS

    if is_run:
        return tuple(MODELS)
    return tuple(GRID_MODELS) if is_grid else tuple(OF_RECORDINGS)
