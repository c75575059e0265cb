"""What is no switching between two levels: noise of every kind, and a trace that stands still."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stmlab.analysis.telegraph.likelihood import without_memory
from stmlab.analysis.telegraph.trace import RARE
from stmlab.analysis.telegraph.trend import likelihood_of_levels, likelihood_of_trend
from stmlab.errors import FitError

if TYPE_CHECKING:
    from stmlab.analysis.telegraph.dwells import Dwells
    from stmlab.analysis.telegraph.switching import Switching
    from stmlab.analysis.telegraph.trace import Trace
    from stmlab.arrays import FloatArray

_APART = 2.0  # noise between the levels, below which two states cannot be told from one
_PLAIN = 4.0  # noise between the levels, from which no noise that is often on both sides looks like them
_BETTER = 10.0  # ln likelihood that two states must gain over noise alone


def refuse_one_level(found: Switching) -> None:
    """Levels too near to each other for the noise."""
    apart = found.step / found.deviation
    if apart < _APART:
        raise FitError(
            f"the trace does not show two levels: they would lie {apart:.2g} times the noise apart, at least "
            f"{_APART:g} is needed"
        )


def refuse_one_moving_level(trace: Trace, found: Switching, states: FloatArray) -> None:
    """One level that settles, creeps or drifts, and noise that strays to one side and back; tails of a rare state."""
    apart = found.step / found.deviation
    heavy = min(found.stationary()) < RARE and apart < _PLAIN
    if likelihood_of_levels(trace, found, states) - likelihood_of_trend(trace, heavy=heavy) < _BETTER:
        raise FitError(
            "the trace does not show two levels: one level that drifts, settles or creeps, with noise whose samples "
            f"depend on each other (a filter, mains), describes it as well as levels {apart:.2g} times the noise apart"
        )


def refuse_spikes(trace: Trace, found: Switching, likelihood: float) -> None:
    """Samples that stray one by one: a state would last for some of them."""
    if likelihood - without_memory(trace.samples(found.scale), found) < _BETTER:
        raise FitError(
            "the trace does not show two levels: samples that stray from one of them come singly, as spikes or the "
            "tails of noise do"
        )


def refuse_standstill(counted: Dwells) -> None:
    """A trace with less than two transitions."""
    if counted.transitions < 2:
        seen = f"{counted.transitions} transition{'' if counted.transitions == 1 else 's'} in the whole trace"
        raise FitError(f"{seen}: no rate can be determined from it; a longer trace is needed")
