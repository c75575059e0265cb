"""The command fit: one file as text or one JSON object, many as a table or one JSON object a line."""

from __future__ import annotations

import sys
from pathlib import Path  # noqa: TC003 - typer reads annotations at run time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stmlab.cli.common import STOPPED, JsonOption, app, fit_status, pairs, print_json, refusing, words, wrote
from stmlab.errors import FitEnded, SequenceError, StmlabError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.analysis.grid_fit import GridFit
    from stmlab.results import FitResult
    from stmlab.storage import Run
    from stmlab.storage.recorded import Grid


@app.command()
@refusing
def fit(
    files: Annotated[list[Path], typer.Argument(help="Runs, or files that another program recorded; many at once.")],
    model: Annotated[str | None, typer.Option("--model", help="Model; by default the one for what was done.")] = None,
    channel: Annotated[
        str | None, typer.Option("--channel", help="Column of a recorded file; by default the lock-in's.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="What the file does not say, or says wrongly: temperature, modulation, field, window, scattering, "
            'order, exclusion, fitted_sides, threshold, dead_time: --set "field=5 T". Of every fit: time_limit, the '
            "processor time after which it ends with the best so far [default: 600 s].",
        ),
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Add the fit to the file (raw data are never touched).")] = False,
    png: Annotated[
        Path | None,
        typer.Option("--png", help="Draw this fit into this file; of many files, each into this folder, which exists."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Fit runs again, or recorded files (each direction of a sweep by itself), or every curve of a grid.

    A fit that takes longer shows how far it is; Ctrl-C ends it with the best so far, and exit status 130.
    """
    from stmlab.analysis.fitting import given
    from stmlab.cli.fit_progress import fits_on_terminal

    told = given(pairs(settings or []))
    pictures = _pictures(files, png)
    found: dict[Path, Mapping[str, FitResult | GridFit]] = {}
    refused: dict[Path, str] = {}
    with fits_on_terminal() as terminal:
        for file in files:
            try:
                if terminal.stopped:
                    raise FitEnded("not begun: a fit before was stopped", stopped=True)
                found[file] = _fitted(file, model, channel, told, keep=keep, png=pictures.get(file))
            except (StmlabError, OSError) as error:
                if len(files) == 1:
                    raise
                refused[file] = words(error)
            if as_json and len(files) > 1:
                print_json(_as_dict(file, found.get(file), refused.get(file)))
    if len(files) == 1:
        _show_one(files[0], found[files[0]], as_json)
    elif not as_json:
        from stmlab.display import fits_as_table

        print(fits_as_table(found, refused))
    if status := STOPPED if terminal.stopped else 1 if refused else _status(found):
        raise typer.Exit(status)


def _status(found: Mapping[Path, Mapping[str, FitResult | GridFit]]) -> int:
    """Exit status: of a fit that reached its time limit, if there is one."""
    from stmlab.analysis.iterations import ended_early

    return max((fit_status(ended_early(fit)) for fits in found.values() for fit in fits.values()), default=0)


def _fitted(
    file: Path, model: str | None, channel: str | None, told: Mapping[str, Any], *, keep: bool, png: Path | None
) -> Mapping[str, FitResult | GridFit]:
    """The fits of a file by the sweep they are of; of a run "run" alone."""
    from stmlab.storage.recorded import Grid, is_recorded, open_recording

    if is_recorded(file):
        if keep:
            raise SequenceError(f"{file}: --keep: a file of another program is never written to")
        recording = open_recording(file)
        if isinstance(recording, Grid):
            return _fitted_grid(file, recording, model, channel, told, png=png)
        from stmlab.analysis.recordings import analyse_recording

        fits = analyse_recording(recording, model, channel, told)
        if png is not None:
            from stmlab.display.figures.recording import draw_recorded_fits

            draw_recorded_fits(file.name, fits, png)
            wrote(png)
        return fits
    from stmlab.analysis import analyse
    from stmlab.analysis.grids import takes_every_curve
    from stmlab.storage import open_run

    run = open_run(file)
    if takes_every_curve(run, model):
        if keep:
            raise SequenceError(f"{file}: --keep: maps of many fits are not kept in a run")
        return _fitted_grid(file, run, model, channel, told, png=png)
    if channel is not None:
        raise SequenceError(f"{file}: --channel is for recorded files; a run's model knows its channels")
    result = analyse(run, model, told)
    if keep:
        _kept(file, result)
    if png is not None:
        from stmlab.display.figures import save_run

        save_run(open_run(file), png, result)
        wrote(png)
    return {_RUN: result}


def _kept(file: Path, result: FitResult) -> None:
    """Add a fit to its run; the file says what was found, not what was on the way."""
    from stmlab.analysis.iterations import ended_early
    from stmlab.storage import append_fit

    if why := ended_early(result):
        print(f"stmlab: {file}: the fit ended early ({why}) and is not kept", file=sys.stderr)
    else:
        append_fit(file, result)


def _fitted_grid(
    file: Path, grid: Grid | Run, model: str | None, channel: str | None, told: Mapping[str, Any], *, png: Path | None
) -> Mapping[str, GridFit]:
    """Every curve of a grid, or of a run over several axes."""
    from stmlab.analysis.fitting import fit_grid

    fits = fit_grid(grid, model, channel, **told)
    if png is not None:
        from stmlab.display.figures.grid import save_grid_fits

        save_grid_fits(file.name, fits, png)
        wrote(png)
    return fits


_RUN = "run"


def _show_one(file: Path, fits: Mapping[str, FitResult | GridFit], as_json: bool) -> None:
    result = fits.get(_RUN)
    if result is not None:
        if as_json:
            print_json(result.as_dict())
        else:
            print(_as_text(result))
    elif as_json:
        print_json(_as_dict(file, fits, None))
    else:
        print("\n".join(f"{label}: {_as_text(result)}" for label, result in fits.items()))


def _as_text(fit: FitResult | GridFit) -> str:
    from stmlab.analysis.grid_fit import GridFit
    from stmlab.display import fit_as_text
    from stmlab.display.grids import grid_fit_as_text

    return grid_fit_as_text(fit) if isinstance(fit, GridFit) else fit_as_text(fit)


def _as_dict(file: Path, fits: Mapping[str, FitResult | GridFit] | None, refused: str | None) -> dict[str, Any]:
    if fits is None:
        return {"file": str(file), "state": "failed", "message": refused}
    return {"file": str(file), "fits": {label: result.as_dict() for label, result in fits.items()}}


def _pictures(files: list[Path], png: Path | None) -> dict[Path, Path]:
    """Where each file's picture goes.

    Raises:
        SequenceError: many files and no folder, or two files whose pictures would have one name.
    """
    if png is None:
        return {}
    if len(files) == 1:
        return {files[0]: png}
    if not png.is_dir():
        raise SequenceError(f"--png {png}: {len(files)} files need a folder that exists for their pictures")
    pictures = {file: png / f"{file.stem}.png" for file in files}
    if len(set(pictures.values())) < len(files):
        raise SequenceError(f"--png {png}: two of the files would be drawn into one picture: give them one by one")
    return pictures
