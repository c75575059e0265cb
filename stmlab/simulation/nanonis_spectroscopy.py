"""Bias spectroscopy of the simulated Nanonis controller: a sweep in the bench's time.

A Start answers when the sweep is done, whether or not it returns data. Meanwhile other connections ask for its status
and end it: then the points that it has not measured are NaN, in sweeps that are averaged in all that were not finished.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.nanonis.commands import COMMANDS
from stmlab.simulation.nanonis_settings import Refusal
from stmlab.simulation.nanonis_signals import NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from stmlab.arrays import FloatArray
    from stmlab.simulation.bench import Bench
    from stmlab.simulation.machine import Machine
    from stmlab.simulation.nanonis_bias import BiasModule
    from stmlab.simulation.nanonis_settings import Settings
    from stmlab.simulation.nanonis_signals import SignalModule
    from stmlab.simulation.nanonis_tip import TipModule

_READINGS = 4  # that are averaged over the integration time of a point


@dataclass(frozen=True)
class _Point:
    """One point of a sweep: bias (V) and times (s)."""

    bias: float
    initial: float
    settling: float
    integration: float


class _Stopped(Exception):
    """The sweep was stopped from another connection."""


class SpectroscopyModule:
    """Sweeps the bias and reads signals."""

    def __init__(
        self,
        bench: Bench,
        settings: Settings,
        tip: TipModule,
        bias: BiasModule,
        signals: SignalModule,
        machine: Machine,
    ) -> None:
        self._bench, self._settings, self._machine = bench, settings, machine
        self._tip, self._bias, self._signals = tip, bias, signals
        self._channels: tuple[int, ...] = (0,)
        self._running = self._stopping = False

    def handlers(self) -> Mapping[str, Callable[..., Any]]:
        """What carries out which command."""
        return {
            "BiasSpectr.Open": lambda: (),
            "BiasSpectr.Start": self._start,
            "BiasSpectr.Stop": self._stop,
            "BiasSpectr.StatusGet": lambda: (int(self._running),),
            "BiasSpectr.ChsSet": self._select_channels,
            "BiasSpectr.ChsGet": lambda: (self._channels, tuple(NAMES[index] for index in self._channels)),
            "BiasSpectr.PropsSet": self._set_properties,
            "BiasSpectr.MLSModeSet": self._set_mode,
        }

    def power_on(self) -> None:
        """As after switching on: what runs is ended."""
        self._stop()
        self._channels = (0,)

    def _stop(self) -> None:
        self._stopping = self._running
        self._machine.wake()

    def _wait(self, seconds: float) -> None:
        """Let time pass within a sweep, and end the sweep if it was stopped meanwhile."""
        self._machine.wait(seconds, lambda: self._stopping)
        if self._stopping:
            raise _Stopped

    def _select_channels(self, indexes: FloatArray) -> None:
        if self._running:
            raise Refusal("a bias spectroscopy is running: stop it first")
        if not len(indexes) or min(indexes) < 0 or max(indexes) >= len(NAMES):
            raise Refusal(f"channel indexes {list(map(int, indexes))}: some from 0 to {len(NAMES) - 1} are wanted")
        self._channels = tuple(int(index) for index in indexes)

    def _set_properties(self, *values: Any) -> tuple[Any, ...]:
        done = self._settings.carry_out(COMMANDS["BiasSpectr.PropsSet"], values)
        if not math.isnan(values[4]):  # the same Z offset stands in the timing
            self._settings["BiasSpectr.Timing"]["z_offset"] = values[4]
        return done

    def _set_mode(self, mode: str) -> None:
        if mode not in ("Linear", "MLS"):
            raise Refusal(f"sweep mode = {mode!r} is neither 'Linear' nor 'MLS'")
        self._settings["BiasSpectr.MLSMode"]["mode"] = mode

    # -- a measurement ---------------------------------------------------------------------------------------------

    def _start(self, get_data: int, base_name: str) -> tuple[Any, ...]:
        if self._running:
            raise Refusal("a bias spectroscopy is running: stop it first")
        points = self._points()
        limit = self._bias.limit
        if max(abs(point.bias) for point in points) > limit:
            raise Refusal(f"the sweep exceeds the bias range, {-limit:g} to {limit:g} V")
        backward = bool(self._settings["BiasSpectr.Props"]["backward"])
        self._running, self._stopping = True, False
        try:
            sweeps = self._sweeps(points, backward, int(self._settings["BiasSpectr.Props"]["sweeps"]))
        finally:
            self._running = self._stopping = False
        curves = np.mean([curves for curves, _ in sweeps], axis=0)
        if not get_data:
            return (), np.zeros((0, 0)), np.zeros(0)
        data = np.vstack([[point.bias for point in points], curves])
        return self._columns(backward), data, self._parameters(sweeps[-1][1])

    def _sweeps(self, points: Sequence[_Point], backward: bool, count: int) -> list[tuple[FloatArray, float]]:
        sweeps: list[tuple[FloatArray, float]] = []
        while len(sweeps) < count and not self._stopping:
            sweeps.append(self._sweep(points, backward))
        return sweeps

    def _points(self) -> list[_Point]:
        timing = self._settings["BiasSpectr.Timing"]
        if self._settings["BiasSpectr.MLSMode"]["mode"] == "MLS":
            return list(self._segment_points())
        limits = self._settings["BiasSpectr.Limits"]
        biases = np.linspace(limits["start"], limits["end"], self._settings["BiasSpectr.Props"]["points"])
        return [
            _Point(
                float(bias), timing["initial_settling"] if k == 0 else 0.0, timing["settling"], timing["integration"]
            )
            for k, bias in enumerate(biases)
        ]

    def _segment_points(self) -> Iterator[_Point]:
        values = self._settings["BiasSpectr.MLSVals"]
        for k in range(values["segments"]):
            initial, settling, integration = (
                float(values[name][k]) for name in ("initial_settling", "settling", "integration")
            )
            for step, bias in enumerate(np.linspace(values["start"][k], values["end"][k], int(values["steps"][k]))):
                yield _Point(float(bias), initial if step == 0 else 0.0, settling, integration)

    def _sweep(self, points: Sequence[_Point], backward: bool) -> tuple[FloatArray, float]:
        """One sweep from feedback to feedback: curves of shape (columns, points), and the Z afterwards (m)."""
        tip, timing = self._bench.tip, dict(self._settings["BiasSpectr.Timing"])
        advanced = dict(self._settings["BiasSpectr.AdvProps"])
        bias, setpoint, modulating = tip.bias, tip.setpoint, self._signals.modulating
        returning = [replace(point, initial=0.0) for point in reversed(points)]
        ways = [points, returning] if backward else [points]
        curves = np.full((len(ways), len(self._channels), len(points)), math.nan)
        height = None
        restarts = self._machine.restarts
        try:
            self._use_alternate_setpoint()
            self._wait(timing["z_averaging"])
            if advanced["z_hold"]:
                self._tip.hold()
            if timing["z_offset"] and not tip.feedback:
                height = self._bench.height()
                self._move(height + timing["z_offset"])
            if advanced["lockin_run"] and not modulating:
                self._signals.modulate(1)
            self._tip.change(sampling=True)
            for way, curve in zip(ways, curves, strict=True):
                for index, point in enumerate(way):
                    curve[:, index] = self._measure(point)
            self._wait(timing["end_settling"])
        except _Stopped:
            pass  # what was measured is returned
        finally:
            self._tip.change(sampling=False)
            if self._machine.restarts == restarts:
                self._signals.modulate(modulating)
                if advanced["reset_bias"]:
                    self._slew(bias)
                if height is not None and not tip.withdrawn and self._settings["BiasSpectr.ZOffRevert"]["revert"]:
                    self._move(height)
                self._tip.change(setpoint=setpoint)
                self._tip.release()
        self._machine.wait(timing["z_control"], lambda: self._stopping)
        return np.vstack([curves[0], *(way[:, ::-1] for way in curves[1:])]), self._final_height()

    def _measure(self, point: _Point) -> FloatArray:
        """Step to a point, settle, read every channel over the integration time."""
        self._slew(point.bias)
        self._wait(point.initial + point.settling)
        readings = []
        for _ in range(_READINGS):
            self._wait(point.integration / _READINGS)
            readings.append(self._signals.read(self._channels, point.integration / _READINGS))
        self._tip.watch()
        if self._tip.tripped:
            raise Refusal(f"SafeTip has tripped at a bias of {point.bias:g} V: the sweep was ended")
        mean: FloatArray = np.mean(readings, axis=0)
        return mean

    def _slew(self, bias: float) -> None:
        """Go to ``bias`` (V) no faster than the slew rate allows."""
        self._machine.wait(abs(bias - self._bench.tip.bias) / self._settings["BiasSpectr.Timing"]["slew_rate"])
        self._tip.change(bias=bias)

    def _move(self, height: float) -> None:
        with self._bench.lock:
            self._bench.advance()
            self._bench.move_tip(height)

    def _use_alternate_setpoint(self) -> None:
        alternate = self._settings["BiasSpectr.AltZCtrl"]
        if alternate["on"]:
            self._tip.change(setpoint=alternate["setpoint"])
            self._wait(alternate["settling"])

    def _final_height(self) -> float:
        if not self._settings["BiasSpectr.AdvProps"]["final_z"]:
            return math.nan
        self._machine.wait(self._settings["BiasSpectr.Timing"]["z_averaging"], lambda: self._stopping)
        return self._bench.height()

    # -- what is returned ------------------------------------------------------------------------------------------

    def _columns(self, backward: bool) -> tuple[str, ...]:
        names = [NAMES[index] for index in self._channels]
        return ("Bias calc (V)", *names, *(map(_backward_name, names) if backward else ()))

    def _parameters(self, final_height: float) -> FloatArray:
        limits, timing = self._settings["BiasSpectr.Limits"], self._settings["BiasSpectr.Timing"]
        position = self._settings["FolMe.XYPos"]
        hold = self._settings["BiasSpectr.AdvProps"]["z_hold"]
        fixed = [limits["start"], limits["end"]]
        moving = [position["x"], position["y"], self._bench.height(), timing["z_offset"]]
        return np.array([*fixed, *moving, timing["settling"], timing["integration"], hold, final_height])


def _backward_name(name: str) -> str:
    """``Current (A)`` -> ``Current [bwd] (A)``."""
    quantity, _, unit = name.rpartition(" (")
    return f"{quantity} [bwd] ({unit}"
