"""The way through the points: what moves from one to the next."""

import numpy as np
import pytest

from stmlab.acquisition.path import Path
from stmlab.axes import Axis


class Noted:
    """A path along axes of these names, and what moves on it."""

    def __init__(self, names):
        self.moves = ""
        self.path = Path([(Axis(name, "", np.arange(3.0)), self._noting(name)) for name in names])

    def _noting(self, name):
        def move(value):
            self.moves += name
            if value == 2.0:
                raise OSError

        return move

    def to(self, *target):
        self.moves = ""
        self.path.move_to(target)
        return self.moves


def test_what_is_there_already_does_not_move():
    noted = Noted("ab")
    assert [noted.to(*target) for target in [(0.0, 0.0), (0.0, 1.0), (0.0, 1.0), (1.0, 0.0)]] == ["ab", "b", "", "ab"]


def test_what_lies_within_an_axis_that_moves_is_moved_again():
    """A sweep may begin with the value with which the last one ended, and the tip was stabilised in between."""
    noted = Noted("abc")
    targets = [(0.0, 0.0, 1.0), (1.0, 0.0, 1.0), (1.0, 1.0, 1.0), (1.0, 1.0, 0.0)]
    assert [noted.to(*target) for target in targets] == ["abc", "abc", "bc", "c"]


def test_after_a_pause_every_axis_moves():
    noted = Noted("ab")
    noted.to(1.0, 1.0)
    noted.path.forget()
    assert noted.to(1.0, 1.0) == "ab"


def test_an_axis_whose_move_failed_is_moved_again():
    noted = Noted("ab")
    noted.to(0.0, 1.0)
    with pytest.raises(OSError):
        noted.to(2.0, 1.0)
    assert noted.to(0.0, 1.0) == "ab"
