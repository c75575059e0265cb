"""A conductance-setpoint ramp, spectrum by spectrum: steps, then exchange and correlation (Muenks et al., figure 2).

The conductance is the setpoint's, I/V, as the paper has it. `stmlab.analysis.transport` fits the spectra themselves,
with the conductance of the junction, and is the better way where it works.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.correlation import fit_correlation
from stmlab.analysis.exchange import fit_exchange
from stmlab.analysis.iterations import iterations
from stmlab.analysis.step_pull import KONDO_COUPLING, StepReading, with_pull
from stmlab.analysis.steps import fit_steps
from stmlab.analysis.transport.model import SpinParameters, SpinSetting
from stmlab.errors import FitError
from stmlab.physics.coupled_tip import ExchangeKind

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray
    from stmlab.results import FitResult

_SERIES = ("inner_energy", "outer_energy", "eta_inner", "eta_outer")


@dataclass(frozen=True, eq=False)
class StepSeries:
    """Steps of every spectrum that has two pairs: each array of shape (K,), values and errors.

    Attributes:
        setpoint: conductance, S.
        values, errors: by name: inner_energy, outer_energy (meV), eta_inner, eta_outer.
        bias: V, in rising order, shape (n,).
        temperature_K: of the sample, or the mean of the effective ones.
        modulation_V: peak amplitude at the junction.
        warnings: which spectra were left out, and why.
    """

    setpoint: FloatArray
    values: dict[str, FloatArray]
    errors: dict[str, FloatArray]
    bias: FloatArray
    temperature_K: float
    modulation_V: float
    warnings: tuple[str, ...]


def fit_series(
    bias: FloatArray,
    conductance: FloatArray,
    setpoint: FloatArray,
    *,
    temperature_K: float | None = None,
    modulation_V: float = 0.0,
) -> StepSeries:
    """Fit the steps of each spectrum by itself; where the fit is to end early, of those that it has come to.

    Args:
        bias: V, shape (n,), each bias once a spectrum.
        conductance: dI/dV, S, shape (n,).
        setpoint: S, shape (n,); the points of one value are one spectrum.
        temperature_K: of the sample; None lets every spectrum find an effective one.
        modulation_V: peak amplitude at the junction.

    Raises:
        FitError: fewer than two spectra show two pairs of steps.
    """
    rows, at, temperatures, warnings = list[list[tuple[float, float]]](), list[float](), list[float](), list[str]()
    steps, setpoints = iterations(), np.unique(setpoint)
    steps.of_many(setpoints.size)
    for value in setpoints:
        if steps.over:
            break
        inside = setpoint == value
        try:
            fit = fit_steps(
                bias[inside], conductance[inside], temperature_K=temperature_K, modulation_V=modulation_V, pairs=2
            )
        except FitError as error:
            warnings.append(f"{value:.3g} S left out: {error}")
            continue
        finally:
            steps.fitted(1)
        rows.append([(fit[name].value, fit[name].error) for name in _SERIES])
        at.append(float(value))
        temperatures.append(temperature_K if temperature_K is not None else fit["temperature"].value)
    if len(rows) < 2:
        raise FitError(f"{len(rows)} spectra show two pairs of steps, at least 2 are needed; {'; '.join(warnings[:1])}")
    table = np.array(rows)
    values, errors = ({name: table[:, k, i] for k, name in enumerate(_SERIES)} for i in (0, 1))
    mean = float(np.mean(temperatures))
    return StepSeries(np.array(at), values, errors, np.unique(bias), mean, modulation_V, tuple(warnings))


def exchange_of(series: StepSeries, *, field_T: float = 0.0) -> FitResult:
    """Anisotropy and exchange from the energies of the steps as they are read; their pull is in the errors."""
    fit = _as_read(series, field_T)
    errors = np.stack([series.errors["inner_energy"], series.errors["outer_energy"]])
    reading = StepReading(series.setpoint, errors, series.bias, series.temperature_K, series.modulation_V, field_T)
    fit = with_pull(fit, reading)
    return replace(fit, warnings=(*series.warnings, *fit.warnings))


def _as_read(series: StepSeries, field_T: float) -> FitResult:
    v, e = series.values, series.errors
    return fit_exchange(
        series.setpoint,
        v["inner_energy"],
        v["outer_energy"],
        e["inner_energy"],
        e["outer_energy"],
        field_T=field_T,
    )


def correlation_of(series: StepSeries, *, field_T: float = 0.0) -> FitResult:
    """C from the asymmetries of the steps, with the exchange that their energies show and `KONDO_COUPLING`.

    Raises:
        FitError: the energies show no exchange, or the asymmetries hold no correlation.
    """
    exchange = _as_read(series, field_T)
    kind = ExchangeKind(exchange.choices["exchange"])
    if kind is ExchangeKind.NONE:
        raise FitError("the step energies show no exchange with a spin of the tip: C has no meaning without one")
    spins = SpinParameters(
        exchange["axial_anisotropy_meV"].value,
        exchange["transverse_anisotropy_meV"].value,
        temperature_K=series.temperature_K,
        exchange_slope_meV_per_uS=exchange["exchange_slope_meV_per_uS"].value,
        kondo_coupling=KONDO_COUPLING,
    )
    v, e = series.values, series.errors
    fit = fit_correlation(
        series.setpoint,
        v["eta_inner"],
        v["eta_outer"],
        e["eta_inner"],
        e["eta_outer"],
        setting=SpinSetting(kind, field_T=field_T, modulation_V=series.modulation_V, order=3),
        parameters=spins,
        bias=series.bias,
    )
    return replace(fit, choices=exchange.choices, warnings=(*series.warnings, *fit.warnings))
