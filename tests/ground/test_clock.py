"""The clock of a real microscope."""

import pytest

from stmlab.clock import RealClock


@pytest.mark.parametrize("seconds", [0.0, 1e-4, 2e-3])
def test_a_wait_never_ends_early(seconds):
    clock = RealClock()
    before = clock.now()
    clock.sleep(seconds)
    assert clock.now() - before >= seconds - 1e-9
