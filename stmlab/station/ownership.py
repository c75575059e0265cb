"""The permit of a run to send anything to its instruments, which the guardian can take away.

A guardian ends a frozen run before it makes its station safe, and a process that is ended sends nothing. The permit
holds where ending it fails (a process that hangs in the kernel, a child that has inherited the connections): each
connection asks for it before each write, and once it is revoked nothing goes out, whoever wakes up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stmlab.station.shared import Slot

if TYPE_CHECKING:
    from stmlab.station.heartbeat import Heartbeat
    from stmlab.station.shared import SharedState


class Ownership:
    """Whether the station is still this run's.

    Args:
        shared: what run and guardian both see.
        heartbeat: told of every write, because an answer may take as long as the connection waits for it.
    """

    def __init__(self, shared: SharedState, heartbeat: Heartbeat) -> None:
        self._shared, self._extend = shared, heartbeat.extend

    def permit(self, seconds: float) -> bool:
        """Whether a connection that waits ``seconds`` (s) for an answer may send; asked before each write, < 1 us."""
        if self._shared[Slot.REVOKED]:
            return False
        self._extend(seconds)
        return True


def revoke(shared: SharedState) -> None:
    """From now on the run that shares ``shared`` sends nothing."""
    shared[Slot.REVOKED] = 1.0
