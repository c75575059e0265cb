"""The formulas of Fransson, Ren and Zhu, by quadrature, beside the model, which takes eqs. 5a-5c by residues."""

from __future__ import annotations

import numpy as np

from stmlab.models import known, molecules
from stmlab.models.files import case as case_of
from stmlab.papers.fransson_quadrature import (
    Bridge,
    equilibrium_heisenberg,
    heisenberg_and_ising,
    moriya,
    printed_heisenberg,
    printed_ising,
    printed_moriya,
    resonances,
)
from stmlab.papers.survey import Row, compared, equation, held, independent
from stmlab.physics.molecular_dimer import Dimer, Leads
from stmlab.physics.molecular_exchange import MolecularExchange, molecular_exchange

PAPER = "fransson"
_EXACT_MEV = 1e-12
"""Both methods agree within this."""


def formula_rows() -> list[Row]:
    """Eqs. 4 to 9 and what the text says of their signs."""
    return [*_formulas(), *_exact_forms(), *_printed_forms()]


def at_paper_parameters(
    mu: float, bias: float = 0.0, polarisations: tuple[float, float] = (0.0, 0.0)
) -> MolecularExchange:
    """J, I and D at the paper's parameters."""
    kind, case = case_of("molecular_dimer")
    told = dict(zip(("left_polarisation", "right_polarisation"), polarisations, strict=True))
    return molecular_exchange(molecules.dimer(known(kind).values(case | told)), Leads(mu, bias))


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
            equation("4"),
        ),
        compared(
            PAPER,
            "after eq. 5: J = J_1 J_2 sum_s int f G G d eps / 4 pi in equilibrium (p = 0, mu = -1 meV)",
            equilibrium_heisenberg(Bridge(0.0, 0.0, -1.0)),
            float(at_paper_parameters(-1.0).heisenberg_meV),
            "meV",
            _EXACT_MEV,
            "the imaginary part of G G is meant",
            "from the text after eq. 5",
        ),
        _resonances(),
    ]


def _resonances() -> Row:
    """Eq. 6's E_s+- against the eigenvalues of H - i Gamma/2, levels 0 and -0.3 meV, spin up at p = (0.9, 0.2)."""
    left, right = Bridge(0.9, 0.2, 0.0).widths(1)
    printed = resonances(left, right, 0.3)
    eigenvalues = np.linalg.eigvals(np.array([[-0.5j * left, 1.0], [1.0, -0.3 - 0.5j * right]]))
    eigenvalues = eigenvalues[np.argsort(-eigenvalues.real)]
    return held(
        PAPER,
        "eq. 6: E_s+ and E_s- of spin up, levels 0 and -0.3 meV, p = (0.9, 0.2)",
        ", ".join(f"{energy:.6f}" for energy in printed),
        ", ".join(f"{energy:.6f}" for energy in eigenvalues),
        "meV",
        bool(np.abs(printed - eigenvalues).max() < _EXACT_MEV),
        "eigenvalues of the dimer with its self-energies",
        equation("6"),
    )


def _exact_forms() -> list[Row]:
    """The model beside eqs. 5a-5c with Green functions inverted as matrices."""
    bridge = Bridge(0.9, 0.0, -2.0, 3.0)
    model = at_paper_parameters(-2.0, 3.0, (0.9, 0.0))
    heisenberg, ising = heisenberg_and_ising(bridge)
    where, source = "p = (0.9, 0), mu = -2 meV, V = 3 mV", independent("quadrature of the Green functions")
    return [
        compared(PAPER, f"eq. 5{part}: {name}, {where}", reference, float(value), "meV", _EXACT_MEV, source=source)
        for part, name, reference, value in (
            ("a", "J", heisenberg, model.heisenberg_meV),
            ("b", "I", ising, model.ising_meV),
            ("c", "D", moriya(bridge), model.dzyaloshinskii_moriya_meV),
        )
    ]


def _printed_forms() -> list[Row]:
    """Eqs. 7 to 9, evaluated as they stand, beside the exact model."""
    bare, equal, driven = Bridge(0.0, 0.0, -1.0), Bridge(0.5, 0.5, -1.0), Bridge(0.9, 0.0, -2.0, 3.0)
    exact = at_paper_parameters(-1.0, polarisations=(0.5, 0.5))
    return [
        compared(
            PAPER,
            "eq. 7: J, p = 0, mu = -1 meV",
            printed_heisenberg(bare),
            float(at_paper_parameters(-1.0).heisenberg_meV),
            "meV",
            _EXACT_MEV,
            source=equation("7"),
        ),
        compared(
            PAPER,
            "eq. 7: J, p_L = p_R = 0.5, mu = -1 meV",
            printed_heisenberg(equal),
            float(exact.heisenberg_meV),
            "meV",
            _EXACT_MEV,
            "eq. 7 carries same-spin factors twice: it is J + I of eqs. 5, equal to 5a only for p = 0 or p_L = -p_R",
            equation("7"),
        ),
        compared(
            PAPER,
            "eq. 8: I, p_L = p_R = 0.5, mu = -1 meV",
            printed_ising(equal),
            float(exact.ising_meV),
            "meV",
            _EXACT_MEV,
            "eq. 8 is twice eq. 5b",
            equation("8"),
        ),
        compared(
            PAPER,
            "eq. 9: D, p = (0.9, 0), mu = -2 meV, V = 3 mV",
            printed_moriya(driven),
            float(at_paper_parameters(-2.0, 3.0, (0.9, 0.0)).dzyaloshinskii_moriya_meV),
            "meV",
            _EXACT_MEV,
            "eq. 9 is eight times eq. 5c",
            equation("9"),
        ),
    ]
