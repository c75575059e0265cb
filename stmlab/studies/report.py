"""What a study has found: bias, width of the pulls, coverage and time to target of each cell, with their own errors.

With n fits of a cell, each a value v with standard error s of a truth t,

    bias = mean(v - t),  pull = (v - t) / s,  width = standard deviation of the pulls,
    coverage = part of the fits with |pull| <= 1 (or 1.96),
    time to target = mean(T (s / (r |t|))^2): the duration T of a run scaled to the relative error r, as white noise
    averages.

The error of a mean is that of its scatter; that of the width is by the jackknife, as pulls need not be Gaussian; that
of a coverage is half the width of Wilson's interval of one standard error, which is never zero.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import xarray

    from stmlab.arrays import BoolArray, FloatArray
    from stmlab.studies.form import Cell, Key, Study
    from stmlab.studies.results import Record

COVERED = {"coverage": 1.0, "coverage_95": 1.959964}
"""Name -> standard errors within which the truth lies; of Gaussian pulls 68.3 % and 95 %."""
EXPECTED = {"bias": 0.0, "width": 1.0, "coverage": 0.682689, "coverage_95": 0.95}
"""What honest fits come to."""
_MEANINGS = {
    "bias": "mean of fitted minus true",
    "width": "standard deviation of the pulls",
    "coverage": "part of the fits within one standard error of the truth",
    "coverage_95": "part of the fits within 1.96 standard errors of the truth",
    "time_to_target": "simulated time to the relative error that is the target",
}
_OFF = 0.01  # relative, of the conductance


@dataclass(frozen=True)
class Estimated:
    """A number and its standard error; nan where too few runs tell it."""

    value: float
    error: float


@dataclass(frozen=True)
class CellReport:
    """Of one cell.

    Attributes:
        cell: its parameters.
        runs: that have been made.
        fits: among them.
        true: truth, in ``unit``.
        figures: "bias", "width", "coverage", "coverage_95", "time_to_target" -> number with its error.
        refused: why runs have no fit -> how many.
        scale: mean conductance over that for which the truth is stated.
    """

    cell: Cell
    runs: int
    fits: int
    true: float
    unit: str
    figures: Mapping[str, Estimated]
    refused: Mapping[str, int] = field(default_factory=dict)
    scale: float = 1.0

    @property
    def note(self) -> str:
        """A doubt about the truth, "" without one."""
        if not abs(self.scale - 1) > _OFF:
            return ""
        return (
            f"{self.cell}: the truth is stated for the sample's own conductance, these runs were at {self.scale:.3g} of"
            " it: a rate that depends on it differs"
        )


@dataclass(frozen=True)
class Report:
    """Of a study, as far as it has come.

    Attributes:
        study: what was asked.
        cells: in its order.
        records: of the runs that it is about.
    """

    study: Study
    cells: tuple[CellReport, ...]
    records: Mapping[Key, Record]

    @classmethod
    def of(cls, study: Study, records: Mapping[Key, Record]) -> Report:
        """From the records of the study's cells and seeds; others are left out."""
        asked = [(cell.key, seed) for cell in study.cells for seed in study.seeds]
        made = {key: records[key] for key in asked if key in records}
        return cls(study, tuple(_cell_report(study, cell, made) for cell in study.cells), made)

    @property
    def missing(self) -> int:
        """Runs that have not been made."""
        return len(self.study.cells) * len(self.study.seeds) - len(self.records)

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers, ready for JSON."""
        return {
            "study": self.study.name,
            "fitted": self.study.fit.fitted,
            "target": self.study.fit.target,
            "runs": len(self.records),
            "missing": self.missing,
            "cells": [_as_dict(cell) for cell in self.cells],
        }

    def to_xarray(self) -> xarray.Dataset:
        """Figures and ``*_error`` over the varied parameters; value, error and duration of each run over the seeds."""
        import xarray

        study = self.study
        dims = study.short_names
        shape = tuple(len(values) for values in study.axes.values())
        unit = next((cell.unit for cell in self.cells if cell.unit), "")
        units = {"bias": unit, "time_to_target": "s"}
        found: dict[str, Any] = {"true": (dims, self._over_cells([c.true for c in self.cells], shape), {"units": unit})}
        for name, meaning in _MEANINGS.items():
            told = {"units": units.get(name, ""), "long_name": meaning}
            figures = [cell.figures[name] for cell in self.cells]
            found[name] = dims, self._over_cells([one.value for one in figures], shape), told
            error = {**told, "long_name": f"standard error of the {meaning}"}
            found[f"{name}_error"] = dims, self._over_cells([one.error for one in figures], shape), error
        for name in ("runs", "fits"):
            found[name] = dims, self._over_cells([getattr(cell, name) for cell in self.cells], shape), {"units": ""}
        of_runs = {"value": unit, "error": unit, "time_s": "s"}
        for name, own in of_runs.items():
            values = [
                [getattr(self.records.get((cell.key, seed)), name, math.nan) for seed in study.seeds]
                for cell in study.cells
            ]
            found[f"run_{name}"] = (*dims, "seed"), np.reshape(values, (*shape, len(study.seeds))), {"units": own}
        axes = zip(dims, study.axes.values(), strict=True)
        return xarray.Dataset(
            found,
            coords={"seed": list(study.seeds), **{name: _coordinate(values) for name, values in axes}},
            attrs={"study": study.name, "sequence": study.sequence, "fitted": study.fit.fitted},
        )

    @staticmethod
    def _over_cells(values: Sequence[float], shape: tuple[int, ...]) -> FloatArray:
        return np.reshape(np.asarray(values, dtype=float), shape)


def _coordinate(values: Sequence[Any]) -> Any:
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    return list(values) if numbers else [value if isinstance(value, str) else json.dumps(value) for value in values]


def _as_dict(cell: CellReport) -> dict[str, Any]:
    figures = {name: {"value": one.value, "error": one.error} for name, one in cell.figures.items()}
    told = {"runs": cell.runs, "fits": cell.fits, "true": cell.true, "unit": cell.unit}
    return {"parameters": dict(cell.cell.values), **told, **figures, "refused": dict(cell.refused), "note": cell.note}


def _cell_report(study: Study, cell: Cell, records: Mapping[Key, Record]) -> CellReport:
    made = [records[cell.key, seed] for seed in study.seeds if (cell.key, seed) in records]
    fitted = [record for record in made if not record.refused]
    true = made[0].true if made else math.nan
    value, error, time = (np.array([getattr(r, name) for r in fitted]) for name in ("value", "error", "time_s"))
    pull = (value - true) / error
    figures = {"bias": _mean(value - true), "width": _width(pull)}
    figures |= {name: _part(np.abs(pull) <= within) for name, within in COVERED.items()}
    target = math.nan if study.fit.target is None else study.fit.target * abs(true)
    figures["time_to_target"] = _mean(time * (error / target) ** 2)
    refused = Counter(record.refused for record in made if record.refused)
    scale = float(np.mean([record.scale for record in fitted])) if fitted else 1.0
    unit = next((record.unit for record in fitted), "")
    return CellReport(cell, len(made), len(fitted), true, unit, figures, refused, scale)


def _mean(values: FloatArray) -> Estimated:
    if values.size < 2:
        return Estimated(float(values[0]) if values.size else math.nan, math.nan)
    return Estimated(float(values.mean()), float(values.std(ddof=1) / math.sqrt(values.size)))


def _width(pulls: FloatArray) -> Estimated:
    """Standard deviation, and its error by the jackknife: of those without one pull each, in closed form."""
    n = pulls.size
    if n < 2:
        return Estimated(math.nan, math.nan)
    away = (pulls - pulls.mean()) ** 2
    width = math.sqrt(away.sum() / (n - 1))
    if n < 3:
        return Estimated(width, math.nan)
    without = np.sqrt(np.maximum(away.sum() - away * n / (n - 1), 0.0) / (n - 2))
    return Estimated(width, math.sqrt((n - 1) * float(without.var())))


def _part(within: BoolArray) -> Estimated:
    if not within.size:
        return Estimated(math.nan, math.nan)
    n, part = within.size, float(within.mean())
    return Estimated(part, math.sqrt(part * (1 - part) / n + 1 / (4 * n**2)) / (1 + 1 / n))
