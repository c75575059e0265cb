"""What a careful reader sees before any fit: phase, overload, spikes, height."""

from pathlib import Path

import numpy as np
import pytest

from stmlab.analysis.recorded.checks import height_warnings, overload_warnings, phase_warnings, spike_warnings
from stmlab.storage.recorded import Column, Recording
from tests.data.make import conductance, integral

BIAS = np.linspace(-8e-3, 8e-3, 201)
READING = 5e8 * conductance(BIAS)
CURRENT = integral(BIAS, conductance(BIAS))


def noise(size, seed=0):
    return size * np.random.default_rng(seed).standard_normal(BIAS.size)


@pytest.mark.parametrize(
    ("degrees", "word"),
    [
        (0, ""),
        (10, ""),
        (-10, ""),
        (40, "about 40 degrees"),
        (-60, "about -60 degrees"),
        (90, "about 90"),
        (180, "180"),
    ],
)
def test_a_turned_phase_is_told_in_degrees(degrees, word):
    angle = np.radians(degrees)
    x, y = (READING * part + noise(0.005, k) for k, part in enumerate((np.cos(angle), np.sin(angle))))
    found = phase_warnings(BIAS, x, y, CURRENT)
    assert bool(found) == bool(word)
    assert word in "".join(found)


def test_a_sign_is_seen_without_the_quadrature_and_through_an_offset():
    assert phase_warnings(BIAS, READING + 0.5, None, CURRENT) == []
    assert "180 degrees" in phase_warnings(BIAS, -READING + 0.5, None, CURRENT)[0]


def test_a_reading_that_is_not_the_derivative_is_told():
    for reading in (CURRENT * 1e10, np.abs(CURRENT) * 1e10, noise(1.0)):
        assert "not the derivative" in phase_warnings(BIAS, reading, None, CURRENT)[0]


def test_a_value_that_stands_is_an_overload_but_a_coarse_digitiser_is_none():
    seen = READING + noise(0.01)
    assert overload_warnings("X", seen) == []
    assert overload_warnings("X", np.round(seen, 1)) == []
    assert "overloaded" in overload_warnings("X", np.minimum(seen, 1.5))[0]
    assert "stands at 0 for 30 rows" in overload_warnings("X", np.where(np.arange(201) < 171, seen, 0.0))[0]


def test_spikes_are_counted():
    seen = READING + noise(0.01)
    assert spike_warnings("X", seen) == []
    seen[[20, 90, 91, 150]] += [1.0, 0.0, 0.0, -0.8]
    assert "2 rows stand" in spike_warnings("X", seen)[0]


@pytest.mark.parametrize(
    ("column", "header", "moved"),
    [
        (("Z", "m", np.full(201, 1e-9)), {}, False),
        (("Z", "m", 1e-9 + noise(1e-12)), {}, False),
        (("Z", "m", 1e-9 + 5e-9 * BIAS), {}, True),
        (("Z", "m", 1e-9 + 1e-13 * BIAS), {}, False),
        (("Z", "steps", np.round(1e5 * BIAS)), {}, True),
        (("Current", "A", BIAS), {"Z-Ctrl hold": "FALSE"}, True),
        (("Current", "A", BIAS), {"Bias Spectroscopy>Z-controller hold": "TRUE"}, False),
    ],
)
def test_a_height_that_moves_is_told(column, header, moved):
    recording = Recording(Path("x.dat"), "nanonis", header, (Column("Bias", "V", BIAS), Column(*column)))
    found = height_warnings(recording, np.ones(201, dtype=bool))
    assert bool(found) == moved
    assert all("not at fixed height" in warning for warning in found)
