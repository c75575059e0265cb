"""The pump-probe current of a junction that switches between states, over delay (Betz et al., Fig. S1).

The mean of the pulses does not pass the bias tee: between them the bias lies below its own value by that mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.models import switching
from stmlab.models.model import Curve, Curves, Derived, Measurement, Model, Number, Sweep, number
from stmlab.physics.pulses import Pulse, PulseTrain, mean_pulsed_currents
from stmlab.physics.stochastic_resonance import static_current
from stmlab.simulation.junctions.driven import slow_rate

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray
    from stmlab.models.model import Values

_SWEEP = Sweep("delay", "delay from pump to probe", "s", -4e-9, 4e-9, points=41)


def _compute(values: Values, x: FloatArray) -> Curves:
    states, period = switching.states(values), number(values, "period")
    width, rise, base = (number(values, name) for name in ("width", "rise_time", "dc_bias"))
    still = float(static_current(states, np.array([base]))[0])

    def train(delay: float) -> PulseTrain:
        pump = Pulse(0.5 * (period - delay), width, number(values, "pump"), rise)
        probe = Pulse(0.5 * (period + delay), width, number(values, "probe"), rise)
        mean = (pump.amplitude_V + probe.amplitude_V) * width / period
        return PulseTrain(period, (pump, probe), base - mean)

    found = mean_pulsed_currents(states, [train(float(delay)) for delay in x], tolerance=1e-6)
    curve = Curve("pump-probe current", found - still)
    derived = {
        "T1": Derived("T1", _lifetime(values), "s", "1/(slowest rate) between the pulses"),
        **switching.levels(values),
    }
    swing = np.array([0.0, number(values, "pump"), number(values, "probe")])
    doubts = switching.doubts(values, base + swing)
    return Curves(x, {"current": curve}, "pump-probe current", "A", _SWEEP, derived, doubts)


def _lifetime(values: Values) -> float:
    return 1.0 / slow_rate(switching.states(values), number(values, "dc_bias"), 0.0)


def _starts(values: Values) -> dict[str, float]:
    return {"T1": _lifetime(values)}


def _measurement(values: Values) -> Measurement:
    names = ("dc_bias", "pump", "probe", "width", "period")
    return switching.measured(values, "pump_probe", {name: number(values, name) for name in names})


MODEL = Model(
    name="pump-probe",
    title="mean current of two voltage pulses on two levels or on a spin, over their delay",
    source="Betz et al., supplementary figure S1",
    parameters=(
        Number("dc_bias", "V_dc", "V", "bias between the pulses", 0.0, -0.1, 0.1),
        Number("pump", "V_pump", "V", "height of the pump", -10e-3, -0.1, 0.1),
        Number("probe", "V_probe", "V", "height of the probe", -2e-3, -0.1, 0.1),
        Number("width", "w", "s", "of both pulses, at half maximum", 429e-12, 1e-11, 1e-7, True),
        Number("rise_time", "t_rise", "s", "of their edges, linear, from 0 to 100 %", 154e-12, 0.0, 1e-9),
        Number("period", "t_rep", "s", "from pump to pump", 20e-9, 1e-10, 1e-5, True),
        *switching.PARAMETERS,
    ),
    sweep=lambda _: _SWEEP,
    compute=_compute,
    channel="current",
    fit="decay",
    starts=_starts,
    measurement=_measurement,
)
