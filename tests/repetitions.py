"""How often a test of chance draws: a few times in every run, as often as it was meant to as a slow test."""

import pytest
from hypothesis import settings


def drawn(few: int, *, of: int) -> pytest.MarkDecorator:
    """The argument ``times`` of a test: ``few``, and ``of`` as a slow test."""
    return pytest.mark.parametrize("times", [few, pytest.param(of, marks=pytest.mark.slow)])


def examples(of: int) -> settings:
    """As many examples as a test was meant to have, and in the proportion of the profile fewer in every run."""
    return settings(max_examples=of * settings().max_examples // 100, deadline=None)
