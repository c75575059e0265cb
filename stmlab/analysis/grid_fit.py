"""The fits of a grid's curves, as maps of what was fitted, with errors, and nan where a fit was refused."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.analysis.batch import BatchFit
    from stmlab.arrays import BoolArray, FloatArray
    from stmlab.storage.recorded import Column


@dataclass(frozen=True, eq=False)
class GridFit:
    """The fits of a grid's curves.

    Attributes:
        batch: of all places, in C order.
        shape: of the grid of places.
        axes: names of the grid's axes, as of the `Grid`.
        places: what is known of each place, as of the `Grid`.
        warnings: about all of them, one sentence each.
        choices: which column, sweep and temperature was taken, in words.
        labels: ``y`` and ``y_unit`` of the curves.
    """

    batch: BatchFit
    shape: tuple[int, ...]
    axes: tuple[str, ...]
    places: tuple[Column, ...] = ()
    warnings: tuple[str, ...] = ()
    choices: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> tuple[FloatArray, FloatArray]:
        """Values and errors of a parameter, of the grid's shape, nan where a place was not fitted.

        Raises:
            KeyError: there is no such parameter; it names those that exist.
        """
        values, errors = self.batch[name]
        return values.reshape(self.shape), errors.reshape(self.shape)

    @property
    def ok(self) -> BoolArray:
        """Places that were fitted, of the grid's shape."""
        return self.batch.ok.reshape(self.shape)

    @property
    def refused(self) -> Mapping[str, int]:
        """Reason -> at how many places."""
        return Counter(reason for reason in self.batch.reasons if reason)

    def reason(self, *place: int) -> str:
        """Why a place was not fitted; "" if it was."""
        return self.batch.reasons[int(np.ravel_multi_index(place, self.shape))]

    def unit(self, name: str) -> str:
        """Of a parameter."""
        return self.batch.units[self.batch.names.index(name)]

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers and lists, ready for JSON."""
        maps = {name: [array.tolist() for array in self[name]] for name in self.batch.names}
        return {
            "model": self.batch.model,
            "axes": list(self.axes),
            "shape": list(self.shape),
            "fitted": int(self.batch.ok.sum()),
            "refused": dict(self.refused),
            "parameters": [
                {"name": name, "unit": self.unit(name), "values": values, "errors": errors}
                for name, (values, errors) in maps.items()
            ],
            "warnings": list(self.warnings),
            "choices": dict(self.choices),
        }
