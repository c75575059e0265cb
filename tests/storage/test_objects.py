"""What is made and read with low-level calls is, to the last byte, what h5py makes and reads with its own."""

import h5py
import numpy as np
import pytest

from stmlab.storage.hdf5 import LIBVER, TEXT, add_texts
from stmlab.storage.objects import describe, make_data, make_group, make_room
from stmlab.storage.values import attribute, block_of, dataset_at, holds, members, rows_of, value_at


def early(*, early):
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY if early else h5py.h5d.ALLOC_TIME_INCR)
    return properties


def attributes(file, **values):
    file.attrs.update(values)


def root(file):
    return file["/"].id


DATA = {
    "number": 1.5,
    "whole number": 7,
    "switch": True,
    "text": "µeV, as said",
    "no text": "",
    "numbers": np.linspace(0, 1, 5),
    "no numbers": np.zeros(0),
    "table": np.arange(6).reshape(2, 3),
    "turned": np.arange(6.0).reshape(2, 3).T,
    "texts": np.array([b"a", b"bc"], dtype=h5py.string_dtype("utf-8", 2)),
}
PAIRS = {
    "group": (
        lambda file: [make_group(root(file), name) for name in ("zebra", "ant")],
        lambda file: [file.create_group(name, track_order=True) for name in ("zebra", "ant")],
    ),
    **{
        name: (
            lambda file, data=data: make_data(root(file), "it", data),
            lambda file, data=data: file.create_dataset("it", data=data),
        )
        for name, data in DATA.items()
    },
    "scalar to come": (
        lambda file: make_room(root(file), "it", "<f8", ()),
        lambda file: file.create_dataset("it", shape=(), dtype="<f8"),
    ),
    "cell to come": (
        lambda file: make_room(root(file), "it", "<f8", (), fill=np.nan),
        lambda file: file.create_dataset("it", shape=(), dtype="<f8", fillvalue=np.nan),
    ),
    **{
        f"cells, early {when}": (
            lambda file, when=when: make_room(root(file), "it", "<f8", (8, 4), chunks=(4, 4), fill=np.nan, early=when),
            lambda file, when=when: file.create_dataset(
                "it", shape=(8, 4), dtype="<f8", chunks=(4, 4), fillvalue=np.nan, dcpl=early(early=when)
            ),
        )
        for when in (True, False)
    },
    "rows of text": (
        lambda file: make_room(root(file), "it", TEXT, (0,), most=(None,), chunks=(32,), early=True),
        lambda file: file.create_dataset(
            "it", shape=(0,), dtype=TEXT, maxshape=(None,), chunks=(32,), dcpl=early(early=True)
        ),
    ),
    **{
        f"texts of {length}": (
            lambda file, texts=texts: add_texts(root(file), "it", texts),
            lambda file, texts=texts, length=length: file.create_dataset(
                "it", data=np.array([text.encode() for text in texts], dtype=h5py.string_dtype("utf-8", length))
            ),
        )
        for texts, length in ((["a", "µV", ""], 3), (["", ""], 1))
    },
    "attributes": (
        lambda file: describe(root(file), units="µV", number=3, names=["a", "bc"], numbers=[0, 1]),
        lambda file: attributes(file, units="µV", number=3, names=["a", "bc"], numbers=[0, 1]),
    ),
}


def image(make):
    with h5py.File("in memory", "w", libver=LIBVER, driver="core", backing_store=False) as file:
        make(file)
        file.flush()
        return file.id.get_file_image()


@pytest.mark.parametrize("what", PAIRS)
def test_it_is_what_h5py_makes_to_the_last_byte(what):
    ours, theirs = PAIRS[what]
    assert image(ours) == image(theirs)
    assert image(ours) != image(lambda file: None)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A file with all of ``DATA``, made by h5py, and with texts of other kinds."""
    with h5py.File(tmp_path_factory.mktemp("made") / "made.h5", "w", track_order=True) as file:
        for name, data in DATA.items():
            file.create_dataset(name, data=data)
        file["fixed text"] = np.array(b"abc", dtype=h5py.string_dtype("utf-8", 3))
        file["several texts"] = ["µV", "", "a"]
        attributes(file["number"], units="µV", none="", count=3, names=["a", "bc"])
        yield file


@pytest.mark.parametrize("name", [*DATA, "fixed text", "several texts"])
def test_it_is_what_h5py_reads(made, name):
    ours, theirs = value_at(made, name), made[name][()]
    assert type(ours) is type(theirs)
    assert np.array_equal(ours, theirs)
    assert np.asarray(ours).dtype == np.asarray(theirs).dtype


@pytest.mark.parametrize(("first", "stop"), [(0, 2), (1, 2), (0, 9), (1, 1), (2, 1), (5, 9)])
@pytest.mark.parametrize("name", ["numbers", "table", "texts", "several texts"])
def test_rows_are_what_h5py_slices(made, name, first, stop):
    ours, theirs = rows_of(dataset_at(made, name), first, stop), made[name][first:stop]
    assert ours.shape == theirs.shape
    assert np.array_equal(ours, theirs)


def test_a_block_is_read_from_its_corner(made):
    assert block_of(dataset_at(made, "table"), (1, 1), (1, 2)).tolist() == [[4, 5]]
    with pytest.raises((OSError, ValueError)):
        block_of(dataset_at(made, "table"), (1, 1), (2, 2))


def test_members_come_in_the_order_in_which_they_were_made(made):
    assert [(name, dataset.shape) for name, dataset in members(made)] == [(n, d.shape) for n, d in made.items()]


def test_attributes_are_texts(made):
    number = dataset_at(made, "number")
    assert (attribute(number, "units"), attribute(number, "none"), attribute(number, "no", "")) == ("µV", "", "")
    for name in ("count", "names", "no"):
        with pytest.raises((OSError, KeyError, ValueError)):
            attribute(number, name)


def test_what_is_not_there_is_said_to_be_missing(made):
    assert holds(made, "number")
    assert not holds(made, "nothing")
    for path in ("nothing", "/"):
        with pytest.raises(KeyError):
            dataset_at(made, path)
