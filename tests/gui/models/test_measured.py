"""Measure this: what the simulated microscope reads of a model's sample is what the model says."""

import numpy as np
import pytest

from stmlab import models
from stmlab.acquisition.experiments import sequence_class
from stmlab.acquisition.runner import Runner
from stmlab.gui.models.sample import measurement_entry
from stmlab.station import Station
from stmlab.storage import open_run


@pytest.mark.parametrize(
    ("name", "given", "channel", "axis"),
    [
        ("transport", {"axial_anisotropy_meV": -3.5, "order": "2", "conductance": 2e-7}, "conductance", "bias"),
        ("srs", {"excitation_rate_per_s": 8e8, "amplitude": 5e-3}, "current", "frequency"),
        ("bound-state", {"energy_meV": 0.3}, "current", "bias"),
    ],
)
def test_what_is_measured_is_what_the_model_says(tmp_path, monkeypatch, name, given, channel, axis):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    model = models.known(name)
    _, entry = measurement_entry(model, given, "2024")
    sequence = sequence_class(entry.sequence)()
    for parameter, text in {**entry.settings, "points": "11"}.items():
        sequence.set(parameter, text)
    with Station.load(entry.station, sample=entry.sample, seed=3) as station:
        Runner(sequence, station, tmp_path / "run.h5").run()
    run = open_run(tmp_path / "run.h5")
    measured, x = run.data[channel].ravel(), run.coordinates[axis]
    expected = next(iter(model.curves(given, np.asarray(x)).y.values())).values
    np.testing.assert_allclose(measured, expected, rtol=0, atol=0.04 * np.ptp(expected))
