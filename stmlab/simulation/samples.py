"""Samples of the simulated microscope, read from ``config/samples/*.toml``.

A file names the sample, says where its numbers come from, gives the decay of the tunnel current and, in a table called
as its kind, the physical parameters of the junction with units in their names; of the kind "recorded" the file that is
replayed (`stmlab.simulation.replay`); of the kind "spin_system" a spin system (`stmlab.systems`).
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from stmlab import config_files
from stmlab.config_files import explain
from stmlab.errors import StationError
from stmlab.simulation.replay.table import ReplayTable, recorded_junction
from stmlab.systems import KIND as SYSTEM
from stmlab.systems import read_system

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.simulation.junctions import Junction

_KINDS = {
    "two_level": "stmlab.simulation.junctions.two_level:TwoLevel",
    "rate_equation": "stmlab.simulation.junctions.rate_equation:RateEquation",
    "coupled_spins": "stmlab.simulation.junctions.coupled_spins:CoupledSpins",
    "bound_state": "stmlab.simulation.junctions.bound_state:BoundStateJunction",
    "recorded": "stmlab.simulation.replay.table:ReplayTable",
}
"""Kind of sample -> the junction that reads the table of that name, or (recorded) the table that names a junction."""
_DECAY = 1.0e10  # 1/m, of a recording that stands in no sample file: about one decade of current in 0.1 nm


@dataclass(frozen=True)
class Sample:
    """What is under the tip.

    Attributes:
        name: of its file.
        title: for people.
        kind: of junction.
        source: where the numbers come from.
        decay_constant: kappa in I ~ exp(-2 kappa z), 1/m.
        junction: its physics.
        noise: whether the instruments add noise; what was recorded has its own.
    """

    name: str
    title: str
    kind: str
    source: str
    decay_constant: float
    junction: Junction
    noise: bool = True

    def true_values(self, v_dc: float, v_ac: float) -> Mapping[str, float | str]:
        """What an experiment at bias ``v_dc`` and drive amplitude ``v_ac`` (V) should find; keys carry the unit."""
        return self.junction.true_values(v_dc, v_ac)

    def true_rate(self, v_dc: float, v_ac: float) -> float:
        """The switching rate Gamma under that drive, 1/s, from the model itself."""
        return float(self.true_values(v_dc, v_ac)["rate_per_s"])


class _SampleFile(BaseModel):
    """The part of a sample file that all kinds share."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: str
    title: str
    kind: str
    source: str
    decay_constant_per_m: float = Field(gt=0, allow_inf_nan=False)


def read_sample(path: Path) -> Sample:
    """Read and check a sample file.

    Raises:
        StationError: one line that names file, key, value and what is allowed.
        FileError, FitError: the recording that it names cannot be replayed.
    """
    try:
        tables = config_files.tables(path)
        if tables.get("kind") == SYSTEM:
            return _spin_system(path)
        head = _SampleFile.model_validate(tables)
        _refuse_strangers(path, head)
        junction = _tables_of(head.kind).validate_python(tables[head.kind])
    except ValidationError as error:
        raise StationError(explain(error, path)) from error
    noise = True
    if isinstance(junction, ReplayTable):
        noise = junction.added_noise
        junction = recorded_junction(junction.model_copy(update={"file": path.parent / junction.file}))
    return Sample(head.name, head.title, head.kind, head.source, head.decay_constant_per_m, junction, noise)


def _spin_system(path: Path) -> Sample:
    """A spin system's file as the sample: its numbers are where the fit would begin."""
    from stmlab.simulation.junctions.spin_system import SpinSystemJunction

    system = read_system(path)
    junction = SpinSystemJunction(system, path)
    return Sample(path.stem, system.title, SYSTEM, str(path), system.decay_constant_per_m, junction)


def recorded_sample(table: Mapping[str, Any]) -> Sample:
    """A recording as the sample, without a sample file.

    Args:
        table: see `stmlab.simulation.replay.table.ReplayTable`.

    Raises:
        StationError: a wrong key or value.
        FileError, FitError: the file cannot be replayed.
    """
    try:
        asked = ReplayTable.model_validate(dict(table))
    except ValidationError as error:
        raise StationError(explain(error, Path("--replay"))) from error
    junction = recorded_junction(asked)
    source = junction.source
    title = f"recorded in {source.name}"
    return Sample(source.name, title, "recorded", str(source.path), _DECAY, junction, noise=asked.added_noise)


def _refuse_strangers(path: Path, head: _SampleFile) -> None:
    if head.kind not in _KINDS:
        raise StationError(f"{path}: kind = {head.kind!r}: {', '.join((*_KINDS, SYSTEM))} is allowed")
    tables = set(head.model_extra or ())
    if head.kind not in tables:
        raise StationError(f"{path}: the table [{head.kind}] is missing")
    if strangers := sorted(tables - {head.kind}):
        raise StationError(f"{path}: {strangers[0]}: not known in a sample of kind {head.kind!r}")


@cache  # takes as long as all instruments of the microscope
def _tables_of(kind: str) -> TypeAdapter[Any]:
    """What checks a table of that kind and makes its junction."""
    module, _, name = _KINDS[kind].partition(":")
    return TypeAdapter(getattr(importlib.import_module(module), name))
