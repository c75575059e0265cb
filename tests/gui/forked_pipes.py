"""The processes at the other end of a window's pipes, forked: a start from nothing takes half a second of processor."""

import os
import subprocess
import sys

from tests.forked import Program
from tests.station.programs import desk, stand_by

_PROGRAMS = {"stmlab.station.desk_process": desk, "stmlab.station.safe_now": stand_by}


class ForkedModule:
    """As `subprocess.Popen` of ``python -P -m MODULE STATION`` to `Piped`."""

    def __init__(self, command, *, stdin, stdout, env, start_new_session):
        assert command[:3] == [sys.executable, "-P", "-m"]
        assert (stdin, stdout, start_new_session) == (subprocess.PIPE, subprocess.PIPE, True)
        self._program = Program(_in_a_session, _PROGRAMS[command[3]], command[4])
        self._program.stderr.close()
        self.stdin, self.stdout, self.poll = self._program.stdin.buffer, self._program.stdout, self._program.poll

    def communicate(self):
        self.stdin.close()
        self.stdout.read()
        self.stdout.close()
        self._program.wait()


def _in_a_session(program, station):
    os.setsid()
    return program(station)
