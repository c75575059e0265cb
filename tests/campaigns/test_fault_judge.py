"""The judge of the campaign of faults: a run in which all is well, and then each thing that is not is found."""

import copy
from dataclasses import replace

import numpy as np
import pytest

from stmlab.simulation.faults import Fault
from stmlab.storage import open_run
from tests.campaigns.fault_judge import Reference, violations
from tests.campaigns.fault_phases import changes_something
from tests.campaigns.fault_run import Course, take
from tests.campaigns.fault_trials import Trial

TRIAL = Trial("drop", "read", "time_trace", 0)
COURSE = Course("time_trace", "sr860", timeout=1.5)


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """A run without a fault: folder, record, and itself as reference."""
    folder = tmp_path_factory.mktemp("good")
    record = take(COURSE, folder)
    data = {name: values.copy() for name, values in open_run(folder / "run.h5").data.items()}
    return folder / "run.h5", record, Reference(record.recorder["extremes"]["conductance"], data, {}, {})


def found(good, trial=TRIAL, course=COURSE, reference=None, path=None, **changes):
    """What the judge finds in that run with some of its record changed."""
    file, record, own = good
    changed = replace(copy.deepcopy(record), **changes)
    return "\n".join(violations(trial, course, changed, reference or own, path or file))


def test_a_run_in_which_all_is_well_is_found_so(good):
    assert found(good) == ""


@pytest.mark.parametrize(
    ("closing", "words"),
    [
        ({"state": {"rf_on": True}}, "closed with RF on"),
        ({"state": {"modulation": 1e-6}}, "closed with modulation on"),
        ({"state": {"bias": 0.9e-3}}, "closed at a bias of 0.0009 V"),
        ({"state": {"bias": -20e-3}}, "of the wrong sign"),
        ({"after_trip": True}, "closed after a trip"),
        ({"after_withdrawal": True}, "closed after a withdrawal"),
    ],
)
def test_a_closing_that_must_not_be_is_found(good, closing, words):
    recorder = copy.deepcopy(good[1].recorder)
    first = recorder["closings"][0]
    recorder["closings"][0] = first | closing | {"state": first["state"] | closing.get("state", {})}
    assert words in found(good, recorder=recorder)


@pytest.mark.parametrize(("name", "value"), [("conductance", 1e-7), ("least_bias_closed", 1e-4)])
def test_extremes_that_must_not_be_are_found(good, name, value):
    recorder = copy.deepcopy(good[1].recorder)
    recorder["extremes"][name] = value
    assert "conductance of" in found(good, recorder=recorder) or "with the loop closed" in found(
        good, recorder=recorder
    )


def test_a_tip_that_jumps_may_have_a_larger_conductance(good):
    recorder = copy.deepcopy(good[1].recorder)
    recorder["extremes"]["conductance"] *= 10
    assert found(good, trial=replace(TRIAL, kind="tip_jump"), recorder=recorder) == ""


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"rf_on": True}, "RF is on"),
        ({"modulation": 1e-4}, "modulation is on"),
        ({"loop_closed": False}, "neither withdrawn nor held"),
        ({"bias": 1e-5}, "neither withdrawn nor held"),
    ],
)
def test_a_station_that_is_not_safe_is_found(good, state, words):
    changed = good[1].left | state
    assert words in found(good, left=changed, later=changed)


def test_a_station_that_does_not_stay_safe_is_found(good):
    assert "changed after the end" in found(good, later=good[1].left | {"loop_closed": False})


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ("NOT SAFE: lockin: no answer", "{'lockin'} named as not safe, dead is set()"),
        ("NOT SAFE: awg: no answer", "{'awg'} named as not safe"),
        ("NOT SAFE", "set() named as not safe, dead is {'controller'}"),
    ],
)
def test_not_safe_names_what_is_dead_and_nothing_else(good, said, named):
    dead = "controller" in named
    mute = replace(COURSE, fault=Fault(kind="mute", instrument="nanonis") if dead else None)
    trial = replace(TRIAL, kind="mute") if dead else TRIAL
    happened = [{"message": "Bias.Get"}] if dead else []
    assert named in found(good, trial=trial, course=mute, said=said, status=3, happened=happened)


def test_a_dead_instrument_that_nobody_names_is_found(good):
    mute = replace(TRIAL, kind="mute")
    happened = [{"message": "Bias.Get"}]
    assert "allowed is not safe" in found(good, trial=mute, happened=happened)


def test_what_never_moved_may_stay_as_it_was_found(good):
    left = good[1].left | {"modulation": 0.02}
    assert "modulation is on" in found(good, left=left, later=left)
    assert found(good, left=left, later=left, changed=set()) == ""


def test_an_instrument_that_died_before_it_was_moved_is_no_danger(good):
    trial = replace(TRIAL, kind="mute")
    course = replace(COURSE, fault=Fault(kind="mute", instrument="nanonis"))
    ended = {"state": "", "error": "InstrumentTimeout", "status": 1, "happened": [{"message": "Bias.Get"}]}
    assert "allowed is not safe" in found(good, trial=trial, course=course, **ended)
    assert "allowed is not safe" not in found(good, trial=trial, course=course, changed=set(), **ended)


@pytest.mark.parametrize(
    ("plug", "message", "changes"),
    [
        ("sr860", b"SLVL 0.1;SLVL?\n", True),
        ("sr860", b"SLVL?;PHAS?\n", False),
        ("sr860", b"*CLS\n", False),
        ("m8195a", b":OUTP1 0\n", True),
        ("nanonis", b"ZCtrl.OnOffGet\0\0", False),
        ("nanonis", b"ZCtrl.OnOffSet\0\0", True),
        ("nanonis", b"ZCtrl.Withdraw\0\0", True),
    ],
)
def test_a_message_that_changes_something_is_told_from_a_question(plug, message, changes):
    assert changes_something(plug, message) is changes


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"status": 1}, "exit status 1 of a run that finished"),
        ({"state": "", "error": "ChangedByHand", "status": 1}, "failed (ChangedByHand), allowed is finished"),
        ({"state": "", "error": "ValueError", "status": 1}, "a raw error: ValueError"),
        ({"state": "stopped"}, "the file says finished"),
    ],
)
def test_an_ending_that_is_not_right_is_found(good, changes, words):
    assert words in found(good, **changes)


def test_a_point_that_is_not_in_the_file_or_is_another_there_is_found(good):
    points = good[1].acknowledged
    assert "3 points were acknowledged, 2 are in the file" in found(good, acknowledged=[*points, points[-1]])
    visit, index, (values,) = points[1]
    assert "is another in the file" in found(good, acknowledged=[points[0], (visit, index, (values + 1e-12,))])
    assert "there is no file" in found(good, path=good[0].with_name("none.h5"))


def test_data_that_differ_from_an_undisturbed_run_are_found(good):
    current = good[2].data["current"]
    other = replace(good[2], data={"current": current * (1 + 2e-9)})
    assert "current differs by 2e-09 of the largest" in found(good, reference=other)
    longer = replace(good[2], data={"current": np.concatenate([current, current])})
    assert "finished with 2 of 4 points" in found(good, reference=longer)
