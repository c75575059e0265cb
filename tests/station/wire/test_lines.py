"""A driver's connection recorded and replayed: bytes, failures, fresh connections, time."""

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pymeasure.adapters import Adapter

from stmlab.errors import FileError, GarbledAnswer, InstrumentLost, InstrumentTimeout
from stmlab.station.wire.difference import RecordingEnded, WireDiffers
from stmlab.station.wire.file import Kind, WireFile, read_wire_recording
from stmlab.station.wire.line import RecordedLine
from stmlab.station.wire.replay import WireReplay, files_into
from tests.station.wire.test_file import HEAD


class Instrument(Adapter):
    """Answers a question with itself; fails where it was told to."""

    def __init__(self, *failures):
        self.failures, self.line, self.unread, self.opened = list(failures), "", b"", 1
        super().__init__()

    def reconnect(self):
        self.opened += 1
        self.fail("connect")

    def fail(self, doing):
        if self.failures and self.failures[0][0] == doing:
            raise self.failures.pop(0)[1]

    def _write(self, command, **kwargs):
        self.fail("send")
        self.line = command

    def _write_bytes(self, content, **kwargs):
        self.line = content

    def _read(self, **kwargs):
        self.fail("receive")
        return self.line

    def _read_bytes(self, count, break_on_termchar=False, **kwargs):
        return self.line[:count]

    def close(self):
        """Nothing."""


class Notes:
    """Notes into a file."""

    def __init__(self, path):
        self.file = WireFile(path, HEAD)

    def note(self, who, kind, content):
        self.file.add(1.25, who, kind, content)


@pytest.fixture
def recorded(tmp_path):
    """Record what ``use`` does with a line; returns a line that replays it, and the replay."""

    def record(use, *failures, ended=True):
        notes = Notes(tmp_path / "some.wire")
        line = RecordedLine("lockin", lambda: Instrument(*failures), "\n", notes)
        use(line)
        if ended:
            notes.note("", Kind.ENDED, {"state": "finished", "message": "", "points": 0, "file": ""})
        notes.file.close()
        replay = WireReplay(read_wire_recording(tmp_path / "some.wire"))
        again = replay.place("lockin", lambda: pytest.fail("nothing is connected to")).line(None, "\n")
        return again, replay

    return record


def ask(line):
    line.write("FREQ?")
    return line.read()


def test_answers_come_again(recorded):
    def use(line):
        answers.append((ask(line), line.write_bytes(b"\x00\n\xff"), line.read_bytes(3)))
        line.close()

    answers = []
    line, replay = recorded(use)
    use(line)
    assert answers[0] == answers[1] == ("FREQ?", None, b"\x00\n\xff")
    replay.finish()
    assert replay.messages == {"lockin": 2}


@pytest.mark.parametrize(
    ("doing", "error"),
    [
        ("receive", InstrumentTimeout("TCPIP::1", "no answer within 2 s")),
        ("send", InstrumentLost("TCPIP::1", "the connection dropped")),
        ("receive", GarbledAnswer("TCPIP::1", "FREQ?", b"\xff", "no ASCII text")),
    ],
)
def test_a_failure_comes_again_and_a_fresh_connection_too(recorded, tmp_path, doing, error):
    def use(line):
        with pytest.raises(type(error)) as caught:
            ask(line)
        said.append((str(caught.value), caught.value.address))
        with pytest.raises(InstrumentLost, match="refused"):
            line.reconnect()
        line.reconnect()
        assert ask(line) == "FREQ?"

    said = []
    line, replay = recorded(use, (doing, error), ("connect", InstrumentLost("TCPIP::1", "refused")))
    use(line)
    assert said[0] == said[1]
    replay.finish()
    entries = read_wire_recording(tmp_path / "some.wire").entries
    assert [entry.content for entry in entries if entry.kind is Kind.OPENED] == [1, 2]


def test_a_message_that_could_not_be_sent_fails_where_it_did(recorded):
    def use(line):
        with pytest.raises(InstrumentLost, match="dropped"):
            line.write("OUTP 0")
        line.write("OUTP 1")

    line, replay = recorded(use, ("send", InstrumentLost("TCPIP::1", "the connection dropped")))
    use(line)
    replay.finish()


@pytest.mark.parametrize(("sent", "byte"), [("FREQ!", 5), ("AREQ?", 1), ("FREQ? ", 6), ("FREQ", 5)])
def test_the_first_byte_that_differs_is_named(recorded, sent, byte):
    line, replay = recorded(lambda line: (ask(line), ask(line)))
    ask(line)
    with pytest.raises(WireDiffers) as found:
        line.write(sent)
    difference = found.value.difference
    assert (difference.instrument, difference.message, difference.connection) == ("lockin", 2, 1)
    assert (difference.byte, difference.recorded, difference.sent) == (byte, b"FREQ?\n", f"{sent}\n".encode())
    assert difference.date == "2026-11-29T22:00:01+00:00"  # 1.25 s on a clock that stood at 0.25 s
    assert replay.difference is difference


@pytest.mark.parametrize(
    ("again", "said"),
    [
        (lambda line: (ask(line), ask(line), ask(line)), "the recording has no more"),
        (lambda line: (ask(line), line.reconnect()), "connects where the recording sends"),
        (lambda line: (ask(line), line.close()), "closes the connection where the recording sends"),
        (lambda line: (ask(line), line.read()), "waits for an answer where the recording sends"),
        (lambda line: (line.write("FREQ?"), line.write("FREQ?")), "goes on with an answer"),
        (lambda line: (line.write("FREQ?"), line.read_bytes(2), line.write("FREQ?")), "leaves 4 bytes of an answer"),
    ],
)
def test_another_step_is_named(recorded, again, said):
    line, _ = recorded(lambda line: (ask(line), ask(line)))
    with pytest.raises(WireDiffers, match=said):
        again(line)


def test_a_run_that_says_less_is_named_at_its_end(recorded):
    line, replay = recorded(lambda line: (ask(line), ask(line)))
    ask(line)
    with pytest.raises(WireDiffers, match="the run is over where the recording sends"):
        replay.finish()


def test_after_the_first_difference_everything_fails_with_it(recorded):
    line, replay = recorded(lambda line: (ask(line), ask(line)))
    with pytest.raises(WireDiffers):
        line.write("?")
    first = replay.difference
    for use in (ask, Adapter.read, RecordedLine.close, lambda line: line.reconnect()):
        with pytest.raises(WireDiffers):
            use(line) if use is not RecordedLine.close else line.close()
    assert replay.difference is first


def test_a_recording_that_was_cut_off_ends_there(recorded):
    line, _ = recorded(lambda line: ask(line), ended=False)
    ask(line)
    with pytest.raises(RecordingEnded):
        ask(line)


def test_the_time_of_a_driver_is_as_it_was(recorded):
    def use(line):
        readings.append(line.monotonic())
        ask(line)
        readings.append(line.monotonic())

    readings = []
    line, _ = recorded(use)
    use(line)
    assert readings[:2] == readings[2:]


def test_a_failure_of_no_known_kind_is_said(tmp_path):
    notes = Notes(tmp_path / "some.wire")
    notes.note("lockin", Kind.FAILED, ["connect", "SystemExit", "now", {}, ""])
    replay = WireReplay(read_wire_recording(tmp_path / "some.wire"))
    with pytest.raises(FileError, match="no failure of a connection"):
        replay.place("lockin", str).line(None, "\n")


@pytest.mark.parametrize("files", [{"..": "YQ=="}, {"line.csv": "?"}])
def test_a_file_in_a_recording_that_is_none_is_said(tmp_path, files):
    with pytest.raises(FileError, match="in the recording"):
        files_into(HEAD.model_copy(update={"files": files}), tmp_path)


def test_the_files_of_a_recording_stay_in_their_folder(tmp_path):
    found = files_into(HEAD.model_copy(update={"files": {"../../line.csv": "YQ==", "/x/line.csv": "Yg=="}}), tmp_path)
    assert [Path(path).read_bytes() for path in found.values()] == [b"a", b"b"]
    assert all(Path(path).resolve().is_relative_to(tmp_path.resolve()) for path in found.values())


def clocked(tmp_path, *noted):
    """A replay of readings of the clock and messages."""
    file = WireFile(tmp_path / "clock.wire", HEAD)
    for who, kind, content in noted:
        file.add(0.0, who, kind, content)
    file.close()
    return WireReplay(read_wire_recording(tmp_path / "clock.wire"))


READINGS = [("", Kind.NOW, 1.0), ("", Kind.NOW, 2.5), ("lockin", Kind.OPENED, 1), ("", Kind.NOW, 7.0)]


def test_the_clock_reads_as_it_did_and_waiting_takes_no_time(tmp_path):
    replay = clocked(tmp_path, *READINGS, ("", Kind.DATE, "2026-11-30T00:00:00+00:00"))
    clock = replay.clock(None)
    assert (clock.now(), clock.sleep(1e9), clock.now()) == (1.0, None, 2.5)
    replay.place("lockin", str).line(None, "\n")
    assert (clock.now(), clock.date()) == (7.0, datetime(2026, 11, 30, tzinfo=UTC))


def test_one_reading_more_gets_none_from_after_the_next_message_and_waits_still_end(tmp_path):
    replay = clocked(tmp_path, *READINGS)
    clock = replay.clock(None)
    assert [clock.now() for _ in range(3)] == [1.0, 2.5, 2.5]
    clock.sleep(0.5)
    assert clock.now() == 3.0
    replay.place("lockin", str).line(None, "\n")
    assert clock.now() == 7.0


def test_one_reading_less_leaves_the_rest_of_its_place_behind(tmp_path):
    replay = clocked(tmp_path, *READINGS)
    clock = replay.clock(None)
    assert clock.now() == 1.0
    replay.place("lockin", str).line(None, "\n")
    assert clock.now() == 7.0


def test_each_thread_has_its_own_readings(tmp_path):
    replay = clocked(tmp_path, ("", Kind.NOW, 1.0), ("thread awg", Kind.NOW, 5.0), ("", Kind.NOW, 2.0))
    clock, found = replay.clock(None), []
    thread = threading.Thread(target=lambda: found.append(clock.now()), name="awg")
    thread.start()
    thread.join()
    assert (found, clock.now(), clock.now()) == ([5.0], 1.0, 2.0)
