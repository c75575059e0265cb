"""A person at the instruments while no run owns them: live values, and changes through the same guards as a run's.

Whatever is set here keeps the station's limits and interlocks and stands in the audit log. When the person leaves, RF
and modulation are switched off; a closed loop stays at the bias and setpoint that it has, an open one goes to the safe
state.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stmlab.errors import InstrumentLost, SequenceError, StationError, StmlabError
from stmlab.station.instruments import LoopStatus
from stmlab.station.safe_report import Ending, Loop, SafeReport
from stmlab.station.turns import Turns

if TYPE_CHECKING:
    from stmlab.station.instruments import Value
    from stmlab.station.station import Station


@dataclass(frozen=True)
class Knob:
    """A setting that a person may change.

    Attributes:
        name: of the property at its guard.
        role: that has it.
        label: on the panel.
        unit: SI, "" for a number without one or a switch.
        limit: name of the station's limit, "" where the instrument's own range is the only one.
        choices: what it can be; empty: any number within the limit.
        output: whether it changes an output; a setting of the lock-in alone moves nothing.
    """

    name: str
    role: str
    label: str
    unit: str
    limit: str = ""
    choices: tuple[Value, ...] = ()
    output: bool = False


KNOBS = (
    Knob("bias", "bias", "Bias", "V", "bias", output=True),
    Knob("setpoint", "tip", "Setpoint", "A", "setpoint", output=True),
    Knob("feedback", "tip", "Feedback", "", choices=(True, False), output=True),
    Knob("sine_voltage", "lockin", "Sine output (rms)", "V", "modulation", output=True),
    Knob("frequency", "lockin", "Reference frequency", "Hz"),
    Knob("phase", "lockin", "Phase", "deg"),
    Knob("harmonic", "lockin", "Harmonic", ""),
    Knob("time_constant", "lockin", "Time constant", "s"),
    Knob("filter_slope", "lockin", "Filter slope", "dB/oct", choices=(6, 12, 18, 24)),
    Knob("sensitivity", "lockin", "Sensitivity (rms)", "V"),
)


@dataclass
class Seen:
    """What is known of one instrument.

    Attributes:
        connected: whether it answered last time.
        values: property -> value, as last read.
        reports: what it says is wrong: an overload, an unlocked reference, a trip.
        problem: why it did not answer; "" if it did.
    """

    connected: bool = True
    values: dict[str, Value] = field(default_factory=dict)
    reports: tuple[str, ...] = ()
    problem: str = ""


class Desk:
    """One station and the person at it.

    Args:
        station: loaded, and owned by this process.

    Attributes:
        seen: instrument -> what is known of it.
    """

    def __init__(self, station: Station) -> None:
        self._station = station
        self.seen: dict[str, Seen] = {name: Seen() for name in station.guards}
        self._turns = {name: Turns(guard.BY_TURNS) for name, guard in station.guards.items()}

    @property
    def knobs(self) -> tuple[Knob, ...]:
        """Those that this station has: a role that is filled, and a limit that is set."""
        return tuple(knob for knob in KNOBS if knob.role in self._station.roles and self._is_allowed(knob))

    def look(self, name: str, *, everything: bool = False) -> Seen:
        """Ask one instrument for a few of its watched properties, the others by turns, or for everything."""
        guard, seen, turns = self._station.guards[name], self.seen[name], self._turns[name]
        try:
            if not seen.connected:
                guard.reconnect()
            look = guard.look(turns.all if everything else turns.due(1 / len(turns.all)))
        except (StmlabError, OSError) as error:
            seen.connected = not isinstance(error, InstrumentLost | OSError)
            seen.problem = str(error)
            return seen
        seen.values |= look.values
        seen.connected, seen.reports, seen.problem = True, look.reports, ""
        return seen

    def set(self, name: str, value: Value) -> None:
        """Change a setting, and read it back.

        Raises:
            StationError: there is no such knob.
            StmlabError: refused (nothing was sent), or not confirmed.
        """
        knob = next((knob for knob in self.knobs if knob.name == name), None)
        if knob is None:
            raise StationError(f"{name} cannot be set by hand on this station")
        if knob.choices and value not in knob.choices:
            raise SequenceError(f"{knob.label} = {value}: one of {', '.join(map(str, knob.choices))}")
        instrument, guard = self._station.roles[knob.role]
        setattr(guard, name, value)
        self.seen[instrument].values[name] = value

    def play(self, frequency: float, amplitude: float) -> None:
        """Play a tone, not gated: ``amplitude`` (V peak) at the junction, where the line's transfer is known.

        Raises:
            StmlabError: refused (nothing was sent), or not confirmed.
        """
        transfer = 1.0
        if self._station.rf_path is not None:
            from numpy import array

            transfer = float(abs(self._station.rf_path.transfer(array([frequency]))[0]))
        self._station.generator.play_tone(frequency, amplitude / transfer, gated=False)

    def rf_off(self) -> None:
        """Switch the generator off; never refused."""
        self._station.generator.off()

    def leave(self) -> SafeReport:
        """RF and modulation off; the loop as it is where it is closed, else the safe state.

        Returns:
            How the station is left; what could not be confirmed is said.
        """
        station = self._station
        if not station.last_set.moved:
            return SafeReport(Loop.UNTOUCHED)
        try:
            report = SafeReport(Loop.CLOSED) if self._is_quiet() and self._is_closed() else None
        except (StmlabError, OSError):
            report = None
        if report is None:
            return station.make_safe(Ending.NORMAL)
        station.leave(report)
        return report

    def _is_quiet(self) -> bool:
        """Whether RF and modulation were seen off after they were switched off."""
        quiet = True
        if "generator" in self._station.roles:
            self._station.generator.off()
            quiet &= self._station.generator.is_off()
        if "lockin" in self._station.roles:
            self._station.lockin.outputs_off()
            quiet &= self._station.lockin.quiet()
        return quiet

    def _is_closed(self) -> bool:
        """Whether the loop holds the tip; True where there is none."""
        if "tip" not in self._station.roles:
            return True
        state: Any = self._station.tip.state
        return bool(state.loop) and state.status is LoopStatus.ON

    def _is_allowed(self, knob: Knob) -> bool:
        if not knob.limit:
            return True
        try:
            self._station.limit(knob.limit)
        except StationError:
            return False
        return True
