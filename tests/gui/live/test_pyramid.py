"""Minima and maxima of any stretch, beside numpy over the whole array."""

import itertools

import numpy as np
import pytest

from stmlab.gui.live.pyramid import BLOCK, Pyramid, padded


@pytest.fixture
def values():
    array = np.full(padded(100_003), np.nan)
    array[:100_003] = np.random.default_rng(1).normal(size=100_003)
    return array


def test_the_envelope_of_short_stretches_is_exact(values):
    edges = np.arange(40, 30_000, 2 * BLOCK - 1)
    low, high = Pyramid(values).envelope(edges)
    parts = [values[a:b] for a, b in itertools.pairwise(edges)]
    np.testing.assert_array_equal(low, [part.min() for part in parts])
    np.testing.assert_array_equal(high, [part.max() for part in parts])


@pytest.mark.parametrize("pixels", [1, 7, 300, 2000])
def test_no_spike_is_lost_and_none_is_moved_by_more_than_a_stretch(values, pixels):
    for spike in (0, 17, 50_000, 100_002):
        values[spike] = 1e3 + spike
        edges = np.unique(np.linspace(0, 100_003, pixels + 1).astype(np.int64))
        _, high = Pyramid(values).envelope(edges)
        (where,) = np.flatnonzero(high == values[spike])[:1]
        assert abs(where - (np.searchsorted(edges, spike, side="right") - 1)) <= 1
        values[spike] = 0.0


def test_stretches_whose_lengths_grow_lose_nothing(values):
    edges = np.unique(np.geomspace(1, 100_003, 900).astype(np.int64))
    edges = np.concatenate([[0], edges])
    low, high = Pyramid(values).envelope(edges)
    assert high.max() == np.nanmax(values)
    assert low.min() == np.nanmin(values)
    assert np.isfinite(low).all()


@pytest.mark.parametrize("cells", [slice(70, 75), slice(0, 100_003), np.array([5, 99_000, 31, 5])])
def test_it_follows_what_changes_in_place(values, cells):
    pyramid = Pyramid(values)
    values[cells] = np.arange(len(values[cells])) + 1e3
    pyramid.update(cells)
    edges = np.linspace(0, 100_003, 50).astype(np.int64)
    for found, expected in zip(pyramid.envelope(edges), Pyramid(values).envelope(edges), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_stretches_without_values_are_unknown():
    values = np.full(padded(5000), np.nan)
    values[100:120] = 4.0
    low, high = Pyramid(values).envelope(np.array([0, 90, 120, 150]))
    np.testing.assert_array_equal(low, [np.nan, 4.0, np.nan])
    np.testing.assert_array_equal(high, [np.nan, 4.0, np.nan])


def test_the_work_of_a_drawing_does_not_grow_with_the_array():
    touched = []
    for length in (100_000, 3_000_000):
        pyramid = Pyramid(np.zeros(padded(length)))
        before = pyramid.touched
        pyramid.envelope(np.linspace(0, length, 1001).astype(np.int64))
        touched.append(pyramid.touched - before)
    assert max(touched) <= 2 * BLOCK * 1000 + 2 * BLOCK


def test_the_work_of_an_addition_does_not_grow_with_the_array():
    pyramid = Pyramid(np.zeros(padded(3_000_000)))
    before = pyramid.touched
    pyramid.update(slice(1_000_000, 1_000_100))
    assert pyramid.touched - before < 100 + 10 * BLOCK
