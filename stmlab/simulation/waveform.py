"""From the generator's waveform memory to the lines of its spectrum.

A memory of N samples played over and over at a rate fs has lines at k fs/N. A tone occupies one of them (and its
harmonics), a train of pulses all of them. Lines below 1e-4 of the largest (-80 dB), and for a tone all that 8-bit
rounding spreads over the rest of the memory, are left out; the lines that remain are counted from their greatest common
divisor, so that a tone of 5001 periods in the memory becomes one line at harmonic 1.

Each sample is held until the next, so that a line at frequency f falls by sinc(f/fs) and is late by half a sample.
Images above fs/2 are taken as removed by the generator's reconstruction filter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from stmlab.arrays import ComplexArray, FloatArray, SampleArray

FULL_SCALE_COUNT = 127
_SIGNIFICANT = 1e-4  # of the largest line
_ROUNDING = 0.15  # mean square of what rounding to whole counts leaves (1/12 if done right), count**2
_TONE_SHARE = 0.02  # largest part of a tone's power that may be left over
_HARMONICS = 8  # looked for in a tone
_LOOK = 4  # blocks for the first look: their resolution lies within the reach of the zoom
_FLAT = 2  # counts; a beginning that changes less belongs to a slow tone: single steps would mislead the first look
_FEWEST = 64  # below this the plain transform is used


@dataclass(frozen=True)
class Spectrum:
    """A periodic signal v(t) = Re sum_k amplitudes[k] exp(2 pi i k fundamental t).

    Attributes:
        fundamental: Hz.
        amplitudes: shape (K+1,), harmonics 0 ... K, complex peak amplitudes.
    """

    fundamental: float
    amplitudes: ComplexArray

    def filtered(self, transfer: Callable[[FloatArray], ComplexArray], scale: float) -> Spectrum:
        """The signal behind a ``transfer`` function of frequency (Hz), times ``scale``."""
        frequency = self.fundamental * np.arange(self.amplitudes.size, dtype=float)
        amplitudes: ComplexArray = scale * (self.amplitudes * transfer(frequency))
        return Spectrum(self.fundamental, amplitudes)

    def samples(self, count: int) -> FloatArray:
        """The signal at ``count`` evenly spaced times of one period; ``count`` must exceed twice K."""
        lines = 0.5 * self.amplitudes
        lines[0] = self.amplitudes[0].real
        values: FloatArray = np.fft.irfft(lines, count) * count
        return values


def memory_spectrum(samples: SampleArray, sample_rate: float) -> Spectrum:
    """The lines of a waveform memory that is played over and over.

    Args:
        samples: shape (N,), int8.
        sample_rate: Sa/s.

    Returns:
        Amplitudes relative to full scale (1 at sample value 127), with the roll-off and delay of the hold.
    """
    count = samples.size
    if count == 0 or not samples.any():
        return Spectrum(0.0, np.zeros(1, dtype=complex))
    lines = (_tone_lines(samples) if count >= _FEWEST else None) or _all_lines(samples)
    step = int(np.gcd.reduce([index for index in lines if index > 0] or [count]))
    amplitudes = np.zeros(max(lines) // step + 1, dtype=complex)
    for index, amplitude in lines.items():
        amplitudes[index // step] = amplitude
    held = step * np.arange(amplitudes.size) / count
    amplitudes *= np.sinc(held) * np.exp(-1j * np.pi * held) / FULL_SCALE_COUNT
    return Spectrum(step * sample_rate / count, amplitudes)


def _all_lines(samples: SampleArray) -> dict[int, complex]:
    """Every significant line, by a Fourier transform of the whole memory: bin -> peak amplitude in counts."""
    amplitudes = np.fft.rfft(samples.astype(float)) * (2 / samples.size)
    amplitudes[0] *= 0.5
    if samples.size % 2 == 0:
        amplitudes[-1] *= 0.5
    size = np.abs(amplitudes)
    return {int(index): complex(amplitudes[index]) for index in np.flatnonzero(size >= _SIGNIFICANT * size.max())}


def _tone_lines(samples: SampleArray) -> dict[int, complex] | None:
    """The lines of a tone and its harmonics, or None if the memory holds anything else.

    A tone is recognised by its power: what its lines leave over is no more than rounding to whole counts. This costs
    a few passes over the memory where a transform of all of it takes twenty times as long.
    """
    blocks = _Blocks(samples)
    bin_ = _strongest_bin(samples, blocks)
    orders = min(_HARMONICS, (samples.size - 1) // 2 // bin_)
    if orders < 1:
        return None
    amplitudes = blocks.harmonics(bin_, orders)
    power = blocks.mean_square() - abs(amplitudes[0]) ** 2
    left = power - 0.5 * float(np.sum(np.abs(amplitudes[1:]) ** 2))
    if left > min(_ROUNDING, _TONE_SHARE * power):
        return None
    significant = _SIGNIFICANT * float(np.abs(amplitudes[1:]).max())
    return {bin_ * int(k): complex(amplitudes[k]) for k in np.flatnonzero(np.abs(amplitudes) >= significant)}


def _strongest_bin(samples: SampleArray, blocks: _Blocks) -> int:
    """Where a tone would be: a first look at the beginning of the memory, then a zoom around what it shows."""
    beginning = samples[: _LOOK * blocks.length].astype(float)
    if np.ptp(beginning) <= _FLAT:
        return blocks.zoom(0)
    look = np.abs(np.fft.rfft((beginning - beginning.mean()) * np.hanning(beginning.size)))
    return blocks.zoom(round(int(look.argmax()) * samples.size / beginning.size))


class _Blocks:
    """The memory as a matrix of blocks, so that single lines of it cost one matrix product each.

    Sum over n of x_n w^(k n) with n = b L + l is the sum over b of w^(k b L) times the sum over l of x_bl w^(k l).
    """

    def __init__(self, samples: SampleArray) -> None:
        self.count = samples.size
        self.length = 1 << (self.count.bit_length() // 2)
        whole = self.count // self.length * self.length
        values = samples.astype(np.float32)
        self.matrix, self.rest = values[:whole].reshape(-1, self.length), values[whole:]

    def mean_square(self) -> float:
        rows = np.einsum("bl,bl->b", self.matrix, self.matrix)  # single precision within a block, double across
        return float(rows.sum(dtype=float) + np.dot(self.rest, self.rest)) / self.count

    def harmonics(self, bin_: int, orders: int) -> ComplexArray:
        """The mean and the peak amplitudes, in counts, of a line and its harmonics up to ``orders``, below half."""
        inner = _powers(self._rotation(bin_ * np.arange(self.length)), orders)
        sums = self._products(self.matrix, inner)
        outer = _powers(self._rotation(bin_ * self.length * np.arange(sums.shape[0])), orders)
        total = (outer * sums).sum(axis=0)
        if self.rest.size:
            last = self._rotation(bin_ * (self.matrix.size + np.arange(self.rest.size)))
            total = total + self._products(self.rest[None, :], _powers(last, orders))[0]
        peak: ComplexArray = total * (2 / self.count)
        peak[0] *= 0.5
        return peak

    def zoom(self, near: int) -> int:
        """The strongest bin within half a block rate of ``near``, at least 1."""
        inner = self._rotation(near * np.arange(self.length))[:, None]
        sums = self._products(self.matrix, inner)[:, 0]
        sums = sums * self._rotation(near * self.length * np.arange(sums.size))
        turns = np.fft.fft(sums - (sums.mean() if near == 0 else 0.0))
        offset = np.rint(np.fft.fftfreq(sums.size) * self.count / self.length).astype(int)
        candidates = near + offset
        allowed = (candidates >= 1) & (2 * candidates < self.count)
        return int(candidates[allowed][np.abs(turns[allowed]).argmax()]) if allowed.any() else max(near, 1)

    def _rotation(self, turns: np.ndarray) -> ComplexArray:
        """exp(-2 pi i turns / count), the turns reduced as whole numbers so that no precision is lost."""
        rotation: ComplexArray = np.exp(-2j * np.pi / self.count * (turns % self.count))
        return rotation

    @staticmethod
    def _products(matrix: np.ndarray, factors: ComplexArray) -> ComplexArray:
        """Real matrix times complex factors, as one single-precision product."""
        both = np.concatenate([factors.real, factors.imag], axis=1).astype(np.float32)
        product = np.asarray(matrix @ both, dtype=np.float64)
        complex_product: ComplexArray = product[:, : factors.shape[1]] + 1j * product[:, factors.shape[1] :]
        return complex_product


def _powers(rotation: ComplexArray, highest: int) -> ComplexArray:
    """Powers 0 ... ``highest`` of each element, as columns."""
    factors = np.repeat(rotation[:, None], highest + 1, axis=1)
    factors[:, 0] = 1.0
    np.multiply.accumulate(factors, axis=1, out=factors)
    return factors
