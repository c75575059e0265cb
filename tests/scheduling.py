"""Which process runs which test: a file whole, so that what its tests share is made once; what takes longest first.

Files that mostly wait, for the time-out of a mute instrument, say, are run one at a time, beside such that compute:
three processes keep two cores busy.

pytest-xdist's own groups (``xdist_group``) need to change a test's name, which pytest does not let them since 9.2.
"""

from __future__ import annotations

from functools import cache
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from xdist.scheduler import LoadFileScheduling

if TYPE_CHECKING:
    import pytest
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
    "tests/studies/test_study.py",
    "tests/storage/test_reader.py",
    "tests/storage/test_damaged.py",
)
"""Begun last, one of them would keep a single process busy while the others have ended."""

WAITING = (
    "tests/campaigns",
    "tests/drivers/test_faults.py",
    "tests/station/test_guardian.py",
    "tests/gui/queue/test_processes.py",
    "tests/gui/data/test_map_panel.py",
    "tests/gui/data/test_catalogue.py",
    "tests/acquisition/test_wire_replay.py",
    "tests/station/test_safe_now.py",
    "tests/gui/test_work.py",
    "tests/drivers/test_nanonis_preview.py",
    "tests/gui/models/test_models_panel.py",
    "tests/gui/data/test_fit_panel.py",
    "tests/gui/test_application.py",
)
"""More than half of their time is spent waiting."""

TOGETHER = ("tests/campaigns", "tests/clients", "tests/cluster")
"""Folders whose files share what takes long to make: a run without faults, an environment, workers."""


def place(item: pytest.Item) -> int:
    """Where a test stands among all: sorted by it, the longest files come first and the others keep their order."""
    scope = scope_of(item.nodeid)
    return LONGEST.index(scope) if scope in LONGEST else len(LONGEST)


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
