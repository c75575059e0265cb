"""The tabulated step against quadrature."""

import numpy as np
import pytest

from stmlab.analysis.steps import shapes
from stmlab.analysis.steps.model import StepModel
from stmlab.analysis.steps.shapes import StepShape
from stmlab.errors import PhysicsError
from stmlab.physics.broadening import modulated, thermal_step, windows
from stmlab.physics.constants import K_B_MEV_PER_K
from tests.approximately import close

CASES = [(2.0, 0.0), (2.0, 0.2e-3), (0.5, 0.2e-3), (4.3, 1.5e-3), (0.05, 0.5e-3), (300.0, 1e-3)]


def energies(temperature, modulation):
    return np.linspace(-1, 1, 1201) * (1e3 * modulation + 42 * K_B_MEV_PER_K * temperature)


@pytest.mark.parametrize(("temperature", "modulation"), CASES)
def test_the_step_is_the_quadrature_of_thermal_step_and_semicircle(temperature, modulation):
    x = energies(temperature, modulation)
    read = modulated(lambda bias: thermal_step(bias, 0.0, temperature), 1e-3 * x, modulation, temperature)
    assert np.abs(StepShape(temperature, modulation).step(x) - read).max() < 1e-12


@pytest.mark.parametrize(("temperature", "modulation"), CASES)
def test_the_slope_is_the_quadrature_of_the_thermal_slope(temperature, modulation):
    x, kT = energies(temperature, modulation), K_B_MEV_PER_K * temperature
    read = modulated(lambda bias: windows(-1e3 * bias / kT, 2)[0][2], 1e-3 * x, modulation, temperature)
    assert np.abs(StepShape(temperature, modulation).slope(x) * kT - read).max() < 1e-10


@pytest.mark.parametrize(("temperature", "modulation"), CASES)
def test_the_derivative_by_temperature_is_that_of_the_step(temperature, modulation):
    x, change = energies(temperature, modulation), 1e-4 * temperature
    warmer, colder = (StepShape(temperature + sign * change, modulation).step(x) for sign in (1, -1))
    expected = (warmer - colder) / 2 / change
    found = StepShape(temperature, modulation).by_temperature(x)
    assert found == pytest.approx(expected, abs=1e-8 / temperature)


@pytest.mark.parametrize(("temperature", "modulation"), CASES)
def test_the_ramp_is_the_integral_of_the_step(temperature, modulation):
    shape = StepShape(temperature, modulation)
    x = 1.3 * energies(temperature, modulation)
    nodes, weights = np.polynomial.legendre.leggauss(8)
    width = np.diff(x)[:, None]
    inside = x[:-1, None] + width * (nodes + 1) / 2
    scale = shape.thermal_energy_meV
    assert np.diff(shape.ramp(x)) == pytest.approx((shape.step(inside) * width / 2) @ weights, abs=1e-11 * scale)
    assert shape.ramp(x[[0, -1]]) == pytest.approx([0.0, x[-1]], abs=1e-10 * scale)
    change = 1e-4 * temperature
    warmer, colder = (StepShape(temperature + sign * change, modulation).ramp(x) for sign in (1, -1))
    found = shape.ramp_by_temperature(x)
    assert found == pytest.approx((warmer - colder) / 2 / change, abs=1e-7 * scale / temperature)


@pytest.mark.parametrize(("width", "modulation"), [(1.0, 0.0), (1.0, 0.2e-3), (1.0, 5e-3)])
def test_a_step_of_given_width_has_it_unless_the_modulation_is_wider(width, modulation):
    assert StepShape.of_width(width, modulation).width_meV >= width - 1e-12
    if 1e3 * modulation < width / 2:
        assert StepShape.of_width(width, modulation).width_meV == close(width)


def test_steps_up_and_down_make_a_whole_far_and_near():
    x = np.array([0.0, 1e-9, 0.3, 5.0, 1e3, 1e9])
    shape = StepShape(1.2, 0.3e-3)
    assert shape.step(x) + shape.step(-x) == pytest.approx(np.ones(6), abs=1e-14)
    assert shape.step(x)[0] == pytest.approx(0.5, abs=1e-14)
    assert shape.step(np.array(1e9)).shape == ()
    assert shape.step(np.full((2, 3), -1e9)) == pytest.approx(np.zeros((2, 3)), abs=1e-14)
    assert np.all(np.diff(shape.step(np.linspace(-9, 9, 20001))) >= -1e-15)


@pytest.mark.parametrize(("temperature", "modulation"), CASES)
def test_the_width_is_that_of_the_slope_within_a_sixth(temperature, modulation):
    x = energies(temperature, modulation)
    slope = StepShape(temperature, modulation).slope(x)
    inside = x[slope > slope.max() / 2]
    assert StepShape(temperature, modulation).width_meV == close(np.ptp(inside), rel=0.17)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ((0.0,), "temperature_K"),
        ((np.nan,), "temperature_K"),
        ((1.0, -1e-3), "modulation_V"),
        ((1e-9, 1.0), "too much"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments, name):
    with pytest.raises(PhysicsError, match=name):
        StepShape(*arguments)


def test_value_and_slopes_at_the_same_temperature_make_each_table_once(monkeypatch):
    made, series = [], shapes._Transform.series

    def counted(self, spectrum, mean):
        made.append(mean)
        return series(self, spectrum, mean)

    monkeypatch.setattr(shapes._Transform, "series", counted)
    model, x = StepModel(1, None, 0.2e-3, True, True, False), np.linspace(-10, 10, 101)
    vector = np.array([4.0, 0.1, np.log(1.2345678), 1.0, 1.0, 3.0, 0.0])
    model.value(vector, x)
    model.jacobian(vector, x)
    model.jacobian(vector.copy(), x)
    assert len(made) == 3, "step, slope, and change by temperature"
    model.value(vector + np.array([0, 0, 1e-9, 0, 0, 0, 0]), x)
    assert len(made) == 4, "another temperature has its own"
