"""Instrument control, acquisition and analysis for spin-sensitive scanning tunnelling microscopy.

What a notebook or a script needs, each loaded when it is first asked for; everything below is internal:

    measure         run a sequence on a station, as ``stmlab run`` does
    Station         the instruments of a microscope, real or simulated, behind their limits
    open_run        a run's data, metadata and fits
    open_recording  the same for a file that another program recorded
    fit, fit_recording, fit_grid    the fits of ``stmlab fit``
    following       how far these are, told while they work, and the way to end them with the best so far
    workers, done_by    processes, or a cluster, that share the fits of many files or of a grid
    model           the papers' models for parameters of your own, as an xarray Dataset
    export          a run or a recorded file in another format
    fit_srs, fit_steps, fit_decay, fit_telegraph        fits of plain arrays
    fit_srs_batch, fit_steps_batch, fit_decay_batch     of thousands of spectra at once
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stmlab.acquisition.measurement import measure
    from stmlab.analysis.batch.decay import fit_decay_batch
    from stmlab.analysis.batch.srs import fit_srs_batch
    from stmlab.analysis.batch.steps import fit_steps_batch
    from stmlab.analysis.decay import fit_decay
    from stmlab.analysis.fitting import fit, fit_grid, fit_recording
    from stmlab.analysis.iterations import following
    from stmlab.analysis.lorentzian import fit_srs
    from stmlab.analysis.steps import fit_steps
    from stmlab.analysis.telegraph import fit_telegraph
    from stmlab.cluster import done_by, workers
    from stmlab.models.computed import model
    from stmlab.results import FitResult
    from stmlab.station import Station
    from stmlab.storage import open_run
    from stmlab.storage.exporters import export
    from stmlab.storage.recorded import open_recording

__all__ = [
    "FitResult",
    "Station",
    "__version__",
    "done_by",
    "export",
    "fit",
    "fit_decay",
    "fit_decay_batch",
    "fit_grid",
    "fit_recording",
    "fit_srs",
    "fit_srs_batch",
    "fit_steps",
    "fit_steps_batch",
    "fit_telegraph",
    "following",
    "measure",
    "model",
    "open_recording",
    "open_run",
    "workers",
]
__version__ = "0.1.0"

_ROOMS = {
    "FitResult": "stmlab.results",
    "Station": "stmlab.station",
    "done_by": "stmlab.cluster",
    "export": "stmlab.storage.exporters",
    "fit": "stmlab.analysis.fitting",
    "fit_decay": "stmlab.analysis.decay",
    "fit_decay_batch": "stmlab.analysis.batch",
    "fit_grid": "stmlab.analysis.fitting",
    "fit_recording": "stmlab.analysis.fitting",
    "fit_srs": "stmlab.analysis.lorentzian",
    "fit_srs_batch": "stmlab.analysis.batch",
    "fit_steps": "stmlab.analysis.steps",
    "fit_steps_batch": "stmlab.analysis.batch",
    "fit_telegraph": "stmlab.analysis.telegraph",
    "following": "stmlab.analysis.iterations",
    "measure": "stmlab.acquisition.measurement",
    "model": "stmlab.models.computed",
    "open_recording": "stmlab.storage.recorded",
    "open_run": "stmlab.storage",
    "workers": "stmlab.cluster",
}
"""Name -> where it lives. Loaded when asked for: a fit needs no instruments, a run no reader."""


def __getattr__(name: str) -> Any:
    """The public face, each name when it is first asked for."""
    if name in _ROOMS:
        from importlib import import_module

        return getattr(import_module(_ROOMS[name]), name)
    raise AttributeError(f"module 'stmlab' has no attribute {name!r}")


def __dir__() -> list[str]:
    """What there is, for tab completion."""
    return sorted({*globals(), *__all__})
