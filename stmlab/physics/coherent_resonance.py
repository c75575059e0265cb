"""The parts of an SRS signal where levels are close, by the density matrix (see `coherent_drive`).

By harmonic balance; where that needs too many harmonics, in steps of time at whose middle the bias is held, which are
extrapolated. Either is held against the limit of zero frequency, which is known by elimination.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from stmlab.errors import PhysicsError
from stmlab.physics.coherent_drive import held_states, steady
from stmlab.physics.driven import linear_harmonics
from stmlab.physics.resonance_parts import AGREES, FINEST, Parts, mixed_currents, of_states

if TYPE_CHECKING:
    from stmlab.arrays import FloatArray
    from stmlab.physics.coherent_drive import CoherentDrive

_FEWEST_SAMPLES, _MOST_SAMPLES = 128, 2048
"""Of a period."""
_RESOLVED, _ROUNDING = 1e-12, 1e-13
"""Shares of the highest harmonic below which a period counts as resolved: of what moves, and of all."""
_STEPS = (128, 256, 512, 1024)
"""Of a period, in turn, where harmonics are too many."""
_EXTRAPOLATED = 1e-4
"""Of the step: change from one extrapolation to the next that is allowed; the last errs by less."""
_KEPT = 16
"""Harmonics that are handed out after steps of time."""


class _Period(NamedTuple):
    """Samples of one period: voltages (T,), L in 1/s (T, m, m), currents in A (T, m)."""

    voltages: FloatArray
    generators: FloatArray
    currents: FloatArray


def coherent_parts(
    drive: CoherentDrive, frequencies: FloatArray, offset: float, amplitude: float, tolerance: float
) -> Parts:
    """Of a drive offset + amplitude cos(2 pi f t) in V at frequencies of shape (F,) in Hz.

    Raises:
        PhysicsError: the drive is too sharp, or the spins relax too slowly; as `CoherentDrive`.
    """
    period = _resolved(drive, offset, amplitude)
    if period is not None and (found := _balanced(drive, period, frequencies, tolerance)) is not None:
        return found
    return _in_steps(drive, frequencies, offset, amplitude)


def _balanced(drive: CoherentDrive, period: _Period, frequencies: FloatArray, tolerance: float) -> Parts | None:
    """By harmonic balance; None where it needs too many harmonics, or misses the limit of zero frequency."""
    limit, fast = _fast(drive, period)
    step = float(drive.static_current(period.voltages).mean()) - fast
    differing = period.currents - period.currents[:, [int((drive.weights * limit).argmax())]] * drive.weights
    scale = float(np.abs(differing).max())
    accuracy = max(of_states(tolerance, step, scale), FINEST)
    harmonics = linear_harmonics(period.generators, np.append(frequencies, 0.0), accuracy, drive.weights)
    if harmonics is None:
        return None
    average, mixed = mixed_currents(differing, harmonics, limit)
    if abs(average[-1] + mixed[-1].sum() - step) > AGREES * tolerance * scale:
        return None
    occupations = drive.occupations(harmonics[:-1])
    return Parts(mixed[:-1, 0], average[:-1], mixed[:-1, 1:].sum(axis=1), fast, step, occupations)


def _fast(drive: CoherentDrive, period: _Period) -> tuple[FloatArray, float]:
    """The state under infinitely fast drive, and its current, A."""
    limit = steady(period.generators.mean(axis=0), drive.weights)
    return limit, float(period.currents.mean(axis=0) @ limit)


def _resolved(drive: CoherentDrive, offset: float, amplitude: float) -> _Period | None:
    """Enough samples of one period that the highest harmonic of L vanishes; None where too many would be needed."""
    samples = _FEWEST_SAMPLES
    while samples <= _MOST_SAMPLES:
        period = _sampled(drive, offset, amplitude, samples, 0.0)
        moving = period.generators - period.generators.mean(axis=0)
        highest = np.abs(np.fft.rfft(moving, axis=0))[-samples // 8 :].max()
        if highest <= _RESOLVED * samples * np.abs(moving).max() + _ROUNDING * np.abs(period.generators).max():
            return period
        samples *= 2
    return None


def _sampled(drive: CoherentDrive, offset: float, amplitude: float, samples: int, shift: float) -> _Period:
    """Samples of one period, the first of them ``shift`` = 0 or 1/2 of a sample after its beginning.

    The voltage returns as it went, to the last bit: `CoherentDrive` computes for both ways once.
    """
    order = np.arange(samples)
    there = np.minimum(order, samples - round(2.0 * shift) - order)
    voltages = offset + amplitude * np.cos(2.0 * np.pi * (there + shift) / samples)
    return _Period(voltages, *drive.at(voltages))


def _in_steps(drive: CoherentDrive, frequencies: FloatArray, offset: float, amplitude: float) -> Parts:
    """In more and more steps, extrapolated to none, until the signal does not change."""
    found, before = list[Parts](), None
    slow = float(drive.static_current(_sampled(drive, offset, amplitude, _STEPS[-1], 0.5).voltages).mean())
    for count in _STEPS:
        found.append(_stepped(drive, frequencies, _sampled(drive, offset, amplitude, count, 0.5), slow))
        if len(found) < 2:
            continue
        now = _extrapolated(*found[-2:])
        if before is not None:
            change = max(
                float(np.abs(getattr(now, name) - getattr(before, name)).max())
                for name in ("homodyne", "average", "higher", "step")
            )
            if change <= _EXTRAPOLATED * abs(now.step):
                return now
        before = now
    raise PhysicsError(
        f"amplitude_V = {amplitude:g}: {_STEPS[-1]} steps do not resolve a drive so sharp beside kT with coherences "
        'between close levels; equation = "secular" leaves them out'
    )


def _extrapolated(coarse: Parts, fine: Parts) -> Parts:
    """Where errors fall with the square of the step."""
    names = [field.name for field in fields(Parts)]
    return Parts(**{name: (4.0 * getattr(fine, name) - getattr(coarse, name)) / 3.0 for name in names})


def _stepped(drive: CoherentDrive, frequencies: FloatArray, period: _Period, slow: float) -> Parts:
    """With the bias held in every step; at zero frequency the state follows the bias."""
    limit, fast = _fast(drive, period)
    steps, phases = len(period.voltages), (np.arange(len(period.voltages)) + 0.5) / len(period.voltages)
    waves = np.exp(-2j * np.pi * np.arange(_KEPT + 1)[:, None] * phases) / steps
    mixing, rows = waves[1] @ period.currents, []
    for frequency in frequencies.tolist():
        if frequency == 0.0:
            states = steady(period.generators, drive.weights)
        else:
            durations = np.full(steps, 1.0 / (frequency * steps))
            states = held_states(period.generators, durations, drive.weights)
        total = float((period.currents * (states - limit)).sum(axis=1).mean())
        average = float(period.currents.mean(axis=0) @ (states.mean(axis=0) - limit))
        homodyne = 2.0 * float((mixing.conj() @ (waves[1] @ states)).real)
        rows.append((homodyne, average, total - average - homodyne, drive.occupations(waves @ states)))
    homodyne_A, average_A, higher_A = (np.array([row[k] for row in rows]) for k in range(3))
    return Parts(homodyne_A, average_A, higher_A, fast, slow - fast, np.array([row[3] for row in rows]))
