"""The figure that suits the model of a fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.steps import STEP_MODELS
from stmlab.display.figures.bound_state import draw_bound_state
from stmlab.display.figures.fitted import draw_fitted
from stmlab.display.figures.ramp import draw_ramp
from stmlab.display.figures.series import draw_series
from stmlab.display.figures.srs_map import draw_srs_map
from stmlab.display.figures.steps import draw_steps
from stmlab.display.figures.telegraph import draw_telegraph

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from matplotlib.figure import Figure

    from stmlab.results import FitResult


def draw_fits(title: str, fits: Sequence[tuple[str, FitResult]]) -> Figure:
    """Draw fits of one model: side by side where there are several of a spectrum, else the first.

    Args:
        title: of the page; may be empty.
        fits: label ("forward") and result, at least one.
    """
    model, (_, first) = fits[0][1].model, fits[0]
    if model in STEP_MODELS:
        return draw_steps(fits, title, first.labels.get("y_unit", ""))
    if model == "transport" and np.ptp(first.curves.get("spectrum", first.curves["setpoint"])) == 0:  # a single one
        return draw_fitted(first, title)
    return _FIGURES.get(model, draw_fitted)(first, title)


_FIGURES: Mapping[str, Callable[[FitResult, str], Figure]] = {
    "telegraph": draw_telegraph,
    "transport": draw_ramp,
    "exchange": draw_series,
    "correlation": draw_series,
    "srs_map": draw_srs_map,
    "n_state": draw_srs_map,
    "bound_state": draw_bound_state,
}
