"""The death of a run in a laboratory of its own: `stmlab simulate` on the loopback, `stmlab run`, and a judge.

The judge asks the microscope itself, through its control port, what the junction and the outputs really are; it
believes neither the run nor its guardian.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Self
from unittest import mock

from stmlab.clock import SimulatedClock
from stmlab.config_files import config_directories, find
from stmlab.simulation.control import Control
from stmlab.simulation.faults import Fault
from stmlab.simulation.serving import PORTS, served
from stmlab.station.assembly import simulated_microscope
from stmlab.station.configuration import read_station
from stmlab.station.heartbeat import AFTERWARDS, ALLOWANCE, GRACE
from tests.forked import Program
from tests.station import programs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

KINDS = (
    "killed",
    "stopped",  # SIGSTOP for ever
    "stopped, continued",  # SIGCONT after the safe state
    "guardian killed",  # and then the run
    "guardian frozen",  # and then the run
    "mute",  # one instrument does not answer any more
    "handed over",  # the run ends by itself, and one instrument does not answer
    "file gone",  # the station file and what it names, moved or deleted
    "edited",  # the station file leads elsewhere
    "called",  # frozen, and a person calls for the safe state at once
)
SEQUENCES = {
    "srs": ("points=2000", "time_constant=0.01", "stabilise_time=0.3", "setpoint_current=1e-9", "amplitude=1 mV"),
    "didv": ("points=2000", "time_constant=0.01", "stabilise_time=0.3", "setpoint_current=1e-9"),
}
MUTABLE = {"lockin": "sr860", "awg": "m8195a", "controller": "nanonis"}  # name in the station -> plug
OFF_WITHIN = 2.0  # s after the death, for RF and modulation
CALLED_OFF_WITHIN = 1.0  # s after a person's call
REST_WITHIN = 2.0  # s beyond the slew time, for bias and tip
SLEW, SAFE_BIAS = 0.5, 10e-3  # V/s and V: of the station "simulated"
TIMEOUT = {"srs": 10.0, "didv": 2.0}  # s, the longest of an instrument that is talked to at each point
_START, _END = 90.0, 60.0  # s, on a busy computer
_LOOK = 0.02  # s between two looks of the judge


@dataclass(frozen=True)
class Death:
    """One way to die.

    Attributes:
        kind: one of KINDS.
        sequence: what is measured: with a microwave (srs) or with modulation (didv).
        own_port: the guardian has a port of the controller for itself.
        on_fault: as in the station file.
        mute: name of the instrument that does not answer any more, "" for none.
        after: s of measuring before.
    """

    kind: str
    sequence: str
    own_port: bool
    on_fault: str
    mute: str = ""
    after: float = 0.5

    def __str__(self) -> str:
        port = "own port" if self.own_port else "one port"
        return f"{self.kind}{' ' + self.mute if self.mute else ''}, {self.sequence}, {port}, {self.on_fault}"


@dataclass
class Verdict:
    """What happened.

    Attributes:
        death: which.
        off: s from the death until RF and modulation were off for good.
        rest: s from the death until bias and tip were safe for good.
        allowed: s for ``rest``.
        violations: what must not be, one line each.
        late: what was not in time, one line each; on a computer that does much else nobody's fault.
    """

    death: Death
    off: float = 0.0
    rest: float = 0.0
    allowed: float = 0.0
    violations: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)


class Laboratory:
    """Simulated instruments on sockets, a station file that leads there, and a folder for what programs keep.

    A context manager: leaving it ends every process that was started here, and the guardians of the runs.

    Args:
        folder: of its own.
        death: for which the station file is written.
        seed: of the microscope.
        here: whether this process serves the instruments, instead of one of their own, and runs are forked: for one
            laboratory at a time.
    """

    def __init__(self, folder: Path, death: Death, seed: int, *, here: bool = False) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.station = folder, folder / "lab.toml"
        self._environment = os.environ | {"XDG_STATE_HOME": str(folder / "state"), "OPENBLAS_NUM_THREADS": "1"}
        self._runs: list[subprocess.Popen[bytes] | Program] = []
        self._here, self._open = here, ExitStack()
        self.addresses = self._open.enter_context(served_here(seed) if here else self._simulating(seed))
        self._write_station(death)
        self.control = self._open.enter_context(self.connect())

    def run(self, sequence: str) -> subprocess.Popen[bytes] | Program:
        """Start to measure."""
        settings = [word for setting in SEQUENCES[sequence] for word in ("--set", setting)]
        command = ("run", sequence, "-s", str(self.station), "-o", str(self.folder / "run.h5"), *settings)
        if self._here:
            with mock.patch.dict(os.environ, self._environment):
                run = self._open.enter_context(Program(programs.stmlab, command, self.folder / "said.txt"))
            self._runs.append(run)
            return run
        with (self.folder / "said.txt").open("wb") as said:
            self._runs.append(self._start(*command, stdout=said, stderr=said))
        return self._runs[-1]

    @contextmanager
    def button(self) -> Iterator[Callable[[], None]]:
        """A person's call for the safe state, ready to be made; it returns when it has been answered."""
        with self._standing_by() as process:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdout.readline()

            def press() -> None:
                print("now", file=process.stdin, flush=True)
                process.stdout.readline()

            yield press
            process.stdin.close()

    def _standing_by(self) -> subprocess.Popen[str] | Program:
        if self._here:
            with mock.patch.dict(os.environ, self._environment):
                return Program(programs.stand_by, self.station)
        command = [sys.executable, "-m", "stmlab.station.safe_now", str(self.station)]
        options = {"cwd": self.folder, "env": self._environment, "text": True}
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **options)

    def connect(self) -> Control:
        """Another client of the control port; each serves one thread."""
        return Control(int(self.addresses["control"].split("::")[2]), timeout=30.0)

    def until(self, true: Callable[[], bool]) -> None:
        """Wait until something is so.

        Raises:
            TimeoutError: it never was.
        """
        if not within(_START, true):
            raise TimeoutError(f"{self.said()}\n{self.log()}")

    def log(self) -> str:
        """What the guardians have written."""
        return "".join(path.read_text() for path in (self.folder / "state").rglob("*.guardian.log"))

    def guardian_of(self, run: int) -> int:
        """The process that watches ``run`` now."""
        return int(re.findall(rf"(\d+) watching process {run}\b", self.log())[-1])

    def said(self) -> str:
        """On the terminal of the run."""
        return (self.folder / "said.txt").read_text()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        guardians = map(int, re.findall(r"(\d+) watching process", self.log()))
        for process in (*(run.pid for run in self._runs if run.poll() is None), *guardians):
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        for run in self._runs:
            run.wait()
        self._open.close()

    @contextmanager
    def _simulating(self, seed: int) -> Iterator[dict[str, str]]:
        """The addresses of `stmlab simulate`, a process."""
        command = ("simulate", "--free-ports", "--json", "--seed", str(seed))
        with self._start(*command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())
            process.terminate()

    def _start(self, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "stmlab", *arguments]
        return subprocess.Popen(command, cwd=self.folder, env=self._environment, stdin=subprocess.DEVNULL, **options)

    def _write_station(self, death: Death) -> None:
        text = find("simulated").read_text(encoding="utf-8")
        text = text[: text.index("[simulation]")]
        for plug in MUTABLE.values():
            own = plug == "nanonis" and death.own_port
            address = f'"{self.addresses[plug]}"'
            more = f'\nguardian_address = "{self.addresses["nanonis 2"]}"' if own else ""
            text = text.replace(f'"simulation:{plug}"', address + more)
        text = re.sub(r"^on_fault = .*\n", "", text, flags=re.MULTILINE)
        text = text.replace("[safe]", f'[safe]\non_fault = "{death.on_fault}"')
        self.station.write_text(text, encoding="utf-8")
        transfer = next(d / "transfer" for d in config_directories() if (d / "transfer").is_dir())
        shutil.copytree(transfer, self.folder / "transfer", dirs_exist_ok=True)


@contextmanager
def served_here(seed: int) -> Iterator[dict[str, str]]:
    """What `stmlab simulate` serves, by threads of this process: the addresses."""
    path = find("simulated")
    microscope = simulated_microscope(read_station(path)[0], path, sample=None, seed=seed, clock=SimulatedClock(1.0))
    assert microscope is not None
    with served(microscope, dict.fromkeys(PORTS, 0)) as ports:
        yield {name: f"TCPIP::127.0.0.1::{port}::SOCKET" for name, port in ports.items()}


class Judge:
    """Looks at the true state over and over; remembers when it was last not as it should be."""

    def __init__(self, control: Control, on_fault: str) -> None:
        self._control, self._on_fault = control, on_fault
        self._ended = threading.Event()
        self.state: dict[str, Any] = control.state()
        self.last_on = self.last_unsafe = monotonic()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    @property
    def measuring(self) -> bool:
        """Whether there is a microwave or a modulation at the junction, and the loop is open."""
        return not self._off(self.state) and not self.state["loop_closed"]

    @property
    def off(self) -> bool:
        """Whether RF and modulation are off."""
        return self._off(self.state)

    @property
    def safe(self) -> bool:
        """Whether bias and tip are where they should be."""
        return self._rests(self.state)

    def accepts(self, state: dict[str, Any]) -> bool:
        """Whether all is safe in ``state``."""
        return self._off(state) and self._rests(state)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._control.close()

    def _look(self) -> None:
        while not self._ended.wait(_LOOK):
            asked = monotonic()
            self.state = self._control.state()
            if not self._off(self.state):
                self.last_on = asked
            if not self._rests(self.state):
                self.last_unsafe = asked

    @staticmethod
    def _off(state: dict[str, Any]) -> bool:
        return not state["rf_on"] and state["modulation"] == 0.0

    def _rests(self, state: dict[str, Any]) -> bool:
        away = state["withdrawn"] and not state["loop_closed"]
        held = self._on_fault == "safe" and state["loop_closed"]
        return bool(abs(state["bias"] - SAFE_BIAS) < 1e-6 and (away or held))


def die(death: Death, folder: Path, seed: int = 1, *, here: bool = False) -> Verdict:
    """Let a run die in a laboratory of its own, served ``here`` or by a process, and judge what comes of it."""
    verdict = Verdict(death)
    with Laboratory(folder, death, seed, here=here) as lab, Judge(lab.connect(), death.on_fault) as judge:
        run = lab.run(death.sequence)
        lab.until(lambda: judge.measuring or run.poll() is not None)
        if run.poll() is not None:
            verdict.violations.append(f"the run did not begin: {lab.said()}")
            return verdict
        sleep(death.after)
        called = death.kind == "called"
        with _prepared(death, lab, run.pid), lab.button() if called else nullcontext() as press:
            bias = judge.state["bias"]
            died = _call(run, press) if press is not None else _end(death, run, verdict)
            _judge(death, lab, judge, run, verdict, died, bias)
    return verdict


@contextmanager
def _prepared(death: Death, lab: Laboratory, run: int) -> Iterator[None]:
    """Everything that goes wrong before the run does."""
    armed = False
    if death.kind == "guardian killed":
        os.kill(lab.guardian_of(run), signal.SIGKILL)
        sleep(0.3)
    elif death.kind == "guardian frozen":
        frozen = lab.guardian_of(run)
        os.kill(frozen, signal.SIGSTOP)
        lab.until(lambda: lab.guardian_of(run) != frozen)
    elif death.kind == "file gone":
        lab.station.rename(lab.folder / "moved.toml")
        shutil.rmtree(lab.folder / "transfer")
    elif death.kind == "edited":
        lab.station.write_text(lab.station.read_text().replace("127.0.0.1", "127.0.0.2"))
    elif death.mute:
        armed = True
        lab.control.arm(Fault(kind="mute", instrument=MUTABLE[death.mute], times=0))
    try:
        yield
    finally:
        if armed:
            lab.control.disarm()


def _call(run: subprocess.Popen[bytes] | Program, press: Callable[[], None]) -> float:
    """Freeze the run and call for the safe state; returns when."""
    run.send_signal(signal.SIGSTOP)
    called = monotonic()
    press()
    return called


def _end(death: Death, run: subprocess.Popen[bytes] | Program, verdict: Verdict) -> float:
    """End or freeze the run; returns when it was gone (a frozen one: when its guardian should have ended it)."""
    if death.kind == "handed over":
        run.terminate()
        if run.wait(_END) == 0:
            verdict.violations.append("a run that left its station unsafe ended with status 0")
        return monotonic()
    if not death.kind.startswith("stopped"):
        run.kill()
        return monotonic()
    run.send_signal(signal.SIGSTOP)
    stopped = monotonic()
    try:
        run.wait(_END)
    except subprocess.TimeoutExpired:
        verdict.violations.append("the frozen run was not ended")
    if run.returncode != -signal.SIGKILL:
        verdict.violations.append(f"the frozen run ended with status {run.returncode}")
    longest = max(TIMEOUT[death.sequence] + AFTERWARDS, ALLOWANCE + 1.0) + GRACE  # 1 s: the point's own time
    if (took := monotonic() - stopped) > longest + 0.5:
        verdict.late.append(f"the frozen run was ended only after {took:.1f} s")
    return monotonic()


def _judge(
    death: Death,
    lab: Laboratory,
    judge: Judge,
    run: subprocess.Popen[bytes] | Program,
    verdict: Verdict,
    died: float,
    bias: float,
) -> None:
    verdict.allowed = abs(bias - SAFE_BIAS) / SLEW + REST_WITHIN
    off_expected = death.mute not in ("lockin", "awg")
    rest_expected = death.mute != "controller"
    done = within(_END, lambda: (judge.off or not off_expected) and (judge.safe or not rest_expected))
    sleep(0.5)  # whether it stays so
    verdict.off, verdict.rest = max(judge.last_on - died, 0.0), max(judge.last_unsafe - died, 0.0)
    if not done:
        verdict.violations.append(f"never safe: {judge.state}; {lab.log()}")
    if off_expected and verdict.off > (CALLED_OFF_WITHIN if death.kind == "called" else OFF_WITHIN):
        verdict.late.append(f"RF and modulation off after {verdict.off:.2f} s")
    if rest_expected and verdict.rest > verdict.allowed:
        verdict.late.append(f"bias and tip safe after {verdict.rest:.2f} s of {verdict.allowed:.2f} s")
    if death.mute:
        _judge_word(death, lab, verdict)
        lab.control.disarm()
    if not within(_END, lambda: "the station has been made safe" in lab.log()):
        verdict.violations.append(f"the guardian did not see the station safe: {lab.log()}")
    if left := [path.name for path in (lab.folder / "state").rglob("*.lock") if path.stat().st_size]:
        verdict.violations.append(f"the station was not given back: {left}")
    if not judge.accepts(state := lab.control.state()):
        verdict.violations.append(f"the guardian says safe, and it is not: {state}")
    if death.kind == "stopped, continued":
        _judge_silence(lab, run, verdict)
    _judge_closings(lab, verdict)


def _judge_word(death: Death, lab: Laboratory, verdict: Verdict) -> None:
    """NOT SAFE, which instrument and why, and no other."""
    if not within(_END, lambda: "NOT SAFE" in lab.said()):
        verdict.violations.append(f"NOT SAFE was not said: {lab.said()}")
        return
    word = lab.said().split("NOT SAFE", 1)[1]
    named = [name for name in MUTABLE if f"{name}: " in word]
    if named != [death.mute]:
        verdict.violations.append(f"{named} named as not safe, {death.mute} is: {word}")


def _judge_silence(lab: Laboratory, run: subprocess.Popen[bytes] | Program, verdict: Verdict) -> None:
    """A run that is woken up sends nothing more."""
    before = {key: value for key, value in lab.control.state().items() if key not in ("time", "current", "height")}
    with suppress(ProcessLookupError):
        run.send_signal(signal.SIGCONT)
    sleep(1.0)
    after = lab.control.state()
    if changed := [key for key, value in before.items() if abs(after[key] - value) > 1e-3 * abs(value)]:
        verdict.violations.append(f"after SIGCONT {changed} changed")


def _judge_closings(lab: Laboratory, verdict: Verdict) -> None:
    """No closing of the loop with RF or modulation on, after a trip or a withdrawal, or below the least bias."""
    for closing in lab.control.recorder()["closings"]:
        state = closing["state"]
        if state["rf_on"] or state["modulation"] or closing["after_trip"] or closing["after_withdrawal"]:
            verdict.violations.append(f"the loop was closed: {closing}")
        if abs(state["bias"]) < 1e-3:
            verdict.violations.append(f"the loop was closed at {state['bias']:g} V")


def within(seconds: float, true: Callable[[], bool]) -> bool:
    """Whether ``true()`` becomes so within ``seconds``."""
    end = monotonic() + seconds
    while monotonic() < end:
        if true():
            return True
        sleep(_LOOK)
    return False
