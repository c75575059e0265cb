"""The n-state model fitted to a set of SRS spectra: `fit` is where to begin reading."""

from __future__ import annotations

from stmlab.analysis.n_state.data import SrsSpectrum
from stmlab.analysis.n_state.files import FREE, fit_map, fit_runs, takes_states
from stmlab.analysis.n_state.fit import fit_states
from stmlab.analysis.n_state.runs import srs_spectra

__all__ = ["FREE", "SrsSpectrum", "fit_map", "fit_runs", "fit_states", "srs_spectra", "takes_states"]
