"""The fit of a grid's curves over one sweep: side by side, or one by one (the transport model), gathered as one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.analysis.batch import BatchFit, fit_decay_batch, fit_srs_batch, fit_steps_batch
from stmlab.analysis.grid_fit import GridFit
from stmlab.analysis.grid_places import TransportAtPlaces, fit_places
from stmlab.analysis.iterations import NOT_REACHED, iterations
from stmlab.analysis.recorded.checks import overload_warnings
from stmlab.analysis.recorded.columns import Spectrum, unit_factor
from stmlab.analysis.recorded.spectra import about
from stmlab.analysis.recorded.swept import Swept
from stmlab.analysis.steps import STEP_MODELS, fit_steps
from stmlab.errors import FitEnded, FitError
from stmlab.units import format_quantity, format_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from stmlab.analysis.recorded.header import Told
    from stmlab.analysis.recorded.swept import Rows
    from stmlab.analysis.settings import Settings
    from stmlab.arrays import BoolArray, FloatArray, IntArray
    from stmlab.storage.recorded import Column, Grid, Recording

_WARMTH = 12  # curves that show the temperature of all
_MOST_SWEEPS = 64


@dataclass(frozen=True, eq=False)
class GridTask:
    """What is fitted of a grid, and how."""

    grid: Grid
    mean: Recording
    rows: Rows
    model: str
    seen: Spectrum
    told: Settings
    header: Told

    def fitted(self, column: Column, part: IntArray) -> GridFit:
        """The curves of a column over some rows of the sweep."""
        grid, curves = self.grid, self._curves(column)
        measured: BoolArray = np.asarray(np.isfinite(curves[:, part]).any(axis=1))
        if not measured.any():
            raise FitError(f"{grid.path}: {column.name} holds no numbers")
        if self.model == "transport":
            choices, batches = self._cut(part), [self._one_by_one(column, part, np.flatnonzero(measured))]
        else:
            fit, choices = self._model(part, curves, measured)
            batches = self._of_each_sweep(fit, part, curves, measured)
        unit = "S" if self.seen.derived else column.unit
        batch = _gathered(batches, measured.size, ~measured)
        units = tuple(_in_unit(name, own, unit) for name, own in zip(batch.names, batch.units, strict=True))
        name = f"d({column.name})/dV" if self.seen.derived else column.name
        return GridFit(
            replace(batch, model=self.model, units=units),
            grid.shape,
            grid.axes,
            grid.parameters,
            (*grid.notes, *self._about(column, part), *_summary(batch)),
            {"column": column.name, **choices, **self.header.said(self.told.given), **self.told.said()},
            {"y": name, "y_unit": unit},
        )

    def _one_by_one(self, column: Column, part: IntArray, places: IntArray) -> tuple[IntArray, BatchFit]:
        """The transport model at places, numbered in C order."""
        grid = self.grid
        iterations().of_many(places.size)
        indices = zip(*np.unravel_index(places, grid.shape), strict=True)
        there = (grid.spectrum(*map(int, index)) for index in indices)
        factor = unit_factor(grid.sweep.unit, self.rows.column.unit) or 1.0
        batch = fit_places(
            TransportAtPlaces(replace(self.seen, column=column), self.told, part, factor), there, places.size
        )
        if not batch.ok.any():
            raise FitError(f"{grid.path}: no curve can be fitted: {Counter(batch.reasons).most_common(1)[0][0]}")
        return places, batch

    def _curves(self, column: Column) -> FloatArray:
        """Of all places, (places, n), in the unit of ``column``, which the mean has."""
        found = self.grid[column.name]
        factor = 1.0 if found.unit == column.unit else unit_factor(found.unit, column.unit) or 1.0
        return factor * found.values.reshape(-1, found.values.shape[-1])

    def _model(
        self, part: IntArray, curves: FloatArray, measured: BoolArray
    ) -> tuple[Callable[[FloatArray, FloatArray], BatchFit], dict[str, str]]:
        """What fits curves (m, n) over x (n,), and what it took."""
        told = self.told
        if self.model == "srs":
            return fit_srs_batch, {}
        if self.model == "decay":
            exclusion, sides = told.number("exclusion"), told.text("fitted_sides", "both")
            return lambda x, y: fit_decay_batch(x, y, exclusion=exclusion, sides=sides), {}
        pairs, choices = STEP_MODELS[self.model][1], self._cut(part)
        temperature = told.temperature
        if temperature is None:
            x, places = next(self._sweeps())
            chosen = places[measured[places]]
            chosen = chosen[np.linspace(0, chosen.size - 1, min(_WARMTH, chosen.size)).astype(int)]
            temperature, error, count = self._warmth(*self._inside(x[part], curves[np.ix_(chosen, part)]), pairs)
            choices["temperature"] = f"{format_value(temperature, error, 'K')}, by {count} of the curves"
        settings: dict[str, Any] = {"temperature_K": temperature, "modulation_V": told.modulation, "pairs": pairs}

        def steps(x: FloatArray, y: FloatArray) -> BatchFit:
            return fit_steps_batch(*self._inside(x, y), bias_offset=True, background_slope=True, **settings)

        return steps, choices

    def _cut(self, part: IntArray) -> dict[str, str]:
        """What the window leaves, where it leaves some of the sweep out."""
        bias = self.rows.column.values[part]
        inside = int(np.count_nonzero(np.abs(bias) <= self.told.window * (1 + 1e-9)))
        window = format_quantity(self.told.window, "V")
        return {"fitted": f"{inside} of {bias.size} points within +-{window}"} if inside < bias.size else {}

    def _inside(self, bias: FloatArray, curves: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Within the window, and dI/dV where the curves are a current."""
        if self.seen.derived:
            order = np.argsort(bias, kind="stable")
            bias, curves = bias[order], curves[:, order]
            if (np.diff(bias) <= 0).any():
                raise FitError(f"{self.grid.path}: biases are met twice in a sweep: there is no derivative")
            curves = np.gradient(curves, bias, axis=1)
        inside = np.abs(bias) <= self.told.window * (1 + 1e-9)
        return bias[inside], curves[:, inside]

    def _warmth(self, bias: FloatArray, curves: FloatArray, pairs: int) -> tuple[float, float, int]:
        """Temperature of some curves, its error and how many told it: the mean, weighted by their errors."""
        found = []
        for curve in curves:
            iterations().refuse_if_over()
            try:
                fit = fit_steps(bias, curve, modulation_V=self.told.modulation, pairs=pairs, window_V=None)
            except FitEnded:
                raise
            except FitError:
                continue
            found.append((fit["temperature"].value, fit["temperature"].error))
        if not found:
            raise FitError(
                f"{self.grid.path}: none of {len(curves)} curves shows its temperature (give temperature, window)"
            )
        values, errors = np.array(found).T
        weight = 1 / np.maximum(errors, 1e-9 * values) ** 2
        return float(weight @ values / weight.sum()), float(weight.sum() ** -0.5), len(found)

    def _sweeps(self) -> Iterator[tuple[FloatArray, IntArray]]:
        """Each different sweep, in SI, with its places."""
        factor = unit_factor(self.grid.sweep.unit, self.rows.column.unit) or 1.0
        return ((factor * sweep, places) for sweep, places in self.grid.sweeps())

    def _of_each_sweep(
        self,
        fit: Callable[[FloatArray, FloatArray], BatchFit],
        part: IntArray,
        curves: FloatArray,
        measured: BoolArray,
    ) -> list[tuple[IntArray, BatchFit]]:
        found: list[tuple[IntArray, BatchFit]] = []
        refused: FitError | None = None
        iterations().of_many(int(measured.sum()))
        for x, places in islice(self._sweeps(), _MOST_SWEEPS + 1):
            if len(found) == _MOST_SWEEPS:
                raise FitError(
                    f"{self.grid.path}: more than {_MOST_SWEEPS} different sweeps: fit its spectra one by one"
                )
            there = places[measured[places]]
            if not there.size:
                continue
            if found and iterations().over:
                break
            try:
                found.append((there, fit(x[part], curves[np.ix_(there, part)])))
            except FitError as error:
                refused = self.told.naming_window(error, x) if self.rows.what is Swept.BIAS else error
        if not any(batch.ok.any() for _, batch in found):
            reasons = Counter(reason for _, batch in found for reason in batch.reasons if reason)
            why = refused or next(iter(reasons.most_common(1)), ("nothing was measured",))[0]
            raise FitError(f"{self.grid.path}: no curve can be fitted: {why}")
        return found

    def _about(self, column: Column, part: IntArray) -> list[str]:
        if self.rows.what is Swept.BIAS:
            here = replace(self.seen, column=column)
            return about(self.mean, here, self.told, self.header, self.rows.column.values, part)
        return overload_warnings(column.name, column.values[part])


def _gathered(batches: list[tuple[IntArray, BatchFit]], count: int, missing: BoolArray) -> BatchFit:
    """Batches over some places each as one over all."""
    first = batches[0][1]
    width, free = len(first.names), first.covariance.shape[1]
    whole = replace(
        first,
        values=np.full((count, width), np.nan),
        errors=np.full((count, width), np.nan),
        covariance=np.full((count, free, free), np.nan),
        residual=np.full(count, np.nan),
        structured=np.zeros(count, dtype=bool),
        ok=np.zeros(count, dtype=bool),
    )
    otherwise = NOT_REACHED if iterations().ended else "its sweep cannot be fitted"
    reasons = np.where(missing, "not measured", otherwise).astype(object)
    for places, batch in batches:
        for name in ("values", "errors", "covariance", "residual", "structured", "ok"):
            getattr(whole, name)[places] = getattr(batch, name)
        reasons[places] = batch.reasons
    return replace(whole, reasons=tuple(reasons.tolist()))


def _summary(batch: BatchFit) -> list[str]:
    found = []
    if not batch.ok.all():
        reasons = Counter(reason for reason in batch.reasons if reason).most_common()
        listed = ", ".join(f"{count} {reason}" for reason, count in reasons)
        found.append(f"{int((~batch.ok).sum())} of {len(batch)} places have no numbers: {listed}")
    if structured := int(batch.structured.sum()):
        found.append(
            f"{structured} of {int(batch.ok.sum())} fits leave a residual that is not noise: their errors are too small"
        )
    return found


def _in_unit(name: str, unit: str, of_data: str) -> str:
    """With the unit of the curves, which a batch need not know."""
    if name == "background_slope":
        return f"{of_data}/V"
    return of_data if unit == "A" or "_height_" in name or name == "background" else unit
