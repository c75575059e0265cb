"""The safe state for a run whose process is killed.

A killed process cannot tidy up, so a second, tiny process watches it: it holds the reading end of a pipe whose writing
end only the run has. If the pipe closes without a farewell, the run has died: the guardian connects to the station and
makes it safe. A simulated microscope inside the run's own process dies with it and needs no guardian.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from stmlab.station import Station

_FAREWELL = b"the station is safe\n"
_TRIES = 20
_PAUSE = 0.5  # s between tries: a controller that takes one client needs a moment to notice that the last one is gone


@contextmanager
def guarded(station: Station) -> Iterator[None]:
    """While the context lasts, the death of this process makes ``station`` safe."""
    if station.simulation is not None:
        yield
        return
    command = [sys.executable, "-m", "stmlab.station.guardian", str(station.path)]
    # A session of its own: the terminal's Ctrl-C is for the run, and must not take its guardian along.
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True) as guardian:
        assert guardian.stdin is not None
        try:
            yield
        finally:
            with suppress(BrokenPipeError):
                guardian.stdin.write(_FAREWELL)
                guardian.stdin.close()


def watch(path: Path) -> int:
    """Wait for the farewell on standard input; without it, make the station at ``path`` safe; return an exit status."""
    if sys.stdin.buffer.read() == _FAREWELL:
        return 0
    from stmlab.clock import RealClock
    from stmlab.errors import StmlabError
    from stmlab.station import Station

    problem = ""
    for _ in range(_TRIES):
        try:
            with Station.load(str(path)) as station:
                problems = station.make_safe()
        except StmlabError as error:
            problem = str(error)
        else:
            if not problems:
                print("stmlab: the run was killed; the station has been made safe", file=sys.stderr)
                return 0
            problem = "; ".join(problems)
        RealClock().sleep(_PAUSE)
    print(f"stmlab: the run was killed and THE STATION IS NOT SAFE: {problem}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    from pathlib import Path

    raise SystemExit(watch(Path(sys.argv[1])))
