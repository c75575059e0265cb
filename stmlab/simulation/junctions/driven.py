"""What every junction made of states and rates does: static and mean current, and its own slow rate.

Betz et al., supplement S3: dp/dt = W(V(t)) p, and the current is that of each state weighted with its occupation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.errors import PhysicsError
from stmlab.physics.coherent_drive import coherent_drive, mean_driven_current
from stmlab.physics.driven import held_occupation, occupation_harmonics
from stmlab.physics.occupation import generator

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray
    from stmlab.physics.driven import DrivenStates
    from stmlab.simulation.junctions import Drive

_STEPS = 1024  # of a period of a smooth drive: thresholds have harmonics that its own samples do not resolve
_COHERENT_STEPS = 512
_TOLERANCE = 1e-7  # of the occupations


def mean_current(states: DrivenStates, drive: Drive) -> float:
    """Current averaged over one period of ``drive`` in the periodic steady state, A.

    By harmonic balance; where thresholds have too many harmonics for it, and for drives with edges, by the propagator
    of one period. Where levels are close and the states take coherences, by their density matrix.
    """
    if (coherent := coherent_drive(states, drive.voltage)) is not None:
        voltage = refined(drive.voltage, _COHERENT_STEPS) if drive.smooth else drive.voltage
        return mean_driven_current(coherent, voltage, drive.frequency, smooth=drive.smooth)
    voltage = refined(drive.voltage, _STEPS) if drive.smooth else drive.voltage
    generators = generator(states.rates(voltage))
    currents = states.state_currents(voltage)
    if drive.smooth:
        try:
            return _by_harmonics(generators, currents, drive.frequency)
        except PhysicsError:  # too sharp for harmonics; rates that are none are refused below just the same
            pass
    return float((currents * held_occupation(generators, drive.frequency)).sum(axis=1).mean())


def slow_rate(states: DrivenStates, v_dc: float, v_ac: float) -> float:
    """The slowest rate at which the occupations relax, averaged over the drive v_dc + v_ac cos(2 pi f t), 1/s.

    For two states this is <Gamma_+ + Gamma_-> of Betz et al., eq. 1.
    """
    voltage = v_dc + v_ac * np.cos(2 * np.pi * np.arange(_STEPS) / _STEPS)
    if (coherent := coherent_drive(states, voltage)) is not None:
        return coherent.slowest_rate(voltage[:: _STEPS // _COHERENT_STEPS])
    decays = np.sort(-np.linalg.eigvals(generator(states.rates(voltage))).real, axis=1)
    return float(decays[:, 1].mean())


def refined(voltage: FloatArray, count: int) -> FloatArray:
    """The same periodic, band-limited signal at ``count`` samples, or at its own if it has more."""
    if voltage.size >= count:
        return voltage
    samples: FloatArray = np.fft.irfft(np.fft.rfft(voltage), count) * (count / voltage.size)
    return samples


def _by_harmonics(generators: FloatArray, currents: FloatArray, frequency: float) -> float:
    """sum_k I_k^* . p_k over the harmonics that both have."""
    harmonics = occupation_harmonics(generators, np.array([frequency]), tolerance=_TOLERANCE)[0]
    mixing = np.fft.rfft(currents, axis=0) / len(currents)
    occupations = harmonics[len(harmonics) // 2 :]
    kept = min(len(occupations), (len(currents) + 1) // 2)
    mixed = (mixing[:kept].conj() * occupations[:kept]).real.sum(axis=1)
    return float(mixed[0] + 2 * mixed[1:].sum())
