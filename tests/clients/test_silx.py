"""silx, the viewer of the synchrotrons: it opens a run by itself and draws the right thing."""

import pytest

from tests.clients.environment import client_environment
from tests.clients.run_files import HAND_MADE, hand_made

SHOWN = """
import json, sys
import silx.io
from silx.io import nxdata

def shown(path):
    with silx.io.open(path) as file:
        plot = nxdata.get_default(file)
        if plot is None or not plot.is_valid:
            return None
        errors = plot.errors
        return {
            "signal": [plot.signal_dataset_name, plot.signal_name],
            "axes": list(plot.axes_dataset_names),
            "labels": list(plot.axes_names),
            "shape": list(plot.signal.shape),
            "errors": None if errors is None else list(errors.shape),
            "beside": list(plot.auxiliary_signals_dataset_names),
            "scales": list(plot.plot_style.axes_scale_types),
            "kind": [kind for kind in ("curve", "image", "stack") if getattr(plot, "is_" + kind)],
            "values": plot.signal[()].ravel().tolist(),
            "title": plot.title,
        }

print(json.dumps([shown(path) for path in sys.argv[1:]]))
"""


@pytest.fixture(scope="module")
def silx():
    return client_environment("silx", ["silx==3.1.3"])


@pytest.mark.slow
def test_silx_draws_every_kind_of_run_with_axes_errors_and_scales(silx, tmp_path):
    files = hand_made(tmp_path)
    plots = dict(zip(files, silx.run(SHOWN, *files.values()), strict=True))
    for name, (axes, count) in HAND_MADE.items():
        plot, kept = plots[name], [axis for axis in axes if len(axis) > 1]
        assert plot is not None, name
        assert plot["signal"] == ["current", "current (A)"]
        assert plot["axes"] == [axis.name for axis in kept]
        assert plot["labels"] == [f"{axis.label} ({axis.unit})" for axis in kept]
        assert plot["shape"] == plot["errors"] == [len(axis) for axis in kept]
        assert plot["beside"] == ["current_fit"]
        assert plot["title"] == "imaginary on fe_atom"
        measured = [value for value in plot["values"] if value == value]
        assert len(measured) == count * (8 if axes[-1].name == "time" else 1)
        assert measured[:1] == [0.0][:count]
    assert [name for name, plot in plots.items() if "log" in plot["scales"]] == [
        "curve",
        "map",
        "one row of a map",
        "nothing yet",
    ]
    kinds = {name: plot["kind"] for name, plot in plots.items()}
    assert {name for name, kind in kinds.items() if kind == ["image"]} == {"map", "arrays", "spectra"}
    assert {name for name, kind in kinds.items() if kind == ["curve"]} == set(HAND_MADE) - {"map", "arrays", "spectra"}
