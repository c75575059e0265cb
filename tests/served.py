"""A station whose instruments are simulated, and reached through sockets; the guardian of a run in this process."""

from contextlib import ExitStack

import pytest

from stmlab.clock import SimulatedClock
from stmlab.config_files import config_directories, find
from stmlab.simulation.microscope import SimulatedMicroscope
from stmlab.simulation.serving import servers
from stmlab.station import guardian
from stmlab.station.configuration import read_station
from stmlab.station.lock import addresses
from stmlab.station.places import file_stem, station_directory
from tests.spare import begun_without_spare


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
        forget = [station_directory() / f"{file_stem(address)}.lock" for address in addresses(read_station(station)[0])]
        yield microscope, station
        for record in forget:
            record.unlink(missing_ok=True)  # the next test may have the same port


@pytest.fixture
def one_guardian(monkeypatch):
    """A run in this process has a guardian and no spare one, which takes as long to start as a short run."""
    monkeypatch.setattr(guardian._Post, "_begin", begun_without_spare)
