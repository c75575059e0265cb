"""The models by name, and the one that each sequence's data are meant for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stmlab.analysis.decay import fit_decay
from stmlab.analysis.lorentzian import fit_srs
from stmlab.analysis.srs_map import fit_srs_map
from stmlab.analysis.transfer_function import fit_transfer
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


def _srs_map(run: Run) -> FitResult:
    return fit_srs_map(*(_column(run, name) for name in ("offset", "drive", "frequency", "current")))


def _decay(run: Run) -> FitResult:
    """On the sides and beyond the exclusion that the sequence was given; if that is 0, where pulses do not overlap."""
    given = {name: parameter.value for name, parameter in run.parameters.items()}
    overlap = float(given.get("width", 0.0)) + 2 * float(given.get("rise_time", 0.0))
    return fit_decay(
        _column(run, "delay"),
        _column(run, "current"),
        exclusion=float(given.get("exclusion", 0.0)) or overlap,
        sides=str(given.get("fitted_sides", "both")),
    )


def _transfer(run: Run) -> FitResult:
    """Amplitudes as asked for; what was played differs by the last digit of the generator's level."""
    if "reference_magnitude" not in run.factors:
        raise FitError(f"{run.path}: the model needs the factor reference_magnitude, which the run does not have")
    return fit_transfer(
        *(_column(run, name) for name in ("frequency", "drive", "current")),
        reference_dB=float(run.factors["reference_magnitude"].value),
    )


def _column(run: Run, name: str) -> FloatArray:
    """A coordinate or channel, point by point."""
    known = {**run.coordinates, **run.data}
    if name not in known:
        raise FitError(f"{run.path}: the model needs {name}, the run has {', '.join(known)}")
    return known[name]


# The noise of a lock-in reading is the same at every frequency, and is taken from the residual: readings averaged at
# one point are too few, and too close in time, to weight the points by their scatter.
MODELS: Mapping[str, Callable[[Run], FitResult]] = {
    "srs": _srs,
    "srs_two_widths": _srs_two_widths,
    "srs_map": _srs_map,
    "decay": _decay,
    "transfer": _transfer,
}
SEQUENCES: Mapping[str, str] = {"srs": "srs", "srs_map": "srs_map", "pump_probe": "decay", "transfer": "transfer"}
