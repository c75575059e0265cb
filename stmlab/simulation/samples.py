"""Samples of the simulated microscope, read from ``config/samples/*.toml``.

A file names the sample, says where its numbers come from, gives the decay of the tunnel current and, in a table called
as its kind, the physical parameters of the junction with units in their names.
"""

from __future__ import annotations

import importlib
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from stmlab.config_files import explain
from stmlab.errors import StationError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from stmlab.simulation.junctions import Junction

_KINDS = {
    "two_level": "stmlab.simulation.junctions.two_level:TwoLevel",
    "rate_equation": "stmlab.simulation.junctions.rate_equation:RateEquation",
    "coupled_spins": "stmlab.simulation.junctions.coupled_spins:CoupledSpins",
    "bound_state": "stmlab.simulation.junctions.bound_state:BoundStateJunction",
}
"""Kind of sample -> the junction that reads the table of that name."""


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
    """

    name: str
    title: str
    kind: str
    source: str
    decay_constant: float
    junction: Junction

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
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
        head = _SampleFile.model_validate(tables)
        _refuse_strangers(path, head)
        junction: Junction = TypeAdapter(_junction_class(head.kind)).validate_python(tables[head.kind])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise StationError(f"{path}: {error}") from error
    except ValidationError as error:
        raise StationError(explain(error, path)) from error
    return Sample(head.name, head.title, head.kind, head.source, head.decay_constant_per_m, junction)


def _refuse_strangers(path: Path, head: _SampleFile) -> None:
    if head.kind not in _KINDS:
        raise StationError(f"{path}: kind = {head.kind!r}: {', '.join(_KINDS)} is allowed")
    tables = set(head.model_extra or ())
    if head.kind not in tables:
        raise StationError(f"{path}: the table [{head.kind}] is missing")
    if strangers := sorted(tables - {head.kind}):
        raise StationError(f"{path}: {strangers[0]}: not known in a sample of kind {head.kind!r}")


def _junction_class(kind: str) -> Any:
    module, _, name = _KINDS[kind].partition(":")
    return getattr(importlib.import_module(module), name)
