"""Current against voltage of a junction whose spectrum changes with the tip's height, tabulated.

The tables stand at fixed heights, once each, and are interpolated between them: a sweep under drift meets another
height at every point. They are evenly spaced in scale while the tip is near, and by even factors farther away: a state
that nothing else relaxes is filled by very few electrons.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np

from stmlab.physics.constants import K_B_MEV_PER_K
from stmlab.simulation.junctions import doubt_of_close_levels
from stmlab.simulation.junctions.driven import mean_current

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray
    from stmlab.physics.transport import TunnelJunction
    from stmlab.simulation.junctions import Drive

PER_KT = 4.0  # points of a table within kT, and tables while the levels move by kT
LARGEST_SPACING = 0.1  # of tables, in scale
PUMPING = 0.005  # of the sample's scattering: the conductance grows by this from table to table
_EVEN = 4  # tables from 0 on whose place is given by even factors, as steep there as the further ones
_FAR = 1e-9  # scale that stands for 0
_RANGE = 20e-3  # V; tables reach so far, or twice, four times ... as far


class HeightTables(ABC):
    """A junction of the transport model at every height; see `stmlab.simulation.junctions.Junction`."""

    @abstractmethod
    def at(self, scale: float) -> TunnelJunction:
        """The junction where the conductance is ``scale`` times the reference."""

    @property
    @abstractmethod
    def spacing(self) -> float:
        """Of the tables, in scale: the levels move by less than the thermal width, occupations hardly."""

    def static_current(self, voltage: FloatArray, scale: float) -> FloatArray:
        """See Junction."""
        reach = float(np.abs(voltage).max(initial=0.0))
        table = self._table_at(scale, _range_for(reach))
        current: FloatArray = scale * table(voltage)
        return current

    def mean_current(self, drive: Drive, scale: float) -> float:
        """See Junction."""
        return mean_current(self.at(scale), drive)

    def doubts(self, bias_V: float) -> tuple[str, ...]:
        """See HasDoubts; at the reference height."""
        return doubt_of_close_levels(self.at(1.0), bias_V)

    @cached_property
    def _tables(self) -> dict[tuple[int, float], FloatArray]:
        """Number of a height, range in V -> current over scale at the biases of that range."""
        return {}

    @cached_property
    def _recent(self) -> dict[tuple[float, float], _Interpolated]:
        """The table used last: 64 voltages of a modulation and many readings share one height."""
        return {}

    @cached_property
    def _bias_spacing(self) -> float:
        """Of the tables, V."""
        return 1e-3 * K_B_MEV_PER_K * self.at(1.0).temperature_K / PER_KT

    def _table_at(self, scale: float, reach: float) -> _Interpolated:
        if (scale, reach) not in self._recent:
            position = max(scale, _FAR) / self.spacing
            first = math.floor(_number(position)) - 1
            weights = _cubic(position - first, [_position(first + k) - first for k in range(4)])
            currents = sum(w * self._table(first + k, reach) for k, w in enumerate(weights))
            self._recent.clear()
            self._recent[scale, reach] = _Interpolated(_biases(self._bias_spacing, reach), np.asarray(currents))
        return self._recent[scale, reach]

    def _table(self, number: int, reach: float) -> FloatArray:
        if (number, reach) not in self._tables:
            scale = _position(number) * self.spacing
            self._tables[number, reach] = _current(self.at(scale), self._bias_spacing, reach) / scale
        return self._tables[number, reach]


class _Interpolated:
    """A cubic spline through values at evenly spaced places."""

    def __init__(self, places: FloatArray, values: FloatArray) -> None:
        from scipy.interpolate import CubicSpline

        self._spline = CubicSpline(places, values, extrapolate=False)

    def __call__(self, place: FloatArray) -> FloatArray:
        found: FloatArray = self._spline(place)
        return found


@lru_cache(maxsize=256)
def _current(junction: TunnelJunction, spacing: float, reach: float) -> FloatArray:
    """Kept for the next station: a run is planned, checked and measured on one each, with the same sample in each.

    What the junction needs on the way there is not kept.
    """
    return replace(junction).current(_biases(spacing, reach))


def _biases(spacing: float, reach: float) -> FloatArray:
    count = math.ceil(reach / spacing)
    return np.linspace(-reach, reach, 2 * count + 1)


def _range_for(reach: float) -> float:
    return _RANGE * 2.0 ** max(0, math.ceil(math.log2(reach / _RANGE))) if reach > 0 else _RANGE


def _position(number: int) -> float:
    """Scale over spacing of a table."""
    return float(number) if number >= _EVEN else _EVEN * math.exp(number / _EVEN - 1.0)


def _number(position: float) -> float:
    """The inverse of `_position`, between tables as well."""
    return position if position >= _EVEN else _EVEN * (1.0 + math.log(position / _EVEN))


def _cubic(place: float, at: list[float]) -> tuple[float, float, float, float]:
    """Weights of the values at four places for the value at ``place`` (Lagrange)."""
    first, second, third, fourth = (
        math.prod(place - other for other in at if other != one)
        / math.prod(one - other for other in at if other != one)
        for one in at
    )
    return first, second, third, fourth
