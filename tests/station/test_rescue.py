"""The order and the pauses of a rescue, with instruments of which the test says how they answer."""

import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from stmlab.errors import InstrumentLost
from stmlab.station import rescue as module
from stmlab.station.configuration import StationConfig
from stmlab.station.rescue import Rescue
from stmlab.station.safe_report import Problem
from tests.station.lab import station_config

PAUSES = [0.1, 0.2, 0.2, 0.5, 1.0, 2.0, 5.0]  # a controller of one client notices within a second that the last is gone


@pytest.fixture
def waited(monkeypatch):
    """For how long was waited: no time passes."""
    waits = []

    class Event(threading.Event):
        def wait(self, timeout=None):
            waits.append(timeout)
            return self.is_set()

    monkeypatch.setattr(module, "threading", SimpleNamespace(Event=Event, Thread=threading.Thread))
    monkeypatch.setattr(module, "monotonic", lambda: 100.0)
    return waits


def rescue(told, moved=("awg", "lockin", "controller"), **changes):
    return Rescue(station_config(**changes), "", Path("lab.toml"), frozenset(moved), told.append)


def insist(rescued, name, answers):
    """What is done with an instrument that answers ``answers``, one after the other."""
    left = iter(answers)
    rescued._attempt = lambda _: next(left)
    rescued._insist(name, rescued._config.instruments[name])
    assert next(left, None) is None


def test_an_instrument_is_tried_until_it_is_safe_and_seen_once_more(waited):
    told = []
    rescued = rescue(told, moved=["awg"])
    assert rescued.problems == ("awg: not tried yet",)
    insist(rescued, "awg", [*["no answer"] * 8, "still on", "", ""])
    assert waited == [*PAUSES, 10.0, 10.0, 0.5]
    assert told == ["awg: no answer", "awg: still on", "awg: safe 0.00 s after the rescue began"]
    assert rescued.problems == ()


def test_what_is_found_wrong_after_all_is_a_problem_again(waited):
    told = []
    rescued = rescue(told, moved=["awg"])
    insist(rescued, "awg", ["", "an output is on", "", ""][:3])
    assert told == ["awg: safe 0.00 s after the rescue began", "awg: an output is on"]
    assert waited == [0.5, 0.2]
    assert rescued.problems == ()


def test_a_tip_that_was_seen_safe_is_not_touched_again(waited):
    rescued = rescue([])
    insist(rescued, "controller", ["no answer", ""])
    assert waited == [0.1]
    assert rescued.problems == ("lockin: not tried yet", "awg: not tried yet")


@pytest.mark.parametrize(
    ("on_fault", "feedback", "off", "becomes"),
    [
        ("safe", "on", True, "safe"),
        ("safe", "on", False, "withdraw"),
        ("safe", "withdraw", False, "safe"),
        ("withdraw", "on", False, "withdraw"),
    ],
)
def test_the_loop_is_closed_only_after_microwave_and_modulation_were_seen_off(waited, on_fault, feedback, off, becomes):
    told = []
    rescued = rescue(told, safe__on_fault=on_fault, safe__feedback=feedback)
    if off:
        for name in ("awg", "lockin"):
            rescued._off[name].set()
    alone = rescued._alone("controller", rescued._config.instruments["controller"])
    assert alone.safe.on_fault == becomes
    assert list(alone.instruments) == ["controller"]
    asked = on_fault == "safe" and feedback == "on"
    assert waited == ([] if not asked else [1.0, 1.0] if off else [1.0])
    assert (told != []) is (asked and not off)


def test_the_others_wait_for_nobody(waited):
    rescued = rescue([])
    for name in ("awg", "lockin"):
        alone = rescued._alone(name, rescued._config.instruments[name])
        assert list(alone.instruments) == [name]
    assert waited == []


def test_a_bias_source_apart_from_the_tip_controller_waits_until_the_tip_is_safe(waited):
    roles = {
        "instruments__controller__roles": ["tip", "spectroscopy"],
        "instruments__lockin__roles": ["lockin", "bias"],
    }
    rescued = rescue([], **roles)
    rescued._alone("lockin", rescued._config.instruments["lockin"])
    assert waited == [None]


@pytest.mark.parametrize("moved", [["lockin"], ["controller"], ["lockin", "controller"]])
def test_tip_and_bias_are_made_safe_together_or_not_at_all(moved):
    roles = {
        "instruments__controller__roles": ["tip", "spectroscopy"],
        "instruments__lockin__roles": ["lockin", "bias"],
    }
    assert set(rescue([], moved, **roles)._config.instruments) == {"lockin", "controller"}
    assert set(rescue([], ["awg"], **roles)._config.instruments) == {"awg"}


def test_neither_watchers_nor_interlocks_nor_files_stand_in_the_way():
    watcher = [{"signal": "lockin.x", "action": "abort", "above": 1.0}]
    rescued = rescue([], watcher=watcher)
    config = rescued._config
    assert (config.rf_path, config.simulation, config.watcher, config.interlock) == (None, None, (), ())


@pytest.mark.parametrize("seconds", [5.0, None])
def test_a_wait_says_whether_all_are_safe(monkeypatch, seconds):
    rescued = rescue([], moved=["awg"])
    monkeypatch.setattr(rescued, "_insist", lambda name, _: rescued._why.update({name: ""}))
    rescued.start()
    assert rescued.wait(seconds)
    (thread,) = rescued._threads
    assert thread.daemon, "what never answers does not keep the guardian from leaving"
    assert thread.name == "awg"


def test_a_wait_ends_with_what_is_not_safe(monkeypatch):
    rescued, answered = rescue([], moved=["awg", "lockin"]), threading.Event()
    joined = []
    monkeypatch.setattr(rescued, "_insist", lambda name, _: name == "awg" or answered.wait())
    rescued._why["awg"] = ""
    rescued.start()
    monkeypatch.setattr(module, "monotonic", iter([100.0, 100.0, 103.0]).__next__)
    for thread in rescued._threads:
        monkeypatch.setattr(thread, "join", joined.append)
    assert not rescued.wait(2.0)
    assert joined == [2.0, 0.0], "no longer than asked for, all together"
    assert rescued.problems == ("lockin: not tried yet",)
    answered.set()


class Alone:
    """A station of one instrument that says how its safe state went."""

    def __init__(self, *arguments, for_guardian):
        self.arguments, self.for_guardian = arguments, for_guardian

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def make_safe(self, ending, *, everything):
        assert self.for_guardian
        assert everything
        config, *told = self.arguments
        assert isinstance(config, StationConfig)
        assert told == ["", Path("lab.toml")]
        if isinstance(self.said, Exception):
            raise self.said
        return SimpleNamespace(problems=tuple(Problem("awg", why) for why in self.said), ending=ending)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ((), ""),
        (("one", "two"), "one; two"),
        (InstrumentLost("awg", "no answer"), str(InstrumentLost("awg", "no answer"))),
        (ZeroDivisionError("in a driver"), "ZeroDivisionError: in a driver"),
    ],
)
def test_whatever_goes_wrong_is_why_an_instrument_is_not_safe(monkeypatch, said, why):
    monkeypatch.setattr(module, "Station", type("Station", (Alone,), {"said": said}))
    assert rescue([])._attempt(station_config()) == why
