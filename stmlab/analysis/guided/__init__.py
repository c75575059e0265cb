"""Fits that a person guides: from start values of their own, with parameters fixed. Else they are as the others."""

from __future__ import annotations

from stmlab.analysis.guided.guide import QUANTITIES, Guide, Quantity

__all__ = ["QUANTITIES", "Guide", "Quantity"]
