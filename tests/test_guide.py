"""The guide: what its pages tell people to type works, its tables are the template's, and no page is left out."""

import ast
import contextlib
import re
import tomllib
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

import stmlab
from stmlab.cli import app
from stmlab.storage import open_run
from tests.pages import DOCS, ROOT, pages

TEMPLATE = tomllib.loads((ROOT / "config" / "microscope.example.toml").read_text(encoding="utf-8"))


def drawn(page, folder):
    """Whether the commands of a page draw its figures; what its Python has left."""
    names = pages.perform(DOCS / page, folder)
    for figure in pages.figures(DOCS / page):
        assert (folder / figure).read_bytes().startswith(b"\x89PNG")
    return names


def test_the_first_evening_ends_with_a_rate_and_a_figure(tmp_path):
    names = drawn("first_evening.md", tmp_path)
    assert "rate.png" in pages.figures(DOCS / "first_evening.md")
    assert abs(names["rate"].value - 1.732e9) < 4 * names["rate"].error < 0.2 * names["rate"].value
    assert open_run(tmp_path / "rate.h5").complete


QUICK = ("queue.md", "stations.md", "window.md", "writing.md")
SLOW = ("fits.md", "measuring_less.md", "models.md", "sequences.md", "systems.md")
BY_THEMSELVES = {
    "first_evening.md": "above",
    "speed.md": "below",
    "study.md": "tests/studies/test_documented.py",
}


@pytest.mark.parametrize("page", [*QUICK, *(pytest.param(page, marks=pytest.mark.slow) for page in SLOW)])
def test_a_page_does_what_it_says(page, tmp_path):
    drawn(page, tmp_path)


def test_the_fit_on_the_page_of_speed_is_followed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(app, ["run", "srs", "--set", "points=12", "-o", "rate.h5"]).exit_code == 0
    button = SimpleNamespace(is_pressed=lambda: False)
    given = {"stmlab": stmlab, "run": open_run("rate.h5"), "show": print, "button": button}
    fit = pages.perform(DOCS / "speed.md", tmp_path, given)["fit"]
    assert abs(fit["rate"].value - 1.732e9) < 4 * fit["rate"].error


def test_every_page_with_something_to_type_is_run():
    typed = {
        path.name for path in DOCS.glob("*.md") if {"console", "python"} & {b.language for b in pages.blocks(path)}
    }
    assert typed == {*QUICK, *SLOW, *BY_THEMSELVES}
    told = {line[2:] for path in DOCS.glob("*.md") for b in pages.blocks(path) for line in b.text.splitlines()}
    assert {re.sub(r"\s+#\s.*", "", line) for line in told} >= set(pages.ELSEWHERE)


def sentences():
    """Every text that the fits can say, with `...` for what is filled in."""
    for path in (ROOT / "stmlab" / "analysis").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value
            elif isinstance(node, ast.JoinedStr):
                yield "".join(str(part.value) if isinstance(part, ast.Constant) else "..." for part in node.values)


def test_every_doubt_on_the_page_of_fits_is_said_by_a_fit():
    said = list(sentences())
    doubts = re.findall(
        r"^\| `([^`]+)`(?: \(refused\))? \| ", (DOCS / "fits.md").read_text(encoding="utf-8"), flags=re.M
    )
    assert len(doubts) >= 14
    for doubt in doubts:
        pattern = re.compile(".*".join(re.escape(part) for part in doubt.split("...")), flags=re.DOTALL)
        assert any(pattern.search(sentence) for sentence in said), doubt


def test_a_command_that_does_not_end_as_its_page_says_is_told(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("```console\n$ stmlab sequences no_such\n```\n")
    with pytest.raises(RuntimeError, match="sequences no_such: exit status 1"):
        pages.perform(page, tmp_path)
    page.write_text("```console\n$ stmlab sequences    # refused\n```\n")
    with pytest.raises(RuntimeError, match="exit status 0"):
        pages.perform(page, tmp_path)


def test_numbers_that_a_command_does_not_print_are_told(tmp_path):
    """Of a command over two lines."""
    answer = "  rate_1 (1.00 ± 0.02)·10⁹ /s   at bias 1 mV\n"
    command = "sequences \\\n    srs"
    page = tmp_path / "page.md"
    page.write_text(f"```console\n$ stmlab {command}\n{answer}```\n")
    assert pages.commands(page) == ["stmlab sequences srs"]
    with pytest.raises(RuntimeError, match=r"stmlab sequences srs: the page shows rate_1 \(1.00"):
        pages.perform(page, tmp_path)


@pytest.mark.parametrize(
    ("printed", "same"),
    [
        ("  rate (1.01 ± 0.03)·10⁹ /s   at bias 1 mV", True),
        ("  rate (1.03 ± 0.03)·10⁹ /s", False),
        ("  rate (1.01 ± 0.03)·10⁶ /s", False),
        ("  rate -1.01 ± 0.03", False),
        ("  step (1.01 ± 0.03)·10⁹ /s", False),
    ],
)
def test_a_number_of_the_page_is_what_came_within_its_error(printed, same):
    told = contextlib.nullcontext() if same else pytest.raises(RuntimeError, match="the page shows rate")
    with told:
        pages.compare("stmlab fit", "  rate (1.00 ± 0.02)·10⁹ /s   at bias 1 mV", printed)


def part_of(table, whole):
    """Whether every key of a table of the page stands in the template with that value."""
    if isinstance(table, dict):
        return all(key in whole and part_of(value, whole[key]) for key, value in table.items())
    return table == whole


def test_every_table_of_the_station_page_is_that_of_the_template():
    tables = [tomllib.loads(block.text) for block in pages.blocks(DOCS / "stations.md") if block.language == "toml"]
    watchers = [table.pop("watcher") for table in tables if "watcher" in table]
    assert all(part_of(table, TEMPLATE) for table in tables)
    commented = re.sub(r"^# ", "", (ROOT / "config" / "microscope.example.toml").read_text("utf-8"), flags=re.M)
    assert all(
        f'{key} = "{value}"' in commented or f"{key} = {value}" in commented for key, value in watchers[0][0].items()
    )
    assert {key for table in tables for key in table} == set(TEMPLATE), "no table of the template is left out"


def test_every_page_stands_in_the_guide():
    listed = re.findall(r"[\w-]+\.md$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), flags=re.M)
    assert sorted(listed) == sorted(path.name for path in DOCS.glob("*.md"))


def test_a_warning_of_the_build_is_an_error():
    (build,) = re.findall(r"mkdocs build.*", (ROOT / "Makefile").read_text(encoding="utf-8"))
    assert build == "mkdocs build --strict"  # with --quiet MkDocs counts no warnings
