"""Two workers for the tests of this folder: they take some seconds to begin."""

import pytest

from stmlab.cluster import workers


@pytest.fixture(scope="package")
def crew():
    with workers(2) as found:
        yield found


class Counted:
    """An executor that counts what is done, and says so."""

    def __init__(self, executor, told=lambda done: None):
        self.executor, self.told, self.done = executor, told, 0

    @property
    def workers(self):
        return self.executor.workers

    def completed(self, *arguments):
        for done in self.executor.completed(*arguments):
            self.done += 1
            self.told(self.done)
            yield done


@pytest.fixture
def counted():
    return Counted
