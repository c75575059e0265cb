"""Queues performed on the simulated microscope: what is measured, what a failure does, what survives."""

import os
import signal
from contextlib import nullcontext

import pytest

from stmlab.acquisition.queue.entries import EntryState, QueueEntry
from stmlab.acquisition.queue.file import owned, read_queue
from stmlab.acquisition.queue.performing import Performer, QueueState
from stmlab.errors import StationNotSafe, TipTripped
from stmlab.events import RunState
from stmlab.storage import open_run
from stmlab.storage.catalogue import catalogue, read_notes
from tests.acquisition.queue.evening import entry, written
from tests.forked import forked


@pytest.fixture
def path(tmp_path):
    return tmp_path / "queue.toml"


def perform(path, *entries, told=None, **how):
    """The queue after it was performed, and whether all of it was done."""
    if entries:
        written(path, *entries)
    with owned(path) as file:
        performer = Performer(file, (lambda message: None) if told is None else told.append, **how)
        done = performer.perform()
    return read_queue(path), done


def states(queue):
    return [entry.state for entry in queue.entries]


def test_an_evening_with_one_failure_measures_all_the_rest_and_all_is_in_the_catalogue(path):
    sequences = ("srs_map", "setpoint_ramp", "pump_probe", "time_trace")
    samples = {"time_trace": "slow_switch"}
    entries = [entry(s, sample=samples.get(s), after_failure="skip", tags=("evening",)) for s in sequences]
    entries[1] = entries[1].changed(settings={**entries[1].settings, "stop_bias": "5 V"})
    queue, done = perform(path, *entries)
    assert not done
    assert states(queue) == ["done", "failed", "done", "done"]
    assert "stop_bias" in queue.entries[1].message or "out of bounds" in queue.entries[1].message
    assert queue.entries[1].files == ()
    found = {e.path.name for e in catalogue(path.parent).entries if "evening" in read_notes(e.path).tags}
    files = {file for one in queue.entries for file in one.files}
    assert len(files) == 3
    assert files <= found
    assert {open_run(path.parent / file).state for file in files} == {RunState.FINISHED}


def test_a_spectrum_after_a_transfer_takes_the_table_just_measured(path):
    transfer, one = entry("transfer", sample="nonlinear"), {"settings": {"points": 1}}
    spectrum, own, other = (
        entry("srs", **one),
        entry("srs", transfer="station", **one),
        entry("srs", transfer=transfer.id, **one),
    )
    queue, done = perform(path, entry("srs", **one), transfer, spectrum, own, other)
    assert done
    lines = [open_run(path.parent / e.file).snapshot_before["rf_path"] for e in queue.entries]
    table = open_run(path.parent / queue[transfer.id].file).fits[0].choices["table"]
    measured = [str(path.parent / table) == line["section_1_file"] for line in lines]
    assert measured == [False, False, True, False, True]
    assert "line.csv" in lines[2]["in_place_of"]
    assert "in_place_of" not in lines[3]


def test_a_transfer_that_is_named_and_has_measured_nothing_is_refused(path):
    transfer = entry("transfer", sample="nonlinear", settings={"start_frequency": "30 GHz"}, after_failure="skip")
    queue, _ = perform(path, transfer, entry("srs", transfer=transfer.id, after_failure="skip"), entry("srs"))
    assert states(queue) == ["failed", "failed", "done"]
    assert "has no file yet" in queue.entries[1].message


def test_an_entry_is_as_many_runs_as_its_loop_and_repeat_say_each_with_a_file(path):
    looped = entry(
        "didv", loop={"stop_bias": ["8 mV", "9 mV"]}, repeat=2, settings={"points": 2}, folder="spectra", name="iron"
    )
    queue, done = perform(path, looped)
    assert done
    assert queue.entries[0].files == ("spectra/iron.h5", "spectra/iron_2.h5", "spectra/iron_3.h5", "spectra/iron_4.h5")
    values = [open_run(path.parent / f).parameters["stop_bias"].value for f in queue.entries[0].files]
    assert [round(1e3 * value, 9) for value in values] == [8, 9, 8, 9]


@pytest.mark.parametrize(("after", "then"), [("stop", "waiting"), ("skip", "done")])
def test_what_happens_after_a_failure_is_chosen(path, after, then):
    queue, done = perform(path, entry("didv", settings={"stop_bias": "5 V"}, after_failure=after), entry("didv"))
    assert not done
    assert states(queue) == ["failed", then]


def test_a_failure_is_tried_again_as_often_as_is_asked_and_then_stops_the_queue(path, monkeypatch):
    tries = []
    monkeypatch.setattr(
        "stmlab.acquisition.queue.performing.guarded", lambda station: tries.append(station) or nullcontext()
    )
    monkeypatch.setattr("sequences.didv.ConductanceSpectrum.prepare", lambda self: 1 / 0)
    retried = entry("didv", after_failure="retry", retries=2, station=str(_that_goes_on(path)))
    queue, _ = perform(path, retried, entry("srs"))
    assert len(tries) == 3
    assert states(queue) == ["failed", "waiting"]
    assert "ZeroDivisionError" in queue.entries[0].message


def _that_goes_on(path):
    """A station that is at its safe setpoint after a fault, not withdrawn."""
    from tests.station.lab import SIMULATED

    text = SIMULATED.read_text(encoding="utf-8").replace('on_fault = "withdraw"', 'on_fault = "safe"')
    (path.parent / "transfer").symlink_to(SIMULATED.parent / "transfer")
    (station := path.parent / "lab.toml").write_text(text, encoding="utf-8")
    return station


@pytest.mark.parametrize("after", ["skip", "retry"])
def test_a_tip_that_tripped_stops_the_queue_whatever_the_entry_says(path, monkeypatch, after):
    def trip(self):
        raise TipTripped("controller", "SafeTip has tripped")

    monkeypatch.setattr("sequences.didv.ConductanceSpectrum.measure", trip)
    entries = entry("didv", after_failure=after, repeat=3), entry("srs")
    told = []
    queue, done = perform(path, *entries, told=told)
    assert not done
    assert states(queue) == ["failed", "waiting"]
    assert queue.entries[0].done == 0
    assert "SafeTip has tripped" in queue.entries[0].message
    assert [m["reason"] for m in told if m["event"] == "finished"] == ["TipTripped"]


def test_a_tip_that_a_fault_has_withdrawn_stops_the_queue_too(path, monkeypatch):
    monkeypatch.setattr("sequences.didv.ConductanceSpectrum.measure", lambda self: 1 / 0)
    told = []
    queue, _ = perform(path, entry("didv", after_failure="skip"), entry("srs"), told=told)
    assert states(queue) == ["failed", "waiting"]
    assert "withdrawn" in told[-1]["reason"]


def test_a_station_that_is_somebody_elses_stops_the_queue(path, monkeypatch):
    from stmlab.errors import StationBusy

    def busy(*_, **__):
        raise StationBusy("TCPIP::x is owned by process 1")

    monkeypatch.setattr("stmlab.acquisition.measurement.Station.load", busy)
    queue, _ = perform(path, entry("didv", after_failure="skip"), entry("srs"))
    assert states(queue) == ["failed", "waiting"]


def test_a_station_that_could_not_be_made_safe_stops_the_queue(path, monkeypatch):
    def unsafe(self):
        raise StationNotSafe("NOT SAFE: awg: no answer")

    monkeypatch.setattr("stmlab.acquisition.runner.Runner.run", unsafe)
    written(path, entry("didv", after_failure="skip"), entry("srs"))
    told = []
    with owned(path) as file:
        performer = Performer(file, told.append)
        assert not performer.perform()
    assert performer.left_unsafe
    assert states(read_queue(path)) == ["failed", "waiting"]
    assert [m["safe"] for m in told if m["event"] == "finished"] == [False]


def perform_and_die(path):
    """As the second run of an entry begins."""

    def told(message):
        if message["event"] == "state" and message.get("state") == "running" and message.get("run") == 1:
            os.kill(os.getpid(), signal.SIGKILL)

    with owned(path) as file:
        Performer(file, told).perform()


def test_an_entry_whose_process_died_is_said_and_not_repeated_by_itself(path):
    written(path, *(entry("didv", settings={"points": 2}, **more) for more in ({}, {"repeat": 3}, {})))
    with forked(perform_and_die, path):
        pass
    assert states(read_queue(path)) == ["done", "running", "waiting"]
    with owned(path) as file:
        performer = Performer(file)
        assert "ended during run 2 of 3" in performer.notes[0]
        assert not performer.perform()
    queue = read_queue(path)
    assert states(queue) == ["done", "interrupted", "done"]
    interrupted = queue.entries[1]
    assert interrupted.done == 1
    assert len(interrupted.files) == 2
    assert open_run(path.parent / interrupted.file).reason == "killed"
    with owned(path) as file:  # a person lets it go on
        file.keep(file.queue.edited(interrupted.changed(state=EntryState.WAITING)))
    queue, done = perform(path)
    assert done
    assert len(queue.entries[1].files) == 4


def during(state, act):
    """A listener that does something when the run of an entry comes to a state."""

    def hear(message):
        if message["event"] == "state" and message.get("state") == state:
            act(message)

    return hear


@pytest.mark.parametrize(("go_on", "then"), [(False, ["stopped", "waiting"]), (True, ["stopped", "done"])])
def test_a_stopped_run_ends_the_queue_unless_the_next_is_wanted(path, go_on, then):
    written(path, first := entry("didv"), entry("didv", settings={"points": 3}))

    def stop(message):
        if message["entry"] == first.id:
            performer.stop(go_on=go_on)

    with owned(path) as file:
        performer = Performer(file, during("running", stop))
        assert not performer.perform()
    queue = read_queue(path)
    assert states(queue) == then
    assert "stopped by the user after 0 points" in queue.entries[0].message


def test_an_aborted_run_ends_the_queue(path):
    written(path, entry("didv"), entry("didv"))
    with owned(path) as file:
        performer = Performer(file, during("running", lambda _: performer.abort("enough")))
        performer.perform()
        assert performer.state is QueueState.ENDED
        assert performer.reason == "enough"
    assert states(read_queue(path)) == ["stopped", "waiting"]


def test_a_small_run_is_inserted_during_a_pause_between_two_and_the_pause_stays(path):
    """The last one, too, waits until a person lets it."""
    first, last = entry("didv", pause_after=True), entry("didv", settings={"points": 3})
    small = entry("time_trace", sample="slow_switch")
    written(path, first, last)
    order = []

    def hear(message):
        if message["event"] == "state" and message.get("queue") == "waiting":
            order.append("waits")
            if small.id not in [e.id for e in performer.queue.entries]:
                performer.insert(small)
            else:
                performer.resume()
        if message["event"] == "finished":
            order.append(message["entry"])

    with owned(path) as file:
        performer = Performer(file, hear)
        assert performer.perform()
    assert order == [first.id, "waits", small.id, "waits", last.id]
    assert [e.id for e in read_queue(path).entries] == [first.id, small.id, last.id]


def test_a_fault_in_a_sequence_is_told_with_its_kind_and_the_rest_runs_where_nothing_moved(path, monkeypatch):
    monkeypatch.setattr("sequences.didv.ConductanceSpectrum.verify", lambda self: {}["nothing"])
    queue, _ = perform(path, entry("didv", after_failure="skip"), entry("srs"))
    assert states(queue) == ["failed", "done"]
    assert queue.entries[0].message.startswith("KeyError")


def test_the_file_says_that_an_entry_runs_before_anything_moves(path):
    written(path, entry("didv"))
    seen = []
    with owned(path) as file:
        Performer(file, during("preparing", lambda _: seen.append(read_queue(path).entries[0]))).perform()
    assert [(e.state, os.path.splitext(e.file)[1]) for e in seen] == [("running", ".h5")]


def test_only_one_entry_is_performed_where_that_is_asked(path):
    written(path, entry("didv"), second := entry("didv", settings={"points": 3}))
    queue, done = perform(path, only=second.id)
    assert done
    assert states(queue) == ["waiting", "done"]


def test_a_queue_of_nothing_is_done(path):
    assert perform(path, QueueEntry(sequence="x", state="done"))[1]
