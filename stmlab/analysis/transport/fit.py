"""The transport model fitted to a set of dI/dV spectra at once (Muenks et al.; `stmlab.physics.transport`).

One spin Hamiltonian describes spectra at many conductances: anisotropy D and E, an exchange with the tip's spin that
grows with the conductance, the correlation C of the tip's electrons with that spin, the Kondo coupling J rho of the
third order, the potential scattering U, an offset of the bias, the temperature; and the conductance of each spectrum,
which scales it and pumps the spins. Steps read off a spectrum are pulled by third order and pumping; here both are part
of the model.

Without exchange, with Heisenberg and with Ising exchange are fitted each, and compared by Akaike's information
criterion.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.iterations import iterations
from stmlab.analysis.numbers import finite, number
from stmlab.analysis.transport.doubts import DECIDED, doubts, shown_error
from stmlab.analysis.transport.model import COARSE, FINE, SpinSetting
from stmlab.analysis.transport.problem import SMALLEST_NOISE, Problem, SpectrumData
from stmlab.analysis.transport.solution import Solution, as_usual, by_kind, distinct
from stmlab.analysis.transport.start import StepsSeen, has_an_axis, starts, steps_seen
from stmlab.errors import FitError
from stmlab.physics.baths import DEFAULT_SCATTERING_S
from stmlab.physics.coupled_tip import ExchangeKind
from stmlab.results import FitParameter, FitResult
from stmlab.units import format_quantity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from stmlab.analysis.transport.model import SpinParameters

_UNITS = {
    "axial_anisotropy_meV": "meV",
    "transverse_anisotropy_meV": "meV",
    "temperature_K": "K",
    "exchange_slope_meV_per_uS": "meV/uS",
    "correlation": "",
    "kondo_coupling": "",
    "potential_scattering": "",
    "bias_offset": "V",
}
_MOST = 60  # steps
_ROUNDS = ((3e-2, 2, 4.0), (3e-2, _MOST, 2.0), (1e-3, _MOST, 0.0), (1e-4, _MOST, 0.0))
"""Of each round: promised gain over the squares at which it ends, steps, and the difference of AIC, a point, beyond
which a solution is given up after it."""
_DECIDING, _CONVERGED = 1e-4, 1e-8  # the same where potential scattering is decided on, and at the end
_HOPELESS = 200.0  # difference of AIC; fewer are no reason to give up
_STEADY, _REWEIGHTED = 1e-3, 6  # relative change of the noise, and how often it is taken anew
_CLOSE = 2 * DECIDED  # of AIC: whose order may turn when all of them have settled
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
        FitError: the data cannot carry the fit.
    """
    _check_settings(spin, order, modulation_V, temperature_K, field_T, scattering_S)
    spectra = _spectra(bias, conductance, setpoint)
    kinds = _kinds(exchange, len(spectra))
    setting = SpinSetting(spin=spin, field_T=field_T, modulation_V=modulation_V, scattering_S=scattering_S, order=order)
    settings = [replace(setting, exchange=kind) for kind in kinds]
    seen = steps_seen(spectra, modulation_V, temperature_K, singles=any(has_an_axis(one) for one in settings))
    free = temperature_K is None
    found = [start for one in settings for start in _begun(spectra, one, seen, free_temperature=free)]
    beaten, points = math.inf, sum(one.bias.size for one in spectra)
    for tolerance, most, behind in _ROUNDS:
        found = distinct(_round(spectra, found, beaten, tolerance, most))
        beaten = min(solution.aic for solution in found) + max(behind * points, _HOPELESS)
        left = [solution for solution in found if solution.aic < beaten]
        if len(left) == 1 and left[0].converged:
            break
    lowest = min(solution.aic for solution in found)
    found = [_settled(spectra, one) if one.aic < lowest + _CLOSE else one for one in found]
    return _result(spectra, min(found, key=lambda solution: solution.aic), found)


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
    for one in spectra:
        if one.bias.size < _FEWEST:
            raise FitError(f"{one.bias.size} points at {one.setpoint:.4g} S: at least {_FEWEST} a spectrum are needed")
        if one.bias.min() >= 0 or one.bias.max() <= 0:
            raise FitError(f"the spectrum at {one.setpoint:.4g} S covers only one polarity of the bias")
        if np.median(one.conductance) <= 0:
            raise FitError(
                f"the spectrum at {one.setpoint:.4g} S is negative: is the lock-in's phase wrong by half a turn?"
            )
        if np.ptp(one.conductance) == 0:
            raise FitError(f"the spectrum at {one.setpoint:.4g} S is constant: there are no steps to fit")
        if np.median(one.conductance) > _LARGEST:
            raise FitError(
                f"dI/dV of {np.median(one.conductance):.3g} S is no tunnel junction's: is the spectrum really in S?"
            )
    return spectra


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


# -- the fit -----------------------------------------------------------------------------------------------------------


def _begun(
    spectra: list[SpectrumData], setting: SpinSetting, seen: StepsSeen, *, free_temperature: bool
) -> list[Solution]:
    """The starts of one kind of exchange, each spectrum weighted by its size."""
    noise = np.array([math.sqrt(one.conductance.max()) for one in spectra])
    noise *= float(np.ptp(spectra[0].conductance)) / noise[0]
    free = _free(setting, free_temperature=free_temperature)
    return [
        Solution(setting, parameters, free, conductances, np.empty(0), noise, -math.inf)
        for parameters, conductances in starts(spectra, setting, seen)
    ]


def _round(
    spectra: list[SpectrumData], found: list[Solution], beaten: float, tolerance: float, most: int
) -> list[Solution]:
    """Each that is not beaten goes on; where the fit is to end early, those that have made a step are all there are."""
    gone_on = [_improved(spectra, one, tolerance, most, COARSE) if one.aic < beaten else one for one in found]
    if not iterations().over:
        return gone_on
    begun = [one for one in gone_on if one.left]
    if not begun:
        iterations().refuse_if_over()
    return begun


def _improved(
    spectra: list[SpectrumData], solution: Solution, tolerance: float, most: int, per_kT: float = FINE
) -> Solution:
    """Least squares from the solution, with the noise of each spectrum that it leaves; itself if the fit is over."""
    free = solution.free
    problem = Problem(spectra, solution.setting, solution.parameters, free, solution.noise, per_kT)
    found = None if iterations().over else problem.solved(solution.conductances, tolerance, most)
    if found is None:  # or the model is not defined there
        return solution if solution.left else replace(solution, aic=math.inf)
    rms = np.array([math.sqrt(np.mean(part**2)) for part in found.residuals])
    noise = np.maximum(solution.noise * rms, SMALLEST_NOISE * np.array([np.ptp(one.conductance) for one in spectra]))
    likelihood = sum(one.bias.size * math.log(n**2) for one, n in zip(spectra, noise, strict=True))
    aic = likelihood + 2 * (len(free) + 2 * len(spectra))
    left = tuple(part * n for part, n in zip(found.residuals, solution.noise, strict=True))
    return Solution(
        solution.setting,
        found.parameters,
        free,
        found.conductances,
        found.covariance,
        noise,
        aic,
        left,
        found.converged,
        found.steps,
    )


def _settled(spectra: list[SpectrumData], solution: Solution) -> Solution:
    """Converged; without potential scattering if the spectra do not ask for it, else with its better sign."""
    with_it = _improved(spectra, solution, _DECIDING, _MOST, COARSE)
    none = replace(with_it.parameters, potential_scattering=0.0)
    free = tuple(name for name in with_it.free if name != "potential_scattering")
    without = _improved(spectra, _begun_anew(with_it, none, free), _DECIDING, _MOST, COARSE)
    if without.aic <= with_it.aic + DECIDED:
        return _converged(spectra, without)
    turned = replace(with_it.parameters, potential_scattering=-with_it.parameters.potential_scattering)
    other = _improved(spectra, _begun_anew(with_it, turned, with_it.free), _DECIDING, _MOST, COARSE)
    return _converged(spectra, min(with_it, other, key=lambda one: one.aic))


def _begun_anew(solution: Solution, parameters: SpinParameters, free: tuple[str, ...]) -> Solution:
    """From other parameters, where nothing is known of what they leave of the spectra."""
    return replace(solution, parameters=parameters, free=free, left=(), aic=-math.inf)


def _converged(spectra: list[SpectrumData], solution: Solution) -> Solution:
    """To the end, and again while that changes the noise: the covariance is for the noise that one begins with."""
    for _ in range(_REWEIGHTED):
        found = _improved(spectra, solution, _CONVERGED, _MOST)
        if np.allclose(found.noise, solution.noise, rtol=_STEADY, atol=0.0):
            break
        solution = found
    return found


def _free(setting: SpinSetting, *, free_temperature: bool) -> tuple[str, ...]:
    names = ["axial_anisotropy_meV", "transverse_anisotropy_meV"]
    if setting.exchange is not ExchangeKind.NONE:
        names += ["exchange_slope_meV_per_uS", "correlation"]
    if setting.order == 3:
        names.append("kondo_coupling")
    names += ["potential_scattering", "bias_offset"]
    if free_temperature:
        names.append("temperature_K")
    return tuple(names)


# -- the result --------------------------------------------------------------------------------------------------------


def _result(spectra: list[SpectrumData], best: Solution, found: list[Solution]) -> FitResult:
    errors = np.sqrt(np.diag(best.covariance))
    spins = as_usual(best)
    names = (*best.free, *(f"conductance_{k + 1}" for k in range(len(spectra))))
    values = [*(getattr(spins, name) for name in best.free), *best.conductances.tolist()]
    units = [*(_UNITS[name] for name in best.free), *["S"] * len(spectra)]
    places = [*[""] * len(best.free), *(f"setpoint {format_quantity(one.setpoint, 'S')}" for one in spectra)]
    parameters = tuple(
        FitParameter(name, float(value), shown_error(name, float(value), float(error)), unit, place)
        for name, value, error, unit, place in zip(names, values, errors, units, places, strict=True)
    )
    data = np.concatenate([one.conductance for one in spectra])
    fit = data + np.concatenate(best.left)
    return FitResult(
        model="transport",
        parameters=parameters,
        free=names,
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
            "aic": np.array([min(s.aic for s in group) for group in by_kind(found).values()]),
        },
        labels={"x": "bias", "x_unit": "V", "y": "dI/dV", "y_unit": "S"},
        choices={"exchange": str(best.setting.exchange)},
    )
