"""Muenks et al., Correlation-driven transport asymmetries through coupled spins: printed beside computed.

T = 2 K, the paper's effective temperature, throughout.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.step_asymmetry import level_steps
from stmlab.papers.muenks_asymmetries import asymmetry_rows
from stmlab.papers.muenks_model import ANTIFERROMAGNETIC, PAPER, TIPS, FunctionalTip, steady
from stmlab.papers.survey import PRINTED, Row, compared, held
from stmlab.physics.constants import CONDUCTANCE_QUANTUM_S

if TYPE_CHECKING:
    from pathlib import Path


def rows() -> list[Row]:
    """Every number and statement of the paper that the model speaks to."""
    return [*_levels(), *_larger_tip_spin(), *_states(), *asymmetry_rows(), *_couplings()]


def figures(directory: Path) -> list[Path]:
    """Draw Figs. 1i-j, 2, 3 and 4c into ``directory``; returns the paths of the PNGs."""
    from stmlab.papers.muenks_figures import draw

    return draw(directory)


def _levels() -> list[Row]:
    tip = ANTIFERROMAGNETIC
    inner, outer = level_steps(tip.system(0.0))
    coupled = level_steps(tip.system(3.6 * 0.3))
    literal = level_steps(tip.system(3.6 * 100.0))
    measured = "around 2 and 5 meV in the text; D = -4.2, E = 0.87 meV of the CoH of Fig. 2c at Gs = 0"
    return [
        compared(PAPER, "Fig. 1e: inner step of an uncoupled CoH", 2.0, float(inner), "meV", 0.5, measured),
        compared(PAPER, "Fig. 1e: outer step of an uncoupled CoH", 5.0, float(outer), "meV", 0.5, measured),
        held(
            PAPER,
            "Fig. 2c: inner and outer step at 0 and 300 nS, Heisenberg, 3.6 meV/uS",
            "shift to higher energies",
            f"{inner:.4f}, {outer:.4f}; {coupled[0]:.4f}, {coupled[1]:.4f}",
            "meV",
            bool(coupled[0] > inner and coupled[1] > outer),
        ),
        held(
            PAPER,
            "Fig. 2c: largest step at 100 nS with the printed slope of 3.6 meV per nS",
            "steps around 2 and 5 meV that shift to higher energies",
            float(literal[-1]),
            "meV",
            bool(literal[-1] < 10.0),
            "the unit is meV per uS (the prefix is lost in the text, as for G11 = 2 uS): the steps are at 1.78 and "
            "5.11 meV",
        ),
    ]


def _larger_tip_spin() -> list[Row]:
    """The slopes J12/Gs with which S2 = 3/2 comes closest to S2 = 1/2."""
    from scipy.optimize import minimize_scalar

    def distance(tip: FunctionalTip, share: float) -> float:
        exchanges = [tip.slope_meV_per_uS * conductance_uS for conductance_uS in (0.1, 0.2, 0.3)]
        pairs = [(level_steps(tip.system(share * j, 1.5)), level_steps(tip.system(j))) for j in exchanges]
        return max(float(np.abs(larger - smaller).max()) for larger, smaller in pairs)

    found = [minimize_scalar(lambda x, tip=tip: distance(tip, x), bounds=(0.2, 0.8), method="bounded") for tip in TIPS]
    return [
        held(
            PAPER,
            "Text: largest difference of the steps at 100, 200 and 300 nS between S2 = 3/2, with a slope of its own, "
            "and S2 = 1/2; AFM and FM tip",
            "similar with another proportionality",
            ", ".join(f"{best.fun:.4f}" for best in found),
            "meV",
            all(best.fun < 0.1 for best in found),
            "slopes " + " and ".join(f"{best.x:.3f}" for best in found) + " of the printed ones; exact for the Ising "
            "coupling of the FM tip, where S2z = 3/2 and 1/2 differ in size only",
        )
    ]


def _states() -> list[Row]:
    weights = np.max(np.abs(ANTIFERROMAGNETIC.system(2.0).eigensystem.states) ** 2, axis=0)
    driven = steady(ANTIFERROMAGNETIC.junction(0.3, 2.0))
    bias = np.array([0.0, 8e-3])
    magnetisation = np.abs(driven.occupations(bias) @ driven.system.eigensystem.spin_expectations(0)[:, 2]).max()
    intensities = [tip.system(tip.slope_meV_per_uS * 0.3).eigensystem.steps(0)[1] for tip in TIPS]
    return [
        held(
            PAPER,
            "Fig. 3c: largest weights of the two lowest doublets, J12 = 2 meV",
            "greater than 0.85",
            f"{weights[0]:.3f}, {weights[2]:.3f}",
            "",
            bool(weights[[0, 2]].min() > 0.85),
            source=PRINTED,
        ),
        held(
            PAPER,
            "Fig. 3: largest magnetisation |<S1z>| without field, J12 = 2 meV, steady state at 0 and 8 mV",
            "the time average remains zero",
            float(magnetisation),
            "",
            bool(magnetisation < 1e-12),
            "C = -0.5, Gs = 300 nS, G11 = 2 uS",
        ),
        held(
            PAPER,
            "Figs. 1g, 1h: intensity of the inner over the outer step at 300 nS, both tips (1 without coupling)",
            "decreased intensity of the lower steps",
            ", ".join(f"{inner / outer:.3f}" for inner, outer in intensities),
            "",
            bool(all(inner < 0.8 * outer for inner, outer in intensities)),
        ),
    ]


def _couplings() -> list[Row]:
    visible = CONDUCTANCE_QUANTUM_S * 1e6 * np.array([0.05, 0.1]) ** 2
    return [
        compared(PAPER, "Methods: 2e2/h (J rho)^2 for J rho = -0.05", 0.2, float(visible[0]), "uS", 0.05),
        compared(PAPER, "Methods: 2e2/h (J rho)^2 for J rho = -0.1", 0.8, float(visible[1]), "uS", 0.05),
        compared(
            PAPER,
            "Fig. 4: Gs at which J12 = 0.78 meV, with 1.1 meV/uS (largest Gs of Fig. 4a)",
            700.0,
            0.78 / 1.1 * 1e3,
            "nS",
            15.0,
        ),
    ]
