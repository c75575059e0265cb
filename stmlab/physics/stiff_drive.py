"""The periodic steady state of driven rate equations whose rates may lie any number of decades apart.

Over a period of the drive the occupations are polynomials on panels of time (`stmlab.physics.radau`), narrow where the
rates or the occupations change fast. Within a panel the states are eliminated one after another. With D for d/dt, N_j
for the population that state j stands for (its own, and that of the states above, fed from it) and W_ij for the rates,
now operators on the nodes, state n fulfils

    (D N_n + sum_{i<n} W_in) p_n = sum_{j<n} W_nj p_j,

so that eliminating it adds W_in G_nj to W_ij and N_n G_nj to N_j, G_nj = (D N_n + sum W_in)^-1 W_nj. Exits are summed
and populations are added, as in the elimination of Grassmann, Taksar and Heyman for a steady state (Oper. Res. 33, 1107
(1985)): no rate is ever subtracted from another, so that the fast rates between the states of a well do not drown the
slow one out of it. What a panel makes of each state at its beginning is a matrix of probabilities; their product over
the period has the wanted occupations as its steady state, which is found by the same elimination.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stmlab.errors import PhysicsError
from stmlab.physics.radau import radau
from stmlab.physics.rate_equations import probabilities, settled_occupation

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from stmlab.arrays import ComplexArray, FloatArray

    Rates = Callable[[FloatArray], FloatArray]


NODES = 12
"""Of a panel."""
_TAIL = 1e-6
"""Share of the last Legendre coefficients below which a panel is short enough: averages err by about its square."""
NARROWEST = 2.0**-30
MOST_PANELS = 6000
_EMPTY = 1e-40
"""An occupation below this share need not be resolved."""
_CHUNK = 2_000_000
"""Numbers in the largest array."""


@dataclass(frozen=True, eq=False)
class PeriodicStates:
    """Occupations over one period of the drive, for F frequencies.

    Attributes:
        phases: shape (P,), times over the period, 0 ... 1; P nodes, panel after panel.
        weights: shape (P,), sum to one: the mean over the period of any function is its sum with these.
        rates: shape (P, n, n), at the phases.
        occupations: shape (F, P, n).
        edges: shape (panels + 1,), where the panels begin and end.
    """

    phases: FloatArray
    weights: FloatArray
    rates: FloatArray
    occupations: FloatArray
    edges: FloatArray

    def harmonics(self, count: int) -> ComplexArray:
        """Fourier coefficients 0 ... ``count`` of the occupations, shape (F, count + 1, n)."""
        waves = self.weights * np.exp(-2j * np.pi * np.arange(count + 1)[:, None] * self.phases)
        answer: ComplexArray = waves @ self.occupations
        return answer


def periodic_states(rates: Rates, frequencies_Hz: FloatArray, edges: FloatArray) -> PeriodicStates:
    """The periodic steady state of dp/dt = W(t) p at each frequency of the drive.

    Every occupation is right to about 1e-12 of itself, however small it is and whatever the spread of the rates.

    Args:
        rates: of the phases, shape (P,), 0 ... 1 over the period: shape (P, n, n) in 1/s, [f, i] from i to f, 0 or
            more; the diagonal plays no part.
        frequencies_Hz: shape (F,), 0 or more; at 0 the occupations follow the drive.
        edges: of the panels to begin with, see `equal_panels`; they are halved where the rates or the occupations are
            not smooth.

    Raises:
        PhysicsError: the steady state is not unique, or the drive is too sharp.
    """
    edges = _resolving(rates, edges)
    probes = np.unique(np.sort(frequencies_Hz)[[0, len(frequencies_Hz) // 2, -1]])
    for some in (probes, frequencies_Hz):
        while True:
            phases, weights = _places(edges)
            matrices = without_diagonal(rates(phases))
            found = _occupations(matrices, np.diff(edges), some)
            coarse = coarse_panels(found)
            if not coarse.any():
                break
            edges = _split(edges, coarse)
    return PeriodicStates(phases, weights, matrices, found, edges)


def equal_panels(count: int) -> FloatArray:
    """Edges of so many panels of equal length."""
    return np.linspace(0.0, 1.0, count + 1)


def _resolving(rates: Rates, edges: FloatArray) -> FloatArray:
    """Panels within which every rate is smooth, on the scale of its largest value over the period."""
    while True:
        values = without_diagonal(rates(_places(edges)[0]))
        flat = values.reshape(1, len(values), -1)
        coarse = coarse_panels(flat, flat.max(axis=1)[:, None])
        if not coarse.any():
            return edges
        edges = _split(edges, coarse)


def _split(edges: FloatArray, coarse: NDArray[np.bool_]) -> FloatArray:
    """Halve the panels that are ``coarse``."""
    starts, lengths = edges[:-1][coarse], np.diff(edges)[coarse]
    finer = np.sort(np.concatenate([edges, starts + 0.5 * lengths]))
    if len(finer) > MOST_PANELS or lengths.min() < NARROWEST:
        raise PhysicsError(
            f"rates: {len(edges) - 1} panels of a period, the shortest {lengths.min():.1e} of it, do not resolve how "
            "the rates change within it; a drive without steps, or a smaller one, is needed"
        )
    return finer


def _places(edges: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Phases and weights of the nodes."""
    rule, lengths = radau(NODES), np.diff(edges)[:, None]
    return (edges[:-1, None] + lengths * rule.nodes).ravel(), (lengths * rule.weights).ravel()


def without_diagonal(rates: FloatArray) -> FloatArray:
    """The same rates with a diagonal of zeros, shape (P, n, n)."""
    matrices = np.array(rates, dtype=float)
    states = np.arange(matrices.shape[-1])
    matrices[:, states, states] = 0.0
    return matrices


def coarse_panels(values: FloatArray, least: FloatArray | float = _EMPTY, tail: float = _TAIL) -> NDArray[np.bool_]:
    """Panels that must be halved, shape (M,).

    Args:
        values: shape (F, M s, n), at the nodes of M panels.
        least: changes are measured by the largest value on the panel, or by this, if it is larger.
        tail: largest share of the last Legendre coefficients; averages over a panel err by about its square.
    """
    size = np.abs(radau(NODES).series @ values.reshape(len(values), -1, NODES, values.shape[-1]))
    tails = size[:, :, -2:].max(axis=2) / np.maximum(np.maximum(size.max(axis=2), least), _EMPTY)
    coarse: NDArray[np.bool_] = np.any(tails > tail, axis=(0, 2))
    return coarse


def _occupations(rates: FloatArray, lengths: FloatArray, frequencies_Hz: FloatArray) -> FloatArray:
    """At the nodes of all panels, shape (F, P, n)."""
    states, panels = rates.shape[-1], len(lengths)
    answer = np.empty((len(frequencies_Hz), len(rates), states))
    still = frequencies_Hz == 0.0
    if still.any():
        answer[still] = settled_occupation(rates)
    on_panels = rates.reshape(panels, NODES, states, states)
    together = max(1, _CHUNK // (panels * states**2 * NODES**2))
    moving = np.flatnonzero(~still)
    for first in range(0, moving.size, together):
        some = moving[first : first + together]
        number, panel = (index.ravel() for index in np.indices((some.size, panels)))
        durations = lengths[panel] / frequencies_Hz[some][number]
        responses = panel_responses(on_panels[panel], durations)
        answer[some] = _around(responses.reshape(some.size, panels, NODES, states, states))
    return answer


def panel_responses(rates: FloatArray, durations: FloatArray) -> FloatArray:
    """What becomes of each state at the beginning of each panel.

    Args:
        rates: shape (M, s, n, n), at the nodes of M panels.
        durations: shape (M,), in s.

    Returns:
        Shape (M, s, n, n): occupation [i] at a node, from the state [j] of the last axis at the beginning.
    """
    together = max(1, _CHUNK // (rates.shape[-1] * NODES) ** 2)
    parts = [slice(first, first + together) for first in range(0, max(1, len(rates)), together)]
    return np.concatenate([_responses(rates[part], durations[part]) for part in parts])


def _responses(rates: FloatArray, durations: FloatArray) -> FloatArray:
    """See `panel_responses`."""
    rule, states, node = radau(NODES), rates.shape[-1], np.arange(NODES)
    through = np.zeros((states, states, len(durations), NODES, NODES))  # W_ij
    through[..., node, node] = np.moveaxis(rates, (2, 3), (0, 1)) * durations[:, None]
    population = np.broadcast_to(np.eye(NODES), through.shape[1:]).copy()  # N_j
    source = np.zeros((states, len(durations), NODES, states))
    source[np.arange(states), :, :, np.arange(states)] = -rule.start
    feeds = []
    for state in range(states - 1, 0, -1):
        lower = slice(0, state)
        pivot = rule.derivative @ population[state] + through[lower, state].sum(axis=0)
        answer = _solved(pivot, np.concatenate([*through[state, lower], source[state]], axis=-1))
        feed = np.stack(np.split(answer[..., : state * NODES], state, axis=-1))
        begun = answer[..., state * NODES :]
        through[lower, lower] += through[lower, state, None] @ feed
        population[lower] += population[state] @ feed
        source[lower] += through[lower, state] @ begun
        feeds.append((feed, begun))
    responses = np.empty_like(source)
    responses[0] = _solved(rule.derivative @ population[0], source[0])
    for state, (feed, begun) in enumerate(reversed(feeds), start=1):
        responses[state] = begun + (feed @ responses[:state]).sum(axis=0)
    return np.moveaxis(responses, 0, 2)


def _solved(matrix: FloatArray, right: FloatArray) -> FloatArray:
    """matrix^-1 right; rows of any size are brought to the same one, since rates differ from node to node."""
    size = 1.0 / np.abs(matrix).max(axis=-1, keepdims=True)
    answer: FloatArray = np.linalg.solve(matrix * size, right * size)
    return answer


def _around(responses: FloatArray) -> FloatArray:
    """Occupations that return to themselves after a period, (F, M, s, n, n) to (F, M s, n)."""
    maps, states = responses[:, :, -1], np.arange(responses.shape[-1])
    total = np.broadcast_to(np.eye(len(states)), maps[:, 0].shape)
    for panel in range(maps.shape[1]):
        total = probabilities(maps[:, panel] @ total)
    total = np.maximum(total, 0.0)
    total[:, states, states] = 0.0
    occupation = settled_occupation(total)
    answer = np.empty(responses.shape[:-1])
    for panel in range(maps.shape[1]):
        answer[:, panel] = np.einsum("fsij,fj->fsi", responses[:, panel], occupation)
        occupation = answer[:, panel, -1] / answer[:, panel, -1].sum(axis=1, keepdims=True)
    return answer.reshape(len(answer), -1, len(states))
