"""What is made with low-level calls is, to the last byte, what h5py makes with its own."""

import h5py
import numpy as np
import pytest

from stmlab.storage.hdf5 import LIBVER, TEXT
from stmlab.storage.objects import describe, make_data, make_group, make_room


def early(*, early):
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY if early else h5py.h5d.ALLOC_TIME_INCR)
    return properties


def attributes(file, **values):
    file.attrs.update(values)


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
        lambda file: [make_group(file, name) for name in ("zebra", "ant")],
        lambda file: [file.create_group(name, track_order=True) for name in ("zebra", "ant")],
    ),
    **{
        name: (
            lambda file, data=data: make_data(file, "it", data),
            lambda file, data=data: file.create_dataset("it", data=data),
        )
        for name, data in DATA.items()
    },
    "scalar to come": (
        lambda file: make_room(file, "it", "<f8", ()),
        lambda file: file.create_dataset("it", shape=(), dtype="<f8"),
    ),
    "cell to come": (
        lambda file: make_room(file, "it", "<f8", (), fill=np.nan),
        lambda file: file.create_dataset("it", shape=(), dtype="<f8", fillvalue=np.nan),
    ),
    **{
        f"cells, early {when}": (
            lambda file, when=when: make_room(file, "it", "<f8", (8, 4), chunks=(4, 4), fill=np.nan, early=when),
            lambda file, when=when: file.create_dataset(
                "it", shape=(8, 4), dtype="<f8", chunks=(4, 4), fillvalue=np.nan, dcpl=early(early=when)
            ),
        )
        for when in (True, False)
    },
    "rows of text": (
        lambda file: make_room(file, "it", TEXT, (0,), most=(None,), chunks=(32,), early=True),
        lambda file: file.create_dataset(
            "it", shape=(0,), dtype=TEXT, maxshape=(None,), chunks=(32,), dcpl=early(early=True)
        ),
    ),
    "attributes": (
        lambda file: describe(file, units="µV", number=3, names=["a", "bc"], numbers=[0, 1]),
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
