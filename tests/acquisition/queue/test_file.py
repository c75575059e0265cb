"""The file of a queue: written by people, kept by the program, owned by one process."""

import subprocess
import sys

import pytest

from stmlab.acquisition.queue.entries import EntryState, QueueEntry
from stmlab.acquisition.queue.file import owned, read_queue
from stmlab.acquisition.queue.places import QueueBusy, performing_of
from stmlab.errors import FileError

WRITTEN = """# my evening

[[entry]]  # the line first
sequence = "transfer"
sample = "nonlinear"

# then the spectra
[[entry]]
sequence = "srs"

[entry.settings]
amplitude = "2.8 mV"  # at the junction
points = 12
"""


@pytest.fixture
def path(tmp_path):
    (file := tmp_path / "queue.toml").write_text(WRITTEN, encoding="utf-8")
    return file


def test_what_came_of_an_entry_is_kept_and_so_is_every_comment(path):
    with owned(path) as file:
        first, second = file.queue.entries
        done = second.changed(state=EntryState.DONE, done=1, files=("x.h5",), message='"no fit": µ')
        file.keep(file.queue.replaced(done))
    text = path.read_text(encoding="utf-8")
    for line in WRITTEN.splitlines():
        assert line in text
    assert text.index("transfer") < text.index(first.id) < text.index("# then the spectra") < text.index(second.id)
    assert read_queue(path).entries == (first, done)
    with owned(path) as file:
        file.keep(file.queue)
    assert path.read_text(encoding="utf-8") == text


def test_an_entry_that_is_moved_takes_its_comment_with_it(path):
    with owned(path) as file:
        second = file.queue.entries[1]
        more = QueueEntry(sequence="didv", settings={"points": 3}, tags=("night",), loop={"modulation": ["1 mV"]})
        file.keep(file.queue.moved(second.id, 0).added(more))
        wanted = file.queue
    text = path.read_text(encoding="utf-8")
    assert text.index("# then the spectra") < text.index('"srs"') < text.index("# the line first")
    assert read_queue(path) == wanted
    with owned(path) as file:
        file.keep(file.queue.removed(second.id))
    assert "# at the junction" not in path.read_text(encoding="utf-8")
    assert [entry.sequence for entry in read_queue(path).entries] == ["transfer", "didv"]


def test_one_process_at_a_time_owns_a_queue(path):
    code = f"from stmlab.acquisition.queue.file import owned\nwith owned({str(path)!r}): pass"
    with owned(path):
        with pytest.raises(QueueBusy, match="performed by process"), owned(path):
            pass
        found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert "QueueBusy" in found.stderr
        assert read_queue(path).entries
    with owned(path):
        assert performing_of(path) is None


def test_what_another_program_wrote_meanwhile_is_kept_beside_it(path):
    with owned(path) as file:
        path.write_text("# edited\n", encoding="utf-8")
        file.keep(file.queue.removed(file.queue.entries[0].id))
        assert path.with_name("queue.edited.toml").read_text(encoding="utf-8") == "# edited\n"
        assert len(read_queue(path)) == 1


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[[entry]]\nsample = 'x'\n", "entry 1.sequence is missing"),
        ("[[entry]]\nsequence = 'srs'\n[[entry]]\nsequence = 'srs'\nrepet = 2\n", "entry 2.repet"),
        ("[[entry]]\nsequence = 'srs'\nafter_failure = 'ignore'\n", "after_failure"),
        ("station = 'x'\n", "station: this key is not known"),
        ("[[entry]\n", "line 1"),
        ("[[entry]]\nid = 'a'\nsequence = 'srs'\n[[entry]]\nid = 'a'\nsequence = 'srs'\n", "two entries have the id a"),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_its_name_and_key_and_stays_as_it_is(path, text, named):
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FileError, match=named) as refused, owned(path):
        pass
    assert str(path) in str(refused.value)
    assert path.read_text(encoding="utf-8") == text


def test_a_file_that_cannot_be_written_is_said_and_the_old_one_stays(path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    with owned(path) as file:
        before = path.read_text(encoding="utf-8")
        monkeypatch.setattr("stmlab.acquisition.queue.file.os.fsync", full)
        with pytest.raises(FileError, match="No space left"):
            file.keep(file.queue.removed(file.queue.entries[0].id))
    assert path.read_text(encoding="utf-8") == before
    assert [found.name for found in path.parent.iterdir()] == ["queue.toml"]
