"""The transport model fitted to a set of dI/dV spectra at once (Muenks et al.; `stmlab.physics.transport`).

One spin Hamiltonian describes spectra at many conductances: anisotropy D and E, an exchange with the tip's spin that
grows with the conductance, the correlation C of the tip's electrons with that spin, the Kondo coupling J rho of the
third order, the potential scattering U, an offset of the bias, the temperature; and the conductance of each spectrum,
which scales it and pumps the spins. Steps read off a spectrum are pulled by third order and pumping; here both are part
of the model.

Spin systems are fitted each, and compared by Akaike's information criterion: those of a file (`stmlab.systems`), or
without exchange, with Heisenberg and with Ising exchange, which are such a file too.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.analysis.numbers import finite, number
from stmlab.analysis.transport.data import SpectrumData
from stmlab.analysis.transport.descents import solutions
from stmlab.analysis.transport.doubts import doubts
from stmlab.analysis.transport.fitted import fitted
from stmlab.analysis.transport.model import SpinSetting, system_of
from stmlab.analysis.transport.solution import compared
from stmlab.errors import FitError
from stmlab.physics.baths import DEFAULT_SCATTERING_S
from stmlab.physics.coupled_tip import ExchangeKind
from stmlab.results import FitResult
from stmlab.units import format_quantity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from stmlab.analysis.transport.solution import Solution
    from stmlab.systems import System

_SAME = 0.01  # of AIC: the same description in other words
_FEWEST = 12  # points of a spectrum
_LARGEST = 1e-2  # S; a tunnel junction stays far below the conductance quantum, 7.7e-5 S


def fit_transport(
    bias: ArrayLike,
    conductance: ArrayLike,
    setpoint: ArrayLike,
    *,
    modulation_V: float = 0.0,
    temperature_K: float | None = None,
    field_T: float = 0.0,
    order: int = 3,
    spin: float = 1.0,
    scattering_S: float = DEFAULT_SCATTERING_S,
    exchange: Sequence[str] = ("none", "heisenberg", "ising"),
) -> FitResult:
    """Fit D, E, exchange, C, J rho and temperature to all spectra.

    Args:
        bias: V, shape (n,), of each point of every spectrum.
        conductance: dI/dV in S, shape (n,).
        setpoint: S, shape (n,); the points of one value are one spectrum.
        modulation_V: peak amplitude of the bias modulation at the junction.
        temperature_K: of the sample; None fits it.
        field_T: along z.
        order: 2, or 3 with Kondo-like logarithms.
        spin: on the sample: 1 (its two steps give D and E to begin with).
        scattering_S: G11, relaxation of the spin by the sample's electrons.
        exchange: kinds to compare; only "none" makes sense for a single spectrum.

    Returns:
        Parameters "axial_anisotropy_meV", "transverse_anisotropy_meV", "exchange_slope_meV_per_uS" (J over the
        junction's conductance), "correlation", "kondo_coupling", "potential_scattering" (unless the spectra are as
        well described without), "bias_offset" (V), "temperature_K" (those that were fitted), then "conductance_1" ...
        (S, of each spectrum). ``choices`` says which exchange was chosen. Curves "x", "data",
        "fit", "residual", "setpoint" run over all points; "aic" over the kinds compared.

    Raises:
        FitError: the data do not suffice for the fit.
    """
    _check_settings(spin, order, modulation_V, temperature_K, field_T, scattering_S)
    conditions: dict[str, Any] = {"field_T": field_T, "temperature_K": temperature_K, "modulation_V": modulation_V}
    spectra = [replace(one, **conditions) for one in _spectra(bias, conductance, setpoint)]
    setting = SpinSetting(scattering_S=scattering_S, order=order)
    systems = [system_of(replace(setting, exchange=kind)) for kind in _kinds(exchange, len(spectra))]
    return fit_systems(spectra, systems, called="exchange")


def fit_systems(spectra: list[SpectrumData], systems: Sequence[System], *, called: str = "system") -> FitResult:
    """Fit each of some spin systems to all spectra, and tell them apart by Akaike's information criterion.

    Args:
        spectra: with their conditions.
        systems: the first one and its alternatives.
        called: what the choice between them is called in the result.

    Returns:
        The parameters of the best system, then "conductance_1" ... (S). ``choices`` says which it is, and how far the
        AIC of each other is above; curve "aic" runs over the systems.

    Raises:
        FitError: the data do not suffice for the fit, or the conditions are not known.
    """
    for one in spectra:
        _check(one)
    found = solutions(spectra, systems)
    return _result(spectra, _best(spectra, found), found, called)


# -- the data ----------------------------------------------------------------------------------------------------------


def _spectra(bias: ArrayLike, conductance: ArrayLike, setpoint: ArrayLike) -> list[SpectrumData]:
    given = {"bias": bias, "conductance": conductance, "setpoint": setpoint}
    columns = [finite(name, values) for name, values in given.items()]
    if columns[0].ndim != 1 or len({column.shape for column in columns}) > 1:
        raise FitError(f"bias, conductance, setpoint have shapes {[c.shape for c in columns]}: one each a point")
    v, g, gs = columns
    spectra = [SpectrumData(v[gs == value], g[gs == value], float(value)) for value in np.unique(gs)]
    if not spectra:
        raise FitError("no points: there is nothing to fit")
    return spectra


def _check(one: SpectrumData) -> None:
    """Raise FitError for a spectrum that cannot be fitted."""
    where = f"the spectrum at {one.setpoint:.4g} S"
    if one.bias.size < _FEWEST:
        raise FitError(f"{one.bias.size} points at {one.setpoint:.4g} S: at least {_FEWEST} a spectrum are needed")
    if one.bias.min() >= 0 or one.bias.max() <= 0:
        raise FitError(f"{where} covers only one polarity of the bias")
    if np.median(one.conductance) <= 0:
        raise FitError(f"{where} is negative: is the lock-in's phase wrong by half a turn?")
    if np.ptp(one.conductance) == 0:
        raise FitError(f"{where} is constant: there are no steps to fit")
    if np.median(one.conductance) > _LARGEST:
        raise FitError(
            f"dI/dV of {np.median(one.conductance):.3g} S is no tunnel junction's: is the spectrum really in S?"
        )


def _check_settings(
    spin: float, order: int, modulation_V: float, temperature_K: float | None, field_T: float, scattering_S: float
) -> None:
    if spin != 1.0:
        raise FitError(f"spin = {spin:g}: the transport fit begins from the two steps of a spin 1")
    if order not in (2, 3):
        raise FitError(f"order = {order!r}: 2 or 3 is allowed")
    if not 0 <= number("modulation_V", modulation_V) < math.inf:
        raise FitError(f"modulation_V = {modulation_V:g} V: 0 or more is allowed")
    if temperature_K is not None and not 0 < number("temperature_K", temperature_K) < math.inf:
        raise FitError(f"temperature_K = {temperature_K:g} K: above 0, or None for one that is fitted, is allowed")
    if not math.isfinite(number("field_T", field_T)):
        raise FitError(f"field_T = {field_T:g} T: a finite field is needed")
    if not 0 < number("scattering_S", scattering_S) < math.inf:
        raise FitError(f"scattering_S = {scattering_S:g} S: above 0 is allowed: something must relax the spin")


def _kinds(exchange: Sequence[str], spectra: int) -> list[ExchangeKind]:
    try:
        kinds = [ExchangeKind(kind) for kind in exchange]
    except ValueError as error:
        raise FitError(f"exchange: {error}; {', '.join(ExchangeKind)} are known") from None
    if spectra == 1:
        kinds = [kind for kind in kinds if kind is ExchangeKind.NONE]
    if not kinds:
        raise FitError("exchange: at least one kind is needed, and a single spectrum allows only none")
    return kinds


# -- the result --------------------------------------------------------------------------------------------------------


def _best(spectra: list[SpectrumData], found: list[Solution]) -> Solution:
    """The lowest AIC; where turned axes describe the spectra just as well, those by which |E| <= |D| / 3."""
    lowest = min(found, key=lambda solution: solution.aic)
    alike = [one for one in found if one.system is lowest.system and one.aic < lowest.aic + _SAME]

    def unusual(one: Solution) -> bool:
        spins = one.system.junction(one.values, spectra[0].at(float(one.conductances[0]))).system.spins
        return any(3.0 * abs(spin.transverse_anisotropy_meV) > abs(spin.axial_anisotropy_meV) for spin in spins)

    return min(alike, key=lambda one: (unusual(one), one.aic))


def _result(spectra: list[SpectrumData], best: Solution, found: list[Solution], called: str) -> FitResult:
    errors = np.sqrt(np.diag(best.covariance))
    data = np.concatenate([one.conductance for one in spectra])
    fit = data + np.concatenate(best.left)
    places = [one.place or f"setpoint {format_quantity(one.setpoint, 'S')}" for one in spectra]
    aic, ranking = compared(best, found)
    return FitResult(
        model="transport",
        parameters=fitted(best, errors, places),
        free=(*best.free, *(f"conductance_{k + 1}" for k in range(len(spectra)))),
        covariance=best.covariance,
        points=data.size,
        residual=float(np.sqrt(np.mean((data - fit) ** 2))),
        warnings=doubts(spectra, best, found, errors),
        curves={
            "x": np.concatenate([one.bias for one in spectra]),
            "data": data,
            "fit": fit,
            "residual": data - fit,
            "setpoint": np.concatenate([np.full(one.bias.size, one.setpoint) for one in spectra]),
            "spectrum": np.concatenate([np.full(one.bias.size, float(k)) for k, one in enumerate(spectra)]),
            "aic": aic,
        },
        labels={"x": "bias", "x_unit": "V", "y": "dI/dV", "y_unit": "S"},
        choices={called: best.system.label, **ranking},
    )
