"""How J, I and D of Fransson, Ren and Zhu depend on couplings, polarisations, bias and temperature difference."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.papers.fransson_formulas import PAPER, at_paper_parameters
from stmlab.papers.fransson_quadrature import Bridge, heisenberg_and_ising, moriya
from stmlab.papers.survey import Row, held
from stmlab.physics.molecular_dimer import Dimer, Leads
from stmlab.physics.molecular_exchange import MolecularExchange, molecular_exchange

if TYPE_CHECKING:
    from collections.abc import Callable

    from stmlab.arrays import FloatArray

_BY_QUADRATURE = "from the Green functions by quadrature"


def scaling_rows() -> list[Row]:
    """The statements of abstract and text on exponents and signs."""
    return [*_scaling(), *_ising(), *_moriya()]


def _scaling() -> list[Row]:
    reason = "off resonance at low temperature (mu = -2 meV, 0.1 K, Gamma = 1/3 meV, p = 0.5 or (0.5, 0))"
    off_resonance = [_coupling_exponent(quantity, -2.0, 0.1) for quantity in _QUANTITIES]
    on_resonance = [_coupling_exponent(quantity, -1.0, 1.0) for quantity in _QUANTITIES]
    elsewhere = "; at the resonance (mu = -1 meV, 1 K) the exponent is {:.2f}"
    cubed = "; I is a difference of two terms that are linear in Gamma"
    return [
        held(PAPER, f"abstract: exponent of {name} in Gamma", words, off, "", abs(off - power) < 0.1, reason + told)
        for name, words, power, off, told in zip(
            ("J", "I", "D"),
            ("scales linearly", "scales linearly", "scales quadratically"),
            (1.0, 1.0, 2.0),
            off_resonance,
            (note.format(on) for note, on in zip((elsewhere, elsewhere + cubed, elsewhere), on_resonance, strict=True)),
            strict=True,
        )
    ] + [
        _linear(
            "abstract: exponent of J in the molecular coherence T_c",
            _exponent(lambda t: molecular_exchange(Dimer(tunnelling_meV=t), Leads(-2.0)).heisenberg_meV, 0.01),
            "T_c << |mu - eps_0|: J starts as T_c^2, which is also the prefactor of eq. 7; I and D carry it too",
        )
    ]


def _linear(item: str, exponent: float, note: str = "") -> Row:
    """The row of a quantity that the paper calls linear in another."""
    return held(PAPER, item, "scales linearly", exponent, "", abs(exponent - 1.0) < 0.1, note)


def _ising() -> list[Row]:
    on, off = (float(at_paper_parameters(mu, polarisations=(0.5, 0.5)).ising_meV) for mu in (-1.0, -2.0))
    _, unpolarised = heisenberg_and_ising(Bridge(0.0, 0.0, -1.0, 2.0))
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
            "eq. 8, text after it: I without polarisation, mu = -1 meV, V = 2 mV",
            "finite only with a spin-polarisation",
            unpolarised,
            "meV",
            abs(unpolarised) < 1e-13,
            _BY_QUADRATURE,
        ),
        _linear(
            "abstract: exponent of I in the polarisation p_L = p_R",
            _exponent(lambda p: molecular_exchange(Dimer(p, p), Leads(-1.0)).ising_meV, 0.1),
            "I is even in the polarisations: it starts with their squares and products",
        ),
    ]


def _moriya() -> list[Row]:
    def along(p: tuple[float, float], bias: float = 0.1, warmer: float = 0.0) -> float:
        exchange = molecular_exchange(Dimer(*p), Leads(-2.0, bias, temperature_difference_K=warmer))
        return float(exchange.dzyaloshinskii_moriya_meV)

    unbiased, none = moriya(Bridge(0.9, 0.0, -2.0)), moriya(Bridge(0.9, 0.9, -2.0, 0.1))
    there, back = along((0.9, 0.0), 1.0), along((0.9, 0.0), -1.0)
    crossed = along((0.9, -0.9)) / along((0.9, 0.0))
    return [
        held(
            PAPER,
            "eq. 9, text after it: D without bias and temperature difference, p = (0.9, 0), mu = -2 meV",
            "needs a bias or a temperature difference",
            unbiased,
            "meV",
            abs(unbiased) < 1e-13,
            _BY_QUADRATURE,
        ),
        held(
            PAPER,
            "eq. 9: D for p_L = p_R = 0.9, mu = -2 meV, V = 0.1 mV",
            "vanishes with its prefactor",
            none,
            "meV",
            abs(none) < 1e-13,
            f"{_BY_QUADRATURE}; the principal value, which eq. 5c leaves out, is odd in the bias and does not vanish",
        ),
        held(
            PAPER,
            "eq. 9, text after it: D at V = 1 and -1 mV, p = (0.9, 0), mu = -2 meV",
            "its sign is that of the bias",
            f"{there:.4e}, {back:.4e}",
            "meV",
            there * back < 0 and abs(there + back) < 1e-9,
        ),
        held(
            PAPER,
            "eq. 9: D of p = (0.9, -0.9) over D of (0.9, 0)",
            "largest for antiparallel polarisations",
            crossed,
            "",
            crossed > 1.0,
            "mu = -2 meV, V = 0.1 mV; the prefactor doubles and the resonances sharpen",
        ),
        _linear(
            "Fig. 4b: exponent of D in a small bias (10 uV, mu = -2 meV)",
            _exponent(lambda v: np.array(along((0.9, 0.0), v)), 0.01),
        ),
        _linear(
            "Fig. 4c: exponent of D in a small temperature difference (1 mK, mu = -2 meV)",
            _exponent(lambda t: np.array(along((0.9, 0.0), 0.0, t)), 1e-3),
        ),
        _linear("abstract: exponent of D in the polarisation p_L", _exponent(lambda p: np.array(along((p, 0.0))), 0.1)),
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
