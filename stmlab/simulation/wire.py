"""The wire as a virtual instrument sees it, and the in-process end of it that a driver holds.

A virtual instrument hands out one Session per connection; a Session takes bytes as they arrive, in pieces of any size,
and returns the bytes that the instrument sends in answer. The TCP server and the in-process adapter both speak to it
so, and nothing else reaches into an instrument.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from stmlab.adapters import Adapter
from stmlab.errors import GarbledAnswer, InstrumentLost, InstrumentTimeout

if TYPE_CHECKING:
    from collections.abc import Callable

    from stmlab.simulation.machine import Machine


class Session(Protocol):
    """One connection to a virtual instrument."""

    def receive(self, data: bytes) -> bytes:
        """Take bytes as they arrive; return what the instrument sends in answer (b"" for nothing)."""

    def feed(self, data: bytes) -> None:
        """Take bytes as they arrive."""

    def exchange(self) -> bytes | None:
        """Carry out the next whole message; return what is sent in answer, or None if there is no whole message."""

    @property
    def unfinished(self) -> bool:
        """Whether more bytes of a message of announced length must come."""

    def give_up(self) -> bytes:
        """Forget the message that does not come to its end; return what is sent about it."""


class VirtualInstrument(Protocol):
    """Something that can be connected to."""

    @property
    def greeting(self) -> bytes:
        """What a telnet port sends on connect; raw ports send nothing."""

    def session(self, client: str = "") -> Session:
        """A new connection; ``client`` says whose, for the flight recorder."""


class MessageSession(ABC):
    """A connection that takes messages off a stream of bytes and lets the instrument's machine answer them.

    Args:
        machine: of the instrument.
        client: who is at the other end.
    """

    def __init__(self, machine: Machine, client: str = "") -> None:
        self.client = client
        self.previous = b""  # the last answer, for the fault that sends it once more
        self._machine = machine
        self._pending = bytearray()

    @abstractmethod
    def next_message(self) -> bytes | None:
        """Take the next whole message off what has arrived; None while there is none."""

    @abstractmethod
    def answer(self, message: bytes) -> bytes:
        """Carry out one message; return the bytes to send, termination included (b"" for nothing)."""

    @abstractmethod
    def answer_with_error(self, message: bytes) -> bytes:
        """The same, with an error that the instrument reports though nobody made one."""

    @abstractmethod
    def label(self, message: bytes) -> str:
        """What the message says, in one line of text."""

    @abstractmethod
    def with_other_value(self, answer: bytes, other: Callable[[float], float]) -> bytes:
        """The answer with its first number exchanged; as it is if it holds none."""

    @property
    @abstractmethod
    def unfinished(self) -> bool:
        """See Session."""

    @abstractmethod
    def give_up(self) -> bytes:
        """See Session."""

    def feed(self, data: bytes) -> None:
        """See Session."""
        self._pending += data

    def exchange(self) -> bytes | None:
        """See Session."""
        message = self.next_message()
        return None if message is None else self._machine.exchange(self, message)

    def receive(self, data: bytes) -> bytes:
        """See Session."""
        self.feed(data)
        answers = self.exchange() or b""
        while self._pending and (answer := self.exchange()) is not None:
            answers += answer
        return answers


class WireAdapter(Adapter):
    """pymeasure Adapter straight into a virtual instrument in this process: the same bytes, no socket.

    As with a cable, a connection that has failed stays useless until it is made anew.

    Args:
        session: the virtual instrument's end.
        termination: appended to every string sent and taken off every string read.
        name: for error messages.
        renew: hands out a new session for ``reconnect``; None: the instrument goes on with the old one.

    Attributes:
        permit: asked before anything is sent; once it says False, nothing is.
        timeout: s that a cable would wait for an answer; here the answer is there at once or never comes.
    """

    def __init__(
        self,
        session: Session,
        *,
        termination: str = "\n",
        name: str = "simulated instrument",
        renew: Callable[[], Session] | None = None,
    ) -> None:
        self._session, self._renew = session, renew
        self._termination = termination.encode("ascii")
        self._received = bytearray()
        self._name = name
        self._dropped = False
        self._sent = b""  # the last message, for errors
        self.permit: Callable[[], bool] | None = None
        self.timeout = 0.0
        self.connection = _Plug()
        super().__init__()

    @property
    def unread(self) -> bytes:
        """What has been received of an answer and not been read."""
        return bytes(self._received)

    def reconnect(self) -> None:
        """A new connection to the same instrument."""
        self._received.clear()
        self._dropped = False
        if self._renew is not None:
            self._session = self._renew()

    def _write(self, command: str, **kwargs: Any) -> None:
        self._send(command.encode("ascii") + self._termination)

    def _write_bytes(self, content: bytes, **kwargs: Any) -> None:
        self._send(content)

    def _send(self, content: bytes) -> None:
        if self.permit is not None and not self.permit():
            raise InstrumentLost(self._name, "the station is no longer this run's")
        if self._dropped:
            raise InstrumentLost(self._name, "the connection was dropped")
        if self._received:  # of an older question, and nobody has read it
            self._lose(GarbledAnswer(self._name, self._asked(), bytes(self._received[:80]), "more than one answer"))
        self._sent = content[:40]
        try:
            self._received += self._session.receive(content)
        except ConnectionError as error:
            self._dropped = True
            raise InstrumentLost(self._name, f"the connection dropped ({error})") from error

    def _read(self, **kwargs: Any) -> str:
        end = self._received.find(self._termination)
        if end < 0:
            self._lose(InstrumentTimeout(self._name, "no answer"))
        line = bytes(self._received[:end])
        del self._received[: end + len(self._termination)]
        try:
            return line.decode("ascii")
        except UnicodeDecodeError as error:
            raise GarbledAnswer(self._name, self._asked(), line, "no ASCII text") from error

    def _read_bytes(self, count: int, break_on_termchar: bool = False, **kwargs: Any) -> bytes:
        if count < 0 or break_on_termchar:
            return (self._read() + self._termination.decode("ascii")).encode("ascii")
        if len(self._received) < count:
            self._lose(InstrumentTimeout(self._name, f"no answer ({len(self._received)} of {count} bytes)"))
        content = bytes(self._received[:count])
        del self._received[:count]
        return content

    def flush_read_buffer(self) -> None:
        """Throw away what was received and not yet read."""
        self._received.clear()

    def _asked(self) -> str:
        return self._sent.decode("ascii", "replace").strip("\n\0")

    def _lose(self, error: InstrumentLost) -> NoReturn:
        self._dropped = True
        raise error


class _Plug:
    """pymeasure wants a connection that can be closed; there is none."""

    def close(self) -> None:
        """Nothing to close."""
