"""Fits of a grid's places one by one, for a model that no batch fit knows: the transport model.

It takes a tenth of a second and more at each place, so that a grid is worth several workers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.batch import BatchFit
from stmlab.analysis.iterations import NOT_REACHED, fitting_part
from stmlab.analysis.parts import parts_done
from stmlab.analysis.recorded.columns import in_amperes
from stmlab.analysis.recorded.spectra import fit_transport_recorded
from stmlab.analysis.residuals import is_structured
from stmlab.errors import FitEnded, FitError
from stmlab.results import FitResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from stmlab.analysis.recorded.columns import Spectrum
    from stmlab.analysis.settings import Settings
    from stmlab.arrays import IntArray
    from stmlab.storage.recorded import Recording

_TOGETHER = 4
"""Places in a task: long beside the way to a worker and back, short beside a grid."""


@dataclass(frozen=True, eq=False)
class TransportAtPlaces:
    """The transport model at some places.

    Attributes:
        seen: what is fitted, as of the mean of all places.
        told: what was given, or what the header says.
        part: rows of the sweep.
        volts: of the unit of what was swept.
    """

    seen: Spectrum
    told: Settings
    part: IntArray
    volts: float

    def __call__(self, places: Sequence[Recording]) -> list[FitResult | str]:
        """The fit of each, or why there is none."""
        with fitting_part("transport", self.told.time_limit) as steps:
            return [NOT_REACHED if steps.over else self._at(place) for place in places]

    def _at(self, place: Recording) -> FitResult | str:
        column = place[self.seen.column.name]
        here = replace(self.seen, column=(in_amperes(column) if self.seen.derived else None) or column)
        bias = self.volts * place.columns[0].values
        with fitting_part("transport", self.told.time_limit) as steps:
            try:
                fit = fit_transport_recorded(place, here, self.told, bias, self.part)
            except FitEnded:
                return NOT_REACHED
            except FitError as error:
                return str(error).removeprefix(f"{place.path}: ")
            return NOT_REACHED if steps.over else fit


def fit_places(model: TransportAtPlaces, places: Iterable[Recording], count: int) -> BatchFit:
    """Fit ``count`` places one by one; a parameter that one of them does without is nan there.

    Raises:
        FitEnded: the fit was ended before a place was done.
    """
    sizes = [min(_TOGETHER, count - first) for first in range(0, count, _TOGETHER)]
    parts = parts_done(sizes, model, _in_tasks(places))
    found: list[FitResult | str] = []
    for part, size in zip(parts, sizes, strict=True):
        found += part if isinstance(part, list) else [part.reason] * size
    return _as_batch(found)


def _in_tasks(places: Iterable[Recording]) -> Iterator[list[Recording]]:
    every = iter(places)
    while task := list(islice(every, _TOGETHER)):
        yield task


def _as_batch(found: Sequence[FitResult | str]) -> BatchFit:
    fits = {number: fit for number, fit in enumerate(found) if isinstance(fit, FitResult)}
    fullest = sorted(fits.values(), key=lambda fit: len(fit.parameters), reverse=True)
    unit = {parameter.name: parameter.unit for fit in fullest for parameter in fit.parameters}
    names = tuple(unit)
    nowhere = np.full((len(found), len(names)), np.nan)
    values, errors = nowhere.copy(), nowhere.copy()
    covariance = np.full((len(found), len(names), len(names)), np.nan)
    residual, structured, ok = np.full(len(found), np.nan), np.zeros(len(found), bool), np.zeros(len(found), bool)
    for number, fit in fits.items():
        which = [names.index(parameter.name) for parameter in fit.parameters]
        values[number, which] = [parameter.value for parameter in fit.parameters]
        errors[number, which] = [parameter.error for parameter in fit.parameters]
        free = [names.index(name) for name in fit.free]
        covariance[np.ix_([number], free, free)] = fit.covariance
        residual[number], ok[number] = fit.residual, True
        structured[number] = is_structured(fit.curves["residual"], len(fit.free))
    reasons = tuple("" if isinstance(one, FitResult) else one for one in found)
    return BatchFit(
        "transport", names, tuple(unit.values()), values, errors, covariance, residual, structured, ok, reasons
    )
