"""What the guardian of a run that died has done, as its log tells it: for whoever saw the run die.

Reads two small files; connects to nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stmlab.config_files import find
from stmlab.errors import StmlabError
from stmlab.station.configuration import read_station
from stmlab.station.lock import addresses
from stmlab.station.places import file_stem, station_directory

if TYPE_CHECKING:
    from pathlib import Path

_LINE = re.compile(r"\S+ \S+ (\d+) (.*)")
_SAFE = ("the station has been made safe", "there was nothing to make safe")
_NOT_SAFE = "NOT SAFE"


@dataclass(frozen=True)
class Aftermath:
    """How a station stands after the death of its run.

    Attributes:
        safe: True: its guardian has seen it safe. False: it says that it is not. None: it has not said yet.
        text: what it says, for a person.
        steps: what it has done so far, one line each.
    """

    safe: bool | None
    text: str
    steps: tuple[str, ...] = ()


def aftermath(station: str, run: int) -> Aftermath:
    """What is known of ``station`` (name or file) after process ``run`` has died.

    Raises:
        StmlabError: the station's file cannot be read.
    """
    config, _ = read_station(find(station))
    if all(address.startswith("simulation:") for address in addresses(config)):
        return Aftermath(True, "the simulated microscope was in that process and is gone with it")
    steps = _said(station_directory() / f"{file_stem(addresses(config)[0])}.guardian.log", run)
    if steps is None:
        return Aftermath(None, "no guardian has watched it: look at the microscope")
    last = next((step for step in reversed(steps) if step.endswith(_SAFE) or _NOT_SAFE in step), None)
    if last is None:
        return Aftermath(None, steps[-1] if steps else "its guardian has not noticed yet", steps)
    return Aftermath(_NOT_SAFE not in last, last, steps)


def _said(log: Path, run: int) -> tuple[str, ...] | None:
    """The lines of the guardians of one run, in their order; None: none has watched it."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StmlabError(f"{log}: {error}") from error
    lines = [(int(found[1]), found[2]) for line in text.splitlines() if (found := _LINE.fullmatch(line))]
    began = [k for k, (_, words) in enumerate(lines) if words.startswith(f"watching process {run} ")]
    if not began:
        return None
    guardians = {lines[k][0] for k in began}
    return tuple(words for pid, words in lines[began[0] + 1 :] if pid in guardians and not words.startswith("watching"))
