"""The transfer function from rectified currents."""

import numpy as np
import pytest

from drivers.transfer_table import read_table
from stmlab.analysis.transfer_function import fit_transfer, transfer_table
from stmlab.errors import FitError

FREQUENCY = np.geomspace(1e7, 1e10, 60)
MAGNITUDE = -30 - 5 * np.sqrt(FREQUENCY / 1e10) + 0.7 * np.sin(FREQUENCY / 3e8)
POWERS = np.array([1.0, 0.5])


def measured(quartic=0.0, noise=0.0, powers=POWERS, seed=0):
    """Points of I = 60 pA (t^2 p + q t^4 p^2), t relative to the first frequency."""
    strength = 10 ** ((MAGNITUDE - MAGNITUDE[0]) / 10)
    drive, f = np.meshgrid(0.2 * np.sqrt(powers), FREQUENCY)
    power = strength[:, None] * powers
    current = 60e-12 * (power + quartic * power**2) + np.random.default_rng(seed).normal(0, noise, power.shape)
    return f.ravel(), drive.ravel(), current.ravel()


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("quartic", [0.0, 0.1, -0.1])
def test_noiseless_currents_give_the_magnitudes_back(quartic, sign):
    f, drive, current = measured(quartic)
    fit = fit_transfer(f, drive, sign * current, reference_dB=MAGNITUDE[0])
    np.testing.assert_allclose(fit.curves["magnitude_dB"], MAGNITUDE, atol=1e-6)
    largest = 10 ** (np.ptp(MAGNITUDE[[0, MAGNITUDE.argmax()]]) / 10)
    assert fit["quartic"].value == pytest.approx(quartic * largest, abs=1e-6)
    assert fit["span"].value == pytest.approx(np.ptp(MAGNITUDE), abs=1e-6)


def test_the_square_law_alone_would_be_wrong_where_the_next_order_counts():
    f, drive, current = measured(0.2)
    whole = drive == drive.max()
    square_law = fit_transfer(f[whole], drive[whole], current[whole], reference_dB=MAGNITUDE[0])
    assert np.abs(square_law.curves["magnitude_dB"] - MAGNITUDE).max() > 0.2
    assert any("square law" in warning for warning in square_law.warnings)
    assert square_law["quartic"].value == 0.0
    assert np.isnan(square_law["quartic"].error)  # one drive says nothing of it
    assert np.isnan(square_law.curves["magnitude_error_dB"][1:]).all()


def test_errors_are_honest():
    pulls, quartic = [], 0.05 * 10 ** ((MAGNITUDE.max() - MAGNITUDE[0]) / 10)
    others = {"quartic": quartic, "span": np.ptp(MAGNITUDE)}
    for seed in range(60):
        fit = fit_transfer(*measured(0.05, 0.2e-12, seed=seed), reference_dB=MAGNITUDE[0])
        error = fit.curves["magnitude_error_dB"][1:]  # the first is the reference and has none
        derived = [(fit[name].value - value) / fit[name].error for name, value in others.items()]
        pulls.append([*(fit.curves["magnitude_dB"] - MAGNITUDE)[1:] / error, *derived])
    assert 0.85 < np.std(np.array(pulls)[:, :-2]) < 1.15
    assert np.all(np.abs(np.std(np.array(pulls)[:, -2:], axis=0) - 1) < 0.3)  # of 60 seeds


def test_a_law_that_changes_over_the_band_is_told_and_noise_is_not():
    """A spin that follows below 1 GHz only: its own saturation is seen there, not above."""
    complaints = 0
    for seed in range(100):
        fit = fit_transfer(*measured(0.05, 0.2e-12, seed=seed), reference_dB=MAGNITUDE[0])
        complaints += any("dynamics" in warning for warning in fit.warnings)
    assert complaints <= 1
    f, drive, current = measured(0.05, 0.04e-12)
    share = (drive / drive.max()) ** 2
    spin = 10e-12 * share / (1 + share) / (1 + (f / 1e9) ** 2)
    fit = fit_transfer(f, drive, current + spin, reference_dB=MAGNITUDE[0])
    assert np.abs(fit.curves["magnitude_dB"] - MAGNITUDE).max() > 0.3
    assert any("dynamics" in warning for warning in fit.warnings)
    assert "# warning: the current grows differently" in transfer_table(fit, date="2024-01-01", source="s")


def test_points_that_were_measured_again_are_averaged():
    once, again = (measured(0.05, 0.2e-12, seed=seed) for seed in (1, 2))
    both = fit_transfer(*(np.concatenate(pair) for pair in zip(once, again, strict=True)), reference_dB=MAGNITUDE[0])
    mean = fit_transfer(once[0], once[1], (once[2] + again[2]) / 2, reference_dB=MAGNITUDE[0])
    np.testing.assert_allclose(both.curves["magnitude_dB"], mean.curves["magnitude_dB"], rtol=1e-12)


def test_the_order_of_the_points_does_not_matter_but_the_first_is_the_reference():
    f, drive, current = measured(0.05)
    order = np.random.default_rng(1).permutation(f.size)
    reference = int(np.flatnonzero(FREQUENCY == f[order][0])[0])
    fit = fit_transfer(f[order], drive[order], current[order], reference_dB=MAGNITUDE[reference])
    np.testing.assert_allclose(fit.curves["magnitude_dB"], MAGNITUDE, atol=1e-6)


def test_the_table_is_one_that_the_station_reads(tmp_path):
    fit = fit_transfer(*measured(0.05, 0.1e-12), reference_dB=MAGNITUDE[0])
    path = tmp_path / "line.csv"
    path.write_text(transfer_table(fit, date="2024-05-01", source="a run"), encoding="ascii")
    table = read_table(path)
    assert table.date == "2024-05-01"
    np.testing.assert_allclose(table.frequency, FREQUENCY, rtol=1e-11)
    np.testing.assert_allclose(table.magnitude_dB, fit.curves["magnitude_dB"], atol=1e-4)
    assert not table.phase.any()


def test_poor_magnitudes_and_a_large_next_order_are_told():
    poor = fit_transfer(*measured(0.0, 2e-12), reference_dB=-30.0)
    assert any("errors above" in warning for warning in poor.warnings)
    assert any("next order" in w for w in fit_transfer(*measured(0.5), reference_dB=-30.0).warnings)


def test_a_frequency_without_rectified_current_is_refused():
    f, drive, current = measured()
    current[f == FREQUENCY[5]] *= -1
    with pytest.raises(FitError, match="no rectified current at"):
        fit_transfer(f, drive, current, reference_dB=-30.0)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda f, a, y: (f, a, np.full_like(y, np.nan)), "current"),
        (lambda f, a, y: (f[:-1], a[:-1], y[:-1]), "not finished"),
        (lambda f, a, y: (f[:4], a[:4], y[:4]), "at least 3"),
        (lambda f, a, y: (f, a[:-1], y), "one of each"),
        (lambda f, a, y: (-f, a, y), "above 0"),
    ],
)
def test_data_that_cannot_carry_the_fit_are_refused_in_one_line(change, text):
    with pytest.raises(FitError, match=text) as refusal:
        fit_transfer(*change(*measured()), reference_dB=-30.0)
    assert "\n" not in str(refusal.value)
