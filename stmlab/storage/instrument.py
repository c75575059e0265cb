"""NXinstrument: the station, its settings before and after; for a bias sweep what NXsts asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from stmlab.storage.hdf5 import add_dataset, add_group, add_note, to_json
from stmlab.storage.objects import describe

if TYPE_CHECKING:
    from h5py import h5g

    from stmlab.axes import Axis
    from stmlab.events import RunStarted

_IDENTITIES = ("identity", "id", "product")  # what drivers call the answer to "who are you?"


def is_bias_spectroscopy(started: RunStarted) -> bool:
    """Whether the run is what NXsts describes: its innermost axis sweeps the bias."""
    return bool(started.axes and started.channels) and _is_bias(started.axes[-1])


def add_instrument(entry: h5g.GroupID, started: RunStarted, *, spectroscopy: bool) -> None:
    """Make the group ``instrument``."""
    instrument = add_group(entry, "instrument", "NXinstrument")
    add_dataset(instrument, "name", data=started.station)
    identities = [str(said[name]) for said in started.snapshot.values() for name in _IDENTITIES if name in said]
    hardware = add_group(instrument, "hardware", "NXfabrication")
    add_dataset(hardware, "vendor", data="; ".join(name.partition(",")[0] for name in identities) or "not given")
    add_dataset(hardware, "model", data="; ".join(identities) or "not given")
    software = add_group(instrument, "software", "NXfabrication")
    add_dataset(software, "vendor", data="stmlab")
    model = add_dataset(software, "model", data="stmlab")
    describe(model, version=started.versions.get("stmlab", "not given"))
    if spectroscopy:
        _add_bias_sweep(instrument, started.axes[-1], _repetitions(started))
        _add_lockin(instrument, started)
    add_note(instrument, "configuration", "application/toml", started.configuration)
    add_note(instrument, "snapshot_before", "application/json", to_json(started.snapshot))
    add_note(instrument, "snapshot_after", "application/json")


def _add_bias_sweep(instrument: h5g.GroupID, bias: Axis, sweeps: int) -> None:
    environment = add_group(instrument, "bias_spectroscopy_environment", "NXenvironment")
    spectroscopy = add_group(environment, "bias_spectroscopy", "NXspm_bias_spectroscopy")
    sweep = add_group(spectroscopy, "BIAS_SWEEP", "NXspm_scan_control")
    add_dataset(sweep, "number_of_sweeps", data=sweeps)
    path = _there_and_back(bias.values)
    region = add_group(sweep, "scan_region", "NXspm_scan_region")
    start, end = float(path[0]), float(path[-1])
    for name, value in (("start", start), ("end", end), ("range", abs(end - start)), ("offset", (start + end) / 2)):
        add_dataset(region, f"scan_{name}_bias", "V", data=value)
    linear = add_group(sweep, "linear_sweep", "NXspm_scan_pattern")
    add_dataset(linear, "scan_points_bias", data=len(path))
    add_dataset(linear, "step_size_bias", "V", data=abs(end - start) / max(1, len(path) - 1))
    add_dataset(linear, "backward_sweep", data=np.bool_(len(path) < len(bias)))


def _add_lockin(instrument: h5g.GroupID, started: RunStarted) -> None:
    """What modulates the bias, as far as the sequence's parameters say it in the usual words."""
    known = started.parameters
    wanted = {
        "modulation_frequency": known.get("modulation_frequency"),
        "reference_amplitude": known.get("modulation"),
    }
    numbers = {name: said for name, said in wanted.items() if said is not None and isinstance(said.value, float)}
    if not numbers:
        return
    lockin = add_group(instrument, "lockin_amplifier", "NXlockin")
    add_dataset(lockin, "modulation_signal", data="bias")
    for name, said in numbers.items():
        add_dataset(lockin, name, said.unit or None, data=said.value)


def _there_and_back(path: Any) -> Any:
    """The forward half of a sweep that comes back the same way; else the whole."""
    half = len(path) // 2
    back = len(path) % 2 == 0 and half > 1 and np.array_equal(path[:half], path[half:][::-1])
    return path[:half] if back else path


def _repetitions(started: RunStarted) -> int:
    return int(np.prod([len(axis) for axis in started.axes[:-1]], dtype=np.int64))


def _is_bias(axis: Axis) -> bool:
    return axis.name == "bias" and axis.unit == "V" and len(axis) > 1
