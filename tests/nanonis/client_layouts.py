"""What the maker's own client (nanonis_spm) says each command returns, in the notation of ``stmlab.nanonis.returns``.

``python -m tests.nanonis.client_layouts`` prints the table that stands there.
"""

from __future__ import annotations

import inspect
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import nanonis_spm

if TYPE_CHECKING:
    from collections.abc import Mapping

_WIDTH = 118

UNDECODABLE = {
    "HSSwp.SaveBasenameGet": "isis",
    "HSSwp.SwpChSigListGet": "iisi*i",
    "PLLSignalAnlzr.OsciDataGet": "ddi*d",
}
"""Commands whose returns the decoder of nanonis_spm 1.0.9 cannot take apart, whatever the controller sends; what they
are by its descriptions."""


def client_types() -> Mapping[str, list[str]]:
    """Command -> types of its returns, as the client's decoder takes them."""
    found: dict[str, list[str]] = {}

    class Listener(nanonis_spm.Nanonis):
        def __init__(self) -> None:
            """Connects to nothing."""

        def quickSend(self, name: str, _body: Any, _types: Any, returns: list[str]) -> None:
            found[name] = returns

    listener = Listener()
    for method, function in inspect.getmembers(nanonis_spm.Nanonis, inspect.isfunction):
        if "_" in method.strip("_"):
            arguments = list(inspect.signature(function).parameters)[1:]
            getattr(listener, method)(*[0] * len(arguments))
    return found


def notation(name: str, types: list[str]) -> str:
    """The returns of a command in one word."""
    return UNDECODABLE.get(name) or "".join(
        "s" if one.endswith("c") else "*" + one[-1] if "*" in one else one for one in types
    )


def table(layouts: Mapping[str, str]) -> str:
    """The lines of the table: ``Module command=returns command command=returns``."""
    modules: defaultdict[str, list[str]] = defaultdict(list)
    for name, returns in sorted(layouts.items()):
        module, _, command = name.partition(".")
        modules[module].append(f"{command}={returns}" if returns else command)
    lines = []
    for module, commands in modules.items():
        line = module
        for command in commands:
            if len(line) + 1 + len(command) > _WIDTH:
                lines.append(line)
                line = module
            line += f" {command}"
        lines.append(line)
    return "\n".join(lines)


if __name__ == "__main__":
    from stmlab.nanonis.commands import COMMANDS

    print(table({name: notation(name, types) for name, types in client_types().items() if name not in COMMANDS}))
