"""What a chopped experiment records: the change of the mean current by a fast drive, and the setpoint it was taken at.

The current without the drive is not in such a recording: a resistor of the setpoint's conductance stands for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stmlab.errors import PhysicsError
from stmlab.simulation.replay.recorded import Range, RecordedJunction

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray
    from stmlab.simulation.junctions import Drive

UNKNOWN_HOME = (10e-3, 1e-9)
"""Bias (V) and current (A) that stand for a setpoint that a file does not say."""


class RecordedChange(RecordedJunction):
    """Base of the recordings of a change of the current.

    Attributes:
        stabilised: whether ``home`` is the recorded setpoint; if not, any will do.
    """

    stabilised: bool

    @property
    def held(self) -> dict[str, Range | None]:
        """Ranges of the setpoint: where it is known the change is that of this height alone."""
        volts, amperes = self.home
        if not self.stabilised:
            return {"setpoint_bias": None, "setpoint": None}
        path = self.source.path
        return {
            "setpoint_bias": Range.of([volts], "V", f"{path}: its setpoint's bias"),
            "setpoint": Range.of([amperes], "A", f"{path}: its setpoint"),
        }

    @property
    def reference_conductance(self) -> float:
        """See Junction."""
        return abs(self.home[1] / self.home[0])

    def scale_at(self, bias: float, current: float) -> float | None:
        """See RecordedJunction."""
        return abs(current / bias) / self.reference_conductance

    def static_current(self, voltage: FloatArray, scale: float) -> FloatArray:
        """See Junction."""
        current: FloatArray = scale * self.reference_conductance * voltage
        return current

    def mean_current(self, drive: Drive, scale: float) -> float:
        """See Junction."""
        return float(self.static_current(drive.voltage, scale).mean()) + self.change(drive)

    def change(self, drive: Drive) -> float:
        """Of the mean current by the drive, as recorded, A.

        Raises:
            PhysicsError: the drive is none that was recorded.
        """
        raise NotImplementedError


def refuse_unlike(name: str, value: float, unit: str, recorded: FloatArray, resolution: float, path: object) -> None:
    """Raise PhysicsError for a drive beyond what was recorded by more than the ``resolution``."""
    low, high = float(recorded.min()), float(recorded.max())
    if not low - resolution <= value <= high + resolution:
        raise PhysicsError(
            f"{name} = {value:.6g} {unit} arrives at the junction: {low:.6g} to {high:.6g} {unit} is recorded ({path})"
        )
