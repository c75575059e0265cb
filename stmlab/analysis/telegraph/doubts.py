"""What should not be believed of a fit of switching: drift, more states, jumps lost between samples."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.telegraph.switching import QUIETEST
from stmlab.analysis.telegraph.trace import digits

if TYPE_CHECKING:
    from stmlab.analysis.telegraph.dwells import Dwells
    from stmlab.analysis.telegraph.switching import Switching
    from stmlab.analysis.telegraph.trace import Trace
    from stmlab.arrays import BoolArray, FloatArray

_FEW_DWELLS = 10
_FEWEST_DWELLS, _MANY_DWELLS = 4, 30  # between which only their spread is looked at
_COARSELY_SEEN = 10.0  # samples that a dwell lasts
_FAST = 0.5  # transitions per sample of a state: beyond, most samples are mixtures, and how they mix decides
_QUICK = 0.12  # transitions per sample, from which short dwells drown in noise of QUIETEST
_HIDDEN = 0.05  # share of dwells that are missed: beyond, more than a correction of first order
_RUNG_UP = 5  # samples after a jump that are looked at, from the third
_LATE = 0.005  # of a jump
_LEVELS_MOVED = 5.0  # standard errors
_RUNG_OUT = 6.0  # time constants after which nothing is left of a jump
_BY_NOISE = 0.25  # of the spread of the number of transitions
_ODD = 1e-3  # probability below which dwell times are no longer called exponential


@dataclass(frozen=True)
class Counting:
    """How transitions were told from noise.

    Attributes:
        dead: time below which dwells were not counted, in samples.
        by_noise: transitions that noise made, of those that were counted.
        shared: correlation of the noise of neighbouring samples.
    """

    dead: float
    by_noise: float
    shared: float


def warnings(trace: Trace, found: Switching, counted: Dwells, told: Counting) -> tuple[str, ...]:
    """One sentence for each doubt."""
    checks = [_filtered(trace), _few(counted), _close(found), _too_fast(found), _missed(found, told.dead)]
    checks.append(_quiet_and_fast(found, told.dead))
    checks += [_by_noise(counted, told.by_noise), _drifting(trace, found, counted)]
    checks += [_digitised(trace, found), _lagging(trace, found, counted), _coloured(told.shared)]
    checks += [_more_levels(trace, found, counted), _not_exponential(counted)]
    return tuple(text for text in checks if text)


def matters(by_noise: float, counted: Dwells) -> bool:
    """Whether transitions made by noise shift the rates by what their errors do not cover."""
    return by_noise > _BY_NOISE * math.sqrt(counted.transitions)


def _filtered(trace: Trace) -> str:
    if trace.filter == 0:
        return ""
    return (
        f"a filter spreads each jump over several samples (about {trace.filter * trace.interval:.2g} s): dwells are "
        "counted, and corrected for those that it hides"
    )


def _few(counted: Dwells) -> str:
    fewest = min(counted.low.size, counted.high.size)
    if fewest >= _FEW_DWELLS:
        return ""
    return f"only {counted.transitions} transitions: the rates are uncertain by more than their errors may say"


def _close(found: Switching) -> str:
    apart = found.step / found.deviation
    return "" if apart >= 3 else f"the levels lie only {apart:.1f} times the noise apart"


def _too_fast(found: Switching) -> str:
    fastest = max(found.up, found.down)
    return "" if fastest < _FAST else f"the fastest dwell lasts only {1 / fastest:.1f} samples: sample faster"


def _quiet_and_fast(found: Switching, dead: float) -> str:
    fastest = max(found.up, found.down)
    if dead or fastest < _QUICK or found.deviation > QUIETEST * found.step:
        return ""
    return (
        f"noise below {QUIETEST:.0%} of the jump is taken for as much, because a filter may leave that of it: rates of "
        f"{fastest:.2g} per sample come out some percent low"
    )


def _missed(found: Switching, dead: float) -> str:
    hidden = dead * max(found.up, found.down)
    if hidden < _HIDDEN:
        return ""
    return f"{hidden:.0%} of the dwells in one state are shorter than the dead time: the correction for them is rough"


def _digitised(trace: Trace, found: Switching) -> str:
    if not (step := digits(trace)):
        return ""
    return (
        f"the current is digitised in steps of {step * trace.spread:.3g} A, {step / found.step:.0%} of the jump: "
        "dwells are counted, and levels are no better than the digitiser"
    )


def _lagging(trace: Trace, found: Switching, counted: Dwells) -> str:
    """Whether the current, some samples after a jump, is still on its way to the new level."""
    if trace.filter or digits(trace):
        return ""
    jumps = counted.jumps
    jumps = jumps[:-1][np.diff(jumps) > _RUNG_UP + 2]  # those that nothing follows at once
    if jumps.size < _FEW_DWELLS:
        return ""
    left = trace.y - found.low - found.step * counted.states
    towards = np.where(counted.states[jumps + 1] > counted.states[jumps], 1.0, -1.0)
    behind = float(np.mean([np.mean(towards * left[jumps + after]) for after in range(3, _RUNG_UP + 1)]))
    error = found.deviation / math.sqrt(jumps.size * (_RUNG_UP - 2))
    hidden = 0.25 * found.up * found.down * found.step  # short dwells leave the same, in each sample
    if behind > -max(_LEVELS_MOVED * error, _LATE * found.step) - hidden:
        return ""
    return (
        f"some samples after a jump the current is still {-behind / found.step:.0%} of it away from its new level, as "
        "behind a filter: levels and rates are shifted by more than their errors"
    )


def _drifting(trace: Trace, found: Switching, counted: Dwells) -> str:
    """Compare the levels of both halves."""
    left = trace.y - found.low - found.step * counted.states
    half = left.size // 2
    first, second = left[:half], left[half:]
    error = found.deviation * math.sqrt(1 / first.size + 1 / second.size)
    moved = float(second.mean() - first.mean())
    if abs(moved) < max(_LEVELS_MOVED * error, 0.1 * found.step):
        return ""
    return f"the levels drift by {moved * trace.spread:.3g} A from the first to the second half of the trace"


def _coloured(shared: float) -> str:
    if shared == 0:
        return ""
    return f"neighbouring samples share their noise (correlation {shared:.2f}): errors of the levels are widened for it"


def _by_noise(counted: Dwells, by_noise: float) -> str:
    if not matters(by_noise, counted):
        return ""
    return (
        f"about {by_noise:.0f} of the {counted.transitions} transitions are noise that crosses the threshold: a dead "
        "time of some samples leaves it out, and without threshold and dead time the likelihood accounts for the noise"
    )


def moving(counted: Dwells, trace: Trace) -> BoolArray:
    """Samples within or next to a jump, and those after it in which a filter may still show it; shape (n,)."""
    jumps = counted.jumps
    moving = np.zeros(counted.states.size, dtype=bool)
    for after in range(-1 - math.ceil(trace.filter), 4 + math.ceil(_RUNG_OUT * trace.filter)):
        moving[np.clip(jumps + after, 0, moving.size - 1)] = True
    return moving


def _more_levels(trace: Trace, found: Switching, counted: Dwells) -> str:
    """Samples that neither level explains, beyond those of intervals in which the system switched.

    Behind a filter, dwells too short to count leave such samples as well: they say nothing there.
    """
    if trace.filter:
        return ""
    left = np.abs(trace.y - found.low - found.step * counted.states)
    quiet = ~moving(counted, trace)
    noise = max(found.deviation, 0.05 * found.step)
    odd = float(np.mean(left[quiet] > 6 * noise)) if np.any(quiet) else 0.0
    hidden = 0.5 * found.up * found.down * max(1 - 6 * noise / found.step, 0.0) ** 2  # dwells within a sample
    return (
        ""
        if odd < 0.005 + hidden
        else f"{odd:.1%} of the samples lie off both levels: there may be more than two states"
    )


def _not_exponential(counted: Dwells) -> str:
    for name, lengths in (("low", counted.low), ("high", counted.high)):
        seen = lengths[lengths > 1] - 1.0  # whole samples: the first is blurred
        if seen.size >= _MANY_DWELLS and _far_from_exponential(seen):
            return f"the dwells in the {name} state are not exponentially distributed: more than two states, or a drift"
        if _FEWEST_DWELLS <= seen.size < _MANY_DWELLS and (how := _oddly_spread(seen)):
            return (
                f"the {seen.size} dwells in the {name} state are far too {how} for exponential ones: the rates "
                "describe no random switching"
            )
    return ""


def _far_from_exponential(seen: FloatArray) -> bool:
    """By Kolmogorov and Smirnov's distance from an exponential with the same mean (as Lilliefors has it)."""
    ordered = np.sort(seen)
    model = 1 - np.exp(-ordered / ordered.mean())
    rank = np.arange(ordered.size + 1) / ordered.size
    distance = max(float(np.abs(model - rank[1:]).max()), float(np.abs(model - rank[:-1]).max()))
    grain = 1 - math.exp(-1 / ordered.mean())  # dwells come in whole samples
    return (distance - grain) * math.sqrt(ordered.size) > math.sqrt(-0.5 * math.log(_ODD / 2))


def _oddly_spread(seen: FloatArray) -> str:
    """By Bartlett's test of homogeneity: for exponential dwells, ln of mean over geometric mean is nearly chi squared.

    Dwells in whole samples look more regular than they are where they last for few; there nothing is said.
    """
    from scipy.special import chdtr, chdtrc

    if seen.mean() < _COARSELY_SEEN:
        return ""
    size = seen.size
    statistic = 2 * size * (math.log(seen.mean()) - float(np.log(seen).mean())) / (1 + (size + 1) / (6 * size))
    if chdtr(size - 1, statistic) < _ODD:
        return "regular"
    return "irregular" if chdtrc(size - 1, statistic) < _ODD else ""
