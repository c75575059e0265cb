"""What holds the tip: feedback loop, height, and the guards of the controller itself."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol, runtime_checkable

from stmlab.station.instruments.device import Device


class LoopStatus(Enum):
    """What the Z-controller says that it is doing."""

    OFF = "off"
    ON = "on"
    HOLD = "hold"
    SWITCHING_OFF = "switching off"
    TRIPPED = "tripped"
    WITHDRAWING = "withdrawing"


@dataclass(frozen=True)
class Setpoint:
    """Where the loop is closed: bias (V) and current (A, signed where the controller's is)."""

    bias: float
    current: float


@dataclass(frozen=True)
class TipState:
    """Where the tip is and what holds it.

    Attributes:
        loop: whether the loop is closed, as the real-time engine says.
        status: what the Z-controller's module says; the real-time engine may be behind it.
        current: A.
        height: Z, m; grows away from the sample.
        bias: V.
        setpoint: A.
        lower_limit, upper_limit: of Z, m.
        switch_off_delay: Z is averaged over so many seconds before the loop opens.
        tip_lift: the tip is retracted by so much when the loop opens, m.
    """

    loop: bool
    status: LoopStatus
    current: float
    height: float
    bias: float
    setpoint: float
    lower_limit: float
    upper_limit: float
    switch_off_delay: float
    tip_lift: float


@dataclass(frozen=True)
class SafeGuard:
    """The controller's own guard against too much current (SafeTip).

    Attributes:
        on: whether it watches.
        auto_recovery: whether the loop closes again by itself some time after a trip.
        threshold: magnitude of the signal at which it trips, A for the current.
        signal: what it watches, as it reads now.
    """

    on: bool
    auto_recovery: bool
    threshold: float
    signal: float


@dataclass(frozen=True)
class ActiveLoop:
    """Which of its Z-controllers the STM controller uses; the setpoint is a value of that one's signal.

    Attributes:
        name: as the STM controller calls it, such as ``log Current``.
        signal: what it regulates, such as ``Current``.
        logarithmic, absolute: of that; with neither the setpoint must have the sign of the signal.
    """

    name: str
    signal: str
    logarithmic: bool
    absolute: bool

    @property
    def of_current(self) -> bool:
        """Whether it regulates the tunnel current."""
        return "current" in self.signal.lower()

    @property
    def signed(self) -> bool:
        """Whether the sign of the setpoint matters."""
        return not (self.logarithmic or self.absolute)


@runtime_checkable
class TipController(Device, Protocol):
    """What holds the tip: current reading, feedback loop, height."""

    setpoint: float  # A (an output: guarded by limits)
    feedback: bool  # reading back gives what the controller really does
    height_limits: tuple[float, float]  # lowest and highest Z that the controller itself allows, m; read back when set

    @property
    def current(self) -> float:
        """Tunnel current, A."""

    @property
    def height(self) -> float:
        """Z position, m."""

    @property
    def state(self) -> TipState:
        """Where the tip is and what holds it, read now."""

    def is_withdrawn(self, state: TipState) -> bool:
        """Whether the loop is open and the tip is near its upper limit."""

    @property
    def safe_guard(self) -> SafeGuard:
        """The guard against too much current, read now."""

    def set_safe_guard(self, *, on: bool = True, auto_recovery: bool = False, threshold: float | None = None) -> None:
        """Set the guard and read it back; raises ValueNotTaken. ``threshold`` in A, None keeps it."""

    @property
    def active_loop(self) -> ActiveLoop:
        """The Z-controller that is used, read now."""

    def modulation_off(self) -> None:
        """Switch off every modulator of the controller itself, read back."""

    def modulation_is_off(self) -> bool:
        """Whether none of the controller's own modulators modulates, as read back now."""

    def withdraw(self) -> None:
        """Take the tip back and wait until it is there. It works at any bias and trusts no current."""

    def is_safe(self) -> bool:
        """Whether the SafeTip guard has not tripped and the tip is not withdrawing."""
