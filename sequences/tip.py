"""What every experiment does with the tip: stabilise at a setpoint, hold, release; and experiments at fixed height."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from stmlab.acquisition.parameters import FloatParameter
from stmlab.acquisition.sequence import Sequence
from stmlab.errors import SequenceError

if TYPE_CHECKING:
    from collections.abc import Mapping

_READINGS = 10
_TOLERANCE = 0.2  # of the setpoint: what a loop that holds stays within, noise included


def stabilise(sequence: Sequence, bias: float, current: float, seconds: float) -> None:
    """Close the feedback at ``bias`` (V) and ``current`` (A) and wait ``seconds`` for it to hold.

    A bias of the other sign is reached with the tip held, because the loop would drive it in at zero.

    Raises:
        TipTripped, TipWithdrawn: the tip is no longer held by the loop.
        SequenceError: the current is not at the setpoint after that time.
    """
    tip, source = sequence.station.tip, sequence.station.bias
    if source.bias * bias < 0:
        tip.feedback = False
    source.bias = bias
    tip.setpoint = current
    tip.feedback = True
    sequence.wait(seconds)
    reading = sum(abs(tip.current) for _ in range(_READINGS)) / _READINGS
    if abs(reading - abs(current)) > _TOLERANCE * abs(current):
        sequence.station.watch.look_at_tip()  # has it tripped, or been withdrawn?
        raise SequenceError(
            f"feedback does not hold the setpoint: {reading:.3g} A after {seconds:g} s, {abs(current):.3g} A is wanted"
        )


def hold(sequence: Sequence, bias: float) -> None:
    """Open the feedback, then go to ``bias`` (V): a spectrum is taken at fixed height."""
    sequence.station.tip.feedback = False
    sequence.station.bias.bias = bias


def release(sequence: Sequence, bias: float) -> None:
    """Back to ``bias`` (V), then close the feedback."""
    sequence.station.bias.bias = bias
    sequence.station.tip.feedback = True


class FixedHeightSequence(Sequence):
    """An experiment with the feedback open, between two times at the setpoint."""

    groups: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "setpoint": ("setpoint_bias", "setpoint_current", "stabilise_time")
    }
    outputs: ClassVar[Mapping[str, str]] = {"setpoint_bias": "bias", "setpoint_current": "setpoint"}

    setpoint_bias = FloatParameter(
        "Setpoint bias", units="V", default=10e-3, minimum=-10, maximum=10, description="bias while feedback is on"
    )
    setpoint_current = FloatParameter(
        "Setpoint current", units="A", default=4e-9, minimum=1e-15, maximum=1e-6, description="while feedback is on"
    )
    stabilise_time = FloatParameter(
        "Stabilising time", units="s", default=1.0, minimum=0, maximum=3600, description="feedback on before the sweep"
    )

    def verify(self) -> None:
        """See Sequence; the feedback can be closed at the setpoint's bias."""
        self.station.check_setpoint(float(self.setpoint_bias))

    def bias_during_sweep(self) -> float:
        """Bias to which the junction goes when the tip has been stabilised, V."""
        raise NotImplementedError

    def quiet(self) -> None:
        """Take away what would disturb the feedback while the tip is stabilised."""

    def stabilise(self) -> None:
        """Feedback on at the setpoint, then off, then the bias of the sweep."""
        stabilise(self, self.setpoint_bias, self.setpoint_current, self.stabilise_time)
        hold(self, self.bias_during_sweep())

    def finish(self) -> None:
        """Quiet, then the setpoint's bias and feedback on."""
        self.quiet()
        release(self, self.setpoint_bias)
