"""What the form has done by a work process; imports no Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stmlab.acquisition.planning import planned

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

    from stmlab.acquisition.planning import Plan


@dataclass(frozen=True)
class OldRun:
    """What a run was measured with: parameter -> (value, unit)."""

    path: Path
    sequence: str
    station: str
    sample: str
    parameters: dict[str, tuple[Any, str]]


def plan(sequence: str, station: str, sample: str, settings: Mapping[str, str]) -> Plan:
    """What the run would be; "" is the station's own sample."""
    return planned(sequence, station, sample or None, settings)


def old_run(path: Path) -> OldRun:
    """Read what a run was measured with.

    Raises:
        StmlabError: the file is no run.
    """
    from stmlab.storage import open_run

    run = open_run(path)
    parameters = {name: (p.value, p.unit) for name, p in run.parameters.items()}
    return OldRun(path, run.sequence, run.station, run.sample, parameters)
