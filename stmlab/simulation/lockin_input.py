"""The lock-in's input stage: from the preamplifier's output to the demodulated signal.

The reference is sin(2 pi f t); its TTL output, high in the first half of each period, opens the generator's gate. So a
chopped current of height Delta I gives X = sqrt(2)/pi Delta I (rms, phase 0), and a bias modulated with the sine output
gives a current in phase with it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stmlab.simulation.currents import Levels, two_sided
from stmlab.simulation.lockin_filter import Tones

if TYPE_CHECKING:
    from stmlab.arrays import ComplexArray, FloatArray
    from stmlab.simulation.bench import LockInPanel
    from stmlab.simulation.preamplifier import SimulatedPreamplifier

AC_CORNER = 0.16  # Hz, -3 dB of the input's AC coupling
_CHOP_HARMONICS = np.concatenate([np.arange(-31.0, 0.0, 2.0), np.arange(1.0, 32.0, 2.0)])


@dataclass(frozen=True)
class Modulation:
    """A slow sine on the bias: frequency (Hz) and the current over one period of it (A), shape (T,)."""

    frequency: float
    current: FloatArray


@dataclass(frozen=True)
class InputSignal:
    """The voltage at the lock-in's input as a sum of lines c exp(2 pi i f t).

    Attributes:
        frequencies: shape (J,), Hz, both signs.
        amplitudes: shape (J,), V.
        peak: largest magnitude, V.
    """

    frequencies: FloatArray
    amplitudes: ComplexArray
    peak: float


def input_signal(
    levels: Levels,
    modulations: tuple[Modulation, ...],
    preamplifier: SimulatedPreamplifier,
    panel: LockInPanel,
    reference: float,
) -> InputSignal:
    """What arrives at the lock-in, behind the preamplifier's pole and the input's coupling.

    Args:
        levels: of the junction's current.
        modulations: slow modulations of the bias; they add their moving part.
        preamplifier: gain, pole and saturation.
        panel: the lock-in's settings.
        reference: frequency of the lock-in's reference, which chops, Hz.
    """
    on, off = preamplifier.output(np.array([levels.on, levels.off])).tolist()
    mean = 0.5 * (on + off) if levels.chopped else on
    frequencies, amplitudes = [np.zeros(1)], [np.array([mean], dtype=complex)]
    swing = [mean]
    if levels.chopped:
        frequencies.append(reference * _CHOP_HARMONICS)
        amplitudes.append((on - off) / (1j * np.pi * _CHOP_HARMONICS))
        swing = [on, off]
    room = 0.0
    for modulation in modulations:
        voltage = preamplifier.output(modulation.current)
        order, lines = two_sided(voltage)
        moving = order != 0
        frequencies.append(modulation.frequency * order[moving])
        amplitudes.append(lines[moving])
        room += float(np.abs(voltage - voltage.mean()).max())
    frequency, amplitude = np.concatenate(frequencies), np.concatenate(amplitudes)
    amplitude = amplitude * preamplifier.roll_off(frequency)
    if panel.ac_coupled:
        amplitude = amplitude * frequency / (frequency - 1j * AC_CORNER)
        swing = [level - mean for level in swing]
    return InputSignal(frequency, amplitude, max(abs(level) for level in swing) + room)


def demodulated(signal: InputSignal, panel: LockInPanel, reference: float) -> Tones:
    """Multiplied with the reference's harmonic: v = sqrt(2) R sin(h w t + theta) becomes R exp(i (theta - phase)).

    With the synchronous filter, which averages over a period of the reference, nothing remains at its multiples.
    """
    turn = 1j * math.sqrt(2) * np.exp(-1j * math.radians(panel.phase))
    frequency = signal.frequencies - panel.harmonic * reference
    amplitude = turn * signal.amplitudes
    if panel.synchronous:
        cycles = frequency / reference
        kept = (np.abs(cycles) < 1e-9) | (np.abs(cycles - np.rint(cycles)) > 1e-9)
        frequency, amplitude = frequency[kept], amplitude[kept]
    return Tones(frequency, amplitude)
