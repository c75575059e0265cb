"""Damaged files of every format: a recording or one line, never a traceback, a hang or memory without bound."""

import json

import pytest

from tests.forked import answer
from tests.storage.importers.mutated import perform


def campaign(count, seed):
    """In a process of its own: HDF5 may take one with it."""
    found = json.loads(answer(perform, count, seed, seconds=500.0))
    assert not found["wrong"]
    assert found["slowest"][0] < 5.0
    assert found["grown"][0] < 1 << 28
    assert min(found["read"], found["refused"]) > count / 10
    return found


def test_a_sample_of_damaged_files():
    campaign(120, seed=7)


@pytest.mark.slow
def test_two_thousand_damaged_files():
    campaign(2000, seed=1)
