"""Two states under a drive: closed forms of Betz et al., and the reduction of many states to two.

n is the occupation of the excited state, dn/dt = Gamma_+(t) - (Gamma_+(t) + Gamma_-(t)) n (Betz et al., eq. S1). With
Gamma = <Gamma_+ + Gamma_->, Omega = 2 pi f / Gamma, A_k = a_k / Gamma and B_k = b_k / Gamma for the Fourier
coefficients of Gamma_+ and of Gamma_+ + Gamma_-. Series in the orders of B converge only while the total rate stays
between 0 and 2 Gamma: they are for insight, `driven.occupation_harmonics` is for computing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.physics.arguments import positive, real_array, refuse
from stmlab.physics.occupation import generator
from stmlab.physics.rate_equations import checked_generators

if TYPE_CHECKING:
    from stmlab.arrays import ComplexArray, FloatArray
    from stmlab.physics.driven import DrivenStates

_GAUSS_NODES = 20
_PANEL = 1.5
"""Longest stretch of time, in 1/Gamma or 1/(K omega), that one Gauss-Legendre rule covers."""
_FORGOTTEN = 45.0
"""Time in 1/Gamma after which memory is below rounding."""


def two_level_generators(excitation_per_s: Any, relaxation_per_s: Any) -> FloatArray:
    """Rate matrices of a ground state 0 and an excited state 1; shapes (T,) and (T,) in, (T, 2, 2) out.

    Raises:
        PhysicsError: a rate is negative or not finite, or the lengths differ.
    """
    up, down = (np.atleast_1d(a) for a in _rates(excitation_per_s, relaxation_per_s))
    return np.stack([np.stack([-up, down], axis=-1), np.stack([up, -down], axis=-1)], axis=-2)


def occupation_to_first_order(excitation_per_s: Any, relaxation_per_s: Any, frequencies_Hz: Any) -> ComplexArray:
    """n_q = A_q / (1 + i q Omega), exact while the total rate is constant (Betz et al., eq. 2 and S9).

    Args:
        excitation_per_s: shape (T,), Gamma_+ at T equally spaced times of a period.
        relaxation_per_s: shape (T,), Gamma_- at the same times.
        frequencies_Hz: shape (F,).

    Returns:
        Shape (F, Q), harmonics q = 0 ... Q - 1 with Q = (T + 1) // 2; negative ones are their conjugates.
    """
    excitation, _, omega = _scaled(excitation_per_s, relaxation_per_s, frequencies_Hz)
    harmonics = np.arange(excitation.size // 2 + 1)
    return excitation[harmonics] / (1.0 + 1j * omega[:, None] * harmonics)


def occupation_to_second_order(excitation_per_s: Any, relaxation_per_s: Any, frequencies_Hz: Any) -> ComplexArray:
    """The terms j = 1 and j = 2 of Betz et al., eq. S19, whose "a_k - b_m" is the product a_k (-b_m) / Gamma^2.

    The bracket of eq. S19 over m equals 1 / [(1 + i (k + m) Omega) (1 + i k Omega)]. Arguments and answer as
    `occupation_to_first_order`.
    """
    excitation, total, omega = _scaled(excitation_per_s, relaxation_per_s, frequencies_Hz)
    count, harmonics = excitation.size, np.arange(excitation.size // 2 + 1)
    every = np.arange(-(count // 2), count // 2 + 1)
    apart = harmonics[:, None] - every  # m = q - k
    weight = np.where((apart != 0) & (np.abs(apart) <= count // 2), total[apart % count], 0.0)
    first = excitation[every % count] / (1.0 + 1j * omega[:, None] * every)
    second: ComplexArray = -(first @ weight.T) / (1.0 + 1j * omega[:, None] * harmonics)
    return first[:, count // 2 :] + second


def occupation_integral(excitation_per_s: Any, relaxation_per_s: Any, frequency_Hz: float) -> FloatArray:
    """n(t) by quadrature of the exact integral (Betz et al., eq. S3 and S4), at the T times of the rates; shape (T,).

    The rates are continued between their samples by their Fourier series. An independent check of harmonic balance,
    to rounding: Gauss-Legendre panels short against 1/Gamma and against the highest harmonic.
    """
    excitation, total, omega = _scaled(excitation_per_s, relaxation_per_s, frequency_Hz)
    highest = _highest_harmonic(excitation, total)
    order = np.arange(-highest, highest + 1)
    excitation, total = excitation[order], total[order]
    period = 2.0 * np.pi / positive("frequency_Hz", float(omega[0]))
    waves = 1j * order * omega[0]
    swing = np.divide(total, waves, out=np.zeros_like(total), where=order != 0)  # antiderivative of Gamma(t)/Gamma - 1

    reach = min(period, _FORGOTTEN + 2.0 * float(np.abs(swing).sum()))
    past, weight = _panels(reach, int(np.ceil(reach * max(1.0, highest * float(omega[0])) / _PANEL)))
    backward = np.exp(-np.multiply.outer(past, waves))
    samples = np.size(excitation_per_s)
    forward = np.exp(np.multiply.outer(waves, period * np.arange(samples) / samples))
    feeding = (backward @ (excitation[:, None] * forward)).real
    drift = (backward @ (swing[:, None] * forward)).real - (swing @ forward).real
    occupation: FloatArray = weight @ (feeding * np.exp(drift - past[:, None])) / -np.expm1(-period)
    return occupation


def effective_two_level(generators: FloatArray, wells: tuple[int, int] = (0, 1)) -> tuple[FloatArray, FloatArray]:
    """Many states reduced to two by eliminating those that are only passed through (Betz et al., section IV.A).

    The rate from well to well gains the rate into each transient state, weighted with the probability that the other
    well is reached from there. It holds while the transient states relax much faster than the wells exchange.

    Args:
        generators: shape (T, n, n), rate matrices in 1/s.
        wells: the two states that are kept, ground state first.

    Returns:
        The reduced rate matrices, shape (T, 2, 2), and for each well the occupations of all n states that belong to
        one occupation of that well, shape (T, n, 2): state currents times these give the currents of the wells.

    Raises:
        PhysicsError: ``wells`` are not two different states, or a transient state is never left.
    """
    matrices = checked_generators("generators", generators)
    states = matrices.shape[1]
    kept = np.array(wells)
    if kept.shape != (2,) or len({*wells}) != 2 or kept.min() < 0 or kept.max() >= states:
        raise refuse("wells", wells, f"two different states from 0 to {states - 1} are needed")
    passed = np.setdiff1d(np.arange(states), kept)
    carried = np.zeros((len(matrices), states, 2))
    carried[:, kept, [0, 1]] = 1.0
    inward, between = matrices[:, passed[:, None], kept], matrices[:, passed[:, None], passed]
    try:
        carried[:, passed] = np.linalg.solve(between, -inward)
    except np.linalg.LinAlgError:
        raise refuse("wells", wells, "states that are reached from all others are needed") from None
    return matrices[:, kept] @ carried, carried


class EffectiveTwoLevel:
    """A system of many states as the two wells of `effective_two_level`; has rates and currents of a two-level system.

    Args:
        states: the system; its ``wells`` are kept.
        wells: ground state and excited state.
    """

    def __init__(self, states: DrivenStates, wells: tuple[int, int] = (0, 1)) -> None:
        self.states, self.wells = states, wells

    def rates(self, bias_V: FloatArray) -> FloatArray:
        """Rate matrices, shape (V, 2, 2) in 1/s; see `driven.DrivenStates`."""
        return effective_two_level(generator(self.states.rates(bias_V)), self.wells)[0]

    def state_currents(self, bias_V: FloatArray) -> FloatArray:
        """Current while in each well and in the transient states fed from it, shape (V, 2) in A."""
        carried = effective_two_level(generator(self.states.rates(bias_V)), self.wells)[1]
        carried /= carried.sum(axis=1, keepdims=True)
        current: FloatArray = np.einsum("vi,viw->vw", self.states.state_currents(bias_V), carried)
        return current


def _rates(excitation_per_s: Any, relaxation_per_s: Any) -> tuple[FloatArray, FloatArray]:
    up = real_array("excitation_per_s", excitation_per_s, unit="1/s")
    down = real_array("relaxation_per_s", relaxation_per_s, up.shape, unit="1/s")
    for name, rate in (("excitation_per_s", up), ("relaxation_per_s", down)):
        if rate.size == 0 or rate.min() < 0.0:
            raise refuse(name, float(rate.min()) if rate.size else rate, "rates of 0 /s or more are needed")
    return up, down


def _scaled(excitation: Any, relaxation: Any, frequencies: Any) -> tuple[ComplexArray, ComplexArray, FloatArray]:
    """A_k and B_k in the order of the FFT (odd number of harmonics), and Omega."""
    up, down = _rates(excitation, relaxation)
    total = positive("mean of the total rate", float((up + down).mean()), "1/s")
    omega = 2.0 * np.pi * np.atleast_1d(real_array("frequencies_Hz", frequencies, unit="Hz")) / total
    return _odd_spectrum(up / total), _odd_spectrum((up + down) / total), omega


def _odd_spectrum(samples: FloatArray) -> ComplexArray:
    """Fourier coefficients without the one at T/2, which stands for two."""
    spectrum: ComplexArray = np.fft.fft(samples) / samples.size
    kept: ComplexArray = np.delete(spectrum, samples.size // 2) if samples.size % 2 == 0 else spectrum
    return kept


def _highest_harmonic(*spectra: ComplexArray) -> int:
    """Number of the highest harmonic that is more than rounding."""
    strength = np.maximum.reduce([np.abs(spectrum) for spectrum in spectra])[: spectra[0].size // 2 + 1]
    return int(np.flatnonzero(strength > 1e-16 * strength.max())[-1])


def _panels(reach: float, panels: int) -> tuple[FloatArray, FloatArray]:
    """Nodes and weights of Gauss-Legendre rules on equal panels from 0 to ``reach``."""
    node, share = np.polynomial.legendre.leggauss(_GAUSS_NODES)
    nodes = (np.arange(panels)[:, None] + 0.5 * (node + 1.0)) * reach / panels
    return nodes.reshape(-1), np.tile(share, panels) * 0.5 * reach / panels
