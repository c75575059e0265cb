"""One place of a recorded grid as the junction."""

import pytest

from stmlab.errors import FileError
from stmlab.simulation.samples import recorded_sample
from tests.quick_runs import QUICK
from tests.recorded_files import DATA, recorded
from tests.simulation.replay.recordings import replayed

GRID = DATA / "trials" / "grid.3ds"


@recorded
def test_a_pixel_is_chosen_and_replayed(tmp_path):
    """The trial's outer step lies at 3.80 - 0.05 * column meV."""
    again = replayed(tmp_path, "didv", GRID, fitted=True, settings=QUICK, pixel=(8, 3))
    assert abs(again.fits[0]["outer_energy"].value - 3.40) < 5 * again.fits[0]["outer_energy"].error < 0.2
    assert "column 8, row 3 of the grid" in again.snapshot_before["recording"]["notes"]


@recorded
@pytest.mark.parametrize(
    ("pixel", "words"),
    [
        (None, "a grid of 12 x 10 places: choose one of them, as in --pixel 6,5"),
        ((12, 3), r"pixel 12,3 is not in a grid of 12 x 10 places: 0,0 to 11,9 are"),
        ((11, 9), "pixel 11,9 was not measured"),
    ],
)
def test_a_pixel_that_is_not_there_is_refused(pixel, words):
    with pytest.raises(FileError, match=words):
        recorded_sample({"file": GRID, "pixel": pixel})
