"""Conditions are read, never run; they find what they say."""

import math
from pathlib import Path

import pytest

from stmlab.errors import SequenceError
from stmlab.storage.catalogue import Entry, FittedValue, Note, Notes, Summary, ordered, parsed, selected


def entry(name, *, rate=None, error=1e7, state="finished", tags=(), notes=(), **said):
    fitted = () if rate is None else (FittedValue("rate", rate, error, "1/s", "srs"),)
    summary = Summary("finished", **{"sequence": "srs", "points": 60} | said, fitted=fitted)
    return Entry(Path(name), "", 100, summary, state, Notes(tags, tuple(Note("2026", text) for text in notes)))


ENTRIES = [
    entry("a.h5", rate=2e9, date="2026-11-01T10:00:00+00:00", sample="fe_atom", tags=("good", "tip 3")),
    entry("b.h5", rate=5e8, date="2026-11-30T23:59:59+00:00", sample="ti_atom", tags=("bad",), points=7),
    entry("c.h5", date="2025-02-01T00:00:00+00:00", state="killed", notes=("drift, and a tip change",)),
    entry("d.h5", rate=math.nan, error=math.inf),
]


def found(text):
    return "".join(each.path.stem for each in selected(ENTRIES, parsed(text)))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("rate > 1e9", "a"),
        ("rate_per_s>1e9", "a"),
        ("rate < 1 GHz", "b"),
        ("rate >= 500 MHz", "ab"),
        ("rate = 5e8", "b"),
        ("rate != 5e8", "a"),
        ("rate.error <= 1e7", "ab"),
        ("date >= 2026-11", "ab"),
        ("date = 2026-11", "ab"),
        ("date > 2026-11-01", "b"),
        ("date < 2026", "c"),
        ("date <= 2026-11-30", "abc"),
        ("sample = fe_atom", "a"),
        ("sample ~ ATOM", "ab"),
        ("sample != fe_atom", "bcd"),
        ("tag = good", "a"),
        ('tag = "tip 3" and tag = good', "a"),
        ("tag != good", "bcd"),
        ("state = killed", "c"),
        ("note ~ 'drift, and a'", "c"),
        ("points < 60", "b"),
        ("file ~ d.h5", "d"),
        ("sequence = srs and points = 60 and rate > 1", "a"),
    ],
)
def test_conditions_find_what_they_say(text, names):
    assert found(text) == names


@pytest.mark.parametrize(
    "text",
    [
        "",
        "rate",
        "rate >",
        "> 3",
        "rate > 1e9 and",
        "rate > 1e9 or points > 3",
        "__import__('os').remove('a.h5')",
        "rate => 3",
        "rate > 3 mV",
        "rate > fast",
        "rate ~ 3",
        "points ~ 6",
        "points = six",
        "rat > 3",
        "(rate) > 3",
        "sample = 'fe_atom",
    ],
)
def test_what_is_no_condition_is_refused_in_a_line(text):
    with pytest.raises(SequenceError) as refused:
        found(text)
    assert "\n" not in str(refused.value)


def test_an_unknown_value_is_answered_with_those_that_are_known():
    with pytest.raises(SequenceError, match=r"rat: no file has such a value; there are date, .* and fitted rate"):
        found("rat > 3")
    assert selected([], parsed("rat > 3")) == []


@pytest.mark.parametrize(
    ("name", "descending", "names"),
    [
        ("date", False, "cabd"),
        ("date", True, "bacd"),
        ("rate", False, "bacd"),
        ("rate", True, "abcd"),
        ("sample", False, "abcd"),
        ("points", False, "bacd"),
        ("tag", False, "bacd"),
    ],
)
def test_files_are_sorted_and_those_without_a_value_come_last(name, descending, names):
    assert "".join(each.path.stem for each in ordered(ENTRIES[::1], name, descending=descending)) == names


def test_an_unknown_name_to_sort_by_is_refused():
    with pytest.raises(SequenceError, match="colour: no file has such a value"):
        ordered(ENTRIES, "colour")


def test_the_last_fit_counts():
    values = (FittedValue("rate", 2.0, 0.1, "1/s", "srs"), FittedValue("rate", 1.0, 0.1, "1/s", "srs"))
    assert Summary("finished", fitted=values).value("rate").value == 2.0
