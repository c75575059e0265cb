"""The form of a study: a TOML file, checked when it is read. docs/study.md explains it."""

from __future__ import annotations

import hashlib
import itertools
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path  # noqa: TC003 - pydantic's tables read annotations at run time
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from stmlab import config_files
from stmlab.config_files import explain, find
from stmlab.errors import SequenceError, StationError
from stmlab.units import in_unit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Seed = Annotated[int, Field(ge=0, strict=True)]
Key = tuple[str, int]
"""Of one run: what its cell varies, as JSON, and its seed."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SampleTable(_Table):
    """Under the tip: a sample by name, or its file; ``set`` stands in place of what it says."""

    file: str
    set: dict[str, Any] = {}


class SequenceTable(_Table):
    """What is measured: an experiment by name, and its parameters."""

    name: str
    set: dict[str, Any] = {}


class VaryTable(_Table):
    """Key -> values, in the tables of the sample and among the parameters of the sequence."""

    sample: dict[str, Any] = {}
    sequence: dict[str, Any] = {}


class FitTable(_Table):
    """What is fitted, and held against what.

    Attributes:
        model: of the fit; "" is the sequence's own.
        set: settings of the fit, see `stmlab.analysis.settings`.
        fitted: name of the fit's parameter.
        true: key of the sample's true values.
        target: relative error that an experiment is after; None: no time to target is told.
    """

    model: str = ""
    set: dict[str, Any] = {}
    fitted: str
    true: str
    target: float | None = None

    @field_validator("target", mode="before")
    @classmethod
    def _relative(cls, given: Any) -> Any:
        """As people write it: "1 %"."""
        if not isinstance(given, str):
            return given
        try:
            return in_unit(given, "")
        except SequenceError as error:
            raise ValueError(str(error)) from None

    @field_validator("target")
    @classmethod
    def _possible(cls, target: float | None) -> float | None:
        if target is not None and not 0 < target < 1:
            raise ValueError("more than 0 and less than 1 is allowed")
        return target


class _File(_Table):
    name: str
    station: str = "simulated"
    seeds: tuple[Seed, ...]
    sample: SampleTable
    sequence: SequenceTable
    fit: FitTable
    vary: VaryTable = VaryTable()

    @field_validator("seeds", mode="before")
    @classmethod
    def _counted(cls, given: Any) -> Any:
        """How many: 50 are 1 to 50."""
        return tuple(range(1, given + 1)) if type(given) is int else given

    @field_validator("seeds")
    @classmethod
    def _different(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        if not seeds or len(set(seeds)) < len(seeds):
            raise ValueError("different numbers are needed, at least one")
        return seeds


@dataclass(frozen=True)
class Cell:
    """One set of the varied parameters, for all seeds.

    Attributes:
        values: parameter ("sample.two_level.relaxation_rate_per_s", "sequence.averages") -> value.
        sample: tables of the sample.
        settings: of the sequence.
    """

    values: Mapping[str, Any]
    sample: Mapping[str, Any]
    settings: Mapping[str, Any]

    @property
    def key(self) -> str:
        """What is varied, the same text for the same values."""
        return json.dumps(self.values, sort_keys=True)

    def __str__(self) -> str:
        return ", ".join(f"{name} = {value}" for name, value in self.values.items()) or "the only cell"


@dataclass(frozen=True, eq=False)
class Study:
    """A study as its file says it.

    Attributes:
        path: of its file.
        name: for people.
        station: name or file of the station.
        sequence: name of the experiment.
        seeds: of the simulation; each cell is measured once with each.
        axes: varied parameter -> its values.
        cells: each value of each parameter with each of the others, the last parameter changing fastest.
        fit: what is fitted, and held against what.
    """

    path: Path
    name: str
    station: str
    sequence: str
    seeds: tuple[int, ...]
    axes: Mapping[str, Sequence[Any]]
    cells: tuple[Cell, ...]
    fit: FitTable

    @property
    def short_names(self) -> tuple[str, ...]:
        """Of the varied parameters: as they are called in their tables, or in full where two are called the same."""
        short = tuple(name.rpartition(".")[2] for name in self.axes)
        return short if len(set(short)) == len(short) else tuple(self.axes)

    @cached_property
    def identity(self) -> dict[str, Any]:
        """What results must share to be of one study: all but its name, its seeds, the varied values and the target."""
        swept = [name.split(".") for name in self.axes]
        fixed = _without(self.cells[0].sample, [path[1:] for path in swept if path[0] == "sample"])
        settings = _without(self.cells[0].settings, [path[1:] for path in swept if path[0] == "sequence"])
        station = hashlib.sha256(find(self.station).read_bytes()).hexdigest()
        fit = self.fit.model_dump(exclude={"target"})
        told = {"sample": fixed, "sequence": self.sequence, "settings": settings, "station": station, "fit": fit}
        return {**told, "varied": sorted(self.axes)}


def read_study(path: Path) -> Study:
    """Read and check the file of a study; samples and stations are first looked for beside it.

    Raises:
        StationError: one line that names file, key, value and what is allowed.
    """
    try:
        told = _File.model_validate(config_files.tables(path))
    except ValidationError as error:
        raise StationError(explain(error, path)) from error
    tables = _sample(path, told.sample)
    axes = dict(_axes(path, told.vary))
    cells = tuple(_cells(axes, tables, told.sequence.set))
    return Study(path, told.name, _station(path, told.station), told.sequence.name, told.seeds, axes, cells, told.fit)


def _station(path: Path, name: str) -> str:
    beside = path.parent / name
    return str(beside.resolve()) if beside.is_file() else name


def _sample(path: Path, table: SampleTable) -> dict[str, Any]:
    """The tables of a sample, with what the study sets in place of them."""
    beside = path.parent / table.file
    tables = config_files.tables(beside if beside.is_file() else find(table.file, "samples"))
    for keys, value in _leaves(table.set):
        tables = _changed(tables, keys, value)
    return tables


def _axes(path: Path, vary: VaryTable) -> Iterator[tuple[str, Sequence[Any]]]:
    for table in ("sample", "sequence"):
        for keys, values in _leaves(getattr(vary, table)):
            name = ".".join((table, *keys))
            if not isinstance(values, list) or not values:
                raise StationError(f"{path}: vary.{name} = {values!r}: a list of values is needed")
            if len({json.dumps(value) for value in values}) < len(values):
                raise StationError(f"{path}: vary.{name} = {values!r}: the values must differ")
            yield name, values


def _cells(axes: Mapping[str, Sequence[Any]], tables: dict[str, Any], settings: dict[str, Any]) -> Iterator[Cell]:
    for values in itertools.product(*axes.values()):
        sample, own = tables, settings
        for name, value in zip(axes, values, strict=True):
            table, *keys = name.split(".")
            if table == "sample":
                sample = _changed(sample, tuple(keys), value)
            else:
                own = _changed(own, tuple(keys), value)
        yield Cell(dict(zip(axes, values, strict=True)), sample, own)


def _leaves(table: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """What stands in a table of tables, by its keys."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _leaves(value, (*above, key))
        else:
            yield (*above, key), value


def _changed(table: Mapping[str, Any], keys: tuple[str, ...], value: Any) -> dict[str, Any]:
    """The table with another value at keys, one within the other."""
    first, *rest = keys
    inner = table.get(first, {})
    return {**table, first: _changed(inner if isinstance(inner, dict) else {}, tuple(rest), value) if rest else value}


def _without(table: Mapping[str, Any], paths: Sequence[Sequence[str]]) -> dict[str, Any]:
    found = dict(table)
    for first, *rest in paths:
        if rest and isinstance(found.get(first), dict):
            found[first] = _without(found[first], [rest])
        else:
            found.pop(first, None)
    return found
