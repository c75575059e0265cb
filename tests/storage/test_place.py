"""The file of a run moved, deleted, replaced, cut or written over while the run goes on."""

import errno
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest

from stmlab.errors import FileError
from stmlab.events import Analysed, PointsDisturbed, PointTaken, RunFinished, RunState, StateChanged
from stmlab.storage import Writer, open_run
from stmlab.storage.place import Place


@pytest.fixture(params=["slow", "fast", "arrays"])
def writing(request, tmp_path, make_started, make_points):
    """A writer in a folder of its own after three acknowledged points, and the points to come."""
    sweep = 7 if request.param == "arrays" else 0
    started = make_started(sweep=sweep, point_seconds=1e-5 if request.param == "fast" else 1.0)
    points = make_points(started)
    (folder := tmp_path / "folder").mkdir()
    writer = Writer(folder / "run.h5")
    for event in (started, *points[:3]):
        writer(event)
    writer.flush()
    return writer, points[3:]


def ended(writer, point):
    """What the writer says when the next point comes; it takes nothing any more afterwards."""
    with pytest.raises(FileError) as failure:
        writer(point)
        writer.flush()
    text = str(failure.value)
    assert "\n" not in text
    assert text.startswith(f"{writer.path}: ")
    with pytest.raises(FileError, match="is closed"):
        writer(StateChanged(RunState.PAUSED, 1.0))
    return text


def check(path, points):
    run = open_run(path)
    assert run.index.tolist() == list(range(points))
    np.testing.assert_array_equal(run.data["x"].reshape(points, -1)[:, 0], -np.arange(points))


def test_a_file_that_was_moved_holds_every_point(writing, tmp_path):
    writer, points = writing
    os.rename(writer.path, elsewhere := tmp_path / "elsewhere.h5")
    text = ended(writer, points[0])
    assert text.endswith(
        f"was moved away while the run was written; the 4 points acknowledged before are in {elsewhere}"
    )
    check(elsewhere, 4)


def test_a_folder_that_was_renamed_is_a_file_that_was_moved(writing, tmp_path):
    writer, points = writing
    os.rename(writer.path.parent, tmp_path / "renamed")
    assert ended(writer, points[0]).endswith(f"are in {tmp_path / 'renamed' / 'run.h5'}")
    check(tmp_path / "renamed" / "run.h5", 4)


def test_a_file_that_was_deleted_is_saved_beside_its_place(writing):
    writer, points = writing
    writer.path.unlink()
    rescued = writer.path.parent / "rescued_1_run.h5"
    text = ended(writer, points[0])
    assert text.endswith(f"was deleted while the run was written; the 4 points acknowledged before are in {rescued}")
    check(rescued, 4)
    assert [item.name for item in writer.path.parent.iterdir()] == [rescued.name]


def test_a_file_deleted_with_its_folder_is_saved_where_temporary_files_are(writing, tmp_path, monkeypatch):
    writer, points = writing
    (temporary := tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    shutil.rmtree(writer.path.parent)
    assert ended(writer, points[0]).endswith(f"are in {temporary / 'rescued_1_run.h5'}")
    check(temporary / "rescued_1_run.h5", 4)


def test_a_copy_that_breaks_off_is_removed_and_the_next_one_is_whole(tmp_path, monkeypatch):
    (folder := tmp_path / "full").mkdir()
    (temporary := tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    content = bytes(range(256)) * 40
    (folder / "run.h5").write_bytes(content)
    place, copy = Place(folder / "run.h5"), shutil.copyfileobj

    def disk_full(source, target):
        if folder in Path(target.name).parents:
            target.write(source.read(1000))
            raise OSError(errno.ENOSPC, "no space left")
        copy(source, target)

    monkeypatch.setattr(shutil, "copyfileobj", disk_full)
    (folder / "run.h5").unlink()
    assert place.keep() == temporary / "rescued_1_run.h5"
    place.close()
    assert (temporary / "rescued_1_run.h5").read_bytes() == content
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("kept", [True, False])
def test_another_file_in_its_place_is_left_alone(writing, tmp_path, kept):
    writer, points = writing
    if kept:
        os.rename(writer.path, where := writer.path.parent / "old.h5")
    else:
        where = writer.path.parent / "rescued_1_run.h5"
    (other := tmp_path / "other").write_bytes(b"another's work")
    os.replace(other, writer.path)
    assert ended(writer, points[0]).endswith(
        f"was replaced by another file while the run was written; the 4 points acknowledged before are in {where}"
    )
    assert writer.path.read_bytes() == b"another's work"
    check(where, 4)


def test_a_file_that_was_cut_ends_the_run(writing):
    writer, points = writing
    before = writer.path.stat().st_size
    os.truncate(writer.path, 3000)
    text = ended(writer, points[0])
    assert f"was cut from {before} to 3000 bytes by another program" in text
    assert text.endswith("what is left of the 3 points acknowledged before is in it")


def test_a_file_that_was_written_over_ends_the_run(writing, tmp_path):
    writer, points = writing
    (other := tmp_path / "other").write_bytes(b"another's work" * 100_000)
    shutil.copyfile(other, writer.path)  # the same file with other bytes
    assert "was written over by another program" in ended(writer, points[0])


def test_what_happens_between_the_points_is_noticed_by_every_other_event(writing, tmp_path, make_fit):
    writer, _ = writing
    for event in (
        StateChanged(RunState.PAUSED, 1.0),
        Analysed(make_fit()),
        PointsDisturbed((1,), 1.0, "the tip jumped"),
        RunFinished(RunState.FINISHED, "completed", "", 3, 1.0),
    ):
        copy = tmp_path / f"{type(event).__name__}.h5"
        again = Writer(copy)
        for earlier in open_run(writer.path).replay():
            again(earlier)
        copy.unlink()
        with pytest.raises(FileError, match="was deleted while the run was written; the 3 points"):
            again(event)
        check(tmp_path / f"rescued_1_{copy.name}", 3)


@pytest.mark.parametrize(("points", "more"), [(5, {}), (12, {"run_id": "another"}), (None, {})])
def test_a_file_that_changes_after_the_last_look_is_found(
    tmp_path, make_started, make_points, monkeypatch, points, more
):
    other = Writer(tmp_path / "other.h5")
    for event in (described := make_started(**more), *make_points(described, points)):
        other(event)
    other(RunFinished(RunState.FINISHED, "completed", "", 12, 1.0))
    writer = Writer(tmp_path / "run.h5")
    for event in (started := make_started(), *make_points(started)):
        writer(event)
    close = writer._file.close

    def close_and_change():
        close()
        image = b"" if points is None else other.path.read_bytes()
        writer.path.write_bytes(image)

    monkeypatch.setattr(writer._file, "close", close_and_change)
    with pytest.raises(FileError, match=r"is not the file that was written|an empty file"):
        writer(RunFinished(RunState.FINISHED, "completed", "", 12, 1.0))


def test_a_run_that_changes_its_folder_keeps_its_file(tmp_path, monkeypatch, make_started, make_points):
    monkeypatch.chdir(tmp_path)
    writer = Writer("run.h5")
    writer(started := make_started())
    monkeypatch.chdir("/")
    for point in make_points(started):
        writer(point)
    writer(RunFinished(RunState.FINISHED, "completed", "", 12, 1.0))
    assert open_run(tmp_path / "run.h5").complete


def test_a_point_that_does_not_fit_is_no_reason_to_lose_a_deleted_file(writing):
    writer, _ = writing
    writer.path.unlink()
    assert "the 3 points acknowledged before are in" in ended(writer, PointTaken(3, 0.0, (0.0,), (0.0,)))
    check(writer.path.parent / "rescued_1_run.h5", 3)
