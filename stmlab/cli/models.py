"""Commands for the models: model, papers."""

from __future__ import annotations

import sys
from pathlib import Path  # noqa: TC003 - typer reads annotations at run time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stmlab.cli.common import JsonOption, app, folder, pairs, print_json, refusing, wrote
from stmlab.errors import SequenceError

if TYPE_CHECKING:
    from stmlab.models.model import Values


@app.command()
@refusing
def model(
    name: Annotated[
        str | None, typer.Argument(help="A model; without one, all are listed.", show_default=False)
    ] = None,
    parameters: Annotated[
        str | None,
        typer.Option("--parameters", "-p", metavar="CASE", help="A case by name (`stmlab model`), or its TOML file."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help='A parameter: --set "axial_anisotropy_meV=2.7 meV".'),
    ] = None,
    sweep: Annotated[
        list[str] | None,
        typer.Option(
            "--sweep",
            metavar="NAME=VALUES",
            help='A parameter, or the curve\'s own axis, as an axis: --sweep "B=0..6 T:61", "V_sat=1..100 mV:31 log", '
            '"G=50 nS, 100 nS". May be given again: the first is the outer one.',
        ),
    ] = None,
    show: Annotated[
        bool, typer.Option("--show", help="The parameters: value, unit, bounds, meaning. Computes nothing.")
    ] = False,
    curves: Annotated[
        bool, typer.Option("--curves/--no-curves", help="Without: only what follows from them, such as rates.")
    ] = True,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write everything: .csv, .json or .nc.")
    ] = None,
    out_format: Annotated[
        str | None, typer.Option("--format", help="Of --out, whatever its name ends in: csv, json or netcdf.")
    ] = None,
    figure: Annotated[
        Path | None, typer.Option("--figure", metavar="FILE", help="Draw it: .png, .svg or .pdf.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Compute one of the papers' models for parameters of your own: tabulate, sweep, draw."""
    if name is None and parameters is None:
        if settings or sweep or out or figure or show:
            raise SequenceError("name a model: `stmlab model` lists them")
        _list(as_json=as_json)
        return
    chosen, given = _given(name, parameters, pairs(settings or []), pairs(sweep or [], "--sweep"))
    if show:
        if out or figure:
            raise SequenceError("--show computes nothing that --out or --figure could take")
        _show(chosen, given, as_json=as_json)
        return
    _compute(chosen, given, pairs(sweep or [], "--sweep"), curves, (out, out_format), figure, as_json=as_json)


def _given(name: str | None, case: str | None, settings: dict[str, str], sweep: dict[str, str]) -> tuple[str, Values]:
    """The model, and its parameters: as set, else of the case, which gives way to what is swept."""
    from stmlab import models
    from stmlab.models.files import case as read
    from stmlab.models.files import changed

    if case is None:
        assert name is not None
        return name, models.known(name).named(settings)
    kind, values = read(case, name or "")
    return kind, changed(models.known(kind), values, settings, sweep)


def _list(*, as_json: bool) -> None:
    from stmlab import models
    from stmlab.display.models import models_as_text
    from stmlab.models.files import cases

    known = [models.known(each) for each in models.MODELS]
    if as_json:
        print_json({each.name: {"title": each.title, "source": each.source} for each in known})
        return
    print(models_as_text(known))
    print("\ncases, for --parameters:")
    print("\n".join(f"{case:22} {kind:12} {title}" for case, (kind, title) in cases().items()))


def _show(name: str, given: Values, *, as_json: bool) -> None:
    from stmlab import models
    from stmlab.display.models import parameters_as_text

    chosen = models.known(name)
    values = chosen.values(given)
    if not as_json:
        print(parameters_as_text(chosen, values))
        return
    told: dict[str, Any] = {each.name: vars(each) | {"value": values[each.name]} for each in chosen.parameters}
    print_json({"model": chosen.name, "title": chosen.title, "source": chosen.source, "parameters": told})


def _compute(
    name: str,
    given: Values,
    sweep: dict[str, str],
    curves: bool,
    out: tuple[Path | None, str | None],
    figure: Path | None,
    *,
    as_json: bool,
) -> None:
    from stmlab.display.figures import check_picture
    from stmlab.display.models import computed_as_text
    from stmlab.models.computed import model as computed
    from stmlab.models.files import check_output, write

    path, wanted = out
    if path is not None:
        check_output(path, wanted)
    elif wanted is not None:
        raise SequenceError(f"--format {wanted}: of which file? --out FILE is missing")
    if figure is not None:
        check_picture(figure)
    found = computed(name, given, sweep=sweep, curves=curves)
    if path is not None:
        write(found, path, wanted)
        wrote(path)
    if figure is not None:
        from stmlab.display.figures import save_figure
        from stmlab.display.figures.model import draw_model

        save_figure(draw_model(found), figure)
        wrote(figure)
    if as_json:
        print_json(found.to_dict())
    else:
        print(computed_as_text(found))


@app.command()
@refusing
def papers(
    name: Annotated[str | None, typer.Argument(help="Only this paper.")] = None,
    figures: Annotated[Path | None, typer.Option("--figures", help="Draw the model figures into this folder.")] = None,
    fits: Annotated[
        bool, typer.Option("--fits", help="Also table S1 of Betz et al. by the n-state fit: half a minute more.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show the papers' numbers beside the models': reference, its source, computed, verdict, reason if they differ."""
    from stmlab import papers as survey
    from stmlab.papers.table import papers_as_text

    where = None if figures is None else folder(figures)
    rows = survey.rows(name, fits=fits)
    if where is not None:
        drawn = survey.figures(where, name)
        print("\n".join(str(path) for path in drawn), file=sys.stderr)
    if as_json:
        print_json([row.as_dict() for row in rows])
    else:
        print(papers_as_text(rows))
