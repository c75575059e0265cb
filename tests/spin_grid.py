"""A grid of dI/dV spectra of one spin whose anisotropy falls from column to column, with the current beside them."""

from pathlib import Path

import numpy as np

from stmlab.physics.coupled_tip import ExchangeKind, coupled_junction
from stmlab.physics.spins import Spin
from stmlab.storage.recorded import Column, Grid

BIAS = np.linspace(-8e-3, 8e-3, 61)
KNOWN = {"temperature": 2.0, "modulation": 0.0, "order": 2}
_CONDUCTANCE_S, _NOISE = 100e-9, 2e-3


def anisotropies(columns: int) -> np.ndarray:
    """Of each column, meV."""
    return -4.8 + 0.3 * np.arange(columns)


def spin_grid(rows: int = 2, columns: int = 3, seed: int = 1, order: int = 2) -> Grid:
    """Readings of the lock-in in V: a thousandth of a volt is 100 nS."""
    kondo = {"coupling": -0.05} if order == 3 else {}
    chance = np.random.default_rng(seed)
    shape = rows, columns, BIAS.size
    conductance, current = np.empty(shape), np.empty(shape)
    for column, axial in enumerate(anisotropies(columns)):
        junction = coupled_junction(
            Spin(1, axial, 0.7), Spin(0.5), _CONDUCTANCE_S, 2.0, exchange=ExchangeKind.NONE, order=order, **kondo
        )
        conductance[:, column], current[:, column] = junction.conductance(BIAS), junction.current(BIAS)
    reading = 1e4 * (conductance + _NOISE * _CONDUCTANCE_S * chance.standard_normal(shape))
    channels = Column("Current", "A", current), Column("LI Demod 1 X", "V", reading)
    return Grid(Path("spins.3ds"), "nanonis", {}, ("y", "x"), Column("Bias", "V", BIAS), channels)
