"""What the survey says of Muenks et al."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.image import imread

from stmlab.analysis.step_asymmetry import fitted_steps, level_steps
from stmlab.display.figures.drawing import house_style
from stmlab.errors import FitError
from stmlab.papers import Row, Verdict, muenks, muenks_figures
from stmlab.papers.muenks_model import ANTIFERROMAGNETIC, FERROMAGNETIC, IN_FIELD, steady
from tests.papers.sheets import drawn, faults


@pytest.fixture(scope="module")
def rows(survey) -> list[Row]:
    return survey("muenks")


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
    row = row_of(rows, "slope of 3.6 meV per nS")
    assert row.verdict is Verdict.DIFFERS and row.computed > 100


def test_potential_scattering_is_judged_in_third_order(rows):
    weak, strong = (row_of(rows, f"eta_o with U = 0 and 0.5, third order, J rho = {j}") for j in ("-0.05", "-0.1"))
    assert (weak.verdict, strong.verdict) == (Verdict.AGREES, Verdict.DIFFERS)
    for row, change in ((weak, 0.01), (strong, 0.03)):
        without, with_potential = (float(eta) for eta in str(row.computed).split(", "))
        assert with_potential - without == pytest.approx(change, abs=0.005)


@pytest.mark.parametrize("order", [2, 3])
def test_the_bias_the_correlation_and_u_change_sign_together(order):
    there, back = (
        fitted_steps(
            replace(
                replace(ANTIFERROMAGNETIC, correlation=sign * 0.5).junction(0.3),
                order=order,
                coupling=-0.05 if order == 3 else 0.0,
                potential_scattering=sign * 0.3,
            )
        )
        for sign in (1, -1)
    )
    assert (back.inner, back.outer) == pytest.approx((-there.inner, -there.outer), abs=1e-6)
    assert (abs(there.inner) > 0.02) is (order == 3), "only third order shifts the inner asymmetry"


def test_a_larger_tip_spin_gives_the_same_steps_with_another_slope(rows):
    heisenberg, ising = (float(value) for value in str(row_of(rows, "S2 = 3/2").computed).split(", "))
    assert ising < 1e-4 and 0.05 < heisenberg < 0.1


@pytest.mark.parametrize("exchange_meV", [1.0, 1.2, 1.5])
def test_the_steps_of_two_ground_states_are_not_fitted_with_four_gaussians(exchange_meV):
    with pytest.raises(FitError, match="four Gaussians do not fit the steps"):
        fitted_steps(IN_FIELD.junction(0.7, exchange_meV))


@pytest.mark.slow
def test_no_curve_of_fig_4c_goes_through_a_failed_fit(tmp_path, monkeypatch):
    with drawn(monkeypatch) as figures, house_style():
        muenks_figures._field(tmp_path)
    assert faults(figures[0]) == []
    (axes,) = figures[0].axes
    thermal, pumped = (line for line in axes.lines if line.get_label() in {"thermal occupation", "steady state"})
    for line, of in ((thermal, lambda junction: junction), (pumped, steady)):
        shown = np.isfinite(line.get_ydata())
        assert shown[line.get_xdata() < 0.9].all() and not shown[line.get_xdata() > 1.0].any()
        assert np.abs(np.diff(line.get_ydata()[shown], n=2)).max() < 0.005, "the curve is smooth"
        at = int(np.argmin(np.abs(line.get_xdata() - 0.5)))
        assert line.get_ydata()[at] == pytest.approx(fitted_steps(of(IN_FIELD.junction(0.7, 0.5))).outer, abs=1e-9)


def test_the_level_scheme_is_drawn(tmp_path, monkeypatch):
    skipped = []
    for name in ("_spectra", "_fits", "_field"):
        monkeypatch.setattr(muenks_figures, name, lambda directory, name=name: skipped.append(name) or directory)
    with drawn(monkeypatch) as figures:
        *_, path, _ = muenks.figures(tmp_path)
    assert skipped == ["_spectra", "_fits", "_field"]
    assert [faults(figure) for figure in figures] == [[]]
    image = imread(path)
    assert path.name == "muenks_fig3.png" and image.shape[1] == 2100
    assert np.ptp(image[..., :3]) > 0.9


def test_step_energies_are_drawn_with_both_kinds_of_exchange_but_for_the_bare_tip(tmp_path, monkeypatch):
    steps = SimpleNamespace(inner=0.1, outer=-0.2)
    monkeypatch.setattr(muenks_figures, "fitted_steps", lambda _: steps)
    with drawn(monkeypatch) as figures, house_style():
        path = muenks_figures._fits(tmp_path)
    assert [faults(figure) for figure in figures] == [[]]
    assert imread(path).shape[:2] == (1260, 2100)
    bare, *functional = figures[0].axes[:3]
    assert [line.get_linestyle() for line in bare.lines] == ["-", "-"]
    for axes, kinds in zip(functional, (["Heisenberg", "Ising"], ["Ising", "Heisenberg"]), strict=True):
        assert [line.get_linestyle() for line in axes.lines] == ["-", "-", "--", "--"]
        assert axes.get_legend_handles_labels()[1] == kinds
        solid, dashed = axes.lines[1], axes.lines[3]
        assert np.abs(solid.get_ydata() - dashed.get_ydata()).max() > 0.1, "meV"
