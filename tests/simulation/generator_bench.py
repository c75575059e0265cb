"""As much of a bench as a generator needs: its panel, and what the panel showed whenever time was lived through."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from stmlab.clock import SimulatedClock
from stmlab.simulation.bench import GeneratorPanel

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray


class GeneratorBench:
    def __init__(self) -> None:
        self.clock = SimulatedClock()
        self.lock = threading.RLock()
        self.generator = GeneratorPanel()
        self.lived_through: list[GeneratorPanel] = []

    def advance(self) -> None:
        self.lived_through.append(replace(self.generator))


def lines(panel: GeneratorPanel) -> tuple[FloatArray, FloatArray]:
    """Frequencies (Hz) and peak amplitudes (V at the connector, behind the sample-and-hold) of what is played.

    Written for the tests from the definition of the discrete Fourier transform, apart from driver and simulation.
    """
    volts = panel.samples.astype(float) / 127 * panel.full_scale
    turns = np.arange(volts.size // 2 + 1) / volts.size  # per sample
    amplitudes = 2 * np.abs(np.fft.rfft(volts)) / volts.size
    held = np.ones_like(turns)
    held[1:] = np.sin(np.pi * turns[1:]) / (np.pi * turns[1:])
    return turns * panel.sample_rate, amplitudes * held
