"""A run that is being written is followed event by event; its end and its writer's death are noticed."""

import fcntl
import shutil
from itertools import islice

import numpy as np
import pytest

from stmlab.errors import FileError
from stmlab.events import Analysed, PointTaken, RunFinished, StateChanged
from stmlab.storage import Writer, open_run
from stmlab.storage.following import Follower
from tests.forked import forked
from tests.storage.writing_process import write


def said(events):
    """Events as comparable values."""
    return [
        (type(event).__name__, *map(str, (event.index, event.time, event.values, event.attempt)))
        if isinstance(event, PointTaken)
        else (type(event).__name__, getattr(event, "time", None), str(getattr(event, "state", "")))
        for event in events
    ]


def looked(follower, most=100):
    """What the next looks find, the fruitless ones included."""
    for _ in range(most):
        if (events := follower.look()) or follower.over:
            return events
    return []


@pytest.mark.parametrize("sweep", [0, 3])
def test_events_come_as_they_are_acknowledged_and_equal_the_file(tmp_path, whole_run, sweep):
    events = whole_run(sweep=sweep)
    writer = Writer(path := tmp_path / "run.h5")
    writer(events[0])
    follower = Follower(path)
    heard = follower.look()
    assert said(heard) == said(events[:1])
    for event in events[1:]:
        writer(event)
        found = looked(follower)
        assert said(found) == said([event])
        heard += found
    assert follower.over
    assert said(heard) == said(events) == said(open_run(path).replay())
    assert isinstance(heard[-1], RunFinished)
    assert heard[-3].fit["rate"] == events[-3].fit["rate"]
    assert follower.look() == []


def test_a_point_that_is_read_again_is_heard_again(tmp_path, make_started, make_points):
    started = make_started()
    points = make_points(started, 3)
    again = points[1]._replace(visit=3, attempt=1, values=(7.0, 8.0))
    writer = Writer(path := tmp_path / "run.h5")
    for event in [started, *points]:
        writer(event)
    follower = Follower(path)
    assert said(follower.look()) == said([started, *points])
    writer(again)
    assert said(looked(follower)) == said([again])
    writer.close()


def test_a_run_that_is_over_is_told_at_once(tmp_path, whole_run):
    writer = Writer(path := tmp_path / "run.h5")
    for event in whole_run():
        writer(event)
    follower = Follower(path)
    assert follower.over
    assert len(follower.look()) == len(whole_run())
    assert follower.run.complete


def test_nothing_new_opens_nothing(tmp_path, whole_run, monkeypatch):
    from stmlab.storage import following

    writer = Writer(path := tmp_path / "run.h5")
    for event in whole_run()[:6]:
        writer(event)
    follower = Follower(path)
    follower.look()
    asked = []
    ask = following.has_writer
    monkeypatch.setattr(following, "has_writer", lambda path: asked.append(path) or ask(path))
    monkeypatch.setattr(following, "opened", None)
    assert [follower.look() for _ in range(50)] == [[]] * 50
    assert len(asked) == 5  # and whether the writer lives is asked now and then
    assert not follower.over
    writer.close()


def test_the_writer_is_never_asked_for_once_the_run_says_that_it_has_finished(tmp_path, whole_run, monkeypatch):
    """Asking takes a lock for a moment: just then the writer opens its file once more."""
    from stmlab.storage import following, opening

    writer = Writer(path := tmp_path / "run.h5")
    *before, last = whole_run()
    for event in before:
        writer(event)
    follower = Follower(path)
    follower.look()
    asked = []
    for module in (following, opening):
        monkeypatch.setattr(module, "has_writer", lambda path: asked.append(path))
    monkeypatch.setattr(
        "stmlab.storage.runfile.RunFile.close", lambda self: [follower.look() for _ in range(40)] and self._let_go()
    )
    writer(last)
    assert asked == []
    assert said(looked(follower)) == said([last])


@pytest.mark.parametrize("mode", ["each", "batch", "arrays", "again"])
def test_a_writer_that_is_followed_hears_nothing_and_its_death_is_noticed(tmp_path, mode):
    path = tmp_path / "run.h5"
    with forked(write, path, mode) as writing:
        list(islice(writing.stdout, 1))
        follower = Follower(path)
        heard = follower.look()
        acknowledged = 0
        for _ in range(5):
            acknowledged = int(list(islice(writing.stdout, 8))[-1])
            heard += looked(follower)
        assert not writing.ended
        assert not follower.over
        writing.kill()
        writing.stdout.read()
    while not follower.over:
        heard += follower.look()
    heard += follower.look()
    run = open_run(path)
    assert not follower.run.complete
    assert follower.run.reason == "killed"
    points = [event for event in heard if isinstance(event, PointTaken)]
    assert len(points) == len(run.visits) >= acknowledged
    np.testing.assert_array_equal([point.time for point in points], run.visits.time)
    assert sum(isinstance(event, StateChanged) for event in heard) == len(run.history)


def test_another_run_in_the_same_place_and_a_file_that_went_are_said(tmp_path, make_started, make_points):
    def written(name, run_id):
        writer = Writer(tmp_path / name)
        for event in [started := make_started(run_id=run_id), *make_points(started, 2)]:
            writer(event)
        return writer

    first, second = written("a.h5", "1" * 16), written("b.h5", "2" * 16)
    follower = Follower(tmp_path / "a.h5")
    follower.look()
    second(make_points(make_started(), 3)[2])
    shutil.move(tmp_path / "b.h5", tmp_path / "a.h5")
    with pytest.raises(FileError, match="another run"):
        looked(follower)
    (tmp_path / "a.h5").unlink()
    with pytest.raises(FileError, match="cannot be read any more"):
        looked(follower)
    for writer in (first, second):
        with pytest.raises(FileError):
            writer(make_points(make_started(), 4)[3])


def test_a_look_holds_no_lock(tmp_path, whole_run):
    writer = Writer(path := tmp_path / "run.h5")
    for event in whole_run():
        writer(event)
    Follower(path).look()
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_fit_is_heard_where_it_was_made(tmp_path, whole_run):
    events = whole_run()
    writer = Writer(path := tmp_path / "run.h5")
    for event in events[:-2]:
        writer(event)
    follower = Follower(path)
    assert isinstance(follower.look()[-1], Analysed)
    writer.close()


def all_news(follower, most=200):
    """What looks find until the run is over."""
    found = []
    for _ in range(most):
        if (news := follower.news()) is not None:
            found.append(news)
        if follower.over:
            break
    return found


@pytest.mark.parametrize("sweep", [0, 3])
def test_news_are_the_readings_as_arrays_and_together_they_are_the_file(tmp_path, make_started, make_points, sweep):
    """Points out of their order, one that is read again twice, one outside the plan."""
    started = make_started(sweep=sweep)
    first = make_points(started)
    order = [5, 0, 1, 2, 11, 3, 3, 4, 3, 9]
    points = [first[k]._replace(visit=visit, time=float(visit)) for visit, k in enumerate(order)]
    points[6], points[8] = points[6]._replace(attempt=1), points[8]._replace(attempt=2)
    points = [p._replace(values=tuple(v + 100.0 * p.visit for v in p.values)) for p in points]
    points.append(points[0]._replace(index=40, visit=len(points)))
    writer = Writer(path := tmp_path / "run.h5")
    writer(started)
    follower, found = Follower(path), []
    for k, point in enumerate(points):
        writer(point)
        if k % 3 == 2:
            writer.flush()
            found += [news for _ in range(30) if (news := follower.news()) is not None]
    writer.close()
    found += all_news(follower)
    visits = open_run(path).visits
    assert [news.first for news in found] == np.cumsum([0] + [len(n.readings) for n in found[:-1]]).tolist()
    assert len(found) > 3
    for name, column in visits.columns().items():
        together = np.concatenate([news.readings.columns()[name] for news in found])
        np.testing.assert_array_equal(together, column, err_msg=name)


def test_a_look_reads_what_is_new_and_no_more(tmp_path, make_started, make_points, monkeypatch):
    from stmlab.storage import read_visits

    started = make_started(rows=50, columns=40)
    writer = Writer(path := tmp_path / "run.h5", batch=True)
    for event in [started, *make_points(started, 1990)]:
        writer(event)
    writer.flush()
    follower = Follower(path)
    assert len(follower.news().readings) == 1990
    read = []
    block = read_visits._read_block
    monkeypatch.setattr(read_visits, "_read_block", lambda *a: read.append(a[2] - a[1]) or block(*a))
    for event in make_points(started, 7, first=1990):
        writer(event)
    writer.flush()
    found = [news for _ in range(30) if (news := follower.news()) is not None]
    assert [(news.first, len(news.readings)) for news in found] == [(1990, 7)]
    assert read
    assert max(read) == 7
    writer.close()


def test_a_reading_that_was_changed_in_the_file_is_not_told(tmp_path, make_started, make_points):
    import h5py

    started = make_started()
    writer = Writer(path := tmp_path / "run.h5")
    for event in [started, *make_points(started)]:
        writer(event)
    writer.close()
    with h5py.File(path, "r+") as file:
        file["entry/data/x"][1, 1] = 77.0
    with pytest.raises(FileError, match="reading number 5"):
        Follower(path)
