"""Z-controller and SafeTip of the simulated Nanonis controller, acting on the bench."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from stmlab.nanonis.commands import COMMANDS
from stmlab.simulation.nanonis_settings import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from stmlab.simulation.bench import Bench
    from stmlab.simulation.machine import Machine
    from stmlab.simulation.nanonis_current import CurrentModule
    from stmlab.simulation.nanonis_settings import Settings

Z_RANGE = (-160e-9, 160e-9)  # m, of the piezo
CONTROLLERS: Mapping[str, Literal["log", "abs", "signed", "none"]] = MappingProxyType(
    {"log Current": "log", "abs Current": "abs", "Current": "signed", "Frequency Shift": "none"}
)
"""What the loop can be closed on; there is no sensor whose frequency could shift."""

OFF, ON, HOLD, SWITCHING_OFF, SAFE_TIP, WITHDRAWING = range(1, 7)  # what ZCtrl.StatusGet returns
_LAG = 5e-3  # s, that the real-time engine is behind the Z-controller module when the loop is switched off
_RECOVERY = 1.0  # s, from a trip of SafeTip until the loop closes again if it may


class TipModule:
    """What moves the tip and reads the current.

    Two states are kept apart, as in the real controller. The module (``ZCtrl.StatusGet``) believes what it commanded:
    switching off is over when the switch-off delay is. The real-time engine (``ZCtrl.OnOffGet``) is the bench's panel;
    it opens the loop ``_LAG`` later and parks the tip at its mean height over the delay::

        OnOffSet 0 -------- delay --------> module: off
             `-- lag --'-------- delay ---------> loop open, tip parked, tip lift

    Other transitions are begun by a command and finished by ``settle``, which every command and ``live`` call.
    """

    def __init__(self, bench: Bench, settings: Settings, current: CurrentModule, machine: Machine) -> None:
        self._bench, self._settings, self._current, self._machine = bench, settings, current, machine
        self._commanded = bench.tip.feedback
        self._held = False
        self._begin()

    def _begin(self) -> None:
        self._off_at: float | None = None
        self._withdrawn_at: float | None = None
        self._recovers_at: float | None = None
        self._limits = Z_RANGE
        self._limited = False
        self._active = 0

    def handlers(self) -> Mapping[str, Callable[..., Any]]:
        """What carries out which command."""
        return {
            "Current.Get": lambda: (self.current(),),
            "ZCtrl.ZPosSet": self._place,
            "ZCtrl.ZPosGet": lambda: (self._bench.height(),),
            "ZCtrl.OnOffSet": self._switch,
            "ZCtrl.OnOffGet": self._is_on,
            "ZCtrl.SetpntSet": self._set_setpoint,
            "ZCtrl.SetpntGet": lambda: (self._bench.tip.setpoint,),
            "ZCtrl.GainSet": self._set_gains,
            "ZCtrl.GainGet": self._gains,
            "ZCtrl.Home": self._home,
            "ZCtrl.ActiveCtrlSet": self._select_controller,
            "ZCtrl.CtrlListGet": lambda: (tuple(CONTROLLERS), self._active),
            "ZCtrl.Withdraw": self._withdraw,
            "ZCtrl.LimitsEnabledSet": self._enable_limits,
            "ZCtrl.LimitsEnabledGet": lambda: (int(self._limited),),
            "ZCtrl.LimitsSet": self._set_limits,
            "ZCtrl.LimitsGet": lambda: self.z_limits[::-1],
            "ZCtrl.StatusGet": self._status,
            "SafeTip.SignalGet": lambda: (self.current(),),
            "SafeTip.OnOffSet": self._guard,
        }

    # -- for the other modules -------------------------------------------------------------------------------------

    def change(self, **panel: Any) -> None:
        """Live up to now with the panel as it is, then change it, in the name of the client that is served."""
        bench = self._bench
        with bench.lock:
            bench.advance()
            if "feedback" in panel and bench.tip.stuck == ("open" if panel["feedback"] else "closed"):
                panel = {name: value for name, value in panel.items() if name == "opens_at"}
            for name, value in panel.items():
                setattr(bench.tip, name, value)
            if panel.get("feedback"):
                bench.tip.closed_by = self._machine.client
            bench.advance()  # no time: so that a flight recorder sees this state

    @property
    def z_limits(self) -> tuple[float, float]:
        """Lowest and highest Z, m."""
        return self._limits if self._limited else Z_RANGE

    def current(self) -> float:
        """The current as the controller shows it (A); SafeTip sees it too."""
        self.watch()
        return self._current.read()

    def watch(self) -> None:
        """Let SafeTip, if it is on, look at the current: at the largest since the last look, for it looks always."""
        if self._settings["SafeTip.OnOff"]["on"]:
            if self._bench.largest_current() > self._settings["SafeTip.Props"]["threshold"]:
                self.trip()

    def _guard(self, on: int) -> None:
        self._settings.carry_out(COMMANDS["SafeTip.OnOffSet"], (on,))
        self._bench.largest_current()  # what was before is not its business

    @property
    def tripped(self) -> bool:
        """Whether SafeTip has tripped and the loop was not closed since."""
        return self._bench.tip.tripped

    def hold(self) -> None:
        """Open the loop at once, for as long as a pulse or a sweep lasts."""
        self._held = self._bench.tip.feedback and self._bench.tip.opens_at is None
        self.change(feedback=False, opens_at=None)

    def release(self) -> None:
        """Close the loop again, unless somebody has switched it off, withdrawn the tip or SafeTip has tripped."""
        if self._held:
            self._held = False
            self.change(feedback=True)

    def settle(self) -> None:
        """Finish what was begun and is due."""
        now, opens_at = self._bench.clock.now(), self._bench.tip.opens_at
        if opens_at is not None and now >= opens_at:
            self._bench.advance()
        if self._withdrawn_at is not None and now >= self._withdrawn_at:
            self._withdrawn_at = None
        if self._recovers_at is not None and now >= self._recovers_at:
            client, self._machine.client = self._machine.client, "SafeTip's auto-recovery"
            self._close()
            self._machine.client = client

    def power_on(self) -> None:
        """As after switching on: no bias, loop open, tip at the upper limit, nothing modulated, SafeTip off."""
        self._begin()
        self._retract()
        self.change(bias=0.0, tripped=False, controller="log", modulation_on=False)

    # -- Z ---------------------------------------------------------------------------------------------------------

    def _switch(self, on: int) -> None:
        if on > 1:
            raise Refusal(f"Z-controller status = {on} is neither 0 (off) nor 1 (on)")
        if on:
            self._close()
        elif self._held:
            self._held = self._commanded = False  # it stays open
        elif self._bench.tip.feedback and self._bench.tip.opens_at is None:
            self._switch_off()

    def _switch_off(self) -> None:
        """Let the loop open after the switch-off delay; until then nothing changes, so no time is lived through."""
        tip, delay = self._bench.tip, self._settings["ZCtrl.SwitchOffDelay"]["delay"]
        self._commanded = False
        self._off_at = self._bench.clock.now() + delay
        with self._bench.lock:
            tip.switch_off_delay, tip.lift = delay, self._settings["ZCtrl.TipLift"]["lift"]
            tip.opens_at = self._off_at + _LAG

    def _close(self) -> None:
        self.change(feedback=True, withdrawn=False, tripped=False, opens_at=None)
        self._commanded, self._held = True, False
        self._off_at = self._withdrawn_at = self._recovers_at = None
        self.watch()

    def _status(self) -> tuple[int]:
        self._wait_for_news()
        self.watch()
        if self.tripped:
            return (SAFE_TIP,)
        if self._withdrawn_at is not None:
            return (WITHDRAWING,)
        if self._held:
            return (HOLD,)
        if self._off_at is not None and self._bench.clock.now() < self._off_at:
            return (SWITCHING_OFF,)
        return (ON if self._commanded else OFF,)

    def _is_on(self) -> tuple[int]:
        self._wait_for_news()
        return (int(self._bench.tip.feedback and not self._bench.tip.withdrawn),)

    def _wait_for_news(self) -> None:
        """While something is under way, an answer about it waits for the next acquisition period, as all data do."""
        if self._bench.tip.opens_at is not None or self._withdrawn_at is not None:
            self._machine.wait(self._settings["Util.AcqPeriod"]["period"])
            self.settle()

    def _set_setpoint(self, setpoint: float) -> None:
        if setpoint == 0.0 or not abs(setpoint) <= self._current.limit:
            limit = self._current.limit
            raise Refusal(f"setpoint = {setpoint:g} A is out of range, {-limit:g} to {limit:g} A without 0 is allowed")
        self.change(setpoint=setpoint)

    def _set_gains(self, proportional: float, time_constant: float, integral: float) -> None:
        if not proportional > 0.0 or not time_constant > 0.0:
            raise Refusal(f"gains P = {proportional:g} m, T = {time_constant:g} s, I = {integral:g} m/s: not positive")
        self.change(proportional_gain=proportional, loop_time_constant=time_constant)

    def _gains(self) -> tuple[float, float, float]:
        tip = self._bench.tip
        return tip.proportional_gain, tip.loop_time_constant, tip.proportional_gain / tip.loop_time_constant

    def _select_controller(self, index: int) -> None:
        if not 0 <= index < len(CONTROLLERS):
            raise Refusal(f"Z-controller {index} is out of range, 0 to {len(CONTROLLERS) - 1} is allowed")
        if index != self._active and self._bench.tip.feedback:
            raise Refusal("the Z-controller is on: switch it off before selecting another")
        self._active = index
        self.change(controller=tuple(CONTROLLERS.values())[index])

    def _place(self, height: float) -> None:
        low, high = self.z_limits
        if self._bench.tip.feedback:
            raise Refusal("the Z-controller is on: switch it off before moving the tip")
        if not low <= height <= high:
            raise Refusal(f"z = {height:g} m is out of range, {low:g} to {high:g} m is allowed")
        with self._bench.lock:
            self._bench.advance()
            self._bench.move_tip(height)
            self._bench.tip.withdrawn = False
        self.watch()

    def _home(self) -> None:
        home = self._settings["ZCtrl.HomeProps"]
        target = home["position"] + (self._bench.height() if home["relative"] else 0.0)
        self._commanded = self._held = False
        self._off_at = None
        self.change(feedback=False, opens_at=None)
        self._place(target)

    def _withdraw(self, wait: int, timeout: int) -> None:
        duration = self.withdraw()
        if wait:
            patience = duration if timeout < 0 else timeout * 1e-3
            self._machine.wait(min(duration, patience))
            if patience < duration:
                raise Refusal(f"the tip is not withdrawn within {timeout} ms")
            self._withdrawn_at = None

    def withdraw(self) -> float:
        """Begin to withdraw the tip; returns the seconds that it takes."""
        duration = self._retract()
        self._withdrawn_at = self._bench.clock.now() + duration
        return duration

    def _retract(self) -> float:
        """Open the loop and pull the tip to the upper limit; returns the seconds that this takes the piezo.

        The current is gone as soon as the tip has left, so the bench sees it far away from the beginning.
        """
        self._commanded = self._held = False
        self._off_at = None
        self.change(feedback=False, opens_at=None)
        top = self.z_limits[1]
        distance = max(top - self._bench.height(), 0.0)
        self.change(withdrawn=True)  # the bench has taken it back by its own distance before it is put in its place
        self._bench.move_tip(top)
        return float(distance / self._settings["ZCtrl.WithdrawRate"]["rate"])

    def trip(self) -> None:
        """SafeTip trips: the tip is withdrawn, and comes back by itself if auto-recovery is on."""
        regulating = self._bench.tip.feedback or self._held
        self._retract()
        self.change(tripped=True)
        if regulating and self._settings["SafeTip.Props"]["auto_recovery"]:
            self._recovers_at = self._bench.clock.now() + _RECOVERY

    def _enable_limits(self, on: int) -> None:
        if on > 1:
            raise Refusal(f"limit z status = {on} is neither 0 (disabled) nor 1 (enabled)")
        self._limited = bool(on)

    def _set_limits(self, high: float, low: float) -> None:
        if not Z_RANGE[0] <= low < high <= Z_RANGE[1]:
            raise Refusal(f"z limits {low:g} to {high:g} m must rise and lie in {Z_RANGE[0]:g} to {Z_RANGE[1]:g} m")
        if self._limited:  # without effect otherwise, as documented
            self._limits = (low, high)
