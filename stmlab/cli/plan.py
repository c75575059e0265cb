"""The command that plans: how long a measurement will take for the error asked for."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path  # noqa: TC003 - typer reads annotations at run time
from typing import Annotated

import typer

from stmlab.cli.common import (
    JsonOption,
    SampleOption,
    SeedOption,
    SettingsOption,
    StationOption,
    app,
    pairs,
    print_json,
    refusing,
)
from stmlab.errors import SequenceError


@app.command()
@refusing
def plan(
    sequence: Annotated[str, typer.Argument(help="Name of the sequence: srs, pump_probe, didv.")],
    target: Annotated[str, typer.Option("--target", help='Relative error of the result: "1 %".')] = "1 %",
    station: StationOption = "simulated",
    sample: SampleOption = None,
    like: Annotated[
        Path | None, typer.Option("--like", help="An old run that tells value, step and noise.", show_default=False)
    ] = None,
    seed: SeedOption = None,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say how long fixed grids and points chosen one by one will take; nothing moves at a microscope."""
    from stmlab.acquisition.forecast import forecast
    from stmlab.display.forecasts import forecast_as_text
    from stmlab.units import in_unit

    if not 0 < (error := in_unit(target, "")) < 1:
        raise SequenceError(f"--target {target}: more than 0 and less than 100 % is allowed")
    found = forecast(
        sequence, error, station=station, sample=sample, like=like, settings=pairs(settings or []), seed=seed
    )
    if as_json:
        ways = [{k: None if v != v or v == math.inf else v for k, v in asdict(way).items()} for way in found.ways]
        print_json({**asdict(found), "ways": ways})
    else:
        print(forecast_as_text(found))
