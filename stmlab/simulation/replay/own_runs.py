"""A run of stmlab as a recorded junction of its kind: its axes and channels decide, whatever its sequence is called.

The only place that reads a `Run` here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.errors import FileError
from stmlab.simulation.replay.points import averaged
from stmlab.simulation.replay.pulses import PulseShape, RecordedPulses
from stmlab.simulation.replay.recorded import Source, checksum
from stmlab.simulation.replay.response import RecordedResponse
from stmlab.simulation.replay.spectra import RecordedSpectra, about_modulation
from stmlab.simulation.replay.trace import RecordedTrace
from stmlab.storage import open_run

if TYPE_CHECKING:
    from stmlab.arrays import BoolArray, FloatArray, IntArray
    from stmlab.simulation.replay.recorded import RecordedJunction
    from stmlab.simulation.replay.table import ReplayTable
    from stmlab.storage import Run

_FEWEST = 3  # points of a spectrum
_RESISTOR = "the current without the drive is that of a resistor of the setpoint's conductance"


def junction_of_run(table: ReplayTable) -> RecordedJunction:
    """Read a run.

    Raises:
        FileError: it holds nothing that can be replayed, or too little of it; it says which channel is missing.
    """
    run = open_run(table.file)
    if table.pixel is not None:
        raise FileError(f"{run.path}: no grid: there is no pixel to choose")
    if not run.points:
        raise FileError(f"{run.path}: the run has no point: there is nothing to replay")
    names = {axis.name for axis in run.axes}
    if "bias" in names:
        return _spectra(run, table)
    if "time" in names:
        return _trace(run)
    if "frequency" in names:
        return _response(run)
    if names == {"delay"}:
        return _pulses(run)
    raise FileError(f"{run.path}: a run over {', '.join(sorted(names)) or 'no axis'} ({run.sequence}) is not replayed")


def _spectra(run: Run, table: ReplayTable) -> RecordedSpectra:
    """The forward sweeps, averaged, at every conductance that was measured whole."""
    axes = {axis.name: axis for axis in run.axes}
    if strangers := sorted(set(axes) - {"setpoint", "sweep", "bias"}):
        raise FileError(f"{run.path}: spectra over {', '.join(strangers)} are not replayed")
    conductance, current = (_against_bias(run, name) for name in ("conductance", "current"))
    bias, order = _forward(axes["bias"].values)
    both = np.array([current[:, order], conductance[:, order]])
    setpoints = axes["setpoint"].values if "setpoint" in axes else np.array([_conductance(run)])
    notes = _of_sweeps(run, order.size)
    if setpoints.size == 1:
        bias, values = averaged(bias, both[:, 0])
        both = values[:, None, :]
    else:
        whole = np.isfinite(both).all(axis=(0, 2))
        if not whole.all():
            notes.append(f"{np.count_nonzero(~whole)} of {whole.size} spectra are not whole: left out")
        there = np.flatnonzero(whole)
        kept = there[_rising(setpoints[there])]
        setpoints, both = setpoints[kept], both[:, kept]
    if bias.size < _FEWEST or not setpoints.size:
        raise FileError(f"{run.path}: no spectrum was measured to its end: there is nothing to replay")
    modulation = table.modulation if table.modulation is not None else _modulation(run)
    notes.append(about_modulation(modulation))
    volts = _number(run, "setpoint_bias")
    home = volts, float(setpoints[0]) * abs(volts)
    what = "a bias spectrum" if setpoints.size == 1 else f"bias spectra at {setpoints.size} conductances"
    source = _source(run, what, notes)
    return RecordedSpectra(source, bias, setpoints, both[0], both[1], modulation, home, stabilised=True)


def _trace(run: Run) -> RecordedTrace:
    """The traces that were taken whole."""
    if strangers := sorted({axis.name for axis in run.axes} - {"trace", "time"}):
        raise FileError(f"{run.path}: traces over {', '.join(strangers)} are not replayed")
    current = _grid(run, "current")
    traces = current.reshape(-1, current.shape[-1])
    whole = traces[np.isfinite(traces).all(axis=1)]
    if not len(whole):
        raise FileError(f"{run.path}: no trace was taken to its end: there is nothing to replay")
    interval = _number(run, "interval")
    notes = [f"current is played: {len(whole)} of {len(traces)} traces, {whole.shape[1]} samples each"]
    source = _source(run, "a time trace of the current", notes)
    home = _number(run, "setpoint_bias"), abs(_number(run, "setpoint_current"))
    return RecordedTrace(source, _number(run, "dc_bias"), interval, whole, home, stabilised=True)


def _response(run: Run) -> RecordedResponse:
    """Change of the current over bias, amplitude and frequency: the biases at which all of it was measured."""
    axes = {axis.name: axis for axis in run.axes}
    if strangers := sorted(set(axes) - {"offset", "drive", "frequency"}):
        raise FileError(f"{run.path}: spectra over {', '.join(strangers)} and frequency are not replayed")
    offset = axes["offset"].values if "offset" in axes else np.array([_number(run, "dc_bias")])
    drive = axes["drive"].values if "drive" in axes else np.array([_number(run, "amplitude")])
    shape = offset.size, drive.size, len(axes["frequency"])
    at_connector = "connector_amplitude" in run.data
    played = "connector_amplitude" if at_connector else "amplitude"
    current, amplitude, frequency = (_grid(run, name).reshape(shape) for name in ("current", played, "frequency"))
    amplitude = np.where(np.isfinite(amplitude), amplitude, drive[:, None])
    notes = []
    if offset.size * drive.size == 1:
        places, values = averaged(frequency[0, 0], np.array([current[0, 0], amplitude[0, 0]]))
        frequency, current, amplitude = places[None, None], values[:1, None], values[1:, None]
    whole: BoolArray = np.array([bool(np.isfinite(of_bias).all()) for of_bias in current])
    if not whole.all():
        notes.append(f"{np.count_nonzero(~whole)} of {whole.size} biases were not measured whole: left out")
    if not whole.any() or frequency.shape[-1] < 2:
        raise FileError(f"{run.path}: no bias was measured to its end: there is nothing to replay")
    kept = np.flatnonzero(whole)
    biases, drives = kept[_rising(offset[kept])], _rising(drive)
    cube = np.ix_(biases, drives, _rising(frequency[kept[0], 0]))
    what = "a stochastic resonance spectrum" if len(axes) == 1 else "a map of stochastic resonance spectra"
    what = "rectified currents over the frequency" if at_connector else what
    home = _number(run, "setpoint_bias"), abs(_number(run, "setpoint_current"))
    return RecordedResponse(
        _source(run, what, [*notes, _RESISTOR]),
        frequency[cube][0, 0],
        offset[biases],
        drive[drives],
        current[cube],
        amplitude[cube],
        home,
        stabilised=True,
        at_connector=at_connector,
    )


def _pulses(run: Run) -> RecordedPulses:
    """Change of the current against delay."""
    delay, (current,) = averaged(_grid(run, "delay"), _grid(run, "current")[None, :])
    pair = PulseShape(*(_number(run, name) for name in ("pump", "probe", "width", "rise_time")))
    source = _source(run, "a pump-probe scan", [_RESISTOR])
    home = _number(run, "setpoint_bias"), abs(_number(run, "setpoint_current"))
    bias, period = _number(run, "dc_bias"), _number(run, "period")
    return RecordedPulses(source, delay, current, bias, pair, period, home, stabilised=True)


def _rising(values: FloatArray) -> IntArray:
    """Where the values stand in increasing order, each once."""
    return np.unique(values, return_index=True)[1]


def _grid(run: Run, name: str) -> FloatArray:
    """A channel on the axes."""
    if name not in run.data and name not in run.coordinates:
        raise FileError(f"{run.path}: no channel {name!r} among {', '.join(run.data)}: a replay of this run needs it")
    return run.grid(name)


def _of_sweeps(run: Run, forward: int) -> list[str]:
    """What becomes of several sweeps."""
    axes = {axis.name: len(axis) for axis in run.axes}
    notes = [f"the mean of {axes['sweep']} sweeps is replayed"] if axes.get("sweep", 1) > 1 else []
    return notes + (["the way there is replayed, on the way back too"] if axes["bias"] > forward else [])


def _against_bias(run: Run, name: str) -> FloatArray:
    """A channel against setpoint and bias, shape (S, path of the bias): repeated sweeps averaged."""
    names = [axis.name for axis in run.axes]
    values = _grid(run, name)
    if "sweep" in names:
        place = names.index("sweep")
        taken = np.isfinite(values).sum(axis=place)
        values = np.where(taken, np.nansum(values, axis=place) / np.maximum(taken, 1), np.nan)
        names.remove("sweep")
    ordered = np.moveaxis(values, names.index("bias"), -1)
    return ordered.reshape(-1, ordered.shape[-1])


def _forward(path: FloatArray) -> tuple[FloatArray, IntArray]:
    """The biases of the first way in increasing order, and where they stand in the path."""
    steps = np.sign(np.diff(path))
    turned = np.flatnonzero(steps != steps[0])
    first = np.arange(turned[0] + 1 if turned.size else path.size)
    order = first[np.argsort(path[first])]
    return path[order], order


def _conductance(run: Run) -> float:
    """Of the setpoint, S."""
    return abs(_number(run, "setpoint_current") / _number(run, "setpoint_bias"))


def _modulation(run: Run) -> float | None:
    """As it was played, V peak."""
    played = run.data.get("modulation")
    if played is None:
        return None
    known = played[np.isfinite(played)]
    return float(np.median(known)) if known.size else None


def _number(run: Run, name: str) -> float:
    if name not in run.parameters:
        raise FileError(f"{run.path}: no parameter {name!r} in this run of {run.sequence}: a replay needs it")
    return float(run.parameters[name].value)


def _source(run: Run, what: str, notes: list[str]) -> Source:
    settings: dict[str, Any] = {name: said.value for name, said in run.parameters.items()}
    return Source(run.path, checksum(run.path), what, tuple(notes), settings, run.sequence)
