"""One owner for each address: whose it is, what a dead owner leaves, what only reads."""

import multiprocessing
import os

import pytest

from stmlab.errors import StationBusy
from stmlab.station.lock import StationLock, owner_of
from stmlab.station.places import canonical

ADDRESS = "TCPIP::192.0.2.1::6501::SOCKET"  # a test network: nothing is dialled


def hold(connection, addresses):
    """Own the addresses until told to die without giving them back."""
    lock = StationLock(addresses)
    lock.acquire()
    connection.send(os.getpid())
    connection.recv()
    os._exit(9)


@pytest.fixture
def address(request):
    """One that no other test has."""
    return f"TCPIP::192.0.2.1::6501::{request.node.name}"


@pytest.fixture
def elsewhere():
    """Own addresses in another process; returns its number and what ends it."""
    spawn = multiprocessing.get_context("spawn")
    running = []

    def own(*addresses):
        here, there = spawn.Pipe()
        process = spawn.Process(target=hold, args=(there, addresses))
        process.start()
        there.close()  # one that could not own them ends, and nobody waits for its number
        running.append(process)

        def die():
            here.send("die")
            process.join()

        return here.recv(), die

    yield own
    for process in running:
        process.kill()
        process.join()
        process.close()


def test_an_owned_address_is_refused_and_its_owner_named(address, elsewhere):
    pid, _ = elsewhere(address)
    with pytest.raises(StationBusy, match=f"process {pid} on .* since .*; nothing was sent") as refused:
        StationLock([address], force=True).acquire()
    assert refused.value.owner.pid == pid


def test_no_lock_is_kept_when_one_address_of_a_station_is_owned(address, elsewhere):
    elsewhere(f"{address}z")
    with pytest.raises(StationBusy):
        StationLock([f"{address}a", f"{address}z"]).acquire()
    with StationLock([f"{address}a"]):
        pass
    assert owner_of(f"{address}a") is None


def test_what_a_dead_owner_has_left_needs_force(address, elsewhere):
    pid, die = elsewhere(address)
    die()
    with pytest.raises(StationBusy, match=f"process {pid} .*without leaving the station safe.*--force"):
        StationLock([address]).acquire()
    with StationLock([address], force=True):
        assert owner_of(address).pid == os.getpid()
    with StationLock([address]):
        pass


def test_a_station_that_was_not_left_safe_needs_force(address):
    lock = StationLock([address])
    lock.acquire()
    lock.release(safe=False)
    with pytest.raises(StationBusy, match="--force"):
        StationLock([address]).acquire()
    with StationLock([address], force=True):
        pass


def test_one_that_only_reads_keeps_others_out_and_leaves_the_record_of_a_dead_owner(address, elsewhere):
    pid, die = elsewhere(address)
    die()
    with StationLock([address], only_reading=True):
        with pytest.raises(StationBusy):
            StationLock([address], force=True).acquire()
        assert owner_of(address).pid == pid
    assert owner_of(address).pid == pid


def test_one_that_only_reads_is_refused_by_an_owner(address, elsewhere):
    pid, _ = elsewhere(address)
    with pytest.raises(StationBusy, match=str(pid)):
        StationLock([address], only_reading=True).acquire()


def test_one_process_cannot_own_an_address_twice(address):
    with StationLock([address]), pytest.raises(StationBusy, match=str(os.getpid())):
        StationLock([address]).acquire()


@pytest.mark.parametrize(
    "other", ["TCPIP0::127.0.0.1::6501::SOCKET", "tcpip::localhost::6501::socket", " TCPIP::127.0.0.1::6501::SOCKET"]
)
def test_ways_of_writing_an_address_are_one(other):
    assert canonical(other) == canonical("TCPIP::127.0.0.1::6501::SOCKET")


def test_different_instruments_are_different_addresses():
    assert canonical("TCPIP::127.0.0.1::6501::SOCKET") != canonical("TCPIP::127.0.0.1::6502::SOCKET")
    assert canonical("GPIB0::8::INSTR") != canonical("GPIB1::8::INSTR")
    assert canonical("TCPIP::10.0.0.20::5025::SOCKET") != canonical("TCPIP::10.0.0.2::5025::SOCKET")


def test_a_simulated_station_needs_no_lock(address):
    with StationLock(["simulation:nanonis"]) as first, StationLock(["simulation:nanonis"]):
        assert first.descriptors == ()


def test_a_record_that_cannot_be_read_is_an_owner(address, tmp_path):
    with StationLock([address]) as lock:
        os.pwrite(lock.descriptors[0], b"garbage", 0)
        assert owner_of(address).note == "the record cannot be read"
