"""Fransson, Ren and Zhu, Electrical and Thermal Control of Magnetic Exchange Interactions: printed beside computed.

The paper prints formulas, statements and figures whose scales are not in its text, but hardly a number. The rows
therefore hold its formulas and statements against the exact eqs. 5a-5c at the parameters of its Fig. 2 (eps_0 = 0,
T_c = J_1 = J_2 = 1 meV, Gamma = 1/3 meV, T_L = 1 K).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.papers.survey import Row, compared, held
from stmlab.physics.fermi_integrals import Contour, fermi_integrals
from stmlab.physics.molecular_dimer import Dimer, Electrons, Leads
from stmlab.physics.molecular_exchange import Form, MolecularExchange, molecular_exchange

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from stmlab.arrays import ComplexArray, FloatArray

PAPER = "fransson"
POLARISATIONS = ((0.0, 0.0), (0.5, 0.5), (0.9, 0.9), (0.9, 0.0), (0.0, 0.9))
"""(p_L, p_R) that are looked at; the paper tells those of its curves by colour only."""


def rows() -> list[Row]:
    """Every formula, number and statement of the paper that the model speaks to."""
    return [*_formulas(), *_printed_forms(), *_equilibrium(), *_driven(), *_scaling(), *_ising(), *_moriya()]


def figures(directory: Path) -> list[Path]:
    """Draw Figs. 2, 3 and 4 into ``directory``; returns the paths of the PNGs."""
    from stmlab.papers.fransson_figures import draw

    return draw(directory)


def _formulas() -> list[Row]:
    pair = _exchange(mu=-2.0)
    up = np.array([0.0, 0.0, 0.5])
    parallel_minus_antiparallel = 2.0 * float(up @ pair.tensor_meV() @ up)
    dimer, leads = Dimer(0.9, 0.2, level_2_meV=0.3), Leads(-0.9, 1.0)
    mirrored = Dimer(0.2, 0.9, 0.3, 0.0)
    there = float(molecular_exchange(dimer, leads).dzyaloshinskii_moriya_meV)
    back = float(molecular_exchange(mirrored, Leads(-0.9, -1.0)).dzyaloshinskii_moriya_meV)
    return [
        held(
            PAPER,
            "eq. 5, sentence after it: energy of parallel minus antiparallel spins 1/2 where J > 0 (mu = -2 meV)",
            "> 0: positive J is antiferromagnetic",
            parallel_minus_antiparallel,
            "meV",
            parallel_minus_antiparallel > 0,
            "with H = -S_m J S_n (eq. 4) and J of eq. 5a a positive J favours parallel moments; every 'ferromagnetic' "
            "and 'anti-ferromagnetic' of the text is to be exchanged",
        ),
        compared(
            PAPER,
            "eq. 4: D_21 / D_12 of eq. 5c, as its sum over mn needs it",
            -1.0,
            back / there,
            "",
            1e-9,
            "eq. 5c is even in mn, so D cancels in the printed sum: it is a torque of the spin current without "
            "reaction. In addition D x S_n must read S_n x D (the trace of eq. 3; linear response agrees), the last "
            "term of eq. 5c + g(1)>_mn g(0)<_nm, and each pair counts once",
        ),
        compared(
            PAPER,
            "after eq. 5: J = J_1 J_2 sum_s int f G G d eps / 4 pi in equilibrium (p = 0, mu = -1 meV)",
            float(_equilibrium_formula(-1.0)),
            float(_exchange(mu=-1.0).heisenberg_meV),
            "meV",
            1e-12,
            "the imaginary part of G G is meant",
        ),
        compared(
            PAPER,
            "eq. 6: largest distance of the resonances from the zeros of det G^-1 (unequal levels, p = 0.9, 0.2)",
            0.0,
            _resonance_error(dimer),
            "meV",
            1e-14,
        ),
    ]


def _printed_forms() -> list[Row]:
    exact, printed = (_exchange(-1.0, 0.0, (0.5, 0.5), form) for form in (Form.EXACT, Form.PRINTED))
    driven, driven_printed = (_exchange(-2.0, 3.0, (0.9, 0.0), form) for form in (Form.EXACT, Form.PRINTED))
    unpolarised = _exchange(-1.0, form=Form.PRINTED)
    return [
        compared(
            PAPER,
            "eq. 7: J, p = 0, mu = -1 meV",
            float(unpolarised.heisenberg_meV),
            float(_exchange(-1.0).heisenberg_meV),
            "meV",
            1e-12,
        ),
        compared(
            PAPER,
            "eq. 7: J, p_L = p_R = 0.5, mu = -1 meV",
            float(printed.heisenberg_meV),
            float(exact.heisenberg_meV),
            "meV",
            1e-12,
            "eq. 7 carries same-spin factors twice: it is J + I of eqs. 5, equal to 5a only for p = 0 or p_L = -p_R",
        ),
        compared(
            PAPER,
            "eq. 8: I, p_L = p_R = 0.5, mu = -1 meV",
            float(printed.ising_meV),
            float(exact.ising_meV),
            "meV",
            1e-12,
            "eq. 8 is twice eq. 5b",
        ),
        compared(
            PAPER,
            "eq. 9: D, p = (0.9, 0), mu = -2 meV, V = 3 mV",
            float(driven_printed.dzyaloshinskii_moriya_meV),
            float(driven.dzyaloshinskii_moriya_meV),
            "meV",
            1e-12,
            "eq. 9 is eight times eq. 5c",
        ),
    ]


def _equilibrium() -> list[Row]:
    from scipy.optimize import brentq, minimize_scalar

    def heisenberg(mu: float) -> float:
        return float(_exchange(mu).heisenberg_meV)

    condition = float(np.sqrt(1.0 + (1.0 / 6.0) ** 2 / 16.0))
    zero = float(brentq(heisenberg, 0.5, 1.0))
    peak = float(minimize_scalar(lambda mu: -heisenberg(mu), bounds=(0.9, 1.2), method="bounded").x)
    at_peak = [float(_exchange(peak, polarisations=p).heisenberg_meV) for p in POLARISATIONS]
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
    along, against = (float(_exchange(-2.0, v, (0.9, 0.0)).heisenberg_meV) for v in (3.0, -3.0))
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
    on, off = (float(_exchange(mu, polarisations=(0.5, 0.5)).ising_meV) for mu in (-1.0, -2.0))
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
            float(_exchange(-1.0, 2.0).ising_meV),
            "meV",
            abs(float(_exchange(-1.0, 2.0).ising_meV)) < 1e-13,
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


def _exchange(
    mu: float, bias: float = 0.0, polarisations: tuple[float, float] = (0.0, 0.0), form: Form = Form.EXACT
) -> MolecularExchange:
    """J, I and D at the paper's parameters."""
    return molecular_exchange(Dimer(*polarisations), Leads(mu, bias), form)


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


def _equilibrium_formula(mu: float) -> float:
    """The formula after eq. 5 at p = 0, with the imaginary part of G_12 G_21 = (T_c / D)^2."""
    leads = Leads(mu)

    def integrand(contour: Contour) -> ComplexArray:
        retarded, advanced = (1.0 / gaps.prod(axis=0) ** 2 for gaps in (contour.below, contour.above))
        answer: ComplexArray = ((retarded - advanced) / 2j)[None, None]
        return answer

    poles = _electrons(Dimer()).poles[:, :2]
    potentials, thermal = leads.chemical_potentials_meV[None, :1], leads.thermal_energies_meV[None, :1]
    integral = fermi_integrals(integrand, poles, potentials, thermal)
    return float(2.0 * integral[0, 0, 0] / (4.0 * np.pi))


def _resonance_error(dimer: Dimer) -> float:
    """Eq. 6's E_s+- against the zeros of the determinant, for one dimer."""
    electrons = _electrons(dimer)
    first, second = electrons.levels[:, 0, 0], electrons.levels[:, 1, 0]
    left, right = electrons.left[:, 0], electrons.right[:, 0]
    root = np.sqrt((first - second - 0.5j * (left - right)) ** 2 + 4.0 * electrons.tunnelling_squared)
    printed = np.stack([(first + second + sign * root - 0.5j * (left + right)) / 2 for sign in (1, -1)], axis=1)
    return float(np.abs(printed.ravel() - electrons.poles[0]).max())


def _electrons(dimer: Dimer) -> Electrons:
    return Electrons(**{name: np.atleast_1d(value) for name, value in dimer.arguments.items()})
