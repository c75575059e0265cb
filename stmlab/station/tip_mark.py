"""The mark that a tip has tripped or was withdrawn: until a person frees it, nothing closes the feedback loop.

A file beside the lock of the tip controller, so that it outlives the run, its guardian and the computer. ``stmlab
approach`` removes it.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from stmlab.station.places import file_stem, station_directory

if TYPE_CHECKING:
    from pathlib import Path

    from stmlab.station.configuration import StationConfig


class Retreat(StrEnum):
    """Why a tip is away from the surface."""

    TRIPPED = "tripped"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class Mark:
    """What was noted.

    Attributes:
        why: the tip tripped or was withdrawn.
        since: date and time, UTC.
        said: what happened, one line.
    """

    why: Retreat
    since: str
    said: str

    def __str__(self) -> str:
        what = "SafeTip has tripped" if self.why is Retreat.TRIPPED else "the tip was withdrawn"
        return f"{what} ({self.since}{'; ' + self.said if self.said else ''})"


class TipMark:
    """The mark of one tip controller.

    Args:
        address: of the controller; None (a simulated one, or none at all) keeps the mark in memory.
        kept: the mark in memory at first.
    """

    def __init__(self, address: str | None, kept: Mark | None = None) -> None:
        self._address = address
        self._kept = kept

    @classmethod
    def of(cls, config: StationConfig) -> TipMark:
        """The mark of a station's tip controller."""
        found = [i.address for i in config.instruments.values() if "tip" in i.roles]
        return cls(found[0] if found and not found[0].startswith("simulation:") else None)

    def read(self) -> Mark | None:
        """The mark, None if the tip is free; one that cannot be read is a mark all the same."""
        if self._address is None:
            return self._kept
        try:
            found = json.loads(self._path().read_bytes())
            return Mark(Retreat(found["why"]), str(found["since"]), str(found["said"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError) as error:
            return Mark(Retreat.WITHDRAWN, "unknown", f"{self._path()}: {error}")

    def set(self, why: Retreat, said: str = "") -> None:
        """From now on only a person closes the loop. An older mark stays: it says what came first."""
        if self.read() is not None:
            return
        self._kept = Mark(why, f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC", said)
        if self._address is not None:
            path = self._path()
            fresh = path.with_suffix(f".{os.getpid()}")
            fresh.write_text(json.dumps(asdict(self._kept)), encoding="utf-8")
            fresh.replace(path)  # whole or not at all

    def clear(self) -> None:
        """A person has freed the tip."""
        self._kept = None
        if self._address is not None:
            self._path().unlink(missing_ok=True)

    def _path(self) -> Path:
        assert self._address is not None
        return station_directory() / f"{file_stem(self._address)}.tip"
