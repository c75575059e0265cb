"""Voltage pulses on a junction with states: the mean current of a pulse train, and pump-probe (Betz et al., Fig. S1).

A pulse train is linear in time between its corners. Where the voltage rests, the propagator is exact in one step; ramps
are solved on panels of time (`pulse_panels`). `pulse_response` shows one period step by step, with the rates held at
the middle of equal steps along each ramp. Where levels are close, both take the density matrix (`coherent_drive`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stmlab.physics.arguments import finite, not_negative, positive, real_array, refuse
from stmlab.physics.coherent_drive import coherent_drive, held_states
from stmlab.physics.coherent_pulses import mean_coherent_currents
from stmlab.physics.occupation import generator
from stmlab.physics.pulse_panels import mean_currents
from stmlab.physics.rate_equations import checked_generators, cycle_start, held_steps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stmlab.arrays import FloatArray
    from stmlab.physics.driven import DrivenStates

_TAIL, _SHORTEST_TAIL, _LONGEST_TAIL = 1e-2, 1e-9, 1e-6
"""Legendre coefficients along a ramp that count as nothing, over the root of the tolerance, and their bounds."""


@dataclass(frozen=True)
class Pulse:
    """A pulse with linear edges that adds ``amplitude_V`` to the voltage.

    Attributes:
        start_s: time at which its rising edge passes half of the amplitude.
        width_s: full width at half maximum.
        amplitude_V: height, of either sign.
        rise_s: length of each edge from 0 to 100 %, at most ``width_s``; 0 is a sharp edge.
    """

    start_s: float
    width_s: float
    amplitude_V: float
    rise_s: float = 0.0

    def __post_init__(self) -> None:
        """Raise PhysicsError unless the pulse exists."""
        finite("start_s", self.start_s, "s")
        finite("amplitude_V", self.amplitude_V, "V")
        positive("width_s", self.width_s, "s")
        if not_negative("rise_s", self.rise_s, "s") > self.width_s:
            raise refuse("rise_s", self.rise_s, f"at most width_s = {self.width_s:g} s is needed")

    @property
    def corners_s(self) -> tuple[float, float, float, float]:
        """Start and end of the rising and of the falling edge."""
        half, end = 0.5 * self.rise_s, self.start_s + self.width_s
        return self.start_s - half, self.start_s + half, end - half, end + half

    def at(self, times: FloatArray) -> FloatArray:
        """Height in V at ``times`` in s; undefined at the instant of a sharp edge."""
        begin, top, fall, end = self.corners_s
        if self.rise_s == 0.0:
            return np.where((times > begin) & (times < end), self.amplitude_V, 0.0)
        height: FloatArray = np.interp(times, (begin, top, fall, end), (0.0, self.amplitude_V, self.amplitude_V, 0.0))
        return height


@dataclass(frozen=True)
class PulseTrain:
    """Pulses on a base voltage, repeated for ever; pulses that overlap add.

    Attributes:
        period_s: time after which the train repeats; a pulse that passes its end goes on at its beginning.
        pulses: the pulses of one period, each shorter than the period.
        base_V: voltage between pulses.
    """

    period_s: float
    pulses: tuple[Pulse, ...]
    base_V: float = 0.0

    def __post_init__(self) -> None:
        """Raise PhysicsError unless every pulse fits into the period."""
        positive("period_s", self.period_s, "s")
        finite("base_V", self.base_V, "V")
        for pulse in self.pulses:
            if pulse.width_s + pulse.rise_s > self.period_s:
                raise refuse("width_s + rise_s", pulse.width_s + pulse.rise_s, f"at most {self.period_s:g} s is needed")

    def at(self, times: FloatArray) -> FloatArray:
        """Voltage in V at ``times`` in s."""
        voltages = np.full(np.shape(times), float(self.base_V))
        for pulse in self.pulses:
            begin = pulse.corners_s[0]
            voltages += pulse.at(begin + np.mod(np.asarray(times) - begin, self.period_s))
        return voltages

    def pieces(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """The linear pieces of one period from t = 0: durations in s, voltages at their starts and ends in V."""
        corners = [corner % self.period_s for pulse in self.pulses for corner in pulse.corners_s]
        edges = np.unique([0.0, *corners, self.period_s])
        edges = edges[np.diff(edges, prepend=-np.inf) > 1e-12 * self.period_s]
        edges[-1] = self.period_s
        durations = np.diff(edges)
        early, late = self.at(edges[:-1] + 0.25 * durations), self.at(edges[:-1] + 0.75 * durations)
        return durations, 1.5 * early - 0.5 * late, 1.5 * late - 0.5 * early


@dataclass(frozen=True, eq=False)
class PulseResponse:
    """One period of the periodic steady state, step by step.

    Attributes:
        times_s: shape (S,), middles of the steps.
        durations_s: shape (S,), lengths of the steps.
        voltages_V: shape (S,), held during each step.
        occupations: shape (S, n), averaged over each step.
        currents_A: shape (S,), averaged over each step.
    """

    times_s: FloatArray
    durations_s: FloatArray
    voltages_V: FloatArray
    occupations: FloatArray
    currents_A: FloatArray

    @property
    def mean_current_A(self) -> float:
        """Current averaged over the period."""
        return float(self.currents_A @ self.durations_s / self.durations_s.sum())


def pulse_response(states: DrivenStates, train: PulseTrain, *, steps_per_ramp: int = 64) -> PulseResponse:
    """The periodic steady state of ``states`` under ``train``; each ramp is held in ``steps_per_ramp`` steps."""
    durations, voltages = _steps(train, steps_per_ramp)
    middles = np.cumsum(durations) - 0.5 * durations
    if (coherent := coherent_drive(states, voltages)) is not None:
        generators, each = coherent.at(voltages)
        found = held_states(generators, durations, coherent.weights)
        shares = coherent.occupations(found)
        return PulseResponse(middles, durations, voltages, shares, (each * found).sum(axis=1))
    steps, means = held_steps(checked_generators("states.rates", generator(states.rates(voltages))), durations)
    occupation = cycle_start(steps)
    occupations = np.empty((len(voltages), steps.shape[-1]))
    for j, (step, mean) in enumerate(zip(steps, means, strict=True)):
        occupations[j] = mean @ occupation
        occupation = step @ occupation
    currents = (states.state_currents(voltages) * occupations).sum(axis=1)
    return PulseResponse(middles, durations, voltages, occupations, currents)


def mean_pulsed_currents(states: DrivenStates, trains: Sequence[PulseTrain], *, tolerance: float = 1e-9) -> FloatArray:
    """Currents averaged over a period of each train, in A, shape (T,).

    Args:
        states: rates and currents as functions of the voltage.
        trains: the voltages; what their ramps have in common is computed once.
        tolerance: largest error of an occupation; ramps are resolved accordingly, and at least to 1e-12.

    Raises:
        PhysicsError: ``tolerance`` is not above zero, the rates are none, or ramps are too sharp for them.
    """
    tail = float(np.clip(_TAIL * np.sqrt(positive("tolerance", tolerance)), _SHORTEST_TAIL, _LONGEST_TAIL))
    pieces = []
    for train in trains:
        durations, starts, ends = train.pieces()
        swing = abs(train.base_V) + sum(abs(pulse.amplitude_V) for pulse in train.pulses)
        pieces.append((durations, starts, np.where(np.abs(ends - starts) <= 1e-12 * swing, starts, ends)))
    passed = np.concatenate([voltages for _, *ends in pieces for voltages in ends] or [np.zeros(1)])
    if (coherent := coherent_drive(states, passed)) is not None:
        return mean_coherent_currents(coherent, pieces, tolerance)
    return mean_currents(states, pieces, tail=tail)


def mean_pulsed_current(states: DrivenStates, train: PulseTrain, *, tolerance: float = 1e-9) -> float:
    """`mean_pulsed_currents` of one train, in A."""
    return float(mean_pulsed_currents(states, [train], tolerance=tolerance)[0])


def pump_probe_current(
    states: DrivenStates,
    pump: Pulse,
    probe: Pulse,
    delays_s: FloatArray,
    *,
    period_s: float,
    base_V: float = 0.0,
    tolerance: float = 1e-9,
) -> FloatArray:
    """Mean current against the delay from pump to probe (Betz et al., Fig. S1); shape (D,) in A.

    Args:
        states: rates and currents as functions of the voltage.
        pump: the pulse that excites.
        probe: the pulse that reads; its ``start_s`` is counted from the pump's, plus the delay.
        delays_s: shape (D,), of either sign.
        period_s: time from pump to pump.
        base_V: voltage between pulses.
        tolerance: see `mean_pulsed_currents`.
    """
    trains = []
    for delay in np.atleast_1d(real_array("delays_s", delays_s, unit="s")):
        shifted = Pulse(pump.start_s + probe.start_s + float(delay), probe.width_s, probe.amplitude_V, probe.rise_s)
        trains.append(PulseTrain(period_s, (pump, shifted), base_V))
    return mean_pulsed_currents(states, trains, tolerance=tolerance)


def _steps(train: PulseTrain, steps_per_ramp: int) -> tuple[FloatArray, FloatArray]:
    """Durations and held voltages: one step where the voltage rests, equal steps along each ramp."""
    lengths, starts, ends = train.pieces()
    swing = np.abs(train.base_V) + sum(abs(pulse.amplitude_V) for pulse in train.pulses)
    counts = np.where(np.abs(ends - starts) <= 1e-12 * swing, 1, steps_per_ramp)
    piece = np.repeat(np.arange(len(counts)), counts)
    place = np.arange(len(piece)) - np.repeat(np.cumsum(counts) - counts, counts)
    fraction = (place + 0.5) / counts[piece]
    return lengths[piece] / counts[piece], starts[piece] + fraction * (ends - starts)[piece]
