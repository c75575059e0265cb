"""What a person asks of a run whose wire is recorded, and the same asked again at the same place of its replay.

A person asks at any time, the run looks at certain places. So what is asked takes effect when the run next looks, and
the number of that look is noted: a replay comes to the same look at the same place, whatever the hour.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from stmlab.acquisition.requests import Requests
from stmlab.errors import FileError
from stmlab.station.wire.file import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from stmlab.station.wire import WireRecording

Asked = tuple[float, str, dict[str, Any]]
"""Number of the look, what, and how; a look at whether to give up an analysis, whose number is left to chance, counts
half."""


class CountedRequests(Requests):
    """Requests that take effect when the run looks at them."""

    def __init__(self) -> None:
        self._looks = 0
        self._pending = False
        super().__init__()

    @property
    def pending(self) -> bool:
        """Whether there is anything to attend to."""
        self._look()
        return self._pending

    @pending.setter
    def pending(self, pending: bool) -> None:
        self._pending = pending

    @property
    def pausing(self) -> bool:
        """See Requests."""
        self._look()
        return super().pausing

    @property
    def stopping(self) -> bool:
        """See Requests."""
        self._look()
        return super().stopping

    @property
    def aborting(self) -> bool:
        """See Requests."""
        self._take(self._looks + 0.5)
        return super().aborting

    def checkpoint(self) -> None:
        """See Requests."""
        self._look()
        super().checkpoint()

    def wait_for_resume(self, seconds: float) -> bool:
        """See Requests."""
        self._look()
        if super().pausing:
            self._wait(seconds)  # what ends it takes effect at the next look
        return not super().pausing

    def _look(self) -> None:
        self._looks += 1
        self._take(self._looks)

    def _take(self, look: float) -> None:
        """What is asked takes effect at this look."""

    def _wait(self, seconds: float) -> None:
        """Wait at most ``seconds`` for something to be asked."""

    def _do(self, what: str, how: dict[str, Any]) -> None:
        getattr(Requests, what)(self, **how)


class RecordedRequests(CountedRequests):
    """Notes what is asked.

    Args:
        note: is told of each request when it takes effect.
    """

    def __init__(self, note: Callable[[Asked], None]) -> None:
        self._note = note
        self._asked: deque[tuple[str, dict[str, Any]]] = deque()
        self._woken = threading.Event()
        super().__init__()

    def ask(self, what: str, **how: Any) -> None:
        """See Requests."""
        self._asked.append((what, how))
        self._woken.set()

    def _take(self, look: float) -> None:
        while self._asked:
            what, how = self._asked.popleft()
            self._note((look, what, how))
            self._do(what, how)

    def _wait(self, seconds: float) -> None:
        self._woken.wait(seconds)
        self._woken.clear()


class ReplayedRequests(CountedRequests):
    """Asks again what was asked; nobody else can.

    Args:
        recording: of the wire.

    Raises:
        FileError: something that nobody can ask of a run.
    """

    def __init__(self, recording: WireRecording) -> None:
        self._asked: deque[Asked] = deque()
        for entry in recording.entries:
            if entry.kind is Kind.ASKED:
                self._asked.append(_asked(entry.content, f"{recording.path}: line {entry.line}"))
        super().__init__()

    def _take(self, look: float) -> None:
        while self._asked and self._asked[0][0] <= look:
            _, what, how = self._asked.popleft()
            self._do(what, how)


_KNOWN = {"pause": {"why"}, "resume": {"anyway"}, "stop": set(), "abort": {"why", "attended"}}


def _asked(content: Any, where: str) -> Asked:
    try:
        look, what, how = content
        if set(how) <= _KNOWN[what]:
            return float(look), what, dict(how)
    except (ValueError, TypeError, KeyError):
        pass
    raise FileError(f"{where}: {content!r} cannot be asked of a run")
