"""A folder is listed as it is now, and what has not changed is not opened again."""

import os
import shutil
import sqlite3
from pathlib import Path
from random import Random

import h5py
import pytest

from stmlab.errors import FileError
from stmlab.events import RunState, StateChanged
from stmlab.storage import Writer, append_fit, open_run
from stmlab.storage.catalogue import add_tags, catalogue
from stmlab.storage.catalogue.looking import look_at_run


def test_a_run_is_listed_with_what_its_file_says(folder):
    run = open_run(folder.write("a.h5"))
    entry = folder.look()["a.h5"]
    found = entry.summary
    assert (found.state, entry.state, found.ended) == (run.state, "finished", True)
    assert (found.date, found.sequence, found.sample) == (run.date, run.sequence, run.sample)
    assert (found.station, found.run_id, found.points, found.planned) == (run.station, run.run_id, 12, 12)
    last = run.fits[-1]
    assert [(v.name, v.value, v.error, v.unit) for v in found.fitted[: len(last.parameters)]] == [
        (p.name, p.value, p.error, p.unit) for p in last.parameters
    ]
    assert len(found.fitted) == sum(len(fit.parameters) for fit in run.fits)
    assert found.value("rate") is found.value("rate_per_s") is found.fitted[0]
    assert entry.size == run.path.stat().st_size


def test_axes_that_an_instrument_sweeps_are_no_points(folder):
    folder.write("a.h5", rows=1, sweep=7)
    assert folder.look()["a.h5"].summary.planned == 4


def test_a_point_that_was_read_again_is_one_point(folder, make_started, make_points):
    started = make_started()
    points = make_points(started, 5)
    again = [points[2]._replace(visit=5, attempt=1), points[3]._replace(visit=6, attempt=1)]
    run = open_run(folder.write("a.h5", [started, *points, *again]))
    assert folder.look()["a.h5"].summary.points == run.points == 5


def test_a_look_loads_no_readings(folder, monkeypatch):
    path = folder.write("a.h5")
    opened = []
    read = h5py.Dataset.__getitem__
    monkeypatch.setattr(h5py.Dataset, "__getitem__", lambda self, *a: opened.append(self.name) or read(self, *a))
    assert look_at_run(path).points == 12
    assert opened
    assert not [name for name in opened if name.startswith("/entry/data/") or name.endswith(("checksum", "index"))]


def test_what_has_not_changed_is_not_opened_again(folder):
    folder.write("a.h5")
    folder.write("deep/er/b.h5")
    first = folder.look()
    assert sorted(folder.read) == ["a.h5", "b.h5"]
    assert folder.look() == first
    assert folder.read == []


def test_new_changed_moved_and_removed_files_are_noticed(folder, make_fit):
    a, b = folder.write("a.h5"), folder.write("b.h5")
    folder.write("c.h5")
    folder.look()
    folder.write("new.h5", sample="other")
    append_fit(a, make_fit(2.5e9))
    shutil.move(b, folder.path / "moved.h5")
    (folder.path / "c.h5").unlink()
    found = folder.look()
    assert sorted(found) == ["a.h5", "moved.h5", "new.h5"]
    assert found["a.h5"].summary.value("rate").value == 2.5e9
    assert found["new.h5"].summary.sample == "other"
    with sqlite3.connect(folder.index) as rows:
        assert rows.execute("SELECT count(*) FROM files").fetchone() == (3,)
    rows.close()


def test_a_folder_that_was_moved_is_not_read_again(folder):
    folder.write("monday/a.h5")
    before = folder.look()["monday/a.h5"]
    (folder.path / "monday").rename(folder.path / "tuesday")
    assert folder.look()["tuesday/a.h5"].summary == before.summary
    assert folder.read == []


def test_a_file_of_the_same_size_and_time_is_read_again(folder):
    path = folder.write("a.h5")
    other = folder.write("b.h5", sample="ti_atom")  # as long a name as fe_atom
    folder.look()
    before = path.stat()
    assert other.stat().st_size == before.st_size
    path.write_bytes(other.read_bytes())
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert folder.look()["a.h5"].summary.sample == "ti_atom"


def test_a_young_file_is_not_trusted(folder, monkeypatch):
    from stmlab.storage.catalogue import scan

    monkeypatch.setattr(scan, "_SETTLED", 10**15)
    folder.write("a.h5")
    folder.look()
    folder.look()
    assert folder.read == ["a.h5"]


def test_damaged_and_foreign_files_are_listed_with_the_reason(folder):
    image = folder.write("whole.h5").read_bytes()
    (folder.path / "cut.h5").write_bytes(image[:5000])
    (folder.path / "empty.h5").write_bytes(b"")
    (folder.path / "words.h5").write_text("not HDF5")
    (folder.path / "picture.png").write_bytes(b"\x89PNG")
    with h5py.File(folder.path / "foreign.nxs", "w") as file:
        file["x"] = 1
    with h5py.File(folder.path / "newer.h5", "w") as file:
        file.attrs.update(format="stmlab run", format_version=99)
    found = folder.look()
    said = {name: entry.summary.message for name, entry in found.items() if entry.state == "unreadable"}
    assert said.keys() == {"cut.h5", "empty.h5", "words.h5", "foreign.nxs", "newer.h5"}
    assert "its end is missing" in said["cut.h5"]
    assert said["empty.h5"] == "an empty file"
    assert said["words.h5"].startswith("not an HDF5 file")
    assert said["foreign.nxs"] == "an HDF5 file, but not a run of stmlab"
    assert said["newer.h5"].startswith("format 99 of a newer stmlab")
    assert catalogue(folder.path, index=folder.index).others == 1
    folder.look()
    assert folder.read == []  # nor is a damaged one opened again


def test_damaged_bytes_are_never_a_traceback(folder):
    image, path = folder.write("a.h5").read_bytes(), folder.path / "damaged.h5"
    random = Random(7)
    states = set()
    for _ in range(150):
        damaged = bytearray(image)
        for _ in range(20):
            damaged[random.randrange(len(image))] ^= random.randrange(1, 256)
        path.write_bytes(damaged)
        states.add(look_at_run(path).state)
    assert "unreadable" in states


def test_a_run_that_is_being_written_a_killed_one_and_a_stopped_one(folder, make_started, make_points):
    started = make_started()
    events = [started, StateChanged(RunState.RUNNING, 0.1), *make_points(started, 5)]
    writer = Writer(folder.path / "live.h5")
    for event in events:
        writer(event)
    shutil.copy(folder.path / "live.h5", folder.path / "killed.h5")
    found = folder.look()
    assert {name: entry.state for name, entry in found.items()} == {"live.h5": "running", "killed.h5": "killed"}
    assert {(entry.summary.points, entry.summary.planned) for entry in found.values()} == {(5, 12)}
    writer.close()
    (folder.path / "killed.h5").rename(folder.path / "live.h5")
    assert folder.look()["live.h5"].state == "killed"


def test_a_killed_run_of_known_stamp_is_asked_for_its_writer_each_time(folder, make_started, make_points):
    writer = Writer(folder.path / "a.h5")
    for event in [started := make_started(), *make_points(started, 2)]:
        writer(event)
    assert folder.look()["a.h5"].state == "preparing"
    shutil.copyfile(folder.path / "a.h5", folder.path / "b.h5")
    writer.close()
    assert folder.look()["b.h5"].state == "killed"
    folder.look()
    assert folder.read == []


@pytest.mark.parametrize("name", ["format_1.h5", "format_2.h5", "format_2_arrays.h5"])
def test_files_of_older_formats_are_listed(folder, name):
    old = Path(__file__).parents[1] / "files" / name
    shutil.copy(old, folder.path / "old.h5")
    run, found = open_run(old), folder.look()["old.h5"].summary
    assert (found.date, found.sequence, found.sample, found.station) == (
        run.date,
        run.sequence,
        run.sample,
        run.station,
    )
    assert (found.points, found.run_id, found.state) == (run.points, run.run_id, run.state)
    assert [v.value for v in found.fitted] == [p.value for fit in reversed(run.fits) for p in fit.parameters]


def test_recordings_are_listed_when_they_are_asked_for(folder):
    folder.write("a.h5")
    (folder.path / "b.dat").write_text(
        "Experiment\tbias spectroscopy\t\nSaved Date\t07.11.2026 13:03:19\t\n\n[DATA]\nBias calc (V)\tCurrent (A)\n"
        "0\t1e-12\n1\t2e-12\n"
    )
    (folder.path / "c.txt").write_text("")
    assert sorted(folder.look()) == ["a.h5"]
    found = folder.look(recorded=True)
    assert folder.read[:1] == ["b.dat"]
    entry = found["b.dat"]
    assert (entry.state, entry.summary.sequence, entry.summary.points) == ("recorded", "nanonis", 2)
    assert entry.summary.date == "2026-11-07T13:03:19"
    assert folder.look(recorded=True) == found
    assert folder.read == []
    assert sorted(folder.look()) == ["a.h5"]


def test_hidden_files_and_links_to_folders_are_left_out(folder):
    folder.write(".hidden/a.h5")
    folder.write("b.h5")
    (folder.path / "round").symlink_to(folder.path, target_is_directory=True)
    (folder.path / "gone.h5").symlink_to(folder.path / "nowhere")
    assert sorted(folder.look()) == ["b.h5"]


def test_a_name_that_is_no_text_is_listed(folder):
    folder.write("a.h5")
    os.rename(folder.path / "a.h5", os.fsencode(folder.path) + b"/\xff\n.h5")
    (name,) = folder.look()
    assert os.fsencode(name) == b"\xff\n.h5"
    folder.look()
    assert folder.read == []


@pytest.mark.parametrize("wrong", ["nowhere", "a.h5"])
def test_what_is_no_folder_is_refused(folder, wrong):
    folder.write("a.h5")
    with pytest.raises(FileError, match=r"no such folder|not a folder"):
        catalogue(folder.path / wrong, index=folder.index)


# -- the index -------------------------------------------------------------------------------------------------------


def broken_header(path):
    path.write_bytes(b"nonsense" * 1000)


def broken_page(path):
    image = bytearray(path.read_bytes())
    image[4096:8192] = b"\xa5" * 4096
    path.write_bytes(image)


def without_a_table(path):
    with sqlite3.connect(path) as rows:
        rows.execute("DROP TABLE files")
    rows.close()


def of_another_version(path):
    with sqlite3.connect(path) as rows:
        rows.execute("PRAGMA user_version = 77")
    rows.close()


def with_nonsense_in_its_rows(path):
    with sqlite3.connect(path) as rows:
        rows.execute("UPDATE files SET run = '[1, 2'")
    rows.close()


@pytest.mark.parametrize(
    "spoil", [broken_header, broken_page, without_a_table, of_another_version, with_nonsense_in_its_rows]
)
def test_a_broken_index_is_made_anew(folder, spoil):
    folder.write("a.h5")
    first = folder.look()
    spoil(folder.index)
    assert folder.look() == first
    assert folder.read == ["a.h5"]
    assert folder.troubles() == ()
    folder.look()
    assert folder.read == []


def test_an_index_that_cannot_be_kept_is_said_and_done_without(folder):
    folder.write("a.h5")
    folder.index.mkdir(parents=True)
    assert list(folder.look()) == ["a.h5"]
    assert "cannot be kept" in folder.troubles()[0]


def test_an_index_that_another_program_holds_is_not_thrown_away(folder, monkeypatch):
    from stmlab.storage.catalogue import index

    monkeypatch.setattr(index, "_WAIT", 0.01)
    folder.write("a.h5")
    first = folder.look()
    kept = folder.index.stat().st_ino
    holder = sqlite3.connect(folder.index)
    holder.execute("BEGIN EXCLUSIVE")
    assert folder.look() == first
    assert folder.index.stat().st_ino == kept
    assert "locked" in folder.troubles()[0]
    holder.rollback()
    holder.close()
    folder.look()
    assert folder.read == []


@pytest.mark.slow
def test_ten_thousand_files_are_listed_without_opening_one_again(folder):
    image = folder.write("0.h5").read_bytes()
    for k in range(1, 50):
        (folder.path / f"{k}.h5").write_bytes(image)
    for k in range(50, 10_000):  # the same file under many names costs a name only
        os.link(folder.path / f"{k % 50}.h5", folder.path / f"{k}.h5")
    assert len(folder.look()) == 10_000
    assert len(folder.read) <= 10_000
    folder.write("new.h5")
    (folder.path / "7.h5").unlink()
    found = folder.look()
    assert len(found) == 10_000
    assert set(folder.read) <= {"new.h5", *(f"{k}.h5" for k in range(7, 10_000, 50))}  # a link less is a change
    add_tags(folder.path / "77.h5", ["good"])
    assert [name for name, entry in folder.look().items() if entry.added.tags] == ["77.h5"]
    assert folder.read == []
