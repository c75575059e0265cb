"""Commands for files: show, fit, recover."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads annotations at run time
from typing import Annotated

import typer

from stmlab.cli.common import JsonOption, app, pairs, print_json, refusing
from stmlab.errors import SequenceError


@app.command()
@refusing
def show(
    file: Annotated[Path, typer.Argument(help="A run, or a file that another program recorded (.dat, .VERT).")],
    png: Annotated[Path | None, typer.Option("--png", help="Draw the file, with its fit, into this one.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show what is in a file: parameters, state, points, fits; or the header and columns of a recorded one."""
    from stmlab import display
    from stmlab.storage.recorded import is_recorded, open_recording

    if png is not None:
        from stmlab.display.figures import check_png

        check_png(png)
    if is_recorded(file):
        recording = open_recording(file)
        if png is not None:
            from stmlab.display.figures.recording import draw_recording

            draw_recording(recording, png)
        found, text = display.recording_as_dict(recording), display.recording_as_text(recording)
    else:
        from stmlab.storage import open_run

        run = open_run(file)
        if png is not None:
            from stmlab.display.figures import save_png

            save_png(run, png)
        found, text = display.run_as_dict(run), display.run_as_text(run)
    if as_json:
        print_json(found)
    else:
        print(text)


@app.command()
@refusing
def fit(
    file: Annotated[Path, typer.Argument(help="A run, or a file that another program recorded (.dat, .VERT).")],
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
            'order, exclusion, fitted_sides, threshold, dead_time: --set "field=5 T".',
        ),
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Add the fit to the file (raw data are never touched).")] = False,
    png: Annotated[Path | None, typer.Option("--png", help="Draw this fit into this file.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Fit a run again, or a recorded file (each direction of a sweep by itself)."""
    from stmlab import display
    from stmlab.analysis.fitting import given
    from stmlab.storage.recorded import is_recorded, open_recording

    told = given(pairs(settings or []))
    if is_recorded(file):
        from stmlab.analysis.recordings import analyse_recording

        if keep:
            raise SequenceError(f"{file}: --keep: a file of another program is never written to")
        fits = analyse_recording(open_recording(file), model, channel, told)
        if png is not None:
            from stmlab.display.figures.recording import draw_recorded_fits

            draw_recorded_fits(file.name, fits, png)
        if as_json:
            print_json({"file": str(file), "fits": {label: result.as_dict() for label, result in fits.items()}})
        else:
            print("\n".join(f"{label}: {display.fit_as_text(result)}" for label, result in fits.items()))
        return
    from stmlab.analysis import analyse
    from stmlab.storage import append_fit, open_run

    if channel is not None:
        raise SequenceError(f"{file}: --channel is for recorded files; a run's model knows its channels")
    result = analyse(open_run(file), model, told)
    if keep:
        append_fit(file, result)
    if png is not None:
        from stmlab.display.figures import save_png

        save_png(open_run(file), png, result)
    if as_json:
        print_json(result.as_dict())
    else:
        print(display.fit_as_text(result))


@app.command()
@refusing
def recover(
    file: Annotated[Path, typer.Argument(help="A run whose process was killed.")],
    copy: Annotated[Path, typer.Argument(help="The file to make.")],
    as_json: JsonOption = False,
) -> None:
    """Copy what a killed run has acknowledged into a file that opens everywhere; the killed file stays as it is."""
    from stmlab import display
    from stmlab.storage import recover as copy_out

    run = copy_out(file, copy)
    if as_json:
        print_json({"file": str(copy), **display.run_as_dict(run)})
    else:
        state = run.state if run.complete else run.reason
        print(f"{copy}: {display.points_as_text(run.points)} of {run.sequence}, state {state}")
