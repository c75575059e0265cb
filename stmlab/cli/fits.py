"""The command fit: of one file or of many, each by itself, or of a spin system to all of them at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stmlab.cli.common import STOPPED, JsonOption, app, fit_status, pairs, refusing, words
from stmlab.cli.crew import SchedulerOption, WorkersOption, crew
from stmlab.cli.fit_outcome import check_keepable, keep_in_run, pictures_of, save, show_one, tell_in_turn
from stmlab.errors import SequenceError, StmlabError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from stmlab.analysis.files import Asked, Fits
    from stmlab.analysis.grid_fit import GridFit
    from stmlab.results import FitResult


FilesArgument = Annotated[
    list[Path], typer.Argument(help="Runs, or files that another program recorded; many at once.")
]
ModelOption = Annotated[str | None, typer.Option("--model", help="Model; by default the one for what was done.")]
ChannelOption = Annotated[
    str | None, typer.Option("--channel", help="Column of a recorded file; by default the lock-in's.")
]
FitSettingsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="What the file does not say, or says wrongly: temperature, modulation, field, window, scattering, "
        'order, exclusion, fitted_sides, threshold, dead_time, spin, offset: --set "field=5 T". Of every fit: '
        "time_limit, the processor time after which it ends with the best so far [default: 600 s].",
    ),
]
WithinOption = Annotated[
    str | None,
    typer.Option("--within", metavar="LOW,HIGH", help='Fit only this range of what was swept: "10 MHz, 5 GHz".'),
]
StartOption = Annotated[
    list[str] | None,
    typer.Option(
        "--start",
        metavar="NAME=VALUE",
        help="Start value of a parameter: --start rate=1e9. May be given again; those of the others are searched for.",
    ),
]
FixOption = Annotated[
    list[str] | None, typer.Option("--fix", metavar="NAME", help="A parameter that is held at its start value.")
]
ExchangeOption = Annotated[
    str, typer.Option("--exchange", help="Of a ramp with start values: none, heisenberg or ising.")
]
SystemOption = Annotated[
    str | None,
    typer.Option(
        "--system",
        metavar="FILE",
        help="Spin system of the models transport and n_state (docs/systems.md), fitted to all files at once and "
        'compared with the alternatives in its file. --set "field=0 T, 2 T" gives each file a value of its own.',
    ),
]
KeepOption = Annotated[bool, typer.Option("--keep", help="Add the fit to the file (raw data are never touched).")]
PngOption = Annotated[
    Path | None,
    typer.Option("--png", help="Draw this fit into this file; of many files, each into this folder, which exists."),
]


@app.command()
@refusing
def fit(
    files: FilesArgument,
    model: ModelOption = None,
    channel: ChannelOption = None,
    settings: FitSettingsOption = None,
    within: WithinOption = None,
    start: StartOption = None,
    fix: FixOption = None,
    exchange: ExchangeOption = "",
    system: SystemOption = None,
    keep: KeepOption = False,
    png: PngOption = None,
    workers: WorkersOption = None,
    scheduler: SchedulerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fit runs again, or recorded files (each direction of a sweep by itself), or every curve of a grid.

    A fit that takes longer shows how far it is; Ctrl-C ends it with the best so far, and exit status 130. Workers share
    files, and the curves of a grid; the numbers do not depend on how many there are.
    """
    from stmlab.analysis.files import Asked
    from stmlab.analysis.guided import Guide

    guide = Guide.read(pairs(start or [], "--start"), fix or (), exchange)
    asked = Asked(model, channel, pairs(settings or []), _ends(within), guide)
    if system is not None and (workers, scheduler) != (None, None):
        raise SequenceError("--system: one fit of all files is not shared; no --workers, --scheduler")
    if system is None:
        status = _fit_apart(files, asked, (workers, scheduler), keep=keep, png=png, as_json=as_json)
    else:
        status = _fit_together(files, system, asked, keep=keep, png=png, as_json=as_json)
    if status:
        raise typer.Exit(status)


def _fit_apart(
    files: list[Path],
    asked: Asked,
    helped_by: tuple[int | None, str | None],
    *,
    keep: bool,
    png: Path | None,
    as_json: bool,
) -> int:
    """Fit each file by itself; returns the exit status."""
    from rich.console import Console

    from stmlab.cli.fit_progress import fits_on_terminal
    from stmlab.cluster import done_by

    pictures, console = pictures_of(files, png), Console(stderr=True)
    with (
        crew(*helped_by, console, "fits") as (executor, shared),
        fits_on_terminal(console, quiet=shared) as interrupt,
        done_by(executor),
    ):
        if len(files) == 1:
            found = {files[0]: _fitted(files[0], asked, keep=keep, png=pictures.get(files[0]))}
            refused: dict[Path, str] = {}
        else:
            found, refused = _many(files, asked, pictures, keep=keep, as_json=as_json)
    if len(files) == 1:
        show_one(files[0], found[files[0]], as_json)
    elif not as_json:
        from stmlab.display import fits_as_table

        print(fits_as_table(found, refused))
    return STOPPED if interrupt.stopped else 1 if refused else _status(found)


def _fit_together(files: list[Path], system: str, asked: Asked, *, keep: bool, png: Path | None, as_json: bool) -> int:
    """Fit a spin system to all files at once; returns the exit status."""
    from stmlab.analysis.fitting import RUN
    from stmlab.cli.system_fit import fitted_together

    if keep:
        if len(files) > 1:
            raise SequenceError("--keep: a fit of several files belongs to none of them")
        check_keepable(files[0], asked.model)
    found, status = fitted_together(files, system, asked, png)
    if keep:
        keep_in_run(files[0], found)
    show_one(files[0], {RUN: found}, as_json)
    return status


def _many(
    files: list[Path], asked: Asked, pictures: Mapping[Path, Path], *, keep: bool, as_json: bool
) -> tuple[dict[Path, Fits], dict[Path, str]]:
    """Fits and refusals of many files, each kept and drawn as it ends, and told in the order of the files."""
    ended: dict[Path, Fits | str] = {}
    untold = list(dict.fromkeys(files))
    for file, fits in _each(untold, asked, keep=keep):
        try:
            if isinstance(fits, Exception):
                raise fits
            save(file, fits, keep=keep, png=pictures.get(file))
            ended[file] = fits
        except (StmlabError, OSError) as error:
            ended[file] = words(error)
        while untold and untold[0] in ended:
            tell_in_turn(untold[0], ended[untold.pop(0)], as_json=as_json)
    found = {file: ended[file] for file in files}
    return (
        {file: fits for file, fits in found.items() if not isinstance(fits, str)},
        {file: why for file, why in found.items() if isinstance(why, str)},
    )


def _each(files: list[Path], asked: Asked, *, keep: bool) -> Iterator[tuple[Path, Fits | StmlabError | OSError]]:
    """The fits of files as they end; to be kept, none is fitted that could not be."""
    from stmlab.analysis.files import fit_files

    fitted = []
    for file in files:
        try:
            if keep:
                check_keepable(file, asked.model)
            fitted.append(file)
        except (StmlabError, OSError) as error:
            yield file, error
    yield from fit_files(fitted, asked)


def _ends(within: str | None) -> tuple[str, str] | None:
    if within is None:
        return None
    low, comma, high = within.partition(",")
    if not comma or not low.strip() or not high.strip():
        raise SequenceError(f'--within {within!r}: two ends are needed, as in "10 MHz, 5 GHz"')
    return low.strip(), high.strip()


def _status(found: Mapping[Path, Mapping[str, FitResult | GridFit]]) -> int:
    """Exit status: of a fit that reached its time limit, if there is one."""
    from stmlab.analysis.iterations import ended_early

    return max((fit_status(ended_early(fit)) for fits in found.values() for fit in fits.values()), default=0)


def _fitted(file: Path, asked: Asked, *, keep: bool, png: Path | None) -> Fits:
    """The fits of a file by the sweep they are of; of a run "run" alone."""
    from stmlab.analysis.fitting import opened

    if keep:
        check_keepable(file, asked.model)
    fits = asked.fitted(opened(file, asked.within))
    save(file, fits, keep=keep, png=png)
    return fits
