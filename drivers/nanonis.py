"""SPECS/Nanonis STM controller (protocol release R14718), over its binary TCP interface.

It is bias source, tip controller and bias spectroscope of a station in one. Besides bias, setpoint, feedback, current
and height it has parts: ``z`` (Z-controller), ``safe_tip``, ``signals``, ``lockin`` and ``spectroscopy``. Ports are
6501 to 6504; each takes one client. Refusals are the controller's own words.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from pymeasure.instruments import Instrument

from drivers.connection import connect, reconnect
from drivers.nanonis_lockin import LockInModule
from drivers.nanonis_preview import Preview, Progress
from drivers.nanonis_protocol import RESOLUTION, SINGLE, NanonisLine
from drivers.nanonis_safe_tip import SafeTip
from drivers.nanonis_signals import Signals
from drivers.nanonis_spectroscopy import BIAS, BiasSpectroscopy, SweepTiming
from drivers.nanonis_tip import ZController, is_near_top
from drivers.nanonis_watch import BY_TURNS, CURRENT, TRIPPED, WATCHED, Watch, overload_of, snapshot
from drivers.resolution import agrees
from stmlab.errors import GarbledAnswer, InstrumentFault, SequenceError, TipTripped
from stmlab.station.instruments import BiasSweep, Look, LoopStatus, TipState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from pymeasure.adapters import Adapter

    from stmlab.arrays import FloatArray
    from stmlab.station.instruments import ActiveLoop, SafeGuard, Value


@dataclass(frozen=True)
class Version:
    """What the controller runs."""

    product: str
    version: str
    host_release: int
    real_time_release: int


class Nanonis(Instrument):
    """The controller.

    Args:
        adapter: an Adapter, or an address such as ``TCPIP::192.0.2.10::6501::SOCKET``.
        name: in errors and files.
        timeout: seconds for what takes the controller no time of its own.
        lockin_signals: names of the signals that carry a lock-in amplifier's X and Y, calibrated in V rms.

    Attributes:
        z: the feedback loop and the Z piezo.
        safe_tip: the guard against too much current.
        signals: every input, output and internal channel by name.
        lockin: modulators and demodulators.
        spectroscopy: sweeps of the bias by the controller itself.

    Raises:
        InstrumentLost: nothing answers at the address.
    """

    __getattribute__ = object.__getattribute__  # see drivers.questions
    WATCHED, BY_TURNS = WATCHED, BY_TURNS

    def __init__(
        self,
        adapter: str | Adapter,
        name: str = "Nanonis",
        timeout: float = 2.0,
        lockin_signals: tuple[str, str] = ("LockIn X (V)", "LockIn Y (V)"),
    ) -> None:
        connection = connect(adapter, timeout=timeout)
        super().__init__(connection, name, includeSCPI=False)
        line = NanonisLine(connection, name, timeout)
        self._line: NanonisLine = line
        self.z = ZController(line)
        self.safe_tip = SafeTip(line)
        self.signals = Signals(line)
        self.lockin = LockInModule(line, self.signals)
        self.spectroscopy = BiasSpectroscopy(line, self.signals)
        self._lockin_signals = tuple(lockin_signals)
        self._ranges: dict[str, tuple[float, float]] = {}
        self._preview: Preview | None = None
        self._watch = Watch(self, lambda: self._range(CURRENT))

    # -- bias source -----------------------------------------------------------------------------------------------

    @property
    def bias(self) -> float:
        """V; within the range that is selected."""
        return self._line.number("Bias.Get")

    @bias.setter
    def bias(self, value: float) -> None:
        self._line.ask("Bias.Set", self._within_range("bias", value, BIAS))
        self._line.confirm("bias", value, self.bias, "V")

    @property
    def bias_limits(self) -> tuple[float, float]:
        """Lowest and highest bias of the range that is selected, V."""
        return self.signals.range(BIAS)

    def bias_pulse(self, width: float, value: float, *, relative: bool = False, hold: bool = True) -> None:
        """Set the bias to ``value`` (V) for ``width`` (s) and back; returns afterwards.

        Args:
            width: s.
            value: V, absolute or relative to the bias.
            relative: which.
            hold: open the loop meanwhile.
        """
        self._line.bounded("pulse width", width, 1e-9, 3600.0, "s")
        self._within_range("pulse bias", value + (self.bias if relative else 0.0), BIAS)
        self._line.ask("Bias.Pulse", 1, width, value, 1 if hold else 2, 1 if relative else 2, takes=width)

    @property
    def bias_ranges(self) -> tuple[str, ...]:
        """Ranges of the bias that can be selected, none if there is only one."""
        names: tuple[str, ...] = self._line.ask("Bias.RangeGet")[0]
        return names

    @property
    def bias_range(self) -> str:
        """Selected range of the bias, one of ``bias_ranges``."""
        return self._chosen("Bias.RangeGet", *self._line.ask("Bias.RangeGet"))

    @bias_range.setter
    def bias_range(self, name: str) -> None:
        index = self._choice("bias_range", name, self.bias_ranges)
        self._ranges.clear()
        self._line.ask("Bias.RangeSet", index)

    # -- tip controller --------------------------------------------------------------------------------------------

    @property
    def setpoint(self) -> float:
        """Of the current, A; within the range of the preamplifier."""
        return self.z.setpoint

    @setpoint.setter
    def setpoint(self, value: float) -> None:
        self.z.setpoint = self._within_range("setpoint", value, CURRENT)

    @property
    def feedback(self) -> bool:
        """Whether the loop regulates, as the real-time engine says; setting returns when it does, or does not."""
        return self.z.regulating

    @feedback.setter
    def feedback(self, on: bool) -> None:
        if on:
            self.z.switch_on()
        else:
            self.z.switch_off()

    @property
    def current(self) -> float:
        """Tunnel current, A."""
        return self._line.number("Current.Get")

    @property
    def height(self) -> float:
        """Z position, m; grows away from the sample."""
        return self.z.position

    @property
    def state(self) -> TipState:
        """See TipController; what tells of a trip or a withdrawal is asked last, the status after all else."""
        lower, upper = self.z.limits
        return TipState(
            lower_limit=lower,
            upper_limit=upper,
            switch_off_delay=self.z.switch_off_delay,
            tip_lift=self.z.tip_lift,
            bias=self.bias,
            setpoint=self.setpoint,
            current=self.current,
            height=self.height,
            loop=self.feedback,
            status=self.z.status,
        )

    def is_withdrawn(self, state: TipState) -> bool:
        """See TipController."""
        return not state.loop and is_near_top(state.height, state.lower_limit, state.upper_limit)

    @property
    def safe_guard(self) -> SafeGuard:
        """SafeTip, read now."""
        return self.safe_tip.state

    def set_safe_guard(self, *, on: bool = True, auto_recovery: bool = False, threshold: float | None = None) -> None:
        """See TipController."""
        self.safe_tip.configure(threshold, auto_recovery=auto_recovery)
        self.safe_tip.on = on

    @property
    def active_loop(self) -> ActiveLoop:
        """The Z-controller that is used, read now."""
        return self.z.active_loop

    @property
    def height_limits(self) -> tuple[float, float]:
        """Lowest and highest Z, m; setting enables them and reads them back."""
        return self.z.limits

    @height_limits.setter
    def height_limits(self, limits: tuple[float, float]) -> None:
        self.z.limits = limits

    def modulation_off(self) -> None:
        """Switch off every modulator of the controller's own lock-in, read back."""
        self.lockin.off()

    def modulation_is_off(self) -> bool:
        """Whether no modulator of the controller's own lock-in modulates, as read now."""
        return self.lockin.is_off()

    @property
    def modulation(self) -> bool:
        """Whether any of them modulates."""
        return not self.lockin.is_off()

    def withdraw(self) -> None:
        """Take the tip back to the upper limit and wait until it is there."""
        self.z.withdraw()

    def is_safe(self) -> bool:
        """Whether SafeTip has not tripped and the tip is not withdrawing."""
        return self.z.status not in (LoopStatus.TRIPPED, LoopStatus.WITHDRAWING)

    # -- bias spectroscopy -----------------------------------------------------------------------------------------

    def sweep_bias(
        self,
        start: float,
        stop: float,
        points: int,
        *,
        settling: float,
        integration: float,
        slew: float,
        backward: bool,
        tell: Callable[[BiasSweep], None] | None = None,
    ) -> BiasSweep:
        """See BiasSpectroscope: one sweep with the loop open; nothing can end it but the controller.

        Raises:
            TipTripped: SafeTip has ended it.
        """
        x, y = self._lockin_signals
        module = self.spectroscopy
        module.channels = (CURRENT, x, y)
        module.limits = start, stop
        module.points, module.sweeps, module.backward = points, 1, backward
        module.timing = SweepTiming(
            initial_settling=settling, slew_rate=slew, settling=settling, integration=integration
        )
        module.set_advanced(reset_bias=True, z_hold=True, lockin_run=False)
        try:
            with self._seen(start, stop, points, tell, backward=backward):
                found = module.start()
        except InstrumentFault as fault:
            if self.z.status is LoopStatus.TRIPPED:
                raise TipTripped(self.name, f"{TRIPPED} ({fault})") from fault
            raise
        for name in (CURRENT, x, y):
            if name not in found.channels or not np.isfinite(found.channel(name)).all():
                raise GarbledAnswer(self.name, "BiasSpectr.Start", found.channels, f"{name} is missing or not finite")

        def visited(name: str) -> FloatArray:
            there = found.channel(name)
            return np.concatenate([there, found.channel(name, backward=True)[::-1]]) if backward else there

        bias = np.concatenate([found.bias, found.bias[::-1]]) if backward else found.bias
        return BiasSweep(bias, visited(CURRENT), visited(x), visited(y))

    def look_on_at(self, address: str) -> None:
        """Let sweeps be seen through another port before they have ended."""
        line = self._line
        self._preview = Preview(address, line.name, line.timeout, CURRENT, self._lockin_signals)

    def _seen(
        self, start: float, stop: float, points: int, tell: Callable[[BiasSweep], None] | None, *, backward: bool
    ) -> AbstractContextManager[None]:
        """While the context lasts, a sweep is told as far as it is, if somebody wants to hear and can look on."""
        if self._preview is None or tell is None:
            return nullcontext()
        progress = Progress(start, stop, points, self.spectroscopy.duration(), backward=backward)
        return self._preview.during(progress, tell)

    # -- preamplifier and session ----------------------------------------------------------------------------------

    @property
    def current_gains(self) -> tuple[str, ...]:
        """Gains of the preamplifier that can be selected."""
        names: tuple[str, ...] = self._line.ask("Current.GainsGet")[0]
        return names

    @property
    def current_gain(self) -> str:
        """Selected gain of the preamplifier, one of ``current_gains``."""
        return self._chosen("Current.GainsGet", *self._line.ask("Current.GainsGet")[:2])

    @current_gain.setter
    def current_gain(self, name: str) -> None:
        index = self._choice("current_gain", name, self.current_gains)
        self._ranges.clear()
        self._line.ask("Current.GainSet", index, -1)

    @property
    def current_filter(self) -> str:
        """Selected filter of the preamplifier, "" if it has none."""
        return self._chosen("Current.GainsGet", *self._line.ask("Current.GainsGet")[2:])

    @property
    def session_path(self) -> str:
        """Folder into which the controller's own software saves."""
        return str(self._line.get("Util.SessionPathGet"))

    @session_path.setter
    def session_path(self, path: str) -> None:
        self._line.ask("Util.SessionPathSet", path, 0)

    @property
    def version(self) -> Version:
        """Of the controller's software."""
        return Version(*self._line.ask("Util.VersionGet"))

    # -- every device ----------------------------------------------------------------------------------------------

    def snapshot(self) -> dict[str, Any]:
        """Every setting worth keeping beside data; of a part that this controller does not have, what it says."""
        return snapshot(self)

    def check_status(self) -> None:
        """See Device.

        Raises:
            TipTripped: SafeTip has tripped.
            InstrumentFault: the current is at the end of the preamplifier's range.
        """
        if self.z.status is LoopStatus.TRIPPED:
            raise TipTripped(self.name, TRIPPED)
        if overload := overload_of(self.current, self._range(CURRENT)):
            raise InstrumentFault(self.name, overload)

    def look(self, due: Sequence[str] = ()) -> Look:
        """See Device; bias, current and height are of the acquisition period that ended last."""
        return self._watch.look(due)

    def agrees(self, name: str, wanted: Value, read: Value) -> bool:
        """See Device."""
        return agrees(RESOLUTION, name, wanted, read, SINGLE)

    def reconnect(self) -> None:
        """See Device; what was known of the controller is asked anew."""
        reconnect(self.adapter)
        self.signals.forget()
        self.lockin.forget()
        self._ranges.clear()

    def close(self) -> None:
        """Let go of the connection; outputs stay as they are."""
        self.adapter.close()

    def _choice(self, what: str, name: str, offered: tuple[str, ...]) -> int:
        if name not in offered:
            raise SequenceError(f"{what} = {name!r} is not offered by {self.name}: {', '.join(offered) or 'nothing'}")
        return offered.index(name)

    def _chosen(self, command: str, names: tuple[str, ...], index: int) -> str:
        """The selected one of several, "" if there is no choice."""
        return str(self._line.item(command, names, index)) if names else ""

    def _within_range(self, name: str, value: float, signal: str) -> float:
        low, high = self._range(signal)
        return float(self._line.bounded(name, value, low, high, "V" if signal == BIAS else "A", f"range of {signal}"))

    def _range(self, signal: str) -> tuple[float, float]:
        if signal not in self._ranges:
            self._ranges[signal] = self.signals.range(signal)
        return self._ranges[signal]
