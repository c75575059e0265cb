"""A Sequence: an experiment written as axes, channels, ``move`` and ``measure``, with no loop to write.

    class Spectrum(Sequence):
        name = "spectrum"
        channels = (Channel("x", "V", "in-phase component"),)
        start = FloatParameter("Start", units="V", default=-0.01, minimum=-1, maximum=1)

        def axes(self): ...             # outer to inner
        def demands(self): ...          # every value that an output will be given
        def prepare(self): ...          # set up, once
        def move_bias(self, value): ... # called when that value, or one of an outer axis, changes
        def settling_time(self): ...    # seconds after a move before a reading is right
        def measure(self): ...          # one value or array per channel
        def analyse(self, run): ...     # fits

From the axes come the shape of the file, the estimate, the check of every value against the limits before anything
moves, and the progress bar. The runner does the waiting: ``measure`` is never called before ``settling_time()`` has
passed since the last ``move``, and the previous point is written while the next one settles.

A Sequence is a pymeasure Procedure, so pymeasure's own tools accept it: ``execute`` emits one record per point.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from stmlab.acquisition.parameters import BooleanParameter, IntegerParameter, Parameter, Procedure
from stmlab.acquisition.path import Path
from stmlab.acquisition.preflight import preflight
from stmlab.errors import SequenceError, StationError
from stmlab.events import ParameterValue
from stmlab.station import Station
from stmlab.station.safe_report import Ending
from stmlab.units import in_unit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from stmlab.acquisition.choosing import Chooser
    from stmlab.arrays import FloatArray, IntArray
    from stmlab.axes import Axis, Channel
    from stmlab.results import FitResult

_FIRST, _LAST = ("setpoint", "sweep"), ("lock-in", "fit", "advanced")  # groups of parameters
_SLICE = 0.05  # s; a wait longer than this listens for stop and abort in between


class Sequence(Procedure):  # type: ignore[misc, unused-ignore]
    """Base of every experiment; see the module's text.

    Attributes:
        name: as in ``stmlab run NAME``.
        title: one line for lists.
        channels: what ``measure`` returns.
        roles: of the station that the sequence cannot do without.
        groups: of forms and lists -> parameters, in the order in which a person thinks of them. A class adds to what
            those above it say, and moves what it names again; what nobody names belongs to "sweep".
        outputs: parameter -> name of the limit of the output that takes its value, where it is the same quantity.
        measures_transfer: whether its fit is a table of the station's RF path, which is named in its choices.
    """

    name: ClassVar[str] = ""
    title: ClassVar[str] = ""
    channels: tuple[Channel, ...] = ()
    roles: ClassVar[tuple[str, ...]] = ()
    groups: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    outputs: ClassVar[Mapping[str, str]] = {}
    measures_transfer: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for name, value in vars(cls).items():
            if isinstance(value, Parameter) and hasattr(Sequence, name):
                raise TypeError(
                    f"{cls.__name__}: a parameter cannot be called {name!r}: every Sequence has that already"
                )

    def __init__(self, **parameters: Any) -> None:
        self._station: Station | None = None
        self._checkpoint: Callable[[], None] = _carry_on
        self._partial: Callable[[Mapping[str, FloatArray]], None] | None = None
        super().__init__()
        for name, value in parameters.items():
            self.set(name, value)

    # -- what an experiment says of itself ---------------------------------------------------------------------------

    def axes(self) -> tuple[Axis, ...]:
        """Axes, outer to inner; hardware-swept axes last."""
        raise NotImplementedError

    def demands(self) -> Mapping[str, float | FloatArray]:
        """Every value that each output will be given: name of the limit -> values in its unit.

        Bias, modulation and junction_amplitude are added up: they may stand at the junction at the same time. The bias
        while RF and modulation are off is called setpoint_bias.

        Called before anything moves; may compute (the generator's amplitude behind a measured line, say).
        """
        return {}

    def verify(self) -> None:
        """Refuse, before anything moves, what no limit knows of; every value lies within its limit by then.

        Raises:
            SequenceError, OutOfBounds: what is asked for cannot be done.
        """

    def visit_order(self, sweep: int) -> IntArray:
        """Positions along the innermost axis that software moves, in the order of their visits.

        Args:
            sweep: number of the sweep along it.

        Raises:
            SequenceError: the axis is visited in its order, and another one was asked for.
        """
        axis, _ = self.movers()[-1]
        return np.arange(len(axis))

    def point_seconds(self) -> float:
        """Estimated duration of one point, s."""
        return 0.0

    def stabilising_seconds(self, points: int) -> float:
        """Estimated time that stabilising the tip takes on the way through ``points`` points, s."""
        return 0.0

    def factors(self) -> Mapping[str, ParameterValue]:
        """Every factor between the raw readings and the physical quantities; asked once, before ``prepare``."""
        return {}

    def prepare(self) -> None:
        """Bring the instruments to where a point can be taken; called again after a pause, before moving back."""

    def settling_time(self) -> float:
        """Seconds after a move before a reading is right."""
        return 0.0

    def measure(self) -> Mapping[str, float | FloatArray]:
        """Read one point: channel name -> value, or array along the hardware-swept axes."""
        raise NotImplementedError

    def finish(self) -> None:
        """After the last point, before the safe state (which comes whatever happens)."""

    def analyse(self, run: Any) -> FitResult | None:
        """Fit the run's data (a ``stmlab.storage.Run``), or None."""
        return None

    def chooser(self) -> Chooser | None:
        """Who chooses the points of the run's only axis, one by one; None: all of them are visited."""
        return None

    def most_points(self) -> int:
        """Points at most: all of them, unless a chooser visits fewer."""
        return math.prod(len(axis) for axis, _ in self.movers())

    @property
    def is_analysed(self) -> bool:
        """Whether there is an analysis of its own."""
        return type(self).analyse is not Sequence.analyse

    # -- what an experiment may use ----------------------------------------------------------------------------------

    @property
    def station(self) -> Station:
        """The instruments, each behind its limits."""
        if self._station is None:
            raise SequenceError(f"{self.name}: not connected to a station")
        return self._station

    def connect(self, station: Station, checkpoint: Callable[[], None] | None = None) -> None:
        """Give the sequence its instruments.

        Args:
            station: must fill every role of ``roles``.
            checkpoint: called between slices of a wait; raises to end it.
        """
        for role in self.roles:
            try:
                getattr(station, role)
            except StationError as error:
                raise SequenceError(f"{self.name} cannot run on station {station.config.name}: {error}") from error
        self._station = station
        self._checkpoint = checkpoint or _carry_on

    def wait(self, seconds: float) -> None:
        """Let ``seconds`` of the station's time pass, listening for stop and abort."""
        clock = self.station.clock
        end = clock.now() + seconds
        while (left := end - clock.now()) > 0:
            self._checkpoint()
            clock.sleep(min(left, _SLICE))

    def tell_partial(self, values: Mapping[str, FloatArray]) -> None:
        """Let viewers see the beginning of a reading that an instrument is still taking; from any thread.

        Args:
            values: channel -> as far as it goes along the hardware-swept axes; they are not kept.
        """
        if self._partial is not None:
            self._partial(values)

    def show_partial(self, listener: Callable[[Mapping[str, FloatArray]], None] | None) -> None:
        """Who is told by `tell_partial`."""
        self._partial = listener

    # -- parameters --------------------------------------------------------------------------------------------------

    def set(self, name: str, value: Any) -> None:
        """Set a parameter from a number or from text with a unit ("4 mV"), within its bounds.

        Raises:
            SequenceError: naming the parameter, the value and what is allowed.
        """
        parameter = self._known(name)
        unit = getattr(parameter, "units", None) or ""
        if isinstance(value, str) and isinstance(getattr(parameter, "minimum", None), int | float):
            try:
                value = in_unit(value, unit)
            except SequenceError as error:
                raise SequenceError(f"{self.name}: {name} = {error}") from error
        self._accept(name, parameter, value)

    def refresh_parameters(self) -> None:
        """Check and convert every parameter (pymeasure does not on assignment); raises SequenceError."""
        for name, parameter in self._parameters.items():
            self._accept(name, parameter, getattr(self, name))

    def parameter_record(self) -> dict[str, ParameterValue]:
        """The parameters as they stand: attribute name -> value, unit, meaning."""
        return {
            name: ParameterValue(getattr(self, name), getattr(p, "units", None) or "", p.description or p.name)
            for name, p in self._parameters.items()
        }

    def grouped(self) -> dict[str, list[str]]:
        """The parameters by group, see ``groups``: "setpoint" and "sweep" first, then as defined, "advanced" last."""
        found: dict[str, list[str]] = {group: [] for group in _FIRST}
        for cls in reversed(type(self).__mro__):
            said = {name: group for group, names in vars(cls).get("groups", {}).items() for name in names}
            named = {name for names in found.values() for name in names} | set(said)
            new = [name for name, value in vars(cls).items() if isinstance(value, Parameter) and name not in named]
            for name, group in [*said.items(), *((name, "sweep") for name in new)]:
                for names in found.values():
                    if name in names:
                        names.remove(name)
                found.setdefault(group, []).append(name)
        found |= {group: found.pop(group, []) for group in _LAST}
        ours = {group: [name for name in names if name in self._parameters] for group, names in found.items()}
        return {group: names for group, names in ours.items() if names}

    def outputs_set(self) -> dict[str, str]:
        """Parameter -> name of the limit of its output, see ``outputs``."""
        said: dict[str, str] = {}
        for cls in reversed(type(self).__mro__):
            said |= vars(cls).get("outputs", {})
        return {name: output for name, output in said.items() if name in self._parameters}

    def _known(self, name: str) -> Parameter:
        try:
            return self._parameters[name]
        except KeyError:
            raise SequenceError(
                f"{self.name} has no parameter {name!r}; it has {', '.join(sorted(self._parameters))}"
            ) from None

    def _accept(self, name: str, parameter: Parameter, value: Any) -> None:
        unit = getattr(parameter, "units", None) or ""
        whole = not isinstance(parameter, IntegerParameter) or isinstance(value, bool) or float(value).is_integer()
        try:
            if isinstance(value, float) and not math.isfinite(value):
                raise ValueError
            if not whole:
                raise ValueError
            parameter.value = value
        except (ValueError, TypeError, OverflowError):
            raise SequenceError(f"{self.name}: {name} = {value!r}: {_allowed(parameter, unit)}") from None
        setattr(self, name, parameter.value)

    # -- the way through the axes ------------------------------------------------------------------------------------

    def movers(self) -> list[tuple[Axis, Callable[[float], float | None]]]:
        """The axes that software moves, outer to inner, each with its ``move_<axis>``."""
        return [(axis, getattr(self, f"move_{axis.name}")) for axis in self.axes() if not axis.hardware]

    def path(self) -> Path:
        """The way through the points: the axes that software moves, outer to inner."""
        return Path(self.movers(), self.visit_order)

    # -- as a pymeasure Procedure ------------------------------------------------------------------------------------

    @cached_property
    def DATA_COLUMNS(self) -> list[str]:
        """Column titles for pymeasure's tools: axes, then channels, units in parentheses."""
        units = [(axis.name, axis.unit) for axis in self.axes() if not axis.hardware]
        units += [(channel.name, channel.unit) for channel in self.channels]
        return [f"{name} ({unit or 'dimensionless'})" for name, unit in units]

    def gen_measurement(self) -> None:
        """pymeasure's hook: channels stand in the class; its check of column titles builds a unit registry (0.15 s)."""
        self.MEASURE: dict[str, str] = {}

    def startup(self) -> None:
        """pymeasure's hook: on the default station if none is connected."""
        if self._station is None:
            self.connect(Station.load())
        preflight(self)
        self.prepare()

    def execute(self) -> None:
        """pymeasure's hook: every point as one record."""
        path = self.path()
        for _, target in path.visits():
            coordinates = path.move_to(target)
            self.wait(self.settling_time())
            values = self.measure()
            row = (*coordinates, *(values[channel.name] for channel in self.channels))
            self.emit("results", dict(zip(self.DATA_COLUMNS, row, strict=True)))
            if self.should_stop():
                break
        self.finish()

    def shutdown(self) -> None:
        """pymeasure's hook: the safe state."""
        if self._station is not None and not (report := self._station.make_safe(self._ending())).safe:
            raise SequenceError(str(report))

    def _ending(self) -> Ending:
        return Ending.FAULT if self.status == self.FAILED else Ending.NORMAL


def _carry_on() -> None:
    """The checkpoint of a sequence that nobody can stop."""


def _allowed(parameter: Parameter, unit: str) -> str:
    if isinstance(parameter, BooleanParameter):
        return "true or false is allowed"
    if (choices := getattr(parameter, "choices", None)) is not None:
        return f"one of {', '.join(map(str, choices))} is allowed"
    low, high = getattr(parameter, "minimum", None), getattr(parameter, "maximum", None)
    kind = "a whole number from " if isinstance(parameter, IntegerParameter) else ""
    return f"{kind}{low:g} to {high:g} {unit}".rstrip() + " is allowed" if low is not None else "not a value for it"
