"""What a catalogue says of a file: enough to list, filter and sort it without opening it again."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

UNREADABLE, RECORDED = "unreadable", "recorded"
"""States of what is no run: a file that cannot be read, one that another program recorded."""


@dataclass(frozen=True)
class FittedValue:
    """A fitted quantity, its standard error in the same unit, and the model it comes from."""

    name: str
    value: float
    error: float
    unit: str
    model: str
    at: str = ""

    @property
    def names(self) -> tuple[str, str]:
        """How it may be called: "rate", or with its unit "rate_per_s"."""
        unit = self.unit.replace("1/", "per_").replace("/", "_per_")
        return self.name, f"{self.name}_{unit}" if unit else self.name


@dataclass(frozen=True)
class Summary:
    """One file.

    Attributes:
        state: of a run the last one that its file knows; or `UNREADABLE`, `RECORDED`.
        ended: whether the file will stay as it is: False for a run that is being written, or was killed.
        date: ISO 8601 (UTC for a run; as the file says for a recording), "" if it is not known.
        sequence: of a run; of a recording what its program calls it: its format.
        sample, station, run_id: "" where the file does not say.
        points: readings of a run, rows or places of a recording.
        planned: points of the whole run; 0 where there is no plan.
        message: how a run ended, if not well; why a file cannot be read.
        fitted: the values of its fits, those of the last fit first.
    """

    state: str
    ended: bool = True
    date: str = ""
    sequence: str = ""
    sample: str = ""
    station: str = ""
    run_id: str = ""
    points: int = 0
    planned: int = 0
    message: str = ""
    fitted: tuple[FittedValue, ...] = ()

    def value(self, name: str) -> FittedValue | None:
        """The fitted value called so ("rate", or "rate_per_s"), of the last fit that has one."""
        return next((value for value in self.fitted if name in value.names), None)

    def as_json(self) -> str:
        """For the index."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Summary:
        """What `as_json` wrote.

        Raises:
            ValueError, TypeError, KeyError, AttributeError: something else stands there.
        """
        said = json.loads(text)
        return cls(**{**said, "fitted": tuple(FittedValue(**value) for value in said["fitted"])})
