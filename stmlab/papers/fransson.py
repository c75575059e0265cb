"""Fransson, Ren and Zhu, Electrical and Thermal Control of Magnetic Exchange Interactions: the paper beside the model.

The paper prints formulas, statements and figures whose scales are not in its text, but hardly a number. The rows
therefore hold its formulas and statements against the exact eqs. 5a-5c at the parameters of its Fig. 2 (eps_0 = 0,
T_c = J_1 = J_2 = 1 meV, Gamma = 1/3 meV, T_L = 1 K).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.papers.fransson_formulas import PAPER, at_paper_parameters, formula_rows
from stmlab.papers.fransson_scaling import scaling_rows
from stmlab.papers.survey import Row, compared, equation, held
from stmlab.physics.molecular_dimer import Dimer, Leads
from stmlab.physics.molecular_exchange import molecular_exchange

if TYPE_CHECKING:
    from pathlib import Path

POLARISATIONS = ((0.0, 0.0), (0.5, 0.5), (0.9, 0.9), (0.9, 0.0), (0.0, 0.9))
"""(p_L, p_R) that are looked at; the paper tells those of its curves by colour only."""


def rows() -> list[Row]:
    """Every formula, number and statement of the paper that the model speaks to."""
    return [*formula_rows(), *_equilibrium(), *_driven(), *scaling_rows()]


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
            "from the text after eq. 7",
        ),
        compared(
            PAPER,
            "Fig. 2a: J peaks at the resonances, Re E_+ (p = 0)",
            1.0,
            peak,
            "meV",
            0.05,
            f"J = {at_peak[0]:.4f} meV there; the shift is thermal and that of the width",
            equation("6"),
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
