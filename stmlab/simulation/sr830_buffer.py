"""The data buffers of the virtual SR830: what both displays show, at a fixed rate or at each trigger (manual, 5-13)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from stmlab.simulation.lockin_commands import ExecutionError

if TYPE_CHECKING:
    from collections.abc import Callable

    from stmlab.arrays import ComplexArray, FloatArray
    from stmlab.simulation.bench import Bench, LockInPanel

POINTS = 16_383
_SLOWEST = 0.0625  # Hz, doubled by each step of SRAT
_BY_TRIGGER = 14  # SRAT
_START_DELAY = 0.5  # s, of STRD
_MANTISSA, _EXPONENT_OFFSET = 15, 124  # bits, and what is added to the exponent, in the numbers of TRCL?


class DataBuffer:
    """Two rows of points, one for each display.

    Args:
        bench: samples the output at ``lockin.capture_rate``.
        panel: of the lock-in, which that is while it is connected.
        shown: what both displays show for outputs X + iY, shape (2, N).
    """

    def __init__(self, bench: Bench, panel: LockInPanel, shown: Callable[[ComplexArray], FloatArray]) -> None:
        self._bench, self._panel, self._shown = bench, panel, shown
        self._rate, self._loop = 0, True
        self._points: FloatArray = np.zeros((2, 0))
        self._storing = self._paused = False
        self._skipped = 0
        self._set_rate(0.0)

    @property
    def scanning(self) -> bool:
        """Whether points are being stored; a pause is part of it."""
        self.collect()
        return self._storing or self._paused

    def retime(self, rate: int) -> None:
        """Store at the rate with this number from now on."""
        self.collect()
        self._rate = rate
        if self._storing:
            self._set_rate(self._hertz)

    def repeat(self, *, loop: bool) -> None:
        """Go on with the newest points when it is full, or stop."""
        self.collect()
        self._loop = loop

    def start(self, *, delayed: bool = False) -> None:
        """Begin, or go on after a pause; nothing if it stores already or is full and stops there."""
        self.collect()
        if self._storing or (not self._loop and self.count == POINTS):
            return
        self._storing, self._paused = True, False
        self._skipped = math.floor(_START_DELAY * self._hertz) if delayed else 0
        self._set_rate(self._hertz)

    def pause(self) -> None:
        """Store nothing until ``start``."""
        self.collect()
        self._paused = self._paused or self._storing
        self._halt()

    def clear(self) -> None:
        """Stop and forget all points."""
        self.collect()
        self._halt()
        self._paused = False
        self._points = np.zeros((2, 0))

    def trigger(self, *, starts: bool) -> None:
        """A trigger arrives: it stores one point, or (``starts``) begins to store at the rate."""
        if self._rate == _BY_TRIGGER:
            if self._storing:
                self._keep(np.array([self._bench.lockin_output()]))
        elif starts:
            self.start()

    @property
    def count(self) -> int:
        """How many points there are."""
        return int(self._points.shape[1])

    def piece(self, channel: int, start: int, count: int) -> FloatArray:
        """Points of a display (1 or 2), oldest first; an ExecutionError if there are not so many."""
        self.collect()
        if start + count > self.count:
            raise ExecutionError(f"{self.count} points are stored")
        return self._points[channel - 1, start : start + count]

    def collect(self) -> None:
        """Store what has come until now."""
        if self._panel.capture_rate:
            self._bench.advance()
            self._keep(self._bench.lockin_captured())

    @property
    def _hertz(self) -> float:
        return 0.0 if self._rate == _BY_TRIGGER else _SLOWEST * 2.0**self._rate

    def _halt(self) -> None:
        self._storing = False
        self._set_rate(0.0)

    def _set_rate(self, rate: float) -> None:
        with self._bench.lock:
            self._bench.advance()
            self._panel.capture_rate = rate

    def _keep(self, outputs: ComplexArray) -> None:
        skipped = min(self._skipped, outputs.size)
        self._skipped -= skipped
        self._points = np.concatenate([self._points, self._shown(outputs[skipped:])], axis=1)
        if self.count < POINTS:
            return
        if self._loop:
            self._points = self._points[:, -POINTS:]
        else:
            self._points = self._points[:, :POINTS]
            self._halt()


def as_text(points: FloatArray) -> str:
    """``-1.234567e-009,+7.654321e-009,``: each number with its sign and an exponent of three digits, and a comma."""
    return "".join(_decimal(float(point)) + "," for point in points)


def as_floats(points: FloatArray) -> bytes:
    """IEEE numbers of 4 bytes, least significant first."""
    return points.astype("<f4").tobytes()


def as_integers(points: FloatArray) -> bytes:
    """Mantissa m of 2 bytes, exponent e of 1, least significant first, and a zero: a point is m 2^(e - 124)."""
    fractions, exponents = np.frexp(points)
    mantissas = np.rint(np.ldexp(fractions, _MANTISSA))
    carried = np.abs(mantissas) >= 2**_MANTISSA
    mantissas[carried] /= 2
    exponents = exponents - _MANTISSA + carried + _EXPONENT_OFFSET
    exponents[mantissas == 0] = 0
    row = np.zeros(points.size, dtype=[("mantissa", "<i2"), ("exponent", "u1"), ("zero", "u1")])
    row["mantissa"], row["exponent"] = mantissas, np.clip(exponents, 0, 248)
    return row.tobytes()


def _decimal(value: float) -> str:
    mantissa, _, exponent = f"{value:+.6e}".partition("e")
    return f"{mantissa}e{int(exponent):+04d}"
