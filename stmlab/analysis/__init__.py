"""Fits: from arrays to parameters with errors; and which of them a run is meant for.

A model is a function of a run. To add one, write its fit on plain arrays in a file of its own, and give it a name and
the sequences it belongs to in ``stmlab.analysis.models``.
"""

from __future__ import annotations

from stmlab.analysis.models import analyse, ramp_model

__all__ = ["analyse", "ramp_model"]
