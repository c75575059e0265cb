"""Which process runs which test: a file whole, so that what its tests share is made once; what takes longest first.

Files that mostly wait, for the time-out of a mute instrument, say, are run one at a time, beside such that compute:
three processes keep two cores busy.

pytest-xdist's own groups (``xdist_group``) need to change a test's name, which pytest does not let them since 9.2.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest
from xdist.scheduler import LoadFileScheduling

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xdist.remote import Producer
    from xdist.workermanage import WorkerController

LONGEST = (
    "tests/test_lint.py",  # without a cache of mypy
    "tests/test_readme.py",
    "tests/campaigns",
    "tests/station/test_guardian.py",
    "tests/gui/queue/test_processes.py",
    "tests/sequences/test_adaptive.py",
    "tests/sequences/test_adaptive_didv.py",
    "tests/drivers/test_faults.py",
    "tests/cluster",
    "tests/clients",
    "tests/station/test_desk.py",
    "tests/storage/test_kill.py",
    "tests/acquisition/test_wire_replay.py",
    "tests/papers",
    "tests/studies/test_study.py",
    "tests/storage/test_reader.py",
    "tests/storage/test_damaged.py",
)
"""Begun last, one of them would keep a single process busy while the others have ended."""

WAITING = (
    "tests/campaigns",
    "tests/station/test_guardian.py",
    "tests/drivers/test_faults.py",
    "tests/gui/queue/test_processes.py",
    "tests/station/test_safe_now.py",
    "tests/acquisition/test_wire_replay.py",
    "tests/gui/data/test_catalogue.py",
    "tests/gui/data/test_fit_panel.py",
    "tests/gui/test_work.py",
    "tests/drivers/test_nanonis_preview.py",
    "tests/station/test_desk.py",
    "tests/storage/test_kill.py",
)
"""More than half of their time is spent waiting."""

TOGETHER = ("tests/campaigns", "tests/clients", "tests/cluster", "tests/papers")
"""Folders whose files share what takes long to make: a run without faults, an environment, workers, a survey."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Files | None:
    """``--dist loadfile``, as ``make test`` has it, with folders that stay together."""
    return Files(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_collect_directory(path: Path, parent: pytest.Collector) -> Tests | None:
    """All tests are collected by each process, in another order."""
    return Tests.from_parent(parent, path=path) if path == Path(__file__).parent else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The order of all processes: the longest files first."""
    items.sort(key=place)


def place(item: pytest.Item) -> tuple[int, str]:
    """Where a test stands among all: sorted by it, the longest files come first and the others by their names."""
    scope = scope_of(item.nodeid)
    return LONGEST.index(scope) if scope in LONGEST else len(LONGEST), str(item.path)


class Tests(pytest.Dir):
    """The folder of all tests, of which each process begins to collect elsewhere.

    What one has compiled the others read. In a fresh clone all would compile the same files at the same time.
    """

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        folders = list(super().collect())
        number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
        first = number * len(folders) // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
        yield from folders[first:] + folders[:first]


def scope_of(nodeid: str) -> str:
    """The file of a test, or its folder if that stays together."""
    return _scope_of_file(nodeid.partition("::")[0])


@cache
def _scope_of_file(file: str) -> str:
    folder = str(PurePosixPath(file).parent)
    return folder if folder in TOGETHER else file


class Files(LoadFileScheduling):
    """Each file is run by one process, and so are those of a folder that shares something."""

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)

    def _assign_work_unit(self, node: WorkerController) -> None:
        another_waits = any(
            scope in WAITING and not all(tests.values())
            for process, work in self.assigned_work.items()
            if process is not node
            for scope, tests in work.items()
        )
        chosen = next((scope for scope in self.workqueue if (scope in WAITING) is not another_waits), None)
        if chosen:
            self.workqueue.move_to_end(chosen, last=False)
        super()._assign_work_unit(node)
