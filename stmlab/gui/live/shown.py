"""What of a run is shown, and how: chosen by the user, remembered for each sequence."""

from __future__ import annotations

import math
from enum import StrEnum
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from stmlab.events import RunStarted
    from stmlab.gui.live.lines import Layout

_FEW, _SEVERAL = 4, 24  # sweeps that are told apart as curves; as a waterfall; more are a map


class View(StrEnum):
    """The kinds of plots."""

    CURVES = "curves"
    WATERFALL = "waterfall"
    MAP = "map"
    HISTORY = "history"


class Sweeps(StrEnum):
    """Which sweeps are drawn."""

    ALL = "all"
    LAST = "last"
    AVERAGE = "average"


class Ways(StrEnum):
    """Which directions of a sweep are drawn."""

    BOTH = "both"
    FORWARD = "forward"
    BACKWARD = "backward"


class Shown(BaseModel):
    """The choices.

    Attributes:
        view: the kind of plot.
        left, right: channels on each of the two vertical axes; those of one axis have the same unit.
        sweeps, ways: which sweeps are drawn, and in which direction.
        log_x, log_y: logarithmic axes.
        errors, fit, residual: whether error bars, the fit, and what it leaves are drawn.
        spacing: of a waterfall, from line to line, in heights of a line.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    view: View = View.CURVES
    left: tuple[str, ...] = ()
    right: tuple[str, ...] = ()
    sweeps: Sweeps = Sweeps.ALL
    ways: Ways = Ways.BOTH
    log_x: bool = False
    log_y: bool = False
    errors: bool = True
    fit: bool = True
    residual: bool = True
    spacing: float = 0.5

    @property
    def channels(self) -> tuple[str, ...]:
        """Those of both axes."""
        return (*self.left, *(name for name in self.right if name not in self.left))

    @classmethod
    def of(cls, started: RunStarted, layout: Layout) -> Shown:
        """What suits a run that nobody has chosen for yet: its first channel, by the number of its sweeps."""
        sweeps = math.prod(layout.outer[k] for k in layout.varied)
        view = View.CURVES if sweeps <= _FEW else View.WATERFALL if sweeps <= _SEVERAL else View.MAP
        first = tuple(channel.name for channel in started.channels[:1])
        return cls(view=view, left=first, log_x=layout.sweep is not None and layout.sweep.logarithmic)

    def fitting(self, started: RunStarted, layout: Layout) -> Shown:
        """The same choices as far as this run allows them: channels may be missing, or of another unit."""
        units = {channel.name: channel.unit for channel in started.channels}
        left = _alike(self.left, units) or tuple(units)[:1]
        right = _alike(tuple(name for name in self.right if name not in left), units)
        positive = layout.values.min() > 0
        return self.model_copy(
            update={
                "left": left,
                "right": right,
                "log_x": self.log_x and bool(positive),
                "view": self.view if layout.outer or self.view is not View.MAP else View.CURVES,
            }
        )


def _alike(channels: tuple[str, ...], units: dict[str, str]) -> tuple[str, ...]:
    """Those that exist and have the unit of the first of them."""
    there = [name for name in channels if name in units]
    return tuple(name for name in there if units[name] == units[there[0]])
