"""Runs that take little time, for tests that look at neither the noise nor the fit."""

from contextlib import contextmanager

import pytest

from stmlab.acquisition.sequence import Sequence

QUICK = {"time_constant": 0.01, "stabilise_time": 0.2}
"""Parameters with which readings follow each other soon, s."""


@contextmanager
def unfitted():
    """While the context lasts, a run ends with its readings."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Sequence, "is_analysed", False)
        yield
