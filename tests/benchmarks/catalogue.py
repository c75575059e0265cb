"""A folder of 10,000 runs listed again, beside opening each with h5py for the same few words."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import h5py

sys.path.insert(0, str(Path(__file__).parents[2]))
import stmlab
from stmlab.display.catalogue import catalogue_as_table
from stmlab.storage.catalogue import catalogue, ordered
from tests.benchmarks.side_by_side import Row, cpu_seconds, report

FILES, DIFFERENT, OPENED = 10_000, 50, 1000
LIMIT = 2.0
"""CPU seconds for the second listing."""
WORDS = ("entry_identifier", "experiment_description", "start_time", "sample/name", "status/state")


def make(folder: Path) -> None:
    """Runs under many names: some files, and links to them."""
    stmlab.measure("srs", seed=1, settings={"points": 20}, path=folder / "0.h5")
    image = (folder / "0.h5").read_bytes()
    for number in range(1, FILES):
        path = folder / f"{number}.h5"
        if number < DIFFERENT:
            path.write_bytes(image)
        else:
            os.link(folder / f"{number % DIFFERENT}.h5", path)
    for number in range(DIFFERENT):
        os.utime(folder / f"{number}.h5", (1.7e9, 1.7e9))


def listed(folder: Path, index: Path) -> str:
    """The table that ``stmlab runs`` prints."""
    return catalogue_as_table(ordered(catalogue(folder, index=index).entries, "date"), folder)


def opened(folder: Path) -> list[list[str]]:
    """Some words of ``OPENED`` files."""
    found = []
    for number in range(OPENED):
        with h5py.File(folder / f"{number}.h5", "r") as file:
            found.append([file["entry"][name].asstr()[()] for name in WORDS])
    return found


def main() -> int:
    """Print one row; status 1 where the limit is missed."""
    with tempfile.TemporaryDirectory() as place:
        folder, index = Path(place, "runs"), Path(place, "index.sqlite")
        folder.mkdir()
        make(folder)
        first = cpu_seconds(lambda: listed(folder, index), 1)[0]
        ours = min(cpu_seconds(lambda: listed(folder, index)))
        other = min(cpu_seconds(lambda: opened(folder))) * FILES / OPENED
        lines = listed(folder, index).count("\n")
    wrong = "" if lines == FILES else f"{lines} files listed"
    if ours > LIMIT:
        wrong = f"at most {LIMIT} s is allowed"
    note = f"the first listing, of {DIFFERENT} different files: {first:.2f} s"
    return report([Row("10,000 runs listed again", ours, other, "h5py, 5 words of each", 4.0, wrong=wrong, note=note)])


if __name__ == "__main__":
    sys.exit(main())
