"""What every experiment does with the tip: stabilise at a setpoint, hold, release."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stmlab.errors import SequenceError

if TYPE_CHECKING:
    from stmlab.sequence import Sequence

_READINGS = 10
_TOLERANCE = 0.2  # of the setpoint: what a loop that holds stays within, noise included


def stabilise(sequence: Sequence, bias: float, current: float, seconds: float) -> None:
    """Close the feedback at ``bias`` (V) and ``current`` (A) and wait ``seconds`` for it to hold.

    A bias of the other sign is reached with the tip held, because the loop would drive it in at zero.

    Raises:
        SequenceError: the current is not at the setpoint after that time, or the SafeTip guard has tripped.
    """
    tip, source = sequence.station.tip, sequence.station.bias
    if source.bias * bias < 0:
        tip.feedback = False
    source.bias = bias
    tip.setpoint = current
    tip.feedback = True
    sequence.wait(seconds)
    if not tip.is_safe():
        raise SequenceError("the tip is not safe: SafeTip has tripped or the tip is withdrawn")
    reading = sum(abs(tip.current) for _ in range(_READINGS)) / _READINGS
    if abs(reading - abs(current)) > _TOLERANCE * abs(current):
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
