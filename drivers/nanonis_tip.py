"""The Z-controller of a Nanonis controller."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from stmlab.errors import GarbledAnswer, InstrumentFault, TipTripped, TipWithdrawn
from stmlab.station.instruments import ActiveLoop, LoopStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drivers.nanonis_protocol import NanonisLine

_ARRIVED = 0.01  # of the range: so close to the upper limit counts as withdrawn
_TRIP_STANDS = 0.1  # s; an old trip may still be shown when the loop is just being closed

_STATUS: Mapping[int, LoopStatus] = MappingProxyType(
    {
        1: LoopStatus.OFF,
        2: LoopStatus.ON,
        3: LoopStatus.HOLD,
        4: LoopStatus.SWITCHING_OFF,
        5: LoopStatus.TRIPPED,
        6: LoopStatus.WITHDRAWING,
    }
)
_LOGARITHM = re.compile(r"\blog(arithmic)?\b", re.IGNORECASE)
_ABSOLUTE = re.compile(r"\babs(olute)?\b", re.IGNORECASE)


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
    def status(self) -> LoopStatus:
        """What the module says that it does; the real-time engine may be behind it (``regulating``)."""
        return _STATUS[self._line.whole("ZCtrl.StatusGet", low=min(_STATUS), high=max(_STATUS))]

    @property
    def regulating(self) -> bool:
        """Whether the loop moves the tip, as the real-time engine says: on, or averaging before it lets go."""
        return self._line.switch("ZCtrl.OnOffGet")

    def switch_on(self) -> None:
        """Close the loop; returns when it is closed.

        Raises:
            TipTripped: SafeTip keeps it open.
            TipWithdrawn: the tip is at the upper limit, and the loop open.
        """
        self._line.ask("ZCtrl.OnOffSet", 1)
        asked = self._line.monotonic()

        def is_on() -> bool:
            regulating, status = self.regulating, self.status
            if not regulating and status is LoopStatus.TRIPPED and self._line.monotonic() > asked + _TRIP_STANDS:
                raise TipTripped(self._line.name, "SafeTip has tripped: the Z-controller cannot be switched on")
            return regulating and status is LoopStatus.ON

        try:
            self._line.wait_until(is_on, 0.0, "switching the Z-controller on")
        except TipTripped:
            raise
        except InstrumentFault as fault:
            low, high = self.limits
            if is_near_top(self.position, low, high):
                raise TipWithdrawn(self._line.name, f"{fault}: the tip has been withdrawn") from fault
            raise

    def switch_off(self) -> None:
        """Open the loop; returns when it is open, which takes the switch-off delay.

        One answer alone is not believed: the module must say so too, and the real-time engine once more after it.
        """
        self._line.ask("ZCtrl.OnOffSet", 0)
        if not self._is_open():
            self._line.wait_until(self._is_open, self.switch_off_delay, "switching the Z-controller off")

    def withdraw(self) -> None:
        """Take the tip back to the upper limit; returns when it is there. Nothing is asked before it moves."""
        self._line.ask("ZCtrl.Withdraw", 0, -1)  # not waiting: the connection would time out before a slow piezo
        low, high = self.limits
        duration = max(high - self.position, 0.0) / self.withdraw_rate
        self._line.wait_until(lambda: self._rests() and is_near_top(self.position, low, high), duration, "withdrawing")

    @property
    def active_loop(self) -> ActiveLoop:
        """Which of the Z-controllers is used."""
        names, index = self._line.ask("ZCtrl.CtrlListGet")
        name = str(self._line.item("ZCtrl.CtrlListGet", names, index))
        signal = _ABSOLUTE.sub("", _LOGARITHM.sub("", name)).strip(" ()[]")
        return ActiveLoop(
            name,
            signal,
            logarithmic=_LOGARITHM.search(name) is not None,
            absolute=_ABSOLUTE.search(name) is not None,
        )

    @property
    def position(self) -> float:
        """Z, m; grows away from the sample. Can be set while the loop is open, within ``limits``."""
        return self._line.number("ZCtrl.ZPosGet")

    @position.setter
    def position(self, value: float) -> None:
        low, high = self.limits
        self._line.ask("ZCtrl.ZPosSet", self._line.bounded("Z position", value, low, high, "m", "ZCtrl.LimitsGet"))

    @property
    def setpoint(self) -> float:
        """Of the controlled signal, A for the current."""
        return self._line.number("ZCtrl.SetpntGet")

    @setpoint.setter
    def setpoint(self, value: float) -> None:
        self._line.ask("ZCtrl.SetpntSet", value)
        self._line.confirm("setpoint", value, self.setpoint, "A")

    @property
    def gains(self) -> LoopGains:
        """Proportional gain and time constant."""
        proportional, time_constant, _ = self._line.ask("ZCtrl.GainGet")
        if not time_constant > 0.0:
            raise GarbledAnswer(self._line.name, "ZCtrl.GainGet", time_constant, "a time constant is positive")
        return LoopGains(
            self._line.checked("ZCtrl.GainGet", proportional), self._line.checked("ZCtrl.GainGet", time_constant)
        )

    @gains.setter
    def gains(self, gains: LoopGains) -> None:
        self._line.bounded("proportional gain", gains.proportional, 0.0, math.inf, "m")
        self._line.bounded("time constant", gains.time_constant, 1e-9, math.inf, "s")
        self._line.ask("ZCtrl.GainSet", gains.proportional, gains.time_constant, gains.integral)

    @property
    def switch_off_delay(self) -> float:
        """Time over which Z is averaged before the loop opens, s."""
        return self._line.number("ZCtrl.SwitchOffDelayGet", low=0.0)

    @switch_off_delay.setter
    def switch_off_delay(self, value: float) -> None:
        self._line.ask("ZCtrl.SwitchOffDelaySet", self._line.bounded("switch-off delay", value, 0.0, math.inf, "s"))
        self._line.confirm("switch_off_delay", value, self.switch_off_delay, "s")

    @property
    def tip_lift(self) -> float:
        """How far the tip is retracted when the loop opens, m (negative: approached)."""
        return self._line.number("ZCtrl.TipLiftGet")

    @tip_lift.setter
    def tip_lift(self, value: float) -> None:
        low, high = self.limits
        reach = high - low
        self._line.ask("ZCtrl.TipLiftSet", self._line.bounded("tip lift", value, -reach, reach, "m", "ZCtrl.LimitsGet"))
        self._line.confirm("tip_lift", value, self.tip_lift, "m")

    @property
    def withdraw_rate(self) -> float:
        """Speed of ``withdraw``, m/s."""
        rate = self._line.number("ZCtrl.WithdrawRateGet", low=0.0)
        if not rate:
            raise GarbledAnswer(self._line.name, "ZCtrl.WithdrawRateGet", rate, "a rate is positive")
        return rate

    @withdraw_rate.setter
    def withdraw_rate(self, value: float) -> None:
        self._line.ask("ZCtrl.WithdrawRateSet", self._line.bounded("withdraw rate", value, 1e-12, math.inf, "m/s"))

    @property
    def limits(self) -> tuple[float, float]:
        """Lowest and highest Z, m: the limits that are set, or the piezo's range while they are disabled."""
        high, low = (self._line.checked("ZCtrl.LimitsGet", end) for end in self._line.ask("ZCtrl.LimitsGet"))
        if not low < high:
            raise GarbledAnswer(self._line.name, "ZCtrl.LimitsGet", (high, low), "an empty range")
        return float(low), float(high)

    @limits.setter
    def limits(self, limits: tuple[float, float]) -> None:
        low, high = limits
        self._line.bounded("lower Z limit", low, -math.inf, high, "m")
        self._line.ask("ZCtrl.LimitsEnabledSet", 1)  # limits that are set while they are disabled have no effect
        self._line.ask("ZCtrl.LimitsSet", high, low)
        self._line.confirm("Z limits enabled", True, self.limited)
        for name, wanted, read in zip(("lower Z limit", "upper Z limit"), limits, self.limits, strict=True):
            self._line.confirm(name, wanted, read, "m")

    @property
    def upper_limit(self) -> float:
        """Highest Z, m."""
        return self.limits[1]

    @property
    def limited(self) -> bool:
        """Whether the limits that were set hold."""
        return self._line.switch("ZCtrl.LimitsEnabledGet")

    @property
    def home_position(self) -> tuple[float, bool]:
        """Where ``home`` goes, m, and whether that is relative to where the tip is."""
        relative, position = self._line.ask("ZCtrl.HomePropsGet")
        return self._line.checked("ZCtrl.HomePropsGet", position), bool(
            self._line.checked("ZCtrl.HomePropsGet", relative, 0, 1)
        )

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

    def _is_open(self) -> bool:
        return not self.regulating and self._rests() and not self.regulating

    def _rests(self) -> bool:
        return self.status in (LoopStatus.OFF, LoopStatus.HOLD, LoopStatus.TRIPPED)


def is_near_top(height: float, low: float, high: float) -> bool:
    """Whether a tip at ``height`` is where a withdrawn one is, for these limits of Z (m)."""
    return height >= high - _ARRIVED * (high - low)
