"""Damaged files of every format: a recording or one line, never a traceback, a hang or memory without bound."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def campaign(count, seed):
    """In a process of its own: HDF5 may take one with it."""
    command = [sys.executable, "-W", "error", "-m", "tests.storage.importers.mutated"]
    arguments = ["--count", str(count), "--seed", str(seed)]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=500, check=False, cwd=ROOT)
    assert done.returncode == 0, f"{done.returncode}: {done.stderr[-2000:]}"
    found = json.loads(done.stdout)
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
