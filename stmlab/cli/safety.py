"""Commands for a person at the microscope: free a tip, bring a station to its safe state."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from stmlab.cli.common import NOT_SAFE, ForceOption, JsonOption, app, print_json, refusing


@app.command()
@refusing
def approach(
    station: Annotated[str, typer.Argument(help="Name or file of the station.")],
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask for confirmation: whoever runs the script has looked at the tip.")
    ] = False,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Free a tip that has tripped or was withdrawn: close the loop at the station's safe bias and setpoint.

    Nothing else closes it then. It is written into the station's audit log.
    """
    from stmlab.display import approached_as_dict, approached_as_text, tip_as_text
    from stmlab.station import Station
    from stmlab.station import approach as approaching
    from stmlab.station.guardian import guarded

    with Station.load(station, force=force) as found:
        print(tip_as_text(found, approaching.tip_state(found)), file=sys.stderr)
        if not yes and not typer.confirm("Close the loop? Nobody else has looked at the tip", err=True):
            raise typer.Exit(1)
        with guarded(found):
            reached = approaching.approach(found)
    if as_json:
        print_json(approached_as_dict(reached))
    else:
        print(approached_as_text(reached))


@app.command()
@refusing
def safe(
    station: Annotated[str, typer.Argument(help="Name or file of the station.")],
    as_json: JsonOption = False,
) -> None:
    """Bring a station to its safe state at once, whoever owns it, as after a fault: RF and modulation off first.

    A run that owns it is aborted; one that does not obey within 0.4 s is killed.
    """
    from stmlab.station.safe_now import make_safe_now

    answer = make_safe_now(station)
    if as_json:
        print_json({"safe": answer.safe, "said": answer.said})
    elif answer.safe:
        print(answer.said)
    if not answer.safe:
        print(f"stmlab: {answer.said}", file=sys.stderr)
        raise typer.Exit(NOT_SAFE)
