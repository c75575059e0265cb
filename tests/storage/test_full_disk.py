"""A disk that is full, now or later: nothing that was acknowledged is lost, and nothing is left behind."""

import numpy as np
import pytest

from stmlab.errors import FileError
from stmlab.storage import Writer, open_run, recover
from tests.forked import answer
from tests.storage.other_process import copy_to_a_full_disk, run_on_a_full_disk


@pytest.mark.parametrize("size", [0, 1, 3000, 40_000, 100_000])
def test_a_disk_that_is_full_from_the_start_leaves_nothing(tmp_path, size):
    committed, message = answer(run_on_a_full_disk, tmp_path / "new" / "run.h5", size, 1000, 1.0).splitlines()
    assert committed == "0"
    assert message.endswith("run.h5: cannot be made (File too large)")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("size", "sweep", "seconds", "least"), [(4_000_000, 1000, 1.0, 131), (4_500_000, 0, 1e-5, 4096)]
)
def test_a_full_disk_ends_the_run_and_keeps_what_was_acknowledged(tmp_path, size, sweep, seconds, least):
    committed, message = answer(run_on_a_full_disk, path := tmp_path / "run.h5", size, sweep, seconds).splitlines()
    assert int(committed) > least  # more than one chunk
    assert "cannot be written any more (File too large)" in message
    run = open_run(path)
    assert run.points == int(committed)
    np.testing.assert_array_equal(run.data["y"].reshape(run.points, -1)[:, -1], np.arange(run.points))
    recover(path, tmp_path / "copy.h5")


def test_a_run_that_the_disk_has_no_room_for_is_refused(tmp_path, make_started, monkeypatch):
    from shutil import _ntuple_diskusage

    started = make_started(rows=100, columns=100)
    free = 500_000
    monkeypatch.setattr("shutil.disk_usage", lambda folder: _ntuple_diskusage(10**9, 10**9, free))
    with pytest.raises(FileError, match=r"the run takes 0\.72 MB, 0\.5 MB are free on this disk"):
        Writer(tmp_path / "new" / "run.h5")(started)
    assert not list(tmp_path.iterdir())
    free = 720_000  # as much as it takes
    writer = Writer(tmp_path / "run.h5")
    writer(started)
    writer.close()


@pytest.mark.parametrize("size", [0, 3000, 20_000])
def test_a_copy_for_which_there_is_no_room_leaves_nothing(tmp_path, whole_run, size):
    writer = Writer(path := tmp_path / "run.h5")
    for event in whole_run()[:9]:
        writer(event)
    writer.close()
    image = path.read_bytes()
    said = answer(copy_to_a_full_disk, path, tmp_path / "new" / "copy.h5", size)
    assert said.lower().endswith("copy.h5: cannot be made (file too large)\n")
    assert [item.name for item in tmp_path.iterdir()] == ["run.h5"]
    assert path.read_bytes() == image
