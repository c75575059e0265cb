"""``stmlab`` with a model "slow" that gains next to nothing, for ever."""

from __future__ import annotations

import numpy as np

import stmlab.analysis.iterations as iterations_module
import stmlab.analysis.models as models
from stmlab.analysis.iterations import iterations
from stmlab.cli import app
from stmlab.results import FitParameter, FitResult


def perform(patience: float, *arguments: str) -> None:
    """``stmlab`` with these arguments; ``patience``: s until the terminal is told of a fit."""
    iterations_module._PATIENCE = patience
    models.MODELS = {**models.MODELS, "slow": slow}
    app(arguments)


def slow(run: object, told: object) -> FitResult:
    """Never converged."""
    steps, k = iterations(), 0
    while not steps.over:
        k += 1
        steps.done(1.0 + 1.0 / k)
    return FitResult("slow", (FitParameter("rate", 2.0, 0.1, "1/s"),), ("rate",), np.eye(1), 10, 0.1)
