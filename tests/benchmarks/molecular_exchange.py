"""J, I and D at 1,000 points: residues beside panelled quadrature of the same integrals.

Limits of the issue: 1,000 points in 0.2 s, error 1e-11 meV. The quadrature stands for the usual way: adaptive
Gauss-Kronrod on panels split at the resonances and the chemical potentials; it takes a sample of the points.
"""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.integrate import quad

sys.path.insert(0, str(Path(__file__).parents[2]))
from stmlab.physics.constants import K_B_MEV_PER_K
from stmlab.physics.molecular_dimer import Dimer, Leads
from stmlab.physics.molecular_exchange import molecular_exchange
from tests.benchmarks.side_by_side import Row, cpu_now, report

if TYPE_CHECKING:
    from collections.abc import Callable

POINTS, SAMPLE, REPEATS = 1000, 20, 5
LONGEST_S, LARGEST_ERROR_MEV = 0.2, 1e-11
POLARISATIONS = (0.9, 0.2)
COUPLING_MEV = 1.0 / 3.0


def by_quadrature(mu: float, bias: float) -> tuple[float, float, float]:
    """J, I and D of equal levels at the paper's parameters from the integrals of eqs. 5a-5c."""
    left = {s: COUPLING_MEV / 2 * (1 + s * POLARISATIONS[0]) / 2 for s in (1, -1)}
    right = {s: COUPLING_MEV / 2 * (1 + s * POLARISATIONS[1]) / 2 for s in (1, -1)}

    def fermi(x: float, potential: float) -> float:
        return 0.5 * (1.0 - np.tanh((x - potential) / (2 * K_B_MEV_PER_K)))

    def integrands(x: float) -> tuple[float, float, float]:
        f_left, f_right = fermi(x, mu + bias / 2), fermi(x, mu - bias / 2)
        d = {s: (x + 0.5j * left[s]) * (x + 0.5j * right[s]) - 1.0 for s in (1, -1)}
        size = {s: abs(d[s]) ** 2 for s in d}
        feed = {s: 2 * (left[s] * f_left + right[s] * f_right) * x / size[s] for s in d}
        kernel = {s: d[s].real / size[s] for s in d}
        twist = (left[1] * right[-1] - left[-1] * right[1]) * (f_left - f_right) * x**2 / (size[1] * size[-1])
        opposite = sum(feed[s] * kernel[-s] for s in d)
        return opposite, sum(feed[s] * kernel[s] for s in d) - opposite, twist

    breaks = sorted(
        {
            c + w
            for c in (-1, 1, mu + bias / 2, mu - bias / 2)
            for w in (-3, -1, -0.3, -0.1, -0.02, 0, 0.02, 0.1, 0.3, 1, 3)
        }
    )
    edges = [-1e5, -1e3, -100.0, -20.0, *breaks, 40.0]
    panels = list(pairwise(edges))
    total = [
        sum(quad(lambda x, k=k: integrands(x)[k], a, b, epsabs=1e-13, epsrel=1e-11, limit=200)[0] for a, b in panels)
        for k in range(3)
    ]
    return total[0] / (-8 * np.pi), total[1] / (-8 * np.pi), total[2] / (-8 * np.pi)


def main() -> int:
    """Print both side by side; 1 if a limit is missed."""
    mu, bias = np.linspace(-3.0, 3.0, POINTS), 1.5
    dimer, leads = Dimer(*POLARISATIONS), Leads(mu, bias)
    molecular_exchange(dimer, leads)
    ours_s = min(_timed(lambda: molecular_exchange(dimer, leads)) for _ in range(REPEATS))
    ours = molecular_exchange(dimer, leads)
    chosen = np.linspace(0, POINTS - 1, SAMPLE).astype(int)
    start = cpu_now()
    theirs = np.array([by_quadrature(mu[k], bias) for k in chosen]).T
    theirs_s = (cpu_now() - start) / SAMPLE * POINTS
    found = np.stack([ours.heisenberg_meV, ours.ising_meV, ours.dzyaloshinskii_moriya_meV])[:, chosen]
    error = np.abs(found - theirs).max()
    late = "" if ours_s <= LONGEST_S else f"at most {LONGEST_S:g} s is allowed"
    wrong = late if error <= LARGEST_ERROR_MEV else f"they differ by {error:.1e} meV"
    work = f"J, I, D at {POINTS} points"
    return report([Row(work, ours_s, theirs_s, "panelled quadrature", note=f"within {error:.1e} meV", wrong=wrong)])


def _timed(run: Callable[[], object]) -> float:
    start = cpu_now()
    run()
    return cpu_now() - start


if __name__ == "__main__":
    sys.exit(main())
