"""What the survey says of Fransson, Ren and Zhu."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.image import imread

from stmlab.papers import Row, Verdict, fransson
from tests.approximately import close


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return fransson.rows()


@pytest.mark.parametrize(
    ("item", "ratio"),
    [("eq. 8: I, p_L = p_R = 0.5", 2.0), ("eq. 9: D, p = (0.9, 0), mu", 8.0), ("eq. 7: J, p = 0", 1.0)],
)
def test_printed_formulas_stand_beside_eqs_5(rows, item, ratio):
    (row,) = (row for row in rows if row.item.startswith(item))
    assert row.reference == close(ratio * row.computed, rel=1e-12)
    assert (row.verdict is Verdict.AGREES) is (ratio == 1.0)


def test_the_faults_of_the_text_are_shown_as_such(rows):
    differing = [row.item for row in rows if row.verdict is Verdict.DIFFERS]
    faults = ("eq. 5, sentence", "eq. 4", "eq. 7: J, p_L", "eq. 8: I, p_L", "eq. 9: D, p = (0.9, 0), mu", "eq. 7, text")
    faults += ("abstract: exponent of I in Gamma", "abstract: exponent of J in the molecular coherence")
    faults += ("abstract: exponent of I in the polarisation",)
    for item, fault in zip(differing, faults, strict=True):
        assert item.startswith(fault)
    (zero,) = (row for row in rows if "changes sign" in row.item)
    assert zero.computed == pytest.approx(0.7796, abs=5e-5)


def test_three_figures_with_three_panels_each_are_drawn(tmp_path):
    paths = fransson.figures(tmp_path / "new")
    assert [path.name for path in paths] == [f"fransson_fig{n}.png" for n in (2, 3, 4)]
    for path in paths:
        image = imread(path)
        assert image.shape[:2] == (840, 2100)
        inked = (image[..., :3].mean(axis=-1) < 0.9).mean(axis=0)
        assert all(third.max() > 0.3 for third in np.array_split(inked, 3)), "each panel has its frame"
