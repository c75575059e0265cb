"""Commands that measure: run, check, demo."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stmlab.cli.common import (
    STOPPED,
    AddedNoiseOption,
    ForceOption,
    JsonOption,
    PixelOption,
    RecordedOption,
    ReplayOption,
    SampleOption,
    SeedOption,
    SettingsOption,
    app,
    fit_status,
    folder,
    pairs,
    print_json,
    refusing,
    replay_table,
)
from stmlab.errors import SequenceError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from stmlab.acquisition.runner import Estimate, Runner
    from stmlab.station import Station


SequenceArgument = Annotated[
    str | None, typer.Argument(help="Name of the sequence; `stmlab sequences` lists them.", show_default=False)
]
RunStationOption = Annotated[
    str | None,
    typer.Option("--station", "-s", help="Name or file of the station [default: simulated; replay with --replay]."),
]
OutputOption = Annotated[Path | None, typer.Option("--output", "-o", help="File to write (HDF5).")]
RecordWireOption = Annotated[
    Path | None,
    typer.Option(
        "--record-wire", metavar="FILE", help="Keep every byte of every instrument; `stmlab replay-wire` compares."
    ),
]
ResumeOption = Annotated[
    Path | None,
    typer.Option("--resume", help="Go on with this run, which ended early: its missing points, into its own file."),
]
SamePlaceOption = Annotated[
    bool, typer.Option("--same-place", help="With --resume: do not ask whether the tip is at the same place.")
]
CheckOption = Annotated[bool, typer.Option("--check", help="Check everything; move and write nothing.")]


@app.command()
@refusing
def run(
    sequence: SequenceArgument = None,
    station: RunStationOption = None,
    sample: SampleOption = None,
    seed: SeedOption = None,
    replay: ReplayOption = None,
    recorded: RecordedOption = None,
    pixel: PixelOption = None,
    added_noise: AddedNoiseOption = False,
    settings: SettingsOption = None,
    output: OutputOption = None,
    record_wire: RecordWireOption = None,
    resume: ResumeOption = None,
    same_place: SamePlaceOption = False,
    check_only: CheckOption = False,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Run a sequence on a station and fit what it measured."""
    from stmlab.acquisition.measurement import measurement, resumption

    if record_wire is not None and (check_only or resume is not None):
        raise SequenceError("--record-wire: a whole run is recorded: leave out --check or --resume")
    given = pairs(settings or [])
    recording = replay_table(replay, recorded or [], pixel, added_noise=added_noise, sample=sample)
    if resume is not None:
        if sequence or sample or seed is not None or given or output or recording:
            raise SequenceError("--resume: the run says what is measured: only --station, --same-place and --force")
        found = resumption(resume, station, force=force)
    elif sequence is None:
        raise SequenceError("name a sequence (`stmlab sequences` lists them), or --resume FILE")
    else:
        found = measurement(
            sequence,
            station or ("simulated" if recording is None else "replay"),
            sample=sample,
            seed=seed,
            settings=given,
            path=output,
            force=force,
            replay=recording,
            record_wire=record_wire,
        )
    _perform(found, ask_for_place=resume is not None and not same_place, check_only=check_only, as_json=as_json)


def _perform(
    found: AbstractContextManager[tuple[Runner, Estimate]], *, ask_for_place: bool, check_only: bool, as_json: bool
) -> None:
    """Run it, or only check it, and tell the outcome.

    Raises:
        typer.Exit: it was aborted, or its fit ended early.
    """
    from stmlab import display
    from stmlab.cli.progress import run_on_terminal

    with found as (runner, estimate):
        for note in runner.station.recording_notes():
            print(f"replay: {note}", file=sys.stderr)
        if check_only:
            _say(display.estimate_as_dict(estimate), display.estimate_as_text(estimate), as_json)
            return
        if ask_for_place and not runner.station.is_simulated:
            _ask_for_the_place(runner.station)
        outcome = run_on_terminal(runner, estimate)
    _say(display.outcome_as_dict(outcome), display.outcome_as_text(outcome), as_json)
    if outcome.reason == "aborted":
        raise typer.Exit(STOPPED)
    if outcome.fit_ended:
        raise typer.Exit(fit_status(outcome.fit_ended))


def _say(for_scripts: dict[str, Any], for_people: str, as_json: bool) -> None:
    if as_json:
        print_json(for_scripts)
    else:
        print(for_people)


def _ask_for_the_place(station: Station) -> None:
    """The points of two sessions belong together only if the tip is where it was; no program can tell."""
    if not typer.confirm(f"{station.config.name}: is the tip at the same place, over the same atom?", err=True):
        raise typer.Exit(1)


@app.command()
@refusing
def check(
    station: Annotated[str, typer.Argument(help="Name or file of the station.")] = "simulated",
    as_json: JsonOption = False,
) -> None:
    """Connect to every instrument of a station and read its settings; moves nothing, clears no status register.

    Refused while somebody else owns the station.
    """
    from stmlab.display import station_as_text
    from stmlab.station import Station

    with Station.load(station, only_reading=True) as found:
        if as_json:
            mark = found.tip_mark.read()
            tip = None if mark is None else str(mark)
            about = {"station": found.config.name, "file": str(found.path), "tip": tip}
            print_json({**about, "instruments": found.snapshot()})
        else:
            print(station_as_text(found))


@app.command()
@refusing
def demo(
    directory: Annotated[Path, typer.Option("--directory", "-d", help="Where files and figures go.")] = Path("runs"),
    everything: Annotated[bool, typer.Option("--all", help="Every paper's system; takes about a minute.")] = False,
    seed: SeedOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure the demonstration samples on the simulated microscope and compare with what they really are."""
    from stmlab.cli.demo import rows_as_text, run_demo

    rows = run_demo(folder(directory), seed=seed, everything=everything)
    if as_json:
        print_json([row.as_dict() for row in rows])
    else:
        print(rows_as_text(rows))
    if not all(row.agrees for row in rows):
        print("stmlab: a fitted value does not agree with the sample's true value", file=sys.stderr)
        raise typer.Exit(1)
