"""The table of paths says what stands in a file: no path without a row, no row without a path."""

import re

import h5py
import numpy as np
import pytest

from stmlab.axes import Axis, Channel
from stmlab.events import ParameterValue, PointTaken
from stmlab.storage import Writer
from stmlab.storage.tree import PATHS


@pytest.fixture
def files(tmp_path, whole_run, make_started):
    """A map of numbers, one of arrays, and a bias sweep with errors."""
    bias = (Axis("setpoint", "S", np.ones(1)), Axis("bias", "V", np.linspace(-1, 1, 5)))
    channels = (Channel("conductance", "S", ""), Channel("conductance_error", "S", ""))
    said = {"modulation": ParameterValue(1e-3, "V", ""), "modulation_frequency": ParameterValue(689.0, "Hz", "")}
    started = make_started(axes=bias, channels=channels, parameters=said)
    spectrum = [started, PointTaken(0, 1.0, (1.0, -1.0), (1.0, 0.1))]
    for name, events in (("map", whole_run()), ("arrays", whole_run(sweep=3)), ("spectrum", spectrum)):
        writer = Writer(tmp_path / f"{name}.h5")
        for event in events:
            writer(event)
        writer.close()
    return sorted(tmp_path.glob("*.h5"))


def paths(path):
    with h5py.File(path) as file:
        found = set()
        file.visit_links(lambda name: found.add(f"/{name}"))
        return found


NAMES = {
    "axis": "bias|frequency|height|setpoint",
    "channel": "current|x|conductance",
    "column": r"\w+",
    "factor": "gain",
    "note": "configuration|snapshot_before|snapshot_after",
    "number": "scan_\\w+|step_size_bias|backward_sweep",
    "package": "stmlab|h5py|a",
    "parameter": "dc_bias|averages|both_ways|comment|modulation|modulation_frequency",
    "part": "scan_region|linear_sweep",
    "table": "results|inputs|covariance|curves",
}


def rows_for(path):
    """Rows of the table that tell of ``path``; one without placeholders is enough."""
    if path in PATHS:
        return [path]
    return [row for row in PATHS if re.fullmatch(re.sub(r"<(\w+)>", lambda name: f"({NAMES[name[1]]})", row), path)]


def test_every_path_has_a_row(files):
    for file in files:
        assert [path for path in sorted(paths(file)) if not rows_for(path)] == []


def test_every_row_has_a_path(files):
    found = set().union(*map(paths, files))
    described = {row for path in found for row in rows_for(path)}
    assert set(PATHS) - described == set()


def test_a_path_that_nobody_described_is_found():
    assert rows_for("/entry/data/x/y") == []
    assert rows_for("/entry/data/surprise") == []
    assert rows_for("/entry/surprise") == []
