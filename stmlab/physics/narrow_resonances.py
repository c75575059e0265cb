"""Exchange through molecules whose resonances are narrow: the same residues, with as many digits as cancel.

At weak coupling the residues grow with powers of 1/Gamma and cancel: J is what is left of terms of order 1/Gamma, and I
of molecules off resonance falls with Gamma^3. In double precision nothing of I would be left at Gamma = 1e-8 meV. Here
the integrals of `fermi_integrals` are summed with mpmath, with digits enough for the closest pair of poles. That takes
some 30 ms a point, so that only narrow resonances come here.

With g_s = 1/D_s, and e_sl = G_s^l (eps - level of the other molecule) for electrons of spin s from lead l, the
integrands of `molecular_exchange` are sums of e_sl g_s g_s* (g_s' + g_s'*) / 2 and, for D, of g_u g_u* g_d g_d* times a
polynomial.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from stmlab.arrays import ComplexArray, FloatArray

_NARROW = 1e-4
"""Width of a resonance over the energy on which Fermi functions change there, and over the distance to the other ones,
below which this is needed: J keeps 1e-10 of its size above, and I what is left of 1e-13 meV."""
_FIRST_DIGITS = 150
"""To find out how close the poles are."""
_DIGITS, _CANCELLED = 40, 6
"""Digits beyond those that cancel, and powers of the distance between poles that may cancel."""
_SAME = 1e-40
"""Poles closer than this, relative to the largest, are one."""

Number = Any
"""A number of mpmath."""


def narrow(poles: ComplexArray, potentials: FloatArray, thermal: FloatArray) -> NDArray[np.bool_]:
    """Which of P points have resonances too narrow for double precision; shapes (P, 4), (P, 2) and (P, 2)."""
    smooth = np.abs(poles.real[:, :, None] - potentials[:, None] + 1j * np.pi * thermal[:, None])
    apart = np.abs(poles[:, :, None] - poles[:, None]).max(axis=(1, 2))[:, None, None]
    answer: NDArray[np.bool_] = np.any(-poles.imag[:, :, None] < _NARROW * np.minimum(smooth, apart), axis=(1, 2))
    return answer


def exact_exchange(dimer: Mapping[str, float], potentials: FloatArray, thermal: FloatArray) -> FloatArray:
    """J, I and D in meV at one point, shape (3,), each to double precision.

    Args:
        dimer: the arguments of a `Dimer`.
        potentials: shape (2,), chemical potentials of the leads.
        thermal: shape (2,), k_B T of the leads.
    """
    import mpmath as mp

    with mp.workdps(_FIRST_DIGITS):
        digits = _digits(*_electrons(dimer))
    with mp.workdps(digits):
        up, down = _electrons(dimer)
        opposite, same, twisted = mp.mpf(0), mp.mpf(0), mp.mpf(0)
        for lead, sign in ((0, 1), (1, -1)):
            integral = _Integral(mp.mpf(float(potentials[lead])), mp.mpf(float(thermal[lead])))
            for own, other in ((up, down), (down, up)):
                opposite += own.widths[lead] * integral.propagated([own.levels[1 - lead]], own, other)
                same += own.widths[lead] * integral.propagated([own.levels[1 - lead]], own, own)
            for one, other, turn in ((up, down, sign), (down, up, -sign)):
                weight = turn * other.widths[0] * one.widths[1]
                roots = [one.levels[0], other.levels[1]]
                twisted += weight * integral.over(roots, [*up.both, *down.both])
        couplings = mp.mpf(dimer["spin_coupling_1_meV"]) * mp.mpf(dimer["spin_coupling_2_meV"])
        strength = couplings * mp.mpf(dimer["tunnelling_meV"]) ** 2 / (4 * mp.pi)
        answer = (-strength * opposite, strength * (opposite - same), strength / 2 * twisted)
        return np.array([float(value) for value in answer])


@dataclass(frozen=True, eq=False)
class _Electrons:
    """Electrons of one spin: levels of both molecules, widths from both leads, zeros of D below the real axis."""

    levels: tuple[Number, Number]
    widths: tuple[Number, Number]
    zeros: tuple[Number, Number]

    @property
    def above(self) -> list[Number]:
        """Zeros of D*."""
        return [zero.conjugate() for zero in self.zeros]

    @property
    def both(self) -> list[Number]:
        """Zeros of |D|^2."""
        return [*self.zeros, *self.above]


def _electrons(dimer: Mapping[str, float]) -> tuple[_Electrons, _Electrons]:
    """Of spin up and of spin down."""
    import mpmath as mp

    exact = {name: mp.mpf(value) for name, value in dimer.items()}
    spins = []
    for spin in (1, -1):
        first = exact["level_1_meV"] + spin * exact["splitting_1_meV"] / 2
        second = exact["level_2_meV"] + spin * exact["splitting_2_meV"] / 2
        left = exact["left_coupling_meV"] * (1 + spin * exact["left_polarisation"]) / 2
        right = exact["right_coupling_meV"] * (1 + spin * exact["right_polarisation"]) / 2
        upper, lower = mp.mpc(first, -left / 2), mp.mpc(second, -right / 2)
        root = mp.sqrt(((upper - lower) / 2) ** 2 + exact["tunnelling_meV"] ** 2)
        middle = (upper + lower) / 2
        spins.append(_Electrons((first, second), (left, right), (middle + root, middle - root)))
    return spins[0], spins[1]


def _digits(up: _Electrons, down: _Electrons) -> int:
    """Digits that the residues need."""
    import mpmath as mp

    zeros = [*up.both, *down.both]
    largest = max(abs(zero) for zero in zeros)
    apart = [abs(one - other) / largest for one in zeros for other in zeros]
    closest = min(distance for distance in apart if distance > _SAME)
    return _DIGITS + int(_CANCELLED * max(0.0, -float(mp.log10(closest))))


class _Integral:
    """Integrals of the Fermi function of one lead times rational functions that are real on the real axis."""

    def __init__(self, potential: Number, thermal: Number) -> None:
        self._potential, self._thermal = potential, thermal
        self._known: dict[tuple[Number, int], Number] = {}

    def propagated(self, roots: list[Number], own: _Electrons, other: _Electrons) -> Number:
        """Over the product of (eps - root) times |g|^2 of ``own`` and Re g of ``other``."""
        return self.over(roots, [*own.both, *other.zeros])

    def over(self, roots: Sequence[Number], poles: Sequence[Number]) -> Number:
        """2 Re of the sum of residues in the lower half-plane, of the product of (eps - root) over that of the poles.

        The real part of a function that is not real on the axis is taken for its integral.
        """
        below = _sorted([pole for pole in poles if pole.imag < 0])
        total = sum(self._residue(pole, order, roots, poles) for pole, order in below)
        if sum(order for _, order in below) * 2 == len(poles):
            return 2 * total.real
        above = _sorted([pole.conjugate() for pole in poles if pole.imag > 0])
        mirrored = [pole.conjugate() for pole in poles]
        return (total + sum(self._residue(pole, order, roots, mirrored) for pole, order in above)).real

    def _residue(self, pole: Number, order: int, roots: Sequence[Number], poles: Sequence[Number]) -> Number:
        """At ``pole`` of this ``order``: the Taylor coefficient of everything else."""
        series = [self._occupation(pole, power) for power in range(order)]
        for root in roots:
            series = _product(series, [pole - root, 1])
        for other in poles:
            distance = pole - other
            if abs(distance) > _SAME * abs(pole):
                series = _product(series, [(-1) ** power / distance ** (power + 1) for power in range(order)])
        return series[order - 1]

    def _occupation(self, pole: Number, power: int) -> Number:
        """Taylor coefficient of psi(1/2 + i (z - mu) / (2 pi k_B T)) - i pi / 2."""
        import mpmath as mp

        if (pole, power) not in self._known:
            slope = 1j / (2 * mp.pi * self._thermal)
            value = mp.psi(power, mp.mpf(1) / 2 + slope * (pole - self._potential)) * slope**power / mp.factorial(power)
            self._known[pole, power] = value - 0.5j * mp.pi if power == 0 else value
        return self._known[pole, power]


def _sorted(poles: list[Number]) -> list[tuple[Number, int]]:
    """Poles that differ, each with its order."""
    orders: list[tuple[Number, int]] = []
    for pole in poles:
        for number, (known, order) in enumerate(orders):
            if abs(pole - known) <= _SAME * abs(known):
                orders[number] = known, order + 1
                break
        else:
            orders.append((pole, 1))
    return orders


def _product(first: list[Number], second: list[Number]) -> list[Number]:
    """Product of two power series, as long as the first."""
    return [
        sum(first[k] * second[power - k] for k in range(power + 1) if power - k < len(second))
        for power in range(len(first))
    ]
