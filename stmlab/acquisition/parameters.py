"""pymeasure's typed Parameters, its Procedure and its adapters, without what a run never uses.

``pymeasure.experiment/__init__.py`` imports pandas for its CSV results (0.2 s), and its ``procedure.py`` imports pint
to check the units of CSV columns (0.1 s): for nothing that a run needs before its first point. So its modules
``parameters`` and ``procedure`` are imported here under a package object whose ``__init__`` has not run, and with a
registry that loads pint when it is first used. A later ``import pymeasure.experiment`` runs as usual and finds these
same classes, which then behave as ever. In the same way ``pymeasure.adapters``, which every driver needs, finds a
stand-in for ``unittest.mock``, which imports asyncio and ssl (0.03 s) for an adapter that only tests use.
"""

from __future__ import annotations

import importlib.util
import sys
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_PACKAGE = "pymeasure.experiment"


class _LaterRegistry:
    """Stands for pint's unit registry in ``procedure.py`` until it is first used, and then gives way to it."""

    def __getattr__(self, name: str) -> Any:
        import pint
        from pymeasure.units import ureg

        module = sys.modules[f"{_PACKAGE}.procedure"]
        vars(module).update(ureg=ureg, UndefinedUnitError=pint.UndefinedUnitError)
        return getattr(ureg, name)


def _later_magic_mock(*args: Any, **kwargs: Any) -> Any:
    """Stands for ``MagicMock`` in ``protocol.py`` until it is first used, and then gives way to it."""
    from unittest.mock import MagicMock

    vars(sys.modules["pymeasure.adapters.protocol"]).update(MagicMock=MagicMock)
    return MagicMock(*args, **kwargs)


@contextmanager
def _without_their_surroundings() -> Iterator[None]:
    """While the context lasts, the package's ``__init__``, pint, the unit registry and mocks are stand-ins."""
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None:
        raise ImportError("pymeasure is not installed", name=_PACKAGE)
    pint, units, mock = ModuleType("pint"), ModuleType("pymeasure.units"), ModuleType("unittest.mock")
    vars(pint).update(UndefinedUnitError=ValueError)
    vars(units).update(ureg=_LaterRegistry())
    vars(mock).update(MagicMock=_later_magic_mock)
    package = importlib.util.module_from_spec(spec)
    modules = {_PACKAGE: package, "pint": pint, "pymeasure.units": units, "unittest.mock": mock}
    missing = {name: module for name, module in modules.items() if name not in sys.modules}
    sys.modules |= missing
    try:
        yield
    finally:
        for name in missing:
            del sys.modules[name]


with _without_their_surroundings():
    import pymeasure.adapters  # noqa: F401  drivers import it later, and find it
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
