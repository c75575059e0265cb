"""The capture memory of an SR860: X, Y, R and theta at an even rate."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from drivers import answers
from drivers.controls import indexed, whole
from drivers.lockin import LockInAmplifier
from stmlab.errors import GarbledAnswer, InstrumentFault, OutOfBounds

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_CAPTURE_COLUMNS = {"X": 1, "XY": 2, "RT": 2, "XYRT": 4}
_CAPTURE_MEMORY = 4096  # kB
_CAPTURE_DIVISIONS = 20  # the fastest rate is halved at most so often
_CAPTURE_PIECE = 64  # kB in one answer


class Capture(LockInAmplifier):
    """The part of the driver that captures."""

    read_bytes: Callable[[int], bytes]

    def configure_capture(self, channels: str, samples: int, rate: float | None = None) -> float:
        """Make ready to capture ``samples`` of ``channels`` (X, XY, RT or XYRT) into the instrument's memory.

        Args:
            channels: what is captured at each moment.
            samples: how many moments at least; memory is taken in blocks of 512 numbers, up to 4 MB of 4-byte numbers.
            rate: in Sa/s; None for the fastest at the time constant that is set, which is halved otherwise until it
                would fall below ``rate``.

        Returns:
            The rate that is set, Sa/s.

        Raises:
            NotOffered: no such ``channels``.
            OutOfBounds: more samples than the memory holds, or a rate above the fastest or below the slowest.
        """
        choice = indexed("channels", tuple(_CAPTURE_COLUMNS), "", "SR860")
        columns = _CAPTURE_COLUMNS[choice.check(channels)]
        whole("samples", 1, _CAPTURE_MEMORY * 256 // columns, "SR860's memory").check(samples)
        fastest = self.question("CAPTURERATEMAX?", answers.number(1e-6, 1e8))
        slowest = fastest / 2**_CAPTURE_DIVISIONS
        wanted = fastest if rate is None else rate
        if not slowest <= wanted <= fastest:
            raise OutOfBounds("rate", wanted, slowest, fastest, "Sa/s", "the SR860's time constant")
        divisions = math.floor(math.log2(fastest / wanted))
        kilobytes = 2 * math.ceil(samples * columns / 512)
        self.write(f"CAPTURECFG {list(_CAPTURE_COLUMNS).index(channels)}")
        self.write(f"CAPTURELEN {kilobytes}")
        self.write(f"CAPTURERATE {divisions}")
        return float(fastest / 2**divisions)

    def start_capture(self, *, continuous: bool = False) -> None:
        """Begin to capture at once; stops when the memory is full, unless ``continuous``."""
        self.write(f"CAPTURESTART {int(continuous)}, 0")

    def stop_capture(self) -> None:
        """End the capture."""
        self.write("CAPTURESTOP")

    @property
    def capturing(self) -> bool:
        """Whether a capture is running."""
        return bool(self.question("CAPTURESTAT?", answers.integer(0, 7)) & 1)

    @property
    def captured_bytes(self) -> int:
        """How much has been captured so far, bytes."""
        return int(self.question("CAPTUREBYTES?", answers.integer(0, _CAPTURE_MEMORY * 1024)))

    def read_capture(self) -> NDArray[np.float32]:
        """What has been captured: one row for each moment, one column for each of the channels (V rms, degrees).

        Raises:
            InstrumentFault: the capture is still running.
            InstrumentLost: the answer is no binary block.
        """
        if self.capturing:
            raise InstrumentFault(self.name, "the capture is still running: wait, or stop_capture() first")
        columns = list(_CAPTURE_COLUMNS.values())[self.question("CAPTURECFG?", answers.integer(0, 3))]
        size = self.captured_bytes
        kilobytes = math.ceil(size / 1024)
        pieces = [
            self._capture_block(offset, min(_CAPTURE_PIECE, kilobytes - offset))
            for offset in range(0, kilobytes, _CAPTURE_PIECE)
        ]
        captured = b"".join(pieces)[:size]
        if len(captured) != size or size % (4 * columns):
            raise GarbledAnswer(self.name, "CAPTUREBYTES?", size, f"{len(captured)} bytes in rows of {columns} numbers")
        return np.frombuffer(captured, dtype="<f4").reshape(-1, columns)

    def _capture_block(self, offset: int, kilobytes: int) -> bytes:
        query = f"CAPTUREGET? {offset}, {kilobytes}"
        self.write(query)
        head = self.read_bytes(2)
        if head[:1] != b"#" or not head[1:].isdigit() or head == b"#0":
            raise self._lost_block(query, head, "no binary block")
        size = self.read_bytes(int(head[1:]))
        if not size.isdigit() or int(size) != kilobytes * 1024:
            raise self._lost_block(query, head + size, f"not {kilobytes} kB")
        return bytes(self.read_bytes(int(size)))

    def _lost_block(self, query: str, answer: bytes, why: str) -> GarbledAnswer:
        """Where such an answer ends is not known, so the connection is of no use any more."""
        self.close()
        return GarbledAnswer(self.name, query, answer, why)
