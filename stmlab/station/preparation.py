"""Every output brought to a known state before a sequence prepares.

Another program may have left a sine on the lock-in, a level on the generator, a modulator in the controller: each would
be measured. So what can be switched off is switched off, the controller's own limits are set as the station file says,
and what only a person can mend is refused. What was found and set is the run's record.

    RF off, sine and DC level off, auxiliary outputs as configured, the controller's own modulator off
        |
    the loop that is used regulates the current; bias and setpoint are such that it may be closed
        |
    SafeTip on, without recovery by itself; limits of Z; TipLift known and no approach
"""

from __future__ import annotations

import logging
import math
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.errors import SequenceError, TipTripped
from stmlab.station.instruments import LoopStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.station.outputs import Demands
    from stmlab.station.station import Station

log = logging.getLogger(__name__)
_NONE: Demands = MappingProxyType({})
_SMALLEST_LIFT = 1e-15  # m; less is a zero that was rounded on the wire


def prepare_outputs(station: Station, demands: Demands = _NONE) -> Mapping[str, Mapping[str, Any]]:
    """Set or check every output of a station; to be called before ``Sequence.prepare``.

    Args:
        station: with its guards.
        demands: output -> every value that the sequence will give it.

    Returns:
        instrument role -> property -> value, as set and read back.

    Raises:
        SequenceError: what only a person can mend; the text says what.
        TipTripped: only a person may close the loop.
        StmlabError: an instrument that did not do what it was told.
    """
    roles = {role for instrument in station.config.instruments.values() for role in instrument.roles}
    record: dict[str, Mapping[str, Any]] = {}
    if "generator" in roles:
        record["generator"] = _generator(station)
    if "lockin" in roles:
        record["lockin"] = _lockin(station)
    if "tip" in roles:
        record["tip"] = {**_modulator(station), **_loop(station), **_own_limits(station), **_safe_tip(station, demands)}
    return record


def _generator(station: Station) -> dict[str, Any]:
    station.generator.off()
    if not station.generator.is_off():
        raise SequenceError("the generator still plays after it was switched off")
    return {"off": True}


def _lockin(station: Station) -> dict[str, Any]:
    """Sine at its least, and what of it reaches the junction: not nothing where the sine cannot be switched off."""
    lockin = station.lockin
    lockin.outputs_off()
    if not lockin.quiet():
        raise SequenceError("the lock-in's sine or its DC level is still on after it was switched off")
    for instrument in station.config.instruments.values():
        if "lockin" in instrument.roles:
            for number, value in instrument.aux_outputs.items():
                setattr(lockin, f"aux_out_{number}", value)
    found: dict[str, Any] = {"sine_voltage": lockin.least_sine_voltage, "sine_offset": lockin.sine_offset}
    found |= {name: getattr(lockin, name) for name in ("aux_out_1", "aux_out_2", "aux_out_3", "aux_out_4")}
    if lockin.least_sine_voltage and station.config.modulation is not None:
        found["background"] = background = lockin.least_sine_voltage * math.sqrt(2) / station.modulation_divider
        log.warning(
            "the lock-in's sine cannot be switched off: it modulates the bias by %.3g V peak at the reference, which a "
            "chopped experiment reads as signal",
            background,
        )
    return found


def _modulator(station: Station) -> dict[str, Any]:
    station.tip.modulation_off()
    if not station.tip.modulation_is_off():
        raise SequenceError("the controller's own modulator is still on after it was switched off")
    return {"modulation": False}


def _loop(station: Station) -> dict[str, Any]:
    """The loop is the current's, and its bias and setpoint are such that it may be closed."""
    tip = station.tip
    loop, state = tip.active_loop, tip.state
    if not loop.of_current:
        raise SequenceError(
            f"the Z-controller {loop.name!r} regulates {loop.signal}, not the current: its setpoint is another "
            "quantity: select the current's Z-controller"
        )
    if state.status is LoopStatus.TRIPPED:
        raise TipTripped("tip", "SafeTip has tripped: `stmlab approach`, by a person, frees the feedback")
    if loop.signed and state.bias * state.setpoint < 0:
        raise SequenceError(
            f"the Z-controller {loop.name!r} is signed, and bias {state.bias:g} V and setpoint {state.setpoint:g} A "
            "have different signs: it would drive the tip into the sample"
        )
    if state.loop:
        station.check_setpoint(state.bias)
        station.limit("setpoint").check(abs(state.setpoint))
    return {"loop": loop.name, "bias": state.bias, "setpoint": state.setpoint, "feedback": state.loop}


def _own_limits(station: Station) -> dict[str, Any]:
    """Limits of Z as the station file says, TipLift and switch-off delay known; and what the bias can be."""
    tip, wanted = station.tip, station.config.controller
    if wanted.z_low is not None and wanted.z_high is not None:
        tip.height_limits = wanted.z_low, wanted.z_high
    state = tip.state
    lift = state.tip_lift
    if wanted.tip_lift is None and lift < -_SMALLEST_LIFT:
        raise SequenceError(
            f"TipLift is {lift:g} m: the tip would approach whenever the loop opens: set it to 0 on the controller, or "
            f"give controller.tip_lift in {station.path}"
        )
    if wanted.tip_lift is not None and not math.isclose(lift, wanted.tip_lift, rel_tol=1e-6, abs_tol=_SMALLEST_LIFT):
        raise SequenceError(
            f"TipLift is {lift:g} m on the controller: controller.tip_lift = {wanted.tip_lift:g} m in {station.path}"
        )
    low, high = station.bias.bias_limits
    return {
        "z_low_limit": state.lower_limit,
        "z_high_limit": state.upper_limit,
        "tip_lift": lift,
        "switch_off_delay": state.switch_off_delay,
        "bias_low_limit": low,
        "bias_high_limit": high,
    }


def _safe_tip(station: Station, demands: Demands) -> dict[str, Any]:
    """The guard against too much current watches, and never closes the loop by itself."""
    tip, wanted = station.tip, station.config.controller
    if wanted.safe_tip == "none":
        return {"safe_tip": "none"}
    tip.set_safe_guard(threshold=wanted.safe_tip_threshold)
    guard = tip.safe_guard
    if not guard.on or guard.auto_recovery:
        raise SequenceError("SafeTip is off, or closes the loop by itself after a trip: set it on the controller")
    largest = float(np.max(np.abs(demands.get("setpoint", 0.0))))
    if largest >= guard.threshold:
        raise SequenceError(
            f"a setpoint of {largest:g} A reaches the threshold of SafeTip, {guard.threshold:g} A, which would trip: "
            f"lower the setpoint, or set controller.safe_tip_threshold in {station.path}"
        )
    return {"safe_tip": True, "safe_tip_auto_recovery": False, "safe_tip_threshold": guard.threshold}
