"""The report of a study: a table for a terminal, and files."""

from __future__ import annotations

import csv
import json
import math
from typing import TYPE_CHECKING, Any

from stmlab.display.terminal import on_terminal
from stmlab.errors import FileError
from stmlab.models.files import check_output, format_of
from stmlab.studies.report import EXPECTED
from stmlab.units import format_quantity, format_value

if TYPE_CHECKING:
    from pathlib import Path

    from stmlab.studies.report import CellReport, Estimated, Report

_FAR, _ENOUGH = 3.0, 20  # standard errors from what honest fits come to that are worth a mark, and fits that can tell


def report_as_text(report: Report) -> str:
    """A row for each cell; of 20 fits and more, what is more than three of its errors off honest ones is marked."""
    from rich.table import Table

    study = report.study
    table = Table(title=f"{study.name}: {study.fit.fitted}")
    target = "" if study.fit.target is None else f" {100 * study.fit.target:g} %"
    figures = ["bias", "pulls", "coverage", "95 %", *([f"time to{target}"] if target else [])]
    for column in (*study.short_names, "true", "runs", *figures):
        table.add_column(column, overflow="fold")
    for cell in report.cells:
        table.add_row(*_row(cell, timed=bool(target)))
    lines = [on_terminal(table)]
    lines += [f"{cell.cell}: {count} refused: {why}" for cell in report.cells for why, count in cell.refused.items()]
    lines += [cell.note for cell in report.cells if cell.note]
    if report.missing:
        lines.append(f"{report.missing} runs are missing: the same command makes them")
    return "\n".join(lines)


def _row(cell: CellReport, *, timed: bool) -> list[str]:
    figures = cell.figures
    varied = [str(value) for value in cell.cell.values.values()]
    true = format_quantity(float(f"{cell.true:.4g}"), cell.unit) if cell.fits else ""
    runs = f"{cell.fits}" if cell.fits == cell.runs else f"{cell.fits} of {cell.runs}"
    told = []
    for name in EXPECTED:
        far = abs(figures[name].value - EXPECTED[name]) > _FAR * figures[name].error and cell.fits >= _ENOUGH
        told.append(_said(figures[name], cell.unit if name == "bias" else "") + (" !" if far else ""))
    if timed:
        told.append(_said(figures["time_to_target"], "s"))
    return [*varied, true, runs, *told]


def _said(figure: Estimated, unit: str) -> str:
    if math.isnan(figure.value):
        return ""
    return format_value(figure.value, figure.error, unit)


def write_report(report: Report, path: Path) -> None:
    """Write a report into a new file: .csv (a row for each cell), .json or .nc (with every run, netCDF version 3).

    Raises:
        FileError: the format is not known, the file exists already, or it cannot be written.
    """
    check_output(path)
    try:
        match format_of(path):
            case "csv":
                _write_csv(report, path)
            case "json":
                path.write_text(json.dumps(report.as_dict(), indent=1) + "\n", encoding="utf-8")
            case _:
                report.to_xarray().to_netcdf(path, engine="scipy")
    except OSError as error:
        raise FileError(f"{path}: cannot be written ({error.strerror or error})") from error


def _write_csv(report: Report, path: Path) -> None:
    rows = [_flat(cell) for cell in report.as_dict()["cells"]]
    with path.open("x", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _flat(cell: dict[str, Any]) -> dict[str, Any]:
    told = dict(cell["parameters"])
    for name, value in cell.items():
        if isinstance(value, dict) and set(value) == {"value", "error"}:
            told |= {name: value["value"], f"{name}_error": value["error"]}
        elif name == "refused":
            told[name] = sum(value.values())
        elif name not in ("parameters", "note"):
            told[name] = value
    return told
