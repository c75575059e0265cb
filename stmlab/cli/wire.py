"""The command that runs a recorded run again, against every byte that was recorded."""

from __future__ import annotations

import signal
from pathlib import Path  # noqa: TC003 - typer reads annotations at run time
from typing import Annotated

import typer

from stmlab.cli.common import JsonOption, app, pairs, print_json, refusing


@app.command("replay-wire")
@refusing
def replay_wire(
    recording: Annotated[Path, typer.Argument(metavar="FILE", help="What `stmlab run ... --record-wire FILE` wrote.")],
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A parameter other than recorded: see what it changes."),
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Keep the run's file (HDF5).")] = None,
    as_json: JsonOption = False,
) -> None:
    """Run a recorded run again without any instrument, and name the first byte that differs.

    Drivers and sequence are those of now; answers, failures, time and date are as recorded. Exit status 1 if anything
    differs: on the wire, in the run's file, or in how the run ends.
    """
    from stmlab import display
    from stmlab.acquisition.wire_replay import replay_wire as replayed

    before = signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it at once: there is nothing to make safe
    try:
        report = replayed(recording, settings=pairs(settings or []), output=output)
    finally:
        signal.signal(signal.SIGINT, before)
    if as_json:
        print_json(display.wire_report_as_dict(report))
    else:
        print(display.wire_report_as_text(report))
    if not report.same:
        raise typer.Exit(1)
