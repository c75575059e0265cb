"""pymeasure's typed Parameters and its Procedure, without what a run never uses.

``pymeasure.experiment/__init__.py`` imports pandas for its CSV results (0.2 s), and its ``procedure.py`` imports pint
to check the units of CSV columns (0.1 s): for nothing that a run needs before its first point. So its modules
``parameters`` and ``procedure`` are imported here under a package object whose ``__init__`` has not run, and with a
registry that loads pint when it is first used. A later ``import pymeasure.experiment`` runs as usual and finds these
same classes, which then behave as ever.
"""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType
from typing import Any

from stmlab.adapters import standing_in

_PACKAGE = "pymeasure.experiment"


class _LaterRegistry:
    """Stands for pint's unit registry in ``procedure.py`` until it is first used, and then gives way to it."""

    def __getattr__(self, name: str) -> Any:
        import pint
        from pymeasure.units import ureg

        module = sys.modules[f"{_PACKAGE}.procedure"]
        vars(module).update(ureg=ureg, UndefinedUnitError=pint.UndefinedUnitError)
        return getattr(ureg, name)


def _surroundings() -> dict[str, ModuleType]:
    """The package without its ``__init__``, pint and the unit registry."""
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None:
        raise ImportError("pymeasure is not installed", name=_PACKAGE)
    pint, units = ModuleType("pint"), ModuleType("pymeasure.units")
    vars(pint).update(UndefinedUnitError=ValueError)
    vars(units).update(ureg=_LaterRegistry())
    return {_PACKAGE: importlib.util.module_from_spec(spec), "pint": pint, "pymeasure.units": units}


with standing_in(_surroundings()):
    from pymeasure.experiment.parameters import (
        BooleanParameter,
        FloatParameter,
        IntegerParameter,
        ListParameter,
        Parameter,
    )
    from pymeasure.experiment.procedure import Procedure

__all__ = [
    "BooleanParameter",
    "FloatParameter",
    "IntegerParameter",
    "ListParameter",
    "Parameter",
    "Procedure",
]
