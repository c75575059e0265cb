"""The tool that puts faults into the code: which it makes, and that it sees what tests notice."""

import ast
from pathlib import Path

import pytest

from tests.mutation import mutate
from tests.mutation.faults import chosen, faults

SOURCE = '''"""Not -1, not 2 < 3."""
from __future__ import annotations
limit: list[1] = f(-1.5, "a", 2)
if limit < 3 and not limit:
    warn(f"{limit + 1}")
größe = a * b
text = "a" + b
'''


def test_every_kind_of_fault_is_made_and_nothing_of_texts_and_annotations():
    made = {(fault.kind, fault.line, fault.before, fault.after) for fault in faults(SOURCE)}
    assert made == {
        ("arguments", 3, 'f(-1.5, "a", 2)', "(f('a', -1.5, 2))"),
        ("sign", 3, "-1.5", "(1.5)"),
        ("constant", 3, "1.5", "1.7999999999999998"),
        ("constant", 3, "2", "3"),
        ("condition", 4, "limit < 3 and not limit", "(not (limit < 3 and (not limit)))"),
        ("condition", 4, "limit < 3 and not limit", "(limit < 3 or not limit)"),
        ("comparison", 4, "limit < 3", "(limit <= 3)"),
        ("constant", 4, "3", "4"),
        ("call", 5, 'warn(f"{limit + 1}")', "pass"),
        ("operator", 6, "a * b", "(a / b)"),
    }


def test_a_fault_changes_its_own_bytes_only():
    for fault in faults(SOURCE):
        broken = fault.put_into(SOURCE)
        ast.parse(broken)
        assert broken != SOURCE
        assert broken.encode()[: fault.start] == SOURCE.encode()[: fault.start]
        assert broken.encode().endswith(SOURCE.encode()[fault.end :])
    assert "größe = (a / b)" in faults(SOURCE)[-1].put_into(SOURCE)


def test_the_seed_chooses_and_kinds_are_mixed():
    first = chosen(SOURCE, 6, "1")
    assert first == chosen(SOURCE, 6, "1")
    assert len({fault.kind for fault in first}) == 6
    assert any(chosen(SOURCE, 3, str(seed)) != chosen(SOURCE, 3, "1") for seed in range(2, 6))
    assert len(chosen(SOURCE, 99, "1")) == len(faults(SOURCE))


def test_every_source_file_has_tests():
    for path in mutate.sources(["stmlab", "drivers", "sequences"]):
        assert mutate.tests_of(path), path
    assert mutate.tests_of("stmlab/analysis/decay.py")[0] == ["tests/analysis/test_decay.py"]
    for path, tests in mutate.NAMED.items():
        assert all((mutate.ROOT / where).is_file() for where in (path, *(f"tests/{test}" for test in tests)))


def test_what_is_argued_can_still_happen():
    argued = mutate.argued()
    sources = {path: (mutate.ROOT / path).read_text(encoding="utf-8") for path in {fault[0] for fault in argued}}
    can = {mutate.described(path, source, fault) for path, source in sources.items() for fault in faults(source)}
    assert argued - can == set()


@pytest.fixture
def bench(tmp_path, monkeypatch):
    """A tree of one module and its test."""
    (tmp_path / "stmlab" / "room").mkdir(parents=True)
    (tmp_path / "tests" / "room").mkdir(parents=True)
    (tmp_path / "stmlab" / "room" / "half.py").write_text("def half(x):\n    return x / 2 if x < 5 else x / 2.0\n")
    (tmp_path / "tests" / "room" / "test_half.py").write_text(
        "import pathlib, runpy\n"
        "half = runpy.run_path(pathlib.Path(__file__).parents[2] / 'stmlab' / 'room' / 'half.py')['half']\n"
        "def test_half():\n    assert half(4) == 2\n"
    )
    monkeypatch.setattr(mutate, "ROOT", tmp_path)
    monkeypatch.setattr(mutate, "TREE", ("stmlab", "tests"))
    (tmp_path / "copy").mkdir()
    return mutate.Bench(Path(tmp_path / "copy"), 60, named_only=False)


@pytest.mark.slow
def test_faults_that_tests_notice_and_those_that_none_does(bench):
    path = "stmlab/room/half.py"
    source = (bench.tree / path).read_text()
    noticed = {fault.after: bench.verdict(path, fault).noticed for fault in faults(source)}
    assert noticed.pop("(x * 2)").endswith("test_half.py::test_half")
    assert noticed == {"(not (x < 5))": "", "(x <= 5)": "", "(x * 2.0)": "", "3": noticed["3"], "6": "", "2.4": ""}
    assert noticed["3"]
    assert (bench.tree / path).read_text() == source


def test_a_test_that_fails_anyway_notices_nothing(bench):
    test = bench.tree / "tests" / "room" / "test_half.py"
    test.write_text(test.read_text().replace("== 2", "== 3"))
    path = "stmlab/room/half.py"
    with pytest.raises(RuntimeError, match=r"::test_half fails without a fault: "):
        bench.verdict(path, faults((bench.tree / path).read_text())[0])
