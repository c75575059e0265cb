"""A killed run: the guardian makes the station safe, over real sockets."""

import signal
import subprocess
import sys
from contextlib import ExitStack

import pytest

from stmlab.clock import SimulatedClock
from stmlab.config_files import config_directories, find
from stmlab.simulation.microscope import SimulatedMicroscope
from stmlab.simulation.serving import servers
from stmlab.station.configuration import read_station
from stmlab.storage import open_run

RUN = """
import sys
from pathlib import Path
from stmlab.events import PointTaken
from stmlab.acquisition.measurement import measure
def told(event):
    if isinstance(event, PointTaken):
        print(event.index, flush=True)
measure("srs", sys.argv[1], path=Path(sys.argv[2]), listeners=(told,),
        settings={"time_constant": 0.001, "stabilise_time": 0.2, "points": 2000})
"""


@pytest.fixture
def served(tmp_path):
    """The simulated instruments on sockets, and a station file that leads there."""
    path = find("simulated")
    config, text = read_station(path)
    microscope = SimulatedMicroscope.from_config(
        {**config.simulation.options, "seed": 1}, sample="fe_atom", clock=SimulatedClock(10.0), directory=path.parent
    )
    ports = {"sr860": 0, "m8195a": 0, "nanonis": 0}
    with ExitStack() as stack:
        for name, server in servers(microscope, ports):
            stack.enter_context(server)
            text = text.replace(f'"simulation:{name}"', f'"TCPIP::127.0.0.1::{server.port}::SOCKET"')
        station = tmp_path / "served.toml"
        station.write_text(text[: text.index("[simulation]")], encoding="utf-8")
        for folder in ("transfer",):
            source = next(d / folder for d in config_directories() if (d / folder).is_dir())
            (tmp_path / folder).symlink_to(source)
        yield microscope, station


def test_a_killed_run_leaves_the_station_safe_and_its_points_in_the_file(served, tmp_path):
    microscope, station = served
    path = tmp_path / "run.h5"
    command = [sys.executable, "-c", RUN, str(station), str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        acknowledged = [int(run.stdout.readline()) for _ in range(5)]
        assert microscope.generator.on
        assert not microscope.tip.feedback
        run.send_signal(signal.SIGKILL)
        _, said = run.communicate(timeout=60)  # ends when the guardian, which holds the same pipe, has ended
    assert "the station has been made safe" in said
    assert not microscope.generator.on
    assert microscope.tip.withdrawn
    assert not microscope.tip.feedback
    assert microscope.tip.bias == pytest.approx(0.01)
    found = open_run(path)
    assert found.points >= len(acknowledged)
    assert not found.complete
