"""pymeasure's typed Parameters and its Procedure, without the rest of ``pymeasure.experiment``.

``pymeasure.experiment/__init__.py`` imports pandas for its CSV results: 0.2 s before the first point, for nothing that
a run needs. Its modules ``parameters`` and ``procedure`` need none of it, so they are imported here under a package
object whose ``__init__`` has not run. A later ``import pymeasure.experiment`` runs it and finds these same classes.
"""

from __future__ import annotations

import importlib.util
import re
import sys
from typing import Any

from stmlab.errors import SequenceError

_PACKAGE = "pymeasure.experiment"
_QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*([A-Za-zµμΩ°%][\w/*^ µμΩ°%]*)")


def _bare_package() -> Any:
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None:
        raise ImportError("pymeasure is not installed", name=_PACKAGE)
    return importlib.util.module_from_spec(spec)


_loaded_before = _PACKAGE in sys.modules
if not _loaded_before:
    sys.modules[_PACKAGE] = _bare_package()
try:
    from pymeasure.experiment.parameters import (
        BooleanParameter,
        FloatParameter,
        IntegerParameter,
        ListParameter,
        Parameter,
    )
    from pymeasure.experiment.procedure import Procedure
finally:
    if not _loaded_before:
        del sys.modules[_PACKAGE]

__all__ = [
    "BooleanParameter",
    "FloatParameter",
    "IntegerParameter",
    "ListParameter",
    "Parameter",
    "Procedure",
    "in_unit",
]


def in_unit(text: str, unit: str) -> float:
    """Read a number with or without a unit, such as ``"4 mV"``, ``"4mV"`` or ``"0.004"``, as a number of ``unit``.

    Raises:
        SequenceError: no number, an unknown unit, or one of another dimension.
    """
    try:
        return float(text)
    except ValueError:
        pass  # not a bare number: it carries a unit
    import pint
    from pymeasure.units import ureg

    try:
        number, symbol = _QUANTITY.fullmatch(text.strip()).groups()  # type: ignore[union-attr]
        return float(ureg.Quantity(float(number), symbol).to(unit or "dimensionless").magnitude)
    except (pint.PintError, AssertionError, AttributeError, ValueError) as error:  # pint asserts on some nonsense
        wanted = f"a number, or a number with a unit of {unit}" if unit else "a plain number"
        raise SequenceError(f"{text!r} is not {wanted}") from error
