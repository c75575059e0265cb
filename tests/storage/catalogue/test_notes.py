"""Tags and notes stand beside a file; the file itself stays what it was."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest

from stmlab.errors import FileError
from stmlab.storage.catalogue import Note, Notes, add_note, add_tags, read_notes, remove_tags
from stmlab.storage.catalogue.notes import notes_path


@pytest.fixture
def file(folder):
    return folder.write("a.h5")


def test_tags_and_notes_are_kept_beside_the_file_and_never_in_it(file):
    before = file.read_bytes(), file.stat().st_mtime_ns
    add_tags(file, ["good", " tip 3 ", "good"])
    add_note(file, "drift after\nthe approach: Ω")
    found = add_note(file, "second")
    assert found == read_notes(file)
    assert found.tags == ("good", "tip 3")
    assert [note.text for note in found.notes] == ["drift after\nthe approach: Ω", "second"]
    assert datetime.fromisoformat(found.notes[0].date).tzinfo is not None
    assert (file.read_bytes(), file.stat().st_mtime_ns) == before
    assert remove_tags(file, ["good"]).tags == ("tip 3",)
    assert "Ω" in notes_path(file).read_text(encoding="utf-8")  # for people too


def test_they_are_listed_move_with_their_folder_and_are_missed_when_the_file_went_alone(folder):
    file = folder.write("monday/a.h5")
    add_tags(file, ["good"])
    assert folder.look()["monday/a.h5"].added == Notes(("good",))
    (folder.path / "monday").rename(folder.path / "tuesday")
    assert folder.look()["tuesday/a.h5"].added.tags == ("good",)
    shutil.move(folder.path / "tuesday" / "a.h5", folder.path / "b.h5")
    assert folder.look()["b.h5"].added == Notes()
    (trouble,) = folder.troubles()
    assert trouble.endswith("tags and notes of a file that is not here: a.h5")


def test_what_somebody_else_wrote_there_stays(file):
    notes_path(file).write_text(json.dumps({"rating": 5, "tags": ["b", "a"]}))
    add_note(file, "x")
    said = json.loads(notes_path(file).read_text())
    assert (said["rating"], read_notes(file).tags) == (5, ("a", "b"))


@pytest.mark.parametrize(
    "text", ["", "{", "[1]", '{"tags": "good"}', '{"tags": [1]}', '{"notes": ["x"]}', '{"notes": 3}', "[" * 10**5]
)
def test_damaged_notes_are_said_and_never_overwritten(folder, file, text):
    notes_path(file).write_text(text)
    for change in (lambda: add_tags(file, ["x"]), lambda: add_note(file, "x"), lambda: read_notes(file)):
        with pytest.raises(FileError, match=r"a\.h5\.notes\.json: damaged"):
            change()
    assert notes_path(file).read_text() == text
    assert folder.look()["a.h5"].state == "finished"
    assert "damaged" in folder.troubles()[0]


@pytest.mark.parametrize("tag", ["", "  ", "a,b", "a\nb", "\x1b[31m"])
def test_what_is_no_tag_is_refused(file, tag):
    with pytest.raises(FileError, match="is no tag"):
        add_tags(file, ["good", tag])
    assert not notes_path(file).exists()


def test_refusals_name_the_file(folder, file):
    with pytest.raises(FileError, match="no such file"):
        add_note(folder.path / "nowhere.h5", "x")
    with pytest.raises(FileError, match="a folder"):
        add_tags(folder.path, ["x"])
    with pytest.raises(FileError, match="empty note"):
        add_note(file, " \n")
    with pytest.raises(FileError, match="has no tag 'bad'; it has good"):
        add_tags(file, ["good"])
        remove_tags(file, ["bad"])


def test_a_note_that_cannot_be_written_leaves_the_old_ones(folder, file, monkeypatch):
    add_tags(file, ["good"])
    before = notes_path(file).read_bytes()

    def refuse(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", refuse)
    with pytest.raises(FileError, match="cannot be written \\(No space left"):
        add_note(file, "x")
    assert notes_path(file).read_bytes() == before
    assert len(list(folder.path.iterdir())) == 2


def test_two_programs_that_tag_at_once_lose_nothing(file):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda k: add_tags(file, [f"tag {k:02}"]), range(40)))
    assert len(read_notes(file).tags) == 40


def test_a_note_knows_when(file):
    (note,) = add_note(file, "x").notes
    assert note == Note(note.date, "x")
