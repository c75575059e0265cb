"""Fits of one curve, of a run or a recorded file alike: by themselves, or guided where a person gives start values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stmlab.analysis.decay import fit_decay
from stmlab.analysis.guided.lines import guided_decay, guided_srs
from stmlab.analysis.guided.steps import guided_steps
from stmlab.analysis.guided.transport import guided_transport
from stmlab.analysis.lorentzian import fit_srs
from stmlab.analysis.steps import STEP_MODELS, fit_steps
from stmlab.analysis.transport import fit_transport

if TYPE_CHECKING:
    from stmlab.analysis.settings import Settings
    from stmlab.arrays import FloatArray
    from stmlab.results import FitResult

SRS_WIDTHS = {"srs": 1, "srs_two_widths": 2}


def srs_of(frequency: FloatArray, current: FloatArray, model: str, told: Settings) -> FitResult:
    """The SRS line."""
    harmonics = SRS_WIDTHS[model]
    if told.guide is not None:
        return guided_srs(frequency, current, told.guide, harmonics=harmonics)
    return fit_srs(frequency, current, harmonics=harmonics)


def decay_of(delay: FloatArray, current: FloatArray, exclusion: float, told: Settings) -> FitResult:
    """The decay after a pump."""
    sides = told.text("fitted_sides", "both")
    if told.guide is not None:
        return guided_decay(delay, current, told.guide, exclusion=exclusion, sides=sides)
    return fit_decay(delay, current, exclusion=exclusion, sides=sides)


def steps_of(bias: FloatArray, conductance: FloatArray, model: str, told: Settings, unit: str) -> FitResult:
    """Steps in dI/dV."""
    method, pairs = STEP_MODELS[model]
    warm, modulation, window = told.temperature, told.modulation, told.window
    if told.guide is not None:
        return guided_steps(
            bias,
            conductance,
            told.guide,
            temperature_K=warm,
            modulation_V=modulation,
            window_V=window,
            pairs=pairs,
            unit=unit,
        )
    return fit_steps(
        bias,
        conductance,
        temperature_K=warm,
        modulation_V=modulation,
        window_V=window,
        pairs=pairs,
        method=method,
        unit=unit,
    )


def transport_of(bias: FloatArray, conductance: FloatArray, setpoint: FloatArray, told: Settings) -> FitResult:
    """The transport model."""
    if told.guide is not None:
        return guided_transport(bias, conductance, setpoint, told.guide, **told.transport())
    return fit_transport(bias, conductance, setpoint, **told.transport())
