"""The process that performs a queue, forked: from nothing it takes a second of processor time until it begins."""

import os
import subprocess
import sys

from stmlab.cli import app
from stmlab.station import guardian
from tests.forked import FORKS, begin
from tests.spare import begun_without_spare


class ForkedQueue:
    """As `subprocess.Popen` of ``python -P -m stmlab queue ...`` to `QueueProcess`; its run has no spare guardian."""

    def __init__(self, command, *, stdin, stdout, stderr, env, start_new_session):
        assert command[:5] == [sys.executable, "-P", "-m", "stmlab", "queue"]
        assert (stdin, stderr, start_new_session) == (subprocess.DEVNULL, stdout, True)
        begin()
        self._process = FORKS.Process(target=_perform, args=(command[4:], stdout.name, env), daemon=True)
        self._process.start()

    def wait(self):
        self._process.join()
        return self._process.exitcode


def _perform(arguments, said, environment):
    os.setsid()
    os.environ.clear()
    os.environ.update(environment)
    with open(said, "wb") as output:
        for descriptor in (1, 2):
            os.dup2(output.fileno(), descriptor)
    guardian._Post._begin = begun_without_spare
    app(arguments)
