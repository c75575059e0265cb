"""A fit in a table: symbols, values with errors, places; doubts in words; rows to copy."""

from dataclasses import replace

import numpy as np
import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QApplication

from stmlab.gui import themes
from stmlab.gui.live.fit_table import FitTable
from stmlab.results import FitParameter
from tests.gui.live.runs import fit_of


@pytest.fixture
def table(qtbot):
    found = FitTable(themes.LIGHT)
    qtbot.addWidget(found)
    found.show()
    return found


def row(table, k):
    return [table.table.item(k, column).text() for column in range(4)]


def test_quantities_stand_with_symbol_value_error_and_unit(table):
    parameters = (FitParameter("rate", 1.73e9, 4e7, "1/s"), FitParameter("step", -5.02e-12, 5e-14, "A"))
    table.show_fit(replace(fit_of([1, 2], [1, 2], [1, 2], parameters=parameters), reduced_chi_square=1.04))
    assert row(table, 0) == ["Γ", "rate", "(1.73 ± 0.04)·10⁹ /s", ""]
    assert row(table, 1) == ["I_SR", "step", "(-5.02 ± 0.05) pA", ""]
    assert table.table.isColumnHidden(3)
    assert table.heading.text() == "fit srs, 2 points, rms residual 100 fA, reduced chi square 1.04"


def test_values_of_many_sweeps_say_where_they_hold(table):
    parameters = [FitParameter(f"rate_{k}", 1e9, 1e7, "1/s", f"bias {k} mV") for k in (1, 2)]
    table.show_fit(fit_of([1, 2], [1, 2], [1, 2], model="srs_map", parameters=parameters))
    assert row(table, 1) == ["Γ", "rate", "(1.000 ± 0.010)·10⁹ /s", "bias 2 mV"]
    assert not table.table.isColumnHidden(3)


def test_a_unit_is_not_told_twice(table):
    parameters = [
        FitParameter("axial_anisotropy_meV", -4.2, 0.1, "meV"),
        FitParameter("slope_meV_per_uS", 1.0, 0.1, "meV/uS"),
    ]
    table.show_fit(fit_of([1, 2], [1, 2], [1, 2], model="transport", parameters=parameters))
    assert row(table, 0)[:3] == ["D", "axial anisotropy", "(-4.20 ± 0.10) meV"]
    assert row(table, 1)[1] == "slope"


def test_doubts_are_told_in_words_all_of_them(table):
    fit = replace(fit_of([1, 2], [1, 2], [1, 2]), warnings=tuple(f"doubt {k}" for k in range(5)))
    table.show_fit(fit)
    assert table.doubts.text().splitlines() == [f"⚠ doubt {k}" for k in range(5)]
    assert table.doubts.isVisible()
    table.show_fit(fit_of([1, 2], [1, 2], [1, 2]))
    assert not table.doubts.isVisible()


def test_what_is_not_determined_says_so(table):
    table.show_fit(fit_of([1, 2], [1, 2], [1, 2], parameters=[FitParameter("rate", 1e9, np.inf, "1/s")]))
    assert row(table, 0)[2] == "not determined"


def test_another_run_without_a_fit_empties_the_table(table):
    table.show_fit(fit_of([1, 2], [1, 2], [1, 2]))
    table.show_fit(None)
    assert table.heading.text() == "no fit yet"
    assert table.table.rowCount() == 0


def test_selected_rows_can_be_copied(table, qtbot):
    table.show_fit(fit_of([1, 2], [1, 2], [1, 2]))
    table.table.selectRow(0)
    qtbot.keyClick(table.table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QApplication.clipboard().text() == "Γ\trate\t(1.70 ± 0.04)·10⁹ /s\t"
