"""What a model says of itself: parameters, the axis that it is drawn over, its curves, its fit and its sample."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from stmlab.errors import PhysicsError, SequenceError
from stmlab.units import format_quantity, in_unit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from stmlab.arrays import FloatArray

    Value = float | str
    Values = Mapping[str, Value]
    Where = tuple[str, tuple[str, ...]]


T = TypeVar("T")


@dataclass(frozen=True)
class Number:
    """A parameter that is a number.

    Attributes:
        name: as in a sample file or on the command line.
        symbol: as the field writes it, in unicode: "D", "Γ₊".
        unit: SI, or meV; "" for a plain number.
        meaning: one line.
        start, low, high: in ``unit``; ``low`` and ``high`` are allowed.
        logarithmic: its decades count.
        where: a choice and its words with which it has an effect; None: always.
    """

    name: str
    symbol: str
    unit: str
    meaning: str
    start: float
    low: float
    high: float
    logarithmic: bool = False
    where: Where | None = None

    def checked(self, value: Value) -> float:
        """A value as a number of the unit; text is read as people write it: "4 mV".

        Raises:
            PhysicsError: not a number in that unit, or out of bounds.
        """
        try:
            number = in_unit(value, self.unit) if isinstance(value, str) else float(value)
        except SequenceError as error:
            raise PhysicsError(f"{self.name} = {error}") from error
        if not self.low <= number <= self.high:
            low, high = (format_quantity(bound, self.unit) for bound in (self.low, self.high))
            raise PhysicsError(f"{self.name} = {format_quantity(number, self.unit)}: {low} to {high} is allowed")
        return number


@dataclass(frozen=True)
class Choice:
    """A parameter that is one of several words; the first is where it starts."""

    name: str
    symbol: str
    meaning: str
    words: tuple[str, ...]
    unit: str = ""
    where: Where | None = None

    @property
    def start(self) -> str:
        """The first word."""
        return self.words[0]

    def checked(self, value: Value) -> str:
        """One of the words.

        Raises:
            PhysicsError: it is none of them.
        """
        word = value if isinstance(value, str) else f"{value:g}"  # a file says spin = 2.0
        if word not in self.words:
            raise PhysicsError(f"{self.name} = {word}: one of {', '.join(self.words)} is needed")
        return word


Parameter = Number | Choice


@dataclass(frozen=True)
class Sweep:
    """What a curve is drawn over.

    Attributes:
        name: of the axis, as in files and on the command line; that of the axis of a run where there is one.
        label, unit: of the axis.
        low, high: where nobody says it.
        logarithmic: its decades count.
        points: of a curve.
    """

    name: str
    label: str
    unit: str
    low: float
    high: float
    logarithmic: bool = False
    points: int = 301

    def values(self, low: float | None = None, high: float | None = None) -> FloatArray:
        """Places of a curve from ``low`` to ``high``, shape (points,)."""
        ends = self.low if low is None else low, self.high if high is None else high
        return np.geomspace(*ends, self.points) if self.logarithmic else np.linspace(*ends, self.points)


@dataclass(frozen=True, eq=False)
class Curve:
    """One curve: what a plot calls it, and its values of shape (n,)."""

    label: str
    values: FloatArray


@dataclass(frozen=True)
class Derived:
    """What else follows, such as a rate; nan where it is not defined.

    Attributes:
        symbol: as the field writes it.
        value, unit: SI, or meV.
        meaning: one line.
    """

    symbol: str
    value: float
    unit: str
    meaning: str


@dataclass(frozen=True, eq=False)
class Curves:
    """What a model computed; curves and what follows by their names in files.

    Attributes:
        x: shape (n,), in the unit of ``sweep``.
        y: the curves.
        y_label, y_unit: of all curves.
        sweep: what they are drawn over.
        derived: what follows from the parameters alone.
        doubts: where the model does not hold, one sentence each.
    """

    x: FloatArray
    y: Mapping[str, Curve]
    y_label: str
    y_unit: str
    sweep: Sweep
    derived: Mapping[str, Derived] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Measurement:
    """How a sample of these parameters would be measured.

    Attributes:
        sequence: the experiment.
        settings: its parameters, in SI.
        kind: of sample, as sample files say it.
        table: of the sample's parameters.
    """

    sequence: str
    settings: Mapping[str, float]
    kind: str
    table: Mapping[str, Value | list[float]]


@dataclass(frozen=True)
class Model:
    """One model.

    Attributes:
        name: as in ``stmlab.models.MODELS``.
        title: one line for a person.
        source: the paper.
        parameters: in the order in which they are shown.
        sweep: what it is drawn over, by its values: one of them may choose.
        compute: from values (complete, checked) and places (n,) to `Curves`.
        channel: of a run, what the first curve stands for; "" for none.
        fit: name of the fit that it is the curve of, "" for none.
        starts: from values to start values of that fit.
        measurement: from values to how it would be measured; None: the simulated microscope has no such sample.
    """

    name: str
    title: str
    source: str
    parameters: tuple[Parameter, ...]
    sweep: Callable[[Values], Sweep]
    compute: Callable[[Values, FloatArray], Curves]
    channel: str = ""
    fit: str = ""
    starts: Callable[[Values], Mapping[str, float]] | None = None
    measurement: Callable[[Values], Measurement] | None = None

    def __getitem__(self, name: str) -> Parameter:
        """The parameter called ``name``, or written so: "D"; raises PhysicsError naming those that exist."""
        for called in ("name", "symbol"):
            for parameter in self.parameters:
                if name and getattr(parameter, called) == name:
                    return parameter
        known = ", ".join(parameter.name for parameter in self.parameters)
        raise PhysicsError(f"{name}: the model {self.name} has {known}")

    def values(self, given: Values | None = None) -> dict[str, Value]:
        """Every parameter: as given, else at its start.

        Raises:
            PhysicsError: one is unknown, given twice, out of bounds or no such value.
        """
        told = {name: self[name].checked(value) for name, value in self.named(given or {}).items()}
        return {parameter.name: told.get(parameter.name, parameter.start) for parameter in self.parameters}

    def named(self, given: Mapping[str, T]) -> dict[str, T]:
        """What was given by names or symbols, by names.

        Raises:
            PhysicsError: a parameter is unknown, or given by both.
        """
        found: dict[str, T] = {}
        for called, value in given.items():
            if (name := self[called].name) in found:
                raise PhysicsError(f"{called}: {name} is given twice")
            found[name] = value
        return found

    def applies(self, parameter: Parameter, values: Values) -> bool:
        """Whether it has an effect with these values."""
        return parameter.where is None or values[parameter.where[0]] in parameter.where[1]

    def curves(self, given: Values | None = None, x: FloatArray | None = None) -> Curves:
        """The model's curves, at ``x`` of shape (n,) or over its own sweep.

        Raises:
            PhysicsError: as `values`; or the model is not defined there.
        """
        values = self.values(given)
        return self.compute(values, self.sweep(values).values() if x is None else np.asarray(x, dtype=float))


def number(values: Values, name: str) -> float:
    """A parameter that is a number, of values that were checked."""
    return float(values[name])


def sample_text(name: str, title: str, measurement: Measurement) -> str:
    """A sample file of the simulated microscope, TOML."""
    lines = [f'name = "{name}"', f'title = "{title}"', f'kind = "{measurement.kind}"']
    lines += ['source = "parameters of a model, chosen by hand"', "decay_constant_per_m = 1.0e10", ""]
    lines += [f"[{measurement.kind}]", *(f"{key} = {_toml(value)}" for key, value in measurement.table.items())]
    return "\n".join(lines) + "\n"


def _toml(value: Value | list[float]) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, float) and not math.isfinite(value):
        return "inf" if value > 0 else "-inf" if value < 0 else "nan"
    return repr(value)
