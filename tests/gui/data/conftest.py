"""Files for the data panels: SRS spectra, a map of them, a recorded spectrum, and what is no data."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PyQt6.QtGui import QDragEnterEvent, QDropEvent
from PyQt6.QtWidgets import QApplication

from stmlab.analysis.lorentzian import fit_srs
from stmlab.analysis.transport.model import SpinParameters, SpinSetting, spectra
from stmlab.axes import Axis, Channel
from stmlab.events import Analysed, ParameterValue, PointTaken, RunFinished, RunStarted, RunState
from stmlab.physics.coupled_tip import ExchangeKind
from stmlab.physics.stochastic_resonance import line_shape
from stmlab.storage import Writer

GRID = np.geomspace(3e6, 20e9, 40)
RECORDED = Path(__file__).parents[2] / "data" / "spectrum.dat"
CURRENT = Channel("current", "A", "SRS signal")
SAID = {"dc_bias": ParameterValue(4e-3, "V", ""), "points": ParameterValue(40, "", "")}
FREQUENCY = Axis("frequency", "Hz", GRID, "microwave frequency", logarithmic=True)


def write(path, sequence, date, axes, points, *events, sample="fe_atom", parameters=SAID, channel=CURRENT):
    writer = Writer(path)
    station = {"point_seconds": 1.0, "station": "simulated", "configuration": "", "sample": sample}
    writer(RunStarted(path.stem, sequence, date, parameters, axes, (channel,), **station))
    for event in (*points, *events, RunFinished(RunState.FINISHED, "completed", "", len(points), float(len(points)))):
        writer(event)
    writer.close()
    return path


def line(rate, seed, step=5.4e-12):
    return line_shape(GRID, rate, step, -3e-12) + np.random.default_rng(seed).normal(0, 1e-13, GRID.size)


def spectrum(path, rate=1.73e9, date="2024-01-01T10:00:00+00:00", seed=1, sample="fe_atom"):
    current = line(rate, seed)
    points = [PointTaken(k, float(k), (GRID[k],), (current[k],)) for k in range(GRID.size)]
    return write(path, "srs", date, (FREQUENCY,), points, Analysed(fit_srs(GRID, current)), sample=sample)


def grid(path, rates=((1e9, 2e9, 3e9), (4e9, 5e9, 6e9))):
    """A map of 2 x 3 spectra over offset and drive, each with its rate."""
    offsets, drives = Axis("offset", "V", [1e-3, 2e-3], "DC bias"), Axis("drive", "V", [1e-3, 2e-3, 3e-3], "amplitude")
    points = []
    for row, offset in enumerate(offsets.values):
        for column, drive in enumerate(drives.values):
            for k, current in enumerate(line(rates[row][column], 10 * row + column)):
                number = len(points)
                points.append(PointTaken(number, float(number), (offset, drive, GRID[k]), (current,)))
    return write(path, "srs_map", "2024-01-03T10:00:00+00:00", (offsets, drives, FREQUENCY), points)


def ramp(path):
    """Spectra at eight setpoints of a spin under a tip with one: a fit of it takes its time."""
    bias, setpoints = np.linspace(-10e-3, 10e-3, 801), np.linspace(0.05, 0.4, 8) * 1e-6
    spins = SpinParameters(-4.2, 0.87, 2.0, exchange_slope_meV_per_uS=3.6, correlation=-0.5, kondo_coupling=-0.05)
    found = spectra(SpinSetting(ExchangeKind.HEISENBERG, modulation_V=1e-4, order=3), spins, setpoints, bias)
    found += np.random.default_rng(6).normal(0, 1e-10, found.shape)
    axes = Axis("setpoint", "S", setpoints, "setpoint"), Axis("bias", "V", bias, "bias", hardware=True)
    points = [PointTaken(k, float(k), (setpoints[k],), (found[k],)) for k in range(len(setpoints))]
    said = {"modulation": ParameterValue(1e-4, "V", "")}
    channel = Channel("conductance", "S", "dI/dV")
    return write(path, "setpoint_ramp", "2024-01-04T10:00:00+00:00", axes, points, parameters=said, channel=channel)


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch):
    """Nobody types on, no folder changes once more: what the window would wait for."""
    monkeypatch.setattr("stmlab.gui.data.catalogue._TYPED", 0)
    monkeypatch.setattr("stmlab.gui.data.catalogue._SETTLED", 0)
    monkeypatch.setattr("stmlab.gui.data.replay._INTERVAL", 5)


@pytest.fixture(scope="session")
def four_files(tmp_path_factory):
    """Written once; nobody changes them."""
    found = tmp_path_factory.mktemp("four") / "runs"
    found.mkdir()
    spectrum(found / "early.h5")
    spectrum(found / "late.h5", rate=4e9, date="2024-01-02T10:00:00+00:00", seed=2, sample="ti_atom")
    shutil.copy(RECORDED, found / "recorded.dat")
    (found / "broken.h5").write_bytes(b"\x89HDF\r\n\x1a\n and no more")
    return found


@pytest.fixture
def folder(four_files, tmp_path, monkeypatch):
    """A folder of four files; the cache of the catalogue is the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return shutil.copytree(four_files, tmp_path / "runs")


@pytest.fixture
def said(context):
    """The notices, as they come."""
    notices = []
    context.notices.said.connect(lambda notice: notices.append(str(notice)))
    return notices


def drop_files(widget, *paths):
    """As a file manager does it."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    how = Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(5, 5), *how)
    QApplication.sendEvent(widget, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(widget, QDropEvent(QPointF(5, 5), *how))
