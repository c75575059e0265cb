"""What a guardian does at a run's end, with a run that is a number."""

import os
import signal
from dataclasses import asdict
from types import SimpleNamespace

import pytest

from stmlab.station import guardian_process as module
from stmlab.station.guardian_process import End, Guardian, be_silent
from stmlab.station.lock import StationLock, owner_of
from tests.station.lab import station_config

RUN = 4711


@pytest.fixture
def frozen(monkeypatch):
    """A guardian of a frozen process; ``parents`` is who its parent is, each time it is asked."""
    guardian = object.__new__(Guardian)
    guardian._run = RUN
    guardian.killed, guardian.parents, guardian.time = [], [RUN], [100.0]

    def parent():
        return guardian.parents.pop(0) if len(guardian.parents) > 1 else guardian.parents[0]

    def pause(seconds):
        guardian.time[0] += seconds

    monkeypatch.setattr(module.os, "getppid", parent)
    monkeypatch.setattr(module.os, "kill", lambda *told: guardian.killed.append(told))
    monkeypatch.setattr(module, "monotonic", lambda: guardian.time[0])
    monkeypatch.setattr(module, "sleep", pause)
    return guardian


def test_a_frozen_run_is_gone_before_its_instruments_are_touched(frozen):
    frozen.parents = [RUN, RUN, RUN, RUN, 1]
    frozen._kill()
    assert frozen.killed == [(RUN, signal.SIGKILL)]
    assert frozen.parents == [1]


def test_a_run_that_cannot_be_ended_is_waited_for_five_seconds(frozen, caplog):
    frozen._kill()
    assert frozen.killed == [(RUN, signal.SIGKILL)]
    assert 105.0 <= frozen.time[0] < 105.1


def test_a_run_that_is_gone_already_is_not_killed(frozen):
    """Its number may be another's by now."""
    frozen.parents = [1]
    frozen._kill()
    assert frozen.killed == []


def test_a_run_that_goes_at_this_moment_is_no_fault(frozen, monkeypatch):
    def gone(*_):
        frozen.parents = [1]
        raise ProcessLookupError

    monkeypatch.setattr(module.os, "kill", gone)
    frozen._kill()
    assert frozen.time == [100.0]


def test_a_silent_guardian_lets_go_of_the_terminal(capfd):
    os.write(2, b"the last word\n")
    be_silent()
    os.write(2, b"not heard\n")
    assert capfd.readouterr().err == "the last word\n"


@pytest.fixture
def lock(request):
    with StationLock([f"TCPIP::192.0.2.1::6501::{request.node.name}"]) as lock:
        yield lock


def test_a_guardian_says_in_the_lock_whose_the_station_is_now(lock, monkeypatch):
    guardian, (address,) = object.__new__(Guardian), lock._addresses
    guardian._run, guardian._locks = RUN, list(lock.descriptors)
    before = owner_of(address)
    monkeypatch.setattr(module.os, "getpid", lambda: 4712)
    guardian._note("NOT SAFE: awg: no answer")
    after = owner_of(address)
    changed = {"pid": 4712, "program": f"guardian of process {RUN}", "note": "NOT SAFE: awg: no answer"}
    assert asdict(after) == asdict(before) | changed
    guardian._give_back()
    assert owner_of(address) is None


@pytest.mark.parametrize(
    ("said", "parent", "late", "end"),
    [
        ([b"dismissed\n"], RUN, -1.0, End.DISMISSED),
        ([b"dismi", b"ssed\n"], RUN, -1.0, End.DISMISSED),
        ([b"take over\n"], RUN, -1.0, End.NOT_SAFE),
        ([b""], RUN, -1.0, End.KILLED),
        ([], 1, -1.0, End.KILLED),
        ([], RUN, 2.1, End.FROZEN),
    ],
)
def test_how_a_run_has_ended(monkeypatch, said, parent, late, end):
    guardian = object.__new__(Guardian)
    guardian._run, guardian._shared = RUN, {}
    pieces = list(said)
    monkeypatch.setattr(module.select, "select", lambda *_: ([0] if pieces else [], [], []))
    monkeypatch.setattr(module.os, "read", lambda *_: pieces.pop(0))
    monkeypatch.setattr(module.sys, "stdin", type("Stdin", (), {"fileno": lambda _: 0})())
    monkeypatch.setattr(module.os, "getppid", lambda: parent)
    monkeypatch.setattr(module, "overdue", lambda _: late)
    monkeypatch.setattr(module, "monotonic", lambda: 100.0)
    assert guardian._wait() is end
    assert guardian._shared == {module.Slot.GUARDIAN_BEAT: 100.0}


def test_a_deadline_missed_by_less_than_two_seconds_is_no_freeze(monkeypatch):
    guardian = object.__new__(Guardian)
    guardian._run, guardian._shared = RUN, {}
    late, waited = [1.9, 2.0, 2.1, 9.9], []

    def select(readers, writers, errors, seconds):
        waited.append(seconds)
        return [], [], []

    monkeypatch.setattr(module.select, "select", select)
    monkeypatch.setattr(module.sys, "stdin", None)
    monkeypatch.setattr(module.os, "getppid", lambda: RUN)
    monkeypatch.setattr(module, "overdue", lambda _: late.pop(0))
    assert guardian._wait() is End.FROZEN
    assert late == [9.9]
    assert waited == [0.05] * 3, "a run is looked at twenty times a second"


class Rescued:
    """A rescue that has seen all safe after so many waits."""

    def __init__(self, waits):
        self.waits, self.waited, self.problems = waits, [], ("awg: no answer",)

    def __call__(self, config, text, path, moved, tell):
        self.moved = moved
        return self

    def start(self):
        self.waited.append("start")

    def wait(self, seconds):
        self.waited.append(seconds)
        return len(self.waited) > self.waits


@pytest.fixture
def ended(monkeypatch):
    """A guardian whose run has ended as ``ended.end`` says, after having moved ``ended.moved``; and what it did."""
    guardian = object.__new__(Guardian)
    guardian.end, guardian.did, guardian.said = End.KILLED, [], []
    guardian._text, guardian._path, guardian._run = "", "lab.toml", RUN
    guardian._config, guardian.moved = station_config(), {"controller"}
    names = list(guardian._config.instruments)
    guardian._shared = SimpleNamespace(marked=lambda slot, bit: names[bit] in guardian.moved)
    guardian._wait = lambda: guardian.end
    for name in ("_kill", "_give_back"):
        setattr(guardian, name, lambda name=name: guardian.did.append(name))
    guardian._note = lambda said: guardian.did.append(said)
    monkeypatch.setattr(module, "revoke", lambda shared: guardian.did.append("revoke"))
    monkeypatch.setattr(module, "say", lambda line: guardian.said.append(line))
    monkeypatch.setattr(module, "be_silent", lambda: guardian.did.append("silent"))
    return guardian


def test_a_dismissed_guardian_does_nothing(ended):
    ended.end = End.DISMISSED
    assert ended.watch() == 0
    assert ended.did == ended.said == []


def test_a_run_that_has_moved_nothing_leaves_nothing_to_make_safe(ended):
    ended.moved = set()
    assert ended.watch() == 0
    assert ended.did == ["revoke", "_give_back"]
    assert ended.said == ["the run was killed; there was nothing to make safe"]


@pytest.mark.parametrize(("end", "first"), [(End.FROZEN, ["revoke", "_kill"]), (End.NOT_SAFE, ["revoke"])])
def test_a_station_that_is_safe_within_eight_seconds_is_given_back(ended, monkeypatch, end, first):
    ended.end, rescue = end, Rescued(1)
    monkeypatch.setattr(module, "Rescue", rescue)
    assert ended.watch() == 0
    assert rescue.moved == {"controller"}
    assert rescue.waited == ["start", 8.0]
    assert ended.did == [*first, "_give_back"]
    assert ended.said == [f"{end.value}; the station has been made safe"]


def test_what_is_not_safe_after_eight_seconds_is_said_and_tried_for_ever(ended, monkeypatch):
    rescue = Rescued(2)
    monkeypatch.setattr(module, "Rescue", rescue)
    assert ended.watch() == 0
    assert rescue.waited == ["start", 8.0, None]
    assert ended.did == ["revoke", "NOT SAFE: awg: no answer", "silent", "_give_back"]
    first, last = ended.said
    assert first == "the run was killed and THE STATION IS NOT SAFE: awg: no answer; its guardian goes on trying"
    assert last == "the run was killed; the station has been made safe"


def test_its_orders_are_the_first_line_and_not_a_byte_more(monkeypatch):
    reading, writing = os.pipe()
    monkeypatch.setattr(module.sys, "stdin", SimpleNamespace(fileno=lambda: reading))
    os.write(writing, b'{"run": 4711, "text": "a"}\ndismissed\n')
    assert module._orders() == {"run": RUN, "text": "a"}
    assert os.read(reading, 100) == b"dismissed\n"
    os.write(writing, b'{"run":')
    os.close(writing)
    with pytest.raises(SystemExit) as ended:
        module._orders()
    assert ended.value.code == 1
    os.close(reading)


def test_what_it_says_is_on_the_terminal_and_in_the_log(capfd, caplog, monkeypatch):
    monkeypatch.setattr(module.log, "propagate", True)
    module.say("the run was killed")
    assert capfd.readouterr().err.startswith("stmlab: the run was killed\n")
    assert caplog.messages == ["the run was killed"]


def test_a_guardian_does_not_hear_what_ends_the_run_and_says_why_it_cannot_start(monkeypatch):
    numbers, said = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP), []
    before = {number: signal.getsignal(number) for number in numbers}
    monkeypatch.setattr(module, "say", said.append)
    monkeypatch.setattr(module.sys, "argv", ["guardian", "drivers.no_such_driver:Nothing"])
    try:
        assert module.main() == 2
        assert [signal.getsignal(number) for number in numbers] == [signal.SIG_IGN] * 3
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    (line,) = said
    assert line.startswith("the guardian cannot start: ")
    assert "no_such_driver" in line


def test_drivers_are_loaded_before_the_orders_are_read(monkeypatch):
    order = []
    monkeypatch.setattr(module.sys, "argv", ["guardian", "one:A", "two:B"])
    monkeypatch.setattr(module.signal, "signal", lambda *_: None)
    monkeypatch.setattr(module, "imported", lambda name, *_: order.append(name))
    monkeypatch.setattr(module, "_orders", lambda: order.append("orders"))
    monkeypatch.setattr(module, "Guardian", lambda _: SimpleNamespace(watch=lambda: 0))
    assert module.main() == 0
    assert order == ["one:A", "two:B", "orders"]
