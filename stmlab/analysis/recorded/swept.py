"""What changed from row to row of a recorded file, and which rows are one sweep: the order of the values decides."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import Enum
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.recorded.columns import unit_factor
from stmlab.analysis.recorded.names import base_name
from stmlab.errors import FitError
from stmlab.units import format_quantity

if TYPE_CHECKING:
    from stmlab.arrays import BoolArray, FloatArray, IntArray
    from stmlab.storage.recorded import Column, Recording

_TIME = re.compile(r"^(rel(ative)?\.? |elapsed |acquisition )?time( ?stamp)?$|^t$|^zeit$", re.IGNORECASE)
_DELAY = re.compile(r"delay|pump|tau|Δt|delta ?t", re.IGNORECASE)
_BIAS = re.compile(
    r"\bbias\b|\bsample (bias|voltage)\b|^(v|u|voltage|v_?bias|u_?bias|spannung)( calc)?$", re.IGNORECASE
)
_SHIFT = re.compile(r"shift|detuning", re.IGNORECASE)
_ODD = 0.05  # share of a trace's rows that may lie at another bias
_SAME = 0.01  # of the bias
_TURN = 0.05  # of the whole range: a way back is longer than this, noise of a bias that was read back is not
_JUMP = 2  # rows
_FEWEST = 8  # rows of a sweep, on average: less, and the order of the rows is no sweep
_EVEN = 0.01  # of the sample interval


class Swept(Enum):
    """What changed from row to row."""

    BIAS = "bias"
    TIME = "time"
    FREQUENCY = "frequency"
    DELAY = "delay"
    OTHER = "other"


@dataclass(frozen=True, eq=False)
class Rows:
    """What a file is a record of.

    Attributes:
        what: changed from row to row.
        column: that changed, in SI where it is one of `Swept`'s; of a trace the time or the bias that stood still.
        kept: rows that belong to it, shape (n,).
        interval: s between the rows of a trace.
        warnings: about rows that were left out.
    """

    what: Swept
    column: Column
    kept: BoolArray
    interval: float | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Sweep:
    """Rows of one direction: ``forward`` as the first of the file, or the way back."""

    rows: IntArray
    forward: bool
    start: float
    end: float


def rows_of(recording: Recording) -> Rows:
    """What changed from row to row: a bias wherever its column stands, else the first column, else the time.

    Raises:
        FitError: the samples of a trace are not evenly spaced.
    """
    first = recording.columns[0]
    every = np.ones(first.values.size, dtype=bool)
    bias = _bias(recording)
    if bias is not None and not (still := _stands_still(bias.values)).any():
        return Rows(Swept.BIAS, bias, every)
    swept = first if _is_ordered(first) else next((c for c in recording.columns if _is_known(c)), first)
    if _TIME.search(base_name(swept.name)) and unit_factor(swept.unit, "s"):
        return _timed(swept, bias)
    if bias is not None and (swept.name == bias.name or (swept is first and not _is_ordered(first))):
        if _height_is_swept(recording):
            return Rows(Swept.OTHER, bias, every)
        return Rows(Swept.TIME, bias, still, recording.sample_interval, _left_out(bias, still))
    return Rows(_kind(swept), _in_si(swept), every)


def _is_ordered(column: Column) -> bool:
    """Whether its values rise or fall from row to row, but for a few turns."""
    steps = np.sign(np.diff(column.values[np.isfinite(column.values)]))
    return steps.size > 1 and bool(
        np.count_nonzero(steps) > 0.5 * steps.size
        and len(sweeps(column.values)) < _FEWEST
        and np.mean(steps[1:] == steps[:-1]) > 0.7
    )


def _is_known(column: Column) -> bool:
    """Whether it is a time, a frequency or a delay that went up or down in order, wherever it stands."""
    timed = _TIME.search(base_name(column.name)) is not None and unit_factor(column.unit, "s") is not None
    return (timed or _kind(column) is not Swept.OTHER) and _is_ordered(column)


def sweeps(values: FloatArray) -> list[Sweep]:
    """Rows of each sweep, in the order of the file; one of all rows where the values have no order.

    None where there are no numbers.
    A sweep ends where the values turn round by more than a twentieth of their range: noise of values that were read
    back turns by less. Where they jump back within a row or two, the next sweep begins.
    """
    known = _in_order(values)
    if not known.size:
        return []
    ends = _turns(values[known])
    parts = [known[start:end] for start, end in pairwise(ends)]
    parts = [part for part in parts if part.size]
    if known.size / len(parts) < _FEWEST:
        parts = [known]
    falls = [bool(values[part[-1]] < values[part[0]]) for part in parts]
    return [
        Sweep(part, fall == falls[0], float(values[part[0]]), float(values[part[-1]]))
        for part, fall in zip(parts, falls, strict=True)
    ]


def labels(found: list[Sweep]) -> list[str]:
    """Names as "forward", "backward", "forward 2": the first sweep of a file is forward, whichever way it went."""
    counts: dict[str, int] = {}
    names = []
    for sweep in found:
        name = "forward" if sweep.forward else "backward"
        counts[name] = counts.get(name, 0) + 1
        names.append(name if counts[name] == 1 else f"{name} {counts[name]}")
    return names


def _in_order(values: FloatArray) -> IntArray:
    """Rows that are numbers, without single ones far from what stands before and behind them."""
    known = np.flatnonzero(np.isfinite(values))
    if known.size < _FEWEST:
        return known
    inner = values[known]
    middle = np.median([inner[:-2], inner[1:-1], inner[2:]], axis=0)
    odd = np.abs(inner[1:-1] - middle) > _TURN * np.ptp(inner)
    return np.delete(known, 1 + np.flatnonzero(odd)) if np.mean(odd) < _ODD else known


def _turns(values: FloatArray) -> list[int]:
    """Where sweeps begin and end: 0, one past the last row of each, the number of rows."""
    least = _TURN * float(np.ptp(values)) if values.size else 0.0
    turns: list[int] = []
    extreme, direction = 0, 0
    for k, value in enumerate(values.tolist()):
        away = value - values[extreme]
        if direction * away > 0:
            extreme = k
        elif abs(away) > least:
            turns += [extreme] if direction else []
            extreme, direction = k, 1 if away > 0 else -1
    return [0, *_ends(turns, values.size), values.size]


def _ends(turns: list[int], size: int) -> list[int]:
    """From the rows of the turning points to one past the last rows of sweeps; a jump of two rows is no sweep."""
    ends: list[int] = []
    for turn, following in zip(turns, [*turns, size][1:], strict=True):
        if ends and turn - ends[-1] < _JUMP:  # the jump ended here, and the next sweep has begun
            continue
        ends.append(turn + 1 if following - turn > _JUMP else following)
    return ends


def _bias(recording: Recording) -> Column | None:
    """In V: the first of the columns that are named as a bias, the calculated one before one that was read back."""
    named = [c for c in recording.columns if _BIAS.search(base_name(c.name)) and "[" not in c.name]
    named = [c for c in named if unit_factor(c.unit, "V")] or [
        c for c in recording.columns[:1] if unit_factor(c.unit, "V")
    ]
    if not named:
        return None
    varying = [c for c in named if not _stands_still(c.values).any()] or named
    return _in_si(min(varying, key=lambda c: "calc" not in c.name.lower()))


def _stands_still(values: FloatArray) -> BoolArray:
    """Rows at the same value, if all but a few odd ones are; none if they are not."""
    known = values[np.isfinite(values)]
    middle = float(np.median(known)) if known.size else 0.0
    still: BoolArray = np.abs(values - middle) <= _SAME * abs(middle)
    return still if np.mean(still) >= 1 - _ODD else np.zeros(values.size, dtype=bool)


def _height_is_swept(recording: Recording) -> bool:
    """Whether the tip moved steadily, as in a record of current against height."""
    heights = [c.values for c in recording.columns if base_name(c.name).lower() in ("z", "z rel") and "[" not in c.name]
    return any(
        np.ptp(z) > 0 and np.count_nonzero(np.diff(z)) > 0.5 * z.size and len(sweeps(z)) <= 2 and z.size > 1
        for z in heights
    )


def _timed(time: Column, bias: Column | None) -> Rows:
    time = _in_si(time)
    still = np.ones(time.values.size, dtype=bool) if bias is None else _stands_still(bias.values)
    if time.values.size < 2:
        raise FitError(f"{time.name}: one sample is no trace")
    steps = np.diff(time.values)
    interval = float(np.median(steps))
    uneven = int(np.count_nonzero(~(np.abs(steps - interval) <= _EVEN * abs(interval) + 1e-9 * abs(time.values[-1]))))
    if interval <= 0 or uneven:
        raise FitError(
            f"{time.name}: the samples are not evenly spaced ({uneven} of {steps.size} intervals differ from "
            f"{format_quantity(interval, 's')}): no rate can be determined"
        )
    interval = float((time.values[-1] - time.values[0]) / steps.size)
    return Rows(Swept.TIME, time, still, interval, _left_out(bias, still) if bias is not None else ())


def _left_out(bias: Column, still: BoolArray) -> tuple[str, ...]:
    odd = bias.values[~still]
    if not odd.size:
        return ()
    ends = " to ".join(format_quantity(float(end), "V") for end in sorted({odd.min(), odd.max()}))
    at = format_quantity(float(np.median(bias.values)), "V")
    return (f"{odd.size} of {still.size} rows lie at another bias ({ends} instead of {at}), and are left out",)


def _kind(column: Column) -> Swept:
    name = base_name(column.name)
    if unit_factor(column.unit, "Hz") is not None and not _SHIFT.search(name):
        return Swept.FREQUENCY
    return Swept.DELAY if unit_factor(column.unit, "s") is not None and _DELAY.search(name) else Swept.OTHER


def _in_si(column: Column) -> Column:
    for base in ("V", "Hz", "s"):
        if (factor := unit_factor(column.unit, base)) is not None:
            return replace(column, unit=base, values=column.values * factor)
    return column
