"""The one way in which a driver takes an answer apart: each kind of answer is read by a function that refuses the rest.

A reader gets the text and returns the value, or raises ValueError whose text says what is wrong. ``read`` turns that
into GarbledAnswer, which names the instrument, the question and the answer; nothing else leaves a driver.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from stmlab.errors import GarbledAnswer

if TYPE_CHECKING:
    from collections.abc import Mapping

Reader = Callable[[str], Any]
"""Text of an answer -> value; ValueError for what cannot be one."""

LARGEST = 1e300
_SLACK = 1e-6  # relative: bounds are decimals, readings are rounded
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_INTEGER = re.compile(r"[+-]?\d+")


def read(instrument: str, question: str, answer: str, reader: Reader) -> Any:
    """The value that ``answer`` holds.

    Raises:
        GarbledAnswer: it holds none that could be the answer to ``question``.
    """
    try:
        return reader(answer.strip())
    except ValueError as error:
        raise GarbledAnswer(instrument, question, answer, str(error)) from error


def number(low: float = -LARGEST, high: float = LARGEST) -> Reader:
    """A finite number within bounds, rounding allowed for."""
    lowest, highest = low - _SLACK * abs(low), high + _SLACK * abs(high)

    def reader(text: str) -> float:
        if not _NUMBER.fullmatch(text):
            raise ValueError("no number")
        if not lowest <= (value := float(text)) <= highest:
            raise ValueError(f"not between {low:g} and {high:g}")
        return value

    return reader


def integer(low: int, high: int) -> Reader:
    """A whole number within bounds."""

    def reader(text: str) -> int:
        if not _INTEGER.fullmatch(text) or len(text) > 20:
            raise ValueError("no whole number")
        if not low <= (value := int(text)) <= high:
            raise ValueError(f"not between {low} and {high}")
        return value

    return reader


def bit(number: int, high: int) -> Reader:
    """Whether a bit of a whole number up to ``high`` is set."""
    whole = integer(0, high)

    def reader(text: str) -> bool:
        return bool(whole(text) >> number & 1)

    return reader


def one_of(choices: Mapping[str, Any]) -> Reader:
    """One of several words, each with its meaning."""

    def reader(text: str) -> Any:
        if text not in choices:
            raise ValueError(f"none of {', '.join(choices)}")
        return choices[text]

    return reader


def text(pattern: str = r"[\x20-\x7e]+") -> Reader:
    """Printable text that matches ``pattern``."""
    wanted = re.compile(pattern)

    def reader(answer: str) -> str:
        if not wanted.fullmatch(answer):
            raise ValueError(f"not of the form {pattern}")
        return answer

    return reader


def pairs(low: int, high: int) -> Reader:
    """Pairs of whole numbers within bounds, all separated by commas."""
    one = integer(low, high)

    def reader(text: str) -> list[tuple[int, int]]:
        numbers = [one(part.strip()) for part in text.split(",")]
        if len(numbers) % 2:
            raise ValueError(f"{len(numbers)} numbers are no pairs")
        return list(zip(numbers[::2], numbers[1::2], strict=True))

    return reader


def row(*readers: Reader, separator: str = ",") -> Reader:
    """Several values; the last reader gets all that is left, separators and all."""

    def reader(answer: str) -> tuple[Any, ...]:
        parts = answer.split(separator, len(readers) - 1)
        if len(parts) != len(readers):
            raise ValueError(f"{len(parts)} values instead of {len(readers)}")
        return tuple(one(part.strip()) for one, part in zip(readers, parts, strict=True))

    return reader
