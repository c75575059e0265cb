from __future__ import annotations

import numpy as np
import pytest

import stmlab
from stmlab.display.figures.model import draw_model
from stmlab.errors import FileError


def test_one_set_of_parameters_is_drawn_as_curves_over_the_models_axis():
    found = stmlab.model("two-spins")
    (panel,) = draw_model(found).axes
    assert len(panel.lines) == 3
    assert panel.get_xlabel() == "ħω (meV)"
    assert panel.get_ylabel() == "noise spectrum (/meV)"
    np.testing.assert_allclose(panel.lines[1].get_ydata(), found.one_spin)


def test_a_swept_parameter_is_a_family_or_a_map_and_what_follows_along_it():
    few = draw_model(stmlab.model("srs", sweep={"dc_bias": "0..4 mV:3", "frequency": "1e7..1e10:9 log"})).axes
    assert [len(panel.lines) for panel in few[:5]] == [3, 1, 1, 1, 1]
    assert few[0].get_xscale() == "log"
    assert few[1].get_xscale() == "linear"
    assert [text.get_text() for text in few[0].get_legend().get_texts()] == ["0 V", "2 mV", "4 mV"]
    many = draw_model(stmlab.model("srs", sweep={"dc_bias": "0..4 mV:9", "frequency": "1e7..1e10:5 log"})).axes
    mesh = many[0].collections[0]
    assert mesh.get_array().shape == (9, 5)


def test_two_swept_parameters_are_maps_of_what_follows():
    found = stmlab.model("srs", sweep={"amplitude": "1..2 mV:9", "dc_bias": "0..4 mV:10", "frequency": [1e9]})
    axes = draw_model(found).axes
    np.testing.assert_allclose(axes[0].collections[0].get_array(), 1e-9 * found.rate)
    assert axes[0].get_xlabel() == "bias during the spectrum (mV)"
    with pytest.raises(FileError, match="there is no figure"):
        draw_model(stmlab.model("molecules", sweep={"bias": [0.0, 1e-3], "left_polarisation": [0.0, 0.5]}))
