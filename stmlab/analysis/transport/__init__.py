"""The transport model fitted to a set of spectra: `fit` is where to begin reading."""

from __future__ import annotations

from stmlab.analysis.transport.data import SpectrumData
from stmlab.analysis.transport.fit import fit_systems, fit_transport

__all__ = ["SpectrumData", "fit_systems", "fit_transport"]
