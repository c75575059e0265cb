"""What a survey of a paper consists of: one row for each number or statement that a model can be held against."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any


class Verdict(Enum):
    """How a printed value and the model stand to each other."""

    AGREES = "agrees"
    DIFFERS = "differs"
    NOT_REPRODUCIBLE = "not reproducible"
    """The printed parameters do not lead to the printed value, in this model or any other that was tried."""


@dataclass(frozen=True)
class Row:
    """One comparison.

    Attributes:
        paper: short name of the paper, as `stmlab papers` takes it.
        item: where it stands in the paper and what it is.
        printed: the value, or the statement, in the paper.
        computed: what the model gives.
        unit: of both; empty for pure numbers and statements.
        verdict: how they compare.
        note: the parameters, and the reason where they disagree.
    """

    paper: str
    item: str
    printed: float | str
    computed: float | str
    unit: str
    verdict: Verdict
    note: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {
            "paper": self.paper,
            "item": self.item,
            "printed": self.printed,
            "computed": self.computed,
            "unit": self.unit,
            "verdict": self.verdict.value,
            "note": self.note,
        }


def compared(
    paper: str, item: str, printed: float, computed: float, unit: str, tolerance: float, note: str = ""
) -> Row:
    """The row of two numbers: they agree if they differ by no more than ``tolerance``, in ``unit``."""
    verdict = Verdict.AGREES if abs(computed - printed) <= tolerance else Verdict.DIFFERS
    return Row(paper, item, printed, float(computed), unit, verdict, note)


def held(paper: str, item: str, printed: str, computed: float | str, unit: str, holds: bool, note: str = "") -> Row:
    """The row of a statement in words, with the number that decides it."""
    return Row(paper, item, printed, computed, unit, Verdict.AGREES if holds else Verdict.DIFFERS, note)
