"""Properties of instruments as people read them: names with units, states in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stmlab.units import format_quantity

if TYPE_CHECKING:
    from stmlab.station.instruments import Value

_UNITS = {
    "bias": "V",
    "current": "A",
    "height": "m",
    "setpoint": "A",
    "sine_voltage": "V",
    "sine_offset": "V",
    "sensitivity": "V",
    "input_range": "V",
    "frequency": "Hz",
    "sample_clock": "Hz",
    "phase": "deg",
    "time_constant": "s",
    "filter_slope": "dB/oct",
    "amplitude": "V",
    "level": "V",
    "offset": "V",
    "tip_lift": "m",
    "switch_off_delay": "s",
    "z_high_limit": "m",
    "z_low_limit": "m",
    "safe_tip_threshold": "A",
} | {f"aux_out_{number}": "V" for number in range(1, 5)}
_LOOP = {
    "on": ("closed", True),
    "off": ("open", True),
    "hold": ("held", True),
    "switching off": ("opening", True),
    "tripped": ("TRIPPED", False),
    "withdrawing": ("WITHDRAWN", False),
}
_ABBREVIATED = {"rf": "RF", "z": "Z", "dc": "DC", "dac": "DAC", "aux": "Aux"}


def name_in_words(name: str) -> str:
    """A property's name for a person: "sine_voltage" -> "Sine voltage"."""
    words = [_ABBREVIATED.get(word, word) for word in name.split("_")]
    return " ".join([words[0][:1].upper() + words[0][1:], *words[1:]])


def as_text(value: Value, unit: str = "") -> str:
    """A value with its unit: "4 mV", "on", "external"."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float) or (isinstance(value, int) and unit):
        return format_quantity(float(value), unit)
    return str(value)


def rounded(value: Value, unit: str) -> str:
    """A number that is read over and over, with four digits: more would be noise that moves."""
    return as_text(float(f"{value:.4g}") if isinstance(value, float) else value, unit)


def unit_of(name: str) -> str:
    """SI unit of a property that instruments read, "" where it has none."""
    return _UNITS.get(name, "")


def loop_in_words(status: str) -> tuple[str, bool]:
    """What the Z-controller does, and whether that is as it should be."""
    return _LOOP.get(status, (status, False))
