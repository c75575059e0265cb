"""``stmlab`` as it is typed, in a process of its own that needs no time to begin."""

from stmlab.cli import app
from tests.forked import Program


def typed(*arguments):
    return Program(_perform, *map(str, arguments))


def _perform(*arguments):
    app(arguments)
