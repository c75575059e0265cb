"""The asymmetries of Muenks et al.: what the steps' heights at both polarities say of C, U, G11 and J12.

Second order, thermal occupation and a tip polarised by the initial state unless a row says otherwise (the conventions
in which the asymmetries are closest to the paper's); T = 2 K, steps from four Gaussians fitted within +-10 mV.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.step_asymmetry import Steps, fitted_steps
from stmlab.papers.muenks_model import ANTIFERROMAGNETIC, IN_FIELD, PAPER, TIPS, steady
from stmlab.papers.survey import Row, compared, held

if TYPE_CHECKING:
    from stmlab.physics.transport import TunnelJunction


def asymmetry_rows() -> list[Row]:
    """Every number and statement about eta_i and eta_o."""
    return [*_asymmetries(), *_potential(), *_relaxation(), *_field()]


def _asymmetries() -> list[Row]:
    weak, strong = ([fitted_steps(tip.junction(gs)) for tip in TIPS] for gs in (0.1, 0.3))
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
            "second order, thermal occupation; a constant term of the fit and its window move eta by up to 0.04",
        )
        for panel, sign, tip, low, high in zip("df", ("positive", "negative"), TIPS, weak, strong, strict=True)
    ] + [
        held(
            PAPER,
            "Figs. 2b: eta_i and eta_o of a bare tip",
            "about 0",
            f"{plain.inner:.1e}, {plain.outer:.1e}",
            "",
            max(abs(plain.inner), abs(plain.outer)) < 1e-3,
        ),
        held(
            PAPER,
            "Fig. 3d: eta_o with C = -0.5 and +0.5, otherwise the AFM tip at 300 nS",
            "AFM correlation enhances the conductance at negative bias, FM correlation at positive",
            f"{strong[0].outer:.3f}, {reversed_bias.outer:.3f}",
            "",
            strong[0].outer > 0 > reversed_bias.outer,
        ),
    ]


def _potential() -> list[Row]:
    """U matters in third order only: in second order it scatters elastically and leaves both steps alone."""
    junction = ANTIFERROMAGNETIC.junction(0.3)
    thermal, driven = ({j: _with_potential(of, j) for j in (-0.05, -0.1)} for of in (junction, steady(junction)))
    outer = {j: tuple(steps.outer for steps in pair) for j, pair in thermal.items()}
    pumped = {j: tuple(steps.outer for steps in pair) for j, pair in driven.items()}
    return [
        held(
            PAPER,
            f"Text: eta_o with U = 0 and 0.5, third order, J rho = {coupling:g} (AFM tip, 300 nS)",
            "only marginal influence",
            f"{without:.3f}, {with_potential:.3f}",
            "",
            abs(with_potential / without - 1) < 0.1,
            "marginal: less than C's printed error of 10 %; with steady-state occupation {:.3f}, {:.3f}".format(
                *pumped[coupling]
            ),
        )
        for coupling, (without, with_potential) in outer.items()
    ] + [
        held(
            PAPER,
            "Text: eta_i with U = 0 and 0.5, third order, J rho = -0.05; -0.1 (AFM tip, 300 nS)",
            "an offset of eta_i could be due to U",
            "; ".join(f"{without.inner:.4f}, {potential.inner:.4f}" for without, potential in thermal.values()),
            "",
            all(abs(potential.inner - without.inner) > 0.02 for without, potential in thermal.values()),
        )
    ]


def _with_potential(junction: TunnelJunction, coupling: float) -> tuple[Steps, Steps]:
    """Third order without and with U = 0.5."""
    third = replace(junction, order=3, coupling=coupling)
    return fitted_steps(third), fitted_steps(replace(third, potential_scattering=0.5))


def _relaxation() -> list[Row]:
    junction = ANTIFERROMAGNETIC.junction(0.3)
    relaxed = [fitted_steps(steady(junction, scattering)).outer for scattering in (0.5e-6, 2e-6, 4e-6)]
    return [
        held(
            PAPER,
            "Methods: eta_o for G11 = 0.5, 2 and 4 uS (steady state, AFM tip, 300 nS)",
            "only small influence",
            ", ".join(f"{eta:.3f}" for eta in relaxed),
            "",
            max(relaxed) - min(relaxed) < 0.03,
        )
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
    ]


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
