"""``make bench`` and ``make bench-peers`` end with a row for everything, whatever a script or a peer does."""

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from tests.benchmarks import peers, run_all
from tests.benchmarks.side_by_side import Row
from tests.clients.environment import NoEnvironment

ROW = Row("redraw", 2e-3, 9e-3, "tuned pyqtgraph", 1.5, spread=0.06)


@pytest.fixture
def script(tmp_path):
    def written(text):
        path = tmp_path / "one.py"
        path.write_text(text)
        return path

    return written


def test_a_script_that_fails_or_hangs_is_a_row_that_says_so(script):
    (failed,) = run_all.rows_of(script("raise SystemExit(7)"))
    assert (failed["work"], failed["met"], failed["wrong"]) == ("one", False, "ended with status 7")
    (hung,) = run_all.rows_of(script("import threading; threading.Event().wait()"), 0.5)
    assert (hung["met"], hung["wrong"]) == (False, "did not end within 0 s")
    (silent,) = run_all.rows_of(script(""))
    assert (silent["met"], silent["wrong"]) == (False, "ended with status 0")


def test_rows_of_a_script_are_kept_although_it_is_missed(script):
    text = (
        "import sys\nfrom tests.benchmarks.side_by_side import Row, report\n"
        "sys.exit(report([Row('a', 1.0, 3.0, 'b', 4.0), Row('c', 1.0, 3.0, 'b', 2.0)]))"
    )
    rows = run_all.rows_of(script(text))
    assert [(row["script"], row["work"], row["ratio"], row["met"]) for row in rows] == [
        ("one", "a", 3.0, False),
        ("one", "c", 3.0, True),
    ]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (ROW, ("redraw", "0.002 s", "tuned pyqtgraph 0.009 s", "4.50", ">= 1.5", "met", "6 %")),
        (replace(ROW, target=5.0), ("4.50", ">= 5", "MISSED")),
        (replace(ROW, target=1 / 3, other=1e-3), ("0.50", ">= 0.33", "met")),
        (replace(ROW, target=None), ("4.50", "", "", "6 %")),
        (replace(ROW, wrong="a value differs"), ("4.50", ">= 1.5", "a value differs")),
        (replace(ROW, other=None, note="no history"), ("no history", "", ">= 1.5", "not compared")),
        (replace(ROW, ours=float("nan"), other=None, note="no network"), ("redraw", "", "no network")),
    ],
)
def test_the_table_says_work_ours_the_other_ratio_target_verdict_and_spread(row, said):
    cells = run_all.cells(row.as_dict())
    assert any(cells[k : k + len(said)] == said for k in range(len(cells)))


def test_all_rows_are_in_the_table_and_beside_it(tmp_path, monkeypatch):
    monkeypatch.setattr(run_all, "ROOT", tmp_path)
    rows = [row.as_dict() for row in (ROW, replace(ROW, work="absent", ours=float("nan"), other=None, note="why"))]
    assert run_all.finished(rows, tmp_path / "build" / "bench.json") == 0
    kept = json.loads((tmp_path / "build" / "bench.json").read_text())
    assert [row["work"] for row in kept] == ["redraw", "absent"]
    assert kept[1]["ours"] is None
    console = Console(file=io.StringIO(), width=170)
    console.print(run_all.table(rows))
    assert "absent" in console.file.getvalue()
    assert run_all.finished([replace(ROW, target=9.0).as_dict()], tmp_path / "build" / "bench.json") == 1


def test_a_peer_that_does_not_install_or_fails_is_a_row_that_says_so(tmp_path, monkeypatch):
    def none(name, requirements):
        raise NoEnvironment(f"no matching distribution for {requirements[0]}")

    monkeypatch.setattr(peers, "provided", none)
    row = peers.row_of("QuTiP", tmp_path)
    assert row.note == "QuTiP does not install: no matching distribution for qutip"
    assert row.met
    assert run_all.verdict(row.as_dict()) == "not compared"
    monkeypatch.setattr(peers, "provided", lambda name, requirements: tmp_path / "python")
    (tmp_path / "python").write_text("#!/bin/sh\necho 'no module named qutip' >&2\nexit 3\n")
    (tmp_path / "python").chmod(0o755)
    monkeypatch.setattr(peers.ours, "two_spins", dict)
    monkeypatch.setattr(peers.ours, "two_spin_spectrum", lambda repeats: ([1.0], 1.0))
    row = peers.row_of("QuTiP", tmp_path)
    assert row.note == "the job of QuTiP fails: no module named qutip"
