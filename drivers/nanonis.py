"""SPECS/Nanonis STM controller (protocol release R14718), over its binary TCP interface.

It is bias source, tip controller and bias spectroscope of a station in one. Besides bias, setpoint, feedback, current
and height it has parts: ``z`` (Z-controller), ``safe_tip``, ``signals``, ``lockin`` and ``spectroscopy``. Ports are
6501 to 6504; each takes one client. Refusals are the controller's own words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from pymeasure.instruments import Instrument

from drivers.connection import connect
from drivers.nanonis_lockin import LockInModule
from drivers.nanonis_protocol import NanonisLine
from drivers.nanonis_signals import Signals
from drivers.nanonis_spectroscopy import BIAS, BiasSpectroscopy, SweepTiming
from drivers.nanonis_tip import SafeTip, ZController, ZStatus
from stmlab.errors import InstrumentFault, SequenceError
from stmlab.station.instruments import BiasSweep

if TYPE_CHECKING:
    from pymeasure.adapters import Adapter

    from stmlab.arrays import FloatArray

CURRENT = "Current (A)"


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
        adapter: an Adapter, or an address such as ``TCPIP::192.168.0.10::6501::SOCKET``.
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
        self._line = line
        self.z = ZController(line)
        self.safe_tip = SafeTip(line)
        self.signals = Signals(line)
        self.lockin = LockInModule(line, self.signals)
        self.spectroscopy = BiasSpectroscopy(line, self.signals)
        self._lockin_signals = tuple(lockin_signals)
        self._ranges: dict[str, tuple[float, float]] = {}

    # -- bias source -----------------------------------------------------------------------------------------------

    @property
    def bias(self) -> float:
        """V; within the range that is selected."""
        return float(self._line.get("Bias.Get"))

    @bias.setter
    def bias(self, value: float) -> None:
        self._line.ask("Bias.Set", self._within_range("bias", value, BIAS))

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
        return _chosen(*self._line.ask("Bias.RangeGet"))

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
        """Whether the loop regulates; setting returns when it really does, or really does not."""
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
        return float(self._line.get("Current.Get"))

    @property
    def height(self) -> float:
        """Z position, m; grows away from the sample."""
        return self.z.position

    def withdraw(self) -> None:
        """Take the tip back to the upper limit and wait until it is there."""
        self.z.withdraw()

    def is_safe(self) -> bool:
        """Whether SafeTip has not tripped and the tip is not withdrawing."""
        return self.z.status not in (ZStatus.SAFE_TIP, ZStatus.WITHDRAWING)

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
    ) -> BiasSweep:
        """See BiasSpectroscope: one sweep with the loop open; nothing can end it but the controller."""
        x, y = self._lockin_signals
        module = self.spectroscopy
        module.channels = (CURRENT, x, y)
        module.limits = start, stop
        module.points, module.sweeps, module.backward = points, 1, backward
        module.timing = SweepTiming(
            initial_settling=settling, slew_rate=slew, settling=settling, integration=integration
        )
        module.set_advanced(reset_bias=True, z_hold=True, lockin_run=False)
        found = module.start()

        def visited(name: str) -> FloatArray:
            there = found.channel(name)
            return np.concatenate([there, found.channel(name, backward=True)[::-1]]) if backward else there

        bias = np.concatenate([found.bias, found.bias[::-1]]) if backward else found.bias
        return BiasSweep(bias, visited(CURRENT), visited(x), visited(y))

    # -- preamplifier and session ----------------------------------------------------------------------------------

    @property
    def current_gains(self) -> tuple[str, ...]:
        """Gains of the preamplifier that can be selected."""
        names: tuple[str, ...] = self._line.ask("Current.GainsGet")[0]
        return names

    @property
    def current_gain(self) -> str:
        """Selected gain of the preamplifier, one of ``current_gains``."""
        return _chosen(*self._line.ask("Current.GainsGet")[:2])

    @current_gain.setter
    def current_gain(self, name: str) -> None:
        index = self._choice("current_gain", name, self.current_gains)
        self._ranges.clear()
        self._line.ask("Current.GainSet", index, -1)

    @property
    def current_filter(self) -> str:
        """Selected filter of the preamplifier, "" if it has none."""
        return _chosen(*self._line.ask("Current.GainsGet")[2:])

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
        settings: dict[str, Any] = {}
        for part in (self._identity, self._tip_settings, self._safe_tip_settings, self._lockin_settings):
            try:
                settings |= part()
            except InstrumentFault as fault:  # not licensed, or another release
                settings[part.__name__.strip("_")] = str(fault)
        return settings

    def check_status(self) -> None:
        """Raise InstrumentFault if SafeTip has tripped or the current is at the end of the preamplifier's range."""
        if self.z.status is ZStatus.SAFE_TIP:
            raise InstrumentFault(self.name, "SafeTip has tripped: check the tip, then switch feedback on again")
        low, high = self._range(CURRENT)
        if not low < (current := self.current) < high:
            raise InstrumentFault(self.name, f"the current, {current:.4g} A, is at the end of the preamplifier's range")

    def close(self) -> None:
        """Let go of the connection; outputs stay as they are."""
        self.adapter.close()

    def _identity(self) -> dict[str, Any]:
        return {**vars(self.version), "session_path": self.session_path}

    def _tip_settings(self) -> dict[str, Any]:
        gains, (low, high) = self.z.gains, self.z.limits
        return {
            "bias": self.bias,
            "bias_range": self.bias_range,
            "current": self.current,
            "current_gain": self.current_gain,
            "current_filter": self.current_filter,
            "setpoint": self.setpoint,
            "feedback": self.feedback,
            "z_status": self.z.status.name,
            "height": self.height,
            "z_low_limit": low,
            "z_high_limit": high,
            "proportional_gain": gains.proportional,
            "loop_time_constant": gains.time_constant,
            "switch_off_delay": self.z.switch_off_delay,
            "tip_lift": self.z.tip_lift,
        }

    def _safe_tip_settings(self) -> dict[str, Any]:
        return {"safe_tip": self.safe_tip.on, "safe_tip_threshold": self.safe_tip.threshold}

    def _lockin_settings(self) -> dict[str, Any]:
        modulator, demodulator = self.lockin.modulator(1), self.lockin.demodulator(1)
        low_pass = demodulator.low_pass
        return {
            "modulation": modulator.on,
            "modulation_signal": modulator.signal,
            "modulation_amplitude": modulator.amplitude,
            "modulation_frequency": modulator.frequency,
            "demodulated_signal": demodulator.signal,
            "demodulation_harmonic": demodulator.harmonic,
            "demodulation_phase": demodulator.phase,
            "demodulation_low_pass_order": low_pass.order,
            "demodulation_low_pass_cutoff": low_pass.cutoff,
        }

    def _choice(self, what: str, name: str, offered: tuple[str, ...]) -> int:
        if name not in offered:
            raise SequenceError(f"{what} = {name!r} is not offered by {self.name}: {', '.join(offered) or 'nothing'}")
        return offered.index(name)

    def _within_range(self, name: str, value: float, signal: str) -> float:
        low, high = self._range(signal)
        return float(self._line.bounded(name, value, low, high, "V" if signal == BIAS else "A", f"range of {signal}"))

    def _range(self, signal: str) -> tuple[float, float]:
        if signal not in self._ranges:
            self._ranges[signal] = self.signals.range(signal)
        return self._ranges[signal]


def _chosen(names: tuple[str, ...], index: int) -> str:
    return names[index] if 0 <= index < len(names) else ""
