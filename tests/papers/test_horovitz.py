"""What the survey says of Horovitz and Henkel."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.image import imread

from stmlab.papers import Row, Verdict, horovitz, horovitz_entanglement
from stmlab.papers.horovitz_systems import SYMMETRIC
from stmlab.physics.dark_state import steady_family
from stmlab.physics.two_spins import induced_interactions
from tests.approximately import close
from tests.papers.sheets import drawn, faults


@pytest.fixture(scope="module")
def rows(survey) -> list[Row]:
    return survey("horovitz")


def row_of(rows: list[Row], item: str) -> Row:
    (row,) = (row for row in rows if item in row.item)
    return row


def test_all_fourteen_lines_of_fig_2_are_where_eq_9_puts_them(rows):
    lines = [row for row in rows if row.item.startswith("Fig. 2: line of")]
    assert len(lines) == 14
    assert all(row.verdict is Verdict.AGREES for row in lines)


def test_the_critical_weight_and_the_measures_come_back(rows):
    assert row_of(rows, "p_c at V = 1.25").computed == pytest.approx(0.22881356, abs=5e-9)
    measures = [float(value) for value in str(row_of(rows, "E_N, concurrence").computed).split(", ")]
    assert measures == pytest.approx([0.10947195, 0.10126582, 0.02581784, 0.26025519], abs=5e-7)
    transient = [float(value) for value in str(row_of(rows, "nu t = 10 and 100").computed).split(", ")]
    assert transient == pytest.approx([0.66776747, 0.21689562], abs=5e-9)


def test_formulas_stand_beside_another_method(rows):
    formulas = [row for row in rows if row.source.startswith(("from eq.", "independent")) and "line of" not in row.item]
    assert [row.item.split(":")[0] for row in formulas] == [f"eq. {n}" for n in (6, 6, 7, 7, 9, 9, 11, 11)]
    assert [row.verdict is Verdict.AGREES for row in formulas] == [True, False] + [True] * 6


def test_the_induced_interactions_follow_from_the_second_order_energy():
    for theta, phi, bandwidth in ((0.0, 0.0, 20.0), (1.1, 0.7, 50.0), (2.5, -1.2, 100.0)):
        reference = horovitz._second_order_interaction(0.01, bandwidth, theta, phi)
        model = induced_interactions(0.01, 0.01, bandwidth=bandwidth, bias=1.0, theta=theta, phi=phi)
        assert model == pytest.approx(reference, abs=1e-11)


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_steady_states_come_from_the_kernel_of_the_liouvillian(weight):
    state = horovitz_entanglement._steady(SYMMETRIC, weight)
    assert np.abs(SYMMETRIC.generator.matrix @ state.reshape(-1)).max() < 1e-14
    assert state == pytest.approx(steady_family(SYMMETRIC.larmor / SYMMETRIC.bias, weight), abs=1e-12)


def test_the_faults_of_the_text_are_shown_as_such(rows):
    differing = {row.item.split(":")[0] for row in rows if row.verdict is Verdict.DIFFERS}
    assert differing == {"eq. 6", "Fig. 3 right"}
    assert row_of(rows, "coefficient of nu").computed == close(2 * np.log(25), rel=1e-3)
    assert row_of(rows, "angular frequency").computed == close(0.096, rel=1e-9)


@pytest.mark.slow  # in every run `stmlab papers horovitz --figures` draws them, in tests/test_readme.py
def test_both_figures_are_drawn(tmp_path, monkeypatch):
    with drawn(monkeypatch) as figures:
        paths = horovitz.figures(tmp_path)
    assert [faults(figure) for figure in figures] == [[], []]
    assert [path.name for path in paths] == ["horovitz_fig2.png", "horovitz_fig3.png"]
    assert all(imread(path).shape[1] == 2100 for path in paths)
