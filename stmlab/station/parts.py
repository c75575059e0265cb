"""What of a station needs no connection: its roles, its parts, the limits of its outputs, what may stand together.

`Station` fills the roles with connected instruments, `PlannedStation` with such as cannot be asked anything.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from stmlab.errors import SequenceError, StationError
from stmlab.station import assembly
from stmlab.station.limits import Limit
from stmlab.station.replaying import narrowed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from stmlab.arrays import FloatArray
    from stmlab.axes import Axis
    from stmlab.clock import Clock
    from stmlab.events import ParameterValue
    from stmlab.station.configuration import ModulationConfig, StationConfig
    from stmlab.station.instruments import (
        BiasSource,
        BiasSpectroscope,
        Generator,
        LockIn,
        Preamplifier,
        RadioFrequencyPath,
        TipController,
    )
    from stmlab.station.outputs import Outputs


class StationParts:
    """Base of a station.

    Attributes:
        config: the checked configuration.
        path: where it was read; messages name it.
        roles: role -> name of its instrument, and the guard in front of it.
        outputs: what may stand at them together.
        rf_path, preamplifier: passive parts, None where there is none.
        recording: that is replayed, None: none.
        clock: of the station.
    """

    config: StationConfig
    path: Path
    roles: dict[str, tuple[str, Any]]
    outputs: Outputs
    rf_path: RadioFrequencyPath | None
    preamplifier: Preamplifier | None
    recording: Any
    clock: Clock
    _limits: dict[str, Limit]

    # -- roles ---------------------------------------------------------------------------------------------------

    @property
    def lockin(self) -> LockIn:
        """The lock-in amplifier."""
        return cast("LockIn", self._guard_of("lockin"))

    @property
    def generator(self) -> Generator:
        """The waveform generator."""
        return cast("Generator", self._guard_of("generator"))

    @property
    def bias(self) -> BiasSource:
        """The source of the DC bias."""
        return cast("BiasSource", self._guard_of("bias"))

    @property
    def tip(self) -> TipController:
        """The STM controller."""
        return cast("TipController", self._guard_of("tip"))

    @property
    def spectroscopy(self) -> BiasSpectroscope:
        """The controller's own sweeps of the bias."""
        return cast("BiasSpectroscope", self._guard_of("spectroscopy"))

    @property
    def path_to_junction(self) -> RadioFrequencyPath:
        """What lies between generator and junction."""
        return cast("RadioFrequencyPath", self._part("rf_path", self.rf_path))

    @property
    def current_preamplifier(self) -> Preamplifier:
        """The current preamplifier."""
        return cast("Preamplifier", self._part("preamplifier", self.preamplifier))

    @property
    def modulation_divider(self) -> float:
        """Volts at the lock-in's sine output per volt of modulation at the junction."""
        modulation = cast("ModulationConfig", self._part("modulation", self.config.modulation))
        return modulation.divider

    def limit(self, name: str) -> Limit:
        """The limit of an output: bias, setpoint, rf_frequency, rf_amplitude, junction_amplitude or modulation.

        ``setpoint_bias`` has the bounds of the bias: it is the bias while RF and modulation are off. Where a recording
        is replayed, no limit is wider than what was recorded.
        """
        if name == "setpoint_bias":
            limit = replace(self._limits["bias"], name=name)
        elif name in self._limits:
            limit = self._limits[name]
        else:
            raise StationError(f"{self.path}: limits.{name} is missing, so nothing may use this output")
        return limit if self.recording is None else narrowed(limit, self.recording, name)

    def recording_notes(self) -> tuple[str, ...]:
        """How a recording is replayed, and what of it is not; one sentence each."""
        return () if self.recording is None else (str(self.recording), *self.recording.source.notes)

    def check_recorded(self, axes: Sequence[Axis], parameters: Mapping[str, ParameterValue]) -> None:
        """Refuse, before anything moves, what a recording that is replayed does not hold.

        Raises:
            SequenceError: an axis that was not recorded, a parameter other than recorded, or a current that would
                saturate the preamplifier.
            OutOfBounds: an axis beyond the recorded range.
        """
        if self.recording is None:
            return
        self.recording.check_plan(axes, parameters)
        current, preamplifier = self.recording.largest_current(axes, parameters), self.preamplifier
        if preamplifier is not None and current * preamplifier.gain > preamplifier.saturation:
            raise SequenceError(
                f"{self.recording.source.path}: its current comes to {current:.3g} A here and would saturate the "
                f"preamplifier at {preamplifier.saturation / preamplifier.gain:.3g} A: lower the setpoint or the range"
            )

    def check_demands(self, demands: Mapping[str, float | FloatArray]) -> None:
        """Refuse, before anything moves, values outside the limits, or too much together.

        Args:
            demands: see Sequence.demands.

        Raises:
            OutOfBounds: a value, or what adds up at the junction.
            SequenceError: an interlock.
        """
        for name, values in demands.items():
            self.limit(name).check(np.abs(values) if name == "setpoint" else values)
        self.outputs.check_together(demands)
        threshold = self.config.controller.safe_tip_threshold
        if threshold is not None and "setpoint" in demands:
            trips = Limit("setpoint", "A", 0.0, threshold, f"{self.path}: controller.safe_tip_threshold")
            trips.check(np.abs(demands["setpoint"]))

    def check_setpoint(self, bias: float) -> None:
        """Raise SequenceError if the feedback, closed at this bias (V), would drive the tip into the sample."""
        smallest = self.config.limits.bias.smallest_with_feedback
        if abs(bias) < smallest:
            raise SequenceError(
                f"feedback at a bias of {bias:g} V would drive the tip into the sample: at least {smallest:g} V is "
                f"allowed ({self.path}: limits.bias.smallest_with_feedback)"
            )

    @property
    def longest_pause(self) -> float:
        """s; a longer pause withdraws the tip."""
        return float(self.config.safe.longest_pause)

    @property
    def is_simulated(self) -> bool:
        """Whether what is under the tip is simulated; then nobody need be asked about it."""
        return self.config.simulation is not None

    @property
    def attempts(self) -> int:
        """At one point, or one set-up, the first included; after them a transient fault ends the run."""
        return self.config.watch.attempts

    @property
    def guards(self) -> dict[str, Any]:
        """Instrument -> its guard; of one that fills several roles that of the tip, which knows the loop."""
        return {self.roles[role][0]: self.roles[role][1] for role in assembly.ROLES if role in self.roles}

    def _guard_of(self, role: str) -> object:
        return self._part(role, self.roles[role][1] if role in self.roles else None)

    def _part(self, name: str, filled: object) -> object:
        if filled is None:
            raise StationError(f"{self.path}: this station has no {name}")
        return filled
