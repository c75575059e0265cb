"""Fits of many files in one table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stmlab.display.grids import median_as_text
from stmlab.display.terminal import on_terminal
from stmlab.results import FitResult
from stmlab.units import format_value

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from stmlab.analysis.grid_fit import GridFit
    from stmlab.results import FitParameter

_MOST = 4  # parameters of a row: the first of a model are what it is about


def fits_as_table(found: Mapping[Path, Mapping[str, FitResult | GridFit]], refused: Mapping[Path, str]) -> str:
    """A row for each fit: file, sweep, model, first parameters, warnings; then the files that were refused, and why.

    Args:
        found: file -> sweep -> fit.
        refused: file -> why.
    """
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in ("file", "sweep", "model", "result", "warnings"):
        table.add_column(heading, overflow="fold", justify="right" if heading == "warnings" else "left")
    for file, fits in found.items():
        for sweep, fit in fits.items():
            table.add_row(str(file), sweep, *_told(fit), str(len(fit.warnings)))
    shown = on_terminal(table) if found else ""
    lines = [f"{file}: refused: {why.removeprefix(f'{file}: ')}" for file, why in refused.items()]
    return "\n".join([*([shown] if shown else []), *lines])


def _told(fit: FitResult | GridFit) -> tuple[str, str]:
    """Model and first parameters; of a grid their medians."""
    if isinstance(fit, FitResult):
        told = ", ".join(f"{p.name} {format_value(p.value, p.error, p.unit)}" for p in _ordered(fit)[:_MOST])
        return fit.model, told
    names = fit.batch.names[:2]
    told = ", ".join(f"{name} {median_as_text(fit, name, quartiles=False)}" for name in names)
    return fit.batch.model, f"{int(fit.ok.sum())} of {fit.ok.size} places: {told}"


def _ordered(fit: FitResult) -> list[FitParameter]:
    """Energies first, and nothing that is known of another: what a table is looked through for."""
    return sorted(fit.parameters, key=lambda parameter: not parameter.name.endswith("energy"))
