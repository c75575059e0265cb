"""Reading a spin system's file: ``config/systems/*.toml``, or anybody's own.

A file is as a sample's: name, title, kind = "spin_system", source, perhaps decay_constant_per_m, and the table
[spin_system]. Its [spin_system.alternatives.NAME] are what it is compared with: each another file, or the same tables
with changes, and without some of them.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from stmlab import config_files
from stmlab.config_files import explain, find
from stmlab.errors import FitError, PhysicsError, StationError
from stmlab.systems.form import SystemTable
from stmlab.systems.parameters import Scale, is_number
from stmlab.systems.system import Conditions, System

if TYPE_CHECKING:
    from collections.abc import Mapping

KIND = "spin_system"
FOLDER = "systems"
_TRIED = Conditions(0.1e-6, field_T=1.0, temperature_K=1.0)
"""Conditions in which a system is built once, to see whether it can be ..."""
_WARM = 5.0  # ... and the temperature in K, where the spectra say it


class _File(BaseModel):
    """What all tables but one say."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    title: str = ""
    kind: str
    source: str = ""
    decay_constant_per_m: float = Field(default=1.0e10, gt=0, allow_inf_nan=False)
    spin_system: dict[str, Any]


class _Alternative(BaseModel):
    """What an alternative says beside its changes."""

    model_config = ConfigDict(extra="allow", frozen=True)

    title: str = ""
    file: Path | None = None
    without: list[str] = []


def read_system(name: str | Path) -> System:
    """Read and check a file, by the name of one that comes with stmlab or by its path.

    Raises:
        StationError: there is none; or one line that names file, key, value and what is allowed.
    """
    path = find(str(name), FOLDER)
    head, table = _head(path)
    return _with_alternatives(path, head, table)


def built_in(name: str, label: str, changes: Mapping[str, Any] | None = None) -> System:
    """A system of a file that comes with stmlab, or one of its alternatives, with other values of some keys.

    Args:
        name: of the file.
        label: of the system or the alternative.
        changes: dotted key -> value, ``{"spins.sample.scattering_S": 1e-6}``, of what the system has.
    """
    path = find(name, FOLDER)
    head, table = _head(path)
    alternatives = table.pop("alternatives", {})
    if label != table["label"]:
        table = _varied(path, table, label, _Alternative.model_validate(alternatives[label]))
    for key, value in (changes or {}).items():
        if _has(table, key):
            table = _merged(table, _nested(key, value))
    return _system(path, head, table, KIND, label, "")


def _has(table: dict[str, Any], key: str) -> bool:
    """Whether the table has the table in which the dotted ``key`` is."""
    first, _, rest = key.partition(".")
    return not rest or (first in table and _has(table[first], rest))


def _with_alternatives(path: Path, head: _File, table: dict[str, Any]) -> System:
    own = {key: value for key, value in table.items() if key != "alternatives"}
    told = table.get("alternatives", {})
    if not isinstance(told, dict) or not all(isinstance(one, dict) for one in told.values()):
        raise StationError(f"{path}: {KIND}.alternatives: a table for each alternative is needed")
    label = own.get("label") or head.name
    if label in told:
        raise StationError(f"{path}: {KIND}.alternatives.{label}: that is the system's own name: give another one")
    system = _system(path, head, own, KIND, label, head.title)
    return replace(system, alternatives=tuple(_alternative(path, head, own, *one) for one in told.items()))


def _head(path: Path) -> tuple[_File, dict[str, Any]]:
    try:
        head = _File.model_validate(config_files.tables(path))
    except ValidationError as error:
        raise StationError(explain(error, path)) from error
    if head.kind != KIND:
        raise StationError(f"{path}: kind = {head.kind!r}: {KIND} is needed")
    return head, head.spin_system


def _alternative(path: Path, head: _File, own: dict[str, Any], name: str, changes: dict[str, Any]) -> System:
    table = f"{KIND}.alternatives.{name}"
    try:
        told = _Alternative.model_validate(changes)
    except ValidationError as error:
        raise StationError(explain(error, path, table)) from error
    if told.file is not None:
        if told.model_extra or told.without:
            raise StationError(f"{path}: {table}: file stands alone: the other file says everything")
        other = path.parent / told.file
        if not other.is_file():
            raise StationError(f"{path}: {table}.file = {str(told.file)!r}: there is no such file")
        other_head, other_table = _head(other)
        said = {key: value for key, value in other_table.items() if key != "alternatives"}
        return _system(other, other_head, said, KIND, name, other_head.title)
    return _system(path, head, _varied(path, own, name, told), table, name, told.title)


def _varied(path: Path, own: dict[str, Any], name: str, told: _Alternative) -> dict[str, Any]:
    """The table with the changes of an alternative."""
    table = {key: value for key, value in own.items() if key != "label"}
    for key in told.without:
        table = _without(table, key, f"{path}: {KIND}.alternatives.{name}.without")
    return _merged(table, dict(told.model_extra or {}))


def _system(
    path: Path,
    head: _File,
    table: dict[str, Any],
    where: str,
    label: str,
    title: str,
) -> System:
    """The system of a table; built once at its start, so that what cannot be is refused with the file's name."""
    try:
        system = System(label, SystemTable.model_validate(table), head.decay_constant_per_m, title=title)
        tried = {name: _WARM if one.scale is Scale.LOGARITHMIC else 1.0 for name, one in system.parameters.items()}
        system.junction({**tried, **system.starts()}, _TRIED)
    except ValidationError as error:
        raise StationError(explain(error, path, where)) from error
    except (StationError, PhysicsError, FitError) as error:
        raise StationError(f"{path}: {where}: {error}") from error
    return system


def _merged(table: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Tables of spins, exchanges and electrodes are merged; a number and all that is said of it is replaced."""
    merged = dict(table)
    for key, value in changes.items():
        before = table.get(key)
        if isinstance(before, dict) and isinstance(value, dict) and not is_number(key):
            value = _merged(before, value)
        merged[key] = value
    return merged


def _nested(key: str, value: Any) -> dict[str, Any]:
    first, _, rest = key.partition(".")
    return {first: _nested(rest, value) if rest else value}


def _without(table: dict[str, Any], key: str, where: str, before: str = "") -> dict[str, Any]:
    """The table without the one at the dotted ``key``, after the part ``before`` of the path."""
    first, _, rest = key.partition(".")
    if first not in table:
        raise StationError(f"{where}: {before}{key}: there is no such key; there are {', '.join(table)}")
    if not rest:
        return {name: value for name, value in table.items() if name != first}
    if not isinstance(table[first], dict):
        raise StationError(f"{where}: {before}{key}: {before}{first} is no table")
    return {**table, first: _without(table[first], rest, where, f"{before}{first}.")}
