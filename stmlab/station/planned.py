"""A station as its file has it, nothing connected: would a run be allowed? Asked before anything is connected."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn, Self

from stmlab.clock import RealClock, SimulatedClock
from stmlab.config_files import find
from stmlab.errors import StmlabError
from stmlab.station import assembly
from stmlab.station.audit import Audit
from stmlab.station.instruments import Preamplifier
from stmlab.station.last_set import LastSet
from stmlab.station.outputs import Outputs
from stmlab.station.parts import StationParts

if TYPE_CHECKING:
    from pathlib import Path

    from stmlab.station.configuration import StationConfig


class NotConnected(StmlabError):
    """An instrument would have to be asked, and none is connected.

    Attributes:
        instrument: its name in the station.
    """

    def __init__(self, instrument: str, what: str) -> None:
        self.instrument = instrument
        super().__init__(f"{instrument}: {what} is known when it is connected")


class _Unasked:
    """Stands for an instrument that is not connected."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, what: str) -> NoReturn:
        raise NotConnected(self._name, what.replace("_", " "))


class PlannedStation(StationParts):
    """Roles, parts and limits from the station's file; whatever would need an instrument raises `NotConnected`.

    Args:
        config: the checked configuration.
        path: of its file.
    """

    def __init__(self, config: StationConfig, path: Path) -> None:
        self.config, self.path = config, path
        self.clock, self.recording = SimulatedClock() if config.simulation else RealClock(), None
        self.rf_path = assembly.rf_path(config, path)
        self.preamplifier = Preamplifier(**config.preamplifier.model_dump()) if config.preamplifier else None
        self._limits = assembly.limits(config, path)
        junction = assembly.junction(config, path)
        self.outputs = Outputs(junction, config.interlock, path, LastSet(lambda _name: None), Audit(None))
        self.roles = {
            role: (name, _Unasked(name)) for name, instrument in config.instruments.items() for role in instrument.roles
        }

    @classmethod
    def load(cls, name: str = "simulated") -> Self:
        """That of the station called ``name``, or at that path.

        Raises:
            StationError: there is no such file, or it is wrong.
        """
        from stmlab.station.configuration import read_station

        path = find(name)
        config, _ = read_station(path)
        return cls(config, path)
