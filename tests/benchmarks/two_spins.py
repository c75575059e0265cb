"""The correlation spectrum of two spins at 2,001 frequencies: one eigendecomposition beside QuTiP's `spectrum`.

Limit of the issue: a fifteenth of QuTiP's time with its fast solver ("es"). Both start from the Hamiltonian and the
couplings: each builds its own Liouvillian, finds the steady state and returns S(w) of C2.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import qutip

sys.path.insert(0, str(Path(__file__).parents[2]))
from stmlab.physics.two_spins import ALONG, LOWERING, TwoSpins
from tests.benchmarks.side_by_side import Row, cpu_now, report

if TYPE_CHECKING:
    from collections.abc import Callable

    from stmlab.arrays import FloatArray

ANGULAR = np.linspace(0.0005, 1.2, 2001)
PROBE = LOWERING[0] @ ALONG[1]
TIMES_FASTER, LARGEST_DIFFERENCE, REPEATS = 15.0, 1e-9, 7


def ours() -> FloatArray:
    """C2 without its mirror image, as QuTiP counts."""
    generator = TwoSpins(0.1, 1.0, 0.01, 0.009, exchange=0.2).generator
    return generator.spectrum(PROBE, PROBE.conj().T, generator.steady_state(), ANGULAR)


def theirs(solver: str) -> FloatArray:
    """The same by QuTiP (which counts w the other way), its collapse operators from each coupling matrix."""
    system = TwoSpins(0.1, 1.0, 0.01, 0.009, exchange=0.2)
    collapse = []
    for part in system.dissipators:
        weights, vectors = np.linalg.eigh(part.rates)
        for weight, vector in zip(weights, vectors.T, strict=True):
            strength = np.sqrt(max(weight, 0.0))
            collapse.append(qutip.Qobj(strength * np.einsum("n,nij->ij", vector.conj(), part.operators)))
    probe = qutip.Qobj(PROBE)
    spectrum: FloatArray = qutip.spectrum(
        qutip.Qobj(system.hamiltonian), -ANGULAR, collapse, probe, probe.dag(), solver=solver
    )
    return spectrum


def main() -> int:
    """Print them side by side; 1 if the limit is missed."""
    ours_s, spectrum = _timed(ours, 4 * REPEATS)
    print(f"two-spin correlation spectrum C2 at {ANGULAR.size} frequencies")
    print(f"  one eigendecomposition {ours_s * 1e3:7.2f} ms")
    ratios = {}
    difference = 0.0
    for solver, repeats in (("es", REPEATS), ("pi", 1)):
        seconds, peer = _timed(lambda solver=solver: theirs(solver), repeats)
        off = float(np.abs(spectrum - peer).max() / peer.max())
        ratios[solver] = seconds / ours_s
        difference = max(difference, off) if solver == "es" else difference
        print(f"  QuTiP {solver:16s} {seconds * 1e3:7.2f} ms {ratios[solver]:6.1f} x   largest difference {off:.1e}")
    wrong = "" if difference <= LARGEST_DIFFERENCE else f"they differ by {difference:.1e}"
    work, theirs_s = f"two-spin spectrum, {ANGULAR.size} frequencies", ours_s * ratios["es"]
    return report([Row(work, 1e3 * ours_s, 1e3 * theirs_s, "QuTiP es", TIMES_FASTER, "ms", wrong=wrong)])


def _timed(run: Callable[[], FloatArray], repeats: int) -> tuple[float, FloatArray]:
    best, answer = np.inf, np.empty(0)
    for _ in range(repeats):
        start = cpu_now()
        answer = run()
        best = min(best, cpu_now() - start)
    return best, answer


if __name__ == "__main__":
    sys.exit(main())
