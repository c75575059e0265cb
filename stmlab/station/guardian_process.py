r"""The guardian: a process of its own that sees a run's end, and leaves only when the station has been seen safe.

     drivers loaded; orders from the run (configuration, lock, shared memory)
                  |
               WATCHING ---- "dismissed" ----------------------------> leaves, status 0
                  |    \\____ "take over" (the run could not make it safe) ___
    pipe closed (the run died)       a deadline missed by GRACE (frozen)    |
                  |                  a person's call not obeyed in time     |
                  |                      | the run is killed                |
                  v                      v                                  v
               [ the run's permit is revoked; every instrument by itself is made safe ]
                  |  not all after FIRST_WORD: says NOT SAFE, and goes on
                  v
            seen safe: the lock is given back; leaves

It reads nothing from the disk after its start: a station file that was moved or edited changes nothing.
"""

from __future__ import annotations

import json
import logging
import logging.handlers
import os
import select
import signal
import sys
import tomllib
from contextlib import suppress
from dataclasses import replace
from enum import Enum
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from stmlab.config_files import imported
from stmlab.errors import StationError
from stmlab.station.configuration import StationConfig
from stmlab.station.guardian import DISMISSED, TAKE_OVER
from stmlab.station.heartbeat import GRACE, overdue
from stmlab.station.lock import Owner, read_owner, write_owner
from stmlab.station.ownership import revoke
from stmlab.station.places import file_stem, station_directory
from stmlab.station.rescue import Rescue
from stmlab.station.safe_call import POLITE, Answer, Caller, CallSocket
from stmlab.station.shared import SharedState, Slot

_LOOK = 0.05  # s between two looks at the run
_GONE = 5.0  # s for a killed run to be gone
_FIRST_WORD = 8.0  # s after which a person is told that the station is not safe yet
_LOG_SIZE = 1 << 20  # bytes

log = logging.getLogger("stmlab.guardian")


class End(Enum):
    """How a run has ended."""

    DISMISSED = "the run has ended and left the station safe"
    NOT_SAFE = "the run could not make the station safe"
    KILLED = "the run was killed"
    FROZEN = "the run was frozen and has been killed"
    CALLED = "a person called for the safe state; the run did not obey at once and has been killed"


class Guardian:
    """Watches one run.

    Args:
        orders: what the run has sent: ``text`` and ``path`` of the station, ``shared`` and ``locks`` (descriptors),
            ``run`` (its process).
    """

    _calls: CallSocket | None = None
    _caller: Caller | None = None

    def __init__(self, orders: dict[str, Any]) -> None:
        self._text, self._path = str(orders["text"]), Path(orders["path"])
        self._config = StationConfig.model_validate(tomllib.loads(self._text))
        self._shared = SharedState(int(orders["shared"]))
        self._locks = [int(descriptor) for descriptor in orders["locks"]]
        self._run = int(orders["run"])
        _keep_log(self._path, self._config)
        self._calls = self._opened_call_socket()

    def watch(self) -> int:
        """Wait for the end of the run, do what it needs, return an exit status."""
        log.info("watching process %d on %s", self._run, self._path)
        try:
            end = self._wait()
            log.info("%s", end.value)
            if end is not End.DISMISSED:
                self._rescue(end)
        finally:
            if self._calls is not None:
                self._calls.close()
        return 0

    def _rescue(self, end: End) -> None:
        """Make safe what the run has moved, or everything if a person has called for that."""
        revoke(self._shared)
        if end in (End.FROZEN, End.CALLED):
            self._kill()
        names = enumerate(self._config.instruments)
        moved = frozenset(n for bit, n in names if end is End.CALLED or self._shared.marked(Slot.MOVED, bit))
        if not moved:
            self._give_back()
            say(f"{end.value}; there was nothing to make safe")
            return
        rescue = Rescue(self._config, self._text, self._path, moved, log.info)
        rescue.start()
        if not rescue.wait(_FIRST_WORD):
            problems = "; ".join(rescue.problems)
            self._note(f"NOT SAFE: {problems}")
            say(f"{end.value} and THE STATION IS NOT SAFE: {problems}; its guardian goes on trying")
            self._answer(Answer(False, f"{end.value}; NOT SAFE: {problems}; its guardian goes on trying"))
            be_silent()
            rescue.wait(None)
        self._give_back()
        say(f"{end.value}; the station has been made safe")
        self._answer(Answer(True, f"{end.value}; the station has been made safe"))

    def _wait(self) -> End:
        said = b""
        while True:
            self._shared[Slot.GUARDIAN_BEAT] = monotonic()
            sources = [source for source in (sys.stdin, self._calls) if source is not None]
            ready, _, _ = select.select(sources, [], [], _LOOK)
            if self._calls in ready and self._is_called_in_vain():
                return End.CALLED
            if any(source is not self._calls for source in ready):
                piece = os.read(sys.stdin.fileno(), 1 << 12)
                said += piece
                if said.endswith(DISMISSED):
                    return End.DISMISSED
                if said.endswith(TAKE_OVER):
                    return End.NOT_SAFE
                if not piece:
                    return End.KILLED
            if os.getppid() != self._run:  # a child of the run may still hold the pipe
                return End.KILLED
            if overdue(self._shared) > GRACE:
                return End.FROZEN

    def _is_called_in_vain(self) -> bool:
        """Pass a person's call on to the run; whether it has not seen RF and modulation off in time."""
        assert self._calls is not None
        self._caller = caller = self._calls.accept()
        if caller is None:
            return False
        log.info("%s calls for the safe state", caller.who)
        called = self._shared[Slot.SAFE_CALLED] = monotonic()
        while self._shared[Slot.QUIET] < called:
            if monotonic() > called + POLITE:
                return True
            sleep(_LOOK / 10)
        self._answer(Answer(True, "RF and modulation are off; the run makes the rest of the station safe and ends"))
        return False

    def _kill(self) -> None:
        """End the frozen run before its instruments are touched; what cannot be ended has lost its permit."""
        if os.getppid() != self._run:
            return
        with suppress(ProcessLookupError):
            os.kill(self._run, signal.SIGKILL)
        end = monotonic() + _GONE
        while os.getppid() == self._run:
            if monotonic() > end:
                log.error("process %d does not end; its permit to send has been revoked", self._run)
                return
            sleep(_LOOK / 10)

    def _give_back(self) -> None:
        """The station is nobody's; the lock goes with this process."""
        for descriptor in self._locks:
            write_owner(descriptor, None)

    def _opened_call_socket(self) -> CallSocket | None:
        """Where this guardian is called, said in the lock; without it (a full disk) it watches all the same."""
        try:
            call_socket = CallSocket(self._run)
        except OSError as error:
            log.error("nobody can call for the safe state: %s", error)
            return None
        for descriptor in self._locks:
            if (owner := read_owner(descriptor)) is not None:
                write_owner(descriptor, replace(owner, guardian=str(call_socket.path)))
        return call_socket

    def _answer(self, answer: Answer) -> None:
        if self._caller is not None:
            self._caller.answer(answer)
            self._caller = None

    def _note(self, said: str) -> None:
        """Say in the lock that the station is now this process', and why."""
        for descriptor in self._locks:
            owner = read_owner(descriptor) or Owner.this_process()
            program = f"guardian of process {self._run}"
            write_owner(descriptor, replace(owner, pid=os.getpid(), program=program, note=said))


def say(line: str) -> None:
    """Into the log, and on the terminal of the run if it is still there."""
    log.warning("%s", line)
    with suppress(OSError):
        os.write(2, f"stmlab: {line}\n".encode())


def be_silent() -> None:
    """Let go of the terminal: whoever waits for the run's last word has had it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)


def _keep_log(path: Path, config: StationConfig) -> None:
    first = next(iter(config.instruments.values())).address if config.instruments else path.name
    file = station_directory() / f"{file_stem(first)}.guardian.log"
    handler = logging.handlers.RotatingFileHandler(file, maxBytes=_LOG_SIZE, backupCount=1, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(process)d %(message)s"))
    logging.raiseExceptions = False  # a full disk must not end the guardian
    log.propagate = False
    log.addHandler(handler)
    log.setLevel(logging.INFO)


def _orders() -> dict[str, Any]:
    """The first line on standard input, and not a byte more."""
    line = b""
    while not line.endswith(b"\n"):
        piece = os.read(sys.stdin.fileno(), 1)
        if not piece:
            raise SystemExit(1)  # the run has died before anything could have moved
        line += piece
    orders: dict[str, Any] = json.loads(line)
    return orders


def main() -> int:
    """Entry point: ``python -m stmlab.station.guardian_process DRIVER...``, started by a run and by nobody else.

    It loads the drivers and waits for its orders on standard input.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # they are for the run; its guardian sees how it ends
    try:
        for driver in sys.argv[1:]:  # now: afterwards every second counts
            imported(driver, Path("orders"), "driver")
        guardian = Guardian(_orders())
    except StationError as error:
        say(f"the guardian cannot start: {error}")
        return 2
    return guardian.watch()


if __name__ == "__main__":
    raise SystemExit(main())
