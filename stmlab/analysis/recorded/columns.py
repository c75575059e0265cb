"""Which column of a recorded file is what: the lock-in's in-phase reading, the current; in SI."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.recorded.names import Meaning, base_name, flags, meaning, other_part
from stmlab.errors import FitError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from stmlab.arrays import FloatArray
    from stmlab.storage.recorded import Column, Recording

_BACKWARD = "[bwd]"
_PREFIXES = {"": 1.0, "G": 1e9, "M": 1e6, "k": 1e3, "m": 1e-3, "u": 1e-6, "µ": 1e-6, "μ": 1e-6}
_PREFIXES |= {"n": 1e-9, "p": 1e-12, "f": 1e-15, "a": 1e-18}
_CURRENT = re.compile(r"\bcurrent\b|\bi\b|tunnel|\bistm\b|\bich\b", re.IGNORECASE)
_READING = re.compile(r"^$|^[afpnuµμmkMG]?(V|A|S)(rms|pk)?$|arb|^a\.? ?u|^1$|^%$|V/V|A/V|S")
_NO_READING = re.compile(
    r"\bbias\b|\bz\b|phase|amplitude|frequency|freq\b|excitation|time|temp|setpoint|topograph|counter|index|"
    r"laser|field|\bdac|output|position|^[xyz]$|height|piezo",
    re.IGNORECASE,
)


@dataclass(frozen=True, eq=False)
class Spectrum:
    """What is fitted of a sweep.

    Attributes:
        column: the lock-in's reading, or the current, in A.
        derived: it is a current, which must be differentiated.
        warnings: about the choice.
    """

    column: Column
    derived: bool
    warnings: tuple[str, ...] = ()


def is_backward(column: Column) -> bool:
    """Whether it was recorded on the way back."""
    return meaning(column.name).backward


def spectrum(recording: Recording, channel: str | None, harmonics: Sequence[int | None] = ()) -> Spectrum:
    """The column to fit.

    By default the lock-in's reading of the first harmonic, in phase before one whose part is not named before the
    magnitude; averages before single sweeps, forward before backward ones, unfiltered before filtered ones; else the
    current.

    Args:
        recording: the file.
        channel: name of the column, or None.
        harmonics: of the first demodulator, the second and so on, where the header says them.

    Raises:
        FileError: there is no column called ``channel``.
        FitError: there is neither a lock-in nor a current.
    """
    if channel is not None:
        column = recording[channel]
        amperes = in_amperes(column)
        derived = amperes is not None and not _is_reading(recording, column) and _is_current(recording, column)
        return Spectrum(amperes if derived and amperes else column, derived, () if derived else _about_part(column))
    readings = [column for column in recording.columns if _is_reading(recording, column)]
    dead = [column.name for column in readings if not _varies(column)]
    chosen = [column for column in readings if _varies(column) and _may_be_didv(column, harmonics)]
    if chosen:
        column = min(chosen, key=_plainness)
        return Spectrum(column, derived=False, warnings=_about_part(column))
    passed = [c.name for c in readings if _varies(c) and meaning(c.name).part in ("", "X", "R")]
    warnings = [f"{name} does not change: not taken for dI/dV" for name in dead]
    warnings += [f"{name} is of the second or a higher harmonic: it is not dI/dV" for name in passed]
    warnings.append(_without_lockin(_candidates(recording)))
    return Spectrum(current(recording), derived=True, warnings=tuple(warnings))


def signal(recording: Recording, channel: str | None) -> Column:
    """What answers a frequency or a delay: the named column, the lock-in's in-phase reading, or the current; in SI.

    Raises:
        FileError: there is no column called ``channel``.
        FitError: there is neither a lock-in nor a current.
    """
    if channel is not None:
        return in_base_unit(recording[channel])
    readings = [c for c in recording.columns if _is_reading(recording, c) and _varies(c) and _may_be_didv(c, ())]
    return in_base_unit(min(readings, key=_plainness)) if readings else current(recording)


def of_trace(recording: Recording, swept: Column) -> Column:
    """What switches: the current, or the only column beside what was swept that changes; in SI.

    Raises:
        FitError: there are several, and none is a current.
    """
    others = [column for column in recording.columns if column.name != swept.name and _varies(column)]
    if len(others) == 1 and _READING.search(others[0].unit):
        return in_base_unit(others[0])
    return current(recording)


def current(recording: Recording) -> Column:
    """The current, in A; raises FitError if there is none."""
    found = [amperes for column in recording.columns if (amperes := in_amperes(column)) is not None]
    found = [column for column in found if not meaning(column.name).lockin] or found
    if not found:
        names = ", ".join(column.name for column in recording.columns)
        raise FitError(f"{recording.path}: no current among {names}: name the channel")
    return min(found, key=lambda column: (_CURRENT.search(column.name) is None, *_plainness(column)))


def backward_of(recording: Recording, forward: Column) -> Column | None:
    """The column with the same name and flags on the way back, in the unit of ``forward``; None if there is none."""
    wanted = sorted([*flags(forward.name), _BACKWARD])
    for column in recording.columns:
        if base_name(column.name) == base_name(forward.name) and sorted(flags(column.name)) == wanted:
            return (in_amperes(column) or column) if forward.unit == "A" else column
    return None


def quadrature_of(recording: Recording, column: Column) -> Column | None:
    """The same demodulator's reading in quadrature, or None."""
    if meaning(column.name).part != "X":
        return None
    wanted = other_part(column.name, "X", "Y").lower()
    return next((c for c in recording.columns if c.name.lower() == wanted and c is not column), None)


def in_amperes(column: Column) -> Column | None:
    """The column in A, or None if it is no current."""
    factor = unit_factor(column.unit, "A")
    return None if factor is None else replace(column, unit="A", values=column.values * factor)


def in_base_unit(column: Column) -> Column:
    """The column in V, A or S where its unit is one of these with a prefix."""
    for base in ("V", "A", "S"):
        if (factor := unit_factor(column.unit, base)) is not None:
            return replace(column, unit=base, values=column.values * factor)
    return column


def unit_factor(unit: str, base: str) -> float | None:
    """From a unit with a prefix to its base, or None if it is another one."""
    return _PREFIXES.get(unit.removesuffix(base)) if unit.endswith(base) else None


def derivative(bias_V: FloatArray, values: FloatArray) -> FloatArray:
    """Numerical derivative at every point; of a bias that is met more than once the mean is differentiated."""
    known = np.isfinite(bias_V) & np.isfinite(values)
    at, place = np.unique(bias_V[known], return_inverse=True)
    if at.size < 2:
        raise FitError(f"{at.size} different biases: there is no derivative")
    mean = np.bincount(place.ravel(), values[known]) / np.bincount(place.ravel())
    return np.where(known, np.interp(bias_V, at, np.gradient(mean, at)), np.nan)


def _is_reading(recording: Recording, column: Column) -> bool:
    """Whether it is named as a lock-in's: by a maker, or as X beside a Y or R, in a unit that a reading has."""
    told = meaning(column.name)
    if _READING.search(column.unit) is None or told.part in ("Y", "phase"):
        return False
    if told.lockin:
        return True
    alone = re.fullmatch(r"x\d*", base_name(column.name), re.IGNORECASE) is not None
    names = {other.name.lower() for other in recording.columns if other.unit == column.unit}
    return alone and any(other_part(column.name, "X", part).lower() in names for part in "YR")


def _is_current(recording: Recording, column: Column) -> bool:
    """Whether a column in A is the current: by its name, or because no other is called so."""
    others = [c for c in recording.columns if c is not column and unit_factor(c.unit, "A") is not None]
    return _CURRENT.search(column.name) is not None or not any(_CURRENT.search(other.name) for other in others)


def _may_be_didv(column: Column, harmonics: Sequence[int | None]) -> bool:
    told = meaning(column.name)
    harmonic = told.harmonic
    if harmonic is None and told.number <= len(harmonics):
        harmonic = harmonics[told.number - 1]
    return harmonic in (None, 1)


def _about_part(column: Column) -> tuple[str, ...]:
    if meaning(column.name).part != "R":
        return ()
    return (
        f"{column.name} is the magnitude of the lock-in's reading: it is never negative, holds the quadrature and "
        "averages noise upwards; X of a well set phase is dI/dV",
    )


def _candidates(recording: Recording) -> list[str]:
    """Columns that may be a lock-in's, whatever they are called."""
    return [
        column.name
        for column in recording.columns[1:]
        if not is_backward(column)
        and _varies(column)
        and _READING.search(column.unit)
        and not _NO_READING.search(base_name(column.name))
        and not _CURRENT.search(column.name)
        and not meaning(column.name).lockin
        and not meaning(column.name).single
    ]


def _without_lockin(candidates: Iterable[str]) -> str:
    listed = ", ".join(candidates)
    text = "dI/dV is the numerical derivative of the current: no column is named as a lock-in column"
    return f"{text}; {listed} may be one: name it (channel)" if listed else text


def _varies(column: Column) -> bool:
    known = column.values[np.isfinite(column.values)]
    return known.size > 1 and float(np.ptp(known)) > 0


def _plainness(column: Column) -> tuple[int, ...]:
    """Smallest of the column that is taken, where several would do; ties go by the order in the file."""
    told: Meaning = meaning(column.name)
    part = {"X": 0, "": 1, "R": 2}.get(told.part, 3)
    return part, told.number, told.backward, told.single, told.filtered
