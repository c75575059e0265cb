"""The guard of the lock-in: its sine output is checked; its auxiliary outputs and DC level cannot be set by a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from stmlab.errors import SequenceError
from stmlab.station.guards.guard import Guard, NotAllowed
from stmlab.station.outputs import Change

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.station.configuration import AuxOutput
    from stmlab.station.instruments import LockIn
    from stmlab.station.limits import Limit
    from stmlab.station.outputs import Outputs

_SET_WITH_INPUT = ("reference_source", "sensitivity", "input_range", "input_coupling", "input_config")


def _aux_output(number: AuxOutput) -> property:
    name = f"aux_out_{number}"

    def get(self: GuardedLockIn) -> float:
        return float(getattr(self._driver(), name))

    def put(self: GuardedLockIn, value: float) -> None:
        self._set_aux_output(number, name, float(value))

    return property(get, put, doc=f"V at auxiliary output {number}; only what the station file says may be set.")


class GuardedLockIn(Guard):
    """A LockIn whose sine output keeps within limits.modulation and what may stand at the junction in all.

    Args:
        name: of the instrument in the station.
        lockin: the driver.
        outputs: of the station.
        modulation: bounds of the sine output, V rms; None: it may not be used.
        aux_outputs: number -> V, of those auxiliary outputs that the station file sets.
    """

    __slots__ = ("_aux_outputs", "_modulation")

    _PASSED: ClassVar[tuple[str, ...]] = (
        *("xy", "clear", "settling_time", "noise_bandwidth", "least_sine_voltage", "quiet", "sine_offset"),
    )
    _SETTINGS: ClassVar[tuple[str, ...]] = (
        *("frequency", "phase", "harmonic", "time_constant", "filter_slope", "sensitivity"),
    )
    _OUTPUTS: ClassVar[tuple[str, ...]] = ("modulation", "modulation_offset")

    def __init__(
        self,
        name: str,
        lockin: LockIn,
        outputs: Outputs,
        *,
        modulation: Limit | None,
        aux_outputs: Mapping[AuxOutput, float],
    ) -> None:
        super().__init__(name, lockin, outputs)
        object.__setattr__(self, "_modulation", modulation)
        object.__setattr__(self, "_aux_outputs", dict(aux_outputs))
        outputs.readable(
            modulation=lambda: float(lockin.sine_voltage), modulation_offset=lambda: float(lockin.sine_offset)
        )
        if modulation is not None:
            outputs.silent(name, "the modulation", lockin.quiet)

    @property
    def sine_voltage(self) -> float:
        """V rms at the sine output; raises ValueNotTaken if it reads as something else than was last set."""
        return float(self._as_set("sine_voltage", self._driver().sine_voltage))

    @sine_voltage.setter
    def sine_voltage(self, value: float) -> None:
        value, driver = float(value), self._driver()

        def allowed() -> None:
            if self._modulation is None:
                raise SequenceError("the station sets no limits.modulation: the lock-in's sine output cannot be used")
            self._modulation.check(value)

        def send() -> None:
            driver.sine_voltage = value
            self._note(sine_voltage=value)

        self._outputs.change(Change(self._name, "sine_voltage", value, "V", {"modulation": value}), send, allowed)

    def outputs_off(self) -> None:
        """See LockIn; never refused."""
        driver = self._driver()

        def send() -> None:
            driver.outputs_off()
            self._note(sine_voltage=driver.least_sine_voltage, sine_offset=0.0)

        least = float(driver.least_sine_voltage)
        outputs = {"modulation": least, "modulation_offset": 0.0}
        self._outputs.release(Change(self._name, "sine_voltage", least, "V", outputs), send)

    aux_out_1, aux_out_2 = _aux_output("1"), _aux_output("2")
    aux_out_3, aux_out_4 = _aux_output("3"), _aux_output("4")

    def _set_aux_output(self, number: AuxOutput, name: str, value: float) -> None:
        def allowed() -> None:
            if self._aux_outputs.get(number) != value:
                raise NotAllowed(f"{self._name}: {name} = {value:g} V is not what the station file says in aux_outputs")

        def send() -> None:
            setattr(self._driver(), name, value)
            self._note(**{name: value})

        self._outputs.change(Change(self._name, name, value, "V"), send, allowed)

    def use_internal_reference(self) -> None:
        """See LockIn."""
        self._driver().use_internal_reference()
        self._note_watched()

    def prepare_input(self, full_scale: float) -> None:
        """See LockIn."""
        self._driver().prepare_input(full_scale)
        self._note_watched()

    def _note_watched(self) -> None:
        """Note what these two set, as it reads back, so that a look can be compared with it."""
        driver = self._driver()
        self._note(**{name: getattr(driver, name) for name in _SET_WITH_INPUT if name in driver.WATCHED})
