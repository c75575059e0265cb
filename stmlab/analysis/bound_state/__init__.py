"""The relaxation of a bound state from how its current saturates: `fit` is where to begin reading."""

from __future__ import annotations

from stmlab.analysis.bound_state.fit import fit_bound_state
from stmlab.analysis.bound_state.peaks import Peaks
from stmlab.analysis.bound_state.runs import fit_ramp, shows_peaks

__all__ = ["Peaks", "fit_bound_state", "fit_ramp", "shows_peaks"]
