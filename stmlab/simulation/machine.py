"""A virtual instrument as a machine of its own: one command at a time, time that passes without the others.

Who holds what, and for how long::

    connection's thread --> Machine of its instrument --> Bench.lock (panels, tip, junction)
      one per client         settings of the instrument     the physics
                             held for one message,          held for one reading or one change,
                             given up in ``wait``           never in a wait, never while answers are sent

The order is from left to right and never back: whoever holds ``Bench.lock`` asks no instrument for anything, and nobody
holds two Machines. A change of a panel is ``advance`` and the assignments under one hold of ``Bench.lock``, so nobody
sees half of it and the time before was lived through with the old settings. What lasts (a bias spectrum, a pulse, a
withdrawal) is a chain of short commands with ``wait`` in between, in which other connections of the same instrument are
answered. In one thread, with a clock that moves only by ``sleep``, all of it is as if there were no locks.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Protocol, Self

from stmlab.clock import RealClock

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from stmlab.clock import Clock
    from stmlab.simulation.wire import MessageSession


class Interference(Protocol):
    """What may stand between a message and its answer."""

    def exchange(self, machine: Machine, session: MessageSession, message: bytes) -> bytes:
        """Let the machine answer, or not; return what arrives at the client."""


class Machine:
    """Lock and time of one virtual instrument.

    Args:
        clock: of the microscope; an instrument that stands alone lives in real time.

    Attributes:
        client: whose message is being carried out.
        restarts: how often it was switched off and on; what lasts and meets another number is over.
        interference: faults on this instrument's wire, None without.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock: Clock = clock if clock is not None else RealClock()
        self.client = ""
        self.restarts = 0
        self.interference: Interference | None = None
        self._lock = threading.Lock()
        self._condition = threading.Condition(self._lock)

    def __enter__(self) -> Self:
        self._condition.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._condition.release()

    def exchange(self, session: MessageSession, message: bytes) -> bytes:
        """Carry out one message of a connection; returns what is sent in answer.

        Raises:
            ConnectionError: the connection is dropped.
        """
        if self.interference is not None:
            return self.interference.exchange(self, session, message)
        return self.carry_out(session, message)

    def carry_out(self, session: MessageSession, message: bytes) -> bytes:
        """The same, whatever interferes."""
        with self._lock:
            self.client = session.client
            return session.answer(message)

    def wait(self, seconds: float, ended: Callable[[], bool] = lambda: False) -> None:
        """Let ``seconds`` of the microscope's time pass in the middle of a command; other clients are served meanwhile.

        Args:
            seconds: s.
            ended: asked after ``wake``; the wait is over as soon as it is true. Time that moves only by ``sleep``
                passes as a whole.
        """
        client = self.client
        if self.clock.speed is None:
            self._condition.release()
            try:
                self.clock.sleep(seconds)
            finally:
                self._condition.acquire()
        else:
            end = self.clock.now() + seconds
            while not ended() and (left := end - self.clock.now()) > 0.0:
                self._condition.wait(left / self.clock.speed)
        self.client = client

    def wake(self) -> None:
        """Let every ``wait`` look whether it has ended; called with the machine held."""
        self._condition.notify_all()
