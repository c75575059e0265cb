"""What the survey says of Betz et al."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.image import imread

from stmlab.papers import Row, Verdict, betz, betz_model, betz_supplement_figures
from tests.approximately import close


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return betz.rows()


def row_of(rows: list[Row], item: str) -> Row:
    (row,) = (row for row in rows if item in row.item)
    return row


def test_slopes_energies_and_conductivity_difference_follow_from_c_st_of_0_050(rows):
    assert row_of(rows, "above +7 mV with").computed == pytest.approx(3.95, abs=0.05)
    assert row_of(rows, "slope of Gamma above").computed == pytest.approx(0.344, abs=0.003)
    assert row_of(rows, "slope of Gamma below").computed == pytest.approx(-0.291, abs=0.003)
    assert row_of(rows, "linearised conductivity").computed == pytest.approx(-0.255, abs=5e-4)
    assert row_of(rows, "threshold of the second").computed == pytest.approx(4.442, abs=5e-4)


def test_what_nobody_can_reproduce_is_shown_as_such(rows):
    lost = {row.item: row for row in rows if row.verdict is Verdict.NOT_REPRODUCIBLE}
    assert len(lost) == 4
    assert row_of(rows, "five-state simulation").computed == pytest.approx(1.51, abs=0.01)
    assert all("nothing was tuned" in row.note for row in lost.values())


def test_the_error_of_eq_1_depends_on_the_grid(rows):
    assert row_of(rows, "logarithmic grid").computed == pytest.approx(-5.83, abs=0.02)
    assert row_of(rows, "logarithmic grid").verdict is Verdict.DIFFERS
    assert row_of(rows, "grid linear in f").verdict is Verdict.AGREES


@pytest.mark.parametrize("strength", [0.2, 0.6, 1.0])
def test_the_orders_of_eq_s18_add_up_to_the_exact_occupation(strength):
    omega = np.geomspace(0.01, 100, 9)
    for orders, exact in zip(
        betz_model.pair_orders(strength, omega, 60), betz_model.pair_response(strength, omega), strict=True
    ):
        assert orders.sum(axis=0) == pytest.approx(exact, abs=1e-12)


def test_the_fit_of_eq_1_finds_the_rate_of_an_exact_line():
    frequencies = np.geomspace(1e6, 1e10, 31)
    signal = -3e-12 / (1 + (2 * np.pi * frequencies / 7.7e8) ** 2) + 2e-12
    rate, misfit = betz_model.fitted_rate(frequencies, signal)
    assert rate == close(7.7e8, rel=1e-6) and misfit < 1e-6


def test_the_supplementary_figures_are_drawn(tmp_path):
    paths = betz_supplement_figures.draw(tmp_path)
    assert [path.name for path in paths] == ["betz_figS3.png", "betz_figS4.png", "betz_figS5.png"]
    assert all(imread(path).shape[1] == 2100 for path in paths)
