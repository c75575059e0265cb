"""The symbols that the field writes for fitted quantities, as plain text."""

from __future__ import annotations

import re

_OF_MODEL = {
    ("srs", "step"): "I_SR",
    ("srs_map", "step"): "I_SR",
    ("n_state", "conductance"): "C_ST",
    ("n_state", "potential_scattering"): "u",
    ("n_state", "rate"): "Γ(0)",
    ("srs", "frequency"): "f_Γ",
    ("srs_map", "frequency"): "f_Γ",
    ("telegraph", "step"): "ΔI",
    ("decay", "rate"): "1/T₁",
    ("transfer", "quartic"): "q",
}
_SYMBOLS = {
    "rate": "Γ",
    "rate_up": "Γ_up",
    "rate_down": "Γ_down",
    "lifetime": "τ",
    "T1": "T₁",
    "offset": "I₀",
    "occupation": "p_high",
    "low": "I_low",
    "high": "I_high",
    "noise": "σ_I",
    "temperature": "T_eff",
    "temperature_K": "T",
    "axial_anisotropy_meV": "D",
    "transverse_anisotropy_meV": "E",
    "exchange_slope_meV_per_uS": "J/G",
    "kondo_coupling": "Jρ",
    "potential_scattering": "U",
    "correlation": "C",
    "conductance": "G",
    "bias_offset": "V₀",
    "g_factor": "g",
    "sample_conductance_S": "C_SS",
    "tip_polarisation": "η",
    "conductance_difference": "Δσ",
    "level": "E",
    "relaxation_rate": "Γ₁",
}
_NUMBERED = re.compile(r"(.+?)_\d+")


def symbol(name: str, model: str = "") -> str:
    """Of a fitted quantity, "" where the field has none; that of "rate_3" is that of any rate.

    Args:
        name: of the parameter.
        model: of the fit: one name may mean two things.
    """
    if found := _OF_MODEL.get((model, name)) or _SYMBOLS.get(name):
        return found
    if numbered := _NUMBERED.fullmatch(name):
        return symbol(numbered[1], model)
    if name.startswith("eta_"):
        return f"η_{name.removeprefix('eta_')}"
    if name.endswith("_energy"):
        return f"E_{name.removesuffix('_energy')}"
    return ""
