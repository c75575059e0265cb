"""The control port of a served microscope: faults, flight recorder and true state, as JSON lines on the loopback.

Each line is one request and is answered by one line; ``{"ok": false, "error": "..."}`` says what was wrong with it::

    {"do": "arm", "fault": {"kind": "drop", "instrument": "nanonis"}}  ->  {"ok": true, "id": 1}
    {"do": "disarm", "id": 1}      (without an id: all)                ->  {"ok": true}
    {"do": "faults"}      ->  {"ok": true, "armed": {"1": {...}}, "happened": [{...}]}
    {"do": "state"}       ->  {"ok": true, "state": {...}}             as TrueState
    {"do": "recorder"}    ->  {"ok": true, "recorder": {...}}          as FlightRecorder.as_dict
    {"do": "clear"}       ->  {"ok": true}                             empties the flight recorder
"""

from __future__ import annotations

import json
import socket
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Self

from pydantic import ValidationError

from stmlab.errors import StationError
from stmlab.simulation.faults import explained

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from stmlab.simulation.faults import Fault
    from stmlab.simulation.microscope import SimulatedMicroscope

_LONGEST = 1 << 16  # bytes of a request


class ControlPort:
    """What the control port's server serves: a VirtualInstrument that is no instrument."""

    greeting = b""

    def __init__(self, microscope: SimulatedMicroscope) -> None:
        self._microscope = microscope
        self._recorder = microscope.record()
        self._actions: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "arm": lambda request: {"id": microscope.arm(request.get("fault", {}))},
            "disarm": self._disarm,
            "faults": lambda _: self._faults(),
            "state": lambda _: {"state": asdict(microscope.true_state())},
            "recorder": lambda _: {"recorder": self._recorded()},
            "clear": lambda _: self._clear(),
        }

    def session(self, client: str = "") -> ControlSession:
        """A new connection."""
        return ControlSession(self)

    def answer(self, line: bytes) -> dict[str, Any]:
        """Carry out one request."""
        try:
            request = json.loads(line)
            if not isinstance(request, dict) or request.get("do") not in self._actions:
                raise StationError(f'a request is an object whose "do" is one of {", ".join(self._actions)}')
            return {"ok": True, **self._actions[request["do"]](request)}
        except ValidationError as error:
            return {"ok": False, "error": explained(error)}
        except (StationError, ValueError) as error:
            return {"ok": False, "error": str(error)}

    def _disarm(self, request: dict[str, Any]) -> dict[str, Any]:
        number = request.get("id")
        if number is not None and not isinstance(number, int):
            raise StationError(f"id = {number!r} is no number of a fault")
        self._microscope.faults.disarm(number)
        return {}

    def _faults(self) -> dict[str, Any]:
        armed = {str(key): fault.model_dump() for key, fault in self._microscope.faults.armed().items()}
        return {"armed": armed, "happened": [asdict(one) for one in list(self._microscope.faults.happened)]}

    def _recorded(self) -> dict[str, Any]:
        with self._microscope.lock:
            self._microscope.advance()
            return self._recorder.as_dict()

    def _clear(self) -> dict[str, Any]:
        with self._microscope.lock:
            self._microscope.advance()
            self._recorder.clear()
        return {}


class ControlSession:
    """One connection to the control port."""

    unfinished = False

    def __init__(self, port: ControlPort) -> None:
        self._port = port
        self._pending = bytearray()

    def feed(self, data: bytes) -> None:
        """See Session."""
        self._pending += data

    def exchange(self) -> bytes | None:
        """See Session.

        Raises:
            ConnectionAbortedError: the line does not end.
        """
        end = self._pending.find(b"\n")
        if end < 0:
            if len(self._pending) > _LONGEST:
                raise ConnectionAbortedError(f"a request of more than {_LONGEST} bytes")
            return None
        line = bytes(self._pending[:end])
        del self._pending[: end + 1]
        return json.dumps(self._port.answer(line)).encode("utf-8") + b"\n"

    def receive(self, data: bytes) -> bytes:
        """See Session."""
        self.feed(data)
        answers = bytearray()
        while (answer := self.exchange()) is not None:
            answers += answer
        return bytes(answers)

    def give_up(self) -> bytes:
        """See Session."""
        return b""


class Control:
    """A client of the control port.

    Args:
        port: of ``stmlab simulate`` on this machine.
        timeout: s, for each answer.

    Raises:
        StationError: a request is refused.
        OSError: nobody answers.
    """

    def __init__(self, port: int, timeout: float = 10.0) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self._lines = self._socket.makefile("rb")

    def ask(self, do: str, **request: Any) -> dict[str, Any]:
        """Send one request; returns the answer."""
        self._socket.sendall(json.dumps({"do": do, **request}).encode("utf-8") + b"\n")
        line = self._lines.readline()
        if not line:
            raise ConnectionResetError("the control port has closed the connection")
        answer: dict[str, Any] = json.loads(line)
        if not answer["ok"]:
            raise StationError(f"control port: {answer['error']}")
        return answer

    def arm(self, fault: Fault) -> int:
        """Let a fault happen as it says, counted from now; returns its id."""
        return int(self.ask("arm", fault=fault.model_dump())["id"])

    def disarm(self, id_: int | None = None) -> None:
        """End this fault, or all."""
        self.ask("disarm", **({} if id_ is None else {"id": id_}))

    def faults(self) -> dict[str, Any]:
        """``armed`` by id and ``happened``, a list of Occurrence as dicts."""
        return self.ask("faults")

    def state(self) -> dict[str, Any]:
        """TrueState as a dict."""
        state: dict[str, Any] = self.ask("state")["state"]
        return state

    def recorder(self) -> dict[str, Any]:
        """The flight recorder: ``closings`` and ``extremes``."""
        recorder: dict[str, Any] = self.ask("recorder")["recorder"]
        return recorder

    def clear(self) -> None:
        """Empty the flight recorder."""
        self.ask("clear")

    def close(self) -> None:
        """Hang up."""
        self._lines.close()
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
