"""Grids fitted place by place: the transport model."""

from dataclasses import replace

import numpy as np
import pytest

from stmlab.analysis.grids import analyse_grid
from stmlab.analysis.iterations import following
from stmlab.analysis.recordings import analyse_recording
from stmlab.errors import FitEnded
from stmlab.storage.recorded import Column
from tests.approximately import close
from tests.spin_grid import KNOWN, anisotropies, spin_grid


@pytest.fixture(scope="module")
def grid():
    """Two by three places; at one of them nothing was measured, at another there is only noise."""
    made = spin_grid()
    current, reading = (channel.values.copy() for channel in made.channels)
    current[0, 1] = reading[0, 1] = np.nan
    reading[1, 1] = np.random.default_rng(3).standard_normal(reading.shape[-1])
    return replace(made, channels=(Column("Current", "A", current), Column("LI Demod 1 X", "V", reading)))


@pytest.fixture(scope="module")
def fitted(grid):
    return analyse_grid(grid, "transport", settings=KNOWN)["forward"]


def test_every_place_is_fitted_as_by_itself(grid, fitted):
    single = analyse_recording(grid.spectrum(1, 2), "transport", settings=KNOWN)["forward"]
    for parameter in single.parameters:
        values, errors = fitted[parameter.name]
        assert (values[1, 2], errors[1, 2]) == (parameter.value, parameter.error)
        assert fitted.unit(parameter.name) == parameter.unit


def test_the_anisotropy_of_every_place_comes_back(fitted):
    values, errors = fitted["axial_anisotropy_meV"]
    assert (errors[fitted.ok] < 0.02).all()
    assert (np.abs(values - anisotropies(3)) < 4 * errors)[fitted.ok].all()


def test_places_without_a_fit_say_why(fitted):
    assert fitted.ok.tolist() == [[True, False, True], [True, False, True]]
    assert fitted.reason(0, 1) == "not measured"
    assert "not the derivative of the recorded current" in fitted.reason(1, 1)
    assert np.isnan(fitted["axial_anisotropy_meV"][0][1, 1])


def test_conductances_are_those_of_the_current_not_of_the_lockin(fitted):
    assert fitted["conductance_1"][0][0, 0] == close(100e-9, rel=0.2)


@pytest.fixture(scope="module")
def whole():
    return analyse_grid(spin_grid(), "transport", settings=KNOWN)["forward"]


@pytest.mark.parametrize("looks", [60, pytest.param(70, marks=pytest.mark.slow), 75])
def test_a_fit_that_is_stopped_keeps_the_places_that_were_fitted_to_their_end(looks, whole):
    left = iter([False] * looks)
    with following(stop=lambda: next(left, True)):
        fit = analyse_grid(spin_grid(), "transport", settings=KNOWN)["forward"]
    assert 0 < fit.ok.sum() < fit.ok.size
    np.testing.assert_array_equal(fit.batch.values[fit.batch.ok], whole.batch.values[fit.batch.ok])
    assert fit.choices["ended"] == "stopped"
    assert set(fit.refused) == {"not fitted: the fit was ended before"}


def test_a_fit_that_is_stopped_at_once_has_nothing():
    with pytest.raises(FitEnded, match="stopped"), following(stop=lambda: True):
        analyse_grid(spin_grid(), "transport", settings=KNOWN)
