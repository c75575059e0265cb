"""Damages files of every format and opens them: a recording or a FileError is right, everything else is printed.

    python -m tests.storage.importers.mutated --count 2000 --seed 1

Prints one JSON object: how many were read and how many refused, what else came of them, the slowest (CPU s), and how
far the memory grew (bytes).
"""

from __future__ import annotations

import argparse
import json
import random
import re
import resource
import sys
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stmlab.errors import FileError
from stmlab.storage.recorded import open_recording
from tests.storage.importers.samples import write_samples

if TYPE_CHECKING:
    from collections.abc import Callable

MEMORY = 6 << 30  # bytes of address space: more is refused by the system, and seen as a MemoryError
_NUMBERS = (b"0", b"-1", b"99999999999", b"1e999", b"nan", b"", b"4294967295", b"\xff\xff\xff\xff")


def flipped(data: bytearray, random: random.Random) -> bytearray:
    for _ in range(random.choice((1, 1, 4, 16))):
        data[random.randrange(len(data))] = random.randrange(256)
    return data


def cut(data: bytearray, random: random.Random) -> bytearray:
    return data[: random.randrange(len(data))]


def taken_out(data: bytearray, random: random.Random) -> bytearray:
    start = random.randrange(len(data))
    return data[:start] + data[start + random.choice((1, 4, 64, 1000)) :]


def repeated(data: bytearray, random: random.Random) -> bytearray:
    start = random.randrange(len(data))
    piece = data[start : start + random.choice((1, 4, 64, 1000))]
    return data[:start] + piece * random.choice((2, 3, 10)) + data[start + len(piece) :]


def renumbered(data: bytearray, random: random.Random) -> bytearray:
    found = list(re.finditer(rb"\d+", data[:4000])) or [None]
    chosen = random.choice(found)
    if chosen is None:
        return flipped(data, random)
    return data[: chosen.start()] + random.choice(_NUMBERS) + data[chosen.end() :]


def overwritten(data: bytearray, random: random.Random) -> bytearray:
    start = random.randrange(len(data))
    data[start : start + 8] = random.choice((b"\0" * 8, b"\xff" * 8, b"\x7f\xff" * 4))
    return data


MUTATIONS: tuple[Callable[[bytearray, random.Random], bytearray], ...] = (
    flipped,
    cut,
    taken_out,
    repeated,
    renumbered,
    overwritten,
)


def campaign(count: int, seed: int, folder: Path) -> dict[str, Any]:
    """Open ``count`` damaged files; see above."""
    chance = random.Random(seed)
    samples = {path: path.read_bytes() for path in write_samples(folder)}
    outcomes: Counter[str] = Counter()
    wrong, slowest = list[str](), (0.0, "")
    grown: list[tuple[int, str]] = [(0, "")]
    for number in range(count):
        sample = chance.choice(list(samples))
        mutation = chance.choice(MUTATIONS)
        path = folder / f"damaged{sample.suffix}"
        path.write_bytes(mutation(bytearray(samples[sample]), chance))
        start, size, name = time.process_time(), largest_size(), f"{number} {sample.name} {mutation.__name__}"
        try:
            open_recording(path)
            outcomes["read"] += 1
        except FileError as error:
            outcomes["refused"] += 1
            if "\n" in str(error):
                wrong.append(f"{name}: two lines: {error}")
        except Exception as error:  # what is looked for here
            wrong.append(f"{name}: {type(error).__name__}: {error}")
        slowest = max(slowest, (time.process_time() - start, name))
        grown.append((largest_size() - size, name))
    return {**outcomes, "wrong": wrong, "slowest": slowest, "grown": max(grown)}


def largest_size() -> int:
    """The most memory that this process has had, bytes."""
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> int:
    """Run a campaign by the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    perform(arguments.count, arguments.seed)
    return 0


def perform(count: int, seed: int) -> None:
    """Run a campaign; what it found is printed."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("error")
        print(json.dumps(campaign(count, seed, Path(folder))))


if __name__ == "__main__":
    sys.exit(main())
