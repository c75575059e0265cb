"""Integrals of a Fermi function times a rational function, exactly, by residues.

For a rational R that is real on the real axis, falls off faster than 1/eps and has the poles z_k in the lower
half-plane,

    int f(eps) R(eps) d eps = 2 Re sum_k Res_{z_k} R(z) [psi(1/2 + i (z - mu) / (2 pi k_B T)) - i pi / 2],

psi being the digamma function, the closed form of the Matsubara sum. Residues are taken on circles
(`stmlab.physics.pole_circles`), so poles of any order and poles that coincide need no special case. A quadrature with a
single wide interval is wrong by 1e-8 on the same integrals; panelled quadrature is right but hundreds of times slower.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stmlab.physics.pole_circles import circles_around
from stmlab.physics.polygamma import polygamma

if TYPE_CHECKING:
    from collections.abc import Callable

    from stmlab.arrays import ComplexArray, FloatArray, IntArray
    from stmlab.physics.pole_circles import Circles


@dataclass(frozen=True, eq=False)
class Contour:
    """Where the integrand is asked for: C circles with N nodes each.

    Attributes:
        point: shape (C,), index of the point that a circle belongs to.
        energy: shape (C, N), complex, in the unit of the poles.
        below: shape (K, C, N), energy minus each pole of the lower half-plane, free of cancellation.
        above: shape (K, C, N), energy minus the complex conjugate of each pole.
    """

    point: IntArray
    energy: ComplexArray
    below: ComplexArray
    above: ComplexArray


def fermi_integrals(
    integrand: Callable[[Contour], ComplexArray],
    poles: ComplexArray,
    chemical_potentials: FloatArray,
    thermal_energies: FloatArray,
) -> FloatArray:
    """int f_l(eps) R_ql(eps) d eps for quantities q and leads l at P points.

    Args:
        integrand: R as a function of the contour, shape (Q, L, C, N); real on the real axis, falling off faster than
            1/eps, without poles in the lower half-plane other than ``poles`` (of any order).
        poles: shape (P, K), complex, below the real axis.
        chemical_potentials: shape (P, L), in the unit of the poles.
        thermal_energies: shape (P, L), k_B T in the same unit, above zero.

    Returns:
        Shape (P, Q, L), in the unit of R times that of the poles.
    """
    return _integrals(integrand, poles, chemical_potentials, thermal_energies, _occupation)


def fermi_derivatives(
    integrand: Callable[[Contour], ComplexArray],
    poles: ComplexArray,
    chemical_potentials: FloatArray,
    thermal_energies: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """The derivatives of `fermi_integrals` by the chemical potential and by k_B T, each of its shape.

    They are int (-f') R d eps and int (-f') R (eps - mu)/k_B T d eps. The second one is a difference where k_B T is
    small against the distance x of the nearest pole: it loses about (2 pi k_B T / x)^2 / 12 of its digits.
    """
    arguments = integrand, poles, chemical_potentials, thermal_energies
    return _integrals(*arguments, _by_potential), _integrals(*arguments, _by_temperature)


def _integrals(
    integrand: Callable[[Contour], ComplexArray],
    poles: ComplexArray,
    chemical_potentials: FloatArray,
    thermal_energies: FloatArray,
    occupation: Callable[[ComplexArray, FloatArray], ComplexArray],
) -> FloatArray:
    """``occupation`` is a function of the argument of the digamma function and of 2 pi k_B T."""
    answer: FloatArray = np.zeros(())
    for circles in circles_around(poles):
        steps = circles.steps()
        values = integrand(_contour(circles, poles, steps))
        filled = occupation(*_argument(circles, steps, chemical_potentials, thermal_energies))
        residues = (values * (filled * steps)).mean(axis=-1)
        answer = np.zeros((len(poles), *values.shape[:2])) if answer.ndim == 0 else answer
        np.add.at(answer, circles.point, 2.0 * np.moveaxis(residues.real, -1, 0))
    return answer


def _contour(circles: Circles, poles: ComplexArray, steps: ComplexArray) -> Contour:
    own = poles[circles.point].T
    return Contour(
        point=circles.point,
        energy=circles.centre[:, None] + steps,
        below=(circles.centre - own)[:, :, None] + steps,
        above=(circles.centre - own.conj())[:, :, None] + steps,
    )


def _argument(
    circles: Circles, steps: ComplexArray, chemical_potentials: FloatArray, thermal_energies: FloatArray
) -> tuple[ComplexArray, FloatArray]:
    """1/2 + i (z - mu) / (2 pi k_B T) on the contour, shape (L, C, N), and 2 pi k_B T, shape (L, C, 1)."""
    offset = circles.centre - chemical_potentials[circles.point].T
    width = 2.0 * np.pi * thermal_energies[circles.point].T[..., None]
    return 0.5 + 1j * (offset[..., None] + steps) / width, width


def _occupation(argument: ComplexArray, _: FloatArray) -> ComplexArray:
    # scipy's psi takes five times as long where a pole lies within some 2 pi k_B T of the Fermi edge
    return polygamma(argument, 0)[0] - 0.5j * np.pi


def _by_potential(argument: ComplexArray, width: FloatArray) -> ComplexArray:
    slope: ComplexArray = -1j / width * polygamma(argument, 1)[1]
    return slope


def _by_temperature(argument: ComplexArray, width: FloatArray) -> ComplexArray:
    slope: ComplexArray = -2.0 * np.pi / width * (argument - 0.5) * polygamma(argument, 1)[1]
    return slope
