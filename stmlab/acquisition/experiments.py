"""The experiments by name: those that come with stmlab, and the user's own.

``config/sequences.toml`` says where each one lives: ``name = "module:Class"``. A file of that name in the user's own
configuration folder adds to these; a module that it names may lie beside it. Simpler still, a file
``sequences/NAME.py`` in that folder is the experiment NAME: it holds one Sequence of that name. What is the user's own
wins over what comes with stmlab; what is broken in it is said, and everything else works.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import sys
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from stmlab.config_files import config_directories
from stmlab.errors import SequenceError

if TYPE_CHECKING:
    from types import ModuleType

    from stmlab.acquisition.sequence import Sequence

log = logging.getLogger(__name__)

_OWN = "stmlab_own_sequences"  # the package, in name only, of modules that are loaded from files
_FOLDER = "sequences"


@dataclass(frozen=True)
class Known:
    """Where the experiments are.

    Attributes:
        places: name -> "module:Class", or the file that holds it; where a name is broken, the place says where.
        problems: what is wrong in the user's files, one line each.
    """

    places: dict[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """Every experiment, imported: name -> class; and what is wrong with the others, one line each."""

    classes: dict[str, type[Sequence]]
    problems: tuple[str, ...]


def own_folder() -> Path:
    """Where the user's own experiments lie, a file each; need not be there."""
    return config_directories()[0] / _FOLDER


def known() -> Known:
    """Every experiment by name, none of them imported."""
    places: dict[str, str] = {}
    problems: list[str] = []
    for directory in reversed(config_directories()):
        path = directory / "sequences.toml"
        if path.is_file():
            listed = _listed(path)
            places |= listed.places
            problems += listed.problems
    places |= {path.stem: str(path) for path in sorted(own_folder().glob("*.py")) if not path.stem.startswith("_")}
    return Known(places, tuple(problems))


def found() -> Found:
    """Every experiment; one that cannot be imported is a problem, and no reason to end."""
    there = known()
    classes, problems = {}, list(there.problems)
    for name in sorted(there.places):
        try:
            classes[name] = _class_at(name, there.places[name])
        except SequenceError as error:
            problems.append(str(error))
    return Found(classes, tuple(problems))


def sequence_class(name: str) -> type[Sequence]:
    """The class of the sequence called ``name``.

    Raises:
        SequenceError: there is none, or it cannot be imported.
    """
    there = known()
    for problem in there.problems:
        log.warning("%s", problem)
    if name not in there.places:
        raise SequenceError(f"{name}: no such sequence; there are {', '.join(sorted(there.places))}")
    return _class_at(name, there.places[name])


def _listed(path: Path) -> Known:
    """What a sequences.toml names; a bad entry is a problem by itself."""
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        return Known({}, (f"{path}: {error}: none of its sequences is known",))
    places, problems = {}, []
    for name, dotted in entries.items():
        if isinstance(dotted, str) and dotted.count(":") == 1:
            places[name] = dotted
        else:
            problems.append(f'{path}: {name} = {dotted!r}: "module:Class" is allowed')
    return Known(places, tuple(problems))


def _class_at(name: str, place: str) -> type[Sequence]:
    """The class at "module:Class", or the one of that name in a file.

    Raises:
        SequenceError: it cannot be imported, or is no Sequence.
    """
    from stmlab.acquisition.sequence import Sequence

    try:
        if place.endswith(".py"):
            made = _in_file(name, Path(place), Sequence)
        else:
            module, _, attribute = place.partition(":")
            made = getattr(_module(module), attribute)
    except Exception as error:  # a user's module may raise anything when it is imported
        said = str(error) if isinstance(error, SequenceError) else f"{type(error).__name__}: {error}"
        raise SequenceError(f"sequence {name} ({place}): {said}") from error
    if not (isinstance(made, type) and issubclass(made, Sequence)):
        raise SequenceError(f"sequence {name} ({place}): {made!r} is no Sequence")
    return made


def _in_file(name: str, path: Path, base: type) -> type:
    module = _loaded(path)
    made = [thing for thing in vars(module).values() if isinstance(thing, type) and issubclass(thing, base)]
    own = [thing for thing in made if thing.__module__ == module.__name__ and getattr(thing, "name", "") == name]
    if len(own) != 1:
        raise SequenceError(f'a class with name = "{name}" is needed in it, as the file is called so')
    return own[0]


def _module(name: str) -> ModuleType:
    """A module that is installed, or a file in the user's folders."""
    directory = config_directories()[0]
    for folder in (directory, directory / _FOLDER):
        path = folder / f"{name}.py"
        if path.is_file():
            return _loaded(path)
    return importlib.import_module(name)


def _loaded(path: Path) -> ModuleType:
    """A file as a module, loaded once unless it has changed since."""
    name, changed = f"{_OWN}.{path.parent.name}.{path.stem}", path.stat().st_mtime_ns
    there = sys.modules.get(name)
    if there is not None and getattr(there, "__file__", "") == str(path) and vars(there).get("_changed") == changed:
        return there
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise SequenceError("it cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    vars(module)["_changed"] = changed
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
