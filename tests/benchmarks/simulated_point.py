"""One settled point of a stochastic resonance sweep through the simulated chain: new waveform, wait, reading."""

from __future__ import annotations

import sys
import timeit
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))
from stmlab.clock import SimulatedClock
from stmlab.simulation.microscope import SimulatedMicroscope
from tests.benchmarks.side_by_side import Row, cpu_now, report

CONFIG = Path(__file__).parents[2] / "config"
LARGEST = 0.5
"""Of an FFT of the waveform memory, timed in the same run; the study of the quoted errors takes 200 x 60 points."""
SAMPLES, RATE, POINTS, RUNS = 262_144, 64e9, 60, 5


def waveforms() -> list[np.ndarray]:
    """Tones from 3 MHz to 20 GHz that fill the generator's internal memory."""
    position = np.arange(SAMPLES)
    cycles = np.rint(np.geomspace(3e6, 20e9, POINTS) * SAMPLES / RATE).astype(int)
    return [np.rint(127 * np.sin(2 * np.pi * ((c * position) % SAMPLES) / SAMPLES)).astype(np.int8) for c in cycles]


def seconds_per_point(bench: SimulatedMicroscope, tones: list[np.ndarray]) -> float:
    """One sweep."""
    start = cpu_now()
    for tone in tones:
        bench.advance()
        bench.generator.samples = tone
        bench.clock.sleep(0.4)
        bench.lockin_output()
    return (cpu_now() - start) / len(tones)


def main() -> int:
    """Print the time of a point beside that of an FFT of its waveform; 1 if it is too long."""
    bench = SimulatedMicroscope.from_config({}, sample="fe_atom", clock=SimulatedClock(), directory=CONFIG)
    bench.tip.feedback, bench.tip.bias = False, 4e-3
    panel = bench.generator
    panel.sample_rate, panel.full_scale, panel.on, panel.running, panel.gated = RATE, 0.1, True, True, True
    tones = waveforms()
    best = min(seconds_per_point(bench, tones) for _ in range(RUNS))
    fft = min(timeit.repeat(lambda: np.fft.rfft(tones[0]), number=1, repeat=20))
    work = "a point of a sweep through the simulated chain"
    return report([Row(work, 1e3 * best, 1e3 * fft, "an FFT of its waveform", 1 / LARGEST, "ms")])


if __name__ == "__main__":
    sys.exit(main())
