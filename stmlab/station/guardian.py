"""A run's side of its guardian: starts it, sees that it lives, dismisses it when the station is safe.

A killed process cannot tidy up and a frozen one does not, so a second process watches each run
(``guardian_process``). It is given everything at its start: the station's text, the lock, and the memory in which the
run states its deadlines. A simulated microscope inside the run's own process dies with it and needs no guardian.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from time import monotonic, sleep
from typing import TYPE_CHECKING

from stmlab.errors import StationError
from stmlab.station.shared import Slot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stmlab.station import Station

DISMISSED = b"dismissed\n"
TAKE_OVER = b"take over\n"

log = logging.getLogger(__name__)
_START = 30.0  # s for a guardian to begin, on a busy computer
_LOOK = 0.05  # s between two looks at the guardian
_STALE = 2.0  # s without a sign of life: it is frozen, and another one takes its place
_NEXT = 2.0  # s between two guardians, of which the first could not begin
_LEAVE = 5.0  # s for a guardian that was dismissed to leave


@contextmanager
def guarded(station: Station) -> Iterator[None]:
    """While the context lasts, the death of this process makes ``station`` safe.

    Raises:
        StationError: no guardian can be started; nothing has moved.
    """
    if station.simulation is not None:
        yield
        return
    post = _Post(station)
    post.fill()
    try:
        yield
    finally:
        station.heartbeat.rest()
        post.end(safe=station.is_left_safe)


class _Post:
    """The place of a guardian, which is filled again whenever it is empty.

    A spare one has loaded everything and waits for its orders: to begin from nothing takes seconds on a busy computer.
    """

    def __init__(self, station: Station) -> None:
        self._station, self._shared = station, station.shared
        orders = {
            "text": station.text,
            "path": str(station.path),
            "shared": station.shared.descriptor,
            "locks": station.lock.descriptors,
            "run": os.getpid(),
        }
        self._orders = json.dumps(orders).encode() + b"\n"
        self._drivers = [instrument.driver for instrument in station.config.instruments.values()]
        self._process: subprocess.Popen[bytes]
        self._spare: subprocess.Popen[bytes] | None = None
        self._ended = threading.Event()
        self._minder = threading.Thread(target=self._mind, name="guardian", daemon=True)

    def fill(self) -> None:
        """Start the first guardian and wait until it watches."""
        self._begin()
        end = monotonic() + _START
        while not self._shared[Slot.GUARDIAN_BEAT]:
            if self._process.poll() is not None or monotonic() > end:
                _remove(self._process)
                raise StationError(f"{self._station.path}: no guardian can be started, so nothing is moved")
            sleep(_LOOK / 10)
        self._minder.start()

    def end(self, *, safe: bool) -> None:
        """Dismiss the guardian, or leave the station to it."""
        self._ended.set()
        self._minder.join()
        try:
            if safe:
                self._dismiss()
            else:
                self._leave()
        finally:
            if self._spare is not None:
                _remove(self._spare)

    def _dismiss(self) -> None:
        if self._process.poll() is None:
            with suppress(BrokenPipeError):
                _say(self._process, DISMISSED)
        try:
            self._process.wait(_LEAVE)
        except subprocess.TimeoutExpired:
            self._process.kill()
        _remove(self._process)

    def _leave(self) -> None:
        self._station.close()  # a controller that takes one client must be free for the guardian
        if self._process.poll() is not None:
            self._begin()
        process = self._process
        with suppress(BrokenPipeError):
            _say(process, TAKE_OVER)
            _hang_up(process)
        # It goes on after this process has ended.
        threading.Thread(target=process.wait, name="guardian left behind", daemon=True).start()

    def _mind(self) -> None:
        """See that a guardian watches; another one takes its place where it does not."""
        since, called = monotonic(), 0.0
        while not self._ended.wait(_LOOK):
            if self._shared[Slot.SAFE_CALLED] > called:
                called = self._shared[Slot.SAFE_CALLED]
                if self._station.when_called is not None:
                    self._station.when_called()
            beat, status = self._shared[Slot.GUARDIAN_BEAT], self._process.poll()
            try:
                if status is None and monotonic() - (beat or since) < (_STALE if beat else _START):
                    if beat and self._spare is None:
                        self._spare = self._start()
                    continue
                if status is not None and not beat and self._ended.wait(max(0.0, since + _NEXT - monotonic())):
                    return  # the last one could not even begin: not too many in a row
                how = f"ended with status {status}" if status is not None else "froze"
                log.error("the guardian of this run %s; another one takes its place", how)
                _remove(self._process)
                since = monotonic()
                self._begin()
            except OSError as error:
                log.error("no guardian can be started: %s", error)

    def _begin(self) -> None:
        """The spare guardian watches from now on, or a new one."""
        self._shared[Slot.GUARDIAN_BEAT] = 0.0
        spare, self._spare = self._spare, None
        if spare is not None and spare.poll() is not None:
            _remove(spare)
            spare = None
        self._process = process = spare or self._start()
        with suppress(BrokenPipeError):
            _say(process, self._orders)

    def _start(self) -> subprocess.Popen[bytes]:
        # The same modules as here, whatever lies in the folder in which the run was started.
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path)}
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "stmlab.station.guardian_process", *self._drivers],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            env=environment,
            pass_fds=(self._shared.descriptor, *self._station.lock.descriptors),
            start_new_session=True,  # the terminal's Ctrl-C and its closing are for the run
        )


def _say(process: subprocess.Popen[bytes], message: bytes) -> None:
    assert process.stdin is not None
    process.stdin.write(message)
    process.stdin.flush()


def _hang_up(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.close()


def _remove(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    with suppress(BrokenPipeError):
        _hang_up(process)
