"""The formulas of Fransson, Ren and Zhu beside the exact eqs. 5a-5c."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.papers.survey import Row, compared, held
from stmlab.physics.fermi_integrals import Contour, fermi_integrals
from stmlab.physics.molecular_dimer import Dimer, Electrons, Leads
from stmlab.physics.molecular_exchange import Form, MolecularExchange, molecular_exchange

if TYPE_CHECKING:
    from stmlab.arrays import ComplexArray

PAPER = "fransson"


def formula_rows() -> list[Row]:
    """Eqs. 4 to 9 and what the text says of their signs."""
    return [*_formulas(), *_printed_forms()]


def at_paper_parameters(
    mu: float, bias: float = 0.0, polarisations: tuple[float, float] = (0.0, 0.0), form: Form = Form.EXACT
) -> MolecularExchange:
    """J, I and D at the paper's parameters."""
    return molecular_exchange(Dimer(*polarisations), Leads(mu, bias), form)


def _formulas() -> list[Row]:
    pair = at_paper_parameters(mu=-2.0)
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
            float(at_paper_parameters(mu=-1.0).heisenberg_meV),
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
    exact, printed = (at_paper_parameters(-1.0, 0.0, (0.5, 0.5), form) for form in (Form.EXACT, Form.PRINTED))
    driven, driven_printed = (at_paper_parameters(-2.0, 3.0, (0.9, 0.0), form) for form in (Form.EXACT, Form.PRINTED))
    unpolarised = at_paper_parameters(-1.0, form=Form.PRINTED)
    return [
        compared(
            PAPER,
            "eq. 7: J, p = 0, mu = -1 meV",
            float(unpolarised.heisenberg_meV),
            float(at_paper_parameters(-1.0).heisenberg_meV),
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
