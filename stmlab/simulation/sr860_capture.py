"""The capture memory of the virtual SR860: X, XY, RT or XYRT at the capture rate, as 4-byte numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from stmlab.simulation.lockin_commands import ExecutionError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stmlab.arrays import ComplexArray
    from stmlab.simulation.bench import Bench, LockInPanel

_FASTEST = 1.25e6  # Sa/s
_BLOCK = 2048  # bytes; memory is filled and given free in such blocks
_COLUMNS = (1, 2, 2, 4)  # numbers at each moment for X, XY, RT, XYRT
_RUNNING, _TRIGGERED, _WRAPPED = 1, 2, 4  # bits of CAPTURESTAT?
_AT_ONCE, _AT_TRIGGER, _EACH_TRIGGER = range(3)


def fastest_rate(time_constant: float) -> float:
    """The fastest capture rate at a time constant (s), Sa/s: 1.25 MHz, halved until no more than 10 / tau.

    That short time constants allow up to 1.25 MHz and longer ones less, by factors of two, is the manual's; the 10 is
    an assumption, because its table was not at hand. A client reads the rate with CAPTURERATEMAX?.
    """
    return float(_FASTEST / 2.0 ** max(0, math.ceil(math.log2(_FASTEST * time_constant / 10.0))))


class CaptureMemory:
    """Takes from the bench what the lock-in puts out while a capture runs.

    Args:
        bench: samples the output at ``lockin.capture_rate``.
        panel: of the lock-in, which that is while it is connected.
    """

    def __init__(self, bench: Bench, panel: LockInPanel) -> None:
        self._bench, self._panel = bench, panel
        self.reset()

    def reset(self) -> None:
        """Back to an empty memory of 2 kB for X at the fastest rate."""
        self._length, self._channels, self._divisions = 2 * 1024, 0, 0
        self.configure(0)

    def configure(self, channels: int) -> None:
        """Choose X, XY, RT or XYRT (0 to 3); stops and empties the memory."""
        self._set_rate(0.0)
        self._channels = channels
        self._empty()
        self._state, self._waiting, self._continuous = 0, _AT_ONCE, False

    def resize(self, kilobytes: int) -> None:
        """Make the memory so long, rounded up to an even number of kB; stops and empties it."""
        self._length = 1024 * (kilobytes + kilobytes % 2)
        self.configure(self._channels)

    def divide(self, divisions: int) -> None:
        """Halve the fastest rate so often."""
        self._divisions = divisions
        self.retime()

    def retime(self) -> None:
        """Follow the time constant; a capture that is running goes on at the new rate, as at the real instrument."""
        if self._panel.capture_rate:
            self._collect()
            self._set_rate(self.rate)

    @property
    def length(self) -> int:
        """Length of the memory, kB."""
        return self._length // 1024

    @property
    def channels(self) -> int:
        """What is captured: 0 X, 1 XY, 2 RT, 3 XYRT."""
        return self._channels

    @property
    def rate(self) -> float:
        """The rate that is set, Sa/s."""
        return fastest_rate(self._panel.time_constant) / 2.0**self._divisions

    def start(self, *, continuous: bool, mode: int) -> None:
        """Start anew: at once (0), at the next trigger (1) or with one sample at each trigger (2)."""
        self.configure(self._channels)
        self._continuous, self._waiting = continuous, mode
        if mode == _AT_ONCE:
            self._begin()

    def trigger(self) -> None:
        """A trigger arrives."""
        if self._waiting == _EACH_TRIGGER:
            self._state |= _RUNNING | _TRIGGERED
            self._keep(np.array([self._bench.lockin_output()]))
        elif self._waiting == _AT_TRIGGER:
            self._begin()

    def stop(self) -> None:
        """End the capture; what was captured stays."""
        self._collect()
        self._halt()

    def state(self) -> int:
        """Bits: 0 running, 1 triggered, 2 wrapped around."""
        self._collect()
        return self._state

    def size(self) -> int:
        """Bytes captured so far."""
        self._collect()
        return self._data.nbytes

    def filled(self) -> int:
        """kB of blocks that the capture has begun; only after it has stopped."""
        self._refuse_while_running()
        return 2 * math.ceil(self._data.nbytes / _BLOCK)

    def row(self, position: int) -> NDArray[np.float32]:
        """Numbers captured at one moment, oldest first; zeros behind the end."""
        self._collect()
        rows = self._data.reshape(-1, self._columns)
        return rows[position] if position < len(rows) else np.zeros(self._columns, dtype="<f4")

    def block(self, offset: int, kilobytes: int) -> bytes:
        """Part of the memory, wrapping around at its end, as an IEEE 488.2 block; only when nothing is captured."""
        self._refuse_while_running()
        memory = np.zeros(self._length, dtype=np.uint8)
        memory[: self._data.nbytes] = self._data.view(np.uint8)
        content = memory[np.arange(1024 * offset, 1024 * (offset + kilobytes)) % self._length].tobytes()
        size = str(len(content))
        return f"#{len(size)}{size}".encode("ascii") + content

    @property
    def _columns(self) -> int:
        return _COLUMNS[self._channels]

    def _empty(self) -> None:
        self._data = np.zeros(0, dtype="<f4")

    def _refuse_while_running(self) -> None:
        if self.state() & _RUNNING:
            raise ExecutionError("capture is running")

    def _begin(self) -> None:
        self._waiting = _AT_ONCE
        self._state = _RUNNING | _TRIGGERED
        self._set_rate(self.rate)

    def _halt(self) -> None:
        self._set_rate(0.0)
        self._waiting = _AT_ONCE
        self._state &= ~_RUNNING

    def _set_rate(self, rate: float) -> None:
        with self._bench.lock:
            self._bench.advance()
            self._panel.capture_rate = rate

    def _collect(self) -> None:
        if self._panel.capture_rate:
            self._bench.advance()
            self._keep(self._bench.lockin_captured())

    def _keep(self, output: ComplexArray) -> None:
        x, y, r, theta = output.real, output.imag, np.abs(output), np.degrees(np.angle(output))
        columns = ((x,), (x, y), (r, theta), (x, y, r, theta))[self._channels]
        self._data = np.concatenate([self._data, np.stack(columns, axis=1).astype("<f4").ravel()])
        if self._data.nbytes < self._length:
            return
        self._state |= _WRAPPED
        if self._continuous:
            given_free = math.ceil((self._data.nbytes - self._length) / _BLOCK) * _BLOCK
            self._data = self._data[given_free // 4 :]
        else:
            self._data = self._data[: self._length // 4]
            self._halt()
