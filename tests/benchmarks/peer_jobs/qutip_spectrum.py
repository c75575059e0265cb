"""The correlation spectrum of two spins by QuTiP's fast solver: FILE (npz: hamiltonian, collapse, probe, angular)."""

from __future__ import annotations

import sys

import numpy as np
import qutip
from told import told

given = np.load(sys.argv[1])
probe, hamiltonian = qutip.Qobj(given["probe"]), qutip.Qobj(given["hamiltonian"])
collapse = [qutip.Qobj(operator) for operator in given["collapse"]]


def spectrum() -> list[float]:
    """QuTiP counts the frequency the other way."""
    found = qutip.spectrum(hamiltonian, -given["angular"], collapse, probe, probe.dag(), solver="es")
    return np.asarray(found, dtype=float).tolist()


told("qutip", spectrum, 5)
