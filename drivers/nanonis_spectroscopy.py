"""Bias spectroscopy by a Nanonis controller: it sweeps the bias itself and hands the curves back."""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

from drivers.answers import LARGEST
from drivers.nanonis_protocol import NO_CHANGE, OFF, ON, UNCHANGED, flag
from stmlab.errors import GarbledAnswer, SequenceError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from drivers.nanonis_protocol import NanonisLine
    from drivers.nanonis_signals import Signals
    from stmlab.arrays import FloatArray

BIAS = "Bias (V)"
_MOST = 2**31 - 1  # sweeps and points are counted in i4
_ADVANCED = ("bias goes back", "loop open", "final Z recorded", "own lock-in")
_MARGIN = 1.5  # on the estimated duration, before a missing answer means that the controller is lost


@dataclass(frozen=True)
class SweepTiming:
    """When what happens in a sweep; seconds unless said otherwise.

    Attributes:
        z_averaging: Z is averaged so long before the loop opens.
        z_offset: m, the tip is moved by this much before the sweep (positive: retracted).
        initial_settling: at the first bias.
        slew_rate: largest change of the bias, V/s; inf for as fast as it can.
        settling: at each point before it is measured.
        integration: of each point.
        end_settling: after the last point.
        z_control: with the loop closed, after each sweep.
    """

    z_averaging: float = 0.0
    z_offset: float = 0.0
    initial_settling: float = 0.0
    slew_rate: float = math.inf
    settling: float = 0.0
    integration: float = 0.0
    end_settling: float = 0.0
    z_control: float = 0.0


@dataclass(frozen=True, eq=False)
class BiasSpectrum:
    """What a bias spectroscopy returned, averaged over its sweeps.

    Attributes:
        channels: names; the bias is the first, a backward sweep's say ``[bwd]``.
        data: shape (len(channels), points); backward sweeps stand at the bias of the forward one.
        parameters: values that the controller notes with the curve, by name.
    """

    channels: tuple[str, ...]
    data: FloatArray
    parameters: Mapping[str, float]

    @property
    def bias(self) -> FloatArray:
        """Bias of each point, V, shape (points,)."""
        row: FloatArray = self.data[0]
        return row

    def channel(self, name: str, *, backward: bool = False) -> FloatArray:
        """One channel, such as ``Current (A)``, of the forward or the backward sweep, shape (points,).

        Raises:
            SequenceError: it was not recorded.
        """
        wanted = _backward_name(name) if backward else name
        if wanted not in self.channels:
            raise SequenceError(f"channel {wanted!r} was not recorded: {', '.join(self.channels)}")
        row: FloatArray = self.data[self.channels.index(wanted)]
        return row


@dataclass(frozen=True)
class _Properties:
    """What BiasSpectr.PropsGet returns."""

    sweeps: int
    points: int
    backward: bool
    autosave: bool
    dialog: bool
    parameters: tuple[str, ...]


class BiasSpectroscopy:
    """The bias spectroscopy module."""

    def __init__(self, line: NanonisLine, signals: Signals) -> None:
        self._line, self._signals = line, signals

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the signals that are recorded."""
        names: tuple[str, ...] = self._line.ask("BiasSpectr.ChsGet")[1]
        return names

    @channels.setter
    def channels(self, names: Sequence[str]) -> None:
        self._line.ask("BiasSpectr.ChsSet", [self._signals.index(name) for name in names])

    @property
    def limits(self) -> tuple[float, float]:
        """First and last bias, V."""
        start, end = (self._line.checked("BiasSpectr.LimitsGet", end) for end in self._line.ask("BiasSpectr.LimitsGet"))
        return float(start), float(end)

    @limits.setter
    def limits(self, limits: tuple[float, float]) -> None:
        low, high = self._signals.range(BIAS)
        for name, value in zip(("sweep start", "sweep end"), limits, strict=True):
            self._line.bounded(name, value, low, high, "V", f"range of {BIAS}")
        self._line.ask("BiasSpectr.LimitsSet", *limits)
        for name, wanted, read in zip(("sweep start", "sweep end"), limits, self.limits, strict=True):
            self._line.confirm(name, wanted, read, "V")

    @property
    def points(self) -> int:
        """Points of one sweep."""
        return self._properties().points

    @points.setter
    def points(self, value: int) -> None:
        self._set_properties(points=self._line.bounded("points", value, 2, _MOST, ""))

    @property
    def sweeps(self) -> int:
        """Sweeps that are averaged."""
        return self._properties().sweeps

    @sweeps.setter
    def sweeps(self, value: int) -> None:
        self._set_properties(sweeps=self._line.bounded("sweeps", value, 1, _MOST, ""))

    @property
    def backward(self) -> bool:
        """Whether each sweep also goes back."""
        return self._properties().backward

    @backward.setter
    def backward(self, value: bool) -> None:
        self._set_properties(backward=flag(value))

    @property
    def timing(self) -> SweepTiming:
        """When what happens."""
        timing = SweepTiming(*self._line.ask("BiasSpectr.TimingGet"))
        for name, value in vars(timing).items():
            lowest = -LARGEST if name == "z_offset" else 0.0
            self._line.checked("BiasSpectr.TimingGet", value, lowest, math.inf if name == "slew_rate" else LARGEST)
        return timing

    @timing.setter
    def timing(self, timing: SweepTiming) -> None:
        for name, value in vars(timing).items():
            if name != "z_offset":
                smallest = 1e-9 if name == "slew_rate" else 0.0
                self._line.bounded(name, value, smallest, math.inf, "V/s" if name == "slew_rate" else "s")
        if not math.isfinite(timing.z_offset):
            raise SequenceError(f"z_offset = {timing.z_offset} m must be a finite number")
        self._line.ask("BiasSpectr.TimingSet", *astuple(timing))

    @property
    def reset_bias(self) -> bool:
        """Whether the bias returns to where it was."""
        return self._advanced()[0]

    @property
    def z_hold(self) -> bool:
        """Whether the loop is open during the sweep."""
        return self._advanced()[1]

    @property
    def lockin_run(self) -> bool:
        """Whether the controller's own lock-in modulates during the sweep only."""
        return self._advanced()[3]

    def set_advanced(
        self,
        *,
        reset_bias: bool | None = None,
        z_hold: bool | None = None,
        record_final_z: bool | None = None,
        lockin_run: bool | None = None,
    ) -> None:
        """Set what is given and keep the rest; it is read back."""
        wanted = (reset_bias, z_hold, record_final_z, lockin_run)
        self._line.ask("BiasSpectr.AdvPropsSet", *map(flag, wanted))
        for name, on, read in zip(_ADVANCED, wanted, self._advanced(), strict=True):
            if on is not None:
                self._line.confirm(f"sweep: {name}", on, read)

    def duration(self) -> float:
        """Seconds that the sweeps as set will take, about."""
        timing = self.timing
        properties = self._properties()
        sweeps, points = properties.sweeps, properties.points
        start, end = self.limits
        if start != end and not timing.slew_rate > 0.0:
            raise GarbledAnswer(self._line.name, "BiasSpectr.TimingGet", timing.slew_rate, "a slew rate of zero")
        ways = 2 if properties.backward else 1
        moving = (ways + 1) * abs(end - start) / timing.slew_rate if start != end else 0.0
        resting = timing.initial_settling + timing.end_settling + 2 * timing.z_averaging + timing.z_control
        return float(sweeps * (ways * points * (timing.settling + timing.integration) + moving + resting))

    def start(self, base_name: str = "", *, save: bool = False) -> BiasSpectrum:
        """Sweep as set, wait for the end and return the curves.

        Args:
            base_name: of the files that the controller writes ("" keeps the one it has).
            save: let the controller write its own file too.
        """
        self._set_properties(autosave=flag(save), dialog=OFF)  # a dialog would wait for somebody to click
        names, data, values = self._line.ask("BiasSpectr.Start", 1, base_name, takes=_MARGIN * self.duration())
        if len(names) != len(data) or not names:
            why = f"{len(names)} channels, but {len(data)} curves"
            raise GarbledAnswer(self._line.name, "BiasSpectr.Start", names, why)
        return BiasSpectrum(names, data, self._named(values))

    def start_unattended(self, base_name: str = "") -> None:
        """Sweep as set; the controller keeps the curves, and ``running`` tells when it is done."""
        self._set_properties(dialog=OFF)
        self._line.ask("BiasSpectr.Start", 0, base_name, takes=_MARGIN * self.duration())

    def stop(self) -> None:
        """End a running sweep."""
        self._line.ask("BiasSpectr.Stop")

    @property
    def running(self) -> bool:
        """Whether it sweeps."""
        return self._line.switch("BiasSpectr.StatusGet")

    def _set_properties(
        self, *, sweeps: int = 0, points: int = 0, backward: int = NO_CHANGE, autosave: int = NO_CHANGE, dialog: int = 0
    ) -> None:
        self._line.ask("BiasSpectr.PropsSet", NO_CHANGE, sweeps, backward, points, UNCHANGED, autosave, dialog)
        read = self._properties()
        for name, wanted in (("sweeps", sweeps), ("points", points)):
            if wanted:
                self._line.confirm(f"sweep: {name}", wanted, getattr(read, name))
        for name, wanted in (("backward", backward), ("autosave", autosave), ("dialog", dialog)):
            if wanted != NO_CHANGE:
                self._line.confirm(f"sweep: {name}", wanted == ON, getattr(read, name))

    def _properties(self) -> _Properties:
        command = "BiasSpectr.PropsGet"
        _, sweeps, backward, points, parameters, fixed, autosave, dialog = self._line.ask(command)
        check = self._line.checked
        return _Properties(
            sweeps=check(command, sweeps, 1, _MOST),
            points=check(command, points, 1, _MOST),
            backward=bool(check(command, backward, 0, 1)),
            autosave=bool(check(command, autosave, 0, 1)),
            dialog=bool(check(command, dialog, 0, 1)),
            parameters=(*fixed, *parameters),
        )

    def _advanced(self) -> tuple[bool, ...]:
        command = "BiasSpectr.AdvPropsGet"
        return tuple(bool(self._line.checked(command, value, 0, 1)) for value in self._line.ask(command))

    def _named(self, values: Sequence[float]) -> dict[str, float]:
        names = self._properties().parameters
        if len(names) != len(values):
            names = tuple(f"parameter {number}" for number in range(1, len(values) + 1))
        return dict(zip(names, map(float, values), strict=True))


def _backward_name(name: str) -> str:
    """``Current (A)`` -> ``Current [bwd] (A)``, as the controller writes it."""
    quantity, bracket, unit = name.rpartition(" (")
    return f"{quantity} [bwd] ({unit}" if bracket else f"{name} [bwd]"
