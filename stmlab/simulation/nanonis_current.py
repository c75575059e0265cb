"""The current input of the simulated Nanonis controller: what the preamplifier's volts are shown as."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stmlab.simulation.nanonis_settings import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from stmlab.simulation.bench import Bench

FULL_SCALE = 10.0  # V, of the converters
_GAINS = ("External 10^9 V/A",)  # the preamplifier is not on any bus, so there is nothing to choose
_FILTERS = ("Full bandwidth",)
_CALIBRATION = 1e-9  # A/V


class CurrentModule:
    """Gain, filter and calibration of the current.

    Attributes:
        calibration: A/V and A.
    """

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self.power_on()

    def power_on(self) -> None:
        """As after switching on."""
        self.calibration = (_CALIBRATION, 0.0)

    def handlers(self) -> Mapping[str, Callable[..., Any]]:
        """What carries out which command."""
        return {
            "Current.GainSet": self._select_gain,
            "Current.GainsGet": lambda: (_GAINS, 0, _FILTERS, 0),
            "Current.CalibrSet": self._calibrate,
            "Current.CalibrGet": self._calibration_of,
        }

    def read(self) -> float:
        """The current as the controller shows it, A."""
        factor, offset = self.calibration
        return self._bench.current() * (factor / _CALIBRATION) + offset

    @property
    def limit(self) -> float:
        """Largest current that the converter can read, A."""
        factor, offset = self.calibration
        return FULL_SCALE * factor + abs(offset)

    def _select_gain(self, gain: int, filter_: int) -> None:
        if gain not in (-1, 0) or filter_ not in (-1, 0):
            raise Refusal(f"gain {gain} with filter {filter_} is out of range, only 0 is there")

    def _calibrate(self, gain: int, calibration: float, offset: float) -> None:
        self._select_gain(gain, 0)
        if not calibration > 0.0:
            raise Refusal(f"calibration = {calibration:g} A/V must be positive")
        self.calibration = (calibration, offset)

    def _calibration_of(self, gain: int) -> tuple[float, float]:
        self._select_gain(gain, 0)
        return self.calibration
