"""Muenks et al., Correlation-driven transport asymmetries through coupled spins: printed beside computed.

Second order, thermal occupation and a tip polarised by the initial state unless a row says otherwise (the conventions
in which the asymmetries are closest to the paper's); T = 2 K, steps from four Gaussians fitted within +-10 mV.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from stmlab.papers.muenks_model import (
    ANTIFERROMAGNETIC,
    FERROMAGNETIC,
    IN_FIELD,
    TEMPERATURE_K,
    Steps,
    fitted_steps,
    level_steps,
    steady,
)
from stmlab.papers.survey import Row, compared, held
from stmlab.physics.constants import CONDUCTANCE_QUANTUM_S
from stmlab.physics.occupation import thermal_occupation

if TYPE_CHECKING:
    from pathlib import Path


PAPER = "muenks"


def rows() -> list[Row]:
    """Every number and statement of the paper that the model speaks to."""
    return [*_levels(), *_states(), *_asymmetries(), *_influences(), *_field()]


def figures(directory: Path) -> list[Path]:
    """Draw Figs. 1i-j, 2, 3 and 4c into ``directory``; returns the paths of the PNGs."""
    from stmlab.papers.muenks_figures import draw

    return draw(directory)


def _levels() -> list[Row]:
    tip = ANTIFERROMAGNETIC
    inner, outer = level_steps(tip.system(0.0))
    coupled = level_steps(tip.system(3.6 * 0.3))
    literal = level_steps(tip.system(3.6 * 100.0))
    larger = level_steps(FERROMAGNETIC.system(5.9 * 0.3 / 3.0, 1.5))
    smaller = level_steps(FERROMAGNETIC.system(5.9 * 0.3))
    return [
        compared(PAPER, "Fig. 1e: inner step of an uncoupled CoH", 2.0, float(inner), "meV", 0.5, "around 2 meV"),
        compared(PAPER, "Fig. 1e: outer step of an uncoupled CoH", 5.0, float(outer), "meV", 0.5, "around 5 meV"),
        held(
            PAPER,
            "Fig. 2c: inner and outer step at 0 and 300 nS, Heisenberg",
            "shift to higher energies",
            f"{inner:.4f}, {outer:.4f}; {coupled[0]:.4f}, {coupled[1]:.4f}",
            "meV",
            bool(coupled[0] > inner and coupled[1] > outer),
        ),
        held(
            PAPER,
            "Fig. 2: largest step at 100 nS if J12 = 3.6 meV per nS",
            "slopes of 3.6, 5.9 and 1.1 meV per nS",
            float(literal[-1]),
            "meV",
            bool(literal[-1] < 10.0),
            "the unit is meV per uS (the prefix is lost in the text, as for G11 = 2 uS): the steps are at 5 meV",
        ),
        held(
            PAPER,
            "Fig. 2e: inner and outer step at 300 nS with S2 = 3/2 and a third of J12, beside S2 = 1/2",
            "similar with another proportionality",
            f"{larger[0]:.4f}, {larger[1]:.4f}; {smaller[0]:.4f}, {smaller[1]:.4f}",
            "meV",
            bool(np.abs(larger - smaller).max() < 0.05),
            "exact for Ising coupling",
        ),
    ]


def _states() -> list[Row]:
    eigensystem = ANTIFERROMAGNETIC.system(2.0).eigensystem
    weights = np.max(np.abs(eigensystem.states) ** 2, axis=0)
    occupied = thermal_occupation(eigensystem.energies_meV, TEMPERATURE_K)
    magnetisation = float(occupied @ eigensystem.spin_expectations(0)[:, 2])
    intensities = [tip.system(tip.slope_meV_per_uS * 0.3).eigensystem.steps(0)[1] for tip in _TIPS]
    return [
        held(
            PAPER,
            "Fig. 3c: largest weights of the two lowest doublets, J12 = 2 meV",
            "greater than 0.85",
            f"{weights[0]:.3f}, {weights[2]:.3f}",
            "",
            bool(weights[[0, 2]].min() > 0.85),
        ),
        held(
            PAPER,
            "Fig. 3: magnetisation <S1z> without field, J12 = 2 meV",
            "the time average remains zero",
            magnetisation,
            "",
            abs(magnetisation) < 1e-12,
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


def _asymmetries() -> list[Row]:
    weak, strong = ([fitted_steps(tip.junction(gs)) for tip in _TIPS] for gs in (0.1, 0.3))
    reversed_bias = fitted_steps(replace(ANTIFERROMAGNETIC, correlation=0.5).junction(0.3))
    plain = fitted_steps(replace(ANTIFERROMAGNETIC, correlation=0.0, slope_meV_per_uS=0.0).junction(0.3))
    return [
        held(
            PAPER,
            f"Fig. 2{panel}: eta_o at 100 and 300 nS, C = {tip.correlation:g}",
            f"{sign}, growing with Gs",
            f"{low.outer:.3f}, {high.outer:.3f}",
            "",
            bool(abs(high.outer) > abs(low.outer) and np.sign(high.outer) == -np.sign(tip.correlation)),
            "depends on the fit: a constant term and the window move eta by up to 0.04",
        )
        for panel, sign, tip, low, high in zip("df", ("positive", "negative"), _TIPS, weak, strong, strict=True)
    ] + [
        held(
            PAPER,
            "Figs. 2b: eta_i and eta_o of a bare tip",
            "about 0",
            f"{plain.inner:.1e}, {plain.outer:.1e}",
            "",
            max(abs(plain.inner), abs(plain.outer)) < 1e-3,
        ),
        compared(
            PAPER,
            "Fig. 3d: eta_o with C = +0.5 over that with C = -0.5",
            -1.0,
            reversed_bias.outer / strong[0].outer,
            "",
            1e-3,
            "the sign of the correlation is the sign of the asymmetry",
        ),
    ]


def _influences() -> list[Row]:
    junction = ANTIFERROMAGNETIC.junction(0.3)
    with_potential = fitted_steps(replace(junction, potential_scattering=0.5))
    without = fitted_steps(junction)
    third = [
        fitted_steps(replace(junction, order=3, coupling=-0.1, potential_scattering=potential))
        for potential in (0.0, 0.5)
    ]
    relaxed = [fitted_steps(steady(junction, scattering)).outer for scattering in (0.5e-6, 2e-6, 4e-6)]
    visible = CONDUCTANCE_QUANTUM_S * 1e6 * np.array([0.05, 0.1]) ** 2
    return [
        held(
            PAPER,
            "Methods: change of eta_o by potential scattering U = 0.5 (AFM tip, 300 nS)",
            "marginal",
            with_potential.outer - without.outer,
            "",
            abs(with_potential.outer - without.outer) < 0.01,
            f"second order; in third order (J rho = -0.1) eta_o goes from {third[0].outer:.3f} to {third[1].outer:.3f}",
        ),
        held(
            PAPER,
            "Text: eta_i with U = 0 and 0.5, third order, J rho = -0.1 (AFM tip, 300 nS)",
            "an offset of eta_i could be due to U",
            f"{third[0].inner:.4f}, {third[1].inner:.4f}",
            "",
            abs(third[1].inner - third[0].inner) > 0.005,
            "in second order U changes elastic tunnelling only and leaves both asymmetries alone",
        ),
        held(
            PAPER,
            "Methods: eta_o for G11 = 0.5, 2 and 4 uS (steady state, AFM tip, 300 nS)",
            "only small influence",
            ", ".join(f"{eta:.3f}" for eta in relaxed),
            "",
            max(relaxed) - min(relaxed) < 0.03,
        ),
        compared(PAPER, "Methods: 2e2/h (J rho)^2 for J rho = -0.05", 0.2, float(visible[0]), "uS", 0.05),
        compared(PAPER, "Methods: 2e2/h (J rho)^2 for J rho = -0.1", 0.8, float(visible[1]), "uS", 0.05),
    ]


def _field() -> list[Row]:
    uncoupled, antiferromagnetic, ferromagnetic = (_in_field(j).outer for j in (0.0, 0.6, -0.6))
    zeros = [_zero(False, 2), _zero(True, 2), _zero(True, 3)]
    return [
        held(
            PAPER,
            "Fig. 4c: eta_o at 5 T for J12 = -0.6, 0 and 0.6 meV",
            "only antiferromagnetic coupling decreases it",
            f"{ferromagnetic:.3f}, {uncoupled:.3f}, {antiferromagnetic:.3f}",
            "",
            ferromagnetic > uncoupled > antiferromagnetic,
        ),
        compared(
            PAPER,
            "Fig. 4b: J12 where eta_o = 0 at 5 T (third order, J rho = -0.1, steady state, 700 nS)",
            0.78,
            zeros[2],
            "meV",
            0.01,
            f"{min(zeros):.2f} to {max(zeros):.2f} meV by convention (second order with thermal occupation: "
            f"{zeros[0]:.3f}, with steady state: {zeros[1]:.3f}); C within its error moves it by less than 0.01",
        ),
        compared(
            PAPER,
            "Fig. 4: Gs at which J12 = 0.78 meV, with 1.1 meV/uS (largest Gs of Fig. 4a)",
            700.0,
            0.78 / 1.1 * 1e3,
            "nS",
            15.0,
        ),
    ]


_TIPS = (ANTIFERROMAGNETIC, FERROMAGNETIC)


def _in_field(exchange_meV: float) -> Steps:
    return fitted_steps(IN_FIELD.junction(0.7, exchange_meV))


def _zero(pumped: bool, order: int) -> float:
    """J12 in meV where eta_o vanishes at 5 T and 700 nS."""
    from scipy.optimize import brentq

    def outer(exchange_meV: float) -> float:
        junction = IN_FIELD.junction(0.7, exchange_meV)
        junction = steady(junction) if pumped else junction
        return fitted_steps(replace(junction, order=3, coupling=-0.1) if order == 3 else junction).outer

    return float(brentq(outer, 0.5, 0.9, xtol=1e-4))
