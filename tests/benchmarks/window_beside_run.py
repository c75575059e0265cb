"""What a window costs the run that it shows: processor time of the process of a run at some 100 points a second.

The instruments are served on the loopback by `stmlab simulate`, the run is the process `stmlab queue`; it is taken with
a whole window open that follows it, and without, by turns.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
from stmlab.storage import open_run
from tests.benchmarks.side_by_side import Row, report
from tests.campaigns.deaths import Death, Laboratory

POINTS = 1500
TURNS = 3
ENTRY = f"""[[entry]]
sequence = "didv"
station = "{{station}}"
settings = {{{{ points = "{POINTS}", time_constant = "1 ms", modulation_frequency = "8 kHz", filter_slope = "12",
  settling_residual = "0.01", stabilise_time = "0.2 s" }}}}
"""
WINDOW = """
import sys
from pathlib import Path
from PyQt6.QtWidgets import QApplication
from stmlab.gui.application import open_window
from stmlab.gui.settings import Settings
application = QApplication([])
settings = Settings(Path(sys.argv[1]).with_name("window.json"))
settings.remember_panel("queue", file=sys.argv[1])
window = open_window(application, settings)
window.context.run_shown.connect(lambda _: print("shown", flush=True))
print("open", flush=True)
application.exec()
"""


def seconds(folder: Path, *, window: bool) -> tuple[float, float]:
    """Processor time a point of the process of the run, s, and points a second."""
    with Laboratory(folder / "lab", Death("killed", "didv", own_port=False, on_fault="withdraw"), 1) as lab:
        queue = folder / "queue.toml"
        queue.write_text(ENTRY.format(station=lab.station), encoding="utf-8")
        environment = os.environ | {"QT_QPA_PLATFORM": "offscreen", "XDG_STATE_HOME": str(folder / "lab" / "state")}
        environment["XDG_RUNTIME_DIR"] = str(folder)
        opened = None
        if window:
            command = [sys.executable, "-c", WINDOW, str(queue)]
            opened = subprocess.Popen(
                command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            )
            assert opened.stdout is not None
            opened.stdout.readline()
        command = [sys.executable, "-m", "stmlab", "queue", str(queue), "--json"]
        run = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
        assert run.stdout is not None
        run.stdout.read()
        _, status, used = os.wait4(run.pid, 0)
        run.returncode = os.waitstatus_to_exitcode(status)
        if opened is not None:
            opened.kill()
            seen = opened.communicate()[0]
            assert "shown" in seen, "the window did not follow"
        (file,) = folder.glob("*.h5")
        taken = open_run(file)
        assert run.returncode == 0, run.returncode
        assert taken.points == POINTS
        return (used.ru_utime + used.ru_stime) / POINTS, POINTS / float(taken.time[-1] - taken.time[0])


def main() -> int:
    """By turns; returns an exit status."""
    with_window, without, paces = [], [], []
    for turn in range(TURNS):
        for window, into in ((False, without), (True, with_window)):
            with tempfile.TemporaryDirectory(prefix="stmlab-beside-") as folder:
                used, pace = seconds(Path(folder), window=window)
            into.append(used)
            paces.append(pace)
        print(json.dumps({"turn": turn, "without": without[-1], "with": with_window[-1]}), flush=True)
    note = f"{min(paces):.0f} to {max(paces):.0f} points a second"
    spread = (max(without) - min(without)) / min(without)
    row = Row(
        "a point of a run whose window is open",
        1e3 * min(with_window),
        1e3 * min(without),
        "no window",
        target=1 / 1.1,
        unit="ms",
        spread=spread,
        note=note,
    )
    return report([row])


if __name__ == "__main__":
    sys.exit(main())
