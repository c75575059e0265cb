"""Many spectra on one axis, fitted at once."""

from __future__ import annotations

from stmlab.analysis.batch.decay import fit_decay_batch
from stmlab.analysis.batch.result import BatchFit
from stmlab.analysis.batch.srs import fit_srs_batch
from stmlab.analysis.batch.steps import fit_steps_batch

__all__ = ["BatchFit", "fit_decay_batch", "fit_srs_batch", "fit_steps_batch"]
