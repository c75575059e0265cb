"""Switching between two levels in a trace: `fit` is where to begin reading."""

from __future__ import annotations

from stmlab.analysis.telegraph.fit import fit_telegraph

__all__ = ["fit_telegraph"]
