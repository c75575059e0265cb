"""Commands that say what there is: sequences, stations, samples."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from stmlab.cli.common import JsonOption, app, print_json, refusing


@app.command()
@refusing
def sequences(
    name: Annotated[str | None, typer.Argument(help="Show the parameters of this one.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the sequences, or the parameters of one: default, what is allowed, meaning."""
    from stmlab.acquisition import experiments
    from stmlab.display import sequence_as_text

    if name:
        found = {name: experiments.sequence_class(name)}
    else:
        there = experiments.found()
        found = there.classes
        for problem in there.problems:
            print(f"stmlab: {problem}", file=sys.stderr)
    if as_json:
        print_json(
            {
                n: {"title": c.title, "parameters": {k: vars(p) for k, p in c().parameter_record().items()}}
                for n, c in found.items()
            }
        )
        return
    if name:
        print(sequence_as_text(found[name]()))
    else:
        print("\n".join(f"{n:16} {c.title}" for n, c in found.items()))
        print(f"\nyour own: one file each, {experiments.own_folder() / 'NAME.py'}")


@app.command()
@refusing
def stations(as_json: JsonOption = False) -> None:
    """List the stations: the simulated ones, and yours."""
    from stmlab.config_files import config_directories, station_template

    _list_files("", "description", as_json=as_json)
    if not as_json:
        print(
            f"\nfor your microscope, copy {station_template()}\nto {config_directories()[0] / 'NAME.toml'} "
            "or anywhere, write its addresses and limits, and try: stmlab check NAME"
        )


@app.command()
@refusing
def samples(as_json: JsonOption = False) -> None:
    """List the samples that the simulated microscope can have under its tip."""
    _list_files("samples", "title", as_json=as_json)


def _list_files(folder: str, key: str, *, as_json: bool) -> None:
    """Name and title of each configuration file; where it lies, in JSON."""
    from stmlab.config_files import known, said

    found = {name: {"title": said(path, key), "file": str(path)} for name, path in known(folder).items()}
    if as_json:
        print_json(found)
    else:
        print("\n".join(f"{name:20} {about['title']}" for name, about in found.items()))
