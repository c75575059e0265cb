"""The experiments by name: ``config/sequences.toml`` says where each one lives."""

from __future__ import annotations

import importlib
import tomllib
from typing import TYPE_CHECKING

from stmlab.config_files import config_directories
from stmlab.errors import SequenceError, StationError

if TYPE_CHECKING:
    from stmlab.acquisition.sequence import Sequence


def sequence_names() -> dict[str, str]:
    """Name -> dotted path of every known sequence; the user's own file wins over the one that comes with stmlab.

    Raises:
        StationError: a file cannot be read, or holds something else than ``name = "module:Class"``.
    """
    known: dict[str, str] = {}
    for directory in reversed(config_directories()):
        path = directory / "sequences.toml"
        if not path.is_file():
            continue
        try:
            entries = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise StationError(f"{path}: {error}") from error
        for name, dotted in entries.items():
            if not isinstance(dotted, str) or dotted.count(":") != 1:
                raise StationError(f'{path}: {name} = {dotted!r}: "module:Class" is allowed')
            known[name] = dotted
    return known


def sequence_class(name: str) -> type[Sequence]:
    """The class of the sequence called ``name``.

    Raises:
        SequenceError: there is none, or it cannot be imported.
    """
    known = sequence_names()
    if name not in known:
        raise SequenceError(f"{name}: no such sequence; there are {', '.join(sorted(known))}")
    module, _, attribute = known[name].partition(":")
    try:
        found: type[Sequence] = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise SequenceError(f"{name} = {known[name]!r} in sequences.toml: {error}") from error
    return found
