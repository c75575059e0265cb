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

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.arrays import FloatArray, SampleArray


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
