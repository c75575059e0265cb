"""The bar that tells who does the tasks."""

from io import StringIO

from rich.console import Console

from stmlab.cli.crew import on_terminal
from stmlab.cluster import InProcess


def test_where_this_process_does_all_tasks_the_bar_tells_of_one_worker():
    console = Console(file=StringIO(), width=80)
    with on_terminal(InProcess(), console, "runs") as executor:
        assert executor.workers == 1
        done = list(executor.completed(abs, [-3, -4], 2, lambda: False))
    assert [(each.number, each.result) for each in done] == [(0, 3), (1, 4)]
    assert "runs 2/2 1 worker" in " ".join(console.file.getvalue().replace("━", "").split())
