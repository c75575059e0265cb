"""What a survey of a paper consists of: one row for each number or statement that a model can be held against."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any

PRINTED = "printed"
"""The reference is a number in the paper."""
IN_WORDS = "in words"
"""The reference is a statement in the paper; a number decides it."""


class Verdict(Enum):
    """How a reference and the model stand to each other."""

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
        reference: the value, or the statement, that the model is held against.
        source: where the reference comes from: "printed", "in words", "from eq. n" (a formula of the paper, evaluated
            apart from the model), or "independent: ..." (another method than the model's).
        computed: what the model gives.
        unit: of both; empty for pure numbers and statements.
        verdict: how they compare.
        note: the parameters, and the reason where they disagree.
    """

    paper: str
    item: str
    reference: float | str
    source: str
    computed: float | str
    unit: str
    verdict: Verdict
    note: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self) | {"verdict": self.verdict.value}


def equation(number: str) -> str:
    """The source of a reference that the paper does not print but gives a formula for."""
    return f"from eq. {number}"


def independent(method: str) -> str:
    """The source of a reference that another method than the model's gives."""
    return f"independent: {method}"


def compared(
    paper: str,
    item: str,
    reference: float,
    computed: float,
    unit: str,
    tolerance: float,
    note: str = "",
    source: str = PRINTED,
) -> Row:
    """The row of two numbers: they agree if they differ by no more than ``tolerance``, in ``unit``."""
    verdict = Verdict.AGREES if abs(computed - reference) <= tolerance else Verdict.DIFFERS
    return Row(paper, item, float(reference), source, float(computed), unit, verdict, note)


def held(
    paper: str,
    item: str,
    statement: str,
    computed: float | str,
    unit: str,
    holds: bool,
    note: str = "",
    source: str = IN_WORDS,
) -> Row:
    """The row of a statement in words, with the number that decides it."""
    verdict = Verdict.AGREES if holds else Verdict.DIFFERS
    value = computed if isinstance(computed, str) else float(computed)
    return Row(paper, item, statement, source, value, unit, verdict, note)


def lost(paper: str, item: str, printed: float, computed: float | str, unit: str, note: str) -> Row:
    """The row of a printed value that its printed parameters do not lead to."""
    return Row(paper, item, printed, PRINTED, computed, unit, Verdict.NOT_REPRODUCIBLE, note)
