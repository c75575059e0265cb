"""A person calls for the safe state: of a run that obeys, of one that hangs, and of nobody's station."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading

import pytest
from typer.testing import CliRunner

from stmlab.cli import app
from stmlab.errors import StationError
from stmlab.station import Station, safe_call, safe_now
from stmlab.station.configuration import read_station
from stmlab.station.lock import addresses, owner_of
from stmlab.station.safe_call import Answer, CallSocket, call
from stmlab.station.safe_now import NOW, make_safe_now
from stmlab.storage import open_run
from tests.forked import Program
from tests.station.programs import spectrum


def addresses_of(station):
    return addresses(read_station(station)[0])


@pytest.fixture
def run(served, tmp_path):
    """A run that has taken five points, its microscope, station and file."""
    microscope, station = served
    path = tmp_path / "run.h5"
    with Program(spectrum, str(station), str(path)) as process:
        for _ in range(5):
            process.stdout.readline()
        assert microscope.generator.on
        yield process, microscope, station, path


def test_a_run_that_is_called_ends_itself_and_its_file_is_whole(run):
    process, microscope, station, path = run
    answer = make_safe_now(str(station))
    assert not microscope.generator.on
    assert answer == Answer(True, "RF and modulation are off; the run makes the rest of the station safe and ends")
    process.wait(60)
    assert microscope.tip.withdrawn
    end = open_run(path).finished
    assert (end.reason, end.message) == ("aborted", "a person called for the safe state")
    assert owner_of(next(iter(addresses_of(station)))) is None


def test_a_run_that_hangs_is_killed_and_its_station_made_safe(run):
    process, microscope, station, path = run
    os.kill(process.pid, signal.SIGSTOP)
    answer = make_safe_now(str(station))
    assert answer.safe
    assert "has been killed; the station has been made safe" in answer.said
    assert not microscope.generator.on
    assert microscope.tip.withdrawn
    process.wait(60)
    assert process.returncode == -signal.SIGKILL
    assert open_run(path).points >= 5


@pytest.fixture
def playing(served):
    """A station that nobody owns any more, and whose generator plays."""
    microscope, path = served
    with Station.load(str(path)) as station:
        station.prepare_outputs()
        station.generator.play_tone(1e9, 0.1, gated=False)
    assert microscope.generator.on
    yield microscope, path
    for thread in threading.enumerate():  # a rescue that was not waited for goes on; nobody holds an instrument now
        if thread.name in station.config.instruments:
            thread.join(60)
            assert not thread.is_alive()


def test_a_station_that_nobody_owns_is_made_safe(playing):
    microscope, path = playing
    assert owner_of(addresses_of(path)[0]) is not None, "its last owner has left it unsafe"
    assert make_safe_now(str(path)) == Answer(True, "safe: every instrument has been seen safe")
    assert not microscope.generator.on
    assert owner_of(addresses_of(path)[0]) is None


@pytest.fixture
def impatient(monkeypatch):
    """The STM controller takes one client; nobody waits long for it to be free."""
    monkeypatch.setattr(safe_now, "_SECONDS", 3.0)


@pytest.mark.usefixtures("impatient")
def test_an_owner_without_a_guardian_does_not_keep_rf_and_modulation_on(playing):
    """The STM controller takes one client, which is the owner: that is said."""
    microscope, path = playing
    with Station.load(str(path), force=True):
        answer = make_safe_now(str(path))
        assert owner_of(addresses_of(path)[0]).pid == os.getpid(), "the record is the owner's"
    assert not microscope.generator.on
    assert not answer.safe
    assert answer.said.startswith("process ")
    assert "owns the station and its guardian does not answer; NOT SAFE: controller: " in answer.said


def test_a_process_that_stands_by_does_it_when_it_is_told(playing):
    microscope, path = playing
    command = [sys.executable, "-m", "stmlab.station.safe_now", str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert json.loads(process.stdout.readline()) == {"ready": True, "said": ""}
        assert microscope.generator.on
        process.stdin.write(NOW)
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["safe"]
        assert not microscope.generator.on
        process.stdin.close()
        assert process.wait(30) == 0


def test_the_command_says_how_it_came_out(playing):
    microscope, path = playing
    done = CliRunner().invoke(app, ["safe", str(path), "--json"])
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout) == {"safe": True, "said": "safe: every instrument has been seen safe"}
    assert not microscope.generator.on


@pytest.mark.usefixtures("impatient")
def test_the_command_ends_with_status_3_where_an_instrument_does_not_answer(playing):
    _, path = playing
    with Station.load(str(path), force=True):
        done = CliRunner().invoke(app, ["safe", str(path)])
    assert done.exit_code == 3
    assert "NOT SAFE: controller" in done.stderr
    assert done.stdout == ""


def test_a_simulated_microscope_dies_with_its_run():
    with pytest.raises(StationError, match="lives in the process of its run"):
        make_safe_now("simulated")


# -- the socket for calls ------------------------------------------------------------------------------------------


@pytest.fixture(params=["short", "long"])
def call_socket(request, tmp_path, monkeypatch):
    folder = tmp_path / (request.param if request.param == "short" else 20 * "long/")
    folder.mkdir(parents=True)
    monkeypatch.setattr(safe_call, "station_directory", lambda: folder)
    call_socket = CallSocket(4711)
    yield call_socket
    call_socket.close()
    assert not call_socket.path.exists()


def test_a_caller_is_heard_and_answered(call_socket):
    heard = []

    def guardian():
        caller = call_socket.accept()
        heard.append(caller.who)
        caller.answer(Answer(True, "all is off"))

    thread = threading.Thread(target=guardian)
    thread.start()
    assert call(call_socket.path, "a person", 10.0) == Answer(True, "all is off")
    thread.join()
    assert heard == ["a person"]


@pytest.mark.parametrize("said", [b"", b"rubbish\n", b'{"who_not": 1}\n', b"[]\n"])
def test_a_caller_that_does_not_say_who_it_is_is_not_obeyed(call_socket, said):
    with socket.socket(socket.AF_UNIX) as wire:
        with safe_call._short(call_socket.path) as address:
            wire.connect(address)
        wire.sendall(said)
        wire.shutdown(socket.SHUT_WR)
        assert call_socket.accept() is None


def test_a_guardian_in_the_place_of_another_hears(call_socket):
    again = CallSocket(4711)
    thread = threading.Thread(target=lambda: again.accept().answer(Answer(False, "not yet")))
    thread.start()
    assert call(call_socket.path, "a person", 10.0) == Answer(False, "not yet")
    thread.join()
    again.close()


def test_nobody_hears_where_nobody_is(tmp_path):
    with pytest.raises(StationError, match="does not answer"):
        call(tmp_path / "4711.guardian", "a person", 1.0)


def test_a_guardian_that_goes_without_a_word_has_not_answered(call_socket):
    thread = threading.Thread(target=lambda: call_socket.accept()._wire.close())
    thread.start()
    with pytest.raises(StationError, match="does not answer"):
        call(call_socket.path, "a person", 1.0)
    thread.join()
