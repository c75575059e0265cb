"""Constants of nature in the units of the spin models (CODATA 2018)."""

from __future__ import annotations

K_B_MEV_PER_K = 0.08617333262
"""Boltzmann constant in meV/K."""

MU_B_MEV_PER_T = 0.05788381806
"""Bohr magneton in meV/T."""

ELEMENTARY_CHARGE_C = 1.602176634e-19
"""Elementary charge in C (exact)."""

PLANCK_J_S = 6.62607015e-34
"""Planck constant in J s (exact)."""

HBAR_MEV_S = 6.582119569e-13
"""Reduced Planck constant in meV s."""

CONDUCTANCE_QUANTUM_S = 2 * ELEMENTARY_CHARGE_C**2 / PLANCK_J_S
"""2 e^2 / h in S."""

MEV_PER_V = 1e3
"""Energy in meV that one electron gains over 1 V."""
