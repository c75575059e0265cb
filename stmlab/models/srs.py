"""The SRS spectrum of a junction that switches between states (Betz et al., eqs. 1 and S1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.models import switching
from stmlab.models.model import Choice, Curve, Curves, Derived, Measurement, Model, Number, Sweep, number
from stmlab.physics.courses import drive_course
from stmlab.physics.line_fit import line_rate
from stmlab.physics.stochastic_resonance import stochastic_resonance
from stmlab.simulation.junctions.driven import slow_rate

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray
    from stmlab.models.model import Values
    from stmlab.physics.stochastic_resonance import StochasticResonance

_SPECTRUM = Sweep("frequency", "microwave frequency", "Hz", 3e6, 20e9, logarithmic=True, points=201)


def _sweep(values: Values) -> Sweep:
    if values["over"] == switching.FREQUENCY:
        return _SPECTRUM
    return Sweep("time", "time", "s", 0.0, 1.0 / number(values, "drive_frequency"), points=201)


def _spectrum(values: Values, frequency: FloatArray) -> StochasticResonance:
    return stochastic_resonance(
        switching.states(values),
        frequency,
        offset_V=number(values, "dc_bias"),
        amplitude_V=number(values, "amplitude"),
        tolerance=1e-6,
    )


def _rate(values: Values) -> float:
    return slow_rate(switching.states(values), number(values, "dc_bias"), number(values, "amplitude"))


def _in_time(values: Values, x: FloatArray) -> Curves:
    """In the course of a period."""
    course = drive_course(
        switching.states(values),
        x,
        frequency_Hz=number(values, "drive_frequency"),
        offset_V=number(values, "dc_bias"),
        amplitude_V=number(values, "amplitude"),
    )
    derived = {
        "rate": Derived("Γ", _rate(values), "1/s", "slowest rate, averaged over the drive"),
        **switching.levels(values),
    }
    return switching.in_the_course(values, x, _sweep(values), course, derived)


def _compute(values: Values, x: FloatArray) -> Curves:
    if values["over"] == switching.TIME:
        return _in_time(values, x)
    found, rate = _spectrum(values, x), _rate(values)
    derived = {
        "rate": Derived("Γ", rate, "1/s", "slowest rate, averaged over the drive"),
        "line_rate": Derived("Γ (eq. 1)", line_rate(found, x), "1/s", "rate that a fit of eq. 1 finds in it"),
        "frequency_of_rate": Derived("Γ/2π", rate / (2 * np.pi), "Hz", "where the step is half"),
        "step": Derived("I_SR", found.step_A, "A", "step of the spectrum"),
        "offset": Derived("I_rec", float(found.offset_A), "A", "rectified current above the step"),
        **switching.levels(values),
    }
    curve = Curve("SRS current", found.signal_A)
    drive = number(values, "dc_bias") + number(values, "amplitude") * np.array([-1.0, 1.0])
    return Curves(x, {"current": curve}, "SRS current", "A", _SPECTRUM, derived, switching.doubts(values, drive))


def _starts(values: Values) -> dict[str, float]:
    found = _spectrum(values, np.array([_SPECTRUM.low]))
    return {"rate": _rate(values), "step": found.step_A, "offset": float(found.offset_A)}


def _measurement(values: Values) -> Measurement:
    return switching.measured(values, "srs", {name: number(values, name) for name in ("dc_bias", "amplitude")})


MODEL = Model(
    name="srs",
    title="stochastic resonance spectrum of two levels, or of all states of a spin",
    source="Betz et al.",
    parameters=(
        Choice("over", "", "what is drawn over", (switching.FREQUENCY, switching.TIME)),
        switching.QUANTITY,
        Number("drive_frequency", "f", "Hz", "of the drive", 2e8, 1.0, 1e12, True, switching.IN_TIME),
        Number("dc_bias", "V_dc", "V", "bias during the spectrum", 4e-3, -0.1, 0.1),
        Number("amplitude", "V_ac", "V", "peak amplitude of the microwave at the junction", 2.8e-3, 1e-6, 0.1),
        *switching.PARAMETERS,
    ),
    sweep=_sweep,
    compute=_compute,
    channel="current",
    fit="srs",
    starts=_starts,
    measurement=_measurement,
)
