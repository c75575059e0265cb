"""The command line: thin, because everything it does is a function elsewhere. Exit status 0 only on success."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable  # noqa: TC003 - typer reads annotations at run time
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from stmlab.errors import SequenceError, StmlabError

app = typer.Typer(
    help="Instrument control, acquisition and analysis for spin-sensitive STM.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

StationOption = Annotated[str, typer.Option("--station", "-s", help="Name or file of the station.")]
SampleOption = Annotated[str | None, typer.Option("--sample", help="Sample under the tip (name or file).")]
SeedOption = Annotated[int | None, typer.Option("--seed", min=0, help="Of the simulation.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]


def main() -> None:
    """Entry point of the console script."""
    app()


def _refusing(command: Callable[..., None]) -> Callable[..., None]:
    """Turn stmlab's errors, and the system's, into one line on standard error (or one JSON object); exit status 1."""

    @wraps(command)
    def run(**arguments: Any) -> None:
        try:
            command(**arguments)
        except BrokenPipeError:
            raise  # whoever read the output has had enough (`| head`): typer ends without a word
        except (StmlabError, OSError) as error:
            _fail(error, as_json=bool(arguments.get("as_json")))

    return run


def _fail(error: Exception, *, as_json: bool) -> NoReturn:
    message = _words(error) if isinstance(error, OSError) else str(error)
    if as_json:
        _print_json({"state": "failed", "reason": type(error).__name__, "message": message})
    print(f"stmlab: {message}", file=sys.stderr)
    raise typer.Exit(1)


def _words(error: OSError) -> str:
    """The file and what the system says of it: "runs: Permission denied"."""
    words = error.strerror or str(error) or type(error).__name__
    return f"{error.filename}: {words}" if error.filename is not None else words


def _print_json(value: Any) -> None:
    print(json.dumps(value, allow_nan=True, default=str))


@app.command()
@_refusing
def run(
    sequence: Annotated[str, typer.Argument(help="Name of the sequence; `stmlab sequences` lists them.")],
    station: StationOption = "simulated",
    sample: SampleOption = None,
    seed: SeedOption = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help='A parameter: --set "dc_bias=4 mV".')
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File to write (HDF5).")] = None,
    check_only: Annotated[bool, typer.Option("--check", help="Check everything; move and write nothing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Run a sequence on a station and fit what it measured."""
    from stmlab.measurement import measure, outcome_as_dict, outcome_as_text

    outcome = measure(
        sequence, station, sample=sample, seed=seed, settings=_pairs(settings or []), path=output, dry=check_only
    )
    if as_json:
        _print_json(outcome_as_dict(outcome))
    else:
        print(outcome_as_text(outcome))
    if outcome.reason == "aborted":
        raise typer.Exit(130)


@app.command()
@_refusing
def sequences(
    name: Annotated[str | None, typer.Argument(help="Show the parameters of this one.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the sequences, or the parameters of one: default, what is allowed, meaning."""
    from stmlab.display import sequence_as_text
    from stmlab.experiments import sequence_class, sequence_names

    names = [name] if name else sorted(sequence_names())
    found = {n: sequence_class(n) for n in names}
    if as_json:
        _print_json(
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


@app.command()
@_refusing
def stations(as_json: JsonOption = False) -> None:
    """List the stations: the simulated ones, and yours."""
    _list_files("", "description", as_json=as_json)


@app.command()
@_refusing
def samples(as_json: JsonOption = False) -> None:
    """List the samples that the simulated microscope can have under its tip."""
    _list_files("samples", "title", as_json=as_json)


@app.command()
@_refusing
def show(
    file: Annotated[Path, typer.Argument(help="A run, or a file that another program recorded (.dat, .VERT).")],
    png: Annotated[Path | None, typer.Option("--png", help="Draw the file, with its fit, into this one.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show what is in a file: parameters, state, points, fits; or the header and columns of a recorded one."""
    from stmlab import display
    from stmlab.storage.recorded import is_recorded, open_recording

    if png is not None:
        from stmlab.figures import check_png

        check_png(png)
    if is_recorded(file):
        recording = open_recording(file)
        if png is not None:
            from stmlab.figures.recording import draw_recording

            draw_recording(recording, png)
        found, text = display.recording_as_dict(recording), display.recording_as_text(recording)
    else:
        from stmlab.storage import open_run

        run = open_run(file)
        if png is not None:
            from stmlab.figures import save_png

            save_png(run, png)
        found, text = display.run_as_dict(run), display.run_as_text(run)
    if as_json:
        _print_json(found)
    else:
        print(text)


@app.command()
@_refusing
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
    from stmlab.storage.recorded import is_recorded, open_recording

    given = _given(settings or [])
    if is_recorded(file):
        from stmlab.analysis.recordings import analyse_recording

        if keep:
            raise SequenceError(f"{file}: --keep: a file of another program is never written to")
        fits = analyse_recording(open_recording(file), model, channel, given)
        if png is not None:
            from stmlab.figures.recording import draw_recorded_fits

            draw_recorded_fits(file.name, fits, png)
        if as_json:
            _print_json({"file": str(file), "fits": {label: result.as_dict() for label, result in fits.items()}})
        else:
            print("\n".join(f"{label}: {display.fit_as_text(result)}" for label, result in fits.items()))
        return
    from stmlab.analysis import analyse
    from stmlab.storage import append_fit, open_run

    if channel is not None:
        raise SequenceError(f"{file}: --channel is for recorded files; a run's model knows its channels")
    result = analyse(open_run(file), model, given)
    if keep:
        append_fit(file, result)
    if png is not None:
        from stmlab.figures import save_png

        save_png(open_run(file), png, result)
    if as_json:
        _print_json(result.as_dict())
    else:
        print(display.fit_as_text(result))


@app.command()
@_refusing
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
        _print_json({"file": str(copy), **display.run_as_dict(run)})
    else:
        state = run.state if run.complete else run.reason
        print(f"{copy}: {display.points_as_text(run.points)} of {run.sequence}, state {state}")


@app.command()
@_refusing
def simulate(
    sample: SampleOption = None,
    seed: SeedOption = None,
    station: StationOption = "simulated",
    speed: Annotated[float, typer.Option(help="Simulated seconds per real second.")] = 1.0,
    free_ports: Annotated[bool, typer.Option("--free-ports", help="Let the system choose the ports.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Serve the simulated instruments over TCP on this machine until Ctrl-C."""
    from stmlab.serving import serve

    serve(station, sample=sample, seed=seed, speed=speed, free_ports=free_ports, as_json=as_json)


@app.command()
@_refusing
def check(
    station: Annotated[str, typer.Argument(help="Name or file of the station.")] = "simulated",
    as_json: JsonOption = False,
) -> None:
    """Connect to every instrument of a station and read its settings and errors; moves nothing."""
    from stmlab.display import station_as_text
    from stmlab.station import Station

    with Station.load(station) as found:
        found.check_status()
        if as_json:
            _print_json({"station": found.config.name, "file": str(found.path), "instruments": found.snapshot()})
        else:
            print(station_as_text(found))


@app.command()
@_refusing
def demo(
    directory: Annotated[Path, typer.Option("--directory", "-d", help="Where files and figures go.")] = Path("runs"),
    everything: Annotated[
        bool, typer.Option("--all", help="Every paper's system; takes two to three minutes.")
    ] = False,
    seed: SeedOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure the demonstration samples on the simulated microscope and compare with what they really are."""
    from stmlab.demo import rows_as_text, run_demo

    rows = run_demo(directory, seed=seed, everything=everything)
    if as_json:
        _print_json([row.as_dict() for row in rows])
    else:
        print(rows_as_text(rows))
    if not all(row.agrees for row in rows):
        print("stmlab: a fitted value does not agree with the sample's true value", file=sys.stderr)
        raise typer.Exit(1)


@app.command()
@_refusing
def papers(
    name: Annotated[str | None, typer.Argument(help="Only this paper.")] = None,
    figures: Annotated[Path | None, typer.Option("--figures", help="Draw the model figures into this folder.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show the papers' numbers beside the models': printed, computed, verdict, and the reason where they disagree."""
    from stmlab import papers as survey
    from stmlab.display import papers_as_text

    rows = survey.rows(name)
    if figures is not None:
        figures.mkdir(parents=True, exist_ok=True)
        drawn = survey.figures(figures, name)
        print("\n".join(str(path) for path in drawn), file=sys.stderr)
    if as_json:
        _print_json([row.as_dict() for row in rows])
    else:
        print(papers_as_text(rows))


@app.command()
@_refusing
def gui() -> None:
    """Open the live window."""
    try:
        from stmlab.gui import launch

        status = launch()
    except ImportError as error:
        raise StmlabError(f"the window needs PyQt6 and pyqtgraph: pip install 'stmlab[gui]' ({error})") from error
    raise typer.Exit(status)


def _list_files(folder: str, key: str, *, as_json: bool) -> None:
    """Name and title of each configuration file; where it lies, in JSON."""
    import tomllib

    from stmlab.configuration import known

    found = {}
    for name, path in known(folder).items():
        try:
            title = str(tomllib.loads(path.read_text(encoding="utf-8")).get(key, ""))
        except (OSError, ValueError) as error:
            title = f"cannot be read: {error}"
        found[name] = {"title": title, "file": str(path)}
    if as_json:
        _print_json(found)
    else:
        print("\n".join(f"{name:20} {about['title']}" for name, about in found.items()))


def _given(settings: list[str]) -> dict[str, float | str]:
    """What a fit is told, in SI; a name that nobody knows is left for the model to refuse."""
    if not settings:
        return {}
    from stmlab.analysis.settings import UNITS
    from stmlab.parameters import in_unit

    return {name: in_unit(text, unit) if (unit := UNITS.get(name)) else text for name, text in _pairs(settings).items()}


def _pairs(settings: list[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals or not name.strip() or not value.strip():
            raise SequenceError(f"--set {setting!r}: NAME=VALUE is allowed")
        if name.strip() in pairs:
            raise SequenceError(f"--set {setting!r}: {name.strip()} is set already, to {pairs[name.strip()]!r}")
        pairs[name.strip()] = value.strip()
    return pairs
