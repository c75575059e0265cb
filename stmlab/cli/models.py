"""Commands for the models: papers."""

from __future__ import annotations

import sys
from pathlib import Path  # noqa: TC003 - typer reads annotations at run time
from typing import Annotated

import typer

from stmlab.cli.common import JsonOption, app, folder, print_json, refusing


@app.command()
@refusing
def papers(
    name: Annotated[str | None, typer.Argument(help="Only this paper.")] = None,
    figures: Annotated[Path | None, typer.Option("--figures", help="Draw the model figures into this folder.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show the papers' numbers beside the models': reference, its source, computed, verdict, reason if they differ."""
    from stmlab import papers as survey
    from stmlab.papers.table import papers_as_text

    where = None if figures is None else folder(figures)
    rows = survey.rows(name)
    if where is not None:
        drawn = survey.figures(where, name)
        print("\n".join(str(path) for path in drawn), file=sys.stderr)
    if as_json:
        print_json([row.as_dict() for row in rows])
    else:
        print(papers_as_text(rows))
