"""What another process does with files; it says on its standard output what came of it."""

import json
import random
import resource
import signal

import numpy as np

from stmlab.axes import Axis, Channel
from stmlab.errors import FileError
from stmlab.events import PointTaken, RunFinished, RunStarted, RunState
from stmlab.results import FitResult
from stmlab.storage import Writer, append_fit, open_run, recover


def overwrite(path):
    try:
        Writer(path, overwrite=True)(RunStarted("a", "b", "c", {}, (), (), 1.0, "s", ""))
    except FileError as error:
        print(error)


def add_fit(path):
    try:
        append_fit(path, FitResult("m", (), (), np.eye(0), 0, 0.0))
    except FileError as error:
        print(error)


def read_cut(path, cut):
    """Read ``path`` cut to many lengths, each as the file ``cut``; JSON of what came of each."""

    def said(image):
        cut.write_bytes(image)
        try:
            return open_run(cut).points
        except FileError as error:
            return str(error)

    image = path.read_bytes()
    lengths = sorted({*range(60), 500, 3000, *range(0, len(image), 1999), len(image) - 1})
    print(json.dumps([said(image[:length]) for length in lengths]))


def copy_changed(path, changed, copy, times):
    """Recover ``path`` with a bit changed, ``times`` other bits; JSON of what came of each."""
    image = path.read_bytes()
    places = random.Random(4)
    said = []
    for _ in range(times):
        damaged = bytearray(image)
        damaged[places.randrange(len(image))] ^= 1 << places.randrange(8)
        changed.write_bytes(damaged)
        try:
            recover(changed, copy)
            said.append(["copied", open_run(copy).data["x"].tolist()])
            copy.unlink()
        except FileError as error:
            said.append(["refused", str(error)])
        assert changed.read_bytes() == damaged
        assert [item.name for item in copy.parent.iterdir()] == []
    print(json.dumps(said))


def run_on_a_full_disk(path, size, sweep, seconds):
    """Measure until a file of ``size`` bytes is all that the disk takes; what was acknowledged, and the complaint."""
    _take_files_of(size)
    axes = [Axis("a", "V", np.arange(1e5))]
    if sweep:
        axes.append(Axis("b", "V", np.arange(float(sweep)), hardware=True))
    writer = Writer(path)
    try:
        writer(RunStarted("id", "s", "d", {}, tuple(axes), (Channel("y", "A", ""),), seconds, "st", ""))
        for k in range(100_000):
            writer(PointTaken(k, float(k), (float(k),), (np.full(sweep, float(k)) if sweep else float(k),)))
        writer(RunFinished(RunState.FINISHED, "completed", "", 100_000, 1.0))
    except FileError as error:
        print(writer.committed)
        print(error)


def copy_to_a_full_disk(path, copy, size):
    _take_files_of(size)
    try:
        recover(path, copy)
    except FileError as error:
        print(error)


def _take_files_of(size):
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
