"""The pump-probe current of a junction that switches between states, over delay or time (Betz et al., Fig. S1).

The mean of the pulses does not pass the bias tee: between them the bias lies below its own value by that mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.models import switching
from stmlab.models.model import Choice, Curve, Curves, Derived, Measurement, Model, Number, Sweep, number
from stmlab.physics.courses import pulse_course
from stmlab.physics.pulses import Pulse, PulseTrain, mean_pulsed_currents
from stmlab.physics.stochastic_resonance import static_current
from stmlab.simulation.junctions.driven import slow_rate

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray
    from stmlab.models.model import Values

_SWEEP = Sweep("delay", "delay from pump to probe", "s", -4e-9, 4e-9, points=41)
_BEFORE = 0.05  # of a period, of the time before the pump


def _sweep(values: Values) -> Sweep:
    if values["over"] == switching.DELAY:
        return _SWEEP
    period = number(values, "period")
    return Sweep("time", "time since the pump began", "s", -_BEFORE * period, (1.0 - _BEFORE) * period, points=401)


def _train(values: Values, pump_s: float, delay_s: float) -> PulseTrain:
    """Pump at a time of the period, probe after it, on the bias less what of their mean the bias tee does not pass."""
    period, width, rise = (number(values, name) for name in ("period", "width", "rise_time"))
    pump = Pulse(pump_s, width, number(values, "pump"), rise)
    probe = Pulse(pump_s + delay_s, width, number(values, "probe"), rise)
    return PulseTrain(period, (pump, probe), _between_V(values))


def _between_V(values: Values) -> float:
    """Voltage between the pulses."""
    width, period = number(values, "width"), number(values, "period")
    return number(values, "dc_bias") - (number(values, "pump") + number(values, "probe")) * width / period


def _compute(values: Values, x: FloatArray) -> Curves:
    states, period, base = switching.states(values), number(values, "period"), number(values, "dc_bias")
    derived = {
        "T1": Derived("T1", _lifetime(values), "s", "1/(slowest rate) between the pulses"),
        **switching.levels(values),
    }
    if values["over"] == switching.TIME:
        course = pulse_course(states, _train(values, 0.0, number(values, "delay_time")), x)
        return switching.in_the_course(values, x, _sweep(values), course, derived)
    still = float(static_current(states, np.array([base]))[0])
    trains = [_train(values, 0.5 * (period - delay), delay) for delay in x.tolist()]
    curve = Curve("pump-probe current", mean_pulsed_currents(states, trains, tolerance=1e-6) - still)
    swing = np.array([0.0, number(values, "pump"), number(values, "probe")])
    doubts = switching.doubts(values, base + swing)
    return Curves(x, {"current": curve}, "pump-probe current", "A", _SWEEP, derived, doubts)


def _lifetime(values: Values) -> float:
    return 1.0 / slow_rate(switching.states(values), _between_V(values), 0.0)


def _starts(values: Values) -> dict[str, float]:
    return {"T1": _lifetime(values)}


def _measurement(values: Values) -> Measurement:
    names = ("dc_bias", "pump", "probe", "width", "period")
    return switching.measured(values, "pump_probe", {name: number(values, name) for name in names})


MODEL = Model(
    name="pump-probe",
    title="current of two voltage pulses on two levels or on a spin: mean over their delay, or in time",
    source="Betz et al., supplementary figure S1",
    parameters=(
        Choice("over", "", "what is drawn over", (switching.DELAY, switching.TIME)),
        switching.QUANTITY,
        Number("delay_time", "t_d", "s", "delay from pump to probe", 2e-9, -1e-6, 1e-6, where=switching.IN_TIME),
        Number("dc_bias", "V_dc", "V", "bias between the pulses", 0.0, -0.1, 0.1),
        Number("pump", "V_pump", "V", "height of the pump", -10e-3, -0.1, 0.1),
        Number("probe", "V_probe", "V", "height of the probe", -2e-3, -0.1, 0.1),
        Number("width", "w", "s", "of both pulses, at half maximum", 429e-12, 1e-11, 1e-7, True),
        Number("rise_time", "t_rise", "s", "of their edges, linear, from 0 to 100 %", 154e-12, 0.0, 1e-9),
        Number("period", "t_rep", "s", "from pump to pump", 20e-9, 1e-10, 1e-5, True),
        *switching.PARAMETERS,
    ),
    sweep=_sweep,
    compute=_compute,
    channel="current",
    fit="decay",
    starts=_starts,
    measurement=_measurement,
)
