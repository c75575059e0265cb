"""Normal equations of many placements of steps at once.

All placements take their rows and columns from the scalar products of one family, and are eliminated side by side: a
loop over the few terms, not over thousands of systems.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray, IntArray


def pairs_of(members: IntArray, count: int) -> IntArray:
    """Where the systems' elements stand among the scalar products of a family.

    Args:
        members: of each placement, shape (placements, terms).
        count: members of the family.

    Returns:
        Numbers of the elements of a matrix of shape (count, count), shape (terms, terms, placements).
    """
    of_terms = np.ascontiguousarray(members.T)
    return of_terms[:, None] * count + of_terms[None, :]


def eliminated(systems: FloatArray, right: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Solutions, shape (terms, placements), and logarithms of the determinants, shape (placements,).

    Args:
        systems: symmetric and positive, shape (terms, terms, placements); they are overwritten.
        right: shape (terms, placements).
    """
    terms, found = len(right), right.copy()
    for k in range(terms - 1):
        shares = systems[k, k + 1 :] / systems[k, k]
        for row, share in enumerate(shares, start=k + 1):  # what lies below the diagonal is not looked at
            systems[row, row:] -= share * systems[k, row:]
        found[k + 1 :] -= shares * found[k]
        systems[k, k + 1 :] = shares
    pivots = systems[np.arange(terms), np.arange(terms)]
    found /= pivots
    for k in range(terms - 2, -1, -1):
        found[k] -= (systems[k, k + 1 :] * found[k + 1 :]).sum(axis=0)
    return found, np.log(pivots).sum(axis=0)
