"""The rows of each paper, which take a second, once for all tests of this folder."""

from functools import cache

import pytest

from stmlab import papers


@pytest.fixture(scope="package")
def survey():
    return cache(papers.rows)
