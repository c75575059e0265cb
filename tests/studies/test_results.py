"""The file of results: whole lines only, of one study, one line a run, one process at a time."""

import json
import math
import os
from dataclasses import replace

import pytest

from stmlab.errors import FileError
from stmlab.studies import Results, read_study
from stmlab.studies.results import Record
from tests.studies.small import TEXT, write_study

RECORD = Record("{}", 3, 2.0, 2.1, 0.1, "1/s", 9.5, 8, ("odd",))


@pytest.fixture
def study(tmp_path):
    return read_study(write_study(tmp_path))


@pytest.fixture
def path(tmp_path, study):
    path = tmp_path / "results.jsonl"
    with Results(path, study) as results:
        results.append(RECORD)
        results.append(replace(RECORD, seed=4, value=math.nan, refused="no step"))
    return path


def test_what_is_written_is_read_back(path, study):
    with Results(path, study) as results:
        assert results.records[RECORD.key] == RECORD
        assert results.records["{}", 4].refused == "no step"
        assert len(results.records) == 2


def test_a_line_that_was_cut_short_is_made_again_and_nothing_else_is_touched(path, study):
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"cell": "{}", "se')
    with Results(path, study, only_reading=True) as results:
        assert len(results.records) == 2
    assert len(path.read_bytes()) > len(whole), "who only reads takes nothing away"
    with Results(path, study) as results:
        assert len(results.records) == 2
        results.append(replace(RECORD, seed=5))
    assert path.read_bytes().startswith(whole)
    assert [json.loads(line).get("seed") for line in path.read_bytes().splitlines()] == [None, 3, 4, 5]


def test_a_first_line_that_was_cut_short_begins_anew(path, study):
    path.write_bytes(path.read_bytes()[:40])
    with Results(path, study) as results:
        assert not results.records
    with Results(path, study) as results:
        assert not results.records


def test_a_result_is_on_the_disk_before_the_next_run_begins(path, study, monkeypatch):
    synced = []
    monkeypatch.setattr("os.fsync", lambda file: synced.append(os.fstat(file).st_size))
    with Results(path, study) as results:
        results.append(replace(RECORD, seed=5))
        assert synced == [path.stat().st_size]


def test_a_result_that_the_disk_takes_in_part_is_told_and_made_again(path, study, monkeypatch):
    whole, write = path.read_bytes(), os.write
    with monkeypatch.context() as full, Results(path, study) as results:
        full.setattr("os.write", lambda file, line: write(file, line[:30]))
        with pytest.raises(FileError, match="the disk has taken 30 of"):
            results.append(replace(RECORD, seed=5))
        assert len(results.records) == 2
    assert len(path.read_bytes()) == len(whole) + 30
    with Results(path, study) as results:
        assert len(results.records) == 2
    assert path.read_bytes() == whole


def test_a_run_is_there_once(path, study):
    with Results(path, study) as results, pytest.raises(FileError, match=r"seed 3 .* is there already"):
        results.append(RECORD)
    path.write_bytes(path.read_bytes() + path.read_bytes().splitlines(keepends=True)[1])
    with pytest.raises(FileError, match="line 4: this run is there twice"):
        Results(path, study)


@pytest.mark.parametrize("line", [b"{]\n", b"3\n", b"{}\n", b'{"warnings": [], "cell": "a"}\n'])
def test_a_damaged_line_is_refused_not_skipped(path, study, line):
    path.write_bytes(path.read_bytes() + line)
    with pytest.raises(FileError, match="line 4"):
        Results(path, study)


def test_another_study_is_refused(path, tmp_path):
    other = read_study(write_study(tmp_path, TEXT.replace("points = 8", "points = 9")))
    with pytest.raises(FileError, match="begun with other values of settings"):
        Results(path, other)


@pytest.mark.parametrize(
    ("name", "another"), [("git_revision", lambda: "another"), ("versions", lambda: {"numpy": "1.0"}), ("_FORM", 2)]
)
def test_other_versions_are_refused(path, study, monkeypatch, name, another):
    monkeypatch.setattr(f"stmlab.studies.results.{name}", another)
    with pytest.raises(FileError, match="results of two versions are not mixed"):
        Results(path, study)


def test_two_processes_are_not_at_one_study(path, study):
    with Results(path, study):
        with pytest.raises(FileError, match="another process works on this study"):
            Results(path, study)
        with Results(path, study, only_reading=True) as seen:
            assert len(seen.records) == 2
    with Results(path, study):
        pass
