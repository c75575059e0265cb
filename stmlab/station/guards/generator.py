"""The guard of the waveform generator: frequency, amplitude at the connector, and what arrives at the junction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from stmlab.errors import OutOfBounds, SequenceError
from stmlab.station.guards.guard import Guard
from stmlab.station.outputs import Change

if TYPE_CHECKING:
    from collections.abc import Callable

    from stmlab.station.instruments import Generator, PulsePair, RadioFrequencyPath, Tone
    from stmlab.station.limits import Limit
    from stmlab.station.outputs import Outputs

_GRID = 400  # frequencies at which the largest transfer of the line is looked for
_ROUNDING = 1 + 1e-9


class GuardedGenerator(Guard):
    """A Generator whose every tone and pulse is checked.

    What arrives at the junction is taken from the line's transfer function: at the tone's frequency, or its largest
    magnitude where that is not known and for pulses. Without a line in the station file all of it arrives.

    Args:
        name: of the instrument in the station.
        generator: the driver.
        outputs: of the station.
        frequency: bounds of a tone, Hz.
        amplitude: bounds at the connector, V peak.
        junction: bounds of a tone at the junction, V peak; None: none of its own.
        path: the line; None: the station has none.
    """

    __slots__ = ("_amplitude", "_frequency", "_junction", "_largest_transfer", "_path")

    _PASSED: ClassVar[tuple[str, ...]] = ("is_off", "confirmed")
    _OUTPUTS: ClassVar[tuple[str, ...]] = ("rf_amplitude", "rf_frequency", "rf_at_junction")

    def __init__(
        self,
        name: str,
        generator: Generator,
        outputs: Outputs,
        *,
        frequency: Limit,
        amplitude: Limit,
        junction: Limit | None = None,
        path: RadioFrequencyPath | None = None,
    ) -> None:
        super().__init__(name, generator, outputs)
        for attribute, value in (
            ("_frequency", frequency),
            ("_amplitude", amplitude),
            ("_junction", junction),
            ("_path", path),
            ("_largest_transfer", None),
        ):
            object.__setattr__(self, attribute, value)
        outputs.readable(**dict.fromkeys(self._OUTPUTS, self._off))
        outputs.silent(name, "the microwave", generator.is_off)

    @property
    def frequency_range(self) -> tuple[float, float]:
        """Hz: the tighter of the instrument's range and the station's limit."""
        low, high = self._driver().frequency_range
        return max(low, self._frequency.low), min(high, self._frequency.high)

    def largest_amplitude(self, frequency: float) -> float:
        """V peak: the tighter of what the instrument can and what the station allows."""
        return float(min(self._driver().largest_amplitude(frequency), self._amplitude.high))

    def common_amplitude(self, frequency: float) -> float:
        """V peak: as `largest_amplitude`."""
        return float(min(self._driver().common_amplitude(frequency), self._amplitude.high))

    def plan_tone(self, frequency: float) -> Tone:
        """See Generator."""
        self._frequency.check(frequency)
        tone: Tone = self._driver().plan_tone(frequency)
        return tone

    def play_tone(self, frequency: float, amplitude: float, *, gated: bool) -> Tone:
        """See Generator."""
        frequency, amplitude = float(frequency), float(amplitude)

        def arrives() -> float:
            self._frequency.check(frequency)
            self._amplitude.check(amplitude)
            return self._arriving(frequency, amplitude)

        arriving = self._allowed("play_tone", amplitude, arrives)
        outputs = {"rf_amplitude": amplitude, "rf_frequency": frequency, "rf_at_junction": arriving}
        change = Change(self._name, "play_tone", amplitude, f"V at {frequency:.9g} Hz", outputs)
        self._outputs.allow(change)
        tone: Tone = self._play(change, lambda: self._driver().play_tone(frequency, amplitude, gated=gated))
        return tone

    def check_pulses(self, pulses: PulsePair) -> None:
        """See Generator."""
        self._amplitude.check(_heights(pulses))
        self._driver().check_pulses(pulses)

    def play_pulses(self, pulses: PulsePair, *, gated: bool) -> PulsePair:
        """See Generator; overlapping pulses add, so their sum is what is checked."""
        height = max(_heights(pulses))

        def arrives() -> float:
            self._amplitude.check(_heights(pulses))
            return height * self._transfer_of_all()

        arriving = self._allowed("play_pulses", height, arrives)
        outputs = {"rf_amplitude": height, "rf_frequency": 1 / pulses.period, "rf_at_junction": arriving}
        change = Change(self._name, "play_pulses", height, "V", outputs)
        self._outputs.allow(change)
        played: PulsePair = self._play(change, lambda: self._driver().play_pulses(pulses, gated=gated))
        return played

    def off(self) -> None:
        """See Generator; never refused."""
        change = Change(self._name, "off", 0.0, "V", dict.fromkeys(self._OUTPUTS, 0.0))
        self._play(change, self._driver().off)

    def _allowed(self, name: str, value: float, arrives: Callable[[], float]) -> float:
        """V peak at the junction; a refusal of ``arrives`` is in the audit log."""
        arriving: list[float] = []
        self._outputs.allow(Change(self._name, name, value, "V"), lambda: arriving.append(arrives()))
        return arriving[0]

    def _play(self, change: Change, send: Callable[[], Any]) -> Any:
        try:
            played = self._outputs.release(change, send)
        except OutOfBounds:
            raise  # nothing was sent
        except BaseException:
            self._outputs.last_set.forget(self._name)
            raise
        self._note(**self._driver().confirmed)
        return played

    def _off(self) -> float:
        if self._driver().is_off():
            return 0.0
        raise SequenceError(f"{self._name} plays what this session has not set: switch it off first")

    def _arriving(self, frequency: float, amplitude: float) -> float:
        """V peak at the junction."""
        if self._path is None:
            return amplitude
        low, high = self._path.band
        if not low <= frequency <= high:
            return amplitude * self._transfer_of_all()
        arriving = amplitude * float(abs(self._path.transfer(np.array([frequency]))[0]))
        if self._junction is not None and arriving > self._junction.high * _ROUNDING:
            limit = self._junction
            raise OutOfBounds(limit.name, arriving, limit.low, limit.high, limit.unit, limit.source)
        return arriving

    def _transfer_of_all(self) -> float:
        """The largest magnitude of the line's transfer in its band."""
        if self._path is None:
            return 1.0
        if self._largest_transfer is None:
            low, high = self._path.band
            grid = np.clip(np.geomspace(max(low, 1.0), high, _GRID), low, high)
            object.__setattr__(self, "_largest_transfer", float(np.abs(self._path.transfer(grid)).max()))
        return float(self._largest_transfer)


def _heights(pulses: PulsePair) -> list[float]:
    return [abs(pulses.pump), abs(pulses.probe), abs(pulses.pump + pulses.probe)]
