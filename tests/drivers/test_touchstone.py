"""Touchstone files: what they mean, whatever their option line, beside closed forms of simple parts."""

from __future__ import annotations

import cmath
import itertools
import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from drivers.touchstone import read_touchstone
from stmlab.errors import StationError
from tests.approximately import close

if TYPE_CHECKING:
    from pathlib import Path

FREQUENCIES = (1e8, 2e8, 5e8)  # Hz
NUMBERS = {
    "RI": lambda s: (s.real, s.imag),
    "MA": lambda s: (abs(s), math.degrees(cmath.phase(s))),
    "DB": lambda s: (20 * math.log10(abs(s)), math.degrees(cmath.phase(s))),
}


def chain_matrix(frequency: float) -> tuple[complex, ...]:
    """A, B, C, D of a 3 dB pad for 50 ohm and 1 pF in series behind it."""
    k = 10 ** (3 / 20)
    series, shunt = 50 * (k - 1) / (k + 1), 50 * 2 * k / (k**2 - 1)
    pad = np.array([[1, series], [0, 1]]) @ np.array([[1, 0], [1 / shunt, 1]]) @ np.array([[1, series], [0, 1]])
    capacitor = np.array([[1, 1 / (2j * np.pi * frequency * 1e-12)], [0, 1]])
    return tuple((pad @ capacitor).ravel().tolist())


def scattering(frequency: float, ohms: float) -> tuple[complex, ...]:
    """S11, S21, S12, S22 between lines of ``ohms`` (Pozar, Microwave Engineering, table 4.2)."""
    a, b, c, d = chain_matrix(frequency)
    below = a + b / ohms + c * ohms + d
    s11, s22 = (a + b / ohms - c * ohms - d) / below, (-a + b / ohms - c * ohms + d) / below
    return s11, 2 / below, 2 * (a * d - b * c) / below, s22


def write(path: Path, option: str, *, ohms: float = 50.0, unit: float = 1e9, form: str = "MA", head: str = "") -> Path:
    rows = [
        " ".join(f"{x:.12g}" for x in (f / unit, *itertools.chain(*map(NUMBERS[form], scattering(f, ohms)))))
        for f in FREQUENCIES
    ]
    path.write_text("\n".join([*head.splitlines(), option, *rows]) + "\n")
    return path


def check(path: Path) -> None:
    found = read_touchstone(path)
    expected = np.array([scattering(f, 50.0)[1] for f in FREQUENCIES])
    np.testing.assert_allclose(found.frequency, FREQUENCIES, rtol=1e-12)
    np.testing.assert_allclose(found.transfer(found.frequency), expected, rtol=1e-9)


@pytest.mark.parametrize("ohms", [1.0, 50.0, 75.0, 100.0, 377.5])
@pytest.mark.parametrize("form", NUMBERS)
def test_the_transfer_is_that_in_a_50_ohm_line_whatever_the_reference(tmp_path, ohms, form):
    check(write(tmp_path / "part.s2p", f"# Hz S {form} R {ohms:g}", ohms=ohms, unit=1.0, form=form))


@pytest.mark.parametrize("words", list(itertools.permutations(["MHz", "S", "DB", "R 75"])))
def test_the_words_of_the_option_line_come_in_any_order(tmp_path, words):
    check(write(tmp_path / "part.s2p", "# " + " ".join(words), ohms=75.0, unit=1e6, form="DB"))


@pytest.mark.parametrize(
    ("option", "how"),
    [
        ("#", {}),
        ("# ! everything left out", {}),
        ("#GHz", {}),
        ("# khz", {"unit": 1e3}),
        ("# ri", {"form": "RI"}),
        ("# R 100", {"ohms": 100.0}),
        ("# s r 75 ma", {"ohms": 75.0}),
        ("\t# DB HZ ! of the analyser", {"form": "DB", "unit": 1.0}),
        ("# MA R 5.0e1", {}),
    ],
)
def test_words_that_are_left_out_have_their_defaults(tmp_path, option, how):
    check(write(tmp_path / "part.s2p", option, **how))


def test_only_the_first_option_line_counts_and_comments_give_the_date(tmp_path):
    path = write(tmp_path / "part.s2p", "# GHz S MA R 50\n# Hz S RI R 1", head="! of the tee\n! date: 2024-05-01")
    check(path)
    assert read_touchstone(path).date == "2024-05-01"


def test_impedances_of_version_1_are_in_units_of_the_reference(tmp_path):
    a, b, c, d = chain_matrix(1e9)
    z = np.array([a / c, 1 / c, (a * d - b * c) / c, d / c]) / 75.0
    row = " ".join(f"{x:.12g}" for value in z for x in (value.real, value.imag))
    path = tmp_path / "part.s2p"
    path.write_text(f"# GHz Z RI R 75\n1 {row}\n2 {row}\n")
    expected = scattering(1e9, 50.0)[1]
    assert read_touchstone(path).magnitude_dB[0] == close(20 * math.log10(abs(expected)), rel=1e-9)


def test_ports_of_different_reference_are_brought_to_the_same(tmp_path):
    """A piece of wire between 50 and 25 ohm: S21 = 2 sqrt(50 25) / 75; in a 50 ohm line it is 1."""
    s, r = 2 * math.sqrt(50 * 25) / 75, (25 - 50) / 75
    path = tmp_path / "wire.s2p"
    head = "[Version] 2.0\n# GHz S RI R 50\n[Number of Ports] 2\n[Two-Port Data Order] 21_12\n"
    head += "[Number of Frequencies] 2\n[Reference] 50 25\n[Network Data]\n"
    path.write_text(head + "".join(f"{f} {r} 0 {s} 0 {s} 0 {-r} 0\n" for f in (1, 2)) + "[End]\n")
    # a wire has no impedance matrix, which scikit-rf takes the way over: it makes it a little other
    np.testing.assert_allclose(read_touchstone(path).magnitude_dB, 0.0, atol=1e-6)


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("# GHz S MA R", "R : a reference impedance"),
        ("# GHz S MA R 0", "R 0: a reference impedance"),
        ("# GHz S MA R -50", "R -50: a reference"),
        ("# GHz S MA R nan", "R NAN: a reference"),
        ("# GHz S MA 50", "line 1: '50' in the option line"),
        ("# GHz MHz", "line 1: 'MHZ' in the option line"),
        ("# furlong", "line 1: 'FURLONG' in the option line"),
        ("! no option line", "no option line"),
    ],
)
def test_a_wrong_option_line_is_refused(tmp_path, option, words):
    path = write(tmp_path / "part.s2p", option)
    with pytest.raises(StationError, match=words) as refused:
        read_touchstone(path)
    assert str(path) in str(refused.value)


def test_a_file_that_is_no_touchstone_file_is_refused(tmp_path):
    path = tmp_path / "tee.s2p"
    path.write_text("# Hz S RI R 50\nthis is not a Touchstone file\n")
    with pytest.raises(StationError, match=r"tee\.s2p: not a two-port Touchstone file"):
        read_touchstone(path)


def test_a_file_that_is_written_anew_is_read_anew_and_what_is_remembered_cannot_be_changed(tmp_path):
    first = read_touchstone(write(tmp_path / "part.s2p", "# Hz S MA R 50", unit=1.0))
    again = read_touchstone(write(tmp_path / "part.s2p", "# Hz S MA R 50", unit=1.0))
    assert again is first
    for values in (first.frequency, first.magnitude_dB, first.phase):
        with pytest.raises(ValueError, match="read-only"):
            values[0] = 1.0
    scaled = read_touchstone(write(tmp_path / "part.s2p", "# kHz S MA R 50", unit=1.0))
    np.testing.assert_allclose(scaled.frequency, 1e3 * first.frequency, rtol=1e-12)
