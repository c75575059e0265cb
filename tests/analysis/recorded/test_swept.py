"""What changed from row to row: sweeps by the order of the values, traces, frequencies, delays."""

from pathlib import Path

import numpy as np
import pytest

from stmlab.analysis.recorded.swept import Swept, labels, rows_of, sweeps
from stmlab.errors import FitError
from stmlab.storage.recorded import Column, Recording
from tests.approximately import close

UP = np.linspace(-8e-3, 8e-3, 161)
RANDOM = np.random.default_rng(0)
TIME = 1e-3 * np.arange(161)


def recording(*columns, interval=None):
    return Recording(Path("x.dat"), "nanonis", {}, tuple(Column(*column) for column in columns), interval)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (UP, ["forward"]),
        (-UP, ["forward"]),
        (np.r_[UP, UP[::-1]], ["forward", "backward"]),
        (np.r_[UP, UP[-2::-1]], ["forward", "backward"]),
        (np.r_[UP, UP[::-1], UP], ["forward", "backward", "forward 2"]),
        (np.r_[UP, UP, UP], ["forward", "forward 2", "forward 3"]),
        (np.r_[UP, UP[::-1]] + 1e-4 * RANDOM.standard_normal(322), ["forward", "backward"]),
        (np.r_[UP, UP[:100:-1]], ["forward", "backward"]),
        (RANDOM.permutation(UP), ["forward"]),
        (np.where(np.arange(161) % 7 == 0, np.nan, UP), ["forward"]),
        (np.where(np.arange(161) == 80, 8e-3, UP), ["forward"]),
    ],
    ids=["up", "down", "there and back", "one turn", "thrice", "saw", "noisy", "stopped", "shuffled", "holes", "typo"],
)
def test_the_order_of_the_bias_tells_the_sweeps(values, expected):
    found = sweeps(values)
    assert labels(found) == expected
    rows = np.concatenate([sweep.rows for sweep in found])
    assert rows.tolist() == sorted(rows.tolist())
    assert set(rows.tolist()) >= set(np.flatnonzero(np.isfinite(values)).tolist()) - {80}


def test_few_rows_or_none_are_no_reason_to_fail():
    assert sweeps(np.array([])) == []
    assert sweeps(np.full(20, np.nan)) == []
    for size in range(1, 30):
        for seed in range(5):
            found = sweeps(np.random.default_rng(seed).standard_normal(size))
            assert sum(sweep.rows.size for sweep in found) == size


def test_a_sweep_that_jumps_back_begins_with_the_row_after_the_jump():
    assert [sweep.rows.size for sweep in sweeps(np.r_[UP, UP, UP])] == [161] * 3


CURRENT = ("Current", "A", RANDOM.standard_normal(161))
STILL = ("Bias", "V", np.full(161, 0.05))


@pytest.mark.parametrize(
    ("columns", "what"),
    [
        ([("Bias calc", "V", UP), CURRENT], Swept.BIAS),
        ([CURRENT, ("Bias", "mV", 1e3 * UP)], Swept.BIAS),
        ([CURRENT, ("Time", "s", TIME), ("Bias", "V", UP)], Swept.BIAS),
        ([("Time", "s", TIME), CURRENT], Swept.TIME),
        ([("Time", "ms", 1e3 * TIME), CURRENT, STILL], Swept.TIME),
        ([CURRENT, ("Time", "s", TIME)], Swept.TIME),
        ([STILL, CURRENT], Swept.TIME),
        ([("Frequency", "GHz", np.geomspace(1e-3, 10, 161)), CURRENT], Swept.FREQUENCY),
        ([CURRENT, ("RF frequency", "Hz", np.geomspace(1e6, 1e10, 161))], Swept.FREQUENCY),
        ([("Delay", "ns", np.linspace(-300, 300, 161)), CURRENT], Swept.DELAY),
        ([("Pump-probe delay", "s", TIME), CURRENT, STILL], Swept.DELAY),
        ([("Z rel", "m", 1e-9 * UP), CURRENT, STILL], Swept.OTHER),
        ([STILL, ("Z", "m", 1e-9 * UP), CURRENT], Swept.OTHER),
        ([("Amplitude Setpoint", "m", 1e-9 * UP), ("Timestamp", "ms", TIME), STILL, CURRENT], Swept.OTHER),
        ([("Frequency Shift", "Hz", UP), CURRENT], Swept.OTHER),
    ],
)
def test_what_was_swept_is_told_by_names_units_and_order(columns, what):
    assert rows_of(recording(*columns)).what is what


def test_the_interval_of_a_trace_is_that_of_its_time():
    rows = rows_of(recording(("Time", "ms", 2e3 * TIME), CURRENT))
    assert rows.interval == close(2e-3, rel=1e-9)
    uneven = TIME.copy()
    uneven[100:] += 5e-3
    with pytest.raises(FitError, match="not evenly spaced"):
        rows_of(recording(("Time", "s", uneven), CURRENT))


def test_odd_rows_of_a_trace_are_left_out_and_named():
    bias = np.full(400, 0.05)
    bias[:15], bias[200] = 0.02, -0.1
    rows = rows_of(recording(("Bias", "V", bias), ("Current", "A", RANDOM.standard_normal(400)), interval=1e-3))
    assert np.count_nonzero(~rows.kept) == 16
    assert rows.warnings == (
        "16 of 400 rows lie at another bias (-100 mV to 20 mV instead of 50 mV), and are left out",
    )
    bias[:40] = 0.02
    assert rows_of(recording(("Bias", "V", bias), ("Current", "A", bias), interval=1e-3)).what is Swept.BIAS
