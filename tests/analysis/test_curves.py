"""What every fit gives out beside its parameters: data, model and what is left, in the unit of the data."""

import numpy as np
import pytest

from stmlab.analysis.decay import fit_decay
from stmlab.analysis.exchange import fit_exchange
from stmlab.analysis.lorentzian import fit_srs
from stmlab.analysis.steps import fit_steps
from stmlab.analysis.telegraph import fit_telegraph
from stmlab.analysis.transfer_function import fit_transfer
from stmlab.physics.stochastic_resonance import line_shape
from tests.approximately import close

BIAS = np.linspace(-8e-3, 8e-3, 161)
DELAY = np.linspace(-4e-9, 4e-9, 41)
FREQUENCY = np.geomspace(1e7, 1e11, 40)
CONDUCTANCE = np.linspace(10e-9, 600e-9, 8)


def noise(size, scale):
    return scale * np.random.default_rng(3).standard_normal(size)


def spectrum():
    return 1e-7 * (1 + 0.5 * np.tanh((np.abs(BIAS) - 4e-3) / 4e-4)) + noise(BIAS.size, 1e-10)


def switching():
    states = np.random.default_rng(1).random(4000) < 0.03
    return 1e-12 * (np.cumsum(states) % 2) + noise(4000, 5e-14)


def transfer():
    frequency, drive = np.repeat(FREQUENCY[:12], 2), np.tile([0.1, 0.2], 12)
    return frequency, drive, 1e-9 * (drive * np.linspace(1, 0.5, 24)) ** 2 + noise(24, 1e-14)


FITS = {
    "srs": lambda: fit_srs(FREQUENCY, line_shape(FREQUENCY, 1.7e9, 5e-12, -2e-12) + noise(40, 1e-13)),
    "two widths": lambda: fit_srs(
        FREQUENCY, line_shape(FREQUENCY, 1.7e9, 5e-12, -2e-12) + noise(40, 1e-13), harmonics=2
    ),
    "decay": lambda: fit_decay(DELAY, 3e-12 * np.exp(-np.abs(DELAY) / 1e-9) + noise(41, 1e-13)),
    "steps": lambda: fit_steps(BIAS, spectrum(), pairs=1),
    "gaussians": lambda: fit_steps(BIAS, spectrum(), pairs=1, method="gaussians"),
    "exchange": lambda: fit_exchange(
        CONDUCTANCE, 1.7 + 3e6 * CONDUCTANCE + noise(8, 0.02), 5.1 + 2e6 * CONDUCTANCE + noise(8, 0.02), 0.02, 0.02
    ),
    "telegraph": lambda: fit_telegraph(switching(), 1e-3),
    "transfer": lambda: fit_transfer(*transfer(), reference_dB=0.0),
}


@pytest.mark.parametrize(
    ("fitted", "free"),
    [
        (lambda s: fit_srs(FREQUENCY, line_shape(FREQUENCY, 1.7e9, 5e-12, -2e-12) + noise(40, 3 * s), sigma=s), 3),
        (lambda s: fit_decay(DELAY, 3e-12 * np.exp(-np.abs(DELAY) / 1e-9) + noise(41, 3 * s), sigma=s), 4),
    ],
)
def test_chi_square_is_reduced_by_the_points_beyond_the_parameters(fitted, free):
    fit = fitted(2e-14)
    reduced = np.sum((fit.curves["residual"] / 2e-14) ** 2) / (fit.points - free)
    assert fit.reduced_chi_square == close(reduced, rel=1e-9)
    assert any(f"scatter more than sigma allows (reduced chi square {reduced:.2f})" in w for w in fit.warnings)


@pytest.mark.parametrize("name", FITS)
def test_the_residual_is_data_minus_fit_point_by_point_and_as_one_number(name):
    fit = FITS[name]()
    curves = fit.curves
    left = curves["data"] - curves["fit"]
    assert np.ptp(left) > 0
    if "residual" in curves:
        assert curves["residual"] == close(left, rel=1e-9, abs=1e-12 * np.ptp(curves["data"]))
    if name != "transfer":  # its number is over all drives, its curves are at the largest
        assert fit.residual == close(np.sqrt(np.mean(left**2)), rel=1e-3)
