"""The comparisons as a table for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stmlab.display import on_terminal

if TYPE_CHECKING:
    from stmlab.papers.survey import Row


def papers_as_text(rows: list[Row]) -> str:
    """The comparisons as a table, a paper after the other."""
    from rich.table import Table

    tables = []
    for paper in dict.fromkeys(row.paper for row in rows):
        table = Table(
            "item", "reference", "from", "computed", "unit", "verdict", "note", title=paper, title_justify="left"
        )
        for row in rows:
            if row.paper == paper:
                reference, computed = _number(row.reference), _number(row.computed)
                table.add_row(row.item, reference, row.source, computed, row.unit, row.verdict.value, row.note)
        for column in table.columns:
            column.overflow = "fold"
        tables.append(table)
    return on_terminal(*tables)


def _number(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.6g}"
