"""Entries of a queue: what runs they are, and what may be changed in which state."""

import pytest
from pydantic import ValidationError

from stmlab.acquisition.queue.entries import EntryState, Queue, QueueEntry
from stmlab.errors import SequenceError


def queue_of(*names, **states):
    return Queue(
        entries=tuple(QueueEntry(id=n, sequence="srs", state=states.get(n, EntryState.WAITING)) for n in names)
    )


def ids(queue):
    return [entry.id for entry in queue.entries]


def test_a_loop_gives_every_combination_the_last_parameter_fastest_and_repeat_does_the_whole_again():
    entry = QueueEntry(
        sequence="srs",
        settings={"points": "3"},
        loop={"dc_bias": ["4 mV", "6 mV"], "amplitude": [1e-3, 2e-3]},
        repeat=2,
    )
    assert entry.runs == 8
    found = [(s["dc_bias"], s["amplitude"]) for s in map(entry.settings_of, range(8))]
    once = [("4 mV", "0.001"), ("4 mV", "0.002"), ("6 mV", "0.001"), ("6 mV", "0.002")]
    assert found == once + once
    assert entry.settings_of(5)["points"] == "3"


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"sequnce": "srs"}, "sequnce"),
        ({"sequence": "srs", "loop": {"dc_bias": []}}, "dc_bias"),
        ({"sequence": "srs", "loop": {"dc_bias": ["1 mV"]}, "settings": {"dc_bias": "2 mV"}}, "dc_bias"),
        ({"sequence": "srs", "name": "../somewhere"}, "name"),
        ({"sequence": "srs", "repeat": 0}, "repeat"),
    ],
)
def test_an_entry_that_cannot_be_meant_is_refused(wrong, named):
    with pytest.raises(ValidationError, match=named):
        QueueEntry(**wrong)


def test_values_are_kept_as_they_are_written():
    entry = QueueEntry(
        sequence="srs", settings={"flatten": False, "points": 40, "amplitude": 2.8e-3, "dc_bias": "4 mV"}
    )
    assert entry.settings == {"flatten": "false", "points": "40", "amplitude": "0.0028", "dc_bias": "4 mV"}


def test_entries_are_added_moved_and_removed_by_their_id():
    queue = queue_of("a", "b", "c")
    assert ids(queue.moved("c", 0)) == ["c", "a", "b"]
    assert ids(queue.moved("a", 99)) == ["b", "c", "a"]
    assert ids(queue.removed("b")) == ["a", "c"]
    assert ids(queue.added(QueueEntry(id="d", sequence="didv"), before="b")) == ["a", "d", "b", "c"]
    assert queue.next.id == "a"
    with pytest.raises(SequenceError, match="no entry x"):
        queue["x"]
    with pytest.raises(ValidationError, match="two entries"):
        queue.added(QueueEntry(id="a", sequence="didv"))


def test_an_entry_that_runs_is_neither_removed_nor_edited_nor_moved():
    queue = queue_of("a", "b", a=EntryState.RUNNING)
    for change in (lambda: queue.removed("a"), lambda: queue.edited(queue["a"]), lambda: queue.moved("a", 1)):
        with pytest.raises(SequenceError, match="running"):
            change()


def test_nobody_but_its_run_makes_an_entry_done_and_what_came_of_it_stays():
    queue = queue_of("a", a=EntryState.FAILED)
    failed = queue["a"].changed(message="no tip", files=("a.h5",), done=0)
    queue = queue.replaced(failed)
    with pytest.raises(SequenceError, match="done"):
        queue.edited(failed.changed(state=EntryState.DONE))
    told = queue.edited(failed.changed(note="again?", message="", files=()))["a"]
    assert (told.message, told.files, told.note) == ("no tip", ("a.h5",), "again?")
    again = queue.edited(failed.changed(state=EntryState.WAITING))["a"]
    assert (again.state, again.message, again.files) == (EntryState.WAITING, "", ("a.h5",))


def test_an_entry_that_waits_again_goes_on_with_the_runs_that_are_not_done():
    entry = QueueEntry(id="a", sequence="srs", repeat=3, state=EntryState.INTERRUPTED, done=1)
    queue = Queue(entries=(entry,)).edited(entry.changed(state=EntryState.WAITING))
    assert [run for _, run in queue.runs()] == [1, 2]
    whole = QueueEntry(id="a", sequence="srs", repeat=3, state=EntryState.DONE, done=3)
    queue = Queue(entries=(whole,)).edited(whole.changed(state=EntryState.WAITING))
    assert [run for _, run in queue.runs()] == [0, 1, 2]


def test_a_duplicate_is_a_new_entry_with_nothing_done():
    entry = QueueEntry(sequence="srs", state=EntryState.DONE, done=1, files=("a.h5",), note="n")
    other = entry.anew()
    assert other.id != entry.id
    assert (other.state, other.done, other.files, other.note) == (EntryState.WAITING, 0, (), "n")
