"""The station: instruments by role behind their limits, built from configuration, with a hold state and a safe state.

``Station.load("simulated")`` reads the file, imports each driver by its dotted path, connects, and hands out the roles
``lockin``, ``generator``, ``bias``, ``tip``, ``spectroscopy``, ``rf_path``, ``preamplifier`` and ``clock``. On a
simulated station the addresses ``simulation:NAME`` lead into the simulated microscope, over the same bytes as the cable
would carry.
"""

from __future__ import annotations

from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any

from stmlab.clock import Clock, SimulatedClock
from stmlab.config_files import find
from stmlab.errors import StmlabError, TipTripped, TipWithdrawn
from stmlab.station import assembly
from stmlab.station.audit import Audit, audit_path
from stmlab.station.heartbeat import AnnouncedClock, Heartbeat
from stmlab.station.instruments import Preamplifier
from stmlab.station.last_set import LastSet
from stmlab.station.lock import StationLock, addresses
from stmlab.station.outputs import Outputs
from stmlab.station.ownership import Ownership
from stmlab.station.parts import StationParts
from stmlab.station.preparation import prepare_outputs
from stmlab.station.replaying import doubts_of, recording_of
from stmlab.station.safe_report import Ending, SafeReport
from stmlab.station.safe_state import reconnected
from stmlab.station.shared import SharedState, Slot
from stmlab.station.states import Place, States
from stmlab.station.tip_mark import Retreat, TipMark
from stmlab.station.watch import Watch
from stmlab.station.watchers import Watchers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from typing import Self

    from stmlab.events import ParameterValue
    from stmlab.station.configuration import StationConfig
    from stmlab.station.instruments import Device
    from stmlab.station.outputs import Demands
    from stmlab.station.wire.place import Wire


class Station(StationParts):
    """Instruments of one microscope. A context manager: leaving it closes the connections.

    Args:
        config: the checked configuration.
        text: the file as it stands, for the run's record.
        path: where it was read; messages name it.
        sample: name of the sample; on a simulated station it chooses the junction.
        seed: of the simulation; None takes the configured one.
        lock: of its addresses; None takes the usual one.
        for_guardian: the caller is the guardian, which owns the station already and has connections of its own.
        audit: log of outputs; None: that of the station (none for a simulated microscope).
        replay: a recording that is the sample of the simulated microscope: "file" and how it is replayed.
        wire: records or replays every byte between this station and its instruments.
        tip_mark: of the tip controller; None takes the usual one.
        transfer: a measured table of the RF path, in place of what the file says.

    Raises:
        StationBusy: somebody else owns an instrument; nothing was sent.
        StationError: a driver, part or sample that cannot be built.
        InstrumentLost: nothing answers at an address.
    """

    def __init__(
        self,
        config: StationConfig,
        text: str,
        path: Path,
        *,
        sample: str | None = None,
        seed: int | None = None,
        lock: StationLock | None = None,
        for_guardian: bool = False,
        audit: Audit | None = None,
        replay: Mapping[str, Any] | None = None,
        wire: Wire | None = None,
        tip_mark: TipMark | None = None,
        transfer: str | Path | None = None,
    ) -> None:
        self.config, self.text, self.path = config, text, path
        configured = config.simulation.seed if config.simulation else None
        self.seed = configured if seed is None or configured is None else seed
        self.simulation = self._simulated(sample, seed, replay, wire)
        self.recording = recording_of(self.simulation)
        named = sample or config.sample or (config.simulation.sample if config.simulation else "")
        self.sample = self.recording.source.name if replay is not None else named or ""
        self.shared = SharedState()
        self.heartbeat = Heartbeat(self.shared)
        self.ownership = Ownership(self.shared, self.heartbeat)
        self.clock = self._clock(wire)
        self.tip_mark = tip_mark or TipMark.of(config)
        self.when_called: Callable[[], None] | None = None  # a person calls for the safe state: the run ends itself
        self._left: SafeReport | None = None
        self._prepared: Mapping[str, Mapping[str, Any]] = {}
        self.rf_path = assembly.rf_path(config, path, transfer)
        self.preamplifier = Preamplifier(**config.preamplifier.model_dump()) if config.preamplifier else None
        self._limits = assembly.limits(config, path)
        self.last_set = LastSet(self._announce_move)
        self.audit = audit or Audit(None if self.simulation else audit_path(config.name))
        self.outputs = Outputs(assembly.junction(config, path), config.interlock, path, self.last_set, self.audit)
        self._devices: dict[str, Device] = {}
        self.lock = StationLock(()) if for_guardian else lock or StationLock(addresses(config))
        self.lock.acquire()
        try:
            self._connect(for_guardian=for_guardian, wire=wire)
        except BaseException:
            self.close()
            raise

    @classmethod
    def load(
        cls,
        name: str = "simulated",
        *,
        sample: str | None = None,
        seed: int | None = None,
        force: bool = False,
        only_reading: bool = False,
        replay: Mapping[str, Any] | None = None,
        wire: Wire | None = None,
        transfer: str | Path | None = None,
    ) -> Station:
        """Build the station called ``name`` (or at that path).

        Args:
            name: of the station.
            sample: see Station.
            seed: see Station.
            force: take what a dead owner has left.
            only_reading: nothing will be moved; a dead owner's record stays for the next one.
            replay: see Station.
            wire: see Station.
            transfer: see Station.
        """
        from stmlab.station.configuration import read_station

        path = find(name)
        config, text = read_station(path)
        if sample is not None and config.simulation is None:
            config = config.model_copy(update={"sample": sample})
        lock = StationLock(addresses(config), force=force, only_reading=only_reading)
        return cls(config, text, path, sample=sample, seed=seed, lock=lock, replay=replay, wire=wire, transfer=transfer)

    # -- states ----------------------------------------------------------------------------------------------------

    def prepare_outputs(self, demands: Demands | None = None) -> None:
        """Every output as it must be before a sequence prepares; what was found and set goes into the snapshot.

        Args:
            demands: of the sequence; None: of nobody.

        Raises:
            StmlabError: see `stmlab.station.preparation`.
        """
        self._left = None
        self._prepared = prepare_outputs(self, demands or {})

    def hold(self) -> None:
        """The hold state (pause): RF and modulation off, loop closed at the run's setpoint.

        Raises:
            StmlabError: a step was not confirmed; the loop was not closed then.
        """
        self.states.hold()

    def make_safe(self, ending: Ending = Ending.FAULT, *, everything: bool = False) -> SafeReport:
        """The safe state; every step is tried, whatever happens in the others.

        Args:
            ending: what it is made safe after.
            everything: all instruments; otherwise those that this session has moved.

        Returns:
            How it was reached, and what could not be done.
        """
        self._left = None
        self._left = self.states.make_safe(ending, everything=everything)
        if self._left.safe:
            self.shared[Slot.MOVED] = 0.0  # a death from here on leaves nothing to make safe
        return self._left

    def leave(self, report: SafeReport) -> None:
        """The station is left like this; whoever says so has read it back."""
        self._left = report

    @property
    def is_left_safe(self) -> bool:
        """Nothing has been moved, or the safe state was reached since."""
        return not self.last_set.moved or (self._left is not None and self._left.safe)

    def place(self) -> Place | None:
        """Where the tip is now; None where the station has none."""
        return self.states.place()

    def moved_from(self, place: Place | None) -> str:
        """How the tip is no longer at ``place``, in words; "" if it is."""
        return self.states.moved_from(place)

    def reconnect(self, checkpoint: Callable[[], None]) -> None:
        """A fresh connection to every instrument; no setting is touched.

        Args:
            checkpoint: called before each try; what it raises ends them.

        Raises:
            InstrumentLost: one does not answer.
        """
        for guard in self.guards.values():
            reconnected(guard, self.clock, checkpoint)

    def snapshot(self) -> dict[str, dict[str, Any]]:
        """Every setting of every instrument, as read from it: instrument -> property -> value."""
        settings = {name: dict(device.snapshot()) for name, device in self._devices.items()}
        if self.rf_path is not None:
            settings["rf_path"] = dict(self.rf_path.describe())
        if self.config.preamplifier is not None:
            settings["preamplifier"] = self.config.preamplifier.model_dump()
        if self.audit.path is not None:
            settings["audit"] = {"path": str(self.audit.path), "problem": self.audit.problem}
        if self.recording is not None:
            settings["recording"] = self.recording.described()
        if self._prepared:
            settings["prepared"] = {
                f"{role}.{k}": v for role, found in self._prepared.items() for k, v in found.items()
            }
        return settings

    def sample_warnings(self, parameters: Mapping[str, ParameterValue]) -> tuple[str, ...]:
        """What a fit takes for granted and a recording does not hold, or a simulated sample; one sentence each."""
        if self.recording is not None:
            warnings: tuple[str, ...] = self.recording.warnings(parameters)
            return warnings
        return doubts_of(self.simulation, parameters)

    def check_status(self) -> None:
        """Raise InstrumentFault for the first instrument that reports anything wrong."""
        for device in self._devices.values():
            device.check_status()

    def close(self) -> None:
        """Close every connection and give the station back; outputs stay as they are."""
        for device in self._devices.values():
            with suppress(StmlabError, OSError):
                device.close()
        self.lock.release(safe=self.is_left_safe)
        self.audit.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- building --------------------------------------------------------------------------------------------------

    def _simulated(
        self, sample: str | None, seed: int | None, replay: Mapping[str, Any] | None, wire: Wire | None
    ) -> Any:
        """The simulated microscope; None of a real station, and where recorded bytes answer in its place."""
        if wire is not None and wire.replays:
            return None
        return assembly.simulated_microscope(
            self.config, self.path, sample=sample, seed=seed, clock=SimulatedClock(), replay=replay
        )

    def _clock(self, wire: Wire | None) -> Clock:
        clock: Clock = self.simulation.clock if self.simulation else AnnouncedClock(self.heartbeat)
        return clock if wire is None else wire.clock(clock)

    def _connect(self, *, for_guardian: bool, wire: Wire | None) -> None:
        """Connect every instrument, put its guard in front of it, and check that the safe state can be reached."""
        if wire is not None:
            wire.begin(self)
        made, permit = (self.config, self.path, self.simulation), self.ownership.permit
        for name in self.config.instruments:
            self._devices[name] = assembly.connected(name, *made, permit, for_guardian=for_guardian, wire=wire)
        self.roles = assembly.guards(
            self.config,
            self._devices,
            self._limits,
            self.outputs,
            self.clock,
            self.rf_path,
            self._refuse_a_marked_tip,
        )
        assembly.check_reachable(self.config, self.path, self.roles)
        self.states = States(
            self.config,
            self.roles,
            self.last_set,
            self.tip_mark,
            self.clock,
            self.is_simulated,
            self._announce_quiet,
        )
        self.watch = self._build_watch()

    def _announce_move(self, name: str) -> None:
        """The guardian makes safe what has moved."""
        self.shared.mark(Slot.MOVED, list(self.config.instruments).index(name))

    def _announce_quiet(self) -> None:
        """The guardian, which may have passed on a person's call, sees that it is obeyed."""
        self.shared[Slot.QUIET] = monotonic()

    def _build_watch(self) -> Watch:
        return Watch(
            devices=self.guards,
            tip=self.roles["tip"][0] if "tip" in self.roles else "",
            lockins=frozenset(name for role, (name, _) in self.roles.items() if role == "lockin"),
            last_set=self.last_set,
            clock=self.clock,
            config=self.config.watch,
            watchers=Watchers(self.config.watcher, self._devices, self.clock),
        )

    def _refuse_a_marked_tip(self) -> None:
        """Raise if the tip has tripped or was withdrawn and no person has freed it since."""
        if (mark := self.tip_mark.read()) is not None:
            fault = TipTripped if mark.why is Retreat.TRIPPED else TipWithdrawn
            raise fault(self.roles["tip"][0], f"{mark}: `stmlab approach`, by a person, frees the feedback")
