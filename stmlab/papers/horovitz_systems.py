"""The systems of Horovitz and Henkel's figures, at the printed parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.physics.two_spins import TwoSpins

if TYPE_CHECKING:
    from stmlab.arrays import ComplexArray

PAPER = "horovitz"
EXCHANGE_ONLY = TwoSpins(larmor=0.1, bias=1.0, coupling_1=0.01, coupling_2=0.009, exchange=0.2)
"""Fig. 2, black."""
WITH_MORIYA = TwoSpins(
    larmor=0.1, bias=1.0, coupling_1=0.01, coupling_2=0.009, exchange=0.2, dzyaloshinskii_moriya=0.2, phi=np.pi / 4
)
"""Fig. 2, colour."""
SYMMETRIC = TwoSpins(larmor=1.0, bias=1.25, coupling_1=0.0126, coupling_2=0.0126, exchange=0.024)
"""Fig. 3, right."""
UP_DOWN: ComplexArray = np.diag([0.0, 1.0, 0.0, 0.0]).astype(complex)
"""|ud><ud|, where the transient begins."""
