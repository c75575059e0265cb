"""SRS maps of atoms whose numbers are known: the model of all states, sampled as a run is, with noise."""

import numpy as np

from stmlab.axes import Axis, Channel
from stmlab.events import ParameterValue, PointTaken, RunFinished, RunStarted, RunState
from stmlab.physics.stochastic_resonance import static_current, stochastic_resonance
from stmlab.storage import Writer
from stmlab.systems import Conditions
from stmlab.systems.files import built_in

TABLE_S1 = {
    "axial_anisotropy_meV": -1.557,
    "transverse_anisotropy_meV": 0.248,
    "g_factor": 2.15,
    "sample_conductance_S": 7.2e-6,
    "tip_polarisation": 0.86,
    "potential_scattering": 0.76,
    "bias_offset": 0.0,
}
"""Betz et al., supplementary table 1; C_ST is CONDUCTANCE_S."""
CONDUCTANCE_S = 50e-9
SETPOINT_BIAS_V = 10e-3


def junction(truth, field_T, temperature_K, spin=2.0, conductance_S=CONDUCTANCE_S):
    """The atom of these numbers."""
    system = built_in("one_atom", "one_atom", {"spins.atom.spin": spin})
    return system.junction(TABLE_S1 | truth, Conditions(conductance_S, field_T, temperature_K))


def currents(junction, biases, amplitudes, frequencies, noise_A, seed):
    """SRS currents of a map, shape (bias, amplitude, frequency) in A."""
    clean = np.array(
        [
            [stochastic_resonance(junction, frequencies, offset_V=v, amplitude_V=a).signal_A for a in amplitudes]
            for v in biases
        ]
    )
    return clean + noise_A * np.random.default_rng(seed).standard_normal(clean.shape)


def run(path, biases, amplitudes, frequencies, rows, setpoint_current, **parameters):
    """A run as srs_map takes it."""
    axes = (
        Axis("offset", "V", np.asarray(biases), "DC bias"),
        Axis("drive", "V", np.asarray(amplitudes), "microwave amplitude"),
        Axis("frequency", "Hz", np.asarray(frequencies), "microwave frequency", logarithmic=True),
    )
    said = {"setpoint_bias": SETPOINT_BIAS_V, "setpoint_current": setpoint_current, **parameters}
    places = np.array(np.meshgrid(*(axis.values for axis in axes), indexing="ij")).reshape(3, -1).T.tolist()
    points = [
        PointTaken(k, float(k), tuple(place), (value,))
        for k, (place, value) in enumerate(zip(places, np.ravel(rows).tolist(), strict=True))
    ]
    writer = Writer(path)
    writer(
        RunStarted(
            path.stem,
            "srs_map",
            "2024-01-01T10:00:00+00:00",
            {name: ParameterValue(value, "", "") for name, value in said.items()},
            axes,
            (Channel("current", "A", "SRS signal"),),
            point_seconds=1.0,
            station="simulated",
            configuration="",
            sample="",
        )
    )
    for event in (*points, RunFinished(RunState.FINISHED, "completed", "", len(points), float(len(points)))):
        writer(event)
    writer.close()
    return path


def atom_map(path, truth, field_T, temperature_K, spin, biases, amplitudes, frequencies, noise_A, seed=1):
    """A map of one atom, with the setpoint's current that the atom has."""
    atom = junction(truth, field_T, temperature_K, spin)
    rows = currents(atom, biases, amplitudes, frequencies, noise_A, seed)
    setpoint = float(static_current(atom, np.array([SETPOINT_BIAS_V]))[0])
    return run(path, biases, amplitudes, frequencies, rows, setpoint)
