"""What every recorded junction says of itself: where it comes from, and what it holds."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from stmlab.errors import OutOfBounds, PhysicsError, SequenceError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from stmlab.arrays import FloatArray
    from stmlab.axes import Axis
    from stmlab.events import ParameterValue
    from stmlab.simulation.junctions import Drive

_ROUNDING = 1e-12  # of a bound: the same number, written or computed in another way
_ON_THE_WIRE = 1e-6  # of a bound: what an instrument was set to, in its own digits
_SAME = 1e-6  # of a parameter that must be the recorded one


@dataclass(frozen=True)
class Range:
    """Over which values of an output or an axis there is a recording; ``source`` names the file and what it is."""

    low: float
    high: float
    unit: str
    source: str

    @classmethod
    def of(cls, values: FloatArray | Sequence[float], unit: str, source: str) -> Range:
        """From the smallest to the largest value, a rounding wider."""
        known = np.asarray(values, dtype=float)
        low, high = float(np.nanmin(known)), float(np.nanmax(known))
        return cls(low - _ROUNDING * abs(low), high + _ROUNDING * abs(high), unit, source)

    def holds(self, value: float) -> bool:
        """Whether ``value`` lies within, but for the digits of an instrument."""
        room = _ON_THE_WIRE * max(abs(self.low), abs(self.high))
        return self.low - room <= value <= self.high + room

    def check(self, name: str, values: FloatArray | Sequence[float] | float) -> None:
        """Raise OutOfBounds for the first of ``values`` outside."""
        for value in np.atleast_1d(np.asarray(values, dtype=float)).ravel().tolist():
            if not self.low <= value <= self.high:
                raise OutOfBounds(name, value, self.low, self.high, self.unit, self.source)


@dataclass(frozen=True)
class Source:
    """Where a recording comes from.

    Attributes:
        path, sha256: of the file.
        what: kind of data in words: "a bias spectrum".
        notes: how it is replayed, and what is not; one sentence each.
        settings: parameters of a sequence that would repeat it, by name; SI.
        sequence: name of the sequence that recorded it; "" for another program's file.
    """

    path: Path
    sha256: str
    what: str
    notes: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    sequence: str = ""

    @property
    def name(self) -> str:
        """Of the file."""
        return self.path.name


def checksum(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class RecordedJunction:
    """Base of the recorded junctions; a Junction.

    Attributes:
        source: where the recording comes from.
        home: bias (V) and current (A) of the recorded setpoint; where it is not known, of a recorded point.
        sequences: that replay this kind, for messages.
    """

    source: Source
    home: tuple[float, float]
    sequences: ClassVar[tuple[str, ...]] = ()

    @property
    def ranges(self) -> Mapping[str, Range | None]:
        """Output (as in the limits of a station) -> where it is recorded; None: anywhere. Others are not recorded."""
        raise NotImplementedError

    @property
    def axes(self) -> Mapping[str, Range]:
        """Axis of a sequence -> where it is recorded."""
        raise NotImplementedError

    @property
    def fixed(self) -> Mapping[str, float]:
        """Parameters of a sequence that must be as they were recorded, beside its outputs; SI."""
        return {}

    def true_values(self, v_dc: float, v_ac: float) -> Mapping[str, float | str]:
        """See Junction: of a recording no truth is known."""
        del v_dc, v_ac
        return {}

    @property
    def reference_conductance(self) -> float:
        """See Junction."""
        raise NotImplementedError

    def static_current(self, voltage: FloatArray, scale: float) -> FloatArray:
        """See Junction."""
        raise NotImplementedError

    def mean_current(self, drive: Drive, scale: float) -> float:
        """See Junction."""
        raise NotImplementedError

    def scale_at(self, bias: float, current: float) -> float | None:
        """Conductance over the reference at a setpoint (V, A) that was recorded; None: as the current at ``bias``."""
        del bias, current
        return None

    def check_output(self, name: str) -> None:
        """Raise SequenceError if this kind of recording holds nothing of an output."""
        if name not in self.ranges:
            raise self._not_recorded(name)

    def check_plan(self, axes: Sequence[Axis], parameters: Mapping[str, ParameterValue]) -> None:
        """Refuse what the recording does not hold, before anything moves.

        Raises:
            SequenceError: an axis that is not recorded, or a parameter other than recorded.
            OutOfBounds: an axis beyond its recorded range.
        """
        for axis in axes:
            if axis.unit and axis.name not in self.axes:
                raise self._not_recorded(axis.name)
            if axis.name in self.axes:
                self.axes[axis.name].check(axis.name, axis.values)
        for name, value in self.fixed.items():
            if name in parameters and not abs(float(parameters[name].value) - value) <= _SAME * abs(value):
                raise SequenceError(
                    f"{name} = {parameters[name].value:g} {parameters[name].unit}: {self.source.path} was recorded "
                    f"with {value:g} {parameters[name].unit}: set {name} to that"
                )

    def largest_current(self, axes: Sequence[Axis], parameters: Mapping[str, ParameterValue]) -> float:
        """That a run with these axes and parameters meets, A; 0 where the recording does not say it."""
        del axes, parameters
        return 0.0

    def warnings(self, parameters: Mapping[str, ParameterValue]) -> tuple[str, ...]:
        """What a fit of a run with these parameters takes for granted and the recording does not hold."""
        del parameters
        return ()

    def check_reading(self, bias: float) -> None:
        """Raise PhysicsError if what the lock-in reads at ``bias`` (V) is not recorded."""

    def __str__(self) -> str:
        return f"{self.source.path} is {self.source.what}"

    def described(self) -> dict[str, Any]:
        """For the record of a run."""
        return {
            "file": str(self.source.path),
            "sha256": self.source.sha256,
            "kind": self.source.what,
            "notes": "; ".join(self.source.notes),
        }

    def _not_recorded(self, name: str) -> SequenceError:
        return SequenceError(
            f"{name} is not recorded: {self.source.path} is {self.source.what}, which {' or '.join(self.sequences)} "
            "replays: choose that sequence, or a recording of this one"
        )

    def _outside(self, name: str, value: float, of: Range) -> PhysicsError:
        return PhysicsError(
            f"{name} = {value:.6g} {of.unit} is not recorded: {of.low:.6g} to {of.high:.6g} {of.unit} is ({of.source})"
        )
