"""A spin system of a file under the tip (`stmlab.systems`), as the file has it: what is fitted, where it begins.

So that a fit can be tried before there is a spectrum: a sample with the true numbers, a system with other starts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from stmlab.errors import StationError
from stmlab.physics.constants import K_B_MEV_PER_K
from stmlab.simulation.junctions.height_tables import LARGEST_SPACING, PER_KT, PUMPING, HeightTables
from stmlab.systems import Conditions

if TYPE_CHECKING:
    from pathlib import Path

    from stmlab.physics.transport import TunnelJunction
    from stmlab.systems import System

_NEARBY = 1e-3  # of the scale, over which the levels' slope is taken


@dataclass(frozen=True, eq=False)
class SpinSystemJunction(HeightTables):
    """The junction of a system.

    Attributes:
        system: of the file.
        path: of the file, for refusals.

    Raises:
        StationError: the file leaves a number to the data.
        PhysicsError: the model is not defined there.
    """

    system: System
    path: Path

    def __post_init__(self) -> None:
        table = self.system.table
        open_numbers = [name for name, one in self.system.parameters.items() if not one.starts]
        if table.temperature_K is None:
            open_numbers.append("temperature_K")
        if table.field_direction is not None:
            open_numbers.append("field_T")
        if open_numbers:
            raise StationError(f"{self.path}: {open_numbers[0]}: a sample needs a number, no data say it")
        self.at(1.0)  # refuses now what it would refuse under the tip

    @property
    def reference_conductance(self) -> float:
        """See Junction."""
        return self.system.table.conductance_S

    def true_values(self, v_dc: float, v_ac: float) -> dict[str, float | str]:
        """See Junction: the parameters; drive and bias do not change them."""
        del v_dc, v_ac
        hidden = self.system.offset_names
        return {name: value for name, value in self.system.starts().items() if name not in hidden}

    def at(self, scale: float) -> TunnelJunction:
        """The junction where the conductance is ``scale`` times the reference."""
        return self.system.junction(self.system.starts(), Conditions(scale * self.reference_conductance))

    @cached_property
    def spacing(self) -> float:
        """See HeightTables."""
        here, there = self.at(1.0), self.at(1.0 + _NEARBY)
        levels = [one.system.eigensystem.excitations_meV for one in (here, there)]
        slope = float(np.abs(levels[1] - levels[0]).max()) / _NEARBY
        spacing = LARGEST_SPACING
        if slope:
            spacing = min(spacing, K_B_MEV_PER_K * here.temperature_K / (PER_KT * slope))
        scattering = next(bath.conductance_S for bath in here.baths or () if bath.spin == here.coupled_spin)
        return min(spacing, PUMPING * scattering / self.reference_conductance) if scattering else spacing
