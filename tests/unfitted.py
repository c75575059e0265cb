"""Runs without their own fit, for tests in which the readings are what is looked at."""

from contextlib import contextmanager

import pytest

from stmlab.acquisition.sequence import Sequence


@contextmanager
def unfitted():
    """While the context lasts, a run ends with its readings."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Sequence, "is_analysed", False)
        yield
