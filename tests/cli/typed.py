"""``stmlab`` as it is typed, in a process of its own that needs no time to begin."""

import threading
from contextlib import contextmanager

from stmlab.cli import app
from tests.forked import Program


def typed(*arguments):
    return patiently(_perform, *map(str, arguments))


@contextmanager
def patiently(function, *arguments, seconds=60.0):
    """A `Program` that is killed after this time, so that nobody waits for ever for what it says."""
    with Program(function, *arguments) as process:
        patience = threading.Timer(seconds, process.kill)
        patience.start()
        try:
            yield process
        finally:
            patience.cancel()


def _perform(*arguments):
    app(arguments)
