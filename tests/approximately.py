"""How tests compare numbers with units: pytest.approx adds 1e-12 to every tolerance, which passes any current in A."""

from typing import Any

import pytest


def close(expected: Any, rel: float = 1e-6, abs: float = 0.0) -> Any:
    """What equals `expected` within the larger of `rel * |expected|` and `abs`; zero equals only zero unless `abs`."""
    return pytest.approx(expected, rel=rel, abs=abs)
