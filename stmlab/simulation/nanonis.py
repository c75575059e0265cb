"""The simulated Nanonis STM controller: parses the real bytes of the binary programming interface.

Commands with physics act on the bench; all other settings are kept and returned. Left out, and refused with a
description: the TCP Logger's stream, scanning (the microscope has one spot), files on the controller's computer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.errors import StmlabError
from stmlab.nanonis.commands import COMMANDS
from stmlab.nanonis.frames import HEADER_SIZE, Header, pack_response, unpack_error, unpack_header
from stmlab.nanonis.protocol import Command, Field, GarbledMessage, pack, unpack
from stmlab.nanonis.returns import RETURNS, empty_returns
from stmlab.simulation.machine import Machine
from stmlab.simulation.nanonis_bias import BiasModule
from stmlab.simulation.nanonis_current import CurrentModule
from stmlab.simulation.nanonis_settings import Refusal, Settings
from stmlab.simulation.nanonis_signals import NAMES, SignalModule
from stmlab.simulation.nanonis_spectroscopy import SpectroscopyModule
from stmlab.simulation.nanonis_tip import TipModule
from stmlab.simulation.wire import MessageSession

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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
        self.machine = Machine(bench.clock)
        self._settings = Settings()
        self._current = CurrentModule(bench)
        self._tip = TipModule(bench, self._settings, self._current, self.machine)
        self._bias = BiasModule(bench, self._tip, self.machine)
        signals = SignalModule(bench, self._settings, self._tip, self._bias, self._current, self.machine)
        self._spectroscopy = SpectroscopyModule(bench, self._settings, self._tip, self._bias, signals, self.machine)
        self._handlers: dict[str, Callable[..., Any]] = {
            **self._current.handlers(),
            **self._tip.handlers(),
            **self._bias.handlers(),
            **signals.handlers(),
            **self._spectroscopy.handlers(),
            **self._scan_handlers(),
            **self._session_handlers(),
        }

    def session(self, client: str = "") -> NanonisSession:
        """A new connection."""
        return NanonisSession(self, client)

    def answer(self, name: str, body: bytes) -> bytes:
        """Carry out one request; returns the whole response."""
        command = COMMANDS.get(name)
        if command is None:
            return refused(name, f"{'not simulated' if name in RETURNS else 'unknown command'}: {name}")
        try:
            returned = pack(command.returns, self._carry_out(command, body))
        except StmlabError as refusal:
            return refused(name, str(refusal))
        return pack_response(name, returned)

    # -- what happens without a command ----------------------------------------------------------------------------

    def live(self) -> None:
        """Let the real-time engine look at the current and finish what is due; a served microscope calls it often."""
        with self.machine:
            self.machine.client = "the controller itself"
            self._tip.settle()
            self._tip.watch()

    def trip(self) -> None:
        """SafeTip trips, whatever the current is."""
        with self.machine:
            self._tip.trip()

    def withdraw_by_hand(self) -> None:
        """Somebody at the controller withdraws the tip."""
        with self.machine:
            self._tip.withdraw()

    def power_on(self) -> None:
        """Everything as after switching on: settings forgotten, no bias, the tip withdrawn with the loop open."""
        self.machine.restarts += 1
        self._settings.forget()
        self._current.power_on()
        self._bias.power_on()
        self._tip.power_on()
        self._spectroscopy.power_on()

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
            self.machine.wait(self._settings["Util.AcqPeriod"]["period"])
        position = self._settings["FolMe.XYPos"]
        return position["x"], position["y"]

    def _follow(self, x: float, y: float, wait: int) -> None:
        position = self._settings["FolMe.XYPos"]
        distance = float(np.hypot(x - position["x"], y - position["y"]))
        if wait:
            self.machine.wait(distance / self._settings["FolMe.Speed"]["speed"])
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


def refused(name: str, reason: str) -> bytes:
    """A response with an error: before it what the command usually returns, empty, because clients expect it so."""
    if name in RETURNS:
        return pack_response(name, empty_returns(name), reason)
    command = COMMANDS.get(name)
    fields = command.returns if command is not None else ()
    return pack_response(name, pack(fields, [field.empty() for field in fields]), reason)


class NanonisSession(MessageSession):
    """One connection: takes bytes as they come, answers one request after the other."""

    def __init__(self, controller: VirtualNanonis, client: str = "") -> None:
        super().__init__(controller.machine, client)
        self._controller = controller

    def next_message(self) -> bytes | None:
        """See MessageSession.

        Raises:
            ConnectionAbortedError: what comes is no request, and there is no way to tell where the next one begins.
        """
        if len(self._pending) < HEADER_SIZE:
            return None
        header = self._header(self._pending)
        if header.size > _LARGEST_BODY:
            raise ConnectionAbortedError(f"a body of {header.size} bytes is no request")
        end = HEADER_SIZE + header.size
        if len(self._pending) < end:
            return None
        message = bytes(self._pending[:end])
        del self._pending[:end]
        return message

    def answer(self, message: bytes) -> bytes:
        """See MessageSession."""
        header = self._header(message)
        response = self._controller.answer(header.name, message[HEADER_SIZE:])
        return response if header.respond else b""

    def answer_with_error(self, message: bytes) -> bytes:
        """See MessageSession: the request is carried out all the same."""
        self.answer(message)
        header = self._header(message)
        return refused(header.name, "an error that nobody made") if header.respond else b""

    def label(self, message: bytes) -> str:
        """The command's name."""
        return self._header(message).name

    def with_other_value(self, answer: bytes, other: Callable[[float], float]) -> bytes:
        """See MessageSession: the first number of the first field that has one."""
        name = self._header(answer).name
        command = COMMANDS.get(name)
        if command is None:
            return answer
        values, error = unpack(command.returns, answer[HEADER_SIZE:])
        try:
            changed = pack(command.returns, _with_other_value(values, command.returns, other))
        except StmlabError:  # it would not fit its type
            return answer
        return pack_response(name, changed, unpack_error(error))

    @property
    def unfinished(self) -> bool:
        """See Session."""
        return bool(self._pending)

    def give_up(self) -> bytes:
        """See Session: a request whose body does not come is refused, and the next may follow."""
        pending, self._pending = self._pending, bytearray()
        if len(pending) < HEADER_SIZE:
            return b""
        header = self._header(pending)
        missing = HEADER_SIZE + header.size - len(pending)
        return (
            refused(header.name, f"{missing} of {header.size} bytes of the body did not come")
            if header.respond
            else b""
        )

    @staticmethod
    def _header(message: bytes | bytearray) -> Header:
        try:
            return unpack_header(bytes(message[:HEADER_SIZE]))
        except GarbledMessage as garbled:
            raise ConnectionAbortedError(str(garbled)) from garbled


def _with_other_value(values: Sequence[Any], fields: Sequence[Field], other: Callable[[float], float]) -> list[Any]:
    changed = list(values)
    for index, (value, field) in enumerate(zip(values, fields, strict=True)):
        whole = field.type[0] != "f"
        if isinstance(value, (int, float)):
            changed[index] = (
                max(round(other(value)), 0 if field.type[0] == "u" else -(2**31)) if whole else other(value)
            )
            return changed
        if isinstance(value, np.ndarray) and value.size:
            flat = value.astype(float)
            flat.flat[0] = other(float(flat.flat[0]))
            changed[index] = flat.astype(value.dtype)
            return changed
    return changed
