"""What must hold after a run in which a fault happened, whatever the program says of itself.

Judged are the flight recorder and the true state (from the control port), the file, and whether the program's word and
exit status agree with both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab import errors
from stmlab.acquisition.runner import Aborted
from stmlab.events import PointsDisturbed, RunState
from stmlab.storage import Run, open_run
from tests.campaigns.fault_laboratory import LEAST_BIAS, NAMES, least_modulation
from tests.campaigns.fault_run import middle

if TYPE_CHECKING:
    from pathlib import Path

    from tests.campaigns.fault_run import Course, Record
    from tests.campaigns.fault_trials import Trial

LARGEST = 1.5  # of the largest conductance of an undisturbed run
EQUAL = 1e-9  # of the largest value of a channel
_ROUNDING = 1 + 1e-6
_MOVES_THE_SURFACE = ("tip_jump", "drift")
_TIP_GONE = {"trip": "TipTripped", "withdrawn": "TipWithdrawn"}
_MENDED = ("drop", "delay", "garble", "half", "double", "swap")  # transient: the run goes on
_NOTICED = ("ChangedByHand", "ChangedByItself", "InstrumentFault", "InstrumentOverload", "TipTripped", "TipWithdrawn")
_MEASURED = re.compile(r"SNAP|Current\.Get|BiasSpectr\.Start")


@dataclass(frozen=True)
class Reference:
    """An undisturbed run.

    Attributes:
        conductance: the largest that the flight recorder has seen, S.
        data: channel -> values by index.
        channels: their names.
        traffic, paused_traffic: messages of the run, and of one that was paused.
    """

    conductance: float
    data: dict[str, Any]
    traffic: dict[tuple[str, int, str, bool], int]
    paused_traffic: dict[tuple[str, int, str, bool], int]


def violations(trial: Trial, course: Course, record: Record, reference: Reference, path: Path) -> list[str]:
    """What must not be, one line each."""
    struck = bool(record.happened)
    dead = {NAMES[course.fault.instrument]} if trial.kind == "mute" and struck and course.fault else set()
    found = [*_closings(record, course), *_conductance(trial, record, reference)]
    found += _word(record, dead)
    found += _truth(course, record, dead, refused=not path.exists())
    moved = course.fault is None or course.fault.instrument in record.changed
    found += _ending(trial, record, struck=struck, moved=moved, refused=not path.exists())
    if path.exists():
        found += _file(trial, record, reference, path)
    elif record.acknowledged:
        found.append("points were acknowledged and there is no file")
    return found


# -- junction ----------------------------------------------------------------------------------------------------------


def _closings(record: Record, course: Course) -> list[str]:
    """What tripped or was withdrawn within the one message that closes the loop cannot have been known."""
    found = []
    in_closing = bool(record.happened) and record.happened[0]["message"] == "ZCtrl.OnOffSet"
    for closing in record.recorder["closings"]:
        state = closing["state"]
        wrong = {
            "with RF on": state["rf_on"],
            "with modulation on": state["modulation"] > least_modulation(course.lockin) * _ROUNDING,
            "after a trip": closing["after_trip"] and not in_closing,
            "after a withdrawal": closing["after_withdrawal"] and not in_closing,
            f"at a bias of {state['bias']:g} V": abs(state["bias"]) < LEAST_BIAS / _ROUNDING,
            "at a bias of the wrong sign": state["bias"] * state["setpoint"] < 0,
        }
        found += [f"the loop was closed {how}: {closing}" for how, so in wrong.items() if so]
    least = record.recorder["extremes"]["least_bias_closed"]
    if least is not None and least < LEAST_BIAS / _ROUNDING:
        found.append(f"the bias went down to {least:g} V with the loop closed")
    return found


def _conductance(trial: Trial, record: Record, reference: Reference) -> list[str]:
    largest = record.recorder["extremes"]["conductance"]
    if trial.kind in _MOVES_THE_SURFACE or largest <= LARGEST * reference.conductance:
        return []
    return [f"a conductance of {largest:g} S, {largest / reference.conductance:.2f} of the undisturbed run's largest"]


# -- what is said ------------------------------------------------------------------------------------------------------


def _word(record: Record, dead: set[str]) -> list[str]:
    """NOT SAFE names exactly what is dead."""
    if "NOT SAFE" not in record.said:
        return []
    word = record.said.split("NOT SAFE", 1)[1]
    named = {name for name in NAMES.values() if re.search(rf"[:;] {name}: ", word)}
    return [] if named == dead else [f"{named} named as not safe, dead is {dead}: {word.strip()}"]


def _truth(course: Course, record: Record, dead: set[str], *, refused: bool) -> list[str]:
    """What is safe must be so, and stay so."""
    state, found = record.left, []
    named = dead if "NOT SAFE" in record.said else set()
    if refused:
        if record.recorder["closings"] or not (state["loop_closed"] or state["tripped"] or state["withdrawn"]):
            found.append(f"refused, and yet the tip was moved: {record.recorder['closings']}, {state}")
        return found
    if state["rf_on"] and NAMES["m8195a"] not in named:
        found.append(f"RF is on: {state}")
    modulated = state["modulation"] > least_modulation(course.lockin) * _ROUNDING
    if modulated and NAMES[course.lockin] not in named and course.lockin in record.changed:
        found.append(f"modulation is on: {state}")
    away = state["withdrawn"] and not state["loop_closed"]
    held = state["loop_closed"] and abs(state["bias"]) >= LEAST_BIAS and not state["rf_on"] and not modulated
    untouched = "nanonis" not in record.changed
    if not (away or held or untouched or NAMES["nanonis"] in named):
        found.append(f"the tip is neither withdrawn nor held: {state}")
    same = ("rf_on", "loop_closed", "withdrawn", "tripped", "bias", "setpoint", "modulation")
    if changed := [key for key in same if abs(record.later[key] - state[key]) > 1e-3 * abs(state[key])]:
        found.append(f"{changed} changed after the end: {record.later}")
    return found


# -- how it ended ------------------------------------------------------------------------------------------------------


def _ending(trial: Trial, record: Record, *, struck: bool, moved: bool, refused: bool) -> list[str]:
    found = []
    if record.error and not issubclass(getattr(errors, record.error, type(None)), errors.StmlabError):
        if record.error != Aborted.__name__:
            found.append(f"a raw error: {record.error}: {record.said.strip()}")
    ending = _category(record, refused=refused)
    status = {"refused": 1, "finished": 0, "stopped": 0, "failed": 1, "not safe": 3}[ending]
    if record.status != status:
        found.append(f"exit status {record.status} of a run that {ending}: {record.said.strip()}")
    allowed = _allowed(trial) if struck else {"finished": ("",)}
    if trial.kind == "mute" and struck and not moved:
        allowed["failed"] = ("InstrumentTimeout", "InstrumentLost")  # what never moved is not made safe
    if ending not in allowed:
        found.append(
            f"{ending} ({record.error or record.reason}), allowed is {', '.join(allowed)}: {record.said.strip()}"
        )
    elif ending == "failed" and record.error not in allowed[ending]:
        found.append(f"failed by {record.error}, expected is {allowed[ending]}: {record.said.strip()}")
    return found


def _category(record: Record, *, refused: bool) -> str:
    if refused:
        return "refused"
    if "NOT SAFE" in record.said:
        return "not safe"
    return record.state if record.state in ("finished", "stopped") else "failed"


def _allowed(trial: Trial) -> dict[str, tuple[str, ...]]:
    """How a run may end -> by which errors."""
    kind, phase = trial.kind, trial.phase
    late = phase in ("finish", "safe state")
    ends: dict[str, tuple[str, ...]] = {"finished": ()}
    if phase == "connect":
        ends["refused"] = ()
    if kind == "mute":
        return {"refused": ()} if phase == "connect" else {"not safe": (), **({"finished": ()} if late else {})}
    if kind in _TIP_GONE:
        return {"failed": (_TIP_GONE[kind],), **({"finished": ()} if late else {})}
    if kind in _MENDED:
        return ends
    if phase == "pause":
        ends["stopped"] = ()
    ends["failed"] = {
        "wrong_value": (*_NOTICED, "SequenceError", "GarbledAnswer"),
        "error": ("InstrumentFault",),
        "reset": (*_NOTICED, "SequenceError"),
        "overload": ("InstrumentOverload",),
        "tip_jump": ("SequenceError", "InstrumentOverload", "InstrumentFault", "TipTripped"),
        "drift": ("SequenceError", "InstrumentOverload", "InstrumentFault", "TipTripped"),
        "stuck_closed": ("InstrumentFault", "ChangedByHand"),
        "stuck_open": ("InstrumentFault", "ChangedByHand"),
    }[kind]
    return ends


# -- the file ----------------------------------------------------------------------------------------------------------


def _file(trial: Trial, record: Record, reference: Reference, path: Path) -> list[str]:
    run = open_run(path)
    found = []
    if run.finished is None:
        return ["the file has no end"]
    expected = {"finished": RunState.FINISHED, "stopped": RunState.STOPPED}.get(record.state, RunState.FAILED)
    if run.state is not expected:
        found.append(f"the file says {run.state}, the program {record.state or record.error}")
    if record.error and record.error != "StationNotSafe" and run.reason != record.error:
        found.append(f"the file's reason is {run.reason}, the program ended by {record.error}")
    if ("NOT SAFE" in record.said) is not ("NOT SAFE" in run.message):
        found.append(f"the file's message is {run.message!r}, the program's {record.said.strip()!r}")
    found += _acknowledged(record, run)
    found += _data(trial, record, run, reference)
    return found


def _acknowledged(record: Record, run: Run) -> list[str]:
    """Every point that the viewers heard of is in the file with its values."""
    if len(run.visits) < len(record.acknowledged):
        return [f"{len(record.acknowledged)} points were acknowledged, {len(run.visits)} are in the file"]
    wrong = []
    for visit, index, values in record.acknowledged:
        stored = [run.visits.data[channel.name][visit] for channel in run.channels]
        same = all(np.array_equal(a, b, equal_nan=True) for a, b in zip(stored, values, strict=True))
        if run.visits.index[visit] != index or not same:
            wrong.append(f"reading {visit} (point {index}) is another in the file")
    return wrong


def _data(trial: Trial, record: Record, run: Run, reference: Reference) -> list[str]:
    """What is not marked as disturbed is what an undisturbed run reads; a finished run has all of it."""
    marked = {
        (visit, index)
        for readings, event in run.history
        if isinstance(event, PointsDisturbed)
        for visit, index in enumerate(run.visits.index[:readings].tolist())
        if index in event.indices
    }
    exempt = _exempt(trial, record, len(run.visits))
    wrong, good = [], set()
    for visit, index in enumerate(run.visits.index.tolist()):
        if (visit, index) in marked:
            continue
        good.add(index)
        if visit in exempt:
            continue
        for name, values in reference.data.items():
            there, here = values[index], run.visits.data[name][visit]
            scale = np.nanmax(np.abs(values)) if np.isfinite(values).any() else 0.0
            if not np.allclose(here, there, rtol=0.0, atol=EQUAL * scale, equal_nan=True):
                off = float(np.nanmax(np.abs(here - there)) / scale) if scale else 0.0
                wrong.append(f"reading {visit} (point {index}): {name} differs by {off:.2g} of the largest")
    points = len(next(iter(reference.data.values())))
    if run.state is RunState.FINISHED and len(good) < points:
        wrong.append(f"finished with {len(good)} of {points} points undisturbed")
    return wrong[:4]


def _exempt(trial: Trial, record: Record, visits: int) -> range:
    """Readings that a change of the junction itself makes others, until the tip is stabilised again.

    And the one whose measured quantity itself was another on the wire: nothing that is known tells it from a true one.
    """
    if record.struck is None:
        return range(0)
    (phase, first), half = record.struck, middle(trial.sequence)
    if trial.kind == "wrong_value" and phase == "read" and _MEASURED.match(record.happened[0]["message"]):
        return range(first, first + 1)
    if trial.kind not in _MOVES_THE_SURFACE:
        return range(0)
    if trial.kind == "drift":
        return range(first, visits)
    if trial.pauses:  # after a pause the tip is stabilised, and the count of points until the next time begins anew
        return range(first, first + half)
    return range(first, half if first < half and phase != "stabilise" else visits)
