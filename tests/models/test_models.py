from __future__ import annotations

import numpy as np
import pytest

import stmlab
from stmlab import models
from stmlab.display.models import computed_as_text
from stmlab.errors import PhysicsError
from stmlab.models.model import Number, sample_text
from stmlab.physics.constants import CONDUCTANCE_QUANTUM_S
from stmlab.physics.inelastic import inelastic_rates
from stmlab.physics.spins import Spin, SpinSystem
from stmlab.physics.stochastic_resonance import line_shape
from stmlab.simulation.junctions import Drive
from stmlab.simulation.samples import read_sample
from tests.approximately import close

_SWITCHING = ("srs", "pump-probe")
_EVERY = 10  # of a sweep's points, where all of them say the same
INDUCED = {"interactions": "induced", "theta": 0.5, "phi": 0.5, "dipolar_meV": 0.03}
_MEASURED = [name for name in models.MODELS if models.known(name).measurement is not None]


def sample_of(name, given, folder):
    model = models.known(name)
    measurement = model.measurement(model.values(given))
    path = folder / "chosen.toml"
    path.write_text(sample_text("chosen", "by hand", measurement), encoding="utf-8")
    return read_sample(path), measurement


@pytest.mark.parametrize("name", models.MODELS)
def test_every_model_computes_where_it_starts(name):
    model = models.known(name)
    found = model.curves()
    assert model.name == name
    assert len(found.x) == found.sweep.points
    assert found.y
    for curve in found.y.values():
        assert curve.values.shape == found.x.shape
        assert np.isfinite(curve.values).all()
    assert found.y_label
    assert found.y_unit
    assert found.sweep.unit


@pytest.mark.parametrize("name", models.MODELS)
def test_every_parameter_starts_within_its_bounds_and_says_what_it_is(name):
    for parameter in models.known(name).parameters:
        assert parameter.meaning
        assert parameter.checked(parameter.start) == parameter.start
        if isinstance(parameter, Number) and parameter.logarithmic:
            assert parameter.low > 0


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("transport", {"exchange": "heisenberg", "field": 1.0}),
        ("srs", {}),
        ("srs", {"states": "spin"}),
        ("pump-probe", {}),
        pytest.param("pump-probe", {"states": "spin"}, marks=pytest.mark.slow),
        ("two-spins", {"theta": 0.5, "phi": 0.5, "larmor_difference_meV": 0.02, "dipolar_meV": 0.03}),
        ("two-spins", INDUCED),
        ("two-spins", INDUCED | {"quantity": "populations", "first_measurement": 1e-11, "measurement_interval": 2e-11}),
        ("pump-probe", {"over": "time"}),
        ("srs", {"over": "time"}),
        ("molecules", {"left_polarisation": 0.5, "bias": 1e-3}),
        *(
            ("molecules", {"left_polarisation": 0.5, "bias": 1e-3, "quantity": quantity, "over": over})
            for quantity in ("current", "conductance", "Seebeck coefficient")
            for over in ("chemical potential", "temperature difference")
        ),
        ("bound-state", {}),
    ],
)
def test_every_number_that_applies_changes_some_curve_and_no_other_does(name, given):
    """A parameter that nothing follows would be a slider that does nothing."""
    model = models.known(name)
    values = model.values(given)
    before = model.curves(given, model.sweep(values).values()[::_EVERY])
    numbers = [one for one in model.parameters if isinstance(one, Number) and one.name != "singlet_weight"]  # see below

    def moved(parameters):
        other = {one.name: min(1.3 * float(values[one.name]) or 0.3 * one.high, one.high) for one in parameters}
        changed = model.curves(given | other, before.x)
        return any(not np.array_equal(changed.y[k].values, before.y[k].values) for k in before.y)

    for parameter in numbers:
        if model.applies(parameter, values):
            assert moved([parameter]), parameter.name
    idle = [parameter for parameter in numbers if not model.applies(parameter, values)]
    assert not moved(idle), [parameter.name for parameter in idle]


def test_values_are_read_as_people_write_them_and_refused_in_words():
    model = models.known("srs")
    assert model.values({"amplitude": "2 mV"})["amplitude"] == 2e-3
    with pytest.raises(PhysicsError, match=r"amplitude = 1 V: 1 µV to 100 mV is allowed"):
        model.values({"amplitude": "1 V"})
    with pytest.raises(PhysicsError, match="amplitude = '2 K' is not a number"):
        model.values({"amplitude": "2 K"})
    with pytest.raises(PhysicsError, match="rate: the model srs has over"):
        model.values({"rate": 1.0})
    with pytest.raises(PhysicsError, match="order = 4: one of 3, 2 is needed"):
        models.known("transport").values({"order": "4"})
    with pytest.raises(PhysicsError, match="model = magnons: one of transport"):
        models.known("magnons")


# -- what is computed ------------------------------------------------------------------------------------------------


def test_a_weak_drive_gives_equation_1():
    model = models.known("srs")
    found = model.curves({"amplitude": 1e-5})
    derived = {name: one.value for name, one in found.derived.items()}
    expected = line_shape(found.x, derived["rate"], derived["step"], derived["offset"])
    assert np.allclose(found.y["current"].values, expected, rtol=0, atol=2e-4 * abs(derived["step"]))


def test_the_probe_sees_the_excitation_decay_with_t1():
    found = models.known("pump-probe").curves({"width": 1e-10, "rise_time": 0.0}, np.array([1e-9, 2e-9, 3e-9]))
    current, time = found.y["current"].values, found.derived["T1"].value
    assert (current[1] - current[2]) / (current[0] - current[1]) == close(np.exp(-1e-9 / time), rel=1e-3)


def test_two_spins_have_the_lines_of_the_paper():
    given = {"temperature_K": 0.01, "bias": "1 mV"}
    found = models.known("two-spins").curves(given, np.linspace(0.02, 1.0, 4901))
    one = found.y["one_spin"].values
    peaks = found.x[1:-1][(one[1:-1] > one[:-2]) & (one[1:-1] > one[2:])]
    assert np.allclose(peaks, [0.1, 0.7, 0.9], atol=2e-3)


def test_the_beginning_of_two_spins_matters_at_the_symmetric_point_only():
    model, alike = models.known("two-spins"), {"coupling_2": 0.01, "larmor_meV": 0.5}
    dark, bright = (model.curves({**alike, "singlet_weight": p}).y["one_spin"].values for p in (1.0, 0.0))
    assert np.abs(dark - bright).max() > 0.1 * bright.max()
    pair = [model.curves({"singlet_weight": p}).y["one_spin"].values for p in (1.0, 0.0)]
    np.testing.assert_allclose(*pair, rtol=1e-9)


def test_unequal_dipolar_spins_have_lines_where_their_closed_form_has_them():
    given = {
        "larmor_meV": 0.5,
        "larmor_difference_meV": 0.2,
        "exchange_meV": 0.0,
        "dipolar_meV": 0.05,
        "theta": np.pi,
        "coupling_1": 1e-3,
        "coupling_2": 8e-4,
        "temperature_K": 0.01,
    }
    found = models.known("two-spins").curves(given, np.linspace(0.2, 0.8, 6001))
    one = found.y["one_spin"].values
    peaks = found.x[1:-1][(one[1:-1] > one[:-2]) & (one[1:-1] > one[2:])]
    root = np.hypot(0.2, 0.05) / 2
    assert np.allclose(peaks, np.sort([0.5 + b + r for b in (-0.05, 0.05) for r in (-root, root)]), atol=3e-4)


def test_what_molecules_are_drawn_over_is_the_parameter_of_that_name():
    model, polarised = models.known("molecules"), {"left_polarisation": 0.9, "splitting_1_meV": 0.2}
    over_bias = model.curves({**polarised, "over": "bias", "chemical_potential_meV": -1.5}, np.array([2e-3]))
    over_mu = model.curves({**polarised, "bias": "2 mV"}, np.array([-1.5]))
    difference = {**polarised, "bias": "2 mV", "chemical_potential_meV": -1.5, "over": "temperature difference"}
    over_heat = model.curves(difference, np.array([0.0]))
    for label in over_mu.y:
        assert over_bias.y[label].values[0] == close(over_mu.y[label].values[0], rel=1e-9)
        assert over_heat.y[label].values[0] == close(over_mu.y[label].values[0], rel=1e-9)


def test_molecules_conduct_what_their_green_functions_say():
    """At zero bias and low temperature G_s = (e^2/h) T_s(mu), here from the matrix."""
    given = {"left_polarisation": 0.4, "splitting_2_meV": 0.3, "left_temperature_K": 0.05, "quantity": "conductance"}
    found = models.known("molecules").curves(given, np.array([-0.8]))
    for spin, name in ((1, "conductance_up"), (-1, "conductance_down")):
        left, right = (1 + 0.4 * spin) / 12, 1 / 12
        matrix = np.array([[-0.8 + 0.5j * left, -1.0], [-1.0, -0.8 - 0.15 * spin + 0.5j * right]])
        expected = left * right * abs(np.linalg.inv(matrix)[0, 1]) ** 2 * CONDUCTANCE_QUANTUM_S / 2
        assert found.y[name].values[0] == close(expected, rel=2e-2)


def test_the_currents_of_molecules_are_the_integrals_of_their_conductances():
    given, bias = {"left_polarisation": 0.4, "over": "bias", "chemical_potential_meV": -0.8}, np.linspace(0, 2e-3, 801)
    model = models.known("molecules")
    current = model.curves({**given, "quantity": "current"}, bias).y
    conductance = model.curves({**given, "quantity": "conductance"}, bias).y
    for name in ("charge", "up", "down"):
        here, slope = ((f"{name}_{k}" if name == "charge" else f"{k}_{name}") for k in ("current", "conductance"))
        expected = np.trapezoid(conductance[slope].values, bias)
        assert current[here].values[-1] == close(expected, rel=1e-5)
    spin = current["current_up"].values - current["current_down"].values
    np.testing.assert_array_equal(current["spin_current"].values, spin)


def test_the_seebeck_coefficient_of_molecules_is_odd_in_the_chemical_potential():
    found = models.known("molecules").curves({"quantity": "Seebeck coefficient"}, np.array([-1.3, 0.0, 1.3]))
    seebeck = found.y["seebeck"].values
    assert seebeck[0] == close(-seebeck[2], rel=1e-9)
    assert abs(seebeck[1]) < 1e-15 < 1e-5 < abs(seebeck[2]) < 1e-3


def test_a_bound_state_conducts_from_its_threshold():
    found = models.known("bound-state").curves({"tip_broadening_meV": 0.005})
    slope = np.gradient(found.y["current"].values, found.x)
    assert abs(found.x[np.argmax(slope * (found.x > 0))]) == close(found.derived["threshold"].value, rel=0.05)


def test_fewer_states_of_the_five_state_atom_are_those_of_the_paper():
    """Betz et al., Sec. IV: the wells alone hardly feel the bias; through the others they are the atom, to 2 %."""
    given = {"states": "spin", "dc_bias": -5.5e-3, "amplitude": 1.3e-3}
    every, two, wells = (
        models.known("srs").curves({**given, "kept_states": kept}).derived for kept in ("all", "2", "effective")
    )
    drive = given["dc_bias"] + given["amplitude"] * np.cos(2 * np.pi * np.arange(1024) / 1024)
    told = inelastic_rates(
        SpinSystem((Spin(2.0, -1.557, 0.248, 2.15),), (), (0.0, 0.0, -2.0)),
        drive,
        temperature_K=0.5,
        tunnel_conductance_S=50e-9,
        sample_conductance_S=7.2e-6,
        polarisation=(0.0, 0.0, 0.86),
        potential_scattering=0.76,
    )
    assert two["rate"].value == close((told.rates[:, 1, 0] + told.rates[:, 0, 1]).mean(), rel=1e-6)
    assert two["rate"].value < 0.9 * every["rate"].value
    assert wells["line_rate"].value == close(every["line_rate"].value, rel=0.02)
    assert wells["step"].value == close(every["step"].value, rel=0.1)
    assert wells["step"].value != close(every["step"].value, rel=1e-3)


CLOSE = {"states": "spin", "spin": "1", "axial_anisotropy_meV": -4.0, "transverse_anisotropy_meV": 1e-4, "field": 0.0}


@pytest.mark.parametrize("name", _SWITCHING)
def test_close_levels_of_a_spin_are_doubted_or_have_coherences(name):
    model, asked = models.known(name), {"temperature_K": 1.0, "dc_bias": 4e-3, **CLOSE}
    x = np.array([1e8, 1e9]) if name == "srs" else np.array([-1e-9, 1e-9])
    rates, coherent = (model.curves(asked | {"equation": one}, x) for one in ("secular", "automatic"))
    (doubt,) = rates.doubts
    assert "two levels lie closer than the width" in doubt
    assert coherent.doubts == ()
    curves = [found.y["current"].values for found in (rates, coherent)]
    assert np.abs(curves[0] - curves[1]).max() > 0.01 * np.abs(curves[1]).max()
    far = model.curves(asked | {"transverse_anisotropy_meV": 0.9}, x)
    assert far.doubts == ()
    with pytest.raises(PhysicsError, match=r"equation = automatic: kept_states = 2 has rates alone"):
        model.curves(asked | {"equation": "automatic", "kept_states": "2"}, x)


def test_the_transport_model_doubts_what_has_no_coherences():
    model, asked = models.known("transport"), {name: value for name, value in CLOSE.items() if name != "states"}
    (doubt,) = model.curves(asked).doubts
    assert "two levels lie closer than the width" in doubt
    assert model.curves(asked | {"order": "2"}).doubts == ()
    found = stmlab.model("transport", asked, sweep={"g_factor": [1.9, 2.0]})
    assert found.attrs["doubts"] == doubt
    assert f"doubt: {doubt}" in computed_as_text(found)


def test_fewer_states_than_an_atom_has_are_not_measured():
    given = {"states": "spin", "kept_states": "effective"}
    model = models.known("srs")
    with pytest.raises(PhysicsError, match="kept_states = effective: the simulated microscope has all"):
        model.measurement(model.values(given))
    with pytest.raises(PhysicsError, match="count"):
        model.curves({"states": "spin", "spin": "0.5", "kept_states": "3"})


# -- what would be measured ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "given"), [*((name, {}) for name in _MEASURED), *((name, {"states": "spin"}) for name in _SWITCHING)]
)
def test_the_sample_of_a_model_is_read_by_the_simulated_microscope(name, given, tmp_path):
    sample, measurement = sample_of(name, given, tmp_path)
    assert sample.kind == measurement.kind
    current = float(sample.junction.static_current(np.array([measurement.settings["setpoint_bias"]]), 1.0)[0])
    assert measurement.settings["setpoint_current"] == close(current, rel=1e-9)


@pytest.mark.parametrize("given", [{}, {"exchange": "ising", "field": 2.0}, {"order": "2", "spin": "2"}])
def test_the_sample_conducts_as_the_transport_model_says(given, tmp_path):
    model = models.known("transport")
    sample, _ = sample_of("transport", given, tmp_path)
    found = model.curves(given, np.linspace(-8e-3, 8e-3, 41))
    modulation = float(model.values(given)["modulation"])
    expected = sample.junction.at(1.0).conductance(found.x, modulation)
    assert np.allclose(found.y["didv"].values, expected, rtol=1e-6, atol=1e-6 * expected.max())


@pytest.mark.parametrize(
    "given",
    [{"excitation_rate_per_s": 5e8, "conductance_difference_S": "-0.1 uS"}, {"states": "spin", "dc_bias": "-5.5 mV"}],
)
def test_the_sample_answers_a_microwave_as_the_srs_model_says(given, tmp_path):
    sample, measurement = sample_of("srs", given, tmp_path)
    offset, amplitude = measurement.settings["dc_bias"], measurement.settings["amplitude"]
    found = models.known("srs").curves(given, np.array([1e7, 3e8, 1e10]))
    period = offset + amplitude * np.cos(2 * np.pi * np.arange(64) / 64)
    still = float(sample.junction.static_current(np.array([offset]), 1.0)[0])
    expected = [sample.junction.mean_current(Drive(f, period, smooth=True), 1.0) - still for f in found.x]
    np.testing.assert_allclose(found.y["current"].values, expected, rtol=1e-4)
    truth = sample.junction.true_values(offset, amplitude)["rate_per_s"]
    assert found.derived["rate"].value == close(truth, rel=1e-9)
