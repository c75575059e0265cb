"""The models by name, for the window and the command line: parameters with units, bounds and start values, and curves.

model = models.known("srs")
curves = model.curves({"rate_up": 5e8})        # the others at their start values
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from stmlab.errors import PhysicsError

if TYPE_CHECKING:
    from stmlab.models.model import Model

__all__ = ["MODELS", "known"]

MODELS = ("transport", "srs", "pump-probe", "two-spins", "molecules", "bound-state")
"""Names, in the order in which they are shown; each is a module of this room."""


def known(name: str) -> Model:
    """The model called ``name``.

    Raises:
        PhysicsError: there is none.
    """
    if name not in MODELS:
        raise PhysicsError(f"model = {name}: one of {', '.join(MODELS)} is needed")
    model: Model = import_module(f"stmlab.models.{name.replace('-', '_')}").MODEL
    return model
