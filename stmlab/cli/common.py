"""What every command shares: the application, its options, one-line refusals, NAME=VALUE settings."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable  # noqa: TC003 - typer reads annotations at run time
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from stmlab.errors import FitEnded, SequenceError, StationNotSafe, StmlabError

app = typer.Typer(
    help="Instrument control, acquisition and analysis for spin-sensitive STM.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

StationOption = Annotated[str, typer.Option("--station", "-s", help="Name or file of the station.")]
SampleOption = Annotated[str | None, typer.Option("--sample", help="Sample under the tip (name or file).")]
SeedOption = Annotated[int | None, typer.Option("--seed", min=0, help="Of the simulation.")]
SettingsOption = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help='A parameter: --set "dc_bias=4 mV".')
]
ReplayOption = Annotated[
    Path | None,
    typer.Option("--replay", metavar="FILE", help="A recording as the sample: a run, or a file of another program."),
]
RecordedOption = Annotated[
    list[str] | None,
    typer.Option(
        "--recorded",
        metavar="NAME=VALUE",
        help='What the recording does not say itself: --recorded "modulation=0.2 mV", --recorded "channel=LI X".',
    ),
]
PixelOption = Annotated[
    str | None, typer.Option("--pixel", metavar="X,Y", help="Column and row of a recorded grid, counted from 0.")
]
AddedNoiseOption = Annotated[
    bool, typer.Option("--added-noise", help="The instruments add their noise to the recorded one.")
]
ForceOption = Annotated[
    bool, typer.Option("--force", help="Take the station although its last owner died without leaving it safe.")
]
NOT_SAFE = 3
"""Exit status when an instrument could not be brought to its safe state: somebody must look."""
OUT_OF_TIME = 4
"""Exit status when a fit reached its time limit: what it hands out is the best so far."""
STOPPED = 130
"""Exit status when Ctrl-C ended a run at once, or a fit."""

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]


def refusing(command: Callable[..., None]) -> Callable[..., None]:
    """Turn stmlab's errors, and the system's, into one line on standard error (or one JSON object); exit status 1."""

    @wraps(command)
    def run(**arguments: Any) -> None:
        try:
            command(**arguments)
        except BrokenPipeError:
            raise  # whoever read the output has had enough (`| head`): typer ends without a word
        except (StmlabError, OSError) as error:
            fail(error, as_json=bool(arguments.get("as_json")))

    return run


def fail(error: Exception, *, as_json: bool) -> NoReturn:
    """One line on standard error, the same as JSON where that was asked for; exit status 1, or what is said above."""
    message = words(error)
    if as_json:
        print_json({"state": "failed", "reason": type(error).__name__, "message": message})
    print(f"stmlab: {message}", file=sys.stderr)
    if isinstance(error, FitEnded):
        raise typer.Exit(STOPPED if error.stopped else OUT_OF_TIME)
    raise typer.Exit(NOT_SAFE if isinstance(error, StationNotSafe) else 1)


def fit_status(ended: str) -> int:
    """Exit status of a fit that ended early: "stopped" or "time limit"; 0 of one that did not."""
    return {"": 0, "stopped": STOPPED}.get(ended, OUT_OF_TIME)


def words(error: Exception) -> str:
    """One line: of an error of the system the file and what it says of it: "runs: Permission denied"."""
    if not isinstance(error, OSError):
        return str(error)
    text = error.strerror or str(error) or type(error).__name__
    return f"{error.filename}: {text}" if error.filename is not None else text


def print_json(value: Any) -> None:
    """One JSON object on standard output."""
    print(json.dumps(value, allow_nan=True, default=str))


def wrote(path: Path) -> None:
    """Say on standard error what was written, so that standard output is the answer alone."""
    print(f"wrote {path}", file=sys.stderr)


def folder(path: Path) -> Path:
    """A folder to write into, made if only it is missing.

    Raises:
        SequenceError: the folder that it should lie in is not there: most likely it is mistyped.
    """
    if not path.parent.exists():
        raise SequenceError(f"{path}: there is no folder {path.parent}: nothing is made")
    path.mkdir(exist_ok=True)
    return path


def pairs(settings: list[str], option: str = "--set") -> dict[str, str]:
    """What was given with ``--set NAME=VALUE`` (or another ``option``), still as text.

    Raises:
        SequenceError: not of that form, or given twice.
    """
    found: dict[str, str] = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals or not name.strip() or not value.strip():
            raise SequenceError(f"{option} {setting!r}: NAME=VALUE is allowed")
        if name.strip() in found:
            raise SequenceError(f"{option} {setting!r}: {name.strip()} is set already, to {found[name.strip()]!r}")
        found[name.strip()] = value.strip()
    return found


def replay_table(
    file: Path | None, recorded: list[str], pixel: str | None, *, added_noise: bool, sample: str | None
) -> dict[str, Any] | None:
    """What is replayed and how, as `Station` takes it; None without ``--replay``.

    Raises:
        SequenceError: an option that needs ``--replay`` without it, or one that is not as it should be.
    """
    if file is None:
        for name, value in (("--recorded", recorded), ("--pixel", pixel), ("--added-noise", added_noise)):
            if value:
                raise SequenceError(f"{name} is for a recording: --replay FILE is missing")
        return None
    if sample is not None:
        raise SequenceError(f"--sample {sample} and --replay {file}: one of them is the sample")
    table: dict[str, Any] = {"file": file, "added_noise": added_noise, **pairs(recorded, "--recorded")}
    if pixel is not None:
        found = re.fullmatch(r"\s*(\d+)\s*,\s*(\d+)\s*", pixel)
        if found is None:
            raise SequenceError(f"--pixel {pixel!r}: column and row as in 3,4 are allowed")
        table["pixel"] = (int(found[1]), int(found[2]))
    return table
