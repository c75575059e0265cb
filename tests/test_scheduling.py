"""Who runs what: files and what belongs together by one process, the longest first."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from tests import scheduling

ROOT = Path(__file__).parents[1]


def test_the_longest_files_and_the_folders_that_stay_together_are_there():
    assert all((ROOT / path).exists() for path in (*scheduling.LONGEST, *scheduling.WAITING, *scheduling.TOGETHER))


def test_the_longest_come_first_and_the_others_by_their_names():
    names = ["tests/c.py::one", "tests/cluster/test_b.py::two", "tests/a.py::3", "tests/a.py::0"]
    names += [f"{scheduling.LONGEST[0]}::four"]
    items = [SimpleNamespace(nodeid=name, path=Path(name.partition("::")[0])) for name in names]
    scheduling.pytest_collection_modifyitems(items)
    assert [item.nodeid for item in items] == [names[k] for k in (4, 1, 2, 3, 0)]


@pytest.mark.parametrize(("process", "first"), [("gw0", "a"), ("gw1", "c"), ("gw2", "e")])
def test_each_process_begins_to_collect_elsewhere(request, monkeypatch, process, first):
    monkeypatch.setattr(pytest.Dir, "collect", lambda _: iter("abcdef"))
    monkeypatch.setenv("PYTEST_XDIST_WORKER", process)
    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", "3")
    folder = scheduling.pytest_collect_directory(ROOT / "tests", request.session)
    found = list(folder.collect())
    assert found[0] == first
    assert sorted(found) == list("abcdef")


class Process:
    """One that is asked to run tests, by their numbers."""

    shutting_down, gateway = False, SimpleNamespace(id="gw")

    def __init__(self):
        self.asked = []

    def send_runtest_some(self, numbers):
        self.asked += numbers

    def shutdown(self):
        self.shutting_down = True


def asked_of_two(names):
    """The files of which each of two processes is asked, of which the second does all it is asked for at once."""
    processes = [Process(), Process()]
    settings = SimpleNamespace(loadscopereorder=False)
    scheduler = scheduling.Files(SimpleNamespace(getvalue=lambda _: ["2*popen"], option=settings), None)
    for process in processes:
        scheduler.add_node(process)
        scheduler.add_node_collection(process, names)
    scheduler.schedule()
    done = 0
    while done < len(processes[1].asked):
        scheduler.mark_test_complete(processes[1], processes[1].asked[done])
        done += 1
    return [[names[k].split("::")[0] for k in process.asked[::4]] for process in processes]


def test_a_file_and_a_folder_that_stays_together_have_one_process():
    names = [f"tests/{file}.py::test[{k}]" for file in ("cluster/a", "b", "cluster/c", "d") for k in range(4)]
    assert asked_of_two(names) == [["tests/cluster/a.py", "tests/cluster/c.py"], ["tests/b.py", "tests/d.py"]]


def test_one_process_waits_while_the_others_compute(monkeypatch):
    files = [f"tests/{letter}.py" for letter in "abcdef"]
    monkeypatch.setattr(scheduling, "WAITING", (files[2], files[3], files[5]))
    asked = asked_of_two([f"{file}::test[{k}]" for file in files for k in range(4)])
    # the first waits; the second computes until nothing else is left
    assert asked == [[files[2]], [files[0], files[1], files[4], files[3], files[5]]]
