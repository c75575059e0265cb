"""Puts small faults into stmlab, one at a time, and says which of them no test notices.

    python -m tests.mutation.mutate stmlab/analysis stmlab/physics/pulses.py --each 3 --seed 1

Each file gets ``--each`` faults, chosen by the seed. In a copy of the tree, the tests that belong to the file run with
the fault: first those that carry its name, then those of its room. Faults that cannot matter stand in ``argued.toml``
with the reason. Not part of CI; takes minutes for each room. Exit status 0 if ``--least`` of them were noticed.
"""

from __future__ import annotations

import argparse
import importlib
import multiprocessing
import os
import re
import resource
import shutil
import sys
import tempfile
import time
import tomllib
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.mutation.faults import Fault, chosen

ROOT = Path(__file__).parents[2]
ARGUED = Path(__file__).with_name("argued.toml")
TREE = (
    "stmlab",
    "drivers",
    "sequences",
    "config",
    "docs",
    "tests",
    "mkdocs.yml",
    "pyproject.toml",
    "README.md",
    "Makefile",
)
# What takes long to import; pytest's own plugins must not be among it, or their asserts stay unexplained.
PRELOADED = (
    "numpy",
    "scipy.optimize",
    "scipy.linalg",
    "scipy.special",
    "h5py",
    "hypothesis",
    "lmfit",
    "matplotlib.figure",
    "pymeasure.instruments",
    "pytest",
)
SURROUNDINGS = {
    "CI": "true",  # the same examples for every fault
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "QT_QPA_PLATFORM": "offscreen",
}
ROOMS = {  # where the tests of a room stand, if not under its own name
    "drivers": ["tests/drivers"],
    "sequences": ["tests/sequences"],
    "stmlab/config_files.py": ["tests/station", "tests/cli"],
    "stmlab": ["tests/ground", "tests/storage", "tests/acquisition", "tests/analysis"],
}
NAMED = {  # files whose tests carry another name, or of which some are quick; of tests/
    "drivers/nanonis_safe_tip.py": ["drivers/test_nanonis.py"],
    "sequences/chopped.py": ["sequences/test_srs.py", "sequences/test_transfer.py"],
    "sequences/tip.py": ["sequences/test_didv.py", "sequences/test_time_trace.py"],
    "stmlab/acquisition/preflight.py": ["acquisition/test_runner.py", "acquisition/test_planning.py"],
    "stmlab/acquisition/points.py": ["acquisition/test_runner.py", "acquisition/test_watched_points.py"],
    "stmlab/analysis/adaptive/placements.py": ["analysis/adaptive/test_step_choice.py"],
    "stmlab/analysis/adaptive/step_posterior.py": ["analysis/adaptive/test_step_choice.py"],
    "stmlab/analysis/fitting.py": ["analysis/test_lorentzian.py", "analysis/test_recordings.py"],
    "stmlab/analysis/grid_task.py": ["analysis/test_grids.py"],
    "stmlab/analysis/models.py": [
        "analysis/test_lorentzian.py",
        "analysis/test_settings.py",
        "sequences/test_pump_probe.py",
        "sequences/test_transfer.py",
    ],
    "stmlab/analysis/telegraph/search.py": ["analysis/test_telegraph.py", "analysis/test_iterations.py"],
    "stmlab/analysis/ramp.py": ["analysis/test_correlation.py"],
    "stmlab/analysis/residuals.py": ["analysis/test_lorentzian.py", "analysis/test_decay.py"],
    "stmlab/analysis/resonance_line.py": ["analysis/test_lorentzian.py"],
    "stmlab/analysis/steps/normal_equations.py": ["analysis/test_step_placements.py", "analysis/test_steps.py"],
    "stmlab/analysis/steps/shapes.py": ["analysis/test_step_shapes.py", "analysis/test_steps.py"],
    "stmlab/analysis/spin_levels.py": ["analysis/test_exchange.py"],
    "stmlab/analysis/srs_map.py": ["analysis/test_lorentzian.py", "sequences/test_srs_map.py"],
    "stmlab/analysis/transfer_function.py": ["analysis/test_transfer_function.py", "analysis/test_curves.py"],
    "stmlab/axes.py": ["storage/test_reader.py", "acquisition/test_runner.py"],
    "stmlab/cli/common.py": ["cli/test_cli.py"],
    "stmlab/cli/lists.py": ["cli/test_cli.py"],
    "stmlab/cli/safety.py": ["cli/test_safety.py", "station/test_safe_now.py"],
    "stmlab/cli/study.py": ["studies/test_study.py"],
    "stmlab/display/figures/fits.py": ["display/figures/test_fits.py", "display/figures/test_steps.py"],
    "stmlab/display/figures/fitted.py": ["display/figures/test_fits.py"],
    "stmlab/display/figures/ramp.py": ["display/figures/test_fits.py"],
    "stmlab/display/figures/series.py": ["display/figures/test_fits.py"],
    "stmlab/display/figures/srs_map.py": ["display/figures/test_fits.py"],
    "stmlab/display/figures/telegraph.py": ["display/figures/test_fits.py"],
    "stmlab/display/figures/thumbnail.py": ["display/figures/test_thumbnail.py"],
    "stmlab/display/runs.py": ["cli/test_cli.py"],
    "stmlab/display/terminal.py": ["cli/test_cli.py"],
    "stmlab/gui/application.py": ["gui/test_application.py"],
    "stmlab/gui/data/curve_plot.py": ["gui/data/test_overlay.py", "gui/data/test_fit_panel.py"],
    "stmlab/gui/data/exporting.py": ["gui/data/test_catalogue.py", "gui/data/test_map_panel.py"],
    "stmlab/gui/data/fit_task.py": ["gui/data/test_fit_panel.py"],
    "stmlab/gui/data/map_image.py": ["gui/data/test_map_panel.py"],
    "stmlab/gui/data/pictures.py": ["gui/data/test_catalogue.py"],
    "stmlab/gui/data/tasks.py": ["gui/data/test_catalogue.py", "gui/data/test_map_panel.py"],
    "stmlab/gui/instruments/connection.py": ["gui/instruments/test_instruments.py"],
    "stmlab/gui/instruments/piped.py": ["gui/instruments/test_instruments.py", "gui/instruments/test_safe_button.py"],
    "stmlab/gui/live/area.py": ["gui/live/test_panel.py", "gui/live/test_sweep_plot.py"],
    "stmlab/gui/live/keeping.py": ["gui/live/test_run_data.py"],
    "stmlab/gui/queue/desk.py": ["gui/queue/test_panels.py", "gui/queue/test_processes.py"],
    "stmlab/gui/queue/link.py": ["gui/queue/test_processes.py"],
    "stmlab/gui/queue/process.py": ["gui/queue/test_processes.py"],
    "stmlab/gui/queue/run_panel.py": ["gui/queue/test_panels.py", "gui/queue/test_processes.py"],
    "stmlab/gui/work_process.py": ["gui/test_work.py"],
    "stmlab/nanonis/frames.py": ["nanonis/test_protocol.py"],
    "stmlab/papers/table.py": ["papers/test_survey.py", "cli/test_cli.py"],
    "stmlab/results.py": ["analysis/test_lorentzian.py", "storage/test_reader.py"],
    "stmlab/simulation/faulty_wire.py": ["simulation/test_faults.py"],
    "stmlab/simulation/scpi_commands.py": ["simulation/test_scpi.py"],
    "stmlab/simulation/virtual_lockin.py": ["simulation/test_sr860.py", "simulation/test_sr830.py"],
    "stmlab/simulation/scpi_values.py": ["simulation/test_scpi.py", "simulation/test_m8195a.py"],
    "stmlab/station/guards/guard.py": ["station/guards/test_allow_list.py", "station/test_watch.py"],
    "stmlab/station/guards/lockin.py": [
        "station/guards/test_lockin.py",
        "station/guards/test_allow_list.py",
        "station/guards/test_tip.py",
    ],
    "stmlab/station/guards/tip.py": ["station/guards/test_tip.py", "station/guards/test_bias.py"],
    "stmlab/station/instruments/passive.py": ["sequences/test_didv.py", "drivers/test_bias_tee.py"],
    "stmlab/station/limits.py": ["station/test_limits.py", "station/guards/test_bias.py"],
    "stmlab/station/outputs.py": [
        "station/test_outputs.py",
        "station/guards/test_bias.py",
        "station/guards/test_allow_list.py",
    ],
    "stmlab/station/ownership.py": ["station/test_heartbeat.py"],
    "stmlab/station/safe_report.py": ["station/test_safe_steps.py", "station/test_states.py"],
    "stmlab/station/safe_state.py": ["station/test_safe_steps.py", "station/test_safe_state.py"],
    "stmlab/station/shared.py": ["station/test_heartbeat.py"],
    "stmlab/station/states.py": ["station/test_states.py", "station/test_safe_state.py", "station/test_approach.py"],
    "stmlab/station/tip_mark.py": ["station/test_tip_mark.py", "station/test_approach.py"],
    "stmlab/station/watchers.py": ["station/test_watch.py", "acquisition/test_runner.py"],
    "stmlab/storage/cells.py": ["storage/test_shape.py", "storage/test_visits.py", "storage/test_writer.py"],
    "stmlab/storage/columns.py": ["storage/test_writer.py", "storage/test_reader.py"],
    "stmlab/storage/fit_drawing.py": ["storage/test_plot.py"],
    "stmlab/storage/fit_tables.py": ["storage/test_writer.py", "storage/test_reader.py"],
    "stmlab/storage/fixed.py": ["storage/test_damaged.py", "storage/test_reader.py"],
    "stmlab/storage/fits.py": ["storage/test_reader.py", "storage/test_kill.py"],
    "stmlab/storage/format_2.py": ["storage/test_visits.py"],
    "stmlab/storage/hdf5.py": ["storage/test_reader.py", "storage/test_writer.py"],
    "stmlab/storage/history.py": ["storage/test_reader.py"],
    "stmlab/storage/importers/createc_vert.py": ["storage/test_recorded.py"],
    "stmlab/storage/importers/nanonis_dat.py": ["storage/test_recorded.py"],
    "stmlab/storage/importers/text.py": ["storage/test_recorded.py", "storage/importers/test_formats.py"],
    "stmlab/storage/instrument.py": ["storage/test_plot.py", "storage/test_tree.py"],
    "stmlab/storage/layout.py": ["storage/test_tree.py", "storage/test_writer.py", "storage/test_reader.py"],
    "stmlab/storage/read_visits.py": ["storage/test_visits.py", "storage/test_reader.py"],
    "stmlab/storage/records.py": ["storage/test_visits.py", "storage/test_shape.py"],
    "stmlab/storage/superblock.py": ["storage/test_damaged.py"],
    "stmlab/storage/values.py": ["storage/test_objects.py", "storage/test_reader.py"],
}


@dataclass(frozen=True)
class Verdict:
    """What became of a fault: ``noticed`` says by what, "" if by nothing."""

    path: str
    fault: Fault
    noticed: str
    seconds: float

    def __str__(self) -> str:
        where = f"{self.path}:{self.fault.line} {self.fault.kind}"
        by = self.noticed or "NOT NOTICED"
        before, after = (" ".join(text.split()) for text in (self.fault.before, self.fault.after))
        return f"{where} | {before} | {after} | {by} ({self.seconds:.0f} s)"


def tests_of(path: str, root: Path = ROOT) -> list[list[str]]:
    """Test files for a source file, in the order in which they are tried: those of its name, then all of its room."""
    parts = Path(path).with_suffix("").parts
    room = ROOMS.get(path) or ROOMS.get(parts[0] if parts[0] != "stmlab" or len(parts) == 2 else "")
    room = room or [f"tests/{parts[1]}"]
    there = sorted(file for folder in room for file in _test_files(root, folder))
    words = [f"test_{word}" for word in reversed(parts)]
    named = [f"tests/{name}" for name in NAMED.get(path, [])] or [f for w in words for f in there if Path(f).stem == w]
    return [tests for tests in (named, [f for f in there if f not in named]) if tests]


def argued() -> set[tuple[str, str, str, str]]:
    """Faults that cannot matter: path, line, old and new text."""
    rows = tomllib.loads(ARGUED.read_text(encoding="utf-8"))["argued"]
    return {(row["path"], row["line"], row["before"], row["after"]) for row in rows}


def described(path: str, source: str, fault: Fault) -> tuple[str, str, str, str]:
    """A fault as ``argued.toml`` has it."""
    line = source.splitlines()[fault.line - 1].strip()
    return path, line, " ".join(fault.before.split()), " ".join(fault.after.split())


def _run_tests(tests: list[str], tree: Path, log: Path, cpu_seconds: int) -> None:
    """In a process of its own, which the kernel ends when the fault makes the tests run for ever."""
    sys.dont_write_bytecode = True  # two faults within a second would share the file of the first
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 5))
    os.chdir(tree)
    sys.path.insert(0, str(tree))
    with log.open("w") as file, redirect_stdout(file), redirect_stderr(file):
        for stream in (1, 2):  # of what the tests start
            os.dup2(file.fileno(), stream)
        quick = ["-x", "-rfE", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning"]  # PRELOADED
        status = importlib.import_module("pytest").main([*quick, *tests])
        file.flush()
        os._exit(int(status))


class Bench:
    """A copy of the tree in which tests are run with and without faults."""

    def __init__(self, tree: Path, cpu_seconds: int, named_only: bool) -> None:
        for name in TREE:
            there = ROOT / name
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(there, tree / name, ignore=ignored) if there.is_dir() else shutil.copy(there, tree / name)
        self.tree, self.cpu_seconds, self.named_only = tree, cpu_seconds, named_only
        self._passed: set[str] = set()

    def failure(self, tests: list[str]) -> str:
        """The first test that fails, "" if all pass."""
        log = self.tree / "log.txt"
        child = multiprocessing.get_context("fork").Process(
            target=_run_tests, args=(tests, self.tree, log, self.cpu_seconds)
        )
        child.start()
        child.join(20 * self.cpu_seconds)  # a test that waits for ever uses no time of the processor
        if child.exitcode is None:
            child.kill()
            child.join()
            return "no end"
        if child.exitcode < 0:
            return "no end"
        found = re.search(r"^(?:FAILED|ERROR) (\S+)", log.read_text(errors="replace"), re.MULTILINE)
        return "" if child.exitcode == 0 else found[1] if found else f"exit status {child.exitcode}"

    def green(self, test: str) -> None:
        """Make sure that the test which failed passes without a fault.

        Raises:
            RuntimeError: it does not.
        """
        function = test.partition("[")[0]
        if function not in self._passed and (failure := self.failure([function])):
            raise RuntimeError(f"{function} fails without a fault: {failure}")
        self._passed.add(function)

    def verdict(self, path: str, fault: Fault) -> Verdict:
        """Whether the tests of the file notice the fault."""
        file, start, noticed = self.tree / path, time.perf_counter(), ""
        source = file.read_text(encoding="utf-8")
        for tests in tests_of(path, self.tree)[: 1 if self.named_only else None]:
            file.write_text(fault.put_into(source), encoding="utf-8")
            try:
                noticed = self.failure(tests)
            finally:
                file.write_text(source, encoding="utf-8")
            if noticed.startswith("tests/"):
                self.green(noticed)
            if noticed:
                break
        return Verdict(path, fault, noticed, time.perf_counter() - start)


@cache
def _test_files(root: Path, folder: str) -> list[str]:
    """Of a room, in all its folders."""
    return [str(file.relative_to(root)) for file in (root / folder).rglob("test_*.py")]


def sources(paths: list[str]) -> list[str]:
    """Python files of the folders and files that were named."""
    found = [
        f for path in paths for f in ([ROOT / path] if path.endswith(".py") else sorted((ROOT / path).rglob("*.py")))
    ]
    return [str(f.relative_to(ROOT)) for f in found if f.stat().st_size > 200]


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("paths", nargs="+", help="files and folders of the tree")
    parser.add_argument("--each", type=int, default=3, help="faults a file")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--least", type=float, default=0.9, help="share that has to be noticed")
    parser.add_argument("--cpu-seconds", type=int, default=120, help="after which a fault counts as noticed: no end")
    parser.add_argument("--named", action="store_true", help="only tests that carry the name of the file")
    told = parser.parse_args()
    os.environ |= SURROUNDINGS
    for name in PRELOADED:
        importlib.import_module(name)
    known, verdicts, unjudged = argued(), [], 0
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder).resolve(), told.cpu_seconds, told.named)
        os.environ["PYTHONPATH"] = str(bench.tree)
        for path in sources(told.paths):
            source = (bench.tree / path).read_text(encoding="utf-8")
            made = chosen(source, told.each, f"{told.seed} {path}")
            for fault in (each for each in made if described(path, source, each) not in known):
                try:
                    verdicts.append(bench.verdict(path, fault))
                except RuntimeError as error:
                    unjudged += 1
                    print(f"{path}:{fault.line}: NOT JUDGED: {error}", flush=True)
                else:
                    print(verdicts[-1], flush=True)
    noticed = sum(bool(verdict.noticed) for verdict in verdicts)
    print(f"{noticed} of {len(verdicts)} faults noticed" + (f", {unjudged} not judged" if unjudged else ""))
    return 0 if noticed >= told.least * len(verdicts) and not unjudged else 1


if __name__ == "__main__":
    raise SystemExit(main())
