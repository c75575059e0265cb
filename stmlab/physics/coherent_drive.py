"""Close levels under a bias that moves: the density matrix as a linear system like the rate equation, only larger.

The master equation of `stmlab.physics.coherent` at every moment's bias, d rho/dt = L(V(t)) rho. In real numbers, the
populations and the real and imaginary parts of the coherences, it reads dx/dt = L(t) x with constant trace, and is
solved as rates are: by harmonic balance under a smooth drive, by matrix exponentials where the bias is held. The bias
moves slowly beside the passage of an electron (hbar over kT), so that L follows it at once.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.errors import PhysicsError
from stmlab.physics.arguments import refuse
from stmlab.physics.coherent import takes_coherences
from stmlab.physics.coherent_equation import CoherentEquation, coherent_states, parts
from stmlab.physics.constants import MEV_PER_V
from stmlab.physics.driven import linear_harmonics
from stmlab.physics.electron_jumps import PER_SECOND
from stmlab.physics.junction import Junction

if TYPE_CHECKING:
    from stmlab.arrays import ComplexArray, FloatArray

_LARGEST = 9
"""States beyond which a drive is refused: the system grows with their square, and that times the harmonics."""
_TAYLOR_TERMS, _TAYLOR_RANGE = 12, 1.0 / 4.0
"""Terms of an exponential's series, exact to rounding for a step of this size."""
_TOLERANCE = 1e-7  # of states under a smooth drive
_CHUNK = 4_000_000
"""Numbers in the largest array of one pass."""
_SINGULAR = 1e-8
"""Of a map over one period: what relaxes in it, below which rounding matters to 1e-6."""


def coherent_drive(states: Any, bias_V: FloatArray) -> CoherentDrive | None:
    """The equation of states that are solved with coherences somewhere between biases of shape (V,), else None.

    Raises:
        PhysicsError: there are too many states; COHERENT was asked for, and there is no such equation.
    """
    if not isinstance(states, Junction) or not takes_coherences((states,), MEV_PER_V * np.asarray(bias_V))[0]:
        return None
    return CoherentDrive(states, bias_V)


class CoherentDrive:
    """dx/dt = L(V(t)) x of one junction; x are m = n n real numbers, the density matrix in a basis of its own.

    Args:
        junction: that takes coherences.
        bias_V: shape (V,), all that the drive passes lies between them.

    Raises:
        PhysicsError: there are more states than a drive can have.
    """

    def __init__(self, junction: Junction, bias_V: FloatArray) -> None:
        states = junction.system.dimension
        if states > _LARGEST:
            allowed = f'coherences under a drive are computed for at most {_LARGEST}; equation = "secular" has none'
            raise refuse("system", f"{states} states", allowed)
        self._junction = junction
        ends = MEV_PER_V * np.array([np.min(bias_V), np.max(bias_V)])
        self._basis = CoherentEquation(junction, ends).basis
        self._flat, self._real = _real_numbers(states)
        populations = [*range(states - 1), states**2 - 1]
        self.weights: FloatArray = np.isin(np.arange(states**2), populations).astype(float)
        """Of the trace, shape (m,)."""

    def at(self, bias_V: FloatArray) -> tuple[FloatArray, FloatArray]:
        """L in 1/s, shape (V, m, m), and the current in A of each number of x, shape (V, m), at biases (V,)."""
        different, place = np.unique(bias_V, return_inverse=True)
        generators, currents = [], []
        for part in parts(self._junction, MEV_PER_V * different):
            equation = CoherentEquation(self._junction, part, self._basis)
            generators.append((self._real @ equation.matrix @ self._flat).real * PER_SECOND)
            measured = equation.measured().reshape(len(part), -1)
            currents.append((measured @ self._flat).real / MEV_PER_V)
        return np.concatenate(generators)[place], np.concatenate(currents)[place]

    def static_current(self, bias_V: FloatArray) -> FloatArray:
        """In A where the bias holds still, shape (V,)."""
        different, place = np.unique(bias_V, return_inverse=True)
        currents: FloatArray = coherent_states(self._junction, MEV_PER_V * different)[1] / MEV_PER_V
        return currents[place]

    def slowest_rate(self, bias_V: FloatArray) -> float:
        """Of what relaxes most slowly, averaged over biases of shape (V,), 1/s."""
        decays = np.sort(-np.linalg.eigvals(self.at(bias_V)[0]).real, axis=1)
        return float(decays[:, 1].mean())

    def limits(self, bias_V: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Of drives over biases of shape (k, P): the current at zero frequency less that at infinite, and the rate.

        Returns:
            In A and 1/s, of shape (k,) each.
        """
        slow = self.static_current(bias_V.ravel()).reshape(bias_V.shape).mean(axis=1)
        every = (each.reshape(*bias_V.shape, *each.shape[1:]) for each in self.at(bias_V.ravel()))
        generators, currents = (each.mean(axis=1) for each in every)
        rates: FloatArray = np.sort(-np.linalg.eigvals(generators).real, axis=1)[:, 1]
        return slow - (currents * steady(generators, self.weights)).sum(axis=1), rates

    def occupations(self, states: ComplexArray | FloatArray) -> Any:
        """Of the eigenstates, shape (..., n), from x of shape (..., m), real or harmonics."""
        pairs = self._basis[:, :, None] * self._basis.conj()[:, None]
        return states @ (pairs.reshape(len(pairs), -1) @ self._flat).real.T


def _real_numbers(states: int) -> tuple[ComplexArray, ComplexArray]:
    """From x to flattened density matrices, shape (n n, m), and back; the last population stands last."""
    first, second = np.triu_indices(states, 1)
    flat = np.zeros((states**2, states**2), dtype=complex)
    own = np.arange(states) * (states + 1)
    places = np.concatenate([np.arange(states - 1), [states**2 - 1]])
    flat[own, places] = 1.0
    real = states - 1 + np.arange(len(first))
    above, below = first * states + second, second * states + first
    flat[above, real] = flat[below, real] = 1.0
    flat[above, real + len(first)], flat[below, real + len(first)] = 1j, -1j
    back: ComplexArray = np.linalg.inv(flat).astype(complex)
    return flat, back


def steady(generators: FloatArray, weights: FloatArray) -> FloatArray:
    """x with L x = 0 and ``weights`` @ x = 1, shape (..., m), of L of shape (..., m, m).

    Raises:
        PhysicsError: it is not unique.
    """
    bordered = generators / np.abs(generators).max(axis=(-2, -1), keepdims=True)
    bordered[..., -1, :] = weights
    right = np.zeros(bordered.shape[:-1])
    right[..., -1] = 1.0
    try:
        found: FloatArray = np.linalg.solve(bordered, right[..., None])[..., 0]
    except np.linalg.LinAlgError:
        raise refuse("baths", None, "the steady state is not unique: Bath(spin, conductance_S > 0) is needed") from None
    return found


def held(generators: FloatArray, durations: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Evolution while each L is held: exp(L t), and (1/t) int_0^t exp(L s) ds; both of shape (T, m, m).

    Args:
        generators: shape (T, m, m) in 1/s.
        durations: shape (T,) in s.
    """
    most = max(1, _CHUNK // generators.shape[-1] ** 2)
    pieces = [slice(first, first + most) for first in range(0, len(generators), most)]
    found = [_held(generators[piece] * durations[piece, None, None]) for piece in pieces]
    return np.concatenate([step for step, _ in found]), np.concatenate([mean for _, mean in found])


def _held(scaled: FloatArray) -> tuple[FloatArray, FloatArray]:
    size = float(np.abs(scaled).sum(axis=1).max(initial=0.0))
    halvings = max(0, math.ceil(math.log2(size / _TAYLOR_RANGE))) if size > 0.0 else 0
    scaled = scaled / 2.0**halvings
    unit = np.eye(scaled.shape[-1])
    mean = np.broadcast_to(unit, scaled.shape)
    for number in range(_TAYLOR_TERMS, 0, -1):
        mean = unit + scaled @ mean / (number + 1)
    step = unit + scaled @ mean
    for _ in range(halvings):
        mean = 0.5 * (mean + step @ mean)
        step = step @ step
    return step, mean


def around(steps: FloatArray, weights: FloatArray) -> FloatArray:
    """x at the start of an endless cycle of steps of shape (T, m, m); shape (m,).

    Raises:
        PhysicsError: a period is too short to tell the steady state by.
    """
    while len(steps) > 1:
        odd = steps[-1:] if len(steps) % 2 else steps[:0]
        pairs = steps[: len(steps) - len(odd)]
        steps = np.concatenate([pairs[1::2] @ pairs[::2], odd])
    size = len(weights)
    bordered = steps[0] - np.eye(size)
    bordered[-1] = weights
    if np.linalg.svd(bordered, compute_uv=False)[-1] < _SINGULAR:
        raise PhysicsError(
            "equation: over one period of the drive the spins relax by less than rounding, and the density matrix in "
            'it is not determined; equation = "secular" leaves coherences out'
        )
    found: FloatArray = np.linalg.solve(bordered, np.eye(size)[-1])
    return found


def held_states(generators: FloatArray, durations: FloatArray, weights: FloatArray) -> FloatArray:
    """x averaged over each of T steps of an endless cycle; shape (T, m)."""
    steps, means = held(generators, durations)
    state = around(steps, weights)
    found = np.empty((len(steps), len(state)))
    for number, (step, mean) in enumerate(zip(steps, means, strict=True)):
        found[number] = mean @ state
        state = step @ state
        state /= weights @ state
    return found


def mean_driven_current(drive: CoherentDrive, voltages: FloatArray, frequency_Hz: float, *, smooth: bool) -> float:
    """Current averaged over a period in the periodic steady state, A.

    Args:
        drive: of these voltages.
        voltages: shape (T,), V at evenly spaced times of one period.
        frequency_Hz: of the period.
        smooth: the voltages are samples of a smooth drive; else each is held.

    Raises:
        PhysicsError: as `around`.
    """
    if smooth:
        generators, currents = drive.at(voltages)
        resolved = _is_resolved(generators)
        harmonics = (
            linear_harmonics(generators, np.array([frequency_Hz]), _TOLERANCE, drive.weights) if resolved else None
        )
        if harmonics is not None:
            mixing = np.fft.rfft(currents, axis=0) / len(currents)
            kept = min(harmonics.shape[1], (len(currents) + 1) // 2)
            mixed = (mixing[:kept].conj() * harmonics[0, :kept]).real.sum(axis=1)
            return float(mixed[0] + 2.0 * mixed[1:].sum())
    first = np.flatnonzero(np.diff(voltages, prepend=np.nan) != 0.0)  # of samples that are alike
    shares = np.diff(first, append=len(voltages)) / len(voltages)
    generators, currents = drive.at(voltages[first])
    states = held_states(generators, shares / frequency_Hz, drive.weights)
    return float(shares @ (currents * states).sum(axis=1))


def _is_resolved(generators: FloatArray) -> bool:
    """Whether the highest harmonics of L, of samples over one period, are so weak that averages do not miss them."""
    moving = np.abs(np.fft.rfft(generators - generators.mean(axis=0), axis=0))
    share = float(moving[-(len(generators) // 8) :].max() / max(float(moving.max()), np.finfo(float).tiny))
    return share**2 <= _TOLERANCE
