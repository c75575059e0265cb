"""Which sweeps of a run are drawn: the one in front, those behind it; free of Qt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.gui.live.shown import Shown, Sweeps, Ways

if TYPE_CHECKING:
    from stmlab.display.fit_curves import FitCurve
    from stmlab.gui.live.lines import Line
    from stmlab.gui.live.run_data import RunData


def focus_line(data: RunData, shown: Shown) -> Line | None:
    """The sweep in front: the one that is being taken; once there is a fit, the last one that the fit is of."""
    if data.last < 0:
        return None
    line = data.layout.line_at(data.last * data.layout.width)
    if data.under_way >= 0 or not shown.fit or not data.fits or data.started is None:
        return line
    curves = data.fitted()
    if not curves or any(belongs(curve, line) for curve in curves):
        return line
    fitted = [one for one in lines_with_values(data, Ways.BOTH) if any(belongs(curve, one) for curve in curves)]
    return fitted[-1] if fitted else line


def stepped_line(data: RunData, line: Line, ways: Ways, step: int) -> int:
    """Number of the next sweep with readings, upwards (1) or downwards (-1); the same at the end of them."""
    pieces = len(data.layout.pieces)
    sweeps = sorted({one.number // pieces for one in lines_with_values(data, ways)})
    here = line.number // pieces
    beyond = [sweep for sweep in sweeps if (sweep - here) * step > 0]
    return (min(beyond, key=lambda sweep: abs(sweep - here)) if beyond else here) * pieces


def averaged(data: RunData, shown: Shown) -> bool:
    """Whether what is drawn are means over repetitions."""
    return shown.sweeps is Sweeps.AVERAGE and bool(data.layout.repeated)


def belongs(curve: FitCurve, line: Line) -> bool:
    """Whether a fit is of this sweep."""
    return all(line.outer[axis] == position for axis, position in curve.outer.items())


def lines_of_sweep(data: RunData, line: Line, ways: Ways) -> list[Line]:
    """The way there and the way back of the sweep in which a line lies."""
    pieces = len(data.layout.pieces)
    first = line.number // pieces * pieces
    found = [data.layout.line(first + k) for k in range(pieces)]
    return [one for one in found if _wanted(one, ways) and (one == line or data.has_values(one.start, one.stop))]


def lines_with_values(data: RunData, ways: Ways, besides: list[Line] | None = None) -> list[Line]:
    """All lines with a reading, in the order of the cells."""
    layout = data.layout
    if layout.width > 1:
        sweeps = np.flatnonzero(data.known)
        if data.under_way >= 0 and not data.known[data.under_way]:
            sweeps = np.sort(np.append(sweeps, data.under_way))
        per_place = layout.width // len(layout.values)
        sweeps = (sweeps[:, None] * per_place + np.arange(per_place)).ravel()
    else:
        sweeps = np.flatnonzero(data.known.reshape(-1, len(layout.values)).any(axis=1))
    without = {one.number for one in besides or []}
    pieces = len(layout.pieces)
    lines = [layout.line(int(sweep) * pieces + k) for sweep in sweeps for k in range(pieces)]
    return [
        one
        for one in lines
        if one.number not in without and _wanted(one, ways) and data.has_values(one.start, one.stop)
    ]


def _wanted(line: Line, ways: Ways) -> bool:
    return ways is Ways.BOTH or line.way in ("", str(ways))
