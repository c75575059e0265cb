"""Fits: from arrays to parameters with errors."""
