"""One point through pymeasure's Worker into CSV, in a fresh process: FOLDER."""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path

import pymeasure.instruments  # noqa: F401 - every user of pymeasure imports an instrument
from pymeasure.experiment import IntegerParameter, Procedure, Results, Worker

FILE = Path(sys.argv[1], "start.csv")


class Ramp(Procedure):
    """A single point."""

    points = IntegerParameter("Points", default=1)
    DATA_COLUMNS = ("source (V)", "reading (V)")

    def execute(self) -> None:
        """Hand it on."""
        self.emit("results", {"source (V)": 0.0, "reading (V)": 0.0})


FILE.unlink(missing_ok=True)
worker = Worker(Results(Ramp(), str(FILE)))
worker.start()
worker.join(timeout=60)
print(json.dumps({"version": version("pymeasure"), "answer": len(FILE.read_text().splitlines()) - 1}))
