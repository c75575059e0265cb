"""A model's parameters as a sample of the simulated microscope, and the run that measures it; no Qt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stmlab.acquisition.queue.entries import QueueEntry
from stmlab.config_files import config_directories
from stmlab.errors import PhysicsError
from stmlab.models.model import sample_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from stmlab.models.model import Model, Value

_STATION = "simulated"


def measurement_entry(model: Model, values: Mapping[str, Value], stamp: str) -> tuple[Path, QueueEntry]:
    """Write the sample into the user's own folder; its path, and the run that measures it.

    Args:
        model: whose parameters they are.
        values: of every parameter.
        stamp: makes the sample's name its own: a run refers to it.

    Raises:
        PhysicsError: the simulated microscope has no such sample, or its junction is refused.
        OSError: the file cannot be written.
    """
    if model.measurement is None:
        raise PhysicsError(f"the simulated microscope has no sample of the model {model.name}")
    measurement = model.measurement(model.values(values))
    name = f"{model.name.replace('-', '_')}_{stamp}"
    path = config_directories()[0] / "samples" / f"{name}.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(sample_text(name, f"{model.name}, by hand", measurement), encoding="utf-8")
    settings = {key: repr(value) for key, value in measurement.settings.items()}
    note = f"measures what the model {model.name} was set to"
    return path, QueueEntry(sequence=measurement.sequence, station=_STATION, sample=name, settings=settings, note=note)
