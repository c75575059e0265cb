"""Horovitz and Henkel, Spin entanglement via scanning tunneling microscope current: the paper beside the model.

hbar = k_B = e = 1. Fig. 2: energies in units of the bias V; Fig. 3: in units of the Larmor energy nu.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.papers.horovitz_entanglement import entanglement_rows
from stmlab.papers.horovitz_systems import EXCHANGE_ONLY, PAPER, WITH_MORIYA
from stmlab.papers.survey import Row, compared, equation, held, independent
from stmlab.physics.operators import pauli_matrices
from stmlab.physics.two_spins import TwoSpins, correlation_spectra, flat_band_integral, induced_interactions

if TYPE_CHECKING:
    from pathlib import Path


_LOCAL = "local master equation, as printed; the global one gives the same lines with other weights"


def rows() -> list[Row]:
    """Every formula, number and statement of the paper that the model speaks to."""
    return [*_couplings(), *_levels(), *_lines(), *entanglement_rows()]


def figures(directory: Path) -> list[Path]:
    """Draw Figs. 2 and 3 into ``directory``; returns the paths of the PNGs."""
    from stmlab.papers.horovitz_figures import draw

    return draw(directory)


def _couplings() -> list[Row]:
    bandwidth, step, phi = 50.0, 0.05, 0.3
    slope = (_line_shift(bandwidth, step) - _line_shift(bandwidth, -step)) / (2.0 * step)
    exchange, moriya = induced_interactions(0.01, 0.009, bandwidth=bandwidth, bias=1.0, theta=0.4, phi=phi)
    second_order = _second_order_interaction(np.sqrt(0.01 * 0.009), bandwidth, 0.4, phi)
    item = "l = (0.01, 0.009), Lambda = 50 V, theta = 0.4, phi = 0.3"
    energy = independent("second-order energy from spin traces and quadrature")
    return [
        compared(
            PAPER,
            "eq. 6: Delta of flat bands, Lambda = 50 V",
            _principal_value(bandwidth),
            flat_band_integral(bandwidth, 1.0),
            "V",
            1e-9,
            "printed as an approximation; exact for flat bands",
            independent("quadrature of the principal value"),
        ),
        compared(
            PAPER,
            "eq. 6: coefficient of nu in the imaginary part, Lambda = 50 V (printed: ln(V / Lambda))",
            float(np.log(1.0 / bandwidth)),
            slope,
            "",
            0.01,
            "wrong sign and half the size: the integral gives 2 ln(Lambda / 2V); it cancels in eq. 7 and shifts nu",
            equation("6"),
        ),
        compared(PAPER, f"eq. 7: J_ex, {item}", second_order[0], exchange, "V", 1e-12, source=energy),
        compared(PAPER, f"eq. 7: J_DM, {item}", second_order[1], moriya, "V", 1e-12, source=energy),
    ]


def _levels() -> list[Row]:
    energies, states = np.linalg.eigh(WITH_MORIYA.hamiltonian)
    root = np.hypot(0.2, 0.2)
    printed = np.sort([2 * root + 0.2, 0.1 - 0.2, -2 * root + 0.2, -0.1 - 0.2])
    singlet = states[:, -1]
    return [
        held(
            PAPER,
            "eq. 9: the four energies, nu = 0.1 V, J_ex = J_DM = 0.2 V",
            ", ".join(f"{energy:.6f}" for energy in printed),
            ", ".join(f"{energy:.6f}" for energy in energies),
            "V",
            bool(np.abs(printed - energies).max() < 1e-12),
            "by diagonalising the Hamiltonian of eq. 7",
            equation("9"),
        ),
        compared(
            PAPER,
            "eq. 9: phase psi of the singlet, J_ex = J_DM = 0.2 V",
            float(np.arctan2(0.2, 0.2)),
            float(np.angle(-singlet[2] / singlet[1])),
            "rad",
            1e-12,
            "from the eigenvector; psi = phi in eq. 7",
            equation("9"),
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
        PAPER,
        f"Fig. 2: line of {name}, {case}, at {line:.5f} V",
        line,
        _peak(system, name, line),
        "V",
        1e-3,
        "largest value of the spectrum",
        equation("9"),
    )


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


def _principal_value(bandwidth: float) -> float:
    """P int (f_L - f_R)/(e_R - e_L) over flat bands, mu_L = V = 1, mu_R = 0 and T = 0, by quadrature over e_L."""
    from scipy.integrate import quad

    def below(left: float) -> float:
        return float(np.log(abs(bandwidth - left)) - np.log(abs(left)))

    def above(left: float) -> float:
        return float(np.log(bandwidth + left) - np.log(left))

    parts = (quad(below, -bandwidth, 0.0), quad(below, 0.0, 1.0), quad(above, 1.0, bandwidth))
    return float(sum(part[0] for part in parts))


def _second_order_interaction(coupling: float, bandwidth: float, theta: float, phi: float) -> tuple[float, float]:
    """J_ex and J_DM of the second-order energy of eq. 3 with spins at rest, its part that conserves tz1 + tz2.

    An electron that tunnels and returns gives tau_a tau_b the energy -2 J_1 J_2 N^2 Delta Re Tr[sigma_a sigma_b u].
    """
    from scipy.linalg import expm

    _, x, y, z = pauli_matrices()
    turn = expm(1j * phi * z) @ expm(0.5j * theta * y)
    tensor = np.array([[np.trace(a @ b @ turn).real for b in (x, y)] for a in (x, y)])
    strength = 2.0 * coupling / (16.0 * np.pi) * _principal_value(bandwidth)
    exchange = strength * (tensor[0, 0] + tensor[1, 1]) / 2.0
    return float(exchange), float(-strength * (tensor[0, 1] - tensor[1, 0]) / 2.0)
