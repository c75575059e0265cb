"""The safe state at once, for a person who asks: through the guardian of the run that owns the station, or without one.

    does a run own the station, and does its guardian hear?
        | yes                                    | no
    it is called (see `safe_call`)            every instrument by itself is made safe (see `rescue`)

``python -m stmlab.station.safe_now STATION`` loads everything and waits for "now" on standard input, so that nothing
has to be loaded when a person presses the button; it answers with one JSON line and is ready again.
"""

from __future__ import annotations

import getpass
import json
import os
import sys
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from stmlab.config_files import find, imported
from stmlab.errors import StationBusy, StationError, StmlabError
from stmlab.station.audit import Audit, audit_path
from stmlab.station.configuration import read_station
from stmlab.station.lock import StationLock, addresses, owner_of
from stmlab.station.safe_call import Answer, call

if TYPE_CHECKING:
    from stmlab.station.configuration import StationConfig

NOW = "now\n"
_SECONDS = 15.0  # that all of it may take


class SimulatedStation(StationError):
    """Its instruments are simulated in the process of their run, and end with it."""


class Emergency:
    """The safe state of one station, ready to be called for.

    Args:
        name: name or file of the station.

    Raises:
        StationError: no such station; SimulatedStation.
    """

    def __init__(self, name: str) -> None:
        self._path = find(name)
        self._config, self._text = read_station(self._path)
        if not all(_is_real(address) for address in addresses(self._config)):
            raise SimulatedStation(
                f"{self._path}: a simulated microscope lives in the process of its run: abort the run or end it"
            )
        for instrument in self._config.instruments.values():
            imported(instrument.driver, self._path, "driver")
        from stmlab.station.rescue import Rescue  # a third of the start: of no use to a simulated microscope

        self._rescue = partial(Rescue, self._config, self._text, self._path, frozenset(self._config.instruments))

    def make_safe(self) -> Answer:
        """RF and modulation off first, then bias and tip as the station says after a fault.

        Raises:
            StationError: no instrument is in the station file.
        """
        who = f"{getpass.getuser()} ({' '.join([Path(sys.argv[0]).name, *sys.argv[1:]])})"
        why = ""
        for path in _guardians(self._config):
            try:
                return call(path, who, _SECONDS)
            except StationError as error:
                why = f"{error}; without it: "
        return self._alone(who, why)

    def _alone(self, who: str, why: str) -> Answer:
        """Without a guardian: also beside an owner whose guardian does not hear, because a person is there."""
        lock = StationLock(addresses(self._config), force=True)
        with ExitStack() as held:
            try:
                lock.acquire()
                held.callback(lock.release)
            except StationBusy as busy:
                why = f"{busy.owner or 'another program'} owns the station and its guardian does not answer; "
            rescue = self._rescue(lambda line: None)
            rescue.start()
            safe = rescue.wait(_SECONDS)
            audit = Audit(audit_path(self._config.name))
            audit.note("safe state", who=who, safe=safe, problems=list(rescue.problems))
            audit.close()
            if not safe:
                held.pop_all()  # the record stays: nobody has seen the station safe
        said = "safe: every instrument has been seen safe" if safe else "NOT SAFE: " + "; ".join(rescue.problems)
        return Answer(safe, why + said)


def make_safe_now(name: str) -> Answer:
    """Bring the station called ``name`` to its safe state at once, whoever owns it.

    Raises:
        StationError: see `Emergency`.
    """
    return Emergency(name).make_safe()


def _guardians(config: StationConfig) -> list[Path]:
    """Where the guardians of the owners of the station's addresses are called."""
    owners = [owner_of(address) for address in addresses(config)]
    return list(dict.fromkeys(Path(owner.guardian) for owner in owners if owner is not None and owner.guardian))


def _is_real(address: str) -> bool:
    return not address.startswith("simulation:")


def main() -> int:
    """Entry point of a process that stands by."""
    try:
        emergency = Emergency(sys.argv[1])
    except StmlabError as error:
        _say({"ready": False, "simulated": isinstance(error, SimulatedStation), "said": str(error)})
        return 1
    _say({"ready": True, "said": ""})
    for line in sys.stdin:
        if line == NOW:
            answer = emergency.make_safe()
            _say({"safe": answer.safe, "said": answer.said})
    return 0


def _say(what: dict[str, bool | str]) -> None:
    with suppress(BrokenPipeError):  # the window is gone
        os.write(1, json.dumps(what).encode() + b"\n")


if __name__ == "__main__":
    raise SystemExit(main())
