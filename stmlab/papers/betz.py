"""Betz et al., Stochastic Resonance Spectroscopy: the paper's numbers and statements beside the models'.

The five-state rates follow the supplement's table 1 with C_ST = 0.050 uS in place of the printed 0.500 uS, which alone
leads to the printed slopes. Nothing else is changed to come closer to the paper.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.papers.betz_atom import atom_rows
from stmlab.papers.betz_model import PAPER
from stmlab.papers.betz_signals import signal_rows
from stmlab.papers.betz_two_states import two_state_rows
from stmlab.papers.survey import Row, compared
from stmlab.physics.constants import ELEMENTARY_CHARGE_C

if TYPE_CHECKING:
    from pathlib import Path


def rows() -> list[Row]:
    """Every number and statement of the paper that the model speaks to."""
    return [*_arithmetic(), *atom_rows(), *signal_rows(), *two_state_rows()]


def figures(directory: Path) -> list[Path]:
    """Draw Figs. 2, 3, 4, S3, S4 and S5 into ``directory``; returns the paths of the PNGs."""
    from stmlab.papers import betz_figures, betz_supplement_figures

    return [*betz_figures.draw(directory), *betz_supplement_figures.draw(directory)]


def _arithmetic() -> list[Row]:
    """Printed numbers that must follow from each other."""
    per_charge = 1e-9 / ELEMENTARY_CHARGE_C / 10.0
    return [
        compared(PAPER, "Fig. 1: Gamma of the Fe atom from f = 269 MHz", 1.69e9, 2 * np.pi * 269e6, "1/s", 0.05e9),
        compared(
            PAPER,
            "Sec. II: Gamma of the Fe atom in the text, from f = 269 MHz",
            1.73e9,
            2 * np.pi * 269e6,
            "1/s",
            0.035e9,
            "text (1.73 +- 0.04) and caption (1.69 +- 0.05) of the same fit differ",
        ),
        compared(PAPER, "Fig. 1: Gamma of the 4-Fe chain from f = 31.7 kHz", 199e3, 2 * np.pi * 31.7e3, "1/s", 5e3),
        compared(PAPER, "Sec. I: shortest time, 1/(1.73e9 /s)", 580e-12, 1 / 1.73e9, "s", 5e-12),
        compared(PAPER, "Fig. 5: Gamma of the YSR state from f = 0.780 GHz", 4.91e9, 2 * np.pi * 0.78e9, "1/s", 0.06e9),
        compared(PAPER, "Sec. V: lifetime of the YSR state, 1/(4.91e9 /s)", 204e-12, 1 / 4.91e9, "s", 4e-12),
        compared(PAPER, "Sec. IV.C: electrons per mV at 1 nA and 10 mV", 0.6e9, per_charge, "1/s/mV", 0.05e9),
    ]
