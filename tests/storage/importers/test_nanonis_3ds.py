"""Nanonis grids: places in their order, what was not measured, sweeps in segments; contradictions are refused."""

import numpy as np
import pytest

from stmlab.errors import FileError
from stmlab.storage.recorded import open_recording
from tests.approximately import close
from tests.storage.importers.samples import BIAS, curves, grid_bytes, grid_header

SEGMENTS = "Segment Start (V), Segment End (V), Settling (s), Integration (s), Steps (xn), Lockin, Init. Settling (s)"


def opened(tmp_path, content):
    path = tmp_path / "grid.3ds"
    path.write_bytes(content)
    return open_recording(path)


def test_every_number_stands_where_it_was_taken(tmp_path):
    values = curves(2, 3)
    grid = opened(tmp_path, grid_bytes(values))
    assert grid.shape == (2, 3)
    assert [(c.name, c.unit) for c in grid.channels] == [
        ("Current", "A"),
        ("LI Demod 1 X", "V"),
        ("LI Demod 1 X [bwd]", "V"),
    ]
    for k, channel in enumerate(grid.channels):
        np.testing.assert_array_equal(channel.values, values[:, :, k])
    np.testing.assert_array_equal(grid.sweep.values, BIAS)
    assert (grid.sweep.name, grid.sweep.unit) == ("Bias", "V")
    np.testing.assert_allclose(grid["X"].values, 1e-9 * np.array([[0, 1, 2], [0, 1, 2]]))
    np.testing.assert_allclose(grid["Y"].values, 1e-9 * np.array([[0, 0, 0], [1, 1, 1]]))
    assert grid.header["Lock-in>Amplitude"] == "200E-6"
    assert not grid.notes


def test_one_place_is_a_spectrum_and_all_are_a_table(tmp_path):
    values = curves(2, 3)
    grid = opened(tmp_path, grid_bytes(values))
    spectrum = grid.spectrum(1, 2)
    np.testing.assert_array_equal(spectrum["LI Demod 1 X [bwd]"].values, values[1, 2, 2])
    assert spectrum.header["X (m)"] == "2e-09"
    table = grid.table()
    row = (1 * 3 + 2) * BIAS.size + 5
    assert table["Current"].values[row] == values[1, 2, 0, 5]
    assert table["Bias"].values[row] == BIAS[5]
    assert (table["y index"].values[row], table["x index"].values[row]) == (1, 2)
    with pytest.raises(FileError, match=r"no place \(2, 0\) in a grid of 2 x 3"):
        grid.spectrum(2, 0)


def test_places_that_are_missing_are_no_numbers(tmp_path):
    content = grid_bytes(curves(2, 3))
    block = 4 * (5 + 3 * BIAS.size)
    grid = opened(tmp_path, content[: -2 * block])
    assert grid.measured.ravel().tolist() == [True] * 4 + [False] * 2
    assert np.isnan(grid["Current"].values[1, 1:]).all()
    assert grid.notes == ("2 of 6 places are missing: the grid was stopped",)
    cut = opened(tmp_path, content[: -2 * block - 4])
    assert cut.measured.sum() == 3
    assert cut.notes[0] == "the file ends within place 4: that one is left out"


def test_places_of_zeros_were_not_measured(tmp_path):
    content = bytearray(grid_bytes(curves(2, 3)))
    block = 4 * (5 + 3 * BIAS.size)
    content[-block:] = bytes(block)
    grid = opened(tmp_path, bytes(content))
    assert grid.measured.sum() == 5
    assert "1 places hold zeros alone" in grid.notes[0]
    np.testing.assert_array_equal(grid.sweep.values, BIAS)


def test_the_mean_leaves_out_what_is_missing(tmp_path):
    values = curves(2, 3)
    grid = opened(tmp_path, grid_bytes(values)[: -4 * (5 + 3 * BIAS.size)])
    np.testing.assert_allclose(grid.mean()["Current"].values, values[:, :, 0].reshape(6, -1)[:5].mean(axis=0))


def test_a_sweep_in_segments_meets_the_ends_once(tmp_path):
    text = "-100E-3,-20E-3,15E-3,360E-3,9,0E+0,0E+0;-20E-3,20E-3,1,1,2,0,0;20E-3,100E-3,15E-3,360E-3,9,0E+0,0E+0"
    header = grid_header(3, 2, 18, **{"Filetype": "MLS", SEGMENTS: text})
    grid = opened(tmp_path, grid_bytes(curves(2, 3, 18), header))
    expected = [*np.linspace(-0.1, -0.02, 9), *np.linspace(0.02, 0.1, 9)]
    np.testing.assert_allclose(grid.sweep.values, expected, rtol=1e-12)
    twice = grid_header(3, 2, 20, **{"Filetype": "MLS", SEGMENTS: text})
    assert opened(tmp_path, grid_bytes(curves(2, 3, 20), twice)).sweep.values.tolist().count(-0.02) == 2


def test_places_may_differ_in_their_sweep(tmp_path):
    first, second = (grid_bytes(curves(1, 3), ends=ends) for ends in ((-8e-3, 8e-3), (-4e-3, 4e-3)))
    header = grid_header(3, 1, BIAS.size)
    data = first + second[len(header) :]
    grid = opened(tmp_path, data.replace(b"3 x 1", b"3 x 2"))
    assert grid.sweep.values.shape == (2, 3, BIAS.size)
    assert [(round(sweep[-1], 9), places.tolist()) for sweep, places in grid.sweeps()] == [
        (8e-3, [0, 1, 2]),
        (4e-3, [3, 4, 5]),
    ]
    assert grid.spectrum(1, 0)["Bias"].values[0] == close(-4e-3, rel=1e-6)
    assert "not every place has the same sweep" in grid.notes[0]


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"Grid dim": "much"}, "Grid dim = 'much' is not as in 64 x 64"),
        ({"Grid dim": "99999 x 99999"}, "promises 99999 x 99999 places, the file holds 6"),
        ({"Points": "1E3"}, "Points = '1E3': a whole number"),
        ({"Points": "999999999"}, "bytes a place do not fit 3 channels of 999999999"),
        ({"# Parameters (4 byte)": "8"}, "promises 8 parameters a place and names 5"),
        ({"Channels": None}, "no channels, points or places"),
        ({"Fixed parameters": '"Start;End"'}, "no Sweep Start and Sweep End"),
        ({"Filetype": "MLS"}, r"segments \(MLS\), but the header does not say which"),
        ({SEGMENTS: "-1,1,0,0,9"}, "segments make 9 points, 9 if .* the curves have 17"),
        ({SEGMENTS: "-1,1,0"}, "is not as its title says"),
        ({SEGMENTS: "-1,1,0,0,99999999"}, "a segment of 99999999 points"),
    ],
)
def test_a_header_that_contradicts_itself_or_the_file_is_refused(tmp_path, changed, complaint):
    with pytest.raises(FileError, match=complaint):
        opened(tmp_path, grid_bytes(curves(2, 3), grid_header(3, 2, BIAS.size, **changed)))


def test_no_header_and_no_data_are_refused(tmp_path):
    with pytest.raises(FileError, match="there is no line :HEADER_END:"):
        opened(tmp_path, b"Grid dim=2 x 2\n")
    with pytest.raises(FileError, match="no place is whole"):
        opened(tmp_path, grid_bytes(curves(2, 3))[:400])
