"""Which column of a recorded file is what: the bias, the lock-in's in-phase reading, the current; in SI."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from stmlab.errors import FitError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stmlab.arrays import FloatArray
    from stmlab.storage.recorded import Column, Recording

_BACKWARD = "[bwd]"
_LOCKIN = re.compile(r"lock-?in|\bdI/?dV\b|\bLIX?\b|Demod \d* ?X|\bZI (X|R)", re.IGNORECASE)
_NOT_IN_PHASE = re.compile(r"\bLIY|\bY\d*\b|phase|theta", re.IGNORECASE)
_HARMONIC = re.compile(r"\bX2\b|\b2 ?(omega|f|nd)\b|2nd|second|Demod [2-9]", re.IGNORECASE)
_SINGLE_SWEEP = re.compile(r"\[\d{5}\]")
_PREFIXES = {"": 1.0, "k": 1e3, "m": 1e-3, "u": 1e-6, "µ": 1e-6, "n": 1e-9, "p": 1e-12, "f": 1e-15}


def is_backward(column: Column) -> bool:
    """Whether it was recorded on the way back."""
    return _BACKWARD in column.name


def bias(recording: Recording) -> FloatArray:
    """The first column, V, shape (n,); raises FitError if something else was swept."""
    first = recording.columns[0]
    if (factor := _factor(first.unit, "V")) is None:
        raise FitError(f"{recording.path}: {first.name} in {first.unit or 'no unit'} was swept: steps need a bias in V")
    return first.values * factor


def spectrum(recording: Recording, channel: str | None) -> tuple[Column, bool]:
    """The column to fit, and whether it is a current, which must be differentiated.

    By default the lock-in's in-phase reading of the first harmonic: averages before single sweeps, forward before
    backward ones, unfiltered before filtered ones; else the current.

    Raises:
        FileError: there is no column called ``channel``.
        FitError: there is neither a lock-in nor a current.
    """
    if channel is not None:
        column = recording[channel]
        amperes = in_amperes(column)
        return (column, False) if amperes is None or _LOCKIN.search(column.name) else (amperes, True)
    lockin = [
        column
        for column in recording.columns[1:]
        if _LOCKIN.search(column.name) and not _NOT_IN_PHASE.search(column.name) and np.ptp(column.values) != 0
    ]
    return (_first(lockin), False) if lockin else (current(recording), True)


def current(recording: Recording) -> Column:
    """The current, in A; raises FitError if there is none."""
    found = [amperes for column in recording.columns[1:] if (amperes := in_amperes(column)) is not None]
    found = [column for column in found if not _LOCKIN.search(column.name)] or found
    if not found:
        names = ", ".join(column.name for column in recording.columns)
        raise FitError(f"{recording.path}: no current among {names}: name the channel")
    return _first(found)


def backward_of(recording: Recording, forward: Column) -> Column | None:
    """The column with the same name and flags on the way back, in the unit of ``forward``; None if there is none."""
    wanted = sorted([*_flags(forward.name), _BACKWARD])
    base = forward.name.split(" [")[0]
    for column in recording.columns:
        if column.name.split(" [")[0] == base and sorted(_flags(column.name)) == wanted:
            return (in_amperes(column) or column) if forward.unit == "A" else column
    return None


def in_amperes(column: Column) -> Column | None:
    """The column in A, or None if it is no current."""
    factor = _factor(column.unit, "A")
    return None if factor is None else replace(column, unit="A", values=column.values * factor)


def derivative(bias_V: FloatArray, values: FloatArray) -> FloatArray:
    """Numerical derivative at every point; of a bias that is met more than once the mean is differentiated."""
    known = np.isfinite(bias_V) & np.isfinite(values)
    at, place = np.unique(bias_V[known], return_inverse=True)
    if at.size < 2:
        raise FitError(f"{at.size} different biases: there is no derivative")
    mean = np.bincount(place.ravel(), values[known]) / np.bincount(place.ravel())
    return np.where(known, np.interp(bias_V, at, np.gradient(mean, at)), np.nan)


def _first(columns: Iterable[Column]) -> Column:
    """The plainest of the columns, in the order of the file."""

    def plainness(column: Column) -> tuple[bool, ...]:
        name = column.name
        single = _SINGLE_SWEEP.search(name) is not None
        return _HARMONIC.search(name) is not None, is_backward(column), single, "[filt]" in name

    return min(columns, key=plainness)


def _flags(name: str) -> list[str]:
    return re.findall(r"\[[^\]]*\]", name)


def _factor(unit: str, base: str) -> float | None:
    """From a unit with a prefix to its base, or None if it is another one."""
    return _PREFIXES.get(unit.removesuffix(base)) if unit.endswith(base) else None
