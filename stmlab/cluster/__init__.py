"""Many tasks of one kind, such as the curves of a grid: done here one after the other, or by workers.

    with workers(4) as crew, done_by(crew):       # processes of this machine; workers(scheduler="tcp://...") a cluster
        fits = fit_file(path)                     # shares out what can be shared

Who has tasks asks for `executor` and cuts them by what they are, never by the number of workers: the results are then
the same to the last bit, whoever computes them. Workers need the extra ``stmlab[cluster]`` (Dask); it is imported when
the first one is asked for, and only in this room.
"""

from __future__ import annotations

from stmlab.cluster.dask_workers import workers
from stmlab.cluster.tasks import Done, Executor, InProcess, Lost, done_by, executor

__all__ = ["Done", "Executor", "InProcess", "Lost", "done_by", "executor", "workers"]
