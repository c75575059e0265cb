"""What switches under the tip, for SRS and for pump and probe: two levels with given rates, or all states of a spin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.errors import PhysicsError
from stmlab.models import spin_states, two_level
from stmlab.models.model import Choice, Curve, Curves, Derived, Measurement, number
from stmlab.physics.driven import FewerStates
from stmlab.physics.junction import Equation
from stmlab.physics.stochastic_resonance import static_current
from stmlab.physics.two_level import EffectiveTwoLevel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.arrays import FloatArray
    from stmlab.models.model import Sweep, Values, Where
    from stmlab.physics.courses import Course
    from stmlab.physics.driven import DrivenStates
    from stmlab.physics.transport import TunnelJunction

_ALL, _EFFECTIVE = "all", "effective"
KEPT = Choice(
    "kept_states",
    "",
    "all of a spin's states, only the lowest, or its two wells with the others passed through (effective)",
    (_ALL, "2", "3", "4", _EFFECTIVE),
    where=("states", (spin_states.SPIN,)),
)
DELAY, FREQUENCY, TIME = "delay", "frequency", "time"
IN_TIME: Where = ("over", (TIME,))
_CURRENT, _OCCUPATION = "current", "occupation"
QUANTITY = Choice("quantity", "", "what is drawn in the course of a period", (_CURRENT, _OCCUPATION), where=IN_TIME)
PARAMETERS = (spin_states.STATES, *two_level.PARAMETERS, *spin_states.PARAMETERS, KEPT)
_SETPOINT_BIAS = 10e-3  # V


def states(values: Values) -> DrivenStates:
    """States with rates and currents.

    Raises:
        PhysicsError: a value outside what the model is defined for.
    """
    if values["states"] == spin_states.SPIN:
        return _kept(spin_states.junction(values), str(values[KEPT.name]))
    return two_level.States(two_level.junction(values))


def _kept(atom: TunnelJunction, kept: str) -> DrivenStates:
    """The states that take part (Betz et al., Figs. 3 and 4)."""
    if kept == _ALL:
        return atom
    if atom.equation is not Equation.SECULAR:
        raise PhysicsError(f"equation = {atom.equation}: {KEPT.name} = {kept} has rates alone; secular is needed")
    return EffectiveTwoLevel(atom) if kept == _EFFECTIVE else FewerStates(atom, int(kept))


def in_the_course(
    values: Values, times: FloatArray, sweep: Sweep, course: Course, derived: Mapping[str, Derived]
) -> Curves:
    """Current, or occupation of every state, at times of shape (n,) in a period of the periodic steady state."""
    wrong = doubts(values, course.voltages_V)
    if values[QUANTITY.name] == _CURRENT:
        curves = {"current": Curve("current", course.currents_A)}
        return Curves(times, curves, "current", "A", sweep, derived, wrong)
    curves = {f"occupation_{k}": Curve(f"state {k}", occupation) for k, occupation in enumerate(course.occupations.T)}
    return Curves(times, curves, "occupation", "", sweep, derived, wrong)


def doubts(values: Values, bias_V: FloatArray) -> tuple[str, ...]:
    """Where the states' model does not hold between these biases, one sentence each."""
    return spin_states.doubts(values, bias_V) if values["states"] == spin_states.SPIN else ()


def levels(values: Values) -> dict[str, Derived]:
    """Excitation energies of a spin; nothing of two levels, whose energies are not known."""
    if values["states"] != spin_states.SPIN:
        return {}
    excitations = spin_states.junction(values).system.eigensystem.excitations_meV
    return {
        f"level_{k}": Derived(f"E{k}", float(energy), "meV", f"energy of the excited state {k}")
        for k, energy in enumerate(excitations[1:], 1)
    }


def measured(values: Values, sequence: str, settings: Mapping[str, float]) -> Measurement:
    """How a sample of these parameters would be measured.

    Raises:
        PhysicsError: not all states are kept.
    """
    if values["states"] == spin_states.SPIN and values[KEPT.name] != _ALL:
        raise PhysicsError(
            f"{KEPT.name} = {values[KEPT.name]}: the simulated microscope has {_ALL} of an atom's states"
        )
    current = float(static_current(states(values), np.array([_SETPOINT_BIAS]))[0])
    told = {"setpoint_bias": _SETPOINT_BIAS, "setpoint_current": current, **settings}
    if values["states"] == spin_states.SPIN:
        return Measurement(sequence, told, spin_states.SAMPLE, spin_states.sample_table(values))
    table = {name: number(values, name) for name in two_level.NAMES}
    return Measurement(sequence, told, "two_level", table)
