"""Commands that stay: the simulated instruments on TCP ports, the live window."""

from __future__ import annotations

from typing import Annotated

import typer

from stmlab.cli.common import JsonOption, SampleOption, SeedOption, StationOption, app, refusing
from stmlab.errors import StationError, StmlabError


@app.command()
@refusing
def simulate(
    sample: SampleOption = None,
    seed: SeedOption = None,
    station: StationOption = "simulated",
    speed: Annotated[float, typer.Option(help="Simulated seconds per real second.")] = 1.0,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            "--fault",
            metavar='"KIND [INSTRUMENT] [KEY=VALUE ...]"',
            help='What goes wrong: --fault "drop nanonis match=Bias.Set message=3"; may be given several times.',
        ),
    ] = None,
    free_ports: Annotated[bool, typer.Option("--free-ports", help="Let the system choose the ports.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Serve the simulated instruments over TCP on this machine until Ctrl-C, with faults if wanted."""
    from stmlab.clock import SimulatedClock
    from stmlab.config_files import find
    from stmlab.simulation.faults import read_fault
    from stmlab.simulation.serving import serve
    from stmlab.station.assembly import simulated_microscope
    from stmlab.station.configuration import read_station

    if not speed > 0:
        raise StationError(f"--speed {speed:g}: more than 0 is allowed")
    path, faults = find(station), [read_fault(text) for text in fault or []]
    config, _ = read_station(path)
    microscope = simulated_microscope(config, path, sample=sample, seed=seed, clock=SimulatedClock(speed))
    if microscope is None:
        raise StationError(f"{path}: this station has no [simulation] table")
    for one in faults:
        microscope.faults.arm(one)
    serve(microscope, free_ports=free_ports, as_json=as_json)


@app.command()
@refusing
def gui() -> None:
    """Open the live window."""
    try:
        from stmlab.gui import launch

        status = launch()
    except ImportError as error:
        raise StmlabError(f"the window needs PyQt6 and pyqtgraph: pip install 'stmlab[gui]' ({error})") from error
    raise typer.Exit(status)
