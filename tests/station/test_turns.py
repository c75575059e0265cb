"""Whose turn it is: every name once in a round, evenly over its time, whatever the steps."""

import pytest

from stmlab.station.turns import Turns

NAMES = ("a", "b", "c", "d", "e")


@pytest.mark.parametrize("share", [0.03, 0.11, 0.26, 0.5, 0.75])
def test_names_come_in_their_order_and_evenly_whatever_the_steps(share):
    turns, seen = Turns(NAMES), []
    for step in range(1, 201):
        due = turns.due(share)
        seen += due
        assert len(due) == len(set(due))
        assert abs(len(seen) - step * share * len(NAMES)) < 1 + 1e-9
    assert seen == [NAMES[k % len(NAMES)] for k in range(len(seen))]


@pytest.mark.parametrize("share", [1.0, 1.7, 40.0])
def test_after_a_whole_round_all_are_due(share):
    turns = Turns(NAMES)
    assert turns.due(0.3) == ("a",)
    assert turns.due(share) == NAMES
    assert turns.due(0.1) == (), "nothing is owed from before"


def test_nothing_is_ever_due_of_nothing():
    turns = Turns(())
    assert turns.due(0.4) == turns.due(3.0) == ()
