"""What the lock-in amplifiers of one maker share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from drivers import answers
from drivers.controls import Setting
from drivers.questions import Questions
from drivers.status import StatusRegisters
from stmlab import lowpass
from stmlab.errors import InstrumentFault, InstrumentOverload
from stmlab.station.instruments import Look

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from enum import IntFlag

    from stmlab.station.instruments import Value

CHECK, LOOK = "check_status", "look"  # who listens to the status registers
REGISTER = answers.integer(0, 0xFFFF)
_EVENTS = ("LIAS?", REGISTER)
_IN_ONE_MESSAGE = 8  # properties that are due: the instruments keep 256 characters of commands, and of answers
_TOLD = 3  # readings of a property: one just before the change, one that shows it, one that makes sure
XY = answers.row(answers.number(-10.0, 10.0), answers.number(-10.0, 10.0))
"""Reader of X and Y: no lock-in amplifier reads more than its largest input, V rms."""


class LockInAmplifier(Questions):
    """Common methods of the drivers here; stands before pymeasure's class in their bases.

    Class attributes:
        SETTINGS: properties that ``snapshot`` reads.
        STATUS: query of each status register -> (flags, those of them that are faults -> in words).
        LASTING: those of these registers that show the present, and are not cleared when they are read.
        ALWAYS: properties that every look reads.
        BY_ITSELF: bits of LIAS? -> properties that the instrument has changed by itself then, and why.
    """

    SETTINGS: ClassVar[tuple[str, ...]] = ()
    STATUS: ClassVar[Mapping[str, tuple[type[IntFlag], Mapping[IntFlag, str]]]] = {}
    LASTING: ClassVar[tuple[str, ...]] = ()
    BY_ITSELF: ClassVar[Mapping[IntFlag, Mapping[str, str]]] = {}
    ALWAYS: ClassVar[tuple[str, ...]] = ()
    BY_TURNS: ClassVar[tuple[str, ...]] = ()
    WATCHED: ClassVar[tuple[str, ...]] = ()

    time_constant: float
    filter_slope: int
    frequency: float
    filter_synchronous: object
    sine_voltage: float
    sine_offset: float

    def _start_listening(self, *others: str) -> None:
        self._registers = StatusRegisters((CHECK, LOOK, *others))
        self._explained: dict[str, tuple[str, int]] = {}  # property -> why, and for how many readings that is told

    # -- outputs ---------------------------------------------------------------------------------------------------

    @property
    def least_sine_voltage(self) -> float:
        """The smallest sine, V rms; not 0 if it cannot be switched off."""
        raise NotImplementedError

    def outputs_off(self) -> None:
        """Sine to its least, DC level to 0, both read back; raises ValueNotTaken. Auxiliary outputs stay."""
        try:
            self.sine_voltage = self.least_sine_voltage
        finally:
            self.sine_offset = 0.0

    def quiet(self) -> bool:
        """Whether the sine is at its least and the DC level 0, as read back now."""
        least, sine, level = self.least_sine_voltage, self.sine_voltage, self.sine_offset
        return self.agrees("sine_voltage", least, sine) and self.agrees("sine_offset", 0.0, level)

    # -- the filter ------------------------------------------------------------------------------------------------

    def settling_time(self, residual: float = 1e-3) -> float:
        """Seconds after a step until the output is within ``residual`` of it, for the filter that is set.

        Exact for the instrument's equal poles; the synchronous filter, where it is on, averages over one more period.
        """
        settled = lowpass.settling_time(self.time_constant, self.filter_slope, residual)
        if self.filter_synchronous not in (True, "On"):
            return settled
        query = self._setting("frequency").query
        return settled + 1.0 / float(self.question(query, answers.number(1e-3, 1e7)))

    def noise_bandwidth(self) -> float:
        """Equivalent noise bandwidth of the filter that is set, Hz."""
        return lowpass.noise_bandwidth(self.time_constant, self.filter_slope)

    # -- status ----------------------------------------------------------------------------------------------------

    def check_status(self) -> None:
        """Read the status registers, which clears them; what ``look`` has read counts too.

        Raises:
            InstrumentOverload: an overload, in words, and whatever else there is.
            InstrumentFault: a lost reference, a refused command or a hardware error, in words.
        """
        lasting = self._read_registers(*self.STATUS)
        faults: dict[str, bool] = {}  # in words -> whether it is an overload
        for query in self.STATUS:
            bits = lasting[query] if query in lasting else self._registers.take(CHECK, query)
            faults |= self._in_words(query, bits)
        if faults:
            raise (InstrumentOverload if any(faults.values()) else InstrumentFault)(self.name, "; ".join(faults))

    def clear(self) -> None:
        """Forget what the status registers have noted so far, as far as ``check_status`` is concerned."""
        self._read_registers(*(query for query in self.STATUS if query not in self.LASTING))
        self._registers.forget(CHECK)

    def look(self, due: Sequence[str] = ()) -> Look:
        """See Device. Overloads are not reported: ``check_status`` tells those that spoil a reading.

        What the instrument changes by itself is read together with the status that says so.
        """
        values: dict[str, Value] = {}
        for start in range(0, max(len(due), 1), _IN_ONE_MESSAGE):
            names = (*self.ALWAYS, *due[start : start + _IN_ONE_MESSAGE])
            *read, status = self.questions(*map(self._question, names), _EVENTS)
            values.update(zip(names, read, strict=True))
            if status:
                self._note("LIAS?", status)
        return self._seen(values)

    def _seen(self, values: Mapping[str, Value]) -> Look:
        """A Look of values that were read, and of what the lock-in status has to tell."""
        told = self._in_words("LIAS?", self._registers.take(LOOK, "LIAS?"))
        reports = tuple(words for words, overload in told.items() if not overload)
        if not self._explained:
            return Look(values, reports)
        changed = {name: why for name, (why, _) in self._explained.items()}
        left = {name: (why, left - (name in values)) for name, (why, left) in self._explained.items()}
        self._explained = {name: (why, readings) for name, (why, readings) in left.items() if readings > 0}
        return Look(values, reports, changed)

    def _question(self, name: str) -> tuple[str, answers.Reader]:
        setting = self._setting(name)
        return setting.query, setting.reader

    def _setting(self, name: str) -> Setting:
        setting = getattr(type(self), name)
        assert isinstance(setting, Setting), name
        return setting

    def _read_registers(self, *queries: str) -> dict[str, int]:
        """Read registers in one message and note them; returns those that show the present."""
        found = dict(zip(queries, self.questions(*((query, REGISTER) for query in queries)), strict=True))
        for query, bits in found.items():
            if bits and query not in self.LASTING:
                self._note(query, bits)
        return {query: found[query] for query in self.LASTING if query in found}

    def _note(self, query: str, bits: int) -> None:
        self._registers.note(query, bits)
        if query == "LIAS?":
            for flag, reasons in self.BY_ITSELF.items():
                if bits & flag:
                    self._explained |= {name: (why, _TOLD) for name, why in reasons.items()}

    def _in_words(self, query: str, bits: int) -> dict[str, bool]:
        """What is wrong -> whether it is an overload."""
        if not bits:
            return {}
        return {text: "OVERLOAD" in str(flag.name) for flag, text in self.STATUS[query][1].items() if flag & bits}

    # -- all else --------------------------------------------------------------------------------------------------

    def snapshot(self) -> dict[str, Any]:
        """Identity and every setting, read from the instrument: property -> value (SI units, degrees)."""
        return {"identity": self.id} | {name: getattr(self, name) for name in self.SETTINGS}

    @property
    def id(self) -> str:
        """Maker, model, serial number and firmware."""
        return str(self.question("*IDN?", answers.text()))

    def reset(self) -> None:
        """Go back to the settings of the factory."""
        self.write("*RST")

    def auto_phase(self) -> None:
        """Turn the phase so that Y becomes zero (needs a settled signal)."""
        self.write("APHS")
