"""What the lock-in amplifiers of one maker share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from stmlab import lowpass
from stmlab.errors import InstrumentFault, InstrumentLost, InstrumentOverload

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from enum import IntFlag

    from pymeasure.adapters import Adapter


class LockInAmplifier:
    """Common methods of the drivers here; stands before pymeasure's class in their bases.

    Class attributes:
        SETTINGS: properties that ``snapshot`` reads.
        STATUS: query of each status register -> (flags, those of them that are faults -> in words).
    """

    SETTINGS: ClassVar[tuple[str, ...]] = ()
    STATUS: ClassVar[Mapping[str, tuple[type[IntFlag], Mapping[IntFlag, str]]]] = {}

    name: str
    adapter: Adapter
    time_constant: float
    filter_slope: int
    frequency: float
    filter_synchronous: object
    write: Callable[[str], None]
    ask: Callable[[str], str]

    def values(self, command: str, separator: str = ",", cast: Any = float, **arguments: Any) -> list[Any]:
        """Ask ``command`` and return the values of the answer, each made by ``cast``.

        Raises:
            InstrumentLost: the answer holds something else (pymeasure would hand the text on).
        """
        values: list[Any] = super().values(command, separator=separator, cast=cast, **arguments)  # type: ignore[misc]
        if cast in (int, float) and any(isinstance(value, str) for value in values):
            raise InstrumentLost(self.name, f"garbage on the line: {values!r} in answer to {command}")
        return values

    def settling_time(self, residual: float = 1e-3) -> float:
        """Seconds after a step until the output is within ``residual`` of it, for the filter that is set.

        Exact for the instrument's equal poles; the synchronous filter, where it is on, averages over one more period.
        """
        settled = lowpass.settling_time(self.time_constant, self.filter_slope, residual)
        return settled + 1.0 / self.frequency if self.filter_synchronous in (True, "On") else settled

    def noise_bandwidth(self) -> float:
        """Equivalent noise bandwidth of the filter that is set, Hz."""
        return lowpass.noise_bandwidth(self.time_constant, self.filter_slope)

    def check_status(self) -> None:
        """Read the status registers, which clears them.

        Raises:
            InstrumentOverload: an overload, in words, and whatever else there is.
            InstrumentFault: a lost reference, a refused command or a hardware error, in words.
        """
        faults: dict[str, bool] = {}  # in words -> whether it is an overload
        for query, (flags, words) in self.STATUS.items():
            status = flags(self.values(query, cast=int)[0])
            faults |= {text: "OVERLOAD" in str(flag.name) for flag, text in words.items() if flag in status}
        if faults:
            raise (InstrumentOverload if any(faults.values()) else InstrumentFault)(self.name, "; ".join(faults))

    def snapshot(self) -> dict[str, Any]:
        """Identity and every setting, read from the instrument: property -> value (SI units, degrees)."""
        return {"identity": self.id} | {name: getattr(self, name) for name in self.SETTINGS}

    @property
    def id(self) -> str:
        """Maker, model, serial number and firmware."""
        return self.ask("*IDN?").strip()

    def clear(self) -> None:
        """Forget every status event."""
        self.write("*CLS")

    def reset(self) -> None:
        """Go back to the settings of the factory."""
        self.write("*RST")

    def auto_phase(self) -> None:
        """Turn the phase so that Y becomes zero (needs a settled signal)."""
        self.write("APHS")

    def close(self) -> None:
        """Let go of the connection; outputs stay as they are."""
        self.adapter.close()
