"""One settled point of a stochastic resonance sweep through the simulated chain: new waveform, wait, reading."""

from __future__ import annotations

import sys
import time
import timeit
from pathlib import Path

import numpy as np

from stmlab.clock import SimulatedClock
from stmlab.simulation.microscope import SimulatedMicroscope

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
    start = time.perf_counter()
    for tone in tones:
        bench.advance()
        bench.generator.samples = tone
        bench.clock.sleep(0.4)
        bench.lockin_output()
    return (time.perf_counter() - start) / len(tones)


def main() -> int:
    """Print the time of a point beside that of an FFT of its waveform; 1 if it is too long."""
    bench = SimulatedMicroscope.from_config({}, sample="fe_atom", clock=SimulatedClock(), directory=CONFIG)
    bench.tip.feedback, bench.tip.bias = False, 4e-3
    panel = bench.generator
    panel.sample_rate, panel.full_scale, panel.on, panel.running, panel.gated = RATE, 0.1, True, True, True
    tones = waveforms()
    best = min(seconds_per_point(bench, tones) for _ in range(RUNS))
    fft = min(timeit.repeat(lambda: np.fft.rfft(tones[0]), number=1, repeat=20))
    print(
        f"a point of a sweep through the simulated chain: {best * 1e3:.2f} ms, {best / fft:.2f} of an FFT of its "
        f"waveform, {fft * 1e3:.2f} ms (at most {LARGEST:g})"
    )
    return int(best > LARGEST * fft)


if __name__ == "__main__":
    sys.exit(main())
