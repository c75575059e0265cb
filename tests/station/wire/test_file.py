"""The file of a wire recording: what was noted is read back; what is damaged is said."""

import pytest

from stmlab.errors import FileError
from stmlab.station.wire.file import Head, Kind, WireFile, read_wire_recording

HEAD = Head(
    sequence="srs",
    parameters={"dc_bias": 4e-3, "points": 3, "flatten": True, "grid": "linear"},
    station_path="lab.toml",
    station_text='name = "lab"\n',
    files={"line.csv": "YQ=="},
    sample="",
    seed=None,
    versions={"stmlab": "1"},
    git="",
    date="2026-11-29T22:00:00+00:00",
    start=0.25,
    tip_mark=("withdrawn", "2026", "by a person"),
    audit="",
)
WAVEFORM = bytes(range(256)) * 8
NOTED = [
    (0.1, "awg", Kind.OPENED, 1),
    (0.2, "awg", Kind.SENT, b"*IDN?\r\n"),
    (1 / 3, "awg", Kind.SENT, WAVEFORM),
    (0.4, "", Kind.NOW, 0.1 + 0.2),
    (0.5, "awg", Kind.SENT, WAVEFORM),
    (0.6, "awg", Kind.RECEIVED, b"\x00\xff"),
    (0.7, "awg", Kind.FAILED, ["receive", "InstrumentTimeout", "no answer", {"address": "x"}, "00"]),
]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "evening.wire"


def written(path, noted=NOTED):
    file = WireFile(path, HEAD)
    for entry in noted:
        file.add(*entry)
    file.close()
    return path


def test_what_was_noted_is_read_back_exactly(path):
    recording = read_wire_recording(written(path))
    assert recording.head == HEAD
    assert [(e.time, e.who, e.kind, e.content) for e in recording.entries] == NOTED
    assert not recording.torn


def test_a_long_message_that_is_sent_twice_is_kept_once(path, tmp_path):
    twice, once = written(path).stat().st_size, written(tmp_path / "once.wire", NOTED[:4]).stat().st_size
    assert twice - once < len(WAVEFORM) / 4


def test_nothing_is_overwritten(path):
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(FileError, match="there is such a file already"):
        written(path)
    assert path.read_text(encoding="utf-8") == "mine"


def test_a_file_torn_at_any_byte_gives_every_whole_line(path):
    whole = written(path).read_bytes()
    begin = whole.index(b"\n", whole.index(b"\n") + 1) + 1
    for length in range(begin, len(whole), 7):
        path.write_bytes(whole[:length])
        recording = read_wire_recording(path)
        assert len(recording.entries) == whole[:length].count(b"\n") - 2
        assert recording.torn == (not whole[:length].endswith(b"\n"))


def test_a_changed_byte_is_said_with_its_line(path):
    whole = bytearray(written(path).read_bytes())
    for at in range(whole.index(b"\n") + 1, len(whole) - 1, 11):
        damaged = bytes(whole[:at]) + bytes([whole[at] ^ 1]) + bytes(whole[at + 1 :])
        path.write_bytes(damaged)
        with pytest.raises(FileError, match=r"line \d+: damaged"):
            read_wire_recording(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no wire recording"),
        (b"frequency,current\n1,2\n", "no wire recording"),
        (b"stmlab-wire 2\n", "format '2': this version of stmlab reads 1"),
        (b"stmlab-wire 1\n12", "nothing was recorded"),
    ],
)
def test_another_file_is_refused_in_words(path, content, said):
    path.write_bytes(content)
    with pytest.raises(FileError, match=said):
        read_wire_recording(path)


def test_a_missing_file_is_said(path):
    with pytest.raises(FileError, match="No such file"):
        read_wire_recording(path)
