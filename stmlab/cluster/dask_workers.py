"""Workers by Dask: processes of this machine, or a cluster that is already there.

The local ones listen on loopback only, and talk encrypted with keys that die with them: nobody else on the machine can
send them tasks. Dask's dashboard is off. A worker that dies is replaced, and its task done again; a task whose workers
die over and over is given up, and told as `Lost`.
"""

from __future__ import annotations

import gc
import logging
import queue
import signal
import sys
import time
from contextlib import ExitStack, contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

from stmlab.cluster.tasks import Done, InProcess, Lost
from stmlab.errors import ClusterError
from stmlab.provenance import git_revision, versions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from distributed import Client, Future

    from stmlab.cluster.tasks import Executor, Result, Task

_AHEAD = 3  # tasks for each worker that the scheduler has: one at work, the others next
_LOOK = 0.1  # s between two looks whether to stop
_RECOUNT = 1.0  # s
_CONNECT = 10.0  # s for a scheduler to answer
_LEAVE = 5.0  # s for workers to leave; then they are killed
_LOOPBACK = "127.0.0.1"
_LOCAL = {
    # A worker holds one task: others beside one that kills it would be counted as killers too.
    "distributed.scheduler.worker-saturation": 1.0,
    # Dask has workers give back what is free at once: arrays of every step would be mapped, and cleared, anew.
    "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": None,
    # Statistics for a dashboard that is off: the stack of a task a hundred times a second, ticks, the machine's disks.
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "10s",
    "distributed.admin.system-monitor.disk": False,
    "distributed.admin.system-monitor.gil.enabled": False,
}
"""Of local workers. A fit in one takes the processor time that it takes in this process, and little more."""


@contextmanager
def workers(count: int = 1, scheduler: str = "") -> Iterator[Executor]:
    """Workers while the context lasts.

    Args:
        count: of processes on this machine; 1 is this process, and needs no Dask.
        scheduler: address of a Dask scheduler, "tcp://host:8786", whose workers are taken instead. They must run the
            same versions as this process. Whoever can reach it can run programs there: that is for the cluster to see
            to ("tls://", a network of its own).

    Raises:
        ClusterError: Dask is not installed, nobody answers, or the workers run something else.
    """
    if count < 1:
        raise ClusterError(f"{count} workers: 1 or more are needed")
    if scheduler:
        with _client(scheduler) as client:
            _check_same(client)
            yield _DaskExecutor(client)
    elif count == 1:
        yield InProcess()
    else:
        with _local(count) as client:
            yield _DaskExecutor(client)


@contextmanager
def _client(scheduler: str) -> Iterator[Client]:
    with _connected(scheduler) as client:
        yield client


def _connected(scheduler: str) -> Client:
    """A client of that scheduler.

    Raises:
        ClusterError: nobody answers.
    """
    try:
        return cast("Client", _dask().Client(scheduler, timeout=_CONNECT, set_as_default=False))
    except (OSError, TimeoutError, ValueError, TypeError) as error:  # no such address, or none at all
        why = str(error)
    # A client that has not connected closes itself when it is garbage-collected. That must be now: workers that are
    # started later would wait for it for ever. An error raised `from` the caught one would keep a reference to it.
    gc.collect()
    raise ClusterError(f"{scheduler}: no Dask scheduler answers: {why}")


@contextmanager
def _local(count: int) -> Iterator[Client]:
    dask = _dask()
    from dask import config as dask_config

    with ExitStack() as stack:
        with _interrupts_blocked(), dask_config.set(_LOCAL):
            cluster = dask.LocalCluster(
                n_workers=count,
                threads_per_worker=1,
                host=_LOOPBACK,
                dashboard_address=None,
                scheduler_kwargs={"dashboard_address": f"{_LOOPBACK}:0"},  # of its page on its health, which stays
                security=True,
                silence_logs=logging.CRITICAL,  # what it means for a task is told by its outcome
            )
            stack.callback(cluster.close, timeout=_LEAVE)
            client = stack.enter_context(dask.Client(cluster, set_as_default=False))
        yield client


def _dask() -> Any:
    try:
        import cryptography  # noqa: F401 - the keys of local workers
        import distributed
    except ImportError as error:
        raise ClusterError(f"workers need Dask ({error}): pip install 'stmlab[cluster]'") from error
    return distributed


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Threads and processes that begin here never hear Ctrl-C: what it ends is for this process to say."""
    if sys.platform == "win32":
        yield
        return
    from multiprocessing import resource_tracker  # POSIX only

    resource_tracker.ensure_running()  # or the first process that begins starts it, and that unblocks them
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _check_same(client: Client) -> None:
    """Refuse workers whose numbers would not be those of this process.

    Raises:
        ClusterError: there are no workers, or one runs another version.
    """
    here = _what_runs()
    there: dict[str, dict[str, str]] = client.run(_what_runs)
    if not there:
        raise ClusterError(f"{client.scheduler.address}: the scheduler has no workers")
    for address, found in there.items():
        for name, version in here.items():
            if found[name] != version:
                raise ClusterError(f"{address}: this worker runs {name} {found[name] or '?'}, this process {version}")


def _what_runs() -> dict[str, str]:
    return {**versions(), "commit": git_revision()}


def _timed(function: Callable[[Task], Result], task: Task) -> tuple[Result, float]:
    """On a worker: the result, and the processor time it took, s."""
    began = time.thread_time()
    result = function(task)
    return result, time.thread_time() - began


class _DaskExecutor:
    def __init__(self, client: Client) -> None:
        self._client = client
        self._workers, self._counted = 0, -_RECOUNT

    @property
    def workers(self) -> int:
        """See `Executor`; of a cluster that grows and shrinks, as it was a second ago."""
        if time.monotonic() - self._counted >= _RECOUNT:
            self._workers, self._counted = len(self._client.nthreads()), time.monotonic()
        return self._workers

    def completed(
        self, function: Callable[[Task], Result], tasks: Iterable[Task], count: int, stop: Callable[[], bool]
    ) -> Iterator[Done[Result]]:
        """See `Executor`."""
        ended: queue.SimpleQueue[Future] = queue.SimpleQueue()
        under_way: dict[str, tuple[int, Future]] = {}
        waiting = enumerate(tasks)
        try:
            while not stop():
                for number, task in islice(waiting, max(0, _AHEAD * max(1, self.workers) - len(under_way))):
                    future = self._client.submit(_timed, function, task, pure=False)
                    under_way[future.key] = number, future
                    future.add_done_callback(ended.put)
                if not under_way:
                    return
                try:
                    key = ended.get(timeout=_LOOK).key
                except queue.Empty:
                    continue
                yield _outcome(*under_way.pop(key))
        finally:
            self._client.cancel([future for _, future in under_way.values()])


def _outcome(number: int, future: Future) -> Done[Any]:
    """A future that has ended; raises what its function raised, and ClusterError where nobody will ever end it."""
    from concurrent.futures import CancelledError

    from distributed import KilledWorker

    try:
        result, cpu_s = future.result()
    except KilledWorker as error:
        return Done(number, Lost(f"its workers died, {error.allowed_failures + 1} of them, one after the other"))
    except CancelledError as error:  # by Dask, not here: it has lost the scheduler
        raise ClusterError("the cluster is gone, and the tasks under way are lost") from error
    return Done(number, result, cpu_s)
