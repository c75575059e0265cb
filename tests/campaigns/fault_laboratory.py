"""A laboratory for one run of the campaign of faults: simulated instruments on sockets, and a station file to them.

Servers and run share one process, so a run costs seconds. The microscope's time runs `SPEED` times as fast as the
run's, so that everything has settled to 1e-12 when a reading is taken: without noise, a run that was disturbed has to
find the same numbers as one that was not.
"""

from __future__ import annotations

import math
import os
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from unittest import mock

from stmlab.clock import SimulatedClock
from stmlab.config_files import find
from stmlab.simulation import lockin_input, signal_path
from stmlab.simulation.config import SimulationConfig
from stmlab.simulation.control import Control
from stmlab.simulation.microscope import SimulatedMicroscope
from stmlab.simulation.preamplifier import SimulatedPreamplifier
from stmlab.simulation.samples import read_sample
from stmlab.simulation.serving import PORTS, served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SPEED = 5.0
SAMPLE = "nonlinear"  # its rectified current is a closed form, and nothing in it switches
SETPOINT_BIAS, SETPOINT = 20e-3, 1e-9  # V, A
SAFE_BIAS, SAFE_SETPOINT, LEAST_BIAS = 10e-3, 1e-10, 1e-3  # V, A, V: of the station "simulated"
DIVIDER = 100.0
LEAST_SINE = {"sr860": 0.0, "sr830": 4e-3}  # V rms
NAMES = {"sr860": "lockin", "sr830": "lockin", "m8195a": "awg", "nanonis": "controller"}  # plug -> name in the station

_FAST = {"setpoint_bias": SETPOINT_BIAS, "setpoint_current": SETPOINT, "stabilise_time": 0.2}
_DETECTION = {"time_constant": 1e-3, "settling_residual": 1e-3, **_FAST}
_CHOPPED = {"dc_bias": 4e-3, "current_range": 400e-12, **_DETECTION}
_ENDS = {"start_bias": -4.5e-3, "stop_bias": 4.5e-3}
_TONES = {"start_frequency": 1e8, "stop_frequency": 2e9}
SEQUENCES = {  # name in the campaign -> sequence, settings: 20 readings or more, the tip stabilised again in the middle
    "didv": ("didv", {"points": 20, "stabilise_every": 10, **_DETECTION}),
    "didv_hardware": (
        "didv",
        {"points": 11, "sweeps": 2, "hardware": True, **_ENDS, **_DETECTION, "settling_residual": 1e-9},
    ),
    "setpoint_ramp": (
        "setpoint_ramp",
        {"points": 10, "conductances": 2, "start_conductance": 25e-9, "stop_conductance": 50e-9}
        | {name: value for name, value in _DETECTION.items() if name != "setpoint_current"},
    ),
    "srs": ("srs", {"points": 20, "stabilise_every": 10, **_TONES, **_CHOPPED}),
    "srs_map": ("srs_map", {"points": 10, "stop_dc_bias": 6e-3, "dc_points": 2, **_TONES, **_CHOPPED}),
    "transfer": (
        "transfer",
        {"stabilise_every": 10, "points_per_decade": 20, "start_frequency": 1e8, "stop_frequency": 2.8e8, **_CHOPPED},
    ),
    "pump_probe": ("pump_probe", {"points": 20, "stabilise_every": 10, **_CHOPPED}),
    "time_trace": ("time_trace", {"samples": 10, "traces": 2, "dc_bias": 4e-3, **_FAST}),
}


class NoiselessPreamplifier(SimulatedPreamplifier):
    """Neither shot noise nor its own."""

    def current_noise(self, current: float) -> float:
        return 0.0


@dataclass(frozen=True)
class Laboratory:
    """Where one run takes place.

    Attributes:
        station: the file.
        control: connection to the microscope itself.
        microscope: for counting messages; judged is what the control port says.
    """

    station: Path
    control: Control
    microscope: SimulatedMicroscope


@contextmanager
def laboratory(
    folder: Path, lockin: str, on_fault: str, *, timeout: float, noise: bool = False, seed: int = 1
) -> Iterator[Laboratory]:
    """Instruments that are served while the context lasts.

    Args:
        folder: for the station file and for what programs keep of a station.
        lockin: "sr860" or "sr830".
        on_fault: as in the station file.
        timeout: of the drivers, s.
        noise: whether currents and inputs are noisy.
        seed: of that noise.
    """
    home = find("simulated").parent
    config = SimulationConfig(modulation_divider=DIVIDER, lockin_input_noise=2.5e-9 if noise else 0.0)
    if not noise:
        config = config.model_copy(update={"preamplifier": NoiselessPreamplifier()})
    sample = read_sample(home / "samples" / f"{SAMPLE}.toml")
    simulated = SimulatedMicroscope(sample, clock=SimulatedClock(SPEED), seed=seed, config=config)
    state = {"XDG_STATE_HOME": str(folder / "state")}
    ports = dict.fromkeys((name for name in PORTS if name != "sr860 telnet"), 0)
    with mock.patch.dict(os.environ, state), _without_ripple(), served(simulated, ports) as found:
        station = folder / "lab.toml"
        station.write_text(_station_file(found, lockin, on_fault, timeout), encoding="utf-8")
        if not (transfer := folder / "transfer").exists():
            transfer.symlink_to(home / "transfer")
        with Control(found["control"], timeout=30.0) as control:
            yield Laboratory(station, control, simulated)


def least_modulation(lockin: str) -> float:
    """What stands on the bias when the sine output is as small as it can be, V peak."""
    return LEAST_SINE[lockin] * math.sqrt(2) / DIVIDER


def _station_file(ports: dict[str, int], lockin: str, on_fault: str, timeout: float) -> str:
    text = find("simulated").read_text(encoding="utf-8")
    text = text[: text.index("[simulation]")].replace('on_fault = "withdraw"', f'on_fault = "{on_fault}"')
    text = text.replace("drivers.sr860:SR860", f"drivers.{lockin}:{lockin.upper()}").replace(
        '"simulation:sr860"', f'"simulation:{lockin}"'
    )
    for plug in NAMES:
        address = f'"TCPIP::127.0.0.1::{ports[plug]}::SOCKET"\noptions = {{ timeout = {timeout} }}'
        text = text.replace(f'"simulation:{plug}"', address)
    return text


@contextmanager
def _without_ripple() -> Iterator[None]:
    """What the lock-in's filter lets pass at multiples of the reference depends on when a reading is taken."""
    demodulated = lockin_input.demodulated

    def without(signal, panel, reference):
        return demodulated(signal, replace(panel, synchronous=True), reference)

    with mock.patch.object(signal_path, "demodulated", without):
        yield
