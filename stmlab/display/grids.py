"""Fits of a grid's curves as text for a terminal: how many, medians and spread of each parameter, what was refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.units import format_value

if TYPE_CHECKING:
    from stmlab.analysis.grid_fit import GridFit

_QUARTILES = (25.0, 75.0)


def grid_fit_as_text(fit: GridFit) -> str:
    """Model, places, of each parameter the median with the median error and the quartiles, warnings."""
    shape = " x ".join(map(str, fit.shape))
    lines = [f"fit {fit.batch.model}: {int(fit.ok.sum())} of {shape} places ({', '.join(fit.axes)})"]
    width = max(12, *map(len, fit.batch.names))
    lines += [f"  {what:{width}} {chosen}" for what, chosen in fit.choices.items()]
    lines += [f"  {name:{width}} {median_as_text(fit, name)}" for name in fit.batch.names]
    lines += [f"  warning: {warning}" for warning in fit.warnings]
    return "\n".join(lines)


def median_as_text(fit: GridFit, name: str, *, quartiles: bool = True) -> str:
    """The median of a parameter with the median of its errors, and between which values half of the places lie."""
    values, errors = fit[name]
    there = fit.ok & np.isfinite(values)  # a place may do without a parameter that others have
    values, errors = values[there], errors[there]
    if not values.size:
        return "no numbers"
    error, unit = float(np.median(errors)), fit.unit(name)
    text = f"median {format_value(float(np.median(values)), error, unit)}"
    if not quartiles:
        return text
    low, high = (format_value(float(end), error, unit) for end in np.percentile(values, _QUARTILES))
    return f"{text}, half of the places from {low} to {high}"
