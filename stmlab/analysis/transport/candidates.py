"""Values that a transport fit may begin with: of what the file and the steps of the spectra leave open, many."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import numpy as np

from stmlab.systems import Scale

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from stmlab.arrays import FloatArray
    from stmlab.systems import Parameter, System

_TRIED_A_DIMENSION, _TRIED = 96, 400
"""Candidates for each parameter of which only an interval is known, and at most."""
_WITHIN = 0.8  # of natural bounds
_BESIDE = 0.4  # of a start without bounds, or of the parameter's size
_APART = 0.2  # of the sides of the box, within which two candidates are one

Candidate = dict[str, float]


def candidates(
    system: System, largest_S: float, pairs: list[tuple[float, float]], read: Mapping[str, float]
) -> list[Candidate]:
    """Values of all parameters, the file's own start first.

    Args:
        system: of the parameters.
        largest_S: conductance of the spectra.
        pairs: D and E as the steps have them.
        read: what the data say of temperature and offset.
    """
    listed = list(_listed(system, largest_S, pairs, read))
    intervals = _intervals(system)
    if not intervals:
        return listed
    count = min(_TRIED_A_DIMENSION * len(intervals), _TRIED)
    places = _spread(count, len(intervals))
    found = list(listed)
    for k, place in enumerate(places.tolist()):
        inside = {name: low + u * (high - low) for (name, (low, high)), u in zip(intervals.items(), place, strict=True)}
        turned = {name: math.exp(v) if _by_logarithm(system, name) else v for name, v in inside.items()}
        found.append({**listed[k % len(listed)], **turned})
    return found


def apart(system: System, one: Mapping[str, float], other: Mapping[str, float]) -> bool:
    """Whether two candidates lead to different places: other D and E, another sign of exchange, far in the box."""
    own = [name for name in anisotropy_names(system) if not system.parameters[name].starts]
    signs = [name for name, parameter in system.parameters.items() if parameter.at_largest]
    if any(one[name] != other[name] for name in own) or any((one[name] < 0) != (other[name] < 0) for name in signs):
        return True
    places = [_place(system, values) for values in (one, other)]
    return bool(np.linalg.norm(places[0] - places[1]) > _APART)


def is_sampled(system: System) -> bool:
    """Whether candidates fill a box, so that none of them need lie in its minimum."""
    return bool(_intervals(system))


def _place(system: System, values: Mapping[str, float]) -> FloatArray:
    """In the box, from 0 to 1 along each side."""
    place = []
    for name, (low, high) in _intervals(system).items():
        value = math.log(values[name]) if _by_logarithm(system, name) else values[name]
        place.append((value - low) / (high - low))
    return np.array(place)


def anisotropy_names(system: System) -> tuple[str, ...]:
    """Parameters that are D and E of the spin that is tunnelled through."""
    path = f"spins.{system.coupled_spin_name}"
    keys = (f"{path}.axial_anisotropy_meV", f"{path}.transverse_anisotropy_meV")
    return tuple(name for key in keys for name in sorted(system.names_by_key[key])[:1])


def _listed(
    system: System, largest_S: float, pairs: list[tuple[float, float]], read: Mapping[str, float]
) -> Iterator[Candidate]:
    """Every combination of what is known of each parameter."""
    own = [name for name in anisotropy_names(system) if not system.parameters[name].starts]
    others = [name for name in system.parameters if name not in own]
    choices = [_starts(system.parameters[name], read.get(name, 0.0), largest_S) for name in others]
    for pair in pairs if own else [(0.0, 0.0)]:
        for values in itertools.product(*choices):
            yield {**dict(zip(own, pair, strict=False)), **dict(zip(others, values, strict=True))}


def _starts(one: Parameter, read: float, largest_S: float) -> tuple[float, ...]:
    if one.at_largest:
        return tuple(value / (1e6 * largest_S) for value in one.at_largest)
    return one.starts or (read,)


def _intervals(system: System) -> dict[str, tuple[float, float]]:
    """Parameters with one start, and between which values a better one may lie; of one above 0 its logarithms."""
    found = {}
    for name, one in system.parameters.items():
        if len(one.starts) != 1 or one.optional or name in system.offset_names:
            continue
        if one.scale is Scale.LOGARITHMIC:
            if one.boxed:
                found[name] = math.log(one.low), math.log(one.high)
        elif one.boxed:
            found[name] = one.low, one.high
        elif one.scale is Scale.LINEAR:
            found[name] = _around(one)
    return found


def _around(one: Parameter) -> tuple[float, float]:
    if math.isfinite(one.high - one.low):
        return _WITHIN * one.low, _WITHIN * one.high
    beside = _BESIDE * max(abs(one.starts[0]), one.size)
    return max(one.starts[0] - beside, one.low), min(one.starts[0] + beside, one.high)


def _by_logarithm(system: System, name: str) -> bool:
    return system.parameters[name].scale is Scale.LOGARITHMIC


def _spread(count: int, dimensions: int) -> FloatArray:
    """Points that fill a unit cube evenly, shape (count, dimensions): Roberts' sequence."""
    ratio = 2.0
    for _ in range(64):
        ratio = (1.0 + ratio) ** (1.0 / (dimensions + 1))
    steps = ratio ** -np.arange(1.0, dimensions + 1)
    return (0.5 + np.outer(np.arange(1, count + 1), steps)) % 1.0
