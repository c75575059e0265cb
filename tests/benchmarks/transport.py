"""dI/dV of a spin 1 coupled to a spin 1/2 (six levels) at 601 points beside loops over the states.

Limits of the issue: 1 ms in second order, 30 ms in third order with full rates and steady states. Both times are for
exact derivatives with steady states; "anew" includes building the spins, diagonalising them and all strengths. The loop
is the usual way: rates state by state, a linear solve a point, a central difference (1202 steady states). Run it with
OPENBLAS_NUM_THREADS=1; the arrays are too small for threads to matter.
"""

from __future__ import annotations

import sys
from math import exp
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))
from stmlab.physics.baths import DEFAULT_RELAXATION_S, DEFAULT_SCATTERING_S, Electrode
from stmlab.physics.constants import K_B_MEV_PER_K
from stmlab.physics.spins import Exchange, Spin, SpinSystem
from stmlab.physics.transport import TunnelJunction
from tests.benchmarks.side_by_side import Row, cpu_now, report

if TYPE_CHECKING:
    from collections.abc import Callable

    from stmlab.arrays import FloatArray

BIAS_V = np.linspace(-10e-3, 10e-3, 601)
TEMPERATURE_K, CONDUCTANCE_S, CORRELATION = 2.0, 3e-7, -0.5
SECOND_ORDER_S, THIRD_ORDER_S, LARGEST_ERROR = 1e-3, 30e-3, 1e-6
REPEATS = 60


def junction(order: int = 2, occupation: str = "steady") -> TunnelJunction:
    """The antiferromagnetic tip of Muenks et al. at 300 nS."""
    system = SpinSystem((Spin(1, -4.2, 0.87), Spin(0.5)), (Exchange.heisenberg(0, 1, 3.6 * 0.3),))
    return TunnelJunction(
        system,
        TEMPERATURE_K,
        CONDUCTANCE_S,
        tip=Electrode(correlation=CORRELATION, spin=1),
        order=order,
        coupling=-0.1 if order == 3 else 0.0,
        occupation=occupation,  # type: ignore[arg-type]
    )


def by_loops(system: SpinSystem) -> FloatArray:
    """dI/dV in second order, point by point."""
    eigensystem, kT = system.eigensystem, K_B_MEV_PER_K * TEMPERATURE_K
    energies, n = eigensystem.energies_meV, len(eigensystem.energies_meV)
    s1, s2 = eigensystem.spin_elements(0), eigensystem.spin_elements(1)
    p = 2 * CORRELATION * eigensystem.spin_expectations(1)

    def zeta(x: float) -> float:
        return kT if abs(x) < 1e-12 else x / (exp(min(x / kT, 700.0)) - 1)

    size1, size2 = (np.abs(s1) ** 2).sum(axis=0) / 2, (np.abs(s2) ** 2).sum(axis=0) / 2
    cross = np.cross(s1, s1.conj(), axis=0)
    w21 = size1 - (0.5j * np.einsum("ia,afi->fi", p, cross)).real
    w12 = size1 + (0.5j * np.einsum("fa,afi->fi", p, cross)).real
    relaxation = DEFAULT_SCATTERING_S * size1 + DEFAULT_RELAXATION_S * size2

    def current(v: float) -> float:
        rates, currents = np.zeros((n, n)), np.zeros(n)
        for f in range(n):
            for i in range(n):
                d = energies[f] - energies[i]
                there, back = w21[f, i] * zeta(d - v), w12[f, i] * zeta(d + v)
                currents[i] += CONDUCTANCE_S * (there - back)
                if f != i:
                    rates[f, i] = CONDUCTANCE_S * (there + back) + relaxation[f, i] * zeta(d)
        generator = rates - np.diag(rates.sum(axis=0))
        generator[0] = CONDUCTANCE_S
        steady = np.linalg.solve(generator, CONDUCTANCE_S * np.eye(n)[0])
        return float(steady @ currents)

    h = 1e-4
    return np.array([(current(v + h) - current(v - h)) / (2 * h) for v in BIAS_V * 1e3])


def main() -> int:
    """Print the times side by side; 1 if a limit is missed."""
    second, third, thermal = junction(), junction(3), junction(2, "thermal")
    second_s, third_s = best(lambda: second.conductance(BIAS_V)), best(lambda: third.conductance(BIAS_V))
    print(f"second order, steady states   {second_s * 1e3:6.2f} ms (limit {SECOND_ORDER_S * 1e3:.0f} ms)")
    print(f"second order, Boltzmann       {best(lambda: thermal.conductance(BIAS_V)) * 1e3:6.2f} ms")
    print(f"second order, built anew      {best(lambda: junction().conductance(BIAS_V)) * 1e3:6.2f} ms")
    print(f"third order, full rates       {third_s * 1e3:6.2f} ms (limit {THIRD_ORDER_S * 1e3:.0f} ms)")
    print(f"third order, built anew       {best(lambda: junction(3).conductance(BIAS_V)) * 1e3:6.2f} ms")
    start = cpu_now()
    looped = by_loops(second.system)
    looped_s = cpu_now() - start
    error = float(np.abs(second.conductance(BIAS_V) - looped).max() / looped.max())
    print(f"second order as loops         {looped_s * 1e3:6.0f} ms: {looped_s / second_s:.0f} times longer")
    print(f"largest difference            {error:.1e} (limit {LARGEST_ERROR:.0e}, the loop's finite difference)")
    bonds = tuple(Exchange.heisenberg(k, k + 1, 0.7) for k in range(9))
    chain = SpinSystem((Spin(0.5),) * 10, bonds, (0.1, 0.2, 1.0))
    start = cpu_now()
    states = len(chain.eigensystem.energies_meV)
    print(f"{states} states diagonalised    {(cpu_now() - start):6.2f} s")
    late = "" if third_s <= THIRD_ORDER_S else f"third order took {third_s:.3g} s"
    wrong = late if error <= LARGEST_ERROR else f"they differ by {error:.1e}"
    work = "dI/dV of two spins at 601 points, second order"
    return report([Row(work, 1e3 * second_s, 1e3 * looped_s, "loops over the states", None, "ms", wrong=wrong)])


def best(run: Callable[[], object]) -> float:
    """Shortest of many runs, in s."""
    times = []
    for _ in range(REPEATS):
        start = cpu_now()
        run()
        times.append(cpu_now() - start)
    return min(times)


if __name__ == "__main__":
    sys.exit(main())
