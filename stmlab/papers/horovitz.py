"""Horovitz and Henkel, Spin entanglement via scanning tunneling microscope current: printed beside computed.

hbar = k_B = e = 1. Fig. 2: energies in units of the bias V; Fig. 3: in units of the Larmor energy nu.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.papers.horovitz_systems import EXCHANGE_ONLY, SYMMETRIC, UP_DOWN, WITH_MORIYA
from stmlab.papers.survey import Row, Verdict, compared, held
from stmlab.physics.dark_state import bright_state, critical_weight, dark_state, steady_family, transient
from stmlab.physics.entanglement import (
    concurrence,
    entanglement_of_formation,
    logarithmic_negativity,
    mutual_information,
)
from stmlab.physics.two_spins import (
    ALONG,
    LOWERING,
    RAISING,
    TwoSpins,
    correlation_spectra,
    flat_band_integral,
    induced_interactions,
)

if TYPE_CHECKING:
    from pathlib import Path


PAPER = "horovitz"
_LOCAL = "local master equation, as printed; the global one gives the same lines with other weights"


def rows() -> list[Row]:
    """Every formula, number and statement of the paper that the model speaks to."""
    return [*_couplings(), *_levels(), *_lines(), *_dark_state(), *_entanglement(), *_transient()]


def figures(directory: Path) -> list[Path]:
    """Draw Figs. 2 and 3 into ``directory``; returns the paths of the PNGs."""
    from stmlab.papers.horovitz_figures import draw

    return draw(directory)


def _couplings() -> list[Row]:
    bandwidth, step = 50.0, 0.05
    slope = (_line_shift(bandwidth, step) - _line_shift(bandwidth, -step)) / (2.0 * step)
    exchange, moriya = induced_interactions(0.01, 0.009, bandwidth=bandwidth, bias=1.0, theta=0.4, phi=0.3)
    return [
        compared(
            PAPER,
            "eq. 6: Delta of flat bands, Lambda = 50 V",
            bandwidth * np.log(16.0 * bandwidth**2 / (bandwidth**2 - 1.0))
            - np.log((bandwidth + 1.0) / (bandwidth - 1.0)),
            flat_band_integral(bandwidth, 1.0),
            "V",
            1e-9,
            "printed as an approximation; exact for flat bands",
        ),
        compared(
            PAPER,
            "eq. 6: coefficient of nu in the imaginary part, Lambda = 50 V (printed: ln(V / Lambda))",
            float(np.log(1.0 / bandwidth)),
            slope,
            "",
            0.01,
            "wrong sign and half the size: the integral gives 2 ln(Lambda / 2V); it cancels in eq. 7 and shifts nu",
        ),
        compared(PAPER, "eq. 7: J_DM / J_ex at phi = 0.3", float(np.tan(0.3)), moriya / exchange, "", 1e-12),
    ]


def _levels() -> list[Row]:
    worst = max(
        float(np.abs(np.sort(list(system.levels.values())) - np.linalg.eigvalsh(system.hamiltonian)).max())
        for system in (EXCHANGE_ONLY, WITH_MORIYA)
    )
    state = np.array([0.0, 1.0, -np.exp(0.25j * np.pi), 0.0]) / np.sqrt(2.0)
    left_over = WITH_MORIYA.hamiltonian @ state - WITH_MORIYA.levels["S"] * state
    return [
        compared(PAPER, "eq. 9: largest error of the four energies, with and without DM", 0.0, worst, "V", 1e-14),
        compared(
            PAPER,
            "eq. 9: residue of H |S> = E_S |S> with psi = phi = pi/4",
            0.0,
            float(np.abs(left_over).max()),
            "V",
            1e-14,
        ),
    ]


def _lines() -> list[Row]:
    root = float(np.hypot(0.2, 0.2))
    four = (2 * (root - 0.2) - 0.1, 2 * (root - 0.2) + 0.1, 2 * (root + 0.2) - 0.1, 2 * (root + 0.2) + 0.1)
    black = [("C1", 0.1), ("C2", 0.1), ("C2", 0.7), ("C2", 0.9), ("C3", 0.0), ("C3", 0.8)]
    coloured = [(name, line) for name in ("C1", "C2") for line in four]
    table = [_line_row(EXCHANGE_ONLY, "no DM", name, line) for name, line in black]
    table += [_line_row(WITH_MORIYA, "J_DM = 0.2 V", name, line) for name, line in coloured]
    weak = [_height(WITH_MORIYA, "C1", line) for line in four]
    even = [_height(WITH_MORIYA, "C2", line) for line in four]
    forbidden = max(_height(EXCHANGE_ONLY, "C1", line) for line in (0.7, 0.9)) / _height(EXCHANGE_ONLY, "C1", 0.1)
    slow, bright = np.sort(-np.linalg.eigvals(EXCHANGE_ONLY.generator.matrix).real)[[1, 2]]
    return [
        *table,
        held(
            PAPER,
            "Fig. 2: C1 at 4 J_ex -+ nu over C1 at nu, no DM",
            "no singlet-triplet transitions in ESR",
            forbidden,
            "",
            forbidden < 0.02,
            _LOCAL,
        ),
        held(
            PAPER,
            "Fig. 2: two upper over two lower lines of C1, with DM (heights)",
            "rather weak",
            (weak[2] + weak[3]) / (weak[0] + weak[1]),
            "",
            weak[2] + weak[3] < 0.5 * (weak[0] + weak[1]),
            _LOCAL,
        ),
        held(
            PAPER,
            "Fig. 2: two upper over two lower lines of C2, with DM (heights)",
            "comparable intensity",
            (even[2] + even[3]) / (even[0] + even[1]),
            "",
            1 / 3 < (even[2] + even[3]) / (even[0] + even[1]) < 3,
            _LOCAL,
        ),
        held(
            PAPER,
            "Fig. 2: width of the narrow over the next decay rate, l = (0.01, 0.009)",
            "C3 has a near delta(w) peak and one of finite width",
            float(slow / bright),
            "",
            bool(slow < 0.01 * bright),
            f"rates {slow:.3e} and {bright:.3e} V",
        ),
    ]


def _line_row(system: TwoSpins, case: str, name: str, line: float) -> Row:
    return compared(
        PAPER, f"Fig. 2: line of {name}, {case}, at {line:.5f} V", line, _peak(system, name, line), "V", 1e-3
    )


def _dark_state() -> list[Row]:
    generator = SYMMETRIC.generator.matrix
    flat = dark_state().reshape(-1)
    away = max(float(np.abs(generator @ flat).max()), float(np.abs(flat.conj() @ generator).max()))
    polarisation = 0.01
    ratio = float((bright_state(polarisation)[3, 3] / bright_state(polarisation)[0, 0]).real)
    return [
        compared(PAPER, "eq. 10: rate out of and into the dark state", 0.0, away, "nu", 1e-14),
        compared(
            PAPER,
            "eq. 11: dimension of the space of steady states (one free parameter)",
            2,
            SYMMETRIC.generator.steady_dimension,
            "",
            0,
        ),
        compared(PAPER, "eq. 11: largest error of <tz1> and <tz1 tz2>, p = 0 ... 1", 0.0, _eq_11_error(), "", 1e-14),
        compared(
            PAPER,
            "eq. 11, text before it: k_B T of the triplets over V, nu = 0.01 V",
            0.5,
            2.0 * polarisation / np.log(ratio),
            "",
            1e-3,
        ),
    ]


def _entanglement() -> list[Row]:
    from scipy.optimize import brentq, minimize_scalar

    polarisation = 0.4
    threshold = float(brentq(lambda p: _negative_eigenvalue(polarisation, p), 0.1, 0.9))
    detuned = TwoSpins(larmor=1.0, bias=2.5, coupling_1=0.0126, coupling_2=0.0125, exchange=0.024)
    uncorrelated = float(mutual_information(detuned.generator.steady_state()))
    nearest = minimize_scalar(
        lambda p: float(mutual_information(steady_family(polarisation, p))), bounds=(0.05, 0.5), method="bounded"
    )
    middle = steady_family(polarisation, 0.5)
    measures = (logarithmic_negativity, concurrence, entanglement_of_formation, mutual_information)
    values = ", ".join(f"{float(measure(middle)):.6f}" for measure in measures)
    return [
        compared(PAPER, "Fig. 3: p_c at V = 1.25 nu", 0.229, critical_weight(0.8), "", 5e-4),
        compared(
            PAPER,
            "Fig. 3 left: p where the negativity sets in, V = 2.5 nu, against the printed p_c(nu/V)",
            0.5 * (1.0 - polarisation**2) / (1.0 - polarisation**2 / 3.0),
            threshold,
            "",
            1e-9,
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
        compared(
            PAPER,
            "Fig. 3 left: S_12 of the steady state next to the symmetric point (l2 = 0.992 l1)",
            0.0,
            uncorrelated,
            "ebit",
            1e-3,
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
        Row(
            PAPER,
            "Fig. 3 right: angular frequency of the populations of |ud> and |du>, J_ex = 0.024 nu",
            2.0 * SYMMETRIC.exchange,
            _oscillation(),
            "nu",
            Verdict.DIFFERS,
            "the printed Rabi frequency 2 J_ex is the matrix element; the populations oscillate at 4 J_ex",
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


def _peak(system: TwoSpins, name: str, line: float) -> float:
    """Where the spectrum is highest within 0.03 V of ``line``."""
    from scipy.optimize import minimize_scalar

    bounds = (line - 0.03, line + 0.03)
    return float(minimize_scalar(lambda w: -_height(system, name, w), bounds=bounds, method="bounded").x)


def _height(system: TwoSpins, name: str, angular: float) -> float:
    spectra = correlation_spectra(system, np.array([angular]))
    values = {"C1": spectra.both_spins, "C2": spectra.one_spin, "C3": spectra.double_flip}
    return float(values[name][0])


def _line_shift(bandwidth: float, larmor: float) -> float:
    """The principal value in eq. 5 without its factor i, for flat bands, mu_L = V = 1, mu_R = 0 and T = 0."""

    def double(low: float, high: float, bottom: float, top: float, offset: float) -> float:
        """P int dx int dy 1 / (x - y + offset) over a rectangle."""
        corners = np.array([high - bottom, low - top, high - top, low - bottom]) + offset
        values = corners * (np.log(np.abs(corners)) - 1.0)
        return float(values[0] + values[1] - values[2] - values[3])

    backward = double(-bandwidth, 0.0, 1.0, bandwidth, -larmor)
    forward = double(0.0, bandwidth, -bandwidth, 1.0, larmor)
    return backward - forward


def _eq_11_error() -> float:
    n, errors = 0.4, []
    for p in np.linspace(0.0, 1.0, 11):
        state = steady_family(n, float(p))
        pair = float(np.trace(RAISING[0] @ LOWERING[1] @ state).real)
        single = float(np.trace(ALONG[0] @ state).real)
        both = float(np.trace(ALONG[0] @ ALONG[1] @ state).real)
        errors += [abs(single + n * (1 + 2 * pair)), abs(both - n**2 - 2 * (1 + n**2) * pair)]
    return max(errors)


def _negative_eigenvalue(polarisation: float, weight: float) -> float:
    """Lowest eigenvalue of the partial transpose of the steady state."""
    state = steady_family(polarisation, weight).reshape(2, 2, 2, 2)
    return float(np.linalg.eigvalsh(state.transpose(2, 1, 0, 3).reshape(4, 4))[0])


def _oscillation() -> float:
    """Frequency of the mode that turns |ud> into |du>."""
    values, right = np.linalg.eig(SYMMETRIC.generator.matrix)
    readout = np.diag([0.0, 1.0, -1.0, 0.0]).reshape(-1)
    weights = (readout @ right) * np.linalg.solve(right, UP_DOWN.reshape(-1))
    return float(abs(values[np.argmax(np.abs(weights))].imag))
