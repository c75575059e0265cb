"""The junction of two coupled spins against the transport model itself, and its samples."""

import numpy as np
import pytest

from stmlab.config_files import find
from stmlab.errors import PhysicsError, StationError
from stmlab.physics.transport import TunnelJunction
from stmlab.simulation.junctions import Drive
from stmlab.simulation.junctions.coupled_spins import CoupledSpins
from stmlab.simulation.samples import read_sample
from tests.approximately import close

SAMPLES = ("coh_bare", "coh_afm_tip", "coh_fm_tip", "coh_5t")
BIAS = np.linspace(-10e-3, 10e-3, 41)


def junction(**changes):
    given = {
        "spin": 1.0,
        "axial_anisotropy_meV": -4.2,
        "transverse_anisotropy_meV": 0.87,
        "temperature_K": 2.0,
        "conductance_S": 1e-7,
        "tip_spin": 0.5,
        "exchange_slope_meV_per_uS": 3.6,
        "correlation": -0.5,
    }
    return CoupledSpins(**(given | changes))


@pytest.mark.parametrize("sample", SAMPLES)
def test_between_its_tables_a_sample_follows_the_model(sample):
    found = read_sample(find(sample, "samples")).junction
    for scale in (1e-7, 0.07, 0.777, 2.345):
        exact = found.at(scale).current(BIAS)
        np.testing.assert_allclose(found.static_current(BIAS, scale), exact, atol=2e-5 * np.abs(exact).max())


@pytest.mark.parametrize("sample", SAMPLES)
def test_the_spectrum_read_at_the_junction_is_the_models(sample):
    """The first harmonic of the current over a modulation of 0.2 mV, as the simulated lock-in forms it."""
    found, modulation = read_sample(find(sample, "samples")).junction, 0.2e-3
    phase = 2 * np.pi * np.arange(64) / 64
    for scale in (0.555, 1.61):
        current = np.array([found.static_current(v + modulation * np.sin(phase), scale) for v in BIAS])
        read = 2 * (current * np.sin(phase)).mean(axis=1) / modulation
        exact = found.at(scale).conductance(BIAS, modulation)
        np.testing.assert_allclose(read, exact, rtol=5e-5)


def test_a_wide_bias_and_a_far_tip_are_answered_too():
    warm, wide = junction(temperature_K=8.0), np.array([0.07])  # coarser tables
    np.testing.assert_allclose(warm.static_current(wide, 0.31), warm.at(0.31).current(wide), rtol=1e-5)
    far = warm.static_current(BIAS, 1e-30) / 1e-30
    np.testing.assert_allclose(far, warm.static_current(BIAS, 1e-8) / 1e-8, rtol=1e-6, atol=1e-16)


def test_what_was_tabulated_under_one_station_is_there_for_the_next(monkeypatch):
    first = junction().static_current(BIAS, 0.5)
    monkeypatch.setattr(TunnelJunction, "current", lambda *_: pytest.fail("computed once more"))
    np.testing.assert_array_equal(junction().static_current(BIAS, 0.5), first)
    with pytest.raises(pytest.fail.Exception):
        junction(correlation=-0.4).static_current(BIAS, 0.5)


def test_exchange_grows_with_the_conductance_and_shifts_the_steps():
    steps = [junction().at(scale).system.eigensystem.steps(0)[0] for scale in (1.0, 3.0)]
    np.testing.assert_allclose(steps[0][:2], [1.7768, 5.1115], atol=5e-5)  # facts: Gs = 100 nS, 300 nS
    np.testing.assert_allclose(steps[1][[0, -1]], [2.0928, 5.4339], atol=5e-5)


def test_a_slow_drive_gives_the_mean_of_the_static_current():
    found = junction()
    voltage = 3e-3 + 4e-3 * np.cos(2 * np.pi * np.arange(64) / 64)
    mean = found.mean_current(Drive(1.0, voltage, smooth=True), 1.0)
    assert mean == close(float(found.at(1.0).current(voltage).mean()), rel=1e-5)


def test_true_values_are_the_parameters():
    truth = junction(exchange="ising").true_values(0.0, 0.0)
    assert truth["correlation"] == -0.5
    assert truth["exchange"] == "ising"
    bare = junction(tip_spin=0.0, exchange_slope_meV_per_uS=0.0, correlation=0.0)
    assert bare.true_values(0.0, 0.0)["exchange"] == "none"
    assert "correlation" not in bare.true_values(0.0, 0.0)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"tip_spin": 0.0}, "tip_spin = 0"),
        ({"correlation": 1.5}, "correlation"),
        ({"order": 2, "coupling": -0.1}, "coupling"),
        ({"temperature_K": 0.0}, "temperature_K"),
        ({"spin": 0.7}, "spin"),
    ],
)
def test_what_the_model_cannot_be_is_refused(changes, complaint):
    with pytest.raises(PhysicsError, match=complaint):
        junction(**changes)


def test_a_sample_file_with_a_wrong_exchange_is_refused_by_name(tmp_path):
    text = find("coh_afm_tip", "samples").read_text().replace('"heisenberg"', '"xy"')
    (tmp_path / "wrong.toml").write_text(text)
    with pytest.raises(StationError, match="exchange"):
        read_sample(tmp_path / "wrong.toml")
