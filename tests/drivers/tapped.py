"""A connection to a virtual instrument that writes down what is sent through it."""

from __future__ import annotations


class Tapped:
    """Attributes: sent, the messages so far."""

    def __init__(self, session) -> None:
        self._session, self.sent = session, []

    def receive(self, data: bytes) -> bytes:
        self.sent.append(data)
        return self._session.receive(data)

    def commands(self) -> list[str]:
        """What was sent and is no query, as text."""
        lines = b"".join(self.sent).decode("ascii").splitlines()
        return [line for line in lines if "?" not in line]
