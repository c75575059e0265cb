"""A run on paper: points, duration, every limit, power at the junction, would it be refused; nothing is sent.

A simulated station is built and asked everything. Of a microscope only the file is read: what an instrument would have
to be asked is checked when the run starts, and the plan says so.
"""

from __future__ import annotations

import math
import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from stmlab.acquisition.experiments import sequence_class
from stmlab.acquisition.outcome import Estimate
from stmlab.acquisition.preflight import preflight, ramp_seconds
from stmlab.errors import OutOfBounds, StmlabError
from stmlab.station import Station
from stmlab.station.planned import NotConnected, PlannedStation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from stmlab.acquisition.sequence import Sequence
    from stmlab.arrays import FloatArray
    from stmlab.station.parts import StationParts

_IMPEDANCE = 50.0  # Ω, of the microwave line
_BYTES = 8  # of a number in the file
_BESIDE = 3  # numbers that the file holds of a point besides its channels


@dataclass(frozen=True)
class Demand:
    """What a run asks of one output, and what the station allows.

    Attributes:
        output: name of its limit; "junction_total": what adds up at the junction.
        low, high: least and largest value, in ``unit``.
        allowed_low, allowed_high: bounds.
        source: file and key in which they are set.
    """

    output: str
    unit: str
    low: float
    high: float
    allowed_low: float
    allowed_high: float
    source: str

    @property
    def within(self) -> bool:
        """Whether the run stays within the bounds; nan does not."""
        return self.allowed_low <= self.low and self.high <= self.allowed_high * (1 + 1e-9)


@dataclass(frozen=True)
class Figure:
    """A further quantity worth knowing before a run."""

    name: str
    value: float
    unit: str


@dataclass(frozen=True)
class Plan:
    """What a run would be.

    Attributes:
        estimate: points, duration, size; None: its axes cannot be made.
        demands: one for each output, and the sum at the junction.
        figures: powers.
        unchecked: what could not be checked without an instrument, one sentence each.
        refusal: why the run would be refused, "" if it would not.
        parameters: those that the refusal is about, as far as can be told.
    """

    estimate: Estimate | None = None
    demands: tuple[Demand, ...] = ()
    figures: tuple[Figure, ...] = ()
    unchecked: tuple[str, ...] = ()
    refusal: str = ""
    parameters: tuple[str, ...] = ()


def planned(
    sequence: str, station: str = "simulated", sample: str | None = None, settings: Mapping[str, str] | None = None
) -> Plan:
    """What ``sequence`` would be on ``station``, with these parameters; a refusal is part of the answer.

    Args:
        sequence: name of the experiment.
        station: name or file of the station.
        sample: name or file of the sample, None for the station's own.
        settings: parameters as people write them.
    """
    try:
        experiment = sequence_class(sequence)(**dict(settings or {}))
        with _unmoved(station, sample) as found:
            return _plan(experiment, found)
    except StmlabError as refused:
        return Plan(refusal=str(refused))


@contextmanager
def _unmoved(name: str, sample: str | None) -> Iterator[StationParts]:
    """A station of which nothing will be moved: a simulated one whole, of a microscope the file alone."""
    paper = PlannedStation.load(name)
    if paper.config.simulation is None:
        yield paper
    else:
        with Station.load(name, sample=sample, only_reading=True) as whole:
            yield whole


def _plan(experiment: Sequence, station: StationParts) -> Plan:
    refusal = ""
    unchecked: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    try:
        experiment.connect(cast("Station", station))
        preflight(experiment)
    except NotConnected as unknown:
        unchecked = (f"checked when the run starts: {unknown}",)
    except StmlabError as refused:
        refusal, parameters = str(refused), _concerned(experiment, refused)
    try:
        demands = experiment.demands()
        return Plan(
            _estimate(experiment),
            _demands(station, demands),
            tuple(_figures(demands)),
            unchecked,
            refusal,
            parameters,
        )
    except StmlabError as refused:  # so wrong that not even its demands can be told
        return Plan(refusal=refusal or str(refused), parameters=parameters or _concerned(experiment, refused))


def estimate(sequence: Sequence, done: int = 0) -> Estimate:
    """Points, duration and size of a connected sequence, of which ``done`` points are there already."""
    points = sequence.most_points() - done
    cells = math.prod(len(axis) for axis in sequence.axes())
    ramps = ramp_seconds(sequence)
    size = _BYTES * cells * (len(sequence.channels) + _BESIDE)
    seconds = points * sequence.point_seconds() + sequence.stabilising_seconds(points)
    return Estimate(points, seconds + ramps, size, ramps)


def _estimate(experiment: Sequence) -> Estimate | None:
    try:
        return estimate(experiment)
    except NotConnected:
        return None


def _demands(station: StationParts, demands: Mapping[str, float | FloatArray]) -> tuple[Demand, ...]:
    found = []
    for name, asked in demands.items():
        values = np.atleast_1d(np.asarray(asked, dtype=float)).ravel()
        values = np.abs(values) if name == "setpoint" else values
        limit = station.limit(name)
        low, high = (float(values.min()), float(values.max())) if values.size else (math.nan, math.nan)
        found.append(Demand(name, limit.unit, low, high, limit.low, limit.high, limit.source))
    together, junction = sum(station.outputs.at_junction(demands).values()), station.outputs.junction
    found.append(Demand("junction_total", "V", 0.0, together, 0.0, junction.largest, junction.source))
    return tuple(found)


def _figures(demands: Mapping[str, float | FloatArray]) -> Iterator[Figure]:
    """Powers: of the microwave as a matched line would carry them, and of the current at the setpoint."""
    for output, place in (("rf_amplitude", "connector"), ("junction_amplitude", "junction")):
        if output in demands and (volts := float(np.abs(demands[output]).max())) > 0:
            power = 10 * math.log10(volts**2 / (2 * _IMPEDANCE) / 1e-3)
            yield Figure(f"microwave power at the {place}, in {_IMPEDANCE:g} Ω", power, "dBm")
    if {"setpoint", "setpoint_bias"} <= set(demands):
        current = float(np.abs(demands["setpoint"]).max())
        yield Figure("power in the junction at the setpoint", current * abs(float(demands["setpoint_bias"])), "W")


def _concerned(experiment: Sequence, refused: StmlabError) -> tuple[str, ...]:
    """The parameters that a refusal names, or those of the output that it names."""
    names = experiment.parameter_objects()
    said = [name for name in names if re.search(rf"\b{name}\b", str(refused).partition("(set in")[0])]
    if said or not isinstance(refused, OutOfBounds):
        return tuple(said)
    of_output = [name for name, output in experiment.outputs_set().items() if output == refused.name]
    exact = [name for name in of_output if abs(float(getattr(experiment, name))) == abs(refused.value)]
    return tuple(exact or of_output)
