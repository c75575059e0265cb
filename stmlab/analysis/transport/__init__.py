"""The transport model fitted to a set of spectra: `fit` is where to begin reading."""

from __future__ import annotations

from stmlab.analysis.transport.fit import fit_transport

__all__ = ["fit_transport"]
