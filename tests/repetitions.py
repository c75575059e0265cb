"""How often a test of chance draws: a few times in every run, as often as it was meant to as a slow test."""

import pytest


def drawn(few: int, *, of: int) -> pytest.MarkDecorator:
    """The argument ``times`` of a test: ``few``, and ``of`` as a slow test."""
    return pytest.mark.parametrize("times", [few, pytest.param(of, marks=pytest.mark.slow)])
