"""The simulated Nanonis STM controller: parses the real bytes of the binary programming interface.

Commands with physics act on the bench; all other settings are kept and returned. Left out, and refused with a
description: the TCP Logger's stream, scanning (the microscope has one spot), files on the controller's computer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.errors import StmlabError
from stmlab.nanonis.commands import COMMANDS
from stmlab.nanonis.protocol import (
    HEADER_SIZE,
    Command,
    GarbledMessage,
    pack,
    pack_response,
    unpack,
    unpack_header,
)
from stmlab.simulation.nanonis_settings import Refusal, Settings
from stmlab.simulation.nanonis_signals import NAMES, SignalModule
from stmlab.simulation.nanonis_spectroscopy import SpectroscopyModule
from stmlab.simulation.nanonis_tip import TipModule

if TYPE_CHECKING:
    from collections.abc import Callable

    from stmlab.simulation.bench import Bench

_LARGEST_BODY = 1 << 24  # bytes; a longer request is none
_SCAN_START, _SCAN_RESUME = 0, 3


class VirtualNanonis:
    """The controller in front of a bench.

    Args:
        bench: the microscope; its tip panel belongs to this instrument.
    """

    greeting = b""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._settings = Settings()
        self._tip = TipModule(bench, self._settings)
        signals = SignalModule(bench, self._settings, self._tip)
        spectroscopy = SpectroscopyModule(bench, self._settings, self._tip, signals)
        self._handlers: dict[str, Callable[..., Any]] = {
            **self._tip.handlers(),
            **signals.handlers(),
            **spectroscopy.handlers(),
            **self._scan_handlers(),
            **self._session_handlers(),
        }

    def session(self) -> NanonisSession:
        """A new connection."""
        return NanonisSession(self)

    def answer(self, name: str, body: bytes) -> bytes:
        """Carry out one request; returns the whole response.

        A refusal returns what the command usually returns, empty, before its error section: so clients expect it.
        """
        command = COMMANDS.get(name)
        if command is None:
            return pack_response(name, b"", f"unknown command: {name}")
        try:
            returned = pack(command.returns, self._carry_out(command, body))
        except StmlabError as refusal:
            return pack_response(
                name, pack(command.returns, [field.empty() for field in command.returns]), str(refusal)
            )
        return pack_response(name, returned)

    def _carry_out(self, command: Command, body: bytes) -> tuple[Any, ...]:
        values, rest = unpack(command.arguments, body)
        if rest:
            raise GarbledMessage(f"the body of {command.name} is {len(rest)} of its {len(body)} bytes too long")
        self._tip.settle()
        handler = self._handlers.get(command.name)
        if handler is None:
            return self._settings.carry_out(command, values)
        return handler(*values) or ()

    # -- the scan generator, which holds still ---------------------------------------------------------------------

    def _scan_handlers(self) -> dict[str, Callable[..., Any]]:
        return {
            "Scan.Action": self._scan,
            "Scan.StatusGet": lambda: (0,),
            "Scan.WaitEndOfScan": lambda _timeout: (0, ""),
            "Scan.WaitEndOfLine": lambda _timeout: (0, 0, 0, 0),
            "Scan.FrameDataGrab": self._frame,
            "Scan.XYPosGet": self._position,
            "FolMe.XYPosGet": self._position,
            "FolMe.XYPosSet": self._follow,
            "FolMe.Stop": lambda: (),
        }

    def _scan(self, action: int, direction: int) -> None:
        if action in (_SCAN_START, _SCAN_RESUME):
            raise Refusal("no scan: the simulated microscope has one spot")
        if action > 6 or direction > 1:
            raise Refusal(f"scan action = {action}, direction = {direction}: 0 to 6 and 0 or 1 are allowed")

    def _frame(self, channel: int, forward: int) -> tuple[str, Any, int]:
        buffer = self._settings["Scan.Buffer"]
        if channel >= len(NAMES) or forward > 1:
            raise Refusal(f"channel = {channel}, direction = {forward}: 0 to {len(NAMES) - 1} and 0 or 1 are allowed")
        return NAMES[channel], np.full((buffer["lines"], buffer["pixels"]), np.nan), 0  # NaN: not measured

    def _position(self, wait: int) -> tuple[float, float]:
        if wait:
            self._bench.clock.sleep(self._settings["Util.AcqPeriod"]["period"])
        position = self._settings["FolMe.XYPos"]
        return position["x"], position["y"]

    def _follow(self, x: float, y: float, wait: int) -> None:
        position = self._settings["FolMe.XYPos"]
        distance = float(np.hypot(x - position["x"], y - position["y"]))
        if wait:
            self._bench.clock.sleep(distance / self._settings["FolMe.Speed"]["speed"])
        position.update(x=x, y=y)

    # -- session ---------------------------------------------------------------------------------------------------

    def _session_handlers(self) -> dict[str, Callable[..., Any]]:
        return {
            "Util.SessionPathSet": self._set_path,
            "Util.Lock": lambda: (),
            "Util.UnLock": lambda: (),
            "Util.VersionGet": lambda: ("Nanonis SPM Control Software", "Generic 5e (simulated)", 14718, 14718),
        }

    def _set_path(self, path: str, _save: int) -> None:
        if not path:
            raise Refusal("the session path must not be empty")
        self._settings["Util.SessionPath"]["path"] = path


class NanonisSession:
    """One connection: takes bytes as they come, answers one request after the other."""

    def __init__(self, controller: VirtualNanonis) -> None:
        self._controller = controller
        self._pending = bytearray()

    def receive(self, data: bytes) -> bytes:
        """See Session.

        Raises:
            ConnectionAbortedError: what comes is no request, and there is no way to tell where the next one begins.
        """
        self._pending += data
        answers = bytearray()
        while len(self._pending) >= HEADER_SIZE:
            try:
                header = unpack_header(bytes(self._pending[:HEADER_SIZE]))
            except GarbledMessage as garbled:
                raise ConnectionAbortedError(str(garbled)) from garbled
            if header.size > _LARGEST_BODY:
                raise ConnectionAbortedError(f"a body of {header.size} bytes is no request")
            end = HEADER_SIZE + header.size
            if len(self._pending) < end:
                break
            body = bytes(self._pending[HEADER_SIZE:end])
            del self._pending[:end]
            answer = self._controller.answer(header.name, body)
            if header.respond:
                answers += answer
        return bytes(answers)
