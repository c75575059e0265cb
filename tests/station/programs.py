"""What tests let run, and die, in a process of its own, forked from one that has loaded all of it (`tests.forked`)."""

import os
import sys
from pathlib import Path

from stmlab.acquisition.measurement import measure
from stmlab.cli import main
from stmlab.events import PointTaken
from stmlab.station import desk_process, guardian, safe_now
from tests.spare import begun_without_spare


def spectrum(station, path):
    """A long spectrum, which says the index of each point that it has taken."""
    guardian._Post._begin = begun_without_spare
    settings = {"time_constant": 0.001, "stabilise_time": 0.2, "points": 2000}
    measure("srs", station, path=Path(path), listeners=(_say,), settings=settings)


def _say(event):
    if isinstance(event, PointTaken):
        print(event.index, flush=True)


def desk(station):
    """A person's desk, as ``python -m stmlab.station.desk_process``."""
    guardian._Post._begin = begun_without_spare
    sys.argv[1:] = [str(station)]
    return desk_process.main()


def stand_by(station):
    """As ``python -m stmlab.station.safe_now``."""
    sys.argv[1:] = [str(station)]
    return safe_now.main()


def stmlab(words, said):
    """``stmlab WORDS``, with what it says in a file."""
    with open(said, "wb") as output:
        for descriptor in (1, 2):
            os.dup2(output.fileno(), descriptor)
    sys.argv[1:] = words
    main()
