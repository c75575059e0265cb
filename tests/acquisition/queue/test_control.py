"""Clients of a queue: what they ask, what they are told, and that none of them can touch the run."""

import socket
import threading
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stmlab.acquisition.queue import control
from stmlab.acquisition.queue.client import QueueClient, QueueGone, Refused
from stmlab.acquisition.queue.entries import QueueEntry
from stmlab.acquisition.queue.file import read_queue
from stmlab.acquisition.queue.places import last_of, performing, performing_of, queue_directory
from stmlab.acquisition.queue.process import performer_of
from stmlab.acquisition.queue.protocol import Lines, ProtocolError, decode, encode
from stmlab.errors import StmlabError
from tests.acquisition.queue.evening import entry, written


@pytest.fixture
def path(tmp_path):
    return tmp_path / "queue.toml"


@contextmanager
def performed(path, *entries, gate=None, **how):
    """A queue that is performed in a thread; its runs begin when ``gate`` is open."""
    written(path, *entries)

    @contextmanager
    def watching(*_):
        if gate is not None:
            gate.wait(60)
        yield

    found, done = [], []
    ready = threading.Event()

    def work():
        with performer_of(path, watching=watching, **how) as performer:
            found.append(performer)
            ready.set()
            done.append(performer.perform())

    thread = threading.Thread(target=work)
    thread.start()
    ready.wait(60)
    try:
        yield found[0], done
    finally:
        if gate is not None:
            gate.set()
        thread.join(120)
    assert not thread.is_alive()


def test_a_client_hears_all_of_a_queue_from_wherever_it_comes_in_until_its_end(path):
    gate = threading.Event()
    with performed(path, entry("didv"), entry("srs"), gate=gate), QueueClient(path) as client:
        status = client.wait_for("status")
        assert [e["sequence"] for e in status["entries"]] == ["didv", "srs"]
        gate.set()
        heard = list(client.events())
    states = [m["state"] for m in heard if m["event"] == "state" and "state" in m]
    whole = ["preparing", "running", "analysing", "finished"]
    assert states == whole * 2
    ends = [m for m in heard if m["event"] == "finished"]
    assert [(m["sequence"], m["reason"], m["points"], m["total"], m["safe"]) for m in ends] == [
        ("didv", "completed", 5, 5, True),
        ("srs", "completed", 6, 6, True),
    ]
    assert all("safe" in m["station"] or m["station"] for m in ends)
    assert heard[-1]["event"] == "state"
    assert heard[-1]["queue"] == "ended"
    queues = [m for m in heard if m["event"] == "queue"]
    assert [e["state"] for e in queues[-1]["entries"]] == ["done", "done"]
    assert performing_of(path) is None
    assert last_of(path) is None


def test_progress_and_what_the_looks_have_read_are_told_while_a_run_goes_on(path, monkeypatch):
    monkeypatch.setattr(control, "_EVERY", 0.005)
    with performed(path, entry("didv", settings={"points": 15})), QueueClient(path) as client:
        progress = client.wait_for("progress", state="running")
        values = client.wait_for("values")
        while "controller" not in values["read"] or not values["set"].get("controller"):
            values = client.wait_for("values")
    assert progress["total"] == 15
    assert progress["file"].endswith("_didv_fe_atom.h5")
    assert progress["left"] > 0
    assert values["roles"]["tip"] == "controller"
    assert {"bias", "current", "height", "status"} <= values["read"]["controller"].keys()
    assert "setpoint" in values["set"]["controller"]


def test_a_run_is_paused_resumed_and_stopped_by_a_client(path):
    with performed(path, entry("didv", settings={"points": 2000}), entry("srs")), QueueClient(path) as client:
        client.wait_for("state", state="running")
        client.ask("pause")
        client.wait_for("state", state="paused")
        client.ask("resume")
        client.wait_for("state", state="running")
        client.ask("stop", then="go on")
        ends = [m["reason"] for m in client.events() if m["event"] == "finished"]
    assert ends == ["stopped", "completed"]
    assert [e.state for e in read_queue(path).entries] == ["stopped", "done"]


def test_the_queue_is_changed_by_clients_while_it_runs_and_every_client_hears(path):
    gate = threading.Event()
    first, second, third = entry("didv"), entry("srs", settings={"points": 1}), entry("pump_probe")
    trace = entry("time_trace", sample="slow_switch", settings={"samples": 20})
    with performed(path, first, second, third, gate=gate), QueueClient(path) as one, QueueClient(path) as other:
        one.wait_for("status")
        more = one.ask("add", entry=trace.model_dump(mode="json"))["entry"]
        one.ask("move", name=more, place=1)
        one.ask("remove", name=third.id)
        copy = one.ask("duplicate", name=more)["entry"]
        one.ask("edit", entry=second.changed(note="with a note").model_dump(mode="json"))
        told = other.wait_for("queue")
        while "with a note" not in str(told):
            told = other.wait_for("queue")
        assert [e["id"] for e in told["entries"]] == [first.id, more, copy, second.id]
        with pytest.raises(Refused, match="running"):
            one.ask("remove", name=first.id)
        with pytest.raises(Refused, match="no entry x"):
            one.ask("move", name="x", place=0)
        with pytest.raises(Refused, match="sequnce"):
            one.ask("add", entry={"sequnce": "srs"})
        with pytest.raises(Refused, match="cannot be asked"):
            one.ask("format the disk")
        with pytest.raises(Refused, match="not what can be asked"):
            one.ask("move", name=more, place="first")
        gate.set()
        list(one.events())
    assert [e.state for e in read_queue(path).entries] == ["done"] * 4


@pytest.mark.slow
def test_a_client_that_never_reads_and_one_that_talks_nonsense_do_not_touch_the_run(path, monkeypatch, caplog):
    caplog.set_level("INFO", "stmlab")
    monkeypatch.setattr(control, "_EVERY", 0.005)
    monkeypatch.setattr(control, "_BEHIND", 1 << 12)
    monkeypatch.setattr(control, "_TOO_FAR", 1 << 15)
    gate = threading.Event()
    long = entry("didv", settings={"points": 1500})
    with performed(path, long, gate=gate) as (performer, done):
        deaf, rude = (socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) for _ in range(2))
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        for one in (deaf, rude):
            one.connect(str(performing_of(path).socket))
        rude.sendall(b'\x00\xff not json\n[1]\n{"ask": 7, "id": 1}\n' + b"x" * 100)
        with QueueClient(path) as client:
            client.wait_for("status")
            for number in range(100):  # what lasts, more than the system and the queue keep for the deaf one
                performer._tell({"event": "log", "text": "x" * 10_000, "number": number})
                client.wait_for("log", number=number)
            gate.set()
            ends = [m for m in client.events() if m["event"] == "finished"]
    assert done == [True]
    assert "a client reads nothing and is disconnected" in caplog.messages
    assert ends[0]["points"] == 1500
    rude.settimeout(10)
    answers = [decode(line) for line in Lines().feed(received(rude))]
    refused = [m["refused"] for m in answers if "refused" in m]
    assert len(refused) == 3
    assert len(received(deaf)) < 1 << 20
    for one in (deaf, rude):
        one.close()


def received(connection):
    """Everything until the other side hangs up."""
    found = b""
    while piece := connection.recv(1 << 16):
        found += piece
    return found


def test_a_fault_in_an_answer_lets_that_client_go_and_no_other(path, monkeypatch, caplog):
    gate = threading.Event()
    with performed(path, entry("didv"), gate=gate) as (performer, done), QueueClient(path) as one:
        one.wait_for("status")
        with QueueClient(path) as other:
            other.wait_for("status")
            monkeypatch.setattr(performer, "pause", lambda: {}.nothing)
            with pytest.raises(QueueGone):
                other.ask("pause")
        gate.set()
        assert [m["reason"] for m in one.events() if m["event"] == "finished"] == ["completed"]
    assert done == [True]
    assert "it is disconnected" in caplog.text


def test_a_line_without_end_ends_the_connection():
    lines = Lines()
    with pytest.raises(ProtocolError, match="more than"):
        for _ in range(19):
            lines.feed(b"x" * (1 << 20))


@given(st.binary(max_size=200))
def test_whatever_comes_is_a_message_or_a_protocol_error(line):
    try:
        assert isinstance(decode(line), dict)
    except ProtocolError:
        pass


@given(st.lists(st.binary(max_size=12), max_size=8), st.data())
def test_lines_are_put_together_from_any_pieces(texts, data):
    texts = [text.replace(b"\n", b"") for text in texts]
    stream = b"".join(text + b"\n" for text in texts)
    lines, found = Lines(), []
    while stream:
        n = data.draw(st.integers(1, len(stream)))
        found += lines.feed(stream[:n])
        stream = stream[n:]
    assert found == [text for text in texts if text.strip()]


@pytest.mark.parametrize("shape", [(0,), (5,), (2, 3)])
def test_arrays_come_as_they_were_sent(shape):
    sent = np.random.default_rng(1).normal(size=shape)
    sent.flat[:1] = np.nan
    np.testing.assert_array_equal(decode(encode({"event": "partial", "values": sent}))["values"], sent)


@pytest.mark.parametrize("wrong", ['{"float64": "AAAA", "shape": [1]}', '{"float64": "!", "shape": [0]}'])
def test_an_array_that_is_none_is_no_message(wrong):
    with pytest.raises(ProtocolError):
        decode(f'{{"values": {wrong}}}'.encode())


def test_queues_that_are_performed_are_found_and_a_killed_one_is_not(path, tmp_path):
    gate = threading.Event()
    with performed(path, entry("didv"), gate=gate):
        assert [found.file for found in performing()] == [path.resolve()]
        assert performing_of(path).pid > 0
    written(tmp_path / "other.toml", entry("didv"))
    with pytest.raises(QueueGone, match="nobody performs"):
        QueueClient(tmp_path / "other.toml")
    assert performing() == []


def test_the_folder_of_the_sockets_must_be_the_users_own():
    folder = queue_directory()
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.parent.chmod(0o777)
    try:
        with pytest.raises(StmlabError, match="others may write"):
            queue_directory()
    finally:
        folder.parent.chmod(0o700)


def test_an_inserted_entry_must_wait(path):
    with performed(path, entry("didv", pause_after=True), entry("srs")), QueueClient(path) as client:
        client.wait_for("state", queue="waiting")
        done = QueueEntry(sequence="didv", state="done")
        with pytest.raises(Refused, match="only one that waits"):
            client.ask("insert", entry=done.model_dump(mode="json"))
        client.ask("resume")
