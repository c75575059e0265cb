"""One small file of every format that is imported, made here; what is in it is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import h5py
import numpy as np

from stmlab.analysis.steps.shapes import StepShape
from stmlab.storage.exporters import export

if TYPE_CHECKING:
    from pathlib import Path

    from stmlab.arrays import FloatArray

BIAS = np.linspace(-8e-3, 8e-3, 17)
CHANNELS = ("Current (A)", "LI Demod 1 X (V)", "LI Demod 1 X [bwd] (V)")
PARAMETERS = ("Sweep Start", "Sweep End", "X (m)", "Y (m)", "Z (m)")


def curves(rows: int = 2, columns: int = 3, points: int = BIAS.size) -> FloatArray:
    """Shape (rows, columns, channels, points): every number says where it stands."""
    shape = (rows, columns, len(CHANNELS), points)
    return np.arange(1, np.prod(shape) + 1, dtype=float).reshape(shape)


def grid_header(columns: int, rows: int, points: int, **changed: str | None) -> str:
    """Of a ``.3ds`` grid; ``changed`` replaces a line by the first word of its key, None takes it out."""
    lines = {
        "Grid dim": f'"{columns} x {rows}"',
        "Grid settings": "0E+0;0E+0;5E-9;4E-9;0E+0",
        "Filetype": "Linear",
        "Sweep Signal": '"Bias (V)"',
        "Fixed parameters": '"Sweep Start;Sweep End"',
        "Experiment parameters": '"X (m);Y (m);Z (m)"',
        "# Parameters (4 byte)": "5",
        "Experiment size (bytes)": str(4 * points * len(CHANNELS)),
        "Points": str(points),
        "Channels": f'"{";".join(CHANNELS)}"',
        "Lock-in>Amplitude": "200E-6",
    }
    lines |= {key: value for key, value in changed.items() if value is not None}
    kept = {key: value for key, value in lines.items() if key not in changed or changed[key] is not None}
    return "".join(f"{key}={value}\r\n" for key, value in kept.items()) + ":HEADER_END:\r\n"


def grid_bytes(values: FloatArray, header: str | None = None, ends: tuple[float, float] = (-8e-3, 8e-3)) -> bytes:
    """A ``.3ds`` grid of values (rows, columns, channels, points); x and y in nanometres are the place."""
    rows, columns, _, points = values.shape
    blocks = []
    for row in range(rows):
        for column in range(columns):
            place = [*ends, 1e-9 * column, 1e-9 * row, 5e-10]
            blocks.append(np.concatenate([place, values[row, column].ravel()]))
    text = header if header is not None else grid_header(columns, rows, points)
    return text.encode() + np.array(blocks, dtype=">f4").tobytes()


def write_step_grid(path: Path, rows: int = 3, columns: int = 4) -> None:
    """A grid of steps at 1.2 and, falling from column to column, 3.8 meV; the last place is missing."""
    bias, shape = np.linspace(-8e-3, 8e-3, 121), StepShape(1.0)
    values = np.zeros((rows, columns, len(CHANNELS), bias.size))
    for column in range(columns):
        energies = ((0.3, 1.2), (0.5, 3.8 - 0.1 * column))
        steps = [height * shape.step(side * 1e3 * bias - e) for height, e in energies for side in (-1, 1)]
        values[:, column] = 1.0 + sum(steps)
    values += 0.005 * np.random.default_rng(3).standard_normal(values.shape)
    values[:, :, 0] = 1e-10 * np.cumsum(values[:, :, 1], axis=-1)
    path.write_bytes(grid_bytes(values, grid_header(columns, rows, bias.size))[:-10])


def write_nexus(path: Path, values: FloatArray, *, axes: dict[str, FloatArray], units: str = "A") -> None:
    """An NXdata with errors behind a chain of defaults."""
    with h5py.File(path, "w") as file:
        file.attrs["default"] = "entry"
        entry = file.create_group("entry")
        entry.attrs.update(NX_class="NXentry", default="data")
        entry["title"] = "a spectrum"
        entry["temperature"] = 1.2
        entry["temperature"].attrs["units"] = "K"
        data = entry.create_group("data")
        data.attrs.update(NX_class="NXdata", signal="current", axes=list(axes))
        for name, axis in axes.items():
            data[name] = axis
            data[name].attrs["units"] = "V"
        data["current"] = values
        data["current"].attrs["units"] = units
        data["current_errors"] = 0.1 * values


def write_samples(folder: Path) -> list[Path]:
    """One file of every format."""
    current = 1e-9 * np.sin(np.arange(BIAS.size))
    table = np.column_stack([BIAS, current])
    text = {
        "spectrum.dat": "Experiment\tbias spectroscopy\t\nUser\tme\t\n\n[DATA]\nBias calc (V)\tCurrent [AVG] (A)\n"
        + "".join(f"{v:.7E}\t{i:.7E}\n" for v, i in table),
        "trace.VERT": "[ParVERT30]\nDAC-Type=20bit\nGainpreamp / GainPre 10^=9\nSpecFreq=1000.0\nDATA\n"
        f"   {BIAS.size}  10  20  1\n"
        + "".join(f"{k}\t{1e3 * v:.4f}\t0\t{1e12 * i:.3f}\n" for k, (v, i) in enumerate(table)),
        "table.csv": "# sample: here\nBias (V),Current (A)\n" + "".join(f"{v},{i}\n" for v, i in table),
        "table.tsv": "Bias (mV)\tCurrent (pA)\n" + "".join(f"{1e3 * v}\t{1e12 * i}\n" for v, i in table),
        "results.csv": "#Procedure: <lab.Sweep>\n#Parameters:\n#\tGain: 1e9 V/A\n#Data:\nBias (V),Current (A)\n"
        + "".join(f"{v},{i}\n" for v, i in table),
    }
    for name, content in text.items():
        (folder / name).write_text(content)
    (folder / "grid.3ds").write_bytes(grid_bytes(curves()))
    write_nexus(folder / "spectrum.nxs", current, axes={"bias": BIAS})
    write_nexus(folder / "map.nxs", curves()[:, 0, 0], axes={"place": np.arange(2.0), "bias": BIAS})
    np.save(folder / "table.npy", table)
    np.savez(folder / "table.npz", bias=BIAS, current=current)
    np.savez_compressed(folder / "packed.npz", bias=BIAS, current=current)
    export(folder / "spectrum.dat", "netcdf")
    export(folder / "grid.3ds", "netcdf")
    return sorted(folder.iterdir())
