"""What can be measured and on what: sequences with their parameters, stations with their instruments, as text."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from stmlab.display.terminal import on_terminal, quantity_as_text

if TYPE_CHECKING:
    from stmlab.acquisition.parameters import Parameter
    from stmlab.acquisition.sequence import Sequence
    from stmlab.events import ParameterValue
    from stmlab.station import Station
    from stmlab.station.approach import Approached
    from stmlab.station.instruments import TipState


def sequence_as_text(sequence: Sequence) -> str:
    """Every parameter of an experiment: default, what is allowed, meaning."""
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(*("parameter", "default", "allowed", "meaning"), padding=(0, 2, 0, 0))
    for column in table.columns[:2]:
        column.no_wrap = True
    parameters = sequence.parameter_objects()
    for name, p in sequence.parameter_record().items():
        row = f"  {name}", quantity_as_text(p.value, p.unit), _allowed(parameters[name], p), p.meaning
        table.add_row(*map(Text, row))
    return f"{sequence.name:16} {sequence.title}\n{on_terminal(table)}"


def _allowed(parameter: Parameter, known: ParameterValue) -> str:
    """The choices, or the bounds in their unit."""
    if (choices := getattr(parameter, "choices", None)) is not None:
        return ", ".join(str(choice) for choice in choices)
    if isinstance(known.value, bool):
        return "true, false"
    low, high = getattr(parameter, "minimum", None), getattr(parameter, "maximum", None)
    if low is None or high is None:
        return ""
    number = type(known.value)
    return f"{quantity_as_text(number(low), known.unit)} to {quantity_as_text(number(high), known.unit)}"


def station_as_text(station: Station) -> str:
    """The instruments of a station with their settings."""
    lines = [f"station {station.config.name} ({station.path}): every instrument answers"]
    if (mark := station.tip_mark.read()) is not None:
        lines.append(f"  {mark}: nothing closes the loop before `stmlab approach`")
    for name, settings in station.snapshot().items():
        lines.append(f"  {name}")
        lines += [f"    {key:26} {value}" for key, value in settings.items()]
    return "\n".join(lines)


def tip_as_text(station: Station, state: TipState) -> str:
    """What is noted of the tip, where it is, and at what its loop would be closed."""
    mark, safe = station.tip_mark.read(), station.config.safe
    loop = "closed" if state.loop else f"open ({state.status.value})"
    return (
        f"station {station.config.name} ({station.path}): {mark or 'nothing is noted of the tip'}\n"
        f"  loop {loop}, Z {quantity_as_text(state.height, 'm')}, current {quantity_as_text(state.current, 'A')}, "
        f"bias {quantity_as_text(state.bias, 'V')}, setpoint {quantity_as_text(state.setpoint, 'A')}\n"
        f"  it would be closed at {quantity_as_text(safe.bias, 'V')} and {quantity_as_text(safe.setpoint, 'A')}, "
        "RF and modulation off"
    )


def approached_as_text(reached: Approached) -> str:
    """Where the tip came to."""
    state = reached.state
    where = "the tip is at the surface" if reached.at_surface else "no current yet: the surface may be out of reach"
    return (
        f"loop closed at {quantity_as_text(state.bias, 'V')}, {quantity_as_text(state.setpoint, 'A')}: {where} "
        f"(current {quantity_as_text(state.current, 'A')}, Z {quantity_as_text(state.height, 'm')})"
    )


def approached_as_dict(reached: Approached) -> dict[str, Any]:
    """The same for a script, in SI units."""
    return {"at_surface": reached.at_surface, **asdict(reached.state), "status": reached.state.status.value}
