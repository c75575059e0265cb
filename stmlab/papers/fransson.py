"""Fransson, Ren and Zhu, Electrical and Thermal Control of Magnetic Exchange Interactions: printed beside computed.

The paper prints formulas, statements and figures whose scales are not in its text, but hardly a number. The rows
therefore hold its formulas and statements against the exact eqs. 5a-5c at the parameters of its Fig. 2 (eps_0 = 0,
T_c = J_1 = J_2 = 1 meV, Gamma = 1/3 meV, T_L = 1 K).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.papers.fransson_formulas import PAPER, at_paper_parameters, formula_rows
from stmlab.papers.survey import Row, compared, held
from stmlab.physics.molecular_dimer import Dimer, Leads
from stmlab.physics.molecular_exchange import MolecularExchange, molecular_exchange

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from stmlab.arrays import FloatArray

POLARISATIONS = ((0.0, 0.0), (0.5, 0.5), (0.9, 0.9), (0.9, 0.0), (0.0, 0.9))
"""(p_L, p_R) that are looked at; the paper tells those of its curves by colour only."""


def rows() -> list[Row]:
    """Every formula, number and statement of the paper that the model speaks to."""
    return [*formula_rows(), *_equilibrium(), *_driven(), *_scaling(), *_ising(), *_moriya()]


def figures(directory: Path) -> list[Path]:
    """Draw Figs. 2, 3 and 4 into ``directory``; returns the paths of the PNGs."""
    from stmlab.papers.fransson_figures import draw

    return draw(directory)


def _equilibrium() -> list[Row]:
    from scipy.optimize import brentq, minimize_scalar

    def heisenberg(mu: float) -> float:
        return float(at_paper_parameters(mu).heisenberg_meV)

    condition = float(np.sqrt(1.0 + (1.0 / 6.0) ** 2 / 16.0))
    zero = float(brentq(heisenberg, 0.5, 1.0))
    peak = float(minimize_scalar(lambda mu: -heisenberg(mu), bounds=(0.9, 1.2), method="bounded").x)
    at_peak = [float(at_paper_parameters(peak, polarisations=p).heisenberg_meV) for p in POLARISATIONS]
    spread = (max(at_peak) - min(at_peak)) / at_peak[0]
    return [
        compared(
            PAPER,
            "eq. 7, text after it: |mu - eps_0| where J changes sign (p = 0)",
            condition,
            zero,
            "meV",
            1e-3,
            "(mu - eps_0)^2 = T_c^2 + (Gamma_s/4)^2 is a zero of the integrand; it lies near the maximum of J",
        ),
        compared(
            PAPER,
            "Fig. 2a: J peaks at the resonances, Re E_+ (p = 0)",
            1.0,
            peak,
            "meV",
            0.05,
            f"J = {at_peak[0]:.4f} meV there; the shift is thermal and that of the width",
        ),
        held(
            PAPER,
            "Fig. 2a: J at mu = -2, 0, 2 meV (p = 0): one sign outside the resonances, the other between",
            "outside and between differ in sign",
            ", ".join(f"{heisenberg(mu):.5f}" for mu in (-2.0, 0.0, 2.0)),
            "meV",
            heisenberg(-2.0) > 0 > heisenberg(0.0) and heisenberg(2.0) > 0,
            "positive (parallel) outside, negative (antiparallel) between",
        ),
        held(
            PAPER,
            "Fig. 2a: relative spread of the peak of J over p = (0,0), (.5,.5), (.9,.9), (.9,0), (0,.9)",
            "depends only weakly on (p_L, p_R)",
            spread,
            "",
            spread < 0.05,
        ),
    ]


def _driven() -> list[Row]:
    along, against = (float(at_paper_parameters(-2.0, v, (0.9, 0.0)).heisenberg_meV) for v in (3.0, -3.0))
    differences = np.linspace(0.0, 400.0, 4001)
    heated = {
        p: molecular_exchange(Dimer(*p), Leads(-2.0, temperature_difference_K=differences)).heisenberg_meV
        for p in POLARISATIONS
    }
    negative = differences[heated[0.9, 0.0] < 0]
    peak = float(differences[np.argmax(heated[0.0, 0.0])])
    return [
        held(
            PAPER,
            "Fig. 2b: J at V = 3 and -3 mV, p = (0.9, 0), mu = -2 meV",
            "stronger when the current flows from stronger to weaker polarisation",
            f"{along:.5f}, {against:.5f}",
            "meV",
            abs(against) > abs(along),
            "holds for the conventional current (electrons leave into the polarised lead, V = -3 mV)",
        ),
        held(
            PAPER,
            "Fig. 2c: temperature difference where J peaks (p = 0, mu = -2 meV)",
            "an initial peak, then a decrease",
            peak,
            "K",
            peak > 0.0 and heated[0.0, 0.0][-1] < 0.2 * heated[0.0, 0.0].max(),
            f"J rises from {heated[0.0, 0.0][0]:.5f} to {heated[0.0, 0.0].max():.5f} meV and falls to "
            f"{heated[0.0, 0.0][-1]:.5f} meV at 400 K",
        ),
        held(
            PAPER,
            "Fig. 2c: temperature differences with the opposite sign of J, p = (0.9, 0)",
            "a sign change for a finite range, by the polarisations",
            f"{negative[0]:.1f} to {negative[-1]:.1f}" if negative.size else "none",
            "K",
            0 < negative.size < differences.size
            and all((heated[p] > 0).all() for p in ((0.0, 0.0), (0.5, 0.5), (0.9, 0.9))),
            "never for p_L = p_R: there J stays positive",
        ),
    ]


def _scaling() -> list[Row]:
    reason = "off resonance at low temperature (mu = -2 meV, 0.1 K, Gamma = 1/3 meV, p = 0.5 or (0.5, 0))"
    off_resonance = [_coupling_exponent(quantity, -2.0, 0.1) for quantity in _QUANTITIES]
    on_resonance = [_coupling_exponent(quantity, -1.0, 1.0) for quantity in _QUANTITIES]
    elsewhere = "; at the resonance (mu = -1 meV, 1 K) the exponent is {:.2f}"
    cubed = "; I is a difference of two terms that are linear in Gamma"
    return [
        compared(PAPER, f"abstract: exponent of {name} in Gamma", printed, off, "", 0.1, reason + note.format(on))
        for name, printed, off, on, note in zip(
            ("J", "I", "D"),
            (1.0, 1.0, 2.0),
            off_resonance,
            on_resonance,
            (elsewhere, elsewhere + cubed, elsewhere),
            strict=True,
        )
    ] + [
        compared(
            PAPER,
            "abstract: exponent of J in the molecular coherence T_c",
            1.0,
            _exponent(lambda t: molecular_exchange(Dimer(tunnelling_meV=t), Leads(-2.0)).heisenberg_meV, 0.01),
            "",
            0.1,
            "T_c << |mu - eps_0|: J starts as T_c^2, which is also the prefactor of eq. 7; I and D carry it too",
        )
    ]


def _ising() -> list[Row]:
    on, off = (float(at_paper_parameters(mu, polarisations=(0.5, 0.5)).ising_meV) for mu in (-1.0, -2.0))
    return [
        held(
            PAPER,
            "Fig. 3: I at the resonance over I at mu = -2 meV, p = (0.5, 0.5)",
            "small everywhere except at the resonances",
            on / off,
            "",
            abs(on / off) > 100.0,
            f"{on:.3e} and {off:.3e} meV",
        ),
        held(
            PAPER,
            "eq. 8: I without polarisation",
            "0",
            float(at_paper_parameters(-1.0, 2.0).ising_meV),
            "meV",
            abs(float(at_paper_parameters(-1.0, 2.0).ising_meV)) < 1e-13,
        ),
        compared(
            PAPER,
            "abstract: exponent of I in the polarisation p_L = p_R",
            1.0,
            _exponent(lambda p: molecular_exchange(Dimer(p, p), Leads(-1.0)).ising_meV, 0.1),
            "",
            0.1,
            "I is even in the polarisations: it starts with their squares and products",
        ),
    ]


def _moriya() -> list[Row]:
    def moriya(p: tuple[float, float], bias: float = 0.1, warmer: float = 0.0) -> float:
        exchange = molecular_exchange(Dimer(*p), Leads(-2.0, bias, temperature_difference_K=warmer))
        return float(exchange.dzyaloshinskii_moriya_meV)

    none, crossed = moriya((0.9, 0.9)), moriya((0.9, -0.9)) / moriya((0.9, 0.0))
    unbiased, reverse = moriya((0.9, 0.0), 0.0), moriya((0.9, 0.0), -1.0) / moriya((0.9, 0.0), 1.0)
    return [
        held(PAPER, "eq. 9: D without bias and temperature difference", "0", unbiased, "meV", unbiased == 0.0),
        held(
            PAPER,
            "eq. 9: D for p_L = p_R = 0.9, V = 0.1 mV",
            "0",
            none,
            "meV",
            abs(none) < 1e-15,
            "in eq. 5c; its principal value, which the paper leaves out, is odd in the bias and does not vanish",
        ),
        compared(PAPER, "eq. 9: D(-V) / D(V), p = (0.9, 0)", -1.0, reverse, "", 1e-9),
        held(
            PAPER,
            "eq. 9: D of p = (0.9, -0.9) over D of (0.9, 0)",
            "largest for antiparallel polarisations",
            crossed,
            "",
            crossed > 1.0,
            "mu = -2 meV, V = 0.1 mV; the prefactor doubles and the resonances sharpen",
        ),
        compared(
            PAPER,
            "Fig. 4b: exponent of D in a small bias (10 uV, mu = -2 meV)",
            1.0,
            _exponent(lambda v: np.array(moriya((0.9, 0.0), v)), 0.01),
            "",
            0.01,
        ),
        compared(
            PAPER,
            "Fig. 4c: exponent of D in a small temperature difference (1 mK, mu = -2 meV)",
            1.0,
            _exponent(lambda t: np.array(moriya((0.9, 0.0), 0.0, t)), 1e-3),
            "",
            0.02,
        ),
        compared(
            PAPER,
            "abstract: exponent of D in the polarisation p_L",
            1.0,
            _exponent(lambda p: np.array(moriya((p, 0.0))), 0.1),
            "",
            0.1,
        ),
    ]


_QUANTITIES: tuple[Callable[[MolecularExchange], FloatArray], ...] = (
    lambda exchange: exchange.heisenberg_meV,
    lambda exchange: exchange.ising_meV,
    lambda exchange: exchange.dzyaloshinskii_moriya_meV,
)


def _coupling_exponent(quantity: Callable[[MolecularExchange], FloatArray], mu: float, temperature: float) -> float:
    """d ln|X| / d ln Gamma; D needs a bias and unequal polarisations."""
    moriya = quantity is _QUANTITIES[2]

    def at(coupling: float) -> FloatArray:
        dimer = Dimer(0.5, 0.0 if moriya else 0.5, left_coupling_meV=coupling / 2, right_coupling_meV=coupling / 2)
        return quantity(molecular_exchange(dimer, Leads(mu, 0.1 if moriya else 0.0, temperature)))

    return _exponent(at, 1.0 / 3.0)


def _exponent(function: Callable[[float], FloatArray], at: float, step: float = 1e-3) -> float:
    """d ln|f| / d ln x."""
    above, below = (float(np.abs(function(at * factor))) for factor in (1.0 + step, 1.0 - step))
    return float(np.log(above / below) / np.log((1.0 + step) / (1.0 - step)))
