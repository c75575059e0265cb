"""Runs of spectra whose spin system is known: what a system's file says, at true values, with noise."""

import numpy as np

from stmlab.analysis.transport import SpectrumData
from stmlab.axes import Axis, Channel
from stmlab.events import ParameterValue, PointTaken, RunFinished, RunStarted, RunState
from stmlab.storage import Writer
from stmlab.systems import Conditions, read_system

HEAD = 'name = "mine"\nkind = "spin_system"\n'
MODULATION_V = 0.1e-3


def coupled(name, one, other, number):
    """An exchange between two spins, and the alternative that it is an Ising one."""
    return f"""
[spin_system.exchanges.{name}]
between = ["{one}", "{other}"]
heisenberg_meV = {number}
[spin_system.alternatives.ising]
without = ["exchanges.{name}.heisenberg_meV"]
exchanges.{name}.ising_meV = {number}
"""


def written(path, text):
    path.write_text(HEAD + text, encoding="utf-8")
    return path


def spectrum(system, truth, bias, at, seed=0, noise=3e-3):
    """dI/dV in S by the model itself, without the axis and the spline of the fit; noise as a part of the span."""
    junction = system.junction({**system.starts(), **truth}, at)
    clean = junction.conductance(bias - truth.get("bias_offset", 0.0), MODULATION_V)
    return clean + noise * np.ptp(clean) * np.random.default_rng(seed).standard_normal(bias.size)


def data(path, truth, places, bias, seed=0, noise=3e-3):
    """The system of a file, and spectra at ``places``: (conductance, field, temperature)."""
    system, found = read_system(path), []
    for k, (conductance, field, temperature) in enumerate(places):
        at = Conditions(conductance, field, temperature)
        values = spectrum(system, truth, bias, at, 1000 * seed + k, noise)
        found.append(SpectrumData(bias, values, conductance, field, temperature, MODULATION_V))
    return system, found


def run(path, bias, setpoints, rows, **parameters):
    """A run as a ramp takes it; one of a single setpoint is over the bias alone."""
    said = {"modulation": ParameterValue(MODULATION_V, "V", "")}
    said |= {name: ParameterValue(value, "", "") for name, value in parameters.items()}
    swept = Axis("bias", "V", bias, "bias", hardware=True)
    axes = (Axis("setpoint", "S", setpoints, "setpoint"), swept) if len(setpoints) > 1 else (swept,)
    points = [
        PointTaken(k, float(k), (g,) if len(setpoints) > 1 else (), (row,))
        for k, (g, row) in enumerate(zip(setpoints, rows, strict=True))
    ]
    channel, station = Channel("conductance", "S", "dI/dV"), {"station": "simulated", "configuration": "", "sample": ""}
    writer = Writer(path)
    writer(
        RunStarted(path.stem, "mine", "2024-01-01T10:00:00+00:00", said, axes, (channel,), point_seconds=1.0, **station)
    )
    for event in (*points, RunFinished(RunState.FINISHED, "completed", "", len(points), float(len(points)))):
        writer(event)
    writer.close()
    return path
