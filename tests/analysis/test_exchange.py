"""Anisotropy and exchange from step energies, against closed forms and levels."""

import numpy as np
import pytest

from stmlab.analysis.exchange import fit_exchange
from stmlab.analysis.spin_levels import SpinLevels
from stmlab.errors import FitError
from stmlab.physics.coupled_tip import ExchangeKind
from stmlab.physics.spins import Exchange, Spin, SpinSystem
from tests.approximately import close

GS = np.linspace(10e-9, 600e-9, 12)
OPEN_SIGN = "without a field, the steps do not show the sign of an Ising exchange: J > 0 is shown"


def ising_steps(axial, transverse, slope, conductance):
    """Facts: inner 2R, outer |D| + R with R = sqrt(E^2 + J^2/4), without a field."""
    r = np.hypot(transverse, slope * 1e6 * conductance / 2)
    return 2 * r, abs(axial) + r


def heisenberg_steps(axial, transverse, slope, conductance):
    """Distinct levels above the ground level."""
    rows = []
    for g in conductance:
        spins = (Spin(1, axial, transverse), Spin(0.5))
        energies = np.linalg.eigvalsh(
            SpinSystem(spins, (Exchange.heisenberg(0, 1, slope * 1e6 * g),)).hamiltonian_meV()
        )
        rows.append([energies[2] - energies[0], energies[4] - energies[0]])
    return np.array(rows).T


@pytest.mark.parametrize(
    ("steps", "truth", "kind"),
    [(ising_steps, (-3.23, 0.58, 5.9), "ising"), (heisenberg_steps, (-4.2, 0.87, 3.6), "heisenberg")],
)
def test_the_right_exchange_is_chosen_and_its_parameters_found(steps, truth, kind):
    random = np.random.default_rng(1)
    noisy = [energies + 0.01 * random.standard_normal(GS.size) for energies in steps(*truth, GS)]
    fit = fit_exchange(GS, *noisy, 0.01, 0.01)
    assert fit.choices["exchange"] == kind
    for parameter, value in zip(fit.parameters, truth, strict=True):
        assert abs(abs(parameter.value) - abs(value)) < 4 * parameter.error
        assert parameter.error < 0.03 * abs(value)
    assert not [w for w in fit.warnings if "as well" in w and "exchange describes" in w]
    assert (fit.warnings[-1:] == (OPEN_SIGN,)) is (kind == "ising")


def steps_in_a_field(axial, transverse, slope, field, conductance):
    """Mean energies by spin strength, from matrices written out by hand; field along z, g = 2."""
    root = np.sqrt(0.5)
    x, z = np.array([[0, root, 0], [root, 0, root], [0, root, 0]]), np.diag([1.0, 0.0, -1.0])
    y = np.array([[0, -1j * root, 0], [1j * root, 0, -1j * root], [0, 1j * root, 0]])
    tip = [np.array(m) / 2 for m in ([[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]])]
    one, two = np.eye(2), np.eye(3)
    still = np.kron(axial * z @ z + transverse * (x @ x - y @ y), one)
    still = still + 2 * 0.05788381806 * field * (np.kron(z, one) + np.kron(two, tip[2]))
    rows = []
    for g in conductance:
        energies, states = np.linalg.eigh(still + slope * 1e6 * g * sum(map(np.kron, (x, y, z), tip)))
        strength = sum(np.abs(states.conj().T @ np.kron(a, one) @ states)[:, 0] ** 2 for a in (x, y, z))
        above = energies - energies[0]
        rows.append([np.average(above[k : k + 2], weights=strength[k : k + 2]) for k in (2, 4)])
    return np.array(rows).T


@pytest.mark.parametrize(
    ("truth", "field"), [((-4.05, 0.65, 1.1), 5.0), ((-1.5, 0.3, 0.5), 4.0), ((2.0, 0.3, 1.0), 9.0)]
)
def test_a_field_is_part_of_the_levels(truth, field):
    """Levels cross there, and some trial levels cannot be reached at all."""
    random = np.random.default_rng(1)
    conductance = np.linspace(50e-9, 1e-6, 8)
    noisy = [energies + 0.01 * random.standard_normal(8) for energies in steps_in_a_field(*truth, field, conductance)]
    fit = fit_exchange(conductance, *noisy, 0.01, 0.01, field_T=field)
    assert fit.choices["exchange"] == "heisenberg"
    for parameter, value in zip(fit.parameters, truth, strict=True):
        assert abs(parameter.value - value) < 4 * parameter.error
        assert 1e-4 * abs(value) < parameter.error < 0.1 * abs(value)


def test_without_exchange_none_is_chosen():
    random = np.random.default_rng(2)
    inner, outer = (e + 0.01 * random.standard_normal(GS.size) for e in (1.74, 5.07))
    fit = fit_exchange(GS, inner, outer, 0.01, 0.01)
    assert fit.choices["exchange"] == "none"
    np.testing.assert_allclose([p.value for p in fit.parameters], [-4.2, 0.87], atol=0.02)


def test_a_sign_of_the_exchange_that_the_steps_leave_open_is_told():
    inner, outer = [1.31, 1.47, 1.54, 1.55, 1.66, 1.61, 1.7], [4.46, 4.58, 4.51, 4.62, 4.62, 4.94, 5.0]
    fit = fit_exchange(np.linspace(20e-9, 350e-9, 7), inner, outer, 0.1, 0.1, exchange=("heisenberg",))
    (told,) = (warning for warning in fit.warnings if "the sign of the exchange is open" in warning)
    assert fit["exchange_slope_meV_per_uS"].value < -3
    assert "open: 3.0" in told


@pytest.mark.slow
def test_scatter_that_the_errors_allow_is_not_complained_of():
    random, exact, told = np.random.default_rng(4), heisenberg_steps(-4.2, 0.87, 3.6, GS[:3]), 0
    for _ in range(100):
        noisy = exact + 0.02 * random.standard_normal(exact.shape)
        fit = fit_exchange(GS[:3], *noisy, 0.02, 0.02, exchange=("heisenberg",))
        told += any("scatter more" in warning for warning in fit.warnings)
    assert told < 3


@pytest.mark.slow
def test_error_bars_are_honest():
    truth, random = (-4.2, 0.87, 3.6), np.random.default_rng(3)
    exact = heisenberg_steps(*truth, GS)
    pulls = []
    for _ in range(100):
        noisy = exact + 0.02 * random.standard_normal(exact.shape)
        fit = fit_exchange(GS, *noisy, 0.02, 0.02, exchange=("heisenberg",))
        pulls.append([(p.value - t) / p.error for p, t in zip(fit.parameters, truth, strict=True)])
    width = np.std(pulls, axis=0)
    assert np.all((width > 0.85) & (width < 1.15))


def test_energies_that_are_no_levels_get_a_warning_and_larger_errors():
    inner, outer = heisenberg_steps(-4.2, 0.87, 3.6, GS)
    pulled = outer - np.linspace(0.0, 0.25, GS.size) ** 0.5
    fit = fit_exchange(GS, inner, pulled, 0.005, 0.005)
    assert any("scatter more" in warning for warning in fit.warnings)
    assert fit.reduced_chi_square > 2


@pytest.mark.slow
def test_energies_that_scatter_more_than_stated_have_the_errors_of_their_scatter():
    random, exact, ratios, excess = np.random.default_rng(5), heisenberg_steps(-4.2, 0.87, 3.6, GS), [], []
    for _ in range(12):
        noisy = exact + 0.02 * random.standard_normal(exact.shape)
        stated, understated = (fit_exchange(GS, *noisy, e, e, exchange=("heisenberg",)) for e in (0.02, 0.004))
        ratios.append([u.error / s.error for u, s in zip(understated.parameters, stated.parameters, strict=True)])
        excess.append(understated.reduced_chi_square / stated.reduced_chi_square)
        assert any("scatter more" in warning for warning in understated.warnings)
        assert understated.covariance == close(
            np.outer(*2 * [[p.error for p in understated.parameters]]) * correlation_matrix(stated), rel=1e-3, abs=1e-9
        )
    assert np.median(ratios, axis=0) == close([1.0] * 3, rel=0.1)
    assert excess == close([25.0] * 12, rel=1e-6)


@pytest.mark.parametrize(("deviations", "told"), [(3.3, False), (3.7, True)])
def test_scatter_is_told_from_three_and_a_half_deviations_of_chi_square_on(deviations, told):
    noisy = heisenberg_steps(-4.2, 0.87, 3.6, GS) + 0.02 * np.random.default_rng(8).standard_normal((2, GS.size))
    reduced = fit_exchange(GS, *noisy, 0.02, 0.02, exchange=("heisenberg",)).reduced_chi_square
    wanted = 1 + deviations * np.sqrt(2 / (2 * GS.size - 3))
    error = 0.02 * np.sqrt(reduced / wanted)
    fit = fit_exchange(GS, *noisy, error, error, exchange=("heisenberg",))
    assert fit.reduced_chi_square == close(wanted, rel=1e-6)
    assert any("scatter more" in warning for warning in fit.warnings) is told


@pytest.mark.parametrize(("field", "told"), [(0.0, False), (1e-4, True), (8.0, True)])
def test_two_energies_in_a_field_leave_the_sign_of_the_anisotropy_open(field, told):
    inner, outer = steps_in_a_field(-4.2, 0.87, 0.0, field, GS)
    noisy = [steps + 0.01 * np.random.default_rng(k).standard_normal(GS.size) for k, steps in ((1, inner), (2, outer))]
    fit = fit_exchange(GS, *noisy, 0.01, 0.01, field_T=field, exchange=("none",))
    assert any("axial anisotropy of the other sign" in warning for warning in fit.warnings) is told


def correlation_matrix(fit):
    errors = np.sqrt(np.diag(fit.covariance))
    return fit.covariance / np.outer(errors, errors)


def test_an_exchange_below_three_of_its_errors_is_called_not_significant():
    random, said = np.random.default_rng(6), []
    for slope in [0.0] * 4 + [0.55] * 6 + [3.6] * 2:
        noisy = heisenberg_steps(-4.2, 0.87, slope, GS) + 0.02 * random.standard_normal((2, GS.size))
        fit = fit_exchange(GS, *noisy, 0.02, 0.02, exchange=("heisenberg",))
        found = fit["exchange_slope_meV_per_uS"]
        said.append(any("the exchange is not significant" in warning for warning in fit.warnings))
        assert said[-1] is bool(abs(found.value) < 3 * found.error)
    assert all(said[:4])
    assert 0 < sum(said[4:10]) < 6
    assert not any(said[10:])


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"inner": np.full(GS.size, np.nan)}, "inner: 12 values are not finite"),
        ({"conductance": GS[:1], "inner": [1.7], "outer": [5.0]}, "at least two spectra"),
        ({"inner": np.full(GS.size, 6.0)}, "below its inner"),
        ({"inner_error": 0.0}, "above 0"),
        ({"outer": np.full(5, 5.0)}, "outer: shape"),
        ({"exchange": ("xy",)}, "xy"),
        ({"spin": 1.5}, "spin = 1.5"),
        ({"tip_spin": 0.3}, "tip_spin = 0.3"),
    ],
)
def test_what_cannot_be_fitted_is_refused(changes, complaint):
    inner, outer = ising_steps(-3.23, 0.58, 5.9, GS)
    given = {"conductance": GS, "inner": inner, "outer": outer, "inner_error": 0.01, "outer_error": 0.01} | changes
    with pytest.raises(FitError, match=complaint):
        fit_exchange(**given)


@pytest.mark.parametrize("field", [0.3, 5.0])
def test_levels_of_many_values_at_once_are_those_of_each_and_of_matrices(field):
    conductance, levels = np.linspace(50e-9, 1e-6, 5), SpinLevels(ExchangeKind.HEISENBERG, field, 0.5)
    values = np.array([[-4.05, 0.65, 1.1], [2.0, 0.7, -1.3]])
    found = levels.steps(values, conductance)
    for each, one in zip(found, values, strict=True):
        assert each == close(steps_in_a_field(*one, field, conductance), rel=1e-7)
        assert each == close(levels.steps(one, conductance), rel=1e-12)
