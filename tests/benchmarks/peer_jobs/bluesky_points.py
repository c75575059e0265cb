"""Points of a scan through Bluesky's RunEngine with ophyd's simulated devices, each document a line: POINTS FOLDER."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from bluesky import RunEngine
from bluesky.plans import scan
from ophyd.sim import SynAxis, SynSignal
from told import told

POINTS, FOLDER = int(sys.argv[1]), Path(sys.argv[2])
source = SynAxis(name="source", labels={"motors"})
reading = SynSignal(func=lambda: source.readback.get(), name="reading")
engine = RunEngine({})


def points() -> int:
    """A scan; returns the events in its file."""
    with (FOLDER / "bluesky.jsonl").open("w") as file:
        engine(scan([reading], source, 0, 1, POINTS), lambda name, document: _write(file, name, document))
    return sum(line.startswith('["event"') for line in (FOLDER / "bluesky.jsonl").open())


def _write(file, name, document):
    file.write(json.dumps([name, document], default=str) + "\n")
    file.flush()


told("bluesky", points, 3, POINTS)
