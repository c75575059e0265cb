"""A sample of the campaign of faults, one of each kind, the longest ones as slow tests; and what its judge finds."""

from functools import cache

import pytest

from stmlab.station import safe_state
from tests.campaigns.fault_phases import PHASES
from tests.campaigns.fault_trials import KINDS, Trial, all_trials
from tests.campaigns.faults import judged, reference_of

TIMEOUT = 0.5  # s, half of the campaign's, and so are the pauses between two tries of the safe state
SEQUENCE = ("srs", "didv")  # with SR860 and SR830
SAMPLE = [Trial(kind, PHASES[k % len(PHASES)], SEQUENCE[k % 2], k % 2) for k, kind in enumerate(KINDS)]
LONG = ("delay", "error", "swap", "half", "stuck_closed")  # what waits for long, others of its kind do not
ALIKE = ("double", "withdrawn")  # mended like "drop" and "garble", ended like "trip"


@pytest.fixture(autouse=True)
def _pauses(monkeypatch):
    monkeypatch.setattr(safe_state, "_PAUSES", tuple(TIMEOUT * pause for pause in safe_state._PAUSES))


@cache
def reference(sequence, lockin):
    paused = any(trial.pauses for trial in SAMPLE if trial.sequence == sequence)
    return reference_of((sequence, lockin), TIMEOUT, paused_too=paused)


@pytest.mark.parametrize(
    "trial", [pytest.param(trial, marks=[pytest.mark.slow] * (trial.kind in LONG + ALIKE)) for trial in SAMPLE], ids=str
)
def test_a_fault_leaves_the_junction_safe_and_the_data_true(trial):
    verdict = judged(trial, reference(trial.sequence, trial.lockin), TIMEOUT)
    assert not verdict.violations
    assert verdict.happened


def test_every_kind_is_tried_in_every_phase_and_every_sequence_with_both_lockins():
    trials = all_trials()
    assert len(trials) >= 600
    assert len(set(map(str, trials))) == len(trials)
    for kind in KINDS:
        own = [trial for trial in trials if trial.kind == kind]
        assert min(sum(trial.phase == phase for trial in own) for phase in PHASES) >= 3
        assert {trial.sequence for trial in own} == {trial.sequence for trial in trials}
        assert {trial.lockin for trial in own} == {"sr860", "sr830"}
