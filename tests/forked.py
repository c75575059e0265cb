"""Processes that need no time to begin: each is forked from one that has imported what they need and does no more.

They are processes like any other: what is killed is gone at once, and its locks, files and pipes with it.
"""

import multiprocessing
import os
from contextlib import contextmanager
from multiprocessing import forkserver

from stmlab.gui.work_process import MODULES

FORKS = multiprocessing.get_context("forkserver")
A_QUEUE = (
    "drivers.bias_tee",
    "drivers.m8195a",
    "drivers.nanonis",
    "drivers.sr860",
    "rich.progress",
    "sequences.didv",
    "sequences.srs",
    "skrf",
    "stmlab.acquisition.queue.process",
    "stmlab.cli",
    "stmlab.simulation.junctions.two_level",
    "stmlab.simulation.m8195a",
    "stmlab.simulation.microscope",
    "stmlab.simulation.nanonis",
    "stmlab.simulation.sr860",
    "tomlkit",
)


def begin():
    """Start the one server of this process with what anybody's forks need; whoever comes first would say what."""
    FORKS.set_forkserver_preload(["numpy", "h5py", "stmlab.storage", *MODULES, *A_QUEUE])
    forkserver.ensure_running()


class Forked:
    """A process and what it writes to its standard output, line by line."""

    def __init__(self, process, stdout):
        self._process, self.stdout = process, stdout

    @property
    def ended(self):
        return self._process.exitcode is not None

    def kill(self):
        self._process.kill()


@contextmanager
def forked(function, *arguments, status=-9):
    """A function of a module in a process of its own, which has ended with this status by then: killed, mostly."""
    begin()
    ours, theirs = FORKS.Pipe(duplex=False)
    process = FORKS.Process(target=_call, args=(theirs, function, arguments))
    process.start()
    theirs.close()
    try:
        with ours, os.fdopen(os.dup(ours.fileno()), encoding="utf-8") as stdout:
            yield Forked(process, stdout)
            process.join()
            assert process.exitcode == status
    finally:
        process.kill()
        process.join()
        process.close()


def _call(theirs, function, arguments):
    os.dup2(theirs.fileno(), 1)
    theirs.close()
    function(*arguments)
