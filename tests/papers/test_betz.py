"""What the survey says of Betz et al."""

from __future__ import annotations

import re

import numpy as np
import pytest
from matplotlib.image import imread

from stmlab.display.figures.drawing import house_style
from stmlab.papers import Row, Verdict, betz_figures, betz_model, betz_supplement_figures
from stmlab.papers import rows as survey_rows
from stmlab.papers.betz_two_states import _printed_second_order
from stmlab.physics.two_level import occupation_integral
from tests.approximately import close
from tests.papers.sheets import drawn, faults


@pytest.fixture(scope="module")
def rows(survey) -> list[Row]:
    return survey("betz")


def row_of(rows: list[Row], item: str) -> Row:
    (row,) = (row for row in rows if item in row.item)
    return row


def test_slopes_energies_and_conductivity_difference_follow_from_c_st_of_0_050(rows):
    assert row_of(rows, "above +7 mV with").computed == pytest.approx(3.95, abs=0.05)
    assert row_of(rows, "slope of Gamma above").computed == pytest.approx(0.344, abs=0.003)
    assert row_of(rows, "slope of Gamma below").computed == pytest.approx(-0.291, abs=0.003)
    assert row_of(rows, "linearised conductivity").computed == pytest.approx(-0.255, abs=5e-4)
    assert row_of(rows, "threshold of the second").computed == pytest.approx(4.442, abs=5e-4)


@pytest.mark.slow
def test_table_s1_comes_back_by_the_fit_of_all_states(rows):
    *others, row = survey_rows("betz", fits=True)
    assert "n-state fit" in row.item
    assert len(others) == len(rows)
    assert row.verdict is Verdict.AGREES
    numbers = [float(number) for number in re.findall(r"[A-Za-z_] (-?[\d.]+)", str(row.computed))]
    assert numbers == close([-1.557, 0.248, 2.15, 7.2, 0.86, 0.76, 0.05], rel=0.05)
    assert numbers != close([-1.557, 0.248, 2.15, 7.2, 0.86, 0.76, 0.05], rel=1e-6)


def test_what_nobody_can_reproduce_is_shown_as_such(rows):
    lost = {row.item: row for row in rows if row.verdict is Verdict.NOT_REPRODUCIBLE}
    assert len(lost) == 6
    assert row_of(rows, "five-state simulation").computed == pytest.approx(1.51, abs=0.01)
    assert row_of(rows, "C_ST, computed").computed == pytest.approx(0.0509, abs=5e-4)
    assert all("nothing was tuned" in row.note for row in lost.values())


def test_what_was_measured_at_2_4_kelvin_is_computed_at_2_4_kelvin(rows):
    measured = [row for row in rows if "2.4 K" in row.item]
    assert [round(float(row.computed), 3) for row in measured] == [0.797, -2.627, 1.493]
    assert not any("0.5 K" in row.item for row in rows if row.item.startswith(("Fig. 1", "Fig. S1", "Fig. S2")))


def test_pump_probe_decays_with_the_slowest_rate_without_bias():
    warm, cold = (betz_model.low_voltage_lifetime(betz_model.fe_atom(temperature_K=t)) for t in (2.4, 0.5))
    assert (warm, cold) == (close(0.7974e-9, rel=1e-4), close(0.8106e-9, rel=1e-4))


def test_formulas_stand_beside_another_method(rows):
    formulas = [row for row in rows if row.source.startswith("from eq.")]
    assert [row.source.split()[-1] for row in formulas] == ["3", "S3", "S24", "S20", "S19", "S19"]
    assert [row.verdict is Verdict.AGREES for row in formulas] == [True] * 5 + [False]
    assert row_of(rows, "eq. 3").reference == close(0.12, rel=1e-12)  # a_1 = 0.15 over 1 + Omega^2 = 1.25
    assert row_of(rows, "eq. S24").reference == close(0.6 / 1.3, rel=1e-12)


def test_the_printed_difference_of_eq_s19_is_not_the_occupation():
    up, down = betz_model.modulated_pair(0.02)
    exact = occupation_integral(up, down, 1 / (2 * np.pi))
    in_phase = 2 * np.mean(exact * np.cos(2 * np.pi * np.arange(len(up)) / len(up)))
    assert in_phase == pytest.approx(0.02 / 4 * (1 - 0.02 / 2), abs=1e-6)  # a_1 - a_0 b_1 in units of Gamma
    assert _printed_second_order(0.02) > 3 * in_phase


@pytest.mark.parametrize("reduced", [pytest.param(False, marks=pytest.mark.slow), True])
def test_gamma_is_drawn_without_a_zigzag(reduced):
    offsets, rates = betz_model.rate_scan(5, reduced)
    shown = np.isfinite(rates)
    assert shown[np.abs(offsets - 4.93e-3) > 0.1e-3].all(), "eq. 1 fits but for the change of sign of I_SR"
    assert not shown.all()
    inside = shown[:-2] & shown[1:-1] & shown[2:]
    line = rates[:-2] + (rates[2:] - rates[:-2]) * (offsets[1:-1] - offsets[:-2]) / (offsets[2:] - offsets[:-2])
    off = np.abs(rates[1:-1] / line - 1)[inside & (np.diff(offsets)[1:] > 20e-6)]
    assert off.max() < 0.01, "a point far from its neighbours lies on their line"


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


@pytest.mark.slow
def test_gamma_against_the_offset_is_drawn(tmp_path, monkeypatch):
    monkeypatch.setattr(betz_figures, "_SETS", {count: betz_figures._SETS[count] for count in (2, 5)})
    with drawn(monkeypatch) as figures, house_style():
        betz_figures._rates(tmp_path)
    assert faults(figures[0]) == []
    for line in figures[0].axes[0].lines:
        assert line.get_ydata()[np.isfinite(line.get_ydata())].max() < 3.6, "nothing is cut off"


@pytest.mark.slow
def test_the_supplementary_figures_are_drawn(tmp_path, monkeypatch):
    with drawn(monkeypatch) as figures:
        paths = betz_supplement_figures.draw(tmp_path)
    assert [faults(figure) for figure in figures] == [[], [], []]
    assert [path.name for path in paths] == ["betz_figS3.png", "betz_figS4.png", "betz_figS5.png"]
    assert all(imread(path).shape[1] == 2100 for path in paths)
