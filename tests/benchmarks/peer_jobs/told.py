"""What every job of a peer prints: its version, CPU seconds of each repetition, and the answer, as one line of JSON."""

from __future__ import annotations

import json
import resource
import time
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def cpu_now() -> float:
    """CPU seconds of this process and of its children that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def told(package: str, work: Callable[[], object], repeats: int, per: int = 1) -> None:
    """Do ``work`` some times and print: seconds for one of the ``per`` things that it does, and its last answer."""
    seconds = []
    for _ in range(repeats):
        start = cpu_now()
        answer = work()
        seconds.append((cpu_now() - start) / per)
    print(json.dumps({"version": version(package), "seconds": seconds, "answer": answer}))
