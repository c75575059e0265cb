"""C-order ranges as hyperslabs, and where chunks end."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stmlab.axes import Axis
from stmlab.storage import Writer, shape
from stmlab.storage.shape import Shape

SHAPES = st.lists(st.integers(2, 7), max_size=4).map(tuple)


def shaped(outer, inner=(), cells=0):
    return Shape((), outer, inner, inner, math.prod(outer), cells)


@given(SHAPES, st.data())
def test_the_hyperslabs_of_a_range_are_its_points_in_their_order(outer, data):
    places = math.prod(outer)
    start = data.draw(st.integers(0, places - 1))
    stop = data.draw(st.integers(start + 1, places))
    numbers = np.arange(places).reshape(outer)
    found = []
    for corner, count in shaped(outer).pieces(start, stop):
        block = tuple(slice(first, first + length) for first, length in zip(corner, count, strict=True))
        found += numbers[block].ravel().tolist()
    assert found == list(range(start, stop))
    assert numbers[shaped(outer).corner(start)] == start


@given(SHAPES, st.lists(st.integers(2, 5), max_size=2).map(tuple), st.integers(1, 40), st.integers(1, 300))
def test_no_step_goes_from_one_chunk_into_the_next_and_chunks_hold_a_range(outer, inner, rows, cells):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shape, "_ROWS", rows)
        patch.setattr(shape, "_CHUNK_CELLS", cells)
        found = shaped(outer, inner)
        ends, places = [0], math.prod(outer)
        while ends[-1] < places:
            ends.append(found.end_of_chunk(ends[-1]))
        for chunk in (found.chunk(()), found.chunk(inner)[: len(outer)]):
            assert math.prod(chunk) <= rows
            numbers = np.indices(outer).reshape(len(outer), places).T // np.array(chunk, dtype=int).reshape(1, -1)
            chunks = [tuple(row) for row in numbers.tolist()]
            assert all(len(set(chunks[start:stop])) == 1 for start, stop in pairwise(ends))
            changes = 1 + sum(a != b for a, b in pairwise(chunks))
            assert changes == len(set(chunks))  # each chunk is one range of points
    assert math.prod(found.chunk(inner)) >= 1


def test_axes_of_length_one_are_no_dimensions_but_one_stays(make_started):
    one, many = Axis("a", "V", np.ones(1)), Axis("b", "V", np.arange(3.0))
    swept = Axis("h", "m", np.arange(4.0), hardware=True)
    for axes, expected in (
        ((one, many, swept), (("b", "h"), (3,), (4,))),
        ((many, Axis("h", "m", np.ones(1), hardware=True)), (("b",), (3,), ())),
        ((one,), (("a",), (1,), ())),
        ((swept,), (("h",), (), (4,))),
        ((), ((), (), ())),
    ):
        found = Shape.of(make_started(axes=axes))
        assert (found.axes, found.outer, found.inner) == expected


@pytest.mark.parametrize("sweep", [0, 3])
def test_a_large_run_takes_its_space_chunk_by_chunk_and_its_bytes_do_not_depend_on_batches(
    tmp_path, make_started, make_points, monkeypatch, sweep
):
    monkeypatch.setattr(shape, "_EARLY_CELLS", 0)
    monkeypatch.setattr(shape, "_ROWS", 40)
    started = make_started(rows=20, columns=15, sweep=sweep, point_seconds=0.0)
    files = []
    for every in (1, 7, 100):
        path = tmp_path / f"{every}.h5"
        writer = Writer(path, batch=True)
        writer(started)
        for k, point in enumerate(make_points(started, 200)):
            writer(point)
            if k % every == 0:
                writer.flush()
        writer.close()
        files.append(path.read_bytes())
    assert files[0] == files[1] == files[2]


@pytest.mark.parametrize("sweep", [0, 3])
def test_where_chunks_lie_does_not_depend_on_batches(tmp_path, make_started, make_points, monkeypatch, sweep):
    """The log and the table of repeats grow by many chunks."""
    monkeypatch.setattr("stmlab.storage.layout._ROWS", 16)
    started = make_started(rows=10, columns=15, sweep=sweep)
    points = make_points(started)
    again = [point._replace(attempt=1) for point in points[20:100]]
    files = []
    for every in (1, 7, 300):
        writer = Writer(path := tmp_path / f"{every}.h5", batch=True)
        writer(started)
        for k, point in enumerate([*points[:110], *again, *points[110:]]):
            writer(point._replace(visit=k))
            if k % every == 0:
                writer.flush()
        writer.close()
        files.append(path.read_bytes())
    assert files[0] == files[1] == files[2]


def test_a_small_run_takes_its_whole_space_at_once(tmp_path, make_started, monkeypatch):
    started = make_started(rows=20, columns=500)
    sizes = []
    for name, limit in (("early", 1 << 23), ("late", 0)):
        monkeypatch.setattr(shape, "_EARLY_CELLS", limit)
        writer = Writer(tmp_path / name)
        writer(started)
        sizes.append((tmp_path / name).stat().st_size)
        writer.close()
    assert sizes[0] - sizes[1] > 8 * Shape.of(started).cells
