"""The spectra of runs of ``srs`` and ``srs_map``, as an n-state fit takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.batch.srs import fit_srs_batch
from stmlab.analysis.columns import averaged, column
from stmlab.analysis.n_state.data import SrsSpectrum
from stmlab.errors import FitError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.analysis.settings import Settings
    from stmlab.arrays import FloatArray
    from stmlab.storage import Run

SEQUENCES = ("srs", "srs_map")
"""Whose runs these are."""
_FEWEST = 6  # points of a spectrum
_LINE = 3  # parameters of eq. 1
_REPEATED = ("frequency", "sweep", "offset", "drive")


def spectra_of(run: Run, told: Settings) -> tuple[list[SrsSpectrum], tuple[str, ...]]:
    """Every spectrum of a run, repeated sweeps averaged, and what is to be said of those that are left out.

    Raises:
        FitError: it is a run of something else, or its setpoint or a spectrum's amplitude is not known.
    """
    axes = [axis.name for axis in run.axes]
    if run.sequence not in SEQUENCES or any(name not in _REPEATED for name in axes):
        raise FitError(f"{run.path}: an n-state fit takes runs of {' and '.join(SEQUENCES)}, this is {run.sequence}")
    bias, amplitude = (_of_points(run, told, *names) for names in (("offset", "dc_bias"), ("drive", "amplitude")))
    v, a, f, current = averaged(bias, amplitude, column(run, "frequency"), column(run, "current"))
    setpoint = told.number("setpoint_bias"), told.number("setpoint_current")
    if not all(setpoint):
        raise FitError(f"{run.path}: the setpoint is not known: setpoint_bias, setpoint_current")
    found = srs_spectra(v, a, f, current, setpoint, told.optional("field"), told.temperature)
    whole = np.array([one.frequency.size for one in found])
    kept = [one for one in found if one.frequency.size >= _FEWEST]
    if len(kept) == len(found):
        return found, ()
    return kept, (
        f"{run.path.name}: {len(found) - len(kept)} spectra are left out: they have as few as {whole.min()} points, "
        f"and {_FEWEST} are needed",
    )


def _of_points(run: Run, told: Settings, axis: str, parameter: str) -> FloatArray:
    """A condition of each point: of the axis, else of the run."""
    if axis in run.coordinates:
        return column(run, axis)
    if parameter not in told.known:
        raise FitError(f"{run.path}: the run does not say {parameter}")
    return np.full(run.points, float(told.known[parameter]))


def srs_spectra(
    bias: FloatArray,
    amplitude: FloatArray,
    frequency: FloatArray,
    current: FloatArray,
    setpoint: tuple[float, float],
    field_T: float | None = None,
    temperature_K: float | None = None,
) -> list[SrsSpectrum]:
    """Spectra of the points of a map, in SI, shape (n,) each, with what eq. 1 finds in them."""
    found = []
    for v, a in np.unique(np.column_stack([bias, amplitude]), axis=0).tolist():
        points = np.flatnonzero((bias == v) & (amplitude == a))
        points = points[np.argsort(frequency[points], kind="stable")]
        f, y = frequency[points], current[points]
        line = line_of(f, y)
        noise = _noise(f, y, line)
        unseen = 4.0 * noise / np.sqrt(y.size)  # two halves differ by so much of two standard errors
        found.append(
            SrsSpectrum(
                f,
                y,
                v,
                a,
                *setpoint,
                field_T,
                temperature_K,
                step=line.get("step", 0.0),
                step_error=max(line.get("step_error", unseen), 1e-9 * float(np.ptp(y))),
                rate=line.get("rate", np.nan),
                rate_error=line.get("rate_error", np.nan),
                noise=noise,
            )
        )
    return found


def line_of(frequency: FloatArray, current: FloatArray) -> Mapping[str, float]:
    """What eq. 1 finds in a spectrum; nothing where it has no step."""
    try:
        fit = fit_srs_batch(frequency, current[None])
    except FitError:  # too few frequencies
        return {}
    if not fit.ok[0]:
        return {}
    found = {name: (float(fit[name][0][0]), float(fit[name][1][0])) for name in ("rate", "step", "offset")}
    return {name: value for name, (value, _) in found.items()} | {f"{n}_error": e for n, (_, e) in found.items()}


def _noise(frequency: FloatArray, current: FloatArray, line: Mapping[str, float]) -> float:
    """Of a point, by what eq. 1 leaves."""
    if not line:
        return max(float(np.std(current)), 1e-30)
    left = current - line["offset"] - line["step"] / (1.0 + (2.0 * np.pi * frequency / line["rate"]) ** 2)
    rms = float(np.sqrt(left @ left / max(left.size - _LINE, 1)))
    return max(rms, 1e-6 * float(np.ptp(current)))
