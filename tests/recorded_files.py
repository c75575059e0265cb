"""Where the files of other programs lie: beside the repository, because they are not ours to pass on."""

from pathlib import Path

import pytest

DATA = Path(__file__).parents[2] / "shared" / "data"
RECORDED = DATA / "recorded"
recorded = pytest.mark.skipif(not RECORDED.is_dir(), reason=f"the recorded files are not here ({RECORDED})")
