"""The process in which a person is at the instruments (see `desk`): requests on standard input, values on its output.

One JSON object a line. First ``{"event": "ready", ...}`` or ``{"event": "refused", "said": ...}``; then, a few times a
second, ``{"event": "values", ...}``. A request has an "id", which its answer repeats:

    {"id": 1, "ask": "set", "name": "bias", "value": 0.05}            {"id": 1, "done": true}
    {"id": 2, "ask": "play", "frequency": 1e9, "amplitude": 1e-3}     {"id": 2, "refused": "..."}
    {"id": 3, "ask": "rf_off"}
    {"id": 4, "ask": "approach"}        a person has looked: the loop of a tripped or withdrawn tip is closed
    {"id": 5, "ask": "leave"}           gives the station back

The end of standard input (the window is gone) means "leave". The process is watched like a run: if it dies, its
guardian makes safe what was moved.
"""

from __future__ import annotations

import json
import os
import select
import sys
import threading
from contextlib import suppress
from dataclasses import asdict
from time import monotonic
from typing import TYPE_CHECKING, Any

from stmlab.errors import StmlabError
from stmlab.station.approach import approach
from stmlab.station.desk import Desk
from stmlab.station.guardian import guarded
from stmlab.station.safe_report import Ending
from stmlab.station.station import Station

if TYPE_CHECKING:
    from stmlab.station.safe_report import SafeReport

_EVERY = 0.2  # s between two looks


class Session:
    """One person, one station, one pair of pipes.

    Args:
        station: owned by this process, and guarded.
    """

    def __init__(self, station: Station) -> None:
        self._station, self._desk = station, Desk(station)
        self._called = threading.Event()
        station.when_called = self._called.set

    def run(self) -> SafeReport:
        """Until the person leaves, or somebody calls for the safe state."""
        self._introduce()
        for name in self._station.guards:
            self._desk.look(name, everything=True)
        requests, due = Requests(), 0.0
        while not self._called.is_set():
            if any(map(self._answer, requests.take(max(0.0, due - monotonic())))) or requests.ended:
                return self._desk.leave()
            if monotonic() >= due:
                due = monotonic() + _EVERY
                self._publish()
        return self._station.make_safe(Ending.FAULT, everything=True)

    def _answer(self, request: dict[str, Any]) -> bool:
        """Do what is asked, and say how it came out; whether the person leaves."""
        ask = request.get("ask")
        try:
            if ask == "set":
                self._desk.set(request["name"], request["value"])
            elif ask == "play":
                self._desk.play(float(request["frequency"]), float(request["amplitude"]))
            elif ask == "rf_off":
                self._desk.rf_off()
            elif ask == "approach":
                approach(self._station)
            elif ask != "leave":
                say(id=request.get("id"), refused=f"{ask!r} cannot be asked")
                return False
        except (StmlabError, OSError) as error:
            say(id=request.get("id"), refused=str(error))
            return False
        say(id=request.get("id"), done=True)
        return bool(ask == "leave")

    def _introduce(self) -> None:
        station = self._station
        knobs = [{**asdict(knob), "bounds": self._bounds(knob.limit)} for knob in self._desk.knobs]
        roles = {role: name for role, (name, _) in station.roles.items()}
        drivers = {name: config.driver for name, config in station.config.instruments.items()}
        say(
            event="ready",
            station=station.config.name,
            simulated=station.is_simulated,
            knobs=knobs,
            roles=roles,
            drivers=drivers,
            rf="generator" in station.roles,
        )

    def _bounds(self, name: str) -> list[float] | None:
        if not name:
            return None
        limit = self._station.limit(name)
        return [limit.low, limit.high]

    def _publish(self) -> None:
        if self._station.is_simulated:
            self._station.clock.sleep(_EVERY)  # its time stands still while nobody waits
        for name in self._station.guards:
            self._desk.look(name)
        mark = self._station.tip_mark.read()
        say(
            event="values",
            instruments={name: asdict(seen) for name, seen in self._desk.seen.items()},
            mark="" if mark is None else str(mark),
        )


def say(**what: Any) -> None:
    """One line on standard output; a window that is gone is noticed by the end of standard input."""
    with suppress(BrokenPipeError):
        os.write(1, json.dumps(what, default=str).encode() + b"\n")


class Requests:
    """What comes on standard input.

    Attributes:
        ended: whether nothing more will come.
    """

    def __init__(self) -> None:
        self.ended, self._piece = False, b""

    def take(self, seconds: float) -> list[dict[str, Any]]:
        """The requests that have come whole, waited for at most ``seconds``."""
        if not select.select([sys.stdin], [], [], seconds)[0]:
            return []
        read = os.read(sys.stdin.fileno(), 1 << 12)
        self.ended = not read
        *lines, self._piece = (self._piece + read).split(b"\n")
        return [json.loads(line) for line in lines]


def main() -> int:
    """Entry point: ``python -m stmlab.station.desk_process STATION``."""
    try:
        with Station.load(sys.argv[1]) as station, guarded(station):
            report = Session(station).run()
            say(event="left", safe=report.safe, said=str(report))
    except (StmlabError, OSError) as error:
        say(event="refused", said=str(error))
        return 1
    return 0 if report.safe else 3


if __name__ == "__main__":
    raise SystemExit(main())
