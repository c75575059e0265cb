"""Our readers beside nanonispy2, where that reads right: its header of a .dat is often empty, missing places are 0."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from stmlab.storage.exporters import export
from stmlab.storage.recorded import Grid, open_recording
from tests.clients.environment import client_environment
from tests.recorded_files import DATA
from tests.storage.importers.samples import curves, grid_bytes, grid_header

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow
VERSION = "1.2.0"
_READ = """
import json, sys, warnings
warnings.simplefilter("ignore")
import numpy as np
import nanonispy2 as nap
found = {}
for path in sys.argv[1:]:
    lines = ("Delay before measuring (s)", "Experiment", "Start time", "End time", "User", "Comment")
    missing = {line: "0" for line in lines}  # it wants all of them; small files of the kind have some
    grid = path.endswith(".3ds")
    signals = (nap.read.Grid(path, header_override=missing) if grid else nap.read.Spec(path)).signals
    found[path] = {name: np.asarray(values, dtype=float).tolist() for name, values in signals.items()}
print(json.dumps(found))
"""


def read(*paths: Path) -> dict[str, dict[str, np.ndarray]]:
    """Signals of each file by nanonispy2."""
    found = client_environment("nanonispy", [f"nanonispy2=={VERSION}", "numpy"]).run(_READ, *paths)
    text = json.loads(json.dumps(found))
    return {path: {name: np.array(values, dtype=float) for name, values in each.items()} for path, each in text.items()}


def titled(column):
    """As the file writes the name: "Current [AVG] (A)" or with flags behind the unit."""
    base, *flags = column.name.split(" [")
    unit = f" ({column.unit})" if column.unit else ""
    behind = "".join(f" [{flag}" for flag in flags)
    return {f"{column.name}{unit}", f"{base}{unit}{behind}", f"{base}{behind}{unit}"}


@pytest.mark.skipif(not DATA.is_dir(), reason="the files are not here")
def test_every_spectrum_has_the_values_that_nanonispy_reads():
    paths = [path for path in sorted(DATA.glob("*/*.dat")) if path.name != "decimal_comma.dat"]
    compared = 0
    for path, signals in read(*paths).items():
        ours = {title: column.values for column in open_recording(path).columns for title in titled(column)}
        for name, values in signals.items():
            found = ours.get(name.strip())
            assert found is not None, (path, name)
            np.testing.assert_allclose(found, values, rtol=1e-14)
            compared += 1
    assert compared > 100


def assert_the_same_grid(path):
    grid, signals = open_recording(path), read(path)[str(path)]
    assert isinstance(grid, Grid)
    there = grid.measured
    for channel in grid.channels:
        values = next(signals[title] for title in titled(channel) if title in signals)
        np.testing.assert_array_equal(channel.values[there], values[there])
    size = np.abs(grid.sweep.values).max()  # it counts in 4-byte numbers
    np.testing.assert_allclose(grid.sweep.values, signals["sweep_signal"], rtol=0, atol=1e-6 * size)
    for k, parameter in enumerate(grid.parameters):
        np.testing.assert_array_equal(parameter.values[there], signals["params"][there][:, k])


def test_a_grid_has_the_values_that_nanonispy_reads(tmp_path):
    path = tmp_path / "grid.3ds"
    path.write_bytes(grid_bytes(curves(4, 3) / 7, grid_header(3, 4, 17)))
    assert_the_same_grid(path)


@pytest.mark.skipif(not (DATA / "trials" / "grid.3ds").exists(), reason="the trial files are not here")
def test_the_trials_grid_has_the_values_that_nanonispy_reads():
    assert_the_same_grid(DATA / "trials" / "grid.3ds")


def test_what_we_export_as_dat_is_read_by_nanonispy(tmp_path):
    path = tmp_path / "grid.3ds"
    path.write_bytes(grid_bytes(curves(2, 3) / 7, grid_header(3, 2, 17)))
    spectrum = open_recording(path).spectrum(1, 2)
    made, _ = export(spectrum, "dat", tmp_path / "spectrum.dat")
    signals = read(made)[str(made)]
    for column in spectrum.columns:
        np.testing.assert_array_equal(signals[f"{column.name} ({column.unit})"], column.values)
