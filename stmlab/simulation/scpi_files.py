"""The MMEMory subsystem of a SCPI instrument: files and folders, kept in memory and never on the computer's disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stmlab.simulation.scpi_commands import Command
from stmlab.simulation.scpi_grammar import ScpiError, block, content
from stmlab.simulation.scpi_values import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_NAME = Text(260)
_CAPACITY = 1 << 30  # bytes


class Files:
    """A volume; names without a folder are in the current one. Folders are named in full and need not be made.

    Args:
        store: gives the state of the instrument, to be stored in a file.
        load: takes it back.
    """

    def __init__(self, store: Callable[[], bytes], load: Callable[[bytes], None]) -> None:
        self._store, self._load = store, load
        self._folder = "C:\\"
        self._files: dict[str, bytes] = {}

    def commands(self) -> Iterator[Command]:
        """All of them."""
        yield Command(":MMEMory:CDIRectory", lambda _, folder="C:\\": self._enter(folder), (_NAME,), optional=1)
        yield Command(":MMEMory:CDIRectory?", lambda _: _NAME.render(self._folder))
        yield Command(":MMEMory:MDIRectory", lambda _, folder: None, (_NAME,))
        yield Command(":MMEMory:CATalog?", self._catalogue, (_NAME,), optional=1)
        yield Command(":MMEMory:DATA", self._write, (_NAME,), rest=content)
        yield Command(":MMEMory:DATA?", lambda _, name: block(self._read(name)), (_NAME,))
        yield Command(":MMEMory:DELete", lambda _, name: self._delete(name), (_NAME,))
        yield Command(":MMEMory:COPY", lambda _, name, other: self._copy(name, other), (_NAME, _NAME))
        yield Command(":MMEMory:MOVE", self._move, (_NAME, _NAME))
        yield Command(":MMEMory:STORe:CSTate", lambda _, name: self._keep(name, self._store()), (_NAME,))
        yield Command(":MMEMory:LOAD:CSTate", lambda _, name: self._load(self._read(name)), (_NAME,))

    def _enter(self, folder: str) -> None:
        self._folder = folder

    def _path(self, name: str) -> str:
        return name if "\\" in name else f"{self._folder.rstrip(chr(92))}\\{name}"

    def _read(self, name: str) -> bytes:
        try:
            return self._files[self._path(name)]
        except KeyError:
            raise ScpiError(-256, name) from None

    def _write(self, _: int, name: str, content: bytes) -> None:
        self._keep(name, content)

    def _keep(self, name: str, content: bytes) -> None:
        if self._used() + len(content) > _CAPACITY:
            raise ScpiError(-225, f"{_CAPACITY - self._used()} bytes are free")
        self._files[self._path(name)] = content

    def _delete(self, name: str) -> None:
        self._read(name)
        del self._files[self._path(name)]

    def _copy(self, name: str, other: str) -> None:
        if self._path(other) in self._files:
            raise ScpiError(-257, f"{other} exists")
        self._keep(other, self._read(name))

    def _move(self, _: int, name: str, other: str) -> None:
        self._copy(name, other)
        self._delete(name)

    def _used(self) -> int:
        return sum(map(len, self._files.values()))

    def _catalogue(self, _: int, folder: str = "") -> str:
        """Bytes used and free, then name, type and size of each file of a folder (SCPI-99 volume 2, 13.2)."""
        inside = self._path(folder or self._folder).rstrip("\\") + "\\"
        files = [
            f'"{path.removeprefix(inside)},,{len(content)}"'
            for path, content in sorted(self._files.items())
            if path.startswith(inside) and "\\" not in path.removeprefix(inside)
        ]
        return ",".join([str(self._used()), str(_CAPACITY - self._used()), *files])
