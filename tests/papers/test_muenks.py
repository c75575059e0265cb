"""What the survey says of Muenks et al."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.image import imread

from stmlab.papers import Row, Verdict, muenks, muenks_figures
from stmlab.papers.muenks_model import ANTIFERROMAGNETIC, FERROMAGNETIC, fitted_steps, level_steps


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return muenks.rows()


def row_of(rows: list[Row], item: str) -> Row:
    (row,) = (row for row in rows if item in row.item)
    return row


@pytest.mark.parametrize(
    ("tip", "conductance_uS", "inner", "outer", "asymmetry"),
    [
        (ANTIFERROMAGNETIC, 0.1, 1.7768, 5.1115, 0.101),
        (ANTIFERROMAGNETIC, 0.3, 2.0928, 5.4339, 0.246),
        (FERROMAGNETIC, 0.1, 1.3014, 3.8807, -0.157),
        (FERROMAGNETIC, 0.3, 2.1162, 4.2881, -0.291),
    ],
)
def test_steps_and_asymmetries_of_fig_2(tip, conductance_uS, inner, outer, asymmetry):
    assert level_steps(tip.system(tip.slope_meV_per_uS * conductance_uS)) == pytest.approx([inner, outer], abs=5e-5)
    assert fitted_steps(tip.junction(conductance_uS)).outer == pytest.approx(asymmetry, abs=5e-4)


def test_the_weights_of_fig_3_exceed_0_85(rows):
    row = row_of(rows, "largest weights")
    assert (row.computed, row.verdict) == ("0.856, 0.903", Verdict.AGREES)


def test_the_zero_at_5_tesla_depends_on_conventions_and_stays_below_the_printed_one(rows):
    row = row_of(rows, "eta_o = 0 at 5 T")
    assert row.verdict is Verdict.DIFFERS and 0.63 <= row.computed <= 0.78
    assert "by convention" in row.note


def test_slopes_are_per_microsiemens(rows):
    row = row_of(rows, "3.6 meV per nS")
    assert row.verdict is Verdict.DIFFERS and row.computed > 100


def test_the_level_scheme_is_drawn(tmp_path, monkeypatch):
    drawn = []
    for name in ("_spectra", "_fits", "_field"):
        monkeypatch.setattr(muenks_figures, name, lambda directory, name=name: drawn.append(name) or directory)
    *_, path, _ = muenks.figures(tmp_path)
    assert drawn == ["_spectra", "_fits", "_field"]
    assert path.name == "muenks_fig3.png" and imread(path).shape[1] == 2100
    assert np.ptp(imread(path)[..., :3]) > 0.9
