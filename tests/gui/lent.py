"""Work processes that serve one window after the other: those of its own would import everything anew for each test."""

from stmlab.gui.work import Task


class Lent:
    """Workers as one window has them; at its end they forget what it has asked for, and live on."""

    def __init__(self, workers):
        self._workers = workers
        self._tasks = []
        self._closed = False

    def submit(self, *args, **how):
        """As `Workers.submit`; of a window that is closed nothing is done."""
        if self._closed:
            return Task(args, None, long=False)
        task = self._workers.submit(*args, **how)
        self._tasks.append(task)
        return task

    def close(self):
        """What is still to come is heard by nobody; what can be asked to stop is."""
        self._closed = True
        for task in self._tasks:
            task.blockSignals(True)
            if task.work.reports:
                task.stop()
