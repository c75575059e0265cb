"""Grids and exports on the command line: what is shown, fitted and drawn of a grid, and written in other formats."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from stmlab.axes import Axis, Channel
from stmlab.cli import app
from stmlab.display.figures.grid import draw_grid_fits
from stmlab.events import PointTaken, RunFinished, RunStarted, RunState
from stmlab.physics.stochastic_resonance import line_shape
from stmlab.storage import Writer, open_run
from stmlab.storage.recorded import open_recording
from tests.storage.importers.samples import write_step_grid


def cli(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def grid(tmp_path_factory):
    path = tmp_path_factory.mktemp("grid") / "grid.3ds"
    write_step_grid(path)
    return path


def test_a_grid_is_shown_and_fitted(grid):
    """With ``--png`` in tests/test_readme.py."""
    shown = cli("show", grid)
    assert "grid       3 x 4 (y, x), 11 of 12 places" in shown.stdout
    assert json.loads(cli("show", grid, "--json").stdout)["measured"] == 11
    fitted = cli("fit", grid, "--model", "steps", "--json")
    assert fitted.exit_code == 0, fitted.stderr
    fits = json.loads(fitted.stdout)["fits"]
    assert list(fits) == ["forward", "backward"]
    assert fits["forward"]["fitted"] == 11
    outer = next(p for p in fits["forward"]["parameters"] if p["name"] == "outer_energy")
    np.testing.assert_allclose(outer["values"][0], 3.8 - 0.1 * np.arange(4), atol=0.02)
    text = cli("fit", grid, "--set", "temperature=1 K").stdout
    assert text.startswith("forward: fit steps: 11 of 3 x 4 places (y, x)")
    assert "warning: 1 of 12 places have no numbers: 1 not measured" in text
    assert cli("fit", grid, "--keep").exit_code == 1


def test_maps_lie_where_the_places_were_and_are_grey_where_nothing_was_fitted(grid):
    from stmlab import fit_grid

    fits = fit_grid(grid, temperature=1.0)
    figure = draw_grid_fits("a grid", fits)
    images = [axes.images[0] for axes in figure.axes if axes.images]
    assert len(images) == 2 * 2 * 4
    drawn = images[2].get_array()  # panels go row by row: values of the four parameters, then their errors
    assert images[0].get_extent() == pytest.approx([-0.5, 3.5, -0.5, 2.5], abs=1e-3)
    assert images[0].axes.get_ylabel() == "Y (nm)"
    assert np.argwhere(np.ma.getmaskarray(drawn)).tolist() == [[2, 3]]
    energy = images[1].get_array()
    assert np.ma.getmaskarray(energy)[2, 3]
    np.testing.assert_allclose(energy[0], fits["forward"]["outer_energy"][0][0], rtol=1e-12)


def srs_run(path, drives=3, offsets=2):
    """A run over offset, drive and frequency with a rate of its own at every place."""
    frequency = np.geomspace(3e6, 20e9, 40)
    axes = (
        Axis("offset", "V", np.linspace(1e-3, 4e-3, offsets)),
        Axis("drive", "V", np.linspace(1e-3, 3e-3, drives)),
        Axis("frequency", "Hz", frequency, logarithmic=True),
    )
    rates = np.geomspace(5e8, 5e9, offsets * drives)
    lines = np.array([line_shape(frequency, rate, 5e-12, -3e-12) for rate in rates])
    lines += 0.05e-12 * np.random.default_rng(2).standard_normal(lines.shape)
    started = RunStarted(
        run_id="0123456789abcdef",
        sequence="srs_map",
        date="2024-01-01T00:00:00+00:00",
        parameters={},
        axes=axes,
        channels=(
            Channel("current", "A", "SRS current"),
            Channel("x", "V", "in phase"),
            Channel("y", "V", "out of phase"),
        ),
        point_seconds=1.0,
        station="simulated",
        configuration="",
        factors={},
        sample="",
        snapshot={},
        versions={},
        git="",
        seed=1,
    )
    writer = Writer(path)
    writer(started)
    places = np.stack([values.ravel() for values in np.meshgrid(*(axis.values for axis in axes), indexing="ij")], 1)
    for k, (place, value) in enumerate(zip(places, lines.ravel(), strict=True)):
        writer(PointTaken(k, float(k), tuple(place.tolist()), (float(value), 1e9 * float(value), 1e-6 * k), visit=k))
    writer(RunFinished(RunState.FINISHED, "completed", "", len(places), float(len(places))))
    return rates.reshape(offsets, drives)


def test_a_run_over_several_axes_is_a_grid_for_a_model_of_one_curve(tmp_path):
    path = tmp_path / "map.h5"
    rates = srs_run(path)
    fitted = cli("fit", path, "--model", "srs", "--json", "--png", tmp_path / "maps.png")
    assert fitted.exit_code == 0, fitted.stderr
    fit = json.loads(fitted.stdout)["fits"]["forward"]
    assert (fit["axes"], fit["shape"]) == (["offset", "drive"], [2, 3])
    assert fit["choices"]["column"] == "current"  # and not the lock-in's volts
    rate = fit["parameters"][0]
    np.testing.assert_allclose(rate["values"], rates, rtol=0.1)
    assert json.loads(cli("fit", path, "--json").stdout)["model"] == "srs_map"
    assert cli("fit", path, "--model", "srs", "--keep").exit_code == 1


@pytest.mark.parametrize("to", ["csv", "dat", "netcdf", "numpy"])
def test_a_run_is_exported_beside_it_and_read_again(tmp_path, to):
    path = tmp_path / "map.h5"
    srs_run(path)
    made = cli("export", path, "--to", to)
    assert made.exit_code == 0, made.stderr
    found = open_recording(made.stdout.strip())
    np.testing.assert_array_equal(found["current"].values.ravel(), open_run(path).grid("current").ravel())
    again = cli("export", path, "--to", to)
    assert again.exit_code == 1
    assert "exists already" in again.stderr
    named = cli("export", path, "--to", to, "-o", tmp_path / f"other{found.path.suffix}", "--json")
    assert json.loads(named.stdout) == {"file": str(tmp_path / f"other{found.path.suffix}"), "format": to, "notes": []}


def test_an_unknown_format_lists_the_known_ones(tmp_path):
    refused = cli("export", tmp_path / "a.h5", "--to", "xlsx")
    assert refused.exit_code == 1
    assert "csv, dat, netcdf, numpy are known" in refused.stderr
