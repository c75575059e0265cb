"""Where a fit shall begin: what a model with its values hands on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.models.model import Model, Values


@dataclass(frozen=True)
class Start:
    """Start values of a fit.

    Attributes:
        fit: name of the model that is fitted.
        values: parameter -> value, in the fit's units.
        exchange: of the transport model; "" of the others.
    """

    fit: str
    values: Mapping[str, float]
    exchange: str = ""

    @classmethod
    def of(cls, model: Model, values: Values) -> Start | None:
        """From the values of a model; None if no fit has its curve."""
        if model.starts is None:
            return None
        return cls(model.fit, model.starts(values), str(values.get("exchange", "")))
