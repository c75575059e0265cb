"""The Z-controller and SafeTip of a Nanonis controller."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from drivers.nanonis_protocol import UNCHANGED, flag
from stmlab.errors import InstrumentFault, InstrumentLost

if TYPE_CHECKING:
    from drivers.nanonis_protocol import NanonisLine

_ARRIVED = 0.01  # of the range: so close to the upper limit counts as withdrawn


class ZStatus(IntEnum):
    """What the Z-controller is doing."""

    OFF = 1
    ON = 2
    HOLD = 3
    SWITCHING_OFF = 4
    SAFE_TIP = 5  # SafeTip has tripped
    WITHDRAWING = 6


@dataclass(frozen=True)
class LoopGains:
    """Gains of the feedback loop.

    Attributes:
        proportional: m (for a controller on the logarithm of the current).
        time_constant: s.
    """

    proportional: float
    time_constant: float

    @property
    def integral(self) -> float:
        """Proportional gain over time constant, m/s."""
        return self.proportional / self.time_constant


class ZController:
    """The feedback loop and the Z piezo."""

    def __init__(self, line: NanonisLine) -> None:
        self._line = line

    @property
    def status(self) -> ZStatus:
        """What the controller really does (asked of its real-time engine)."""
        number = self._line.get("ZCtrl.StatusGet")
        try:
            return ZStatus(number)
        except ValueError as error:
            raise InstrumentLost(self._line.name, f"garbage: {number} is no status of the Z-controller") from error

    @property
    def regulating(self) -> bool:
        """Whether the loop moves the tip: on, or still averaging its position before it lets go."""
        return self.status in (ZStatus.ON, ZStatus.SWITCHING_OFF)

    def switch_on(self) -> None:
        """Close the loop; returns when it is closed."""
        self._line.ask("ZCtrl.OnOffSet", 1)
        self._line.wait_until(self._is_on, 0.0, "switching the Z-controller on")

    def switch_off(self) -> None:
        """Open the loop; returns when it is open, which takes the switch-off delay."""
        delay = self.switch_off_delay
        self._line.ask("ZCtrl.OnOffSet", 0)
        self._line.wait_until(lambda: not self.regulating, delay, "switching the Z-controller off")

    def withdraw(self) -> None:
        """Take the tip back to the upper limit; returns when it is there."""
        low, high = self.limits
        there = high - _ARRIVED * (high - low)
        duration = max(high - self.position, 0.0) / self.withdraw_rate
        self._line.ask("ZCtrl.Withdraw", 0, -1)  # not waiting: the connection would time out before a slow piezo
        self._line.wait_until(lambda: self._rests() and self.position >= there, duration, "withdrawing")

    @property
    def position(self) -> float:
        """Z, m; grows away from the sample. Can be set while the loop is open, within ``limits``."""
        return float(self._line.get("ZCtrl.ZPosGet"))

    @position.setter
    def position(self, value: float) -> None:
        low, high = self.limits
        self._line.ask("ZCtrl.ZPosSet", self._line.bounded("Z position", value, low, high, "m", "ZCtrl.LimitsGet"))

    @property
    def setpoint(self) -> float:
        """Of the controlled signal, A for the current."""
        return float(self._line.get("ZCtrl.SetpntGet"))

    @setpoint.setter
    def setpoint(self, value: float) -> None:
        self._line.ask("ZCtrl.SetpntSet", value)

    @property
    def gains(self) -> LoopGains:
        """Proportional gain and time constant."""
        proportional, time_constant, _ = self._line.ask("ZCtrl.GainGet")
        return LoopGains(proportional, time_constant)

    @gains.setter
    def gains(self, gains: LoopGains) -> None:
        self._line.bounded("proportional gain", gains.proportional, 0.0, math.inf, "m")
        self._line.bounded("time constant", gains.time_constant, 1e-9, math.inf, "s")
        self._line.ask("ZCtrl.GainSet", gains.proportional, gains.time_constant, gains.integral)

    @property
    def switch_off_delay(self) -> float:
        """Time over which Z is averaged before the loop opens, s."""
        return float(self._line.get("ZCtrl.SwitchOffDelayGet"))

    @switch_off_delay.setter
    def switch_off_delay(self, value: float) -> None:
        self._line.ask("ZCtrl.SwitchOffDelaySet", self._line.bounded("switch-off delay", value, 0.0, math.inf, "s"))

    @property
    def tip_lift(self) -> float:
        """How far the tip is retracted when the loop opens, m (negative: approached)."""
        return float(self._line.get("ZCtrl.TipLiftGet"))

    @tip_lift.setter
    def tip_lift(self, value: float) -> None:
        low, high = self.limits
        reach = high - low
        self._line.ask("ZCtrl.TipLiftSet", self._line.bounded("tip lift", value, -reach, reach, "m", "ZCtrl.LimitsGet"))

    @property
    def withdraw_rate(self) -> float:
        """Speed of ``withdraw``, m/s."""
        return float(self._line.get("ZCtrl.WithdrawRateGet"))

    @withdraw_rate.setter
    def withdraw_rate(self, value: float) -> None:
        self._line.ask("ZCtrl.WithdrawRateSet", self._line.bounded("withdraw rate", value, 1e-12, math.inf, "m/s"))

    @property
    def limits(self) -> tuple[float, float]:
        """Lowest and highest Z, m: the limits that are set, or the piezo's range while they are disabled."""
        high, low = self._line.ask("ZCtrl.LimitsGet")
        return float(low), float(high)

    @property
    def home_position(self) -> tuple[float, bool]:
        """Where ``home`` goes, m, and whether that is relative to where the tip is."""
        relative, position = self._line.ask("ZCtrl.HomePropsGet")
        return float(position), bool(relative)

    def set_home_position(self, position: float, *, relative: bool = False) -> None:
        """Set where ``home`` goes (m)."""
        low, high = self.limits
        reach = high - low
        bounds = (-reach, reach) if relative else (low, high)
        self._line.bounded("home position", position, *bounds, "m", "ZCtrl.LimitsGet")
        self._line.ask("ZCtrl.HomePropsSet", 2 if relative else 1, position)

    def home(self) -> None:
        """Open the loop and move the tip to its home position."""
        self._line.ask("ZCtrl.Home")

    def _is_on(self) -> bool:
        status = self.status
        if status is ZStatus.SAFE_TIP:
            raise InstrumentFault(self._line.name, "SafeTip has tripped: the Z-controller cannot be switched on")
        return status is ZStatus.ON

    def _rests(self) -> bool:
        return self.status in (ZStatus.OFF, ZStatus.HOLD, ZStatus.SAFE_TIP)


class SafeTip:
    """The guard that withdraws the tip when a signal, as a rule the current, exceeds a threshold."""

    def __init__(self, line: NanonisLine) -> None:
        self._line = line

    @property
    def on(self) -> bool:
        """Whether it watches."""
        return bool(self._line.get("SafeTip.OnOffGet"))

    @on.setter
    def on(self, value: bool) -> None:
        self._line.ask("SafeTip.OnOffSet", flag(value))

    @property
    def signal(self) -> float:
        """What it watches, A for the current."""
        return float(self._line.get("SafeTip.SignalGet"))

    @property
    def threshold(self) -> float:
        """Magnitude of the signal beyond which it trips."""
        return float(self._line.ask("SafeTip.PropsGet")[2])

    @property
    def auto_recovery(self) -> bool:
        """Whether the loop closes again some time after a trip."""
        return bool(self._line.ask("SafeTip.PropsGet")[0])

    @property
    def auto_pause(self) -> bool:
        """Whether a trip pauses a scan."""
        return bool(self._line.ask("SafeTip.PropsGet")[1])

    def configure(
        self, threshold: float | None = None, *, auto_recovery: bool | None = None, auto_pause: bool | None = None
    ) -> None:
        """Set what is given and keep the rest; raises InstrumentFault if the controller does not take it."""
        before = self._line.ask("SafeTip.PropsGet")
        wanted = (
            int(bool(before[0] if auto_recovery is None else auto_recovery)),
            int(bool(before[1] if auto_pause is None else auto_pause)),
        )
        if threshold is not None:
            self._line.bounded("SafeTip threshold", threshold, 0.0, math.inf, "A")
        self._line.ask("SafeTip.PropsSet", *wanted, UNCHANGED if threshold is None else threshold)
        # The protocol's documents leave open whether 0 means off or no change here: so what was meant is read back.
        if (taken := self._line.ask("SafeTip.PropsGet"))[:2] != wanted:
            raise InstrumentFault(self._line.name, f"SafeTip keeps recovery and pause at {taken[:2]}, not {wanted}")
