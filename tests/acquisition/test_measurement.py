"""A measurement as a script in Python makes it."""

from stmlab.acquisition.measurement import measure
from stmlab.storage import open_run


def test_the_file_may_be_named_by_a_text(tmp_path):
    path = str(tmp_path / "run.h5")
    outcome = measure("srs", seed=2, settings={"points": 3}, path=path)
    assert str(outcome.path) == path
    assert open_run(path).points == 3
