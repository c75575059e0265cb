"""dI/dV: the differential conductance against bias, by the lock-in, at fixed height.

The sweep is in conductance.py; the fit takes a spectrum for inelastic steps of one or two ``pairs``.

Adaptive (``biases = adaptive``). The run chooses each bias from what it has read so far, until the energy of each pair
of steps is known to ``target_error``; a third of the readings is spread over the whole range to check the spectrum. See
`stmlab.analysis.adaptive.step_choice`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from sequences.adaptive import AdaptiveSequence
from sequences.conductance import ConductanceSequence
from stmlab.acquisition.choosing import FINE, AxisChooser
from stmlab.acquisition.parameters import IntegerParameter, ListParameter
from stmlab.axes import Axis, Channel
from stmlab.errors import SequenceError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.analysis.adaptive.step_forecast import ExpectedSteps
    from stmlab.analysis.steps.model import StepModel
    from stmlab.arrays import FloatArray
    from stmlab.results import FitResult


class ConductanceSpectrum(AdaptiveSequence, ConductanceSequence):
    """One dI/dV spectrum: every bias of a sweep, or biases chosen for the energies of the steps."""

    name = "didv"
    title = "dI/dV spectrum: bias sweep at fixed height, modulated, read by the lock-in"
    sought = Channel("energy_so_far", "meV", "energy of the inner step, as known when the point was chosen")
    groups: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "sweep": (
            *("start_bias", "stop_bias", "points", "biases", "target_error", "time_limit"),
            *("backward", "sweeps", "hardware"),
        ),
        "fit": ("pairs", "temperature", "field"),
    }

    biases = ListParameter(
        "Biases",
        choices=("even", "adaptive"),
        default="even",
        description="even: from first to last; adaptive: chosen one by one, until the energy of each pair of steps is "
        "known to target_error",
    )
    pairs = IntegerParameter("Pairs", default=2, minimum=1, maximum=2, description="of steps at +-V, for the fit")

    # -- what will happen ----------------------------------------------------------------------------------------

    @property
    def is_adaptive(self) -> bool:
        """See AdaptiveSequence."""
        return bool(self.biases == "adaptive")

    def axes(self) -> tuple[Axis, ...]:
        """See ConductanceSequence; of an adaptive run the fine grid from which biases are chosen."""
        if not self.is_adaptive:
            return super().axes()
        return (Axis("bias", "V", np.linspace(self.start_bias, self.stop_bias, FINE), "bias"),)

    def verify(self) -> None:
        """See ConductanceSequence; adaptive biases need both polarities, and are set one by one."""
        super().verify()
        if not self.is_adaptive:
            return
        self.check_adaptive()
        if not self.start_bias < 0 < self.stop_bias:
            raise SequenceError(f"{self.name}: adaptive biases need start_bias below and stop_bias above zero")
        for name in ("hardware", "backward"):
            if getattr(self, name):
                raise SequenceError(f"{self.name}: {name} = true: adaptive biases are chosen and set one by one")
        self.check_time()

    def point_seconds(self) -> float:
        """See ConductanceSequence; of an adaptive run with the travel of the bias."""
        reading = super().point_seconds()
        if not self.is_adaptive:
            return reading
        from stmlab.analysis.adaptive.step_choice import TRAVEL

        return reading + min(self._seconds_across() / 2, TRAVEL * reading)

    def new_chooser(self) -> AxisChooser:
        """Chooses each bias."""
        from stmlab.analysis.adaptive.step_choice import StepChoice, energy

        bias = self.axes()[0].values
        low, high = energy(bias[[0, -1]]).tolist()
        target, most = float(self.target_error), self.most_points()
        places = StepChoice(self._model(), low, high, target, most, self.crossing())
        return AxisChooser(places, bias, energy, "conductance")

    def ways(self, value: float) -> Mapping[str, Mapping[str, Any]]:
        """See AdaptiveSequence."""
        return {"even biases": {"biases": "even"}, "adaptive": {"biases": "adaptive"}}

    def expected(self, fit: FitResult, noise: float) -> ExpectedSteps:
        """See AdaptiveSequence."""
        from stmlab.analysis.adaptive.step_forecast import ExpectedSteps

        return ExpectedSteps.of(fit, self._model(), noise)

    def fitted_places(self, values: FloatArray) -> FloatArray:
        """See AdaptiveSequence; energies, meV."""
        from stmlab.analysis.adaptive.step_choice import energy

        return energy(values)

    def readings_averaged(self) -> int:
        """See AdaptiveSequence; even biases are averaged over all sweeps, there and back."""
        at_each = 1 if self.is_adaptive else int(self.sweeps) * (2 if self.backward else 1)
        return at_each * super().readings_averaged()

    def crossing(self) -> float:
        """See AdaptiveSequence."""
        return self._seconds_across() / super().point_seconds()

    # -- the experiment ------------------------------------------------------------------------------------------

    def measure(self) -> dict[str, float | FloatArray]:
        """See ConductanceSequence; of adaptive biases also what was known before."""
        return {**super().measure(), **self.known_before()}

    def analyse(self, run: Any) -> FitResult:
        """Fit the inelastic steps."""
        from stmlab.analysis import analyse

        return analyse(run)

    # -- details -------------------------------------------------------------------------------------------------

    def _model(self) -> StepModel:
        """Everything that an adaptive run leaves free."""
        from stmlab.analysis.steps.model import StepModel

        return StepModel(int(self.pairs), float(self.temperature) or None, float(self.modulation), True, True, False)

    def _seconds_across(self) -> float:
        """Least time of the bias from one end of the range to the other, s."""
        return self.station.limit("bias").seconds([self.start_bias, self.stop_bias])
