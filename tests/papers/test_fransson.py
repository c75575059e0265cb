"""What the survey says of Fransson, Ren and Zhu."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.image import imread

from stmlab.papers import Row, Verdict, fransson, fransson_figures
from stmlab.papers.fransson_quadrature import Bridge, heisenberg_and_ising, moriya, printed_heisenberg, resonances
from stmlab.physics.molecular_dimer import Dimer, Leads
from stmlab.physics.molecular_exchange import molecular_exchange
from tests.approximately import close
from tests.papers.sheets import drawn, faults


@pytest.fixture(scope="module")
def rows(survey) -> list[Row]:
    return survey("fransson")


@pytest.mark.parametrize(
    ("item", "ratio"),
    [("eq. 8: I, p_L = p_R = 0.5", 2.0), ("eq. 9: D, p = (0.9, 0), mu", 8.0), ("eq. 7: J, p = 0", 1.0)],
)
def test_printed_formulas_stand_beside_eqs_5(rows, item, ratio):
    (row,) = (row for row in rows if row.item.startswith(item))
    assert row.reference == close(ratio * row.computed, rel=1e-9)
    assert (row.verdict is Verdict.AGREES) is (ratio == 1.0)


def test_formulas_stand_beside_another_method(rows):
    formulas = {row.item.split(":")[0]: row for row in rows if row.source.startswith(("from", "independent"))}
    for item in ("eq. 5a", "eq. 5b", "eq. 5c", "eq. 6", "after eq. 5", "eq. 7"):
        assert formulas[item].verdict is (Verdict.DIFFERS if item == "eq. 7" else Verdict.AGREES)
    assert all("printed" != row.source for row in rows), "the paper's text prints formulas and statements, no number"


@pytest.mark.parametrize(
    ("mu", "bias", "polarisations", "expected"),
    [
        (-2.0, 0.0, (0.0, 0.0), (8.5521810142e-4, 0.0, 0.0)),
        (-1.0, 0.0, (0.5, 0.5), (0.22472445692, 2.1212911985e-3, 0.0)),
        (-2.0, 3.0, (0.9, 0.0), (-0.037226029817, -6.6570011150e-4, -0.84237165784)),
        (-2.0, 2.0, (0.0, 0.9), (0.10451037670, 0.045377900760, 0.42223360916)),
    ],
)
def test_the_quadrature_of_eqs_5_gives_the_reference_values(mu, bias, polarisations, expected):
    bridge = Bridge(*polarisations, mu, bias)
    assert (*heisenberg_and_ising(bridge), moriya(bridge)) == pytest.approx(expected, abs=1e-11)
    model = molecular_exchange(Dimer(*polarisations), Leads(mu, bias))
    answers = model.heisenberg_meV, model.ising_meV, model.dzyaloshinskii_moriya_meV
    assert tuple(float(answer) for answer in answers) == pytest.approx(expected, abs=1e-11)


def test_eq_7_is_j_plus_i():
    bridge = Bridge(0.7, 0.7, -0.9)
    assert printed_heisenberg(bridge) == pytest.approx(sum(heisenberg_and_ising(bridge)), abs=1e-12)


def test_the_resonances_of_eq_6_are_zeros_of_the_determinant():
    left, right = Bridge(0.9, 0.2, 0.0).widths(1)
    for energy in resonances(left, right, 0.3):
        assert abs((energy + 0.5j * left) * (energy + 0.3 + 0.5j * right) - 1.0) < 1e-14


def test_the_faults_of_the_text_are_shown_as_such(rows):
    differing = [row.item for row in rows if row.verdict is Verdict.DIFFERS]
    faults = ("eq. 5, sentence", "eq. 4", "eq. 7: J, p_L", "eq. 8: I, p_L", "eq. 9: D, p = (0.9, 0), mu", "eq. 7, text")
    faults += ("abstract: exponent of I in Gamma", "abstract: exponent of J in the molecular coherence")
    faults += ("abstract: exponent of I in the polarisation",)
    for item, fault in zip(differing, faults, strict=True):
        assert item.startswith(fault)
    (zero,) = (row for row in rows if "changes sign" in row.item)
    assert zero.computed == pytest.approx(0.7796, abs=5e-5)


@pytest.mark.slow
def test_three_figures_with_three_panels_each_are_drawn(tmp_path, monkeypatch):
    with drawn(monkeypatch) as figures:
        paths = fransson.figures(tmp_path / "new")
    assert [faults(figure) for figure in figures] == [[], [], []]
    assert [path.name for path in paths] == [f"fransson_fig{n}.png" for n in (2, 3, 4)]
    for path in paths:
        image = imread(path)
        assert image.shape[:2] == (900, 2100)
        inked = (image[..., :3].mean(axis=-1) < 0.9).mean(axis=0)
        assert all(third.max() > 0.3 for third in np.array_split(inked, 3)), "each panel has its frame"


def test_a_figure_with_few_points_has_its_sheet_its_panels_and_its_curves(tmp_path, monkeypatch):
    for name in ("_POTENTIALS", "_BIASES", "_DIFFERENCES"):
        monkeypatch.setattr(fransson_figures, name, getattr(fransson_figures, name)[::200])
    monkeypatch.setattr(fransson_figures, "_FIGURES", {3: fransson_figures._FIGURES[3]})
    with drawn(monkeypatch) as figures:
        (path,) = fransson.figures(tmp_path)
    assert [faults(figure) for figure in figures] == [[]]
    assert path.name == "fransson_fig3.png"
    assert imread(path).shape[:2] == (900, 2100)
    assert r"a: $V=0$ mV" in figures[0].get_supxlabel()
    limits = [axes.get_xlim() for axes in figures[0].axes]
    assert limits == [(-3.0, 3.0), (-5.0, 5.0), (0.0, close(30.0))]
    assert [len(axes.lines) for axes in figures[0].axes] == [2 * 4] * 3, "a curve and its zero for each pair"
