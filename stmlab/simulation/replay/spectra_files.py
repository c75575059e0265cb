"""Bias spectra of other programs' files, as a recorded junction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.analysis.recorded.checks import height_warnings, phase_warnings
from stmlab.analysis.recorded.columns import current as current_column
from stmlab.analysis.recorded.columns import derivative, spectrum
from stmlab.analysis.recorded.header import told_by_header
from stmlab.analysis.recorded.swept import sweeps
from stmlab.errors import FileError, FitError
from stmlab.simulation.replay.headers import header_number
from stmlab.simulation.replay.points import averaged
from stmlab.simulation.replay.recorded import Source, checksum
from stmlab.simulation.replay.spectra import RecordedSpectra, about_modulation

if TYPE_CHECKING:
    from stmlab.analysis.recorded.swept import Rows
    from stmlab.arrays import FloatArray
    from stmlab.simulation.replay.table import ReplayTable
    from stmlab.storage.recorded import Column, Recording

_EXPLAINED = 0.98  # share of the current's variance that the integral of dI/dV must explain
_FEWEST = 3


def spectrum_of(recording: Recording, rows: Rows, table: ReplayTable) -> RecordedSpectra:
    """The first sweep of a recorded file.

    The lock-in's reading has any unit: it is scaled so that its integral is the recorded current. Without a lock-in's
    reading dI/dV is the derivative of the current, which no modulation has broadened.

    Raises:
        FileError: no current, too few points, or a reading whose integral is not the current.
    """
    told = told_by_header(recording)
    seen = spectrum(recording, table.channel, told.harmonics)
    amperes = seen.column if seen.derived else _current(recording, seen.column.name)
    ways = sweeps(rows.column.values)
    kept = ways[0].rows if ways else np.arange(0)
    swept = rows.column.values[kept]
    mask = np.isin(np.arange(rows.column.values.size), kept)
    bias, (current, reading) = averaged(swept, np.array([amperes.values[kept], seen.column.values[kept]]))
    if bias.size < _FEWEST:
        raise FileError(f"{recording.path}: {bias.size} different biases with a current: a spectrum needs {_FEWEST}")
    place = [] if table.pixel is None else ["column {}, row {} of the grid".format(*table.pixel)]
    notes = [*place, *recording.notes, *seen.warnings, *height_warnings(recording, mask)]
    notes += [f"the first of {len(ways)} sweeps is replayed"] if len(ways) > 1 else []
    modulation: float | None
    if seen.derived:
        conductance, modulation = derivative(bias, current), 0.0
    else:
        factor = _matched(recording, seen.column, amperes, bias, current, reading)
        conductance, modulation = factor * reading, told.known.get("modulation")
        notes += phase_warnings(bias, reading, None, current)
        notes.append(f"dI/dV is {seen.column.name} times {factor:.5g}, which integrates to {amperes.name}")
    modulation = modulation if table.modulation is None else table.modulation
    notes.append(about_modulation(modulation))
    home = _home(recording, bias, current)
    settings = _settings(swept[np.isfinite(swept)], bias.size, home, modulation)
    source = Source(recording.path, checksum(recording.path), "a bias spectrum", tuple(notes), settings)
    setpoints = np.array([abs(home[1] / home[0])])
    return RecordedSpectra(
        source, bias, setpoints, current[None, :], conductance[None, :], modulation, home, stabilised=False
    )


def _current(recording: Recording, reading: str) -> Column:
    try:
        return current_column(recording)
    except FitError as error:
        raise FileError(
            f"{recording.path}: there is no current beside {reading}: a replay needs both, since the loop holds the "
            f"current ({error})"
        ) from error


def _matched(
    recording: Recording, reading: Column, amperes: Column, bias: FloatArray, current: FloatArray, values: FloatArray
) -> float:
    """The factor that makes the integral of ``values`` over the bias the current, by least squares with an offset."""
    integral = np.concatenate([[0.0], np.cumsum(np.diff(bias) * (values[1:] + values[:-1]) / 2)])
    moving, wanted = integral - integral.mean(), current - current.mean()
    factor = float(moving @ wanted / (moving @ moving)) if moving.any() else 0.0
    left = float(np.square(wanted - factor * moving).sum() / np.square(wanted).sum()) if wanted.any() else 1.0
    if left > 1 - _EXPLAINED:
        raise FileError(
            f"{recording.path}: the integral of {reading.name} is not {amperes.name} ({100 * (1 - left):.1f} % of it "
            f"is explained): name the channel that is dI/dV, or channel = {amperes.name!r} to replay its derivative"
        )
    return factor


def _home(recording: Recording, bias: FloatArray, current: FloatArray) -> tuple[float, float]:
    """A recorded bias and its current's magnitude: the bias that the header names, else the farthest from zero."""
    told = header_number(recording, "Bias>Bias (V)")
    at = told if told and bias[0] <= told <= bias[-1] else float(bias[np.abs(bias).argmax()])
    held = abs(float(np.interp(at, bias, current)))
    if not held:
        raise FileError(f"{recording.path}: no current at {at:g} V: the feedback could not hold the tip there")
    return at, held


def _settings(swept: FloatArray, points: int, home: tuple[float, float], modulation: float | None) -> dict[str, Any]:
    known: dict[str, Any] = {"start_bias": float(swept[0]), "stop_bias": float(swept[-1]), "points": points}
    known |= {"dc_bias": home[0], "setpoint_bias": home[0], "setpoint_current": home[1]}
    return known | ({"modulation": modulation} if modulation else {})
