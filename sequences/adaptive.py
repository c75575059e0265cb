"""An experiment that may choose its points by itself: what srs, pump_probe and didv share.

An experiment says when it is adaptive, over what it chooses, and how what is sought is called; see
`stmlab.acquisition.choosing`.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Any, ClassVar

from sequences.repeated import RepeatedSweeps
from stmlab.acquisition import choosing
from stmlab.acquisition.parameters import FloatParameter
from stmlab.errors import SequenceError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from stmlab.acquisition.choosing import AxisChooser
    from stmlab.analysis.adaptive.forecast import Expected
    from stmlab.arrays import FloatArray
    from stmlab.axes import Channel
    from stmlab.results import FitResult
    from stmlab.station import Station


class AdaptiveSequence(RepeatedSweeps):
    """An experiment that may visit only those points of an axis that reduce the error of what is sought most.

    Attributes:
        sought: channel of the value that is sought, as known when a point was chosen.
    """

    sought: ClassVar[Channel]

    target_error = FloatParameter(
        "Target error",
        default=0.01,
        minimum=1e-3,
        maximum=0.5,
        description="of what is fitted, relative; where the points are adaptive",
    )
    time_limit = FloatParameter(
        "Time limit", units="s", default=3600.0, minimum=1, maximum=1e6, description="where the points are adaptive"
    )

    _chooser: AxisChooser | None = None

    @property
    def is_adaptive(self) -> bool:
        """Whether the points are chosen one by one."""
        raise NotImplementedError

    def new_chooser(self) -> AxisChooser:
        """Chooses the points of an adaptive run."""
        raise NotImplementedError

    # -- what a plan is made of, see stmlab.acquisition.forecast ---------------------------------------------------

    def ways(self, value: float) -> Mapping[str, Mapping[str, Any]]:
        """Each way of placing the points -> its parameters, where what is sought has the value ``value``."""
        raise NotImplementedError

    def expected(self, fit: FitResult, noise: float) -> Expected:
        """What is expected to be read, from the fit of a run whose readings had this standard deviation."""
        raise NotImplementedError

    def fitted_places(self, values: FloatArray) -> FloatArray:
        """Those of the axis's values that are fitted, on the scale on which they are chosen."""
        raise NotImplementedError

    def readings_averaged(self) -> int:
        """Number of readings behind each value that is fitted, in a run with these parameters."""
        return int(self.averages)

    def crossing(self) -> float:
        """Time that the axis takes for its whole range over that of a reading; 0 where jumping costs nothing."""
        return 0.0

    # -- what is done for it --------------------------------------------------------------------------------------

    def connect(self, station: Station, checkpoint: Callable[[], None] | None = None) -> None:
        """See Sequence; an adaptive run has channels of its own."""
        super().connect(station, checkpoint)
        if self.is_adaptive:
            self.channels = (*type(self).channels, self.sought, *choosing.CHANNELS)

    def chooser(self) -> AxisChooser | None:
        """See Sequence."""
        self._chooser = self.new_chooser() if self.is_adaptive else None
        return self._chooser

    def most_points(self) -> int:
        """See Sequence; of an adaptive run as many as the time limit allows, stabilising the tip included."""
        every = super().most_points()
        if not self.is_adaptive:
            return every
        each, limit, stabilising = self.point_seconds(), float(self.time_limit), self.stabilising()
        numbers = range(1, min(every, int(limit / each)) + 1)
        return max(1, bisect_right(numbers, limit, key=lambda n: n * each + stabilising(n)))

    def known_before(self) -> dict[str, float | FloatArray]:
        """Channel -> what was known when the point was chosen, and why it was; nothing where all are visited."""
        if self._chooser is None:
            return {}
        known = dict(self._chooser.known())
        return {self.sought.name: known.pop("value"), **known}

    def check_adaptive(self) -> None:
        """Refuse to repeat or reorder a sweep that has no end of its own."""
        if self.sweeps > 1:
            raise SequenceError(f"{self.name}: sweeps = {self.sweeps}: adaptive points have no sweeps to repeat")
        if self.order not in ("automatic", "sweep"):
            raise SequenceError(f"{self.name}: order = {self.order}: adaptive points are visited as they are chosen")

    def check_time(self) -> None:
        """Refuse a time limit before the end of the readings that are spread over the whole range at the start."""
        first, most = self.new_chooser().first, self.most_points()
        if most < min(first, super().most_points()):
            raise SequenceError(
                f"{self.name}: time_limit = {self.time_limit:g} s: it allows {most} readings, the first {first} are "
                "spread over the whole range"
            )
