"""Table S1 of Betz et al. the way they came to it: all states of the atom fitted to a map of SRS spectra.

The spectra are those of the model with noise, at eight offsets and one amplitude; the fit begins from the starts of
``config/systems/one_atom.toml``, which know nothing of the table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.n_state import fit_states, srs_spectra
from stmlab.papers.betz_model import CONDUCTANCE_S, PAPER, SIMULATED_K, fe_atom
from stmlab.papers.survey import PRINTED, Row, held
from stmlab.physics.stochastic_resonance import static_current, stochastic_resonance
from stmlab.systems import built_in

if TYPE_CHECKING:
    from collections.abc import Mapping

_OFFSETS_V, _AMPLITUDE_V = np.linspace(-8e-3, 8e-3, 8), 2.2e-3
_FREQUENCIES_HZ = np.geomspace(2e7, 2e10, 12)
_NOISE_A, _SEED = 8e-15, 1
_SETPOINT_V, _FIELD_T = 10e-3, -2.0
_TABLE = {
    "axial_anisotropy_meV": ("D", -1.557, "meV", 1.0),
    "transverse_anisotropy_meV": ("E", 0.248, "meV", 1.0),
    "g_factor": ("g", 2.15, "", 1.0),
    "sample_conductance_S": ("C_SS", 7.2e-6, "uS", 1e6),
    "tip_polarisation": ("eta", 0.86, "", 1.0),
    "potential_scattering": ("u", 0.76, "", 1.0),
    "conductance_1": ("C_ST", CONDUCTANCE_S, "uS", 1e6),
}
_WITHIN = 0.05


def fit_rows() -> list[Row]:
    """One row; it takes half a minute."""
    atom = fe_atom(temperature_K=SIMULATED_K)
    clean = [
        stochastic_resonance(atom, _FREQUENCIES_HZ, offset_V=float(offset), amplitude_V=_AMPLITUDE_V).signal_A
        for offset in _OFFSETS_V
    ]
    current = np.ravel(clean) + _NOISE_A * np.random.default_rng(_SEED).standard_normal(np.size(clean))
    setpoint = _SETPOINT_V, float(static_current(atom, np.array([_SETPOINT_V]))[0])
    offsets, frequencies = (each.ravel() for each in np.meshgrid(_OFFSETS_V, _FREQUENCIES_HZ, indexing="ij"))
    amplitudes = np.full(offsets.size, _AMPLITUDE_V)
    spectra = srs_spectra(offsets, amplitudes, frequencies, current, setpoint, _FIELD_T, SIMULATED_K)
    fit = fit_states(spectra, [built_in("one_atom", "one_atom")])
    printed = {name: value for name, (_, value, _, _) in _TABLE.items()}
    found = {name: fit[name].value for name in _TABLE}
    worst = max(abs(found[name] / value - 1.0) for name, value in printed.items())
    return [
        held(
            PAPER,
            "Table S1: by the n-state fit to eight spectra of the model with noise",
            f"{_told(printed)} (C_ST printed as 0.500)",
            _told(found),
            "",
            worst < _WITHIN,
            f"within {100 * worst:.1f} %; V_ac = 2.2 mV, 12 frequencies each, noise of 8 fA; starts are far off",
            PRINTED,
        )
    ]


def _told(values: Mapping[str, float]) -> str:
    parts = (f"{symbol} {scale * values[name]:.4g} {unit}" for name, (symbol, _, unit, scale) in _TABLE.items())
    return ", ".join(part.strip() for part in parts)
