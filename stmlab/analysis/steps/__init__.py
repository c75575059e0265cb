"""Inelastic steps of one dI/dV spectrum: `fit` is where to begin reading."""

from __future__ import annotations

from stmlab.analysis.steps.fit import METHODS, STEP_MODELS, fit_steps

__all__ = ["METHODS", "STEP_MODELS", "fit_steps"]
