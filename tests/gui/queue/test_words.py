"""Where a run stands, in words."""

from types import SimpleNamespace

from stmlab.gui.queue.words import progress_in_numbers, progress_of

SAID = {"sequence": "srs", "run": 0, "runs": 1, "points": 40, "total": 60, "left": 80.0}


def told(**more):
    return progress_of(SimpleNamespace(progress=SAID | more))


def test_a_run_over_a_grid_says_how_many_points_there_are():
    assert told(error=None, target=None) == "srs: point 40 of 60, 80 s left"


def test_a_run_that_chooses_its_points_says_its_error_and_its_target():
    assert told(error=0.032, target=0.01) == "srs: point 40, error 3.2 % of 1 %, 80 s left"


def test_the_bar_of_a_run_that_chooses_its_points_counts_to_its_target():
    """Not to the many points that its time limit would allow."""
    said = SAID | {"total": 9000, "target": 0.01, "readings": 40, "needed": 160}
    assert progress_in_numbers(said) == (40, 160)
    assert progress_in_numbers(said | {"needed": None}) == (0, 1), "nothing follows from an error of 90 %"
    assert progress_in_numbers(SAID | {"target": None, "readings": 40, "needed": None}) == (40, 60)
