"""Processes that need no time to begin: each is forked from one that has imported what they need and does no more.

They are processes like any other: what is killed is gone at once, and its locks, files and pipes with it.
"""

import multiprocessing
import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from multiprocessing import forkserver

from stmlab.gui.work_process import MODULES

FORKS = multiprocessing.get_context("forkserver")
A_QUEUE = (
    "drivers.bias_tee",
    "drivers.m8195a",
    "drivers.nanonis",
    "drivers.sr860",
    "drivers.touchstone",
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
    "stmlab.station.desk_process",
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


def answer(function, *arguments, seconds=60.0):
    """What a function prints in a process of its own; that it takes longer than this is a failure, and kills it."""
    with forked(function, *arguments, status=0) as process:
        patience = threading.Timer(seconds, process.kill)
        patience.start()
        try:
            return process.stdout.read()
        finally:
            patience.cancel()


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


class Program:
    """A function of a module in a process of its own, with three pipes, where a test would start a program anew.

    It has this process' environment and folder, and ends with the status that the function returns. What it starts has
    its pipes: ``stderr`` ends when the last of them has ended.
    """

    def __init__(self, function, *arguments):
        begin()
        (theirs_in, ours_in), (ours_out, theirs_out), (ours_err, theirs_err) = (FORKS.Pipe(duplex=False) for _ in "ioe")
        theirs = theirs_in, theirs_out, theirs_err
        call = theirs, dict(os.environ), os.getcwd(), function, arguments
        self._process = FORKS.Process(target=_run, args=call, daemon=True)
        self._process.start()
        self.pid = self._process.pid
        self.stdin = os.fdopen(os.dup(ours_in.fileno()), "w", encoding="utf-8")
        self.stdout, self.stderr = (os.fdopen(os.dup(e.fileno()), encoding="utf-8") for e in (ours_out, ours_err))
        for end in (*theirs, ours_in, ours_out, ours_err):
            end.close()

    @property
    def returncode(self):
        return self._process.exitcode

    def poll(self):
        return self.returncode

    def wait(self, seconds=None):
        self._process.join(seconds)
        if self.returncode is None:
            raise subprocess.TimeoutExpired("program", seconds)
        return self.returncode

    def kill(self):
        self._process.kill()

    def terminate(self):
        self._process.terminate()

    def send_signal(self, number):
        os.kill(self.pid, number)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        self.wait(30)
        for pipe in (self.stdin, self.stdout, self.stderr):
            pipe.close()


def _run(pipes, environment, folder, function, arguments):
    for descriptor, pipe in enumerate(pipes):
        os.dup2(pipe.fileno(), descriptor)
        pipe.close()
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.stdin = open(0, encoding="utf-8")
    sys.exit(function(*arguments))
