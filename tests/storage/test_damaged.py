"""Files that were cut short: a refusal in one line, or all that was acknowledged; never an endless reading."""

import json
import struct
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stmlab.errors import FileError
from stmlab.storage import Writer, append_fit, heaps, open_run, recover
from stmlab.storage.cells import Cells
from stmlab.storage.heaps import are_sound
from stmlab.storage.recovery import difference
from stmlab.storage.superblock import SIZE, AsIfClosed, closed, is_cut, is_unclosed, lookup3
from tests.forked import answer
from tests.repetitions import drawn
from tests.storage.other_process import copy_changed, read_cut


@pytest.fixture
def closed_run(tmp_path, whole_run):
    writer = Writer(path := tmp_path / "run.h5")
    for event in whole_run():
        writer(event)
    return path


@pytest.fixture
def killed_run(tmp_path, whole_run):
    """As a killed writer leaves it: 5 points acknowledged, never closed."""
    writer = Writer(tmp_path / "writing.h5")
    for event in whole_run()[:8]:
        writer(event)
    (path := tmp_path / "killed.h5").write_bytes((tmp_path / "writing.h5").read_bytes())
    writer.close()
    return path


@pytest.mark.parametrize("run", ["closed_run", "killed_run"])
def test_a_file_cut_anywhere_is_refused_in_one_line_and_at_once(request, tmp_path, run):
    """In a process of its own: HDF5 cannot be interrupted, and it used to read such files for ever."""
    path = request.getfixturevalue(run)
    said = json.loads(answer(read_cut, path, tmp_path / "cut.h5"))
    assert all(isinstance(words, str) and "\n" not in words for words in said)
    assert {words.partition(": ")[2].partition(",")[0] for words in said[60:]} == {"its end is missing"}


def test_a_closed_file_whose_last_bytes_hold_nothing_needed_is_read(tmp_path, closed_run):
    image = closed_run.read_bytes()
    (longer := tmp_path / "longer.h5").write_bytes(stretched(image, 4096))
    assert is_cut(longer.read_bytes(), len(image))
    assert open_run(longer).points == open_run(closed_run).points


def stretched(image, by):
    """The same file, which says that it goes on for ``by`` more bytes: what a full disk leaves."""
    head = image[:28] + struct.pack("<Q", len(image) + by) + image[36:44]
    return head + struct.pack("<I", lookup3(head)) + image[SIZE:]


def test_a_fit_is_not_added_to_a_file_that_was_cut_and_nothing_is_written(tmp_path, closed_run, make_fit):
    image = closed_run.read_bytes()
    for name, cut in (("short.h5", image[:20000]), ("longer.h5", stretched(image, 64)), ("empty.h5", b"")):
        (path := tmp_path / name).write_bytes(cut)
        with pytest.raises(FileError, match=r"end is missing|its disk was full|an empty file"):
            append_fit(path, make_fit())
        assert path.read_bytes() == cut


def test_a_killed_run_is_read_and_recovered_without_a_writer(tmp_path, killed_run):
    run = open_run(killed_run)
    assert (run.points, run.live, run.reason) == (5, False, "killed")
    recover(killed_run, tmp_path / "copy.h5")
    np.testing.assert_array_equal(open_run(tmp_path / "copy.h5").data["x"], run.data["x"])


def test_the_checksum_is_the_one_of_its_author_and_of_hdf5(closed_run):
    assert lookup3(b"Four score and seven years ago") == 0x17770551  # lookup3.c, driver5
    assert lookup3(b"") == 0xDEADBEEF
    image = closed_run.read_bytes()
    assert lookup3(image[:44]) == struct.unpack_from("<I", image, 44)[0]


def test_a_killed_run_is_read_as_if_closed_with_another_head_only(closed_run, killed_run):
    for path in (closed_run, killed_run):
        image = path.read_bytes()
        head = closed(image[:SIZE], len(image))
        assert is_unclosed(image) == (path == killed_run) == (head != image[:SIZE])
        assert not is_unclosed(head)
        with AsIfClosed(path) as file:
            assert file.read(7) + file.read() == head + image[SIZE:]
        assert path.read_bytes() == image


@given(st.binary(max_size=100))
def test_what_is_no_superblock_is_left_to_hdf5(start):
    assert not is_unclosed(start)
    assert not is_cut(start, 0)


def test_a_damaged_column_is_refused(tmp_path, closed_run):
    image = bytearray(closed_run.read_bytes())
    place = image.index(b"OHDR", image.index(b"OHDR") + 1)  # the header of the first object behind the root
    image[place + 8] ^= 0xFF
    (path := Path(tmp_path / "damaged.h5")).write_bytes(image)
    with pytest.raises(FileError, match="damaged, or not written by stmlab"):
        open_run(path)


@pytest.mark.parametrize("run", ["closed_run", "killed_run"])
@drawn(12, of=40)
def test_a_changed_bit_gives_the_same_readings_or_a_refusal_and_no_copy(request, tmp_path, run, times):
    path = request.getfixturevalue(run)
    (folder := tmp_path / "copies").mkdir()
    said = json.loads(answer(copy_changed, path, tmp_path / "changed.h5", folder / "copy.h5", times))
    expected = open_run(path).data["x"].tolist()
    assert all(words == expected for verdict, words in said if verdict == "copied")
    assert all("\n" not in words for verdict, words in said if verdict == "refused")
    assert {verdict for verdict, _ in said} == {"copied", "refused"}


def test_a_copy_that_does_not_come_out_the_same_is_removed(tmp_path, killed_run, monkeypatch):
    put = Cells.write
    monkeypatch.setattr(Cells, "write", lambda cells, first, numbers, arrays: put(cells, first, numbers + 0.5, arrays))
    image = killed_run.read_bytes()
    with pytest.raises(FileError, match="damaged: reading number 0"):
        recover(killed_run, tmp_path / "new" / "copy.h5")
    assert not (tmp_path / "new").exists()
    assert killed_run.read_bytes() == image


def test_a_column_that_is_not_the_same_in_the_copy_is_named(closed_run):
    run = open_run(closed_run)
    visits, x = run.visits, run.visits.data["x"].copy()
    x[7] = np.nextafter(x[7], 1.0)
    for changed, name in (
        ({"time": -visits.time}, "time"),
        ({"data": {**visits.data, "x": x}}, "channel x"),
        ({"data": {"current": visits.data["current"]}}, "channel x"),
        ({}, None),
    ):
        assert difference(run, replace(run, visits=replace(visits, **changed))) == name


def test_a_copy_that_lacks_a_fit_is_removed(tmp_path, closed_run, make_fit, monkeypatch):
    append_fit(closed_run, make_fit(1.5e9))
    monkeypatch.setattr("stmlab.storage.recovery.append_fit", lambda path, fit: None)
    with pytest.raises(FileError, match="a fit did not come out the same"):
        recover(closed_run, tmp_path / "new" / "copy.h5")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", ["data/frequency", "parameters/dc_bias", "factors/gain"])
def test_a_changed_number_of_the_description_is_found(tmp_path, closed_run, name):
    with h5py.File(closed_run, "r+") as file:
        file["entry"][name][...] = file["entry"][name][()] * 1.5
    with pytest.raises(FileError, match="damaged: its axes, parameters or configuration are not what was written"):
        open_run(closed_run)


@pytest.mark.parametrize("name", ["axis_label", "channel_meaning"])
def test_a_description_that_lacks_a_word_is_refused(closed_run, name):
    with h5py.File(closed_run, "r+") as file:
        words = file["entry/plan"][name][:-1]
        del file["entry/plan"][name]
        file["entry/plan"][name] = words
    with pytest.raises(FileError, match=r"damaged, or not written by stmlab .* is shorter than"):
        open_run(closed_run)


def test_a_changed_configuration_or_snapshot_is_found(tmp_path, closed_run):
    image = closed_run.read_bytes()
    for words in (b"name = 'simulated'", b'"reference": "internal"'):
        assert image.count(words) == 1
        (path := tmp_path / "changed.h5").write_bytes(image.replace(words, words.upper()))
        with pytest.raises(FileError, match="damaged"):
            open_run(path)


@pytest.fixture
def heap_image(closed_run):
    """The bytes of a run without what makes them an HDF5 file, and where its last heap begins."""
    image = bytearray(closed_run.read_bytes())
    image[:8] = bytes(8)
    return image, image.rindex(b"GCOL\1\0\0\0")


def test_the_sizes_of_a_heap_s_objects_must_end_where_it_does(heap_image):
    image, heap = heap_image
    assert are_sound(image)
    end, place, objects = heap + 4096, heap + 16, 0
    while place < end - 16 and any(image[place : place + 2]):  # each object: index, references, size
        size = struct.unpack_from("<Q", image, place + 8)[0]
        for wrong in (size + 4096, 1 << 63):
            damaged = bytearray(image)
            struct.pack_into("<Q", damaged, place + 8, wrong)
            assert not are_sound(damaged)
        place += 16 + -(-size // 8) * 8
        objects += 1
    assert objects > 5
    assert place < end - 16
    image[place + 8] ^= 8  # the free space does not end with the heap
    assert not are_sound(image)


def test_a_text_is_not_longer_by_far_than_its_object(heap_image):
    image, heap = heap_image
    place = image.index(heap.to_bytes(8, "little") + (1).to_bytes(4, "little"))
    image[place - 1] = 0xA0  # the highest byte of a length
    assert not are_sound(image)


def test_a_run_whose_texts_are_damaged_is_refused_before_hdf5_opens_it(closed_run, monkeypatch):
    monkeypatch.setattr(heaps, "are_sound", lambda image: False)
    monkeypatch.setattr("h5py.File", lambda *_, **__: pytest.fail("HDF5 was asked"))
    with pytest.raises(FileError, match="damaged: its texts are not what was written"):
        open_run(closed_run)


@given(st.binary(max_size=60))
def test_what_holds_no_heap_or_a_piece_of_one_is_left_to_hdf5(rest):
    assert are_sound(rest)
    assert are_sound(b"GCOL\x01\0\0\0" + b"\0\x10\0\0\0\0\0\0" + b"\1\0\0\0\0\0\0\0")


def test_a_file_read_as_if_it_was_closed_is_let_go(killed_run):
    file = AsIfClosed(killed_run)
    assert file.readable()
    assert file.seekable()
    file.close()
    assert file.closed
    assert file._file.closed
