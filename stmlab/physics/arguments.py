"""Refusals of arguments for which a model is not defined: each names the argument, its value and what is allowed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from stmlab.errors import PhysicsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stmlab.arrays import FloatArray

Vector = tuple[float, float, float]
Tensor = tuple[Vector, Vector, Vector]


def refuse(name: str, value: object, allowed: str) -> PhysicsError:
    """The error for an argument that is refused, to be raised by the caller."""
    shown = f"{value:.9g}" if isinstance(value, float | np.floating) else " ".join(str(value).split())
    return PhysicsError(f"{name} = {shown if len(shown) <= 120 else shown[:117] + '...'}: {allowed}")


def finite(name: str, value: float, unit: str = "") -> float:
    """``value`` as a float; raises PhysicsError unless it is one finite real number."""
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    allowed = f"a finite number{f' in {unit}' if unit else ''} is needed"
    if isinstance(value, bool | str | complex):
        raise refuse(name, value, allowed)
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise refuse(name, value, allowed) from None
    if not math.isfinite(number):
        raise refuse(name, number, allowed)
    return number


def positive(name: str, value: float, unit: str = "") -> float:
    """``value`` as a float; raises PhysicsError unless it is finite and above zero."""
    number = finite(name, value, unit)
    if number <= 0:
        raise refuse(name, number, f"a value above 0{f' {unit}' if unit else ''} is needed")
    return number


def not_negative(name: str, value: float, unit: str = "") -> float:
    """``value`` as a float; raises PhysicsError unless it is finite and at least zero."""
    number = finite(name, value, unit)
    if number < 0:
        raise refuse(name, number, f"0{f' {unit}' if unit else ''} or more is needed")
    return number


def whole(name: str, value: int, low: int, high: int) -> int:
    """``value`` as an int; raises PhysicsError unless it is a whole number from ``low`` to ``high``."""
    if type(value) is int and low <= value <= high:
        return value
    number = finite(name, value)
    if number != int(number) or not low <= number <= high:
        raise refuse(name, value, f"a whole number from {low} to {high} is needed")
    return int(number)


def real_array(name: str, value: Any, shape: tuple[int, ...] | None = None, unit: str = "") -> FloatArray:
    """``value`` as a float array; raises PhysicsError unless it is real, finite and of ``shape`` (None: any shape)."""
    try:
        array = np.asarray(value)
        real = array.astype(float) if array.dtype.kind in "fiu" else None
    except (TypeError, ValueError):
        raise refuse(name, value, _wanted(shape, unit)) from None
    if real is None or (shape is not None and real.shape != shape):
        raise refuse(name, value, _wanted(shape, unit))
    if not np.isfinite(real).all():
        raise refuse(name, float(real[~np.isfinite(real)][0]), _wanted(shape, unit))
    return real


def _wanted(shape: tuple[int, ...] | None, unit: str) -> str:
    kind = f"finite real numbers{f' in {unit}' if unit else ''}"
    return f"{kind} of shape {shape} are needed" if shape is not None else f"{kind} are needed"


def vector(name: str, value: Sequence[float], unit: str = "") -> Vector:
    """``value`` as three floats; raises PhysicsError unless it is three finite real numbers."""
    if _is_vector(value):
        return value
    x, y, z = real_array(name, value, (3,), unit).tolist()
    return x, y, z


def _is_vector(value: object) -> TypeGuard[Vector]:
    """Whether it is three finite floats already: most are, and are not looked at any closer."""
    return (
        isinstance(value, tuple) and len(value) == 3 and all(type(one) is float and math.isfinite(one) for one in value)
    )


def _is_tensor(value: object) -> TypeGuard[Tensor]:
    return isinstance(value, tuple) and len(value) == 3 and all(map(_is_vector, value))


def tensor(name: str, value: Sequence[Sequence[float]], unit: str = "") -> Tensor:
    """``value`` as three rows of three floats; raises PhysicsError unless it is a finite real 3x3 matrix."""
    if _is_tensor(value):
        return value
    first, second, third = (tuple(row) for row in real_array(name, value, (3, 3), unit).tolist())
    return first, second, third


def direction(name: str, value: Sequence[float]) -> Vector:
    """``value`` scaled to unit length; raises PhysicsError unless it is three finite numbers, not all zero."""
    x, y, z = vector(name, value)
    length = math.sqrt(x * x + y * y + z * z)
    if length == 0:
        raise refuse(name, (x, y, z), "a direction that is not zero is needed")
    return x / length, y / length, z / length
