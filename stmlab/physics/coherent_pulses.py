"""Pulses on close levels: the mean current of trains of pulses by the density matrix (see `coherent_drive`).

A train is linear in time between its corners. What a piece makes of the state at its beginning is a matrix, and the
charge that passes in it a row of numbers: exact where the voltage rests; along a ramp in equal steps at whose middle
the bias is held, and extrapolated. Precession between levels is part of every step's exponential, however fast it is.
Pieces that are alike in many trains are computed once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.errors import PhysicsError
from stmlab.physics.coherent_drive import around, held

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stmlab.arrays import FloatArray
    from stmlab.physics.coherent_drive import CoherentDrive

    Piece = tuple[FloatArray, FloatArray]

_FEWEST, _MOST = 8, 4096
"""Steps of a ramp."""
_EXTRAPOLATED = 0.1  # of the root of the tolerance: the extrapolation errs by about the square of the last change
_ALIKE = 10  # digits in which pieces that are one agree


def mean_coherent_currents(
    drive: CoherentDrive, trains: Sequence[tuple[FloatArray, FloatArray, FloatArray]], tolerance: float
) -> FloatArray:
    """Currents averaged over the periods of trains, in A, shape (T,).

    Args:
        drive: of all voltages of the trains.
        trains: of each its pieces: durations in s, shape (K,), voltages at start and end; equal where it rests.
        tolerance: largest error of a state at the end of a ramp.

    Raises:
        PhysicsError: a ramp is too sharp; as `around`.
    """
    known: dict[tuple[str, str, str], Piece] = {}
    return np.array([_mean_current(drive, known, train, tolerance) for train in trains])


def _mean_current(
    drive: CoherentDrive,
    known: dict[tuple[str, str, str], Piece],
    train: tuple[FloatArray, FloatArray, FloatArray],
    tolerance: float,
) -> float:
    found = []
    for duration, start, end in zip(*(each.tolist() for each in train), strict=True):
        key = f"{duration:.{_ALIKE}g}", f"{start:.{_ALIKE}g}", f"{end:.{_ALIKE}g}"
        if key not in known:
            known[key] = _piece(drive, duration, start, end, tolerance)
        found.append(known[key])
    state, charge = around(np.array([step for step, _ in found]), drive.weights), 0.0
    for step, passed in found:
        charge += float(passed @ state)
        state = step @ state
        state /= drive.weights @ state
    return charge / float(train[0].sum())


def _piece(drive: CoherentDrive, duration: float, start: float, end: float, tolerance: float) -> Piece:
    """What becomes of the state, (m, m), and the charge that passes, (m,) in C for each number of the state."""
    if start == end:
        return _in_steps(drive, duration, start, end, 1)
    steps = _FEWEST
    coarse = _in_steps(drive, duration, start, end, steps)
    while steps < _MOST:
        steps *= 2
        fine = _in_steps(drive, duration, start, end, steps)
        change = max(
            float(np.abs(one - other).max() / scale)
            for one, other, scale in zip(fine, coarse, (1.0, max(float(np.abs(fine[1]).max()), 1e-300)), strict=True)
        )
        if change <= _EXTRAPOLATED * np.sqrt(tolerance):
            return (4.0 * fine[0] - coarse[0]) / 3.0, (4.0 * fine[1] - coarse[1]) / 3.0
        coarse = fine
    raise PhysicsError(
        f"rise_s: {_MOST} steps do not resolve how the spins change along a ramp of {duration:.1e} s; longer rise "
        "times, or none, are needed"
    )


def _in_steps(drive: CoherentDrive, duration: float, start: float, end: float, steps: int) -> Piece:
    """A piece in equal steps, in each of which the bias is held at the value of its middle."""
    voltages = start + (end - start) * (np.arange(steps) + 0.5) / steps
    generators, currents = drive.at(voltages)
    evolved, means = held(generators, np.full(steps, duration / steps))
    through, charge = np.eye(len(drive.weights)), np.zeros(len(drive.weights))
    for step, mean, current in zip(evolved, means, currents, strict=True):
        charge += (current @ mean) @ through * (duration / steps)
        through = step @ through
    return through, charge
