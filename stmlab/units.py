"""Numbers with units, as people write and read them: "4 mV" in, "(1.73 ± 0.04)·10⁹ /s" out; SI floats inside."""

from __future__ import annotations

import math
import re
from decimal import Decimal

from stmlab.errors import SequenceError

_QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(?:1?(/)\s*)?([A-Za-zµμΩ°%][\w/*^ µμΩ°%]*)")
_PREFIXES = {-18: "a", -15: "f", -12: "p", -9: "n", -6: "µ", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T"}
_POWERS = {prefix: power for power, prefix in _PREFIXES.items()} | {"u": -6, "μ": -6}
_PREFIXED = frozenset({"A", "F", "Hz", "J", "K", "S", "Sa/s", "T", "V", "Vrms", "W", "eV", "m", "s", "Ω"})
_ALL_DIGITS = 18
_ROUNDING = 1e-15  # of a number that goes through a prefix and back
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_LOWERED = {raised: ordinary for ordinary, raised in _RAISED.items()}
_POWER = re.compile(r"\s*[·×]\s*10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)")


def in_unit(text: str, unit: str) -> float:
    """Read a number with or without a unit, such as ``"4 mV"``, ``"0.004"`` or ``"1·10⁹ /s"``, as a number of ``unit``.

    Raises:
        SequenceError: no number, an unknown unit, or one of another dimension.
    """
    ordinary = _POWER.sub(lambda found: "e" + found[1].translate(_LOWERED), text)
    try:
        return float(ordinary)
    except ValueError:
        pass  # not a bare number: it carries a unit
    found = _QUANTITY.fullmatch(ordinary.strip())
    if found is not None:
        number, per, symbol = found.groups()
        written = f"1/{symbol}" if per else symbol
        known = _in_prefixed(number, written, unit)
        if (value := _by_pint(number, written, unit) if known is None else known) is not None:
            return value
    wanted = f"a number, or a number with a unit of {unit}" if unit else "a plain number"
    raise SequenceError(f"{text!r} is not {wanted}")


def _in_prefixed(number: str, written: str, unit: str) -> float | None:
    """A number in percent, or of ``unit`` as it is or with a prefix, correctly rounded; None if it is another one.

    A rate in 1/s may be given in Hz.
    """
    if written == unit:
        return float(number)
    if unit == "1/s" and written.endswith("Hz"):
        unit = "Hz"
    if written == "%" and not unit:
        return float(Decimal(number).scaleb(-2))
    prefix = written.removesuffix(unit)
    if unit not in _PREFIXED or prefix == written or prefix not in _POWERS:
        return None
    return float(Decimal(number).scaleb(_POWERS[prefix]))


def _by_pint(number: str, written: str, unit: str) -> float | None:
    """A number of any unit that pint knows, in ``unit``; None if they do not fit together."""
    import pint  # a second of a slow machine: most of what people write needs it not
    from pymeasure.units import ureg

    try:
        return float(ureg.Quantity(float(number), written).to(unit or "dimensionless").magnitude)
    except (pint.PintError, AssertionError, AttributeError, ValueError):  # pint asserts on some nonsense
        return None


def format_value(value: float, error: float, unit: str = "") -> str:
    """A value with its standard error as physicists write it: "(1.73 ± 0.04)·10⁹ /s", "(5.02 ± 0.05) pA".

    The error has one digit, or two if the first is a 1; the value ends where the error does. Without an error the value
    stands alone and says so; one whose error is infinite is "not determined".
    """
    if not math.isfinite(value):
        return f"{value:g} {unit}".rstrip()
    known = math.isfinite(error) and error > 0
    power, suffix = _power_and_suffix(max(abs(value), error if known else 0.0), unit)
    scaled = value * 10.0**-power
    if error == math.inf:
        return "not determined"
    if not known:
        return f"{scaled:.4g}{suffix} (error unknown)"
    width = error * 10.0**-power
    first, _, place = f"{width:.1e}".partition("e")
    digits = first.startswith("1") - int(place)
    numbers = [f"{round(number, digits) or 0.0:.{max(digits, 0)}f}" for number in (scaled, width)]  # no "-0"
    return f"({numbers[0]} ± {numbers[1]}){suffix}" if suffix else f"{numbers[0]} ± {numbers[1]}"


def prefixed_unit(size: float, unit: str) -> tuple[int, str]:
    """The power of ten to take out of numbers as large as ``size``, and the unit with the prefix that stands for it.

    (0, ``unit``) where the unit takes no prefix (a rate, meV), or there is none so large or so small.
    """
    return _prefixed(size, unit) or (0, unit)


def written_unit(size: float, unit: str) -> tuple[int, str]:
    """As `prefixed_unit`, but with a power of ten before a unit that takes no prefix: (9, "10⁹ /s")."""
    power, suffix = _power_and_suffix(size, unit)
    return power, suffix.lstrip(" ·")


def format_quantity(value: float, unit: str) -> str:
    """A number that is known exactly, such as a setting: "4 mV", "1.73·10⁹ /s"."""
    power, suffix = _power_and_suffix(abs(value), unit)
    return f"{value * 10.0**-power:.6g}{suffix}"


def exact_quantity(value: float, unit: str) -> str:
    """As `format_quantity`, with as many digits as it takes to read the same number again: "1.23456789 mV".

    A number alone where its unit is none that `in_unit` can read.
    """
    power, suffix = _power_and_suffix(abs(value), unit)
    for digits in range(6, _ALL_DIGITS):
        text = f"{value * 10.0**-power:.{digits}g}{suffix}"
        if _reads_as(text, unit, value):
            return text
    return repr(value)


def _reads_as(text: str, unit: str, value: float) -> bool:
    try:
        return math.isclose(in_unit(text, unit), value, rel_tol=_ROUNDING, abs_tol=0.0)
    except SequenceError:  # a unit that is no unit to read, such as dB/octave
        return False


def _power_and_suffix(size: float, unit: str) -> tuple[int, str]:
    """The power of ten taken out of the number, and what stands for it behind: a prefix, or the power itself."""
    if (found := _prefixed(size, unit)) is not None:
        return found[0], f" {found[1]}"
    power = 0 if 0.01 <= size < 1000 else max(_thousands(size), -300)
    written = unit.removeprefix("1") if unit.startswith("1/") else unit
    raised = f"·10{str(power).translate(_RAISED)}" if power else ""
    return power, raised + (f" {written}" if written else "")


def _prefixed(size: float, unit: str) -> tuple[int, str] | None:
    power = _thousands(size)
    return (power, _PREFIXES[power] + unit) if unit in _PREFIXED and power in _PREFIXES else None


def _thousands(size: float) -> int:
    """The power of ten, a multiple of three, that leaves 1 to 1000."""
    return 3 * math.floor(math.log10(size) / 3) if math.isfinite(size) and size > 0 else 0
