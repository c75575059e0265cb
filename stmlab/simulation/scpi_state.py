"""The state of a SCPI instrument as one block (``*LRN?``, ``:SYSTem:SET``): what is set, as text, in JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from stmlab.simulation.scpi_grammar import ScpiError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stmlab.simulation.scpi_values import ValueType

Values = dict[tuple[str, int], Any]


def stored(types: Mapping[str, ValueType], values: Values) -> bytes:
    """Values by pattern and channel, as bytes; ``types`` by pattern."""
    rows = [[pattern, channel, types[pattern].render(value)] for (pattern, channel), value in values.items()]
    return json.dumps(rows).encode("ascii")


def restored(types: Mapping[str, ValueType], content: bytes) -> Values:
    """What ``stored`` was given.

    Raises:
        ScpiError: -161 these are not bytes that ``stored`` has made.
    """
    try:
        rows = [(str(pattern), int(channel), str(text)) for pattern, channel, text in json.loads(content)]
        return {(pattern, channel): types[pattern].parse(text) for pattern, channel, text in rows}
    except (ValueError, TypeError, KeyError) as error:
        raise ScpiError(-161, "no state of this instrument") from error
