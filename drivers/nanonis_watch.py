"""What is read of a Nanonis controller beside the data: its settings for the file, and looks while a run goes on."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

from drivers.nanonis_spectroscopy import BIAS
from stmlab.errors import InstrumentFault
from stmlab.station.instruments import Look, LoopStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from drivers.nanonis import Nanonis
    from stmlab.station.instruments import Value

CURRENT = "Current (A)"
HEIGHT = "Z (m)"
_REST = {  # property that is read when it is due -> where it is
    "setpoint": "setpoint",
    "feedback": "feedback",
    "safe_tip": "safe_tip.on",
    "safe_tip_auto_recovery": "safe_tip.auto_recovery",
    "safe_tip_threshold": "safe_tip.threshold",
    "tip_lift": "z.tip_lift",
    "switch_off_delay": "z.switch_off_delay",
    "z_high_limit": "z.upper_limit",
    "current_gain": "current_gain",
    "z_controller": "active_loop.name",
    "modulation": "modulation",
}
TRIPPED = "SafeTip has tripped: check the tip, then approach by hand"
_NEAR_THE_END = 5e-4  # of the range of the current: so close to its end it is saturated

BY_TURNS = tuple(_REST)
WATCHED = ("bias", "current", "height", "status", *BY_TURNS)


class Watch:
    """Looks at the controller.

    Args:
        nanonis: whose parts are asked.
        current_range: gives the range of the current, A.
    """

    def __init__(self, nanonis: Nanonis, current_range: Callable[[], tuple[float, float]]) -> None:
        self._nanonis, self._current_range = nanonis, current_range
        self._signals, self._z = nanonis.signals, nanonis.z
        self._rest = {name: attrgetter(path) for name, path in _REST.items()}

    def look(self, due: Sequence[str] = ()) -> Look:
        """See Device."""
        bias, current, height = self._signals.values((BIAS, CURRENT, HEIGHT), newest=False).tolist()
        status = self._z.status
        values: dict[str, Value] = {"bias": bias, "current": current, "height": height, "status": status.value}
        for name in due:
            values[name] = self._rest[name](self._nanonis)
        tripped = TRIPPED if status is LoopStatus.TRIPPED else ""
        return Look(values, tuple(filter(None, (tripped, overload_of(current, self._current_range())))))


def overload_of(current: float, limits: tuple[float, float]) -> str:
    """What is wrong with a current (A) in a range that ends at ``limits``, "" if nothing is."""
    low, high = limits
    margin = _NEAR_THE_END * (high - low)
    inside = low + margin < current < high - margin
    return "" if inside else f"the current, {current:.4g} A, is at the end of the preamplifier's range"


def snapshot(nanonis: Nanonis) -> dict[str, Any]:
    """Every setting worth keeping beside data; of a part that this controller does not have, what it says."""
    settings: dict[str, Any] = {}
    for part in (_identity, _tip_settings, _safe_tip_settings, _lockin_settings):
        try:
            settings |= part(nanonis)
        except InstrumentFault as fault:  # not licensed, or another release
            settings[part.__name__.strip("_")] = str(fault)
    return settings


def _identity(nanonis: Nanonis) -> dict[str, Any]:
    return {**vars(nanonis.version), "session_path": nanonis.session_path}


def _tip_settings(nanonis: Nanonis) -> dict[str, Any]:
    gains, (low, high) = nanonis.z.gains, nanonis.z.limits
    return {
        "bias": nanonis.bias,
        "bias_range": nanonis.bias_range,
        "current": nanonis.current,
        "current_gain": nanonis.current_gain,
        "current_filter": nanonis.current_filter,
        "setpoint": nanonis.setpoint,
        "feedback": nanonis.feedback,
        "z_status": nanonis.z.status.value,
        "height": nanonis.height,
        "z_low_limit": low,
        "z_high_limit": high,
        "z_limited": nanonis.z.limited,
        "z_controller": nanonis.active_loop.name,
        "proportional_gain": gains.proportional,
        "loop_time_constant": gains.time_constant,
        "switch_off_delay": nanonis.z.switch_off_delay,
        "tip_lift": nanonis.z.tip_lift,
    }


def _safe_tip_settings(nanonis: Nanonis) -> dict[str, Any]:
    guard = nanonis.safe_guard
    return {
        "safe_tip": guard.on,
        "safe_tip_auto_recovery": guard.auto_recovery,
        "safe_tip_threshold": guard.threshold,
    }


def _lockin_settings(nanonis: Nanonis) -> dict[str, Any]:
    modulator, demodulator = nanonis.lockin.modulator(1), nanonis.lockin.demodulator(1)
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
