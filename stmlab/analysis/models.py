"""The models by name, and the one that each sequence's data are meant for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stmlab.analysis.lorentzian import fit_srs
from stmlab.errors import FitError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from stmlab.arrays import FloatArray
    from stmlab.results import FitResult
    from stmlab.storage import Run


def analyse(run: Run, model: str | None = None) -> FitResult:
    """Fit a run.

    Args:
        run: as ``open_run`` gives it.
        model: name of the model; by default the one that belongs to the run's sequence.

    Raises:
        FitError: the model is not known, the sequence has none, or the data cannot carry the fit.
    """
    if model is None:
        model = SEQUENCES.get(run.sequence)
        if model is None:
            raise FitError(f"sequence {run.sequence} has no model of its own: name one of {', '.join(MODELS)}")
    if model not in MODELS:
        raise FitError(f"model {model!r} is not known: {', '.join(MODELS)} are")
    return MODELS[model](run)


def _srs(run: Run) -> FitResult:
    return fit_srs(_column(run, "frequency"), _column(run, "current"))


def _srs_two_widths(run: Run) -> FitResult:
    return fit_srs(_column(run, "frequency"), _column(run, "current"), harmonics=2)


def _column(run: Run, name: str) -> FloatArray:
    """A coordinate or channel, point by point."""
    known = {**run.coordinates, **run.data}
    if name not in known:
        raise FitError(f"{run.path}: the model needs {name}, the run has {', '.join(known)}")
    return known[name]


# The noise of a lock-in reading is the same at every frequency, and is taken from the residual: readings averaged at
# one point are too few, and too close in time, to weight the points by their scatter.
MODELS: Mapping[str, Callable[[Run], FitResult]] = {"srs": _srs, "srs_two_widths": _srs_two_widths}
SEQUENCES: Mapping[str, str] = {"srs": "srs"}
