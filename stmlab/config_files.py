"""The files of ``config/``: where stations, samples and lists are found, and what is wrong in one in a line.

The user's own folder comes first, then what comes with stmlab. What a file means is checked by whoever reads it.
"""

from __future__ import annotations

import importlib
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stmlab.errors import StationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import ValidationError

_NO_STATIONS = ("sequences", "demo")  # files beside the stations
_CALLED = {"": "station", "models": "case"}  # what a file of a folder is, where the folder's name does not say it
_TEMPLATE = ".example"  # ends the name of a file that is there to be copied


def config_directories() -> tuple[Path, ...]:
    """Where stations and samples are looked for, first match wins: the user's own, then those that come with stmlab."""
    from platformdirs import user_config_path

    package = Path(__file__).parent
    shipped = package / "config"  # in an installed wheel
    return (user_config_path("stmlab"), shipped if shipped.is_dir() else package.parent / "config")


def find(name: str, folder: str = "") -> Path:
    """The file of a station (or of a sample, with ``folder="samples"``) by name or by path.

    Raises:
        StationError: there is none; the text lists those that exist.
    """
    direct = Path(name)
    if direct.suffix == ".toml" or direct.parent != Path("."):
        if direct.is_file():
            return direct
        raise StationError(f"{name}: no such file")
    files = known(folder)
    if name in files:
        return files[name]
    there = ", ".join(files) or "none"
    raise StationError(f"{name}: no such {_CALLED.get(folder) or folder.rstrip('s')}; there are {there}")


def known(folder: str = "") -> dict[str, Path]:
    """Stations (samples, with ``folder="samples"``) by name; those of the user overrule the package's.

    A template, ``*.example.toml``, is neither.
    """
    files = {path.stem: path for d in reversed(config_directories()) for path in (d / folder).glob("*.toml")}
    return {
        name: files[name]
        for name in sorted(files)
        if not name.endswith(_TEMPLATE) and (folder or name not in _NO_STATIONS)
    }


def station_template() -> Path:
    """The file that is copied to describe a microscope."""
    return config_directories()[-1] / f"microscope{_TEMPLATE}.toml"


def tables(path: Path) -> dict[str, Any]:
    """The tables of a TOML file.

    Raises:
        StationError: it cannot be read; one line that names it and says why.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StationError(f"{path}: {error.strerror or error}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise StationError(f"{path}: {error}") from error


def said(path: Path, key: str) -> str:
    """What a file says of itself, such as its title, for a list of files; why it cannot be read, if it cannot."""
    try:
        return str(tables(path).get(key, ""))
    except StationError as error:
        return f"cannot be read: {error}"


def explain(error: ValidationError, path: Path, table: str = "") -> str:
    """Pydantic's report as one line: file, key, value and what is allowed, for the first mistake (and their count).

    Args:
        error: what pydantic found.
        path: of the file.
        table: in which the checked part stands, "" for the whole file.
    """
    mistakes = error.errors(include_url=False)
    # A misspelled key is reported twice, as unknown and as missing: what the user wrote says more.
    first = next((mistake for mistake in mistakes if mistake["type"] == "extra_forbidden"), mistakes[0])
    key = ".".join(str(part) for part in (*([table] if table else []), *first["loc"]))
    value, message = first["input"], first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        message = "this key is not known"
    if first["type"] == "missing":
        line = f"{path}: {key} is missing"
    elif isinstance(value, dict | list) or not key:
        line = f"{path}: {key + ': ' if key else ''}{message}"
    else:
        line = f"{path}: {key} = {value!r}: {message}"
    return line + (f" (and {len(mistakes) - 1} more)" if len(mistakes) > 1 else "")


def imported(dotted: str, path: Path, key: str) -> Any:
    """The object at ``module:name``; StationError naming file and key if there is none."""
    module, _, name = dotted.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise StationError(f"{path}: {key} = {dotted!r}: {error}") from error


def built(build: Callable[[], Any], path: Path, table: str) -> Any:
    """What ``build`` makes of a table of options; a mistake in them is one line naming file and key."""
    from pydantic import ValidationError

    try:
        return build()
    except ValidationError as error:
        raise StationError(explain(error, path, table)) from error
