"""What armed faults do on the wire of an instrument: answers that are late, garbled, another's, or do not come."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from stmlab.simulation.fault_injection import Armed, Faults
    from stmlab.simulation.machine import Machine
    from stmlab.simulation.wire import MessageSession

_FACTORS = (-1.0, 0.1, 0.5, 2.0, 10.0)  # of a wrong value


class FaultyWire:
    """The faults of one instrument's wire: the machine's Interference."""

    def __init__(self, faults: Faults, instrument: str) -> None:
        self._faults, self._instrument = faults, instrument

    def exchange(self, machine: Machine, session: MessageSession, message: bytes) -> bytes:
        """See Interference.

        Raises:
            ConnectionResetError: the connection is dropped.
        """
        if not self._faults.interfering():
            return machine.carry_out(session, message)
        self._faults.live()
        label = session.label(message)
        before = self._strike(session, label, answered=False)
        kinds = {armed.fault.kind: armed.fault for armed in before}
        answer = b""
        if "mute" not in kinds and not any(fault.lost for fault in kinds.values()):
            with machine:
                machine.client = session.client
                answer = session.answer_with_error(message) if "error" in kinds else session.answer(message)
        if answer:
            previous, session.previous = session.previous, answer
            for armed in self._strike(session, label, answered=True):
                answer = _distorted(armed, answer, previous, session)
        if "delay" in kinds:
            with machine:
                machine.wait(kinds["delay"].seconds * (machine.clock.speed or 1.0))
        if "drop" in kinds:
            raise ConnectionResetError("the cable was pulled")
        return answer

    def _strike(self, session: MessageSession, label: str, *, answered: bool) -> list[Armed]:
        struck = self._faults.hits(self._instrument, label, answered=answered)
        for armed in struck:
            self._faults.strike(armed, self._instrument, label, session.client)
        return struck


def _distorted(armed: Armed, answer: bytes, previous: bytes, session: MessageSession) -> bytes:
    kind = armed.fault.kind
    if kind == "garble":
        return _garbled(answer, armed.random)
    if kind == "half":
        return answer[: len(answer) // 2]
    if kind == "double":
        return answer + answer
    if kind == "swap":
        return previous or answer
    return session.with_other_value(answer, _other_value(armed))


def _garbled(answer: bytes, random: np.random.Generator) -> bytes:
    """Up to eight bytes are others; line ends stay."""
    body = answer.rstrip(b"\r\n")
    garbled = bytearray(answer)
    for position in random.choice(len(body), size=min(8, len(body)), replace=False) if body else ():
        garbled[position] ^= int(random.integers(1, 256))
        if garbled[position] in b"\r\n":
            garbled[position] ^= 0x80
    return bytes(garbled)


def _other_value(armed: Armed) -> Callable[[float], float]:
    def other(value: float) -> float:
        if armed.fault.value is not None:
            return armed.fault.value
        if value in (0.0, 1.0):
            return 1.0 - value
        changed = value * float(armed.random.choice(_FACTORS))
        return round(changed) if value.is_integer() else changed

    return other
