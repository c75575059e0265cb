"""What a Keysight M8195A has beside its waveforms: levels, reference clock, status registers, state, files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stmlab.simulation import m8195a_settings as at
from stmlab.simulation.scpi_commands import Command
from stmlab.simulation.scpi_files import Files
from stmlab.simulation.scpi_grammar import ScpiError, block, content
from stmlab.simulation.scpi_status import StatusGroup
from stmlab.simulation.scpi_values import Choice, Integer, Number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stmlab.simulation.m8195a import VirtualM8195A
_RUN = 8  # bit of the operation condition register
_QUESTIONABLE, _OPERATION = 1 << 3, 1 << 7  # bits of the status byte
_ANY_LEVEL = Number(-2.0, 4.0, "V")
_PORTS = ("INSTrument[:NUMBer]", "HISLip[:NUMBer]", "SOCKet[:PORT]", "TELNet[:PORT]", "TCPip:CONTrol[:PORT]")


class SystemCommands:
    """Carries them out.

    Args:
        generator: whose settings it reads and changes.
    """

    def __init__(self, generator: VirtualM8195A) -> None:
        self._generator = generator
        self._run = StatusGroup(":STATus:OPERation:RUN", self._running)
        self._operation = StatusGroup(":STATus:OPERation", lambda: self._run.summary << _RUN)
        self._questionable = [
            StatusGroup(f":STATus:QUEStionable{node}")  # nothing that is simulated becomes questionable
            for node in ("", ":VOLTage", ":FREQuency", ":CONNection", ":SEQuence", ":DUConversion")
        ]
        self.power_on()

    def power_on(self) -> None:
        """Status registers as after switching on."""
        self.clear_status()
        self._preset(1)
        self._files = Files(self._generator.stored, self._generator.restore)

    def refresh(self) -> None:
        """Note in the status registers what has changed; the questionable ones never do."""
        self._run.refresh()
        self._operation.refresh()

    def clear_status(self) -> None:
        """Forget all events."""
        for group in self._groups:
            group.clear()

    def summaries(self) -> int:
        """Bits of the status byte."""
        return self._operation.summary * _OPERATION | self._questionable[0].summary * _QUESTIONABLE

    def commands(self) -> Iterator[Command]:
        """All of them."""
        yield from self._level_commands()
        yield from self._reference_commands()
        for group in self._groups:
            yield from group.commands()
        yield Command(":STATus:PRESet", self._preset)
        yield Command(":INSTrument:SLOT?", lambda _: "1")
        yield Command(":INSTrument:HWRevision?", lambda _: "2")
        yield Command(":INSTrument:IDENtify", lambda _, seconds=10: None, (Integer(0, 3600),), optional=1)
        for port in _PORTS:
            yield Command(f":SYSTem:COMMunicate:{port}?", lambda _: "-1")  # not available: the server chooses its own
        yield Command("*LRN?", lambda _: block(self._generator.stored()))
        yield Command(":SYSTem:SET?", lambda _: block(self._generator.stored()))
        yield Command(":SYSTem:SET", lambda _, state: self._generator.restore(state), rest=content)
        yield Command(":SYSTem:HELP:HEADers?", lambda _: block(self._generator.headers().encode("ascii")))
        yield from self._files.commands()

    @property
    def _groups(self) -> list[StatusGroup]:
        return [self._run, self._operation, *self._questionable]

    def _running(self) -> int:
        """Bit by channel, from bit 0 (User's Guide, 6.7.10)."""
        return sum(1 << (channel - 1) for channel in self._generator.running_channels())

    def _preset(self, _: int) -> None:
        for group in self._groups:
            group.preset()

    # -- levels ----------------------------------------------------------------------------------------------------

    def _level_commands(self) -> Iterator[Command]:
        yield Command(at.HIGH, lambda channel, high: self._span(channel, self._low(channel), high), (_ANY_LEVEL,))
        yield Command(at.LOW, lambda channel, low: self._span(channel, low, self._high(channel)), (_ANY_LEVEL,))
        yield Command(f"{at.HIGH}?", lambda channel: _ANY_LEVEL.render(self._high(channel)))
        yield Command(f"{at.LOW}?", lambda channel: _ANY_LEVEL.render(self._low(channel)))

    def _low(self, channel: int) -> float:
        return float(self._generator.value(at.VOLTAGE_OFFSET, channel) - self._generator.value(at.LEVEL, channel) / 2)

    def _high(self, channel: int) -> float:
        return float(self._generator.value(at.VOLTAGE_OFFSET, channel) + self._generator.value(at.LEVEL, channel) / 2)

    def _span(self, channel: int, low: float, high: float) -> None:
        """Output between ``low`` and ``high``, V; both or neither of amplitude and offset change."""
        amplitude, offset = at.AMPLITUDE.checked(high - low), at.OFFSET_RANGE.checked((high + low) / 2)
        self._generator.put(at.LEVEL, channel, amplitude)
        self._generator.put(at.VOLTAGE_OFFSET, channel, offset)

    # -- reference clock -------------------------------------------------------------------------------------------

    def _reference_commands(self) -> Iterator[Command]:
        source = "[:SOURce]:ROSCillator"
        yield Command(f"{source}:FREQuency", lambda _, frequency: self._refer(frequency), (at.ANY_REFERENCE,))
        yield Command(f"{source}:FREQuency?", lambda _: self._reference_in_range(self._range))
        yield Command(at.REFERENCE_IN_RANGE, self._refer_in_range, (at.ANY_REFERENCE,))
        yield Command(f"{at.REFERENCE_IN_RANGE}?", self._reference_in_range)
        yield Command(
            f"{source}:SOURce:CHECk?",
            lambda _, name: str(int(name != "EXT")),
            (Choice(("EXTernal", "AXI", "INTernal")),),
        )

    @property
    def _range(self) -> int:
        return int(self._generator.value(at.REFERENCE_RANGE)[-1])

    def _refer(self, frequency: float) -> None:
        """In the range in use if that holds it; otherwise the range follows, which is assumed."""
        number = self._range
        if not at.REFERENCES[number].holds(frequency):
            number = 3 - number
            self._generator.put(at.REFERENCE_RANGE, 1, f"RANG{number}")
        self._refer_in_range(number, frequency)

    def _refer_in_range(self, number: int, frequency: float) -> None:
        if number not in at.REFERENCES:
            raise ScpiError(-114)
        self._generator.put(at.REFERENCE_IN_RANGE, number, at.REFERENCES[number].checked(frequency))

    def _reference_in_range(self, number: int) -> str:
        if number not in at.REFERENCES:
            raise ScpiError(-114)
        return at.ANY_REFERENCE.render(self._generator.value(at.REFERENCE_IN_RANGE, number))
