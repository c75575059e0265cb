"""No test compares with a tolerance that nobody wrote: an absolute part of 1e-12 or 1e-8 passes any current in A."""

import ast
from pathlib import Path

import numpy as np
import pytest

from tests.approximately import close

TESTS = Path(__file__).parent
WRITTEN_OUT = {"approx": "abs", "allclose": "atol", "isclose": "atol"}  # `math.isclose` has no absolute part


def hidden_tolerances(source: str) -> list[int]:
    """Lines of calls whose absolute tolerance is the library's own."""
    found, begin = [], 0
    lines = source.splitlines() if named(source) else []
    for part in ast.parse(source).body if lines else []:
        if named("".join(lines[begin : part.end_lineno])):  # with what decorates it
            found += [node.lineno for node in ast.walk(part) if isinstance(node, ast.Call) and is_hidden(node)]
        begin = part.end_lineno
    return sorted(found)


def named(text: str) -> bool:
    return any(name in text for name in WRITTEN_OUT)


def is_hidden(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    of_math = isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) == "math"
    return name in WRITTEN_OUT and not of_math and WRITTEN_OUT[name] not in {each.arg for each in call.keywords}


def test_every_absolute_tolerance_is_written_out():
    """One test for all files: to collect hundreds takes as long as to look at them."""
    paths = sorted(TESTS.rglob("*.py"))
    found = {str(path.relative_to(TESTS)): hidden_tolerances(path.read_text(encoding="utf-8")) for path in paths}
    assert len(found) > 300
    assert {path: lines for path, lines in found.items() if lines} == {}, "use tests.approximately.close"


def test_hidden_tolerances_are_found():
    bare = "assert x == pytest.approx(1e-13, rel=1e-3)\nassert x == approx(1e-13)\nassert np.allclose(x, y, rtol=0.1)"
    said = "assert x == pytest.approx(1e-13, abs=1e-15)\nassert math.isclose(x, y)\nassert x == close(1e-13)"
    assert hidden_tolerances(bare) == [1, 2, 3]
    assert hidden_tolerances("x = 1\n@case(\n    approx(1e-13))\ndef test():\n    pass") == [3]
    assert hidden_tolerances(said) == []


@pytest.mark.parametrize("expected", [1e-13, -1e-13, np.array([1e-13, -2e-15]), [1e-13, 1.0]])
def test_close_has_no_absolute_part(expected):
    off = 1.01 * np.asarray(expected)
    assert np.asarray(expected) == close(expected)
    assert off != close(expected, rel=1e-3)
    assert off == close(expected, rel=0.02)
    assert off == close(expected, abs=0.02)


def test_nothing_is_close_to_zero_unless_it_is_said_how():
    assert close(0.0) != 1e-30
    assert close(0.0, abs=1e-29) == 1e-30
