"""Junctions: what is under the tip, from the voltage across it to the current through it.

The microscope separates fast from slow: a junction answers with the current averaged over one period of a fast drive
in its periodic steady state, and with the current at a voltage that holds still. Everything slow (chopping, feedback,
filters, noise) is the microscope's business.

``scale`` is the conductance of the junction over the sample's reference conductance: the tip is close above one, far
below. A junction decides what follows it (conductance always; exchange with the tip, rates of tunnelling electrons).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from stmlab.errors import PhysicsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.arrays import FloatArray, SampleArray
    from stmlab.physics.transport import TunnelJunction


@dataclass(frozen=True, eq=False)
class Played:
    """What a generator plays over and over, at its connector.

    Attributes:
        samples: the waveform memory, shape (N,).
        rate: Sa/s.
        full_scale: V peak at sample value 127.
    """

    samples: SampleArray
    rate: float
    full_scale: float


@dataclass(frozen=True)
class Drive:
    """One period of the voltage across the junction.

    Attributes:
        frequency: repetitions per second, Hz.
        voltage: shape (T,), V at evenly spaced times of one period, DC bias included.
        smooth: the drive is a few harmonics, well resolved by its samples; otherwise it may have edges.
        played: what the generator plays for it; None: not by a generator.
    """

    frequency: float
    voltage: FloatArray
    smooth: bool
    played: Played | None = None


@dataclass(frozen=True)
class Telegraph:
    """Two states between which a junction switches by itself, at one bias.

    Attributes:
        excitation_per_s, relaxation_per_s: rates of leaving the ground and the excited state.
        difference_A: current in the excited state less that in the ground state.
    """

    excitation_per_s: float
    relaxation_per_s: float
    difference_A: float

    @property
    def total(self) -> float:
        """Sum of both rates, 1/s."""
        return self.excitation_per_s + self.relaxation_per_s

    @property
    def occupation(self) -> float:
        """Mean occupation of the excited state."""
        return self.excitation_per_s / self.total


@runtime_checkable
class Switches(Protocol):
    """A junction of two states, whose switching can be followed in time."""

    def telegraph(self, voltage: float, scale: float) -> Telegraph:
        """Rates and currents at a voltage that holds still (V)."""


@runtime_checkable
class AnswersModulation(Protocol):
    """A junction that says itself what a modulation of the bias makes of its current: a recording has seen one."""

    def modulated(self, bias: float, amplitude: float, phase: FloatArray, scale: float) -> FloatArray:
        """Current at each ``phase`` of the bias ``bias + amplitude sin(phase)`` (V), A; same shape as ``phase``."""


@runtime_checkable
class HasDoubts(Protocol):
    """A junction whose model does not hold everywhere."""

    def doubts(self, bias_V: float) -> tuple[str, ...]:
        """What is wrong with it at biases up to ``bias_V``, one sentence each."""


def doubt_of_close_levels(junction: TunnelJunction, bias_V: float) -> tuple[str, ...]:
    """That rates alone are wrong where two levels are closer than the width that they have at biases up to V.

    Nothing where the model is not defined so far out: no current was computed there.
    """
    from stmlab.physics.coherent import are_too_close

    try:
        close = are_too_close(junction, np.array([-bias_V, bias_V]))
    except PhysicsError:
        return ()
    if not close:
        return ()
    return (
        "the simulated sample has two levels that lie closer than the width that its rates give them, and no coherence "
        "between them: its currents are wrong there",
    )


class Junction(Protocol):
    """A sample under the tip."""

    @property
    def reference_conductance(self) -> float:
        """Conductance of the silent junction at ``scale`` = 1, S."""

    def static_current(self, voltage: FloatArray, scale: float) -> FloatArray:
        """Current at voltages that hold still; same shape as ``voltage`` (V), A."""

    def mean_current(self, drive: Drive, scale: float) -> float:
        """Average current over one period of the drive, in the periodic steady state, A."""

    def true_values(self, v_dc: float, v_ac: float) -> Mapping[str, float | str]:
        """What an experiment should find, from the model itself, under v_dc + v_ac cos(2 pi f t) in V.

        Keys name quantity and unit, such as ``rate_per_s``; a kind is named in words (``exchange``).
        """
