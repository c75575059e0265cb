"""What work processes do for the models; no Qt."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.arrays import FloatArray
    from stmlab.models.model import Curves
    from stmlab.models.start import Start


def curves_of(name: str, values: Mapping[str, float | str], ends: tuple[float, float] | None) -> Curves:
    """The curves of a model over its own sweep, or between two ends of it."""
    from stmlab import models

    model = models.known(name)
    x: FloatArray | None = None
    if ends is not None:
        x = model.sweep(model.values(values)).values(*ends)
    return model.curves(values, x)


def start_of(name: str, values: Mapping[str, float | str]) -> Start | None:
    """Start values for the fit that has the model's curve; None if there is none."""
    from stmlab import models
    from stmlab.models.start import Start

    model = models.known(name)
    return Start.of(model, model.values(values))
