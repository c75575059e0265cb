"""The guide's own commands, run as a reader types them: the build takes its figures from them, the tests their verdict.

``python docs/pages.py`` performs every page with figures; these go to docs/figures.
"""

from __future__ import annotations

import contextlib
import glob
import os
import re
import shlex
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typer.testing import CliRunner

from stmlab.cli import app

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DOCS = Path(__file__).parent
ROOT = DOCS.parent
FIGURES = DOCS / "figures"
_BLOCK = re.compile(r'^```(?P<language>\w+)(?: title="(?P<title>[^"]+)")?\n(?P<text>.*?)^```', re.DOTALL | re.MULTILINE)
_FIGURE = re.compile(r"!\[[^]]+\]\(figures/([\w.]+)\)")
_SET_UP = ("python3 -m venv", ". .venv", "pip install")  # what `make` does
_CONTINUED = re.compile(r"\s*\\\n\s*")
_FITTED = re.compile(
    r"^ +(?P<name>\w+) +\(?(?P<value>-?[\d.]+) ± (?P<error>[\d.]+)(?P<unit>\S*(?: [^\s\d]+)?)", re.MULTILINE
)
_COMMENT = re.compile(r"\s+#\s.*")
_REFUSED = re.compile(r"\s#\s+refused\b")
ELSEWHERE = {  # what is run by tests of its own, and which
    "stmlab queue evening.toml": "tests/cli/test_queue.py",
    "stmlab queue evening.toml --ask pause": "tests/cli/test_queue.py",
    "make bench": "tests/test_bench_table.py",
    "make bench-peers": "tests/test_bench_table.py",
}


@dataclass(frozen=True)
class Block:
    """A fenced block of a page; with a title it is a file of that name."""

    language: str
    title: str
    text: str


def blocks(page: Path) -> list[Block]:
    """All of a page, in their order."""
    found = _BLOCK.finditer(page.read_text(encoding="utf-8"))
    return [Block(one["language"], one["title"] or "", one["text"]) for one in found]


def commands(page: Path) -> list[str]:
    """What a page tells people to type, without comments."""
    typed = [line for block in blocks(page) if block.language == "console" for line, _ in _dialogue(block)]
    return [_COMMENT.sub("", line) for line in typed]


def _dialogue(block: Block) -> list[tuple[str, str]]:
    """Each command of a block, over more lines where one ends with a backslash, and what is shown of its answer."""
    found: list[tuple[str, str]] = []
    for line in _CONTINUED.sub(" ", block.text).splitlines():
        if line.startswith("$ "):
            found.append((line[2:], ""))
        elif found:
            found[-1] = found[-1][0], f"{found[-1][1]}{line}\n"
    return found


def words(command: str) -> list[str]:
    """As a shell parts them, with the files that match a pattern."""
    return [word for pattern in shlex.split(command) for word in sorted(glob.glob(pattern)) or [pattern]]


def figures(page: Path) -> list[str]:
    """Names of the figures that a page shows and its commands draw."""
    return _FIGURE.findall(page.read_text(encoding="utf-8"))


def perform(page: Path, folder: Path, given: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Do what a page says, in an empty folder: write its files, run its commands, execute its Python.

    Args:
        page: of the guide.
        folder: an empty one.
        given: names that its Python takes for granted.

    Returns: what its Python has left.

    Raises:
        RuntimeError: a command did not end as the page says, or a number that the page shows of its answer differs by
            more than the error that stands beside it; with what it printed.
    """
    names = dict(given or {})
    with _reader_in(folder):
        for block in blocks(page):
            if block.title:
                target = Path(block.title.replace("~/.config", str(folder / ".config")))
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(block.text, encoding="utf-8")
            elif block.language == "console":
                for line, answer in _dialogue(block):
                    compare(line, answer, _typed(line))
            elif block.language == "python":
                exec(compile(block.text, page.name, "exec"), names)
    return names


@contextlib.contextmanager
def _reader_in(folder: Path) -> Iterator[None]:
    """A reader's working folder and configuration, importable as where Python is started."""
    before = os.environ.get("XDG_CONFIG_HOME")
    os.environ["XDG_CONFIG_HOME"] = str(folder / ".config")
    sys.path.insert(0, str(folder))
    try:
        with contextlib.chdir(folder):
            yield
    finally:
        sys.path.remove(str(folder))
        if before is None:
            del os.environ["XDG_CONFIG_HOME"]
        else:
            os.environ["XDG_CONFIG_HOME"] = before


def _typed(line: str) -> str:
    """What it printed."""
    command = _COMMENT.sub("", line)
    program, *arguments = words(command)
    if line.startswith(_SET_UP) or command in ELSEWHERE:
        return ""
    if program == "cp":
        shutil.copy(ROOT / arguments[0], arguments[1])
        return ""
    if program != "stmlab":
        raise RuntimeError(f"{line}: neither stmlab nor set-up")
    result = CliRunner().invoke(app, arguments)
    if result.exit_code != (1 if _REFUSED.search(line) else 0):
        raise RuntimeError(f"{line}: exit status {result.exit_code}\n{result.output}") from result.exception
    return result.output


def compare(line: str, shown: str, printed: str) -> None:
    """The fitted numbers of the page with those that came; their last digits depend on the machine."""
    came = {one["name"]: one for one in _FITTED.finditer(printed)}
    for one in _FITTED.finditer(shown):
        other = came.get(one["name"])
        if (
            other is None
            or one["unit"] != other["unit"]
            or abs(float(one["value"]) - float(other["value"])) > float(one["error"])
        ):
            raise RuntimeError(f"{line}: the page shows {one[0].strip()}\n{printed}")


def main() -> None:
    """Draw every figure of the guide."""
    FIGURES.mkdir(exist_ok=True)
    for page in sorted(DOCS.glob("*.md")):
        if wanted := figures(page):
            print(page.name, flush=True)
            with tempfile.TemporaryDirectory() as name:
                perform(page, Path(name))
                for figure in wanted:
                    shutil.copy(Path(name) / figure, FIGURES / figure)


if __name__ == "__main__":
    main()
