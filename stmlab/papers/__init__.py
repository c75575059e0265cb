"""The four papers beside the models: what `stmlab papers` shows.

`rows` compares every number and statement that the models of `stmlab.physics` speak to, and says of each reference
whether it is printed, said in words, evaluated from a formula of the paper or from an independent method; `figures`
draws the papers' model figures. Where a paper cannot be reproduced from what it prints, the row says so and why;
nothing is tuned to reach it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

from stmlab.errors import PhysicsError
from stmlab.papers.survey import Row, Verdict

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Protocol

    class Paper(Protocol):
        """What the module of a paper offers."""

        def rows(self) -> list[Row]:
            """Its comparisons."""

        def figures(self, directory: Path) -> list[Path]:
            """Its figures, drawn into ``directory``."""


__all__ = ["PAPERS", "Row", "Verdict", "figures", "rows"]

PAPERS = ("muenks", "betz", "horovitz", "fransson")
"""Short names of the papers, in the order in which they are shown."""


def rows(name: str | None = None, *, fits: bool = False) -> list[Row]:
    """The comparisons of one paper, or of all of them.

    Args:
        name: of the paper; None: all.
        fits: also those that are found by fits, which take half a minute.

    Raises:
        PhysicsError: there is no paper called ``name``.
    """
    found = [row for paper in _chosen(name) for row in paper.rows()]
    if fits and name in (None, "betz"):
        from stmlab.papers.betz_fit import fit_rows

        found += fit_rows()
    return found


def figures(directory: Path, name: str | None = None) -> list[Path]:
    """Draw the model figures of one paper, or of all, as PNGs into ``directory``; returns their paths.

    Raises:
        PhysicsError: there is no paper called ``name``.
    """
    return [path for paper in _chosen(name) for path in paper.figures(directory)]


def _chosen(name: str | None) -> list[Paper]:
    if name is not None and name not in PAPERS:
        raise PhysicsError(f"paper = {name}: one of {', '.join(PAPERS)} is needed")
    names = PAPERS if name is None else (name,)
    return [cast("Paper", import_module(f"stmlab.papers.{each}")) for each in names]
