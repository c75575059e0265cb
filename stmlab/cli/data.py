"""Commands for files: show, export, recover."""

from __future__ import annotations

import sys
from pathlib import Path  # noqa: TC003 - typer reads annotations at run time
from typing import Annotated

import typer

from stmlab.cli.common import JsonOption, app, print_json, refusing, wrote
from stmlab.errors import SequenceError


@app.command()
@refusing
def show(
    file: Annotated[Path, typer.Argument(help="A run, or a file that another program recorded.")],
    png: Annotated[Path | None, typer.Option("--png", help="Draw the file, with its fit: .png, .svg or .pdf.")] = None,
    followed: Annotated[
        bool, typer.Option("--follow", help="Of a run that is being written: tell what comes, until it ends or Ctrl-C.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show what is in a file: parameters, state, points, fits; or the header and columns of a recorded one."""
    if followed:
        from stmlab.cli.playing import follow

        if png is not None:
            raise SequenceError(f"--follow and --png {png}: one of them is allowed")
        follow(file, as_json=as_json)
        return
    from stmlab import display
    from stmlab.storage.recorded import is_recorded, open_recording

    if png is not None:
        from stmlab.display.figures import check_picture

        check_picture(png)
    if is_recorded(file):
        recording = open_recording(file)
        if png is not None:
            from stmlab.cli.fit_progress import fits_on_terminal
            from stmlab.display.figures.recording import draw_recording

            with fits_on_terminal():  # of the figure, which says it where one was ended
                draw_recording(recording, png)
            wrote(png)
        found, text = display.recording_as_dict(recording), display.recording_as_text(recording)
    else:
        from stmlab.storage import open_run

        run = open_run(file)
        if png is not None:
            from stmlab.display.figures import save_run

            save_run(run, png)
            wrote(png)
        found, text = display.run_as_dict(run), display.run_as_text(run)
    if as_json:
        print_json(found)
    else:
        print(text)


@app.command()
@refusing
def export(
    file: Annotated[Path, typer.Argument(help="A run, or a file that another program recorded.")],
    to: Annotated[str, typer.Option("--to", help="Format: csv, dat (as Nanonis writes it), netcdf or numpy.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file to make; by default beside the first one.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write a run or a recorded file in another format, so that it is read back bit for bit; nothing is overwritten.

    Of a grid, or a run over several axes, every point is a row; netcdf keeps the axes.
    """
    from stmlab.storage.exporters import export as write

    made, notes = write(file, to, output)
    for note in notes:
        print(f"{made}: {note}", file=sys.stderr)
    if as_json:
        print_json({"file": str(made), "format": to, "notes": notes})
    else:
        print(made)


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
