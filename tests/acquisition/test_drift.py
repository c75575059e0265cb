"""Drift of the gain: a shape of the curve in one long sweep, noise of its points in short sweeps in mixed order."""

import numpy as np

from stmlab.acquisition.ordering import order_of
from stmlab.analysis.lorentzian import fit_srs

POINTS, REPEATS, RATE = 40, 25, 1e9
FREQUENCY = np.geomspace(3e6, 20e9, POINTS)
LINE = 2 + 10 / (1 + (2 * np.pi * FREQUENCY / RATE) ** 2)


def drifting(chance):
    """1 + gain noise of 1 % rms with a spectrum of 1/f, one value a reading."""
    n = POINTS * REPEATS
    lines = np.fft.rfft(chance.normal(size=n))
    lines[0] = 0
    lines[1:] /= np.sqrt(np.arange(1, len(lines)))
    noise = np.fft.irfft(lines, n)
    return 1 + 0.01 * noise / noise.std()


def pull(order, seed):
    """Error of the fitted rate over the reported one; ``order``: point of each reading."""
    chance = np.random.default_rng(seed)
    readings = LINE[order] * drifting(chance) + 0.02 * chance.normal(size=len(order))
    mean = np.bincount(order, readings) / REPEATS
    rate = fit_srs(FREQUENCY, mean)["rate"]
    return (rate.value - RATE) / rate.error


def rms(order):
    return float(np.sqrt(np.mean([pull(order, seed) ** 2 for seed in range(25)])))


def test_drift_bends_one_long_sweep_and_averages_out_in_shuffled_ones():
    long = np.repeat(np.arange(POINTS), REPEATS)
    shuffled = np.concatenate([order_of("shuffled", "frequency", POINTS, k) for k in range(REPEATS)])
    assert rms(long) > 2.5
    assert rms(shuffled) < 1.5
