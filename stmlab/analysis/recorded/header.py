"""What a file's header says about the lock-in and the temperature; used only where it is plain what is meant.

Nanonis writes the state of its own lock-in beside every spectrum, on or off. Createc writes an amplitude and the
temperatures of several sensors, without saying whether the lock-in ran or which sensor is the sample's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.recorded.columns import unit_factor
from stmlab.storage.importers.text import read_number
from stmlab.units import format_quantity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.arrays import FloatArray
    from stmlab.storage.recorded import Recording

_NANONIS = "Lock-in>"
_NANONIS_TEMPERATURE = re.compile(r"temperature[^>]*\(K\)$|temperature[^>]*\[K\]$", re.IGNORECASE)
_CREATEC_TEMPERATURE = re.compile(r"^T_\w+\[K\]$")
_ON, _OFF = ("on", "true", "1", "yes"), ("off", "false", "0", "no")
_MODE = "Bias Spectroscopy>Sweep mode"
_ENDS = 0.01  # of the sweep: the bias ends where the header says
_HOTTEST = 1000.0  # K
_ALIKE = 0.1  # of the temperature: two sensors that agree


@dataclass(frozen=True, eq=False)
class Told:
    """By the header.

    Attributes:
        known: "modulation" (V, peak) and "temperature" (K), where it says them.
        sources: of each of these, the key.
        harmonics: of each demodulator, where it says them.
        about: the lock-in's state, harmonic and phase in words, or "".
        doubts: what it names but does not settle; one sentence each, by the setting that would settle it.
    """

    known: Mapping[str, float] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    harmonics: tuple[int | None, ...] = ()
    about: str = ""
    doubts: Mapping[str, str] = field(default_factory=dict)

    def said(self, given: Mapping[str, object]) -> dict[str, str]:
        """For a result's ``choices``: what the header said and nobody overruled."""
        units = {"modulation": "V", "temperature": "K"}
        used = [
            f"{name} = {format_quantity(value, units[name])} ({self.sources[name]})"
            for name, value in self.known.items()
            if name not in given
        ]
        texts = {"header": ", ".join(used), "lock-in": self.about}
        return {name: text for name, text in texts.items() if text}


def told_by_header(recording: Recording) -> Told:
    """What the header says, of either maker."""
    header = recording.header
    known: dict[str, float] = {}
    sources: dict[str, str] = {}
    doubts: dict[str, str] = {}
    _modulation(header, known, sources, doubts)
    _temperature(header, known, sources, doubts)
    return Told(known, sources, _harmonics(header), _about(header), doubts)


def promise_warnings(recording: Recording, bias: FloatArray) -> list[str]:
    """Whether the file holds the sweep that its header describes: how many rows, from which bias to which, V."""
    header = recording.header
    if header.get("Experiment", "").strip().lower() != "bias spectroscopy" or "MLS" in header.get(_MODE, ""):
        return []
    found = []
    rows = _number(header.get("Bias Spectroscopy>Num Pixel"))
    if rows is not None and rows != bias.size:
        found.append(f"the header promises {rows:g} rows, the file holds {bias.size}: stopped, cut off or joined")
    ends = [_number(header.get(f"Bias Spectroscopy>Sweep {end} (V)")) for end in ("Start", "End")]
    if None in ends or not np.isfinite(bias).any():
        return found
    low, high = sorted(end for end in ends if end is not None)
    apart = max(abs(float(np.nanmin(bias)) - low), abs(float(np.nanmax(bias)) - high))
    if apart > _ENDS * (high - low):
        seen = " to ".join(format_quantity(float(f"{end:.4g}"), "V") for end in (np.nanmin(bias), np.nanmax(bias)))
        told = " to ".join(format_quantity(end, "V") for end in (low, high))
        found.append(f"the header describes a sweep over {told}, the bias goes over {seen}: a wrong unit, or cut off")
    return found


def _modulation(
    header: Mapping[str, str], known: dict[str, float], sources: dict[str, str], doubts: dict[str, str]
) -> None:
    if (createc := _number(header.get("LockinAmpl"))) is not None:
        doubts["modulation"] = (
            f"the header names a lock-in amplitude of {createc:g} mV (LockinAmpl), but not whether the lock-in ran, "
            "nor peak or peak to peak"
        )
    amplitude = _number(header.get(f"{_NANONIS}Amplitude"))
    if amplitude is None:
        return
    signal = header.get(f"{_NANONIS}Modulated signal", "")
    unit = re.search(r"\(([^()]*)\)\s*$", signal)
    factor = unit_factor(unit[1], "V") if unit else None
    if not signal.lower().startswith("bias") or factor is None:
        said = f"the header's lock-in modulates {signal}, not the bias"
        doubts["modulation"] = said if signal else "the header does not say what its lock-in modulates"
    elif (running := _runs(header)) is None:
        doubts["modulation"] = f"the header names a lock-in amplitude of {amplitude:g}, but not whether the lock-in ran"
    elif not running:
        doubts["modulation"] = f"the header's own lock-in was off, its amplitude of {amplitude:g} is not used"
    elif amplitude > 0:
        known["modulation"], sources["modulation"] = factor * amplitude, f"{_NANONIS}Amplitude"


def _runs(header: Mapping[str, str]) -> bool | None:
    """On by itself, or switched on for the spectrum; None where the header does not say."""
    words = [
        header.get(key, "").strip().lower() for key in (f"{_NANONIS}Lock-in status", "Bias Spectroscopy>Lock-In run")
    ]
    if any(word in _ON for word in words):
        return True
    return False if words[0] in _OFF else None


def _temperature(
    header: Mapping[str, str], known: dict[str, float], sources: dict[str, str], doubts: dict[str, str]
) -> None:
    found = {key: value for key, text in header.items() if (value := _kelvin(key, text)) is not None}
    if not found:
        return
    listed = ", ".join(f"{key} = {value:g}" for key, value in found.items())
    createc = any(_CREATEC_TEMPERATURE.search(key) for key in found)
    if createc or max(found.values()) > (1 + _ALIKE) * min(found.values()):
        doubts["temperature"] = f"the header names temperatures ({listed}), but not which is the sample's"
        return
    source = next(iter(found))
    known["temperature"], sources["temperature"] = found[source], source


def _kelvin(key: str, text: str) -> float | None:
    if not (_NANONIS_TEMPERATURE.search(key) or _CREATEC_TEMPERATURE.search(key)):
        return None
    value = _number(text)
    return value if value is not None and 0 < value < _HOTTEST else None


def _harmonics(header: Mapping[str, str]) -> tuple[int | None, ...]:
    """Of the first and the second demodulator; the only one that older files name is of the "n omega" columns."""
    found = [_number(header.get(f"{_NANONIS}Harmonic [{which}]")) for which in ("First", "Second", "Third", "Fourth")]
    named = [_number(header.get(f"{_NANONIS}Harmonic D{k}")) for k in range(1, 9)]
    return tuple(None if number is None else int(number) for number in (found if any(found) else named))


def _about(header: Mapping[str, str]) -> str:
    wanted = ("Lock-in status", "Harmonic", "Reference phase", "Frequency")
    parts = {k.removeprefix(_NANONIS): v for k, v in header.items() if k.startswith(_NANONIS) and v.strip()}
    return ", ".join(f"{key} {value}" for key, value in parts.items() if key.startswith(wanted))


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else read_number(text.strip())
    except ValueError:
        return None
