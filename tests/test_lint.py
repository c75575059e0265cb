"""Style, types and the layers of the packages: what `make lint` runs, beside the other tests."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
RECIPE = re.search(r"^lint:.*\n((?:\t.+\n)+)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
COMMANDS = [line.removeprefix("\t$(BIN)/") for line in RECIPE[1].splitlines()]


@pytest.mark.parametrize("command", COMMANDS)
def test_no_fault_is_found(command):
    tool, *arguments = command.split()
    said = subprocess.run(
        [Path(sys.executable).with_name(tool), *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert not said.returncode, said.stdout
