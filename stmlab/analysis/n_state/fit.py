"""The n-state model fitted to SRS spectra at many DC biases and amplitudes at once (Betz et al., supplement S3).

A spin system says which states there are; electrons of tip and sample scatter between them, at rates that follow the
bias, and each state has a current of its own. One set of its numbers (anisotropies and g: the thresholds; C_ST and
C_SS: the rates; the tip's polarisation and the potential scattering: what the current tells of the state) describes
every spectrum of the map. All points are fitted, not rates and steps read off them: a spectrum without a step says as
much as one with, what eq. 1 misses of strong drive is not missed, and the errors are those of the points' noise. What
eq. 1 finds is where the fit begins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.n_state.data import setpoints
from stmlab.analysis.n_state.derived import derived
from stmlab.analysis.n_state.descents import SpectraLeft, solutions
from stmlab.analysis.n_state.doubts import doubts
from stmlab.analysis.n_state.forward import Forward
from stmlab.analysis.n_state.runs import line_of
from stmlab.analysis.transport.fitted import fitted
from stmlab.analysis.transport.solution import compared
from stmlab.errors import FitError
from stmlab.results import FitResult
from stmlab.units import format_quantity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stmlab.analysis.n_state.data import SrsSpectrum
    from stmlab.analysis.transport.solution import Solution
    from stmlab.systems import System

_FEWEST_STEPS = 3  # spectra with a step


def fit_states(spectra: list[SrsSpectrum], systems: Sequence[System], *, offsets: bool = True) -> FitResult:
    """Fit each of some spin systems to all spectra, and tell them apart by Akaike's information criterion.

    Args:
        spectra: with their conditions.
        systems: the first one and its alternatives.
        offsets: the constant under each step is the spectrum's own. Else it is the model's I_rec, which says far more,
            where nothing but the spin bends the current over the bias.

    Returns:
        The parameters of the best system, then "conductance_1" ... (S, of each setpoint); derived are "level_1" ...
        (meV, where inelastic channels open), "rate" (1/s, the slowest at zero bias), "lifetime" (s) and
        "conductance_difference" (S, of the first excited and the ground state). ``choices`` says which system it is,
        and how far the AIC of each other is above. Curves "x", "data", "fit", "residual", "spectrum" run over all
        points; "bias", "amplitude", "rate", "rate_error", "step", "step_error" over the spectra, as eq. 1 has them,
        with "fit_rate" and "fit_step" where it is given the model's; "aic" over the systems.

    Raises:
        FitError: the data cannot carry the fit, or the conditions are not known.
    """
    _check(spectra, systems)
    found = solutions(spectra, systems, offsets=offsets)
    best = min(found, key=lambda one: one.aic)
    return _result(spectra, best, found, offsets=offsets)


def _check(spectra: list[SrsSpectrum], systems: Sequence[System]) -> None:
    """Raise FitError for a map that cannot say what is asked."""
    if not spectra:
        raise FitError("no spectra: there is nothing to fit")
    with_step = sum(bool(np.isfinite(one.rate)) for one in spectra)
    needed = max(_FEWEST_STEPS, -(-max(len(one.parameters) for one in systems) // 2))
    if with_step < needed:
        raise FitError(
            f"{with_step} of {len(spectra)} spectra hold a step that stands out of the noise: each says a rate and a "
            f"height, and {needed} are needed for the parameters of {systems[0].label}"
        )


def _result(spectra: list[SrsSpectrum], best: Solution, found: list[Solution], *, offsets: bool) -> FitResult:
    forward = Forward(best.system, spectra)
    errors = np.sqrt(np.diag(best.covariance))
    data = np.concatenate([one.current for one in spectra])
    left = SpectraLeft(forward, offsets).of(best.values, best.conductances)
    residual = -np.concatenate(left)
    aic, ranking = compared(best, found)
    places = [f"setpoint {_said(*setpoint)}" for setpoint in setpoints(spectra)]
    lines = [line_of(one.frequency, one.current + part) for one, part in zip(spectra, left, strict=True)]
    return FitResult(
        model="n_state",
        parameters=(*fitted(best, errors, places), *derived(forward, best)),
        free=(*best.free, *(f"conductance_{k + 1}" for k in range(len(places)))),
        covariance=best.covariance,
        points=data.size,
        residual=float(np.sqrt(np.mean(residual**2))),
        warnings=doubts(forward, best, found, errors),
        curves={
            "x": np.concatenate([one.frequency for one in spectra]),
            "data": data,
            "fit": data - residual,
            "residual": residual,
            "spectrum": np.concatenate([np.full(one.frequency.size, float(k)) for k, one in enumerate(spectra)]),
            **{name: np.array([getattr(one, name) for one in spectra]) for name in _OF_SPECTRA},
            **{f"fit_{name}": np.array([line.get(name, np.nan) for line in lines]) for name in ("rate", "step")},
            "aic": aic,
        },
        labels={"x": "microwave frequency", "x_unit": "Hz", "x_scale": "log", "y": "SRS current", "y_unit": "A"},
        choices={
            "system": best.system.label,
            **ranking,
            "offset": "of each spectrum" if offsets else "of the model",
        },
    )


_OF_SPECTRA = ("bias", "amplitude", "rate", "rate_error", "step", "step_error")


def _said(bias: float, current: float) -> str:
    return f"{format_quantity(current, 'A')} at {format_quantity(bias, 'V')}"
