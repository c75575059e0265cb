"""Points of a ramp through a QCoDeS Measurement into its database: POINTS FOLDER."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from qcodes.dataset import Measurement, initialise_or_create_database_at, load_or_create_experiment
from qcodes.parameters import ManualParameter, Parameter
from told import told

POINTS, FOLDER = int(sys.argv[1]), Path(sys.argv[2])
source = ManualParameter("source", unit="V", initial_value=0.0)
reading = Parameter("reading", unit="V", get_cmd=source.get)


def points() -> int:
    """A ramp; returns the points that the database has."""
    measurement = Measurement(name="ramp")
    measurement.register_parameter(source)
    measurement.register_parameter(reading, setpoints=(source,))
    with measurement.run() as saver:
        for value in np.linspace(0, 1, POINTS).tolist():
            source.set(value)
            saver.add_result((source, value), (reading, reading.get()))
    return int(saver.dataset.number_of_results)


initialise_or_create_database_at(FOLDER / "qcodes.db")
load_or_create_experiment("bench", "ramp")
told("qcodes", points, 3, POINTS)
