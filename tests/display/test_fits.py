"""A table of fits, one row each."""

from pathlib import Path

import numpy as np

from stmlab.display.fits import fits_as_table
from stmlab.results import FitParameter, FitResult


def fit(*names, warnings=()):
    parameters = tuple(FitParameter(name, 1.5, 0.1, "meV") for name in names)
    return FitResult("step", parameters, (), np.zeros((0, 0)), 10, 0.0, warnings=tuple(warnings))


def rows(text):
    return [line.split() for line in text.splitlines()]


def test_a_fit_is_a_row_with_its_first_parameters_energies_first():
    many = fit("height", "width", "first energy", "offset", "slope", warnings=["thin", "scattered"])
    head, row = rows(fits_as_table({Path("a.h5"): {"up": many}}, {}))
    assert head == ["file", "sweep", "model", "result", "warnings"]
    text = " ".join(row)
    assert text.startswith("a.h5 up step first energy (1.50 ± 0.10) meV, height")
    assert "offset" in text
    assert "slope" not in text, "four are told"
    assert row[-1] == "2"


def test_numbers_of_warnings_stand_below_the_end_of_their_heading():
    found = {Path("a.h5"): {"up": fit("width"), "down": fit("width", warnings=["thin"] * 12)}}
    head, first, second = fits_as_table(found, {}).splitlines()
    assert len(head) == len(first) == len(second)
    assert (first[-2:], second[-2:]) == (" 0", "12")


def test_a_file_that_was_refused_is_a_line_that_names_it_once():
    refused = {Path("b.h5"): "b.h5: no sweep in it", Path("c.dat"): "too few points"}
    assert fits_as_table({}, refused).splitlines() == [
        "b.h5: refused: no sweep in it",
        "c.dat: refused: too few points",
    ]
    both = fits_as_table({Path("a.h5"): {"": fit("width")}}, refused).splitlines()
    assert len(both) == 4
    assert both[2:] == ["b.h5: refused: no sweep in it", "c.dat: refused: too few points"]
