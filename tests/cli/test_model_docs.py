"""What docs/models.md tells people to type works as it stands there."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from stmlab.cli import app

DOCS = Path(__file__).parents[2] / "docs" / "models.md"
LINES = [line.removeprefix("    ") for line in DOCS.read_text(encoding="utf-8").splitlines()]
COMMANDS = [line.partition("  #")[0].removeprefix("$ stmlab ") for line in LINES if line.startswith("$ stmlab ")]


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_of_the_guide_do_what_they_say(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    start = LINES.index('kind = "transport"')
    Path("coh.toml").write_text("\n".join(LINES[start : start + 7]), encoding="utf-8")
    words = shlex.split(command)
    found = CliRunner().invoke(app, words)
    assert found.exit_code == 0, found.output
    for option in ("--out", "--figure"):
        if option in words:
            assert Path(words[words.index(option) + 1]).stat().st_size > 500
