"""The survey of the papers as a reader meets it: rows, figures, and no import that a table does not need."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from stmlab import papers
from stmlab.display.figures.drawing import parameters, sheet
from stmlab.errors import PhysicsError
from stmlab.papers import Row, Verdict
from stmlab.papers.survey import compared, held
from tests.papers.sheets import faults


def test_an_unknown_paper_is_refused_by_name(tmp_path):
    with pytest.raises(PhysicsError, match=r"paper = kondo: one of .*fransson.* is needed"):
        papers.rows("kondo")
    with pytest.raises(PhysicsError, match=r"paper = kondo"):
        papers.figures(tmp_path, "kondo")


@pytest.fixture(scope="module", params=papers.PAPERS)
def name_and_rows(request, survey):
    return request.param, survey(request.param)


def test_every_row_is_complete_and_goes_into_json(name_and_rows):
    name, rows = name_and_rows
    assert len(rows) >= 10
    keys = {"paper", "item", "reference", "source", "computed", "unit", "verdict", "note"}
    for row in json.loads(json.dumps([row.as_dict() for row in rows], allow_nan=False)):
        assert row.keys() == keys and row["paper"] == name and row["item"] and row["reference"] != ""
        assert row["verdict"] in {verdict.value for verdict in Verdict}
        assert row["verdict"] == "agrees" or row["note"], f"{row['item']} disagrees without a reason"
    assert len({row.item for row in rows}) == len(rows)


def test_numbers_agree_within_their_tolerance_only():
    assert compared("fransson", "a", 1.0, 1.04, "meV", 0.05).verdict is Verdict.AGREES
    assert compared("fransson", "a", 1.0, 1.06, "meV", 0.05).verdict is Verdict.DIFFERS
    assert compared("fransson", "a", 1.0, float("nan"), "meV", 0.05).verdict is Verdict.DIFFERS
    words = Row("fransson", "a", "grows", "in words", 2.0, "", Verdict.DIFFERS)
    assert held("fransson", "a", "grows", 2.0, "", False) == words


def test_every_row_says_where_its_reference_comes_from(name_and_rows):
    for row in name_and_rows[1]:
        assert re.fullmatch(r"printed|in words|from (eq\.|the text).*|independent: .+", row.source), row
        if row.source == "in words":
            assert isinstance(row.reference, str), f"{row.item}: a number is printed, evaluated or independent"


def test_a_figure_that_cannot_be_read_is_seen_as_such():
    figure = sheet(2.0, 2.0)
    axes = figure.subplots()
    axes.set(xlabel="x (m)", ylabel="y (m)")
    parameters(figure, "a = 1 m and nothing else")
    assert faults(figure) == []
    axes.text(0.5, 0.5, "one")
    axes.text(0.52, 0.5, "two")
    figure.text(0.9, 0.9, "much too far to the right")
    axes.set_ylabel("")
    figure.supxlabel("")
    assert faults(figure) == [
        "off the sheet: 'much too far to the right'",
        "'one' over 'two'",
        "no parameters",
        "an ordinate without a label",
    ]


def test_the_table_needs_no_matplotlib():
    script = "import sys; from stmlab import papers; papers.rows('horovitz'); print('matplotlib' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert answer.stdout.strip() == "False"
