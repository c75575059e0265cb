"""What every test needs: no screen, no threads of the linear algebra competing for two cores, no hurry."""

import os

import pytest
from hypothesis import settings

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
settings.register_profile("stmlab", deadline=None)  # a busy machine is no fault of the code
settings.load_profile("stmlab")


@pytest.fixture(autouse=True, scope="session")
def _own_state_directory(tmp_path_factory):
    """Locks, marks and logs of the tests stay out of the user's folder."""
    before = os.environ.get("XDG_STATE_HOME")
    os.environ["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state"))
    yield
    if before is None:
        del os.environ["XDG_STATE_HOME"]
    else:
        os.environ["XDG_STATE_HOME"] = before
