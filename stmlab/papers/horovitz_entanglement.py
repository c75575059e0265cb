"""The dark state of Horovitz and Henkel: steady states, their entanglement and how measurements purify them.

Steady states are taken from the kernel of the Liouvillian, apart from the closed form in `stmlab.physics.dark_state`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from stmlab.papers.horovitz_systems import PAPER, SYMMETRIC, UP_DOWN
from stmlab.papers.survey import Row, compared, equation, held
from stmlab.physics.dark_state import dark_state, steady_family, transient
from stmlab.physics.entanglement import (
    concurrence,
    entanglement_of_formation,
    logarithmic_negativity,
    mutual_information,
)
from stmlab.physics.two_spins import ALONG, LOWERING, RAISING, TwoSpins

if TYPE_CHECKING:
    from stmlab.arrays import ComplexArray

_KERNEL = "from the kernel of the Liouvillian"


def entanglement_rows() -> list[Row]:
    """Every formula, number and statement about the dark state."""
    return [*_dark_state(), *_entanglement(), *_transient()]


def _dark_state() -> list[Row]:
    generator = SYMMETRIC.generator.matrix
    flat = dark_state().reshape(-1)
    away = max(float(np.abs(generator @ flat).max()), float(np.abs(flat.conj() @ generator).max()))
    n, state = SYMMETRIC.larmor / SYMMETRIC.bias, _steady(SYMMETRIC, 0.3)
    pair, single, both = (
        float(np.trace(operator @ state).real) for operator in (RAISING[0] @ LOWERING[1], ALONG[0], ALONG[0] @ ALONG[1])
    )
    weak = replace(SYMMETRIC, larmor=0.0125)
    populations = np.diag(_steady(weak, 0.0)).real
    return [
        held(
            PAPER,
            "eq. 10: rate out of and into the dark state",
            "its decay rates vanish precisely",
            away,
            "nu",
            away < 1e-14,
        ),
        held(
            PAPER,
            "eq. 11: dimension of the space of steady states",
            "a one-parameter family",
            SYMMETRIC.generator.steady_dimension,
            "",
            SYMMETRIC.generator.steady_dimension == 2,
            "the trace fixes one dimension",
        ),
        compared(
            PAPER,
            "eq. 11: <tz1> where the dark state has the weight 0.3, V = 1.25 nu",
            -n * (1 + 2 * pair),
            single,
            "",
            1e-12,
            _KERNEL,
            equation("11"),
        ),
        compared(
            PAPER,
            "eq. 11: <tz1 tz2> where the dark state has the weight 0.3, V = 1.25 nu",
            n**2 + 2 * (1 + n**2) * pair,
            both,
            "",
            1e-12,
            _KERNEL,
            equation("11"),
        ),
        compared(
            PAPER,
            "eq. 11, text before it: k_B T of the triplets over V, nu = 0.01 V",
            0.5,
            float(2.0 * weak.larmor / weak.bias / np.log(populations[3] / populations[0])),
            "",
            1e-3,
            _KERNEL,
        ),
    ]


def _entanglement() -> list[Row]:
    from scipy.optimize import brentq, minimize_scalar

    polarisation, wide = 0.4, TwoSpins(larmor=1.0, bias=2.5, coupling_1=0.0126, coupling_2=0.0126, exchange=0.024)
    thresholds = [float(brentq(lambda p, of=of: _negative_eigenvalue(of, p), 0.1, 0.9)) for of in (SYMMETRIC, wide)]
    detuned = TwoSpins(larmor=1.0, bias=2.5, coupling_1=0.0126, coupling_2=0.0125, exchange=0.024)
    uncorrelated = float(mutual_information(detuned.generator.steady_state()))
    nearest = minimize_scalar(
        lambda p: float(mutual_information(steady_family(polarisation, p))), bounds=(0.05, 0.5), method="bounded"
    )
    middle = steady_family(polarisation, 0.5)
    measures = (logarithmic_negativity, concurrence, entanglement_of_formation, mutual_information)
    values = ", ".join(f"{float(measure(middle)):.6f}" for measure in measures)
    return [
        compared(
            PAPER, "Fig. 3: p_c at V = 1.25 nu, where negativity sets in", 0.229, thresholds[0], "", 5e-4, _KERNEL
        ),
        compared(
            PAPER,
            "Fig. 3 left: p_c at V = 2.5 nu, where negativity sets in",
            0.5 * (1.0 - polarisation**2) / (1.0 - polarisation**2 / 3.0),
            thresholds[1],
            "",
            1e-9,
            _KERNEL,
            "from the text after eq. 11",
        ),
        held(
            PAPER,
            "Fig. 3 left: E_N, concurrence, E_F, S_12 at p = 0.5, V = 2.5 nu",
            "entangled beyond p_c, S_12 nonzero nearly everywhere",
            values,
            "",
            float(logarithmic_negativity(middle)) > 0,
            "read off the model; the scale of the printed curves is not in the text",
        ),
        held(
            PAPER,
            "Fig. 3 left: S_12 of the steady state next to the symmetric point (l2 = 0.992 l1)",
            "noncorrelated stationary state",
            uncorrelated,
            "ebit",
            abs(uncorrelated) < 1e-3,
            f"the third arrow, at p = {nearest.x:.4f} in the family",
        ),
    ]


def _transient() -> list[Row]:
    times = np.linspace(0.0, 600.0, 6001)
    plain = transient(SYMMETRIC.generator, UP_DOWN, times)
    dark = np.einsum("ij,tji->t", dark_state(), plain.states).real
    entangled = logarithmic_negativity(plain.states)
    repeated = transient(SYMMETRIC.generator, UP_DOWN, times, measurements=(200.0, 350.0, 500.0))
    purified = logarithmic_negativity(repeated.states)[[1999, 3499, 4999, 6000]]
    spread = ", ".join(f"{value:.4f}" for value in purified)
    chances = ", ".join(f"{100 * chance:.1f} %" for chance in repeated.probabilities)
    return [
        compared(
            PAPER,
            "Fig. 3 right: angular frequency of the populations of |ud> and |du>, J_ex = 0.024 nu",
            2.0 * SYMMETRIC.exchange,
            _oscillation(),
            "nu",
            1e-3,
            "the printed Rabi frequency 2 J_ex is the matrix element; the populations oscillate at 4 J_ex",
            "from the text of Fig. 3",
        ),
        compared(PAPER, "Fig. 3 right: largest weight of the dark state, from |ud>", 0.5, float(dark.max()), "", 1e-9),
        held(
            PAPER,
            "Fig. 3 right: E_N from |ud> at nu t = 10 and 100",
            "entanglement builds up and oscillates",
            f"{entangled[100]:.8f}, {entangled[1000]:.8f}",
            "ebit",
            bool(entangled[100] > 0.1 and entangled[1000] > 0.1),
        ),
        held(
            PAPER,
            "Fig. 3 right: E_N before each of three measurements (nu t = 200, 350, 500) and at the end",
            "each result -1 increases the entanglement",
            spread,
            "ebit",
            bool((np.diff(purified) > 0).all()),
            f"probabilities of -1: {chances}; the printed times and percentages are not in the text",
        ),
    ]


def _steady(system: TwoSpins, dark_weight: float) -> ComplexArray:
    """Where a mixture of the dark state and |uu> ends up: the initial state projected on the kernel; shape (4, 4)."""
    left, singular, right = np.linalg.svd(system.generator.matrix)
    count = int(np.sum(singular < 1e-12 * singular[0]))
    ends, conserved = right[-count:].conj().T, left[:, -count:].conj().T
    start = dark_weight * dark_state() + (1.0 - dark_weight) * np.diag([1.0, 0.0, 0.0, 0.0])
    state: ComplexArray = ends @ np.linalg.solve(conserved @ ends, conserved @ start.reshape(-1))
    return state.reshape(4, 4)


def _negative_eigenvalue(system: TwoSpins, dark_weight: float) -> float:
    """Lowest eigenvalue of the partial transpose of the steady state."""
    state = _steady(system, dark_weight).reshape(2, 2, 2, 2)
    return float(np.linalg.eigvalsh(state.transpose(2, 1, 0, 3).reshape(4, 4))[0])


def _oscillation() -> float:
    """Frequency of the mode that turns |ud> into |du>."""
    values, right = np.linalg.eig(SYMMETRIC.generator.matrix)
    readout = np.diag([0.0, 1.0, -1.0, 0.0]).reshape(-1)
    weights = (readout @ right) * np.linalg.solve(right, UP_DOWN.reshape(-1))
    return float(abs(values[np.argmax(np.abs(weights))].imag))
