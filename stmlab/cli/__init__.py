"""The command line: thin, because everything it does is a function elsewhere. Exit status 0 only on success."""

from __future__ import annotations

from stmlab.cli import (  # noqa: F401 - each brings its commands
    catalogue,
    data,
    fits,
    lists,
    measure,
    models,
    plan,
    playing,
    queue,
    safety,
    serve,
    study,
    wire,
)
from stmlab.cli.common import app

__all__ = ["main"]


def main() -> None:
    """Entry point of the console script."""
    app()
