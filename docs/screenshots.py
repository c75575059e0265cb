"""Make the pictures of the window: `make screenshots`. Measures on the simulated microscope, then shows each state.

    python docs/screenshots.py [FOLDER] [NAME ...]

Pictures go to FOLDER, docs/pictures by default; with names only those are made. Whoever changes the window looks at
all of them: nothing is cut off, overlaps, lacks a label or a unit.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PIL import Image
from PyQt6.QtWidgets import QApplication

from stmlab.acquisition.measurement import measure
from stmlab.acquisition.queue.entries import QueueEntry
from stmlab.gui.application import exceptions_noticed, open_window
from stmlab.gui.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from stmlab.gui.window import Window

LARGE, SMALL = (1600, 1000), (1024, 700)
PATIENCE = 60.0  # s for anything to appear

RUNS = {
    "srs": ("srs", "fe_atom", {}),
    "ramp": ("setpoint_ramp", "coh_afm_tip", {"conductances": "7", "points": "61", "stop_conductance": "300 nS"}),
    "map": ("srs_map", "fe_atom", {"dc_points": "12", "points": "40", "averages": "4"}),
    "trace": ("time_trace", "slow_switch", {"setpoint_current": "250 pA", "interval": "3 ms"}),
    "spectrum": ("didv", "coh_bare", {"backward": "true", "sweeps": "2", "points": "121"}),
    "pulses": ("pump_probe", "fe_five_states", {}),
}
"""Name of the file -> sequence, sample, parameters."""


class Studio:
    """A window of its own for each picture, with settings and runs in a folder that is thrown away.

    Args:
        application: Qt's.
        folder: of the runs.
        pictures: where the pictures go.
    """

    def __init__(self, application: QApplication, folder: Path, pictures: Path) -> None:
        self.application, self.folder, self.pictures = application, folder, pictures

    def measured(self, name: str) -> Path:
        """A run of `RUNS`, measured when it is first asked for."""
        path = Path("runs") / f"{name}.h5"
        path.parent.mkdir(exist_ok=True)
        if not path.exists():
            sequence, sample, settings = RUNS[name]
            measure(sequence, sample=sample, settings=settings, path=path)
        return path

    def take(self, name: str, show: Callable[[Studio, Window], None], size: tuple[int, int], theme: str) -> Path:
        """Make one picture; returns its file."""
        settings = Settings(self.folder / f"{name}.json")
        settings.remember(theme=theme, sequence="srs", folder="runs")
        settings.remember_panel("queue", file=str(self.folder / f"{name}.toml"))
        window = open_window(self.application, settings)
        window.resize(*size)
        self.wait(0.1)
        window.docks.arrange()
        try:
            with exceptions_noticed(window.context):
                self.until(lambda: window.panels["measure"].preflight.plan is not None)
                show(self, window)
            path = self.pictures / f"{name}.png"
            window.grab().save(str(path))
            Image.open(path).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
        finally:
            for name in ("run.abort", "instruments.leave"):
                if window.context.actions[name].isEnabled():
                    window.context.actions.trigger(name)
                    self.wait(3.0)
            window.leave()
        return path

    def wait(self, seconds: float) -> None:
        """Let the window work for a while."""
        self.until(lambda: False, seconds, must=False)

    def until(self, condition: Callable[[], bool], seconds: float = PATIENCE, *, must: bool = True) -> None:
        """Let the window work until something has appeared.

        Raises:
            TimeoutError: it has not, and ``must``.
        """
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                if must:
                    raise TimeoutError("it did not appear in time")
                return
            self.application.processEvents()
            time.sleep(0.01)


def start(studio: Studio, window: Window) -> None:
    """The window as it opens."""


def shown(name: str) -> Callable[[Studio, Window], None]:
    """A measured run in the plots."""

    def show(studio: Studio, window: Window) -> None:
        window.context.panel_wanted.emit("live")
        window.context.run_shown.emit(studio.measured(name))
        studio.until(lambda: "finished" in window.panels["live"].words.text())
        studio.wait(0.5)

    return show


def running(studio: Studio, window: Window) -> None:
    """A spectrum half way, in the queue's process."""
    window.panels["measure"].form.fill({"points": "400", "averages": "8"})
    window.context.entry_added.emit(
        _entry("setpoint_ramp", "coh_afm_tip", {"conductances": "7"}, note="the right atom")
    )
    window.context.entry_added.emit(_entry("time_trace", "slow_switch", {"interval": "3 ms"}, repeat=3))
    studio.wait(0.5)
    window.context.actions.trigger("measure.run")
    live = window.panels["live"]
    studio.until(lambda: "running" in live.words.text())
    data = live.source.data
    studio.until(lambda: np.count_nonzero(np.isfinite(data.cells("current"))) > 250)


def adaptive(studio: Studio, window: Window) -> None:
    """A rate that becomes known, in the queue's process: posterior beside the points, the next point among them."""
    window.panels["measure"].form.fill({"grid": "adaptive", "target_error": "0.5 %"})
    studio.wait(0.5)
    window.context.actions.trigger("measure.run")
    live = window.panels["live"]
    studio.until(lambda: live.posterior.isVisible() and live.source.data.points > 60)
    studio.until(lambda: live.source.data.next_place >= 0 and bool(live.plot.next.place))


def unsafe(studio: Studio, window: Window) -> None:
    """A run whose end left an instrument not safe: the words are those of the runner."""
    shown("srs")(studio, window)
    window.context.run_changed.emit("failed", "NOT SAFE: awg: output 1 could not be switched off: no answer")
    window.context.notices.error(
        "NOT SAFE: awg: output 1 could not be switched off: no answer",
        "switch it off at the instrument, then `stmlab check`",
    )
    studio.wait(0.3)


def catalogue(studio: Studio, window: Window) -> None:
    """All runs of a folder."""
    for name in RUNS:
        studio.measured(name)
    window.context.panel_wanted.emit("catalogue")
    window.context.actions.trigger("data.refresh")
    studio.wait(6.0)  # until there is a picture of each


def fit(studio: Studio, window: Window) -> None:
    """A fit of a spectrum, made in the window."""
    window.context.panel_wanted.emit("fit")
    window.context.fit_wanted.emit(studio.measured("spectrum"))
    studio.wait(3.0)
    window.context.actions.trigger("fit.run")
    studio.wait(6.0)


def grid(studio: Studio, window: Window) -> None:
    """A map of spectra, a place of it chosen."""
    window.context.panel_wanted.emit("map")
    window.context.map_wanted.emit(studio.measured("map"))
    studio.wait(4.0)


def models(studio: Studio, window: Window) -> None:
    """A model with its sliders."""
    window.context.panel_wanted.emit("models")
    studio.wait(5.0)


def instruments(studio: Studio, window: Window) -> None:
    """Live values by a connection of the window's own."""
    window.context.panel_wanted.emit("instruments")
    window.context.actions.trigger("instruments.connect")
    studio.until(lambda: window.context.actions["instruments.leave"].isEnabled())
    studio.wait(2.0)


def _entry(sequence: str, sample: str, settings: dict[str, str], **more: Any) -> QueueEntry:
    return QueueEntry(sequence=sequence, sample=sample, settings=settings, **more)


def refusal(studio: Studio, window: Window) -> None:
    """A value beyond the station's limit, and an attempt to run it."""
    form = window.panels["measure"].form
    form.rows["dc_bias"].field.set_text("0.2 V")
    window.context.actions.trigger("measure.run")
    studio.wait(0.3)


STATES: dict[str, tuple[Callable[[Studio, Window], None], tuple[int, int], str]] = {
    "start": (start, LARGE, "light"),
    "srs": (shown("srs"), LARGE, "light"),
    "ramp": (shown("ramp"), LARGE, "light"),
    "map": (shown("map"), LARGE, "light"),
    "trace": (shown("trace"), LARGE, "light"),
    "running": (running, LARGE, "light"),
    "adaptive": (adaptive, LARGE, "light"),
    "unsafe": (unsafe, LARGE, "light"),
    "catalogue": (catalogue, LARGE, "light"),
    "fit": (fit, LARGE, "light"),
    "grid": (grid, LARGE, "light"),
    "models": (models, LARGE, "light"),
    "instruments": (instruments, LARGE, "light"),
    "refusal": (refusal, LARGE, "light"),
    "dark": (shown("spectrum"), LARGE, "dark"),
    "small": (shown("pulses"), SMALL, "light"),
}


def main(arguments: list[str]) -> int:
    """Make the pictures that are asked for; returns the exit status."""
    pictures = Path(arguments[0]) if arguments else Path(__file__).parent / "pictures"
    pictures.mkdir(parents=True, exist_ok=True)
    pictures = pictures.resolve()
    application = QApplication(sys.argv[:1])
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):  # so that pictures show "runs"
        studio = Studio(application, Path(folder), pictures)
        for name in arguments[1:] or STATES:
            print(f"wrote {studio.take(name, *STATES[name])}", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
