"""The systems of Horovitz and Henkel's figures, at the printed parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.models import known, two_spins
from stmlab.models.files import case as case_of

if TYPE_CHECKING:
    from stmlab.arrays import ComplexArray
    from stmlab.physics.two_spins import TwoSpins

PAPER = "horovitz"


def _system(case: str) -> TwoSpins:
    """A case of `stmlab model`; its 1 mV or 1 meV is the paper's unit, its 0.01 K their T -> 0."""
    kind, values = case_of(case)
    return two_spins.spins(known(kind).values(values))


EXCHANGE_ONLY = _system("two_spins_exchange")
"""Fig. 2, black."""
WITH_MORIYA = _system("two_spins_moriya")
"""Fig. 2, colour."""
SYMMETRIC = _system("two_spins_symmetric")
"""Fig. 3, right."""
UP_DOWN: ComplexArray = np.diag([0.0, 1.0, 0.0, 0.0]).astype(complex)
"""|ud><ud|, where the transient begins."""
