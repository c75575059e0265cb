"""Workers: every task once, the same numbers, a worker that dies, an end in the middle, nothing beyond loopback."""

import gc
import os
import signal
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest

from stmlab.analysis.batch import fit_steps_batch
from stmlab.analysis.files import Asked, fit_files
from stmlab.analysis.grids import analyse_grid
from stmlab.analysis.iterations import following
from stmlab.cluster import InProcess, Lost, done_by, workers
from stmlab.cluster.dask_workers import _check_same
from stmlab.errors import ClusterError
from tests.spin_grid import KNOWN, spin_grid


def squared(task):
    return task * task


def who(_):
    return os.getpid()


def where(_):
    from distributed import get_worker

    return get_worker().address


def dies_once(task):
    """The worker that gets the first task dies, once: the file says that it has."""
    number, mark = task
    if number == 0:
        try:
            Path(mark).touch(exist_ok=False)
        except FileExistsError:
            return number
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def always_dies(task):
    if task == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return task


def refuses(task):
    raise ValueError(f"task {task}")


def faults_of_arrays(_):
    """Pages that the kernel had to map while arrays of a step, a quarter of a megabyte each, came and went."""
    import resource

    for _ in range(20):  # until the allocator knows their size
        np.ones(32_768) + 1.0
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(100):
        np.ones(32_768) + 1.0
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def looks(_):
    """What a worker does over and over beside its tasks: milliseconds between two times."""
    from distributed import get_worker

    return {name: one.callback_time for name, one in get_worker().periodic_callbacks.items()}


def results(crew, function, tasks, stop=lambda: False):
    tasks = list(tasks)
    return [(done.number, done.result) for done in crew.completed(function, tasks, len(tasks), stop)]


def answering(crew, enough):
    """The processes that do tasks, until they are enough; 10,000 tasks at most."""
    pids = set()
    for done in crew.completed(who, range(10_000), 10_000, lambda: enough(pids)):
        pids.add(done.result)
    return pids


def test_every_task_is_done_once_by_other_processes(crew):
    assert sorted(results(crew, squared, range(40))) == [(k, k * k) for k in range(40)]
    there = answering(crew, lambda pids: len(pids) == 2)
    assert crew.workers == 2
    assert len(there) == 2
    assert os.getpid() not in there


@pytest.mark.skipif(sys.platform != "linux", reason="the GNU allocator's habits")
def test_workers_keep_the_memory_of_the_arrays_that_come_and_go(crew):
    (_, faults) = results(crew, faults_of_arrays, [0])[0]
    assert faults < 640  # 64 pages an array, 200 arrays


def test_workers_do_little_beside_their_tasks(crew):
    (_, found) = results(crew, looks, [0])[0]
    assert "profile" not in found
    assert found["memory_monitor"] > 0
    assert sum(1e3 / interval for interval in found.values()) < 20  # times a second


def test_what_a_task_raises_is_raised_here(crew):
    with pytest.raises(ValueError, match="task 0"):
        results(crew, refuses, [0])


def test_once_told_to_stop_no_task_begins(crew):
    done = []
    for end in crew.completed(squared, range(10_000), 10_000, lambda: len(done) >= 5):
        done.append(end.number)
    assert len(done) == len(set(done)) == 5
    assert results(crew, squared, [3]) == [(0, 9)], "and the workers are there for the next"


def test_nothing_listens_beyond_loopback(crew):
    here = psutil.Process()
    family = [here, *here.children(recursive=True)]
    listening = [c.laddr.ip for process in family for c in process.net_connections() if c.status == psutil.CONN_LISTEN]
    assert len(listening) >= 3, "a scheduler and two workers"
    assert set(listening) == {"127.0.0.1"}


def test_ctrl_c_in_the_terminal_is_not_heard_by_workers(crew):
    before = answering(crew, lambda pids: len(pids) == 2)
    for pid in before:
        os.kill(pid, signal.SIGINT)
    assert answering(crew, lambda pids: pids >= before) == before


def test_fits_are_the_same_to_the_last_bit(crew):
    grid = spin_grid(rows=3, columns=2)
    here = analyse_grid(grid, "transport", settings=KNOWN)["forward"]
    with done_by(crew):
        shared = analyse_grid(grid, "transport", settings=KNOWN)["forward"]
    assert here.ok.all()
    assert_the_same(here.batch, shared.batch)


def test_batches_are_the_same_to_the_last_bit(crew):
    bias = np.linspace(-8e-3, 8e-3, 61)
    steps = 1 + 0.4 * (np.abs(bias) > 1.5e-3) + 0.4 * (np.abs(bias) > 5e-3)
    spectra = steps + 0.02 * np.random.default_rng(1).standard_normal((600, bias.size))
    told = {"temperature_K": 2.0, "bias_offset": True, "background_slope": True}
    here = fit_steps_batch(bias, spectra, **told)
    with done_by(crew):
        shared = fit_steps_batch(bias, spectra, **told)
    assert here.ok.mean() > 0.9
    assert_the_same(here, shared)


def assert_the_same(one, other):
    assert one.names == other.names
    assert one.reasons == other.reasons
    for name in ("values", "errors", "covariance", "residual", "structured", "ok"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_a_fit_that_is_stopped_keeps_what_the_workers_have_done(crew, counted):
    counted = counted(crew)
    with done_by(counted), following(stop=lambda: counted.done >= 3):
        fit = analyse_grid(spin_grid(rows=8, columns=8), "transport", settings=KNOWN)["forward"]
    assert fit.ok.sum() == 12, "three tasks of four places"
    assert fit.choices["ended"] == "stopped"
    assert set(fit.refused) == {"not fitted: the fit was ended before"}


def test_processor_time_of_workers_counts_for_the_time_limit(crew):
    with done_by(crew):
        fit = analyse_grid(spin_grid(rows=8, columns=8), "transport", settings={**KNOWN, "time_limit": 0.2})["forward"]
    assert 0 < fit.ok.sum() < 64
    assert fit.choices["ended"] == "time limit"


def test_files_are_fitted_once_each_and_one_that_cannot_be_says_why(crew, tmp_path):
    files = []
    grid = spin_grid(rows=1, columns=4)
    for place in range(4):
        one = grid.spectrum(0, place)
        files.append(tmp_path / f"{place}.csv")
        table = np.column_stack([column.values for column in one.columns])
        names = ",".join(f"{column.name} ({column.unit})" for column in one.columns)
        np.savetxt(files[-1], table, delimiter=",", header=names, comments="")
    files.append(tmp_path / "missing.csv")
    asked = Asked("transport", settings=KNOWN)
    with done_by(crew):
        shared = list(fit_files(files, asked))
    here = dict(fit_files(files, asked))
    assert sorted(file for file, _ in shared) == sorted(files)
    assert isinstance(dict(shared)[files[-1]], Exception)
    for file in files[:-1]:
        assert dict(shared)[file]["forward"].as_dict() == here[file]["forward"].as_dict()


def test_a_worker_that_is_killed_costs_nothing_but_time_and_nothing_is_told_twice(crew, tmp_path):
    mark = tmp_path / "died"
    done = results(crew, dies_once, [(k, str(mark)) for k in range(8)])
    assert mark.exists()
    assert sorted(done) == [(k, k) for k in range(8)]
    crew._client.wait_for_workers(2, timeout=300)  # another one has taken its place


@pytest.mark.slow  # workers begin anew
def test_a_task_that_kills_every_worker_is_lost_and_the_others_are_done(crew, monkeypatch):
    monkeypatch.setattr(crew._client.cluster.scheduler, "allowed_failures", 1)  # a few will do: each takes a second
    done = dict(results(crew, always_dies, range(4)))
    assert isinstance(done.pop(1), Lost)
    assert done == {0: 0, 2: 2, 3: 3}


def test_one_worker_is_this_process():
    with workers(1) as found:
        assert isinstance(found, InProcess)
    assert results(InProcess(), who, [0]) == [(0, os.getpid())]


def test_a_scheduler_that_does_not_answer_is_refused(monkeypatch):
    monkeypatch.setattr("stmlab.cluster.dask_workers._CONNECT", 0.2)
    for address in ("tcp://127.0.0.1:9", "nowhere"):
        with pytest.raises(ClusterError, match=f"{address}: no Dask scheduler answers"), workers(scheduler=address):
            pass


def test_where_no_scheduler_answers_nothing_of_the_client_is_left(monkeypatch):
    from distributed import Client

    def clients():
        return {id(one) for one in gc.get_objects() if isinstance(one, Client)}

    monkeypatch.setattr("stmlab.cluster.dask_workers._CONNECT", 0.2)
    gc.collect()
    before = clients()
    with pytest.raises(ClusterError, match="no Dask scheduler answers"), workers(scheduler="tcp://127.0.0.1:9"):
        pass
    assert clients() == before


def test_without_dask_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(ClusterError, match=r"pip install 'stmlab\[cluster\]'"), workers(2):
        pass


@pytest.fixture
def cluster():
    """A cluster that is already there: its worker is a thread of this process."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=1,
        threads_per_worker=1,
        processes=False,
        protocol="tcp",
        host="127.0.0.1",
        dashboard_address=None,
        scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
    ) as found:
        yield found


def test_a_cluster_that_is_there_does_the_tasks(cluster):
    (worker,) = cluster.workers.values()
    with workers(scheduler=cluster.scheduler_address) as found:
        assert found.workers == 1
        assert sorted(results(found, where, range(5))) == [(k, worker.address) for k in range(5)]


def test_a_cluster_that_goes_away_is_told_in_a_line(cluster):
    with (
        workers(scheduler=cluster.scheduler_address) as found,
        pytest.raises(ClusterError, match="the cluster is gone"),
    ):
        for done in found.completed(squared, range(100), 100, lambda: False):
            if done.number == 3:
                cluster.close()


def test_a_cluster_that_runs_something_else_is_refused():
    class Other:
        def run(self, function):
            return {"tcp://10.0.0.7:4000": {**function(), "numpy": "1.0"}}

    with pytest.raises(ClusterError, match=r"tcp://10.0.0.7:4000: this worker runs numpy 1.0, this process \d"):
        _check_same(Other())
