"""What really happened at the junction: every closing of the feedback loop, and the extremes.

The recorder sees the physics of the simulated microscope, never what an instrument reports, so it can judge a program
that was told lies. It is off until ``SimulatedMicroscope.record()`` switches it on; then ``closings`` and ``extremes``
grow with each piece of time that is lived through. ``as_dict`` is what the control port sends (see ``control``).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from stmlab.simulation.bench import TipPanel


@dataclass(frozen=True)
class TrueState:
    """The junction and its outputs as they are; SI units.

    Attributes:
        time: on the microscope's clock, s.
        bias: DC at the junction, lock-in's offset included, V.
        setpoint: A.
        loop_closed: whether the loop moves the tip now (a loop that is being switched off still does).
        current: through the junction without noise, A; with a chopped microwave the larger of both levels.
        conductance: magnitude of current without microwave over bias, S; below 0.1 mV it is taken at 0.1 mV.
        height: Z of the tip, m; grows away from the sample.
        rf_on: whether a microwave leaves the generator.
        rf_amplitude: of it, V peak at the generator's connector; 0 while it is off.
        modulation: sum of the peak amplitudes of all sines on the bias, V at the junction.
        tripped: SafeTip has tripped and the loop was not closed since.
        withdrawn: the tip is withdrawn, far from the surface.
    """

    time: float
    bias: float
    setpoint: float
    loop_closed: bool
    current: float
    conductance: float
    height: float
    rf_on: bool
    rf_amplitude: float
    modulation: float
    tripped: bool
    withdrawn: bool


@dataclass(frozen=True)
class Closing:
    """The loop was closed.

    Attributes:
        client: who did it: ``nanonis:6501 from 127.0.0.1:40312``, ``simulation:nanonis`` in process, or the
            controller itself (``SafeTip's auto-recovery``, ``bias spectroscopy`` and ``bias pulse`` after a hold carry
            the client that started them).
        state: at that moment, before the loop moves the tip.
        after_trip: SafeTip had tripped since the loop was last closed.
        after_withdrawal: the tip had been withdrawn since the loop was last closed.
    """

    client: str
    state: TrueState
    after_trip: bool
    after_withdrawal: bool


@dataclass
class Extremes:
    """The largest and least since the recorder was switched on or cleared; None: nothing seen yet.

    Attributes:
        conductance: largest conductance as in TrueState, S.
        current: largest magnitude of the true current, A.
        bias: largest magnitude of the DC bias, V.
        voltage: largest sum of DC bias, modulation and microwave at the junction, V.
        least_bias_closed: least magnitude of the DC bias while the loop was closed, V.
    """

    conductance: float | None = None
    current: float | None = None
    bias: float | None = None
    voltage: float | None = None
    least_bias_closed: float | None = None


class FlightRecorder:
    """Closings and extremes, in the order in which they happened.

    Args:
        closed: whether the loop is closed when the recorder is switched on; that is no closing.
    """

    def __init__(self, *, closed: bool = False) -> None:
        self.closings: list[Closing] = []
        self.extremes = Extremes()
        self._closed = closed
        self._tripped = self._withdrawn = False

    def clear(self) -> None:
        """Forget everything and go on."""
        self.closings = []
        self.extremes = Extremes()

    def as_dict(self) -> dict[str, Any]:
        """For JSON: ``{"closings": [...], "extremes": {...}}``, nested like the dataclasses."""
        return {"closings": [asdict(closing) for closing in self.closings], "extremes": asdict(self.extremes)}

    # -- for the microscope ----------------------------------------------------------------------------------------

    def notice(self, panel: TipPanel, state: Callable[[], TrueState]) -> None:
        """The tip's panel may have changed; ``state`` is asked if the loop was closed."""
        closed = panel.feedback and not panel.withdrawn
        self._tripped |= panel.tripped
        self._withdrawn |= panel.withdrawn
        if closed and not self._closed:
            self.closings.append(Closing(panel.closed_by, state(), self._tripped, self._withdrawn))
            self._tripped = self._withdrawn = False
        self._closed = closed

    def lived(self, *, conductance: float, current: float, bias: float, voltage: float, closed: bool) -> None:
        """A stretch of time went by like this (magnitudes)."""
        extremes = self.extremes
        extremes.conductance = _larger(extremes.conductance, conductance)
        extremes.current = _larger(extremes.current, current)
        extremes.bias = _larger(extremes.bias, bias)
        extremes.voltage = _larger(extremes.voltage, voltage)
        if closed and (extremes.least_bias_closed is None or bias < extremes.least_bias_closed):
            extremes.least_bias_closed = bias


def _larger(kept: float | None, value: float) -> float:
    return value if kept is None or value > kept else kept
