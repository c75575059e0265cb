"""Makes a station safe whose run is gone: each instrument by itself, at the same time, until it has been seen safe.

Each instrument becomes a station of its own, with a connection of its own, in a thread of its own: one that does not
answer delays no other. Only the tip looks at the others: where the station wants its loop closed after a fault, RF and
modulation must have been seen off before. It does not wait for them for long; without them the tip is withdrawn, which
depends on no other instrument. A bias source apart from the tip controller waits until the tip has been seen safe.
"""

from __future__ import annotations

import threading
from itertools import chain, repeat
from time import monotonic
from typing import TYPE_CHECKING

from stmlab.errors import StmlabError
from stmlab.station.safe_report import Ending
from stmlab.station.station import Station

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from stmlab.station.configuration import InstrumentConfig, StationConfig

_FIRST_PAUSES = (0.1, 0.2, 0.2, 0.5, 1.0, 2.0, 5.0)  # s; a controller of one client must notice that the last is gone
_PAUSE = 10.0  # s between all further tries
_FOR_THE_OTHERS = 1.0  # s that the tip waits for RF and modulation to be off before it is withdrawn instead
_AGAIN = 0.5  # s after which an instrument is seen once more: what the dead run had sent may have arrived late


class Rescue:
    """One rescue of one station.

    Args:
        config, text, path: of the station, as the run had read them; nothing is read from the disk.
        moved: instruments with an output that the run has moved; what never moved is not made safe.
        tell: called with a line for each thing worth a line in a log.
    """

    def __init__(
        self, config: StationConfig, text: str, path: Path, moved: frozenset[str], tell: Callable[[str], None]
    ) -> None:
        # Files that the run had read may have moved since, and neither watchers nor interlocks may forbid a safe state.
        spare = {"rf_path": None, "simulation": None, "watcher": (), "interlock": ()}
        junction = {name for name, i in config.instruments.items() if {"tip", "bias"} & set(i.roles)}
        moved = moved | junction if moved & junction else moved
        instruments = {name: i for name, i in config.instruments.items() if name in moved}
        self._config = config.model_copy(update=spare | {"instruments": instruments})
        self._text, self._path, self._tell = text, path, tell
        self._why = dict.fromkeys(instruments, "not tried yet")
        self._off = {name: threading.Event() for name in instruments}  # seen safe at least once
        self._threads: list[threading.Thread] = []
        self._began = monotonic()

    def start(self) -> None:
        """Begin with every instrument; returns at once."""
        self._began = monotonic()
        for name, instrument in self._config.instruments.items():
            thread = threading.Thread(target=self._insist, args=(name, instrument), name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def wait(self, seconds: float | None) -> bool:
        """Whether every instrument has been seen safe within ``seconds`` (None: however long it takes)."""
        end = None if seconds is None else monotonic() + seconds
        for thread in self._threads:
            thread.join(None if end is None else max(0.0, end - monotonic()))
        return not self.problems

    @property
    def problems(self) -> tuple[str, ...]:
        """Instruments that have not been seen safe, each with why."""
        return tuple(f"{name}: {why}" for name, why in self._why.items() if why)

    def _insist(self, name: str, instrument: InstrumentConfig) -> None:
        """Try until it is safe; see it once more."""
        alone = self._alone(name, instrument)
        for pause in chain(_FIRST_PAUSES, repeat(_PAUSE)):
            why = self._attempt(alone)
            if not why and not self._off[name].is_set():
                self._tell(f"{name}: safe {monotonic() - self._began:.2f} s after the rescue began")
                self._off[name].set()
                if "tip" in instrument.roles:  # what it has been told last stands: nothing can overtake on one line
                    self._why[name] = ""
                    return
                pause = _AGAIN
            elif not why:
                self._why[name] = ""
                return
            elif why != self._why[name]:
                self._why[name] = why
                self._tell(f"{name}: {why}")
            threading.Event().wait(pause)

    def _attempt(self, alone: StationConfig) -> str:
        """Make a station of one instrument safe; returns what is wrong, "" for nothing."""
        try:
            with Station(alone, self._text, self._path, for_guardian=True) as station:
                return "; ".join(problem.why for problem in station.make_safe(Ending.FAULT, everything=True).problems)
        except StmlabError as error:
            return str(error)
        except Exception as error:  # a fault in a driver must not end the rescue of its instrument
            return f"{type(error).__name__}: {error}"

    def _alone(self, name: str, instrument: InstrumentConfig) -> StationConfig:
        """The configuration of one instrument alone, once it may begin."""
        config = self._config.model_copy(update={"instruments": {name: instrument}})
        tip = next((n for n, i in self._config.instruments.items() if "tip" in i.roles), None)
        if name == tip:
            if config.safe.on_fault == "safe" and config.safe.feedback == "on" and not self._others_are_off(name):
                self._tell(f"{name}: the others have not been seen off, so the tip is withdrawn")
                return config.model_copy(update={"safe": config.safe.model_copy(update={"on_fault": "withdraw"})})
        elif "bias" in instrument.roles and tip is not None:
            self._off[tip].wait()
        return config

    def _others_are_off(self, tip: str) -> bool:
        end = self._began + _FOR_THE_OTHERS
        others = [n for n, i in self._config.instruments.items() if n != tip and "bias" not in i.roles]
        return all(self._off[name].wait(max(0.0, end - monotonic())) for name in others)
