"""A simulated station with a few things in its file changed, and an audit log that can be read."""

import copy
import json
import tomllib

from stmlab.config_files import config_directories
from stmlab.station import Station
from stmlab.station.audit import Audit
from stmlab.station.configuration import StationConfig

SIMULATED = next(d for d in config_directories() if (d / "simulated.toml").is_file()) / "simulated.toml"
_TABLES = tomllib.loads(SIMULATED.read_text(encoding="utf-8"))


def station_config(**changes):
    """The configuration of the simulated station; changes as ``limits__bias__high=0.05``, None takes a key away."""
    tables = copy.deepcopy(_TABLES)
    for dotted, value in changes.items():
        *way, key = dotted.split("__")
        table = tables
        for name in way:
            table = table.setdefault(name, {})
        if value is None:
            table.pop(key)
        else:
            table[key] = value
    return StationConfig.model_validate(tables)


def lab(log=None, **changes):
    """A Station on the simulated microscope; ``log`` is the path of its audit log."""
    audit = Audit(log) if log is not None else None
    return Station(station_config(**changes), SIMULATED.read_text(encoding="utf-8"), SIMULATED, audit=audit)


def entries(log):
    """The lines of an audit log."""
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()] if log.exists() else []
