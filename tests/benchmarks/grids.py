"""A grid of spectra, from the file to the maps, beside a loop of scipy's least squares.

The grid is a Nanonis file of 64 x 64 spectra of 161 points with two pairs of steps; ours reads it and fits every
spectrum with nine parameters, the loop fits the same nine with `least_squares` and their Jacobian, and reads nothing.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
from scipy.optimize import least_squares

sys.path.insert(0, str(Path(__file__).parents[2]))
from stmlab.analysis.fitting import fit_grid
from stmlab.analysis.steps.shapes import StepShape
from tests.benchmarks.side_by_side import Row, cpu_seconds, report
from tests.storage.importers.samples import CHANNELS, grid_bytes, grid_header

SIDE, POINTS, PEERS = 64, 161, 256
BIAS, SHAPE = np.linspace(-8e-3, 8e-3, POINTS), StepShape(1.0, 0.2e-3)
X = 1e3 * BIAS
FREE = (
    "inner_energy",
    "outer_energy",
    "bias_offset",
    "background",
    "inner_height_negative",
    "inner_height_positive",
    "outer_height_negative",
    "outer_height_positive",
    "background_slope",
)
UNITS = np.array([1, 1, 1e3, 1, 1, 1, 1, 1, 1e-3])  # V and 1/V to meV
LEAST, LARGEST_DEVIATION = 4.0, 1e-3


def places(p: np.ndarray) -> tuple[np.ndarray, ...]:
    """Where the four steps stand."""
    x = X - p[2]
    return (-x - p[0], x - p[0], -x - p[1], x - p[1])


def model(p: np.ndarray) -> np.ndarray:
    """Two pairs of steps on a sloping background."""
    steps = (height * SHAPE.step(at) for height, at in zip(p[4:8], places(p), strict=True))
    return p[3] + p[8] * X + sum(steps)


def jacobian(p: np.ndarray) -> np.ndarray:
    """Derivatives of the model by its nine parameters."""
    slopes = [-height * SHAPE.slope(at) for height, at in zip(p[4:8], places(p), strict=True)]
    offset = slopes[1] - slopes[0] + slopes[3] - slopes[2]
    steps = map(SHAPE.step, places(p))
    return np.column_stack([slopes[0] + slopes[1], slopes[2] + slopes[3], offset, np.ones_like(X), *steps, X])


def grid(folder: Path) -> tuple[Path, np.ndarray]:
    """The file, and its spectra as 4-byte numbers keep them."""
    random, count = np.random.default_rng(4), SIDE * SIDE
    truth = np.column_stack([random.uniform(1.1, 1.3, count), random.uniform(3.2, 3.9, count), np.full(count, 0.05)])
    truth = np.column_stack([truth, random.uniform(0.2, 0.6, (count, 5)), random.uniform(-0.01, 0.01, count)])
    spectra = np.array([model(p) for p in truth]) + 0.02 * random.standard_normal((count, POINTS))
    values = np.zeros((SIDE, SIDE, len(CHANNELS), POINTS))
    values[:, :, 1] = spectra.reshape(SIDE, SIDE, POINTS)
    channels = '"Current (A);LI Demod 1 X (V);Z (m)"'
    path = folder / "grid.3ds"
    path.write_bytes(grid_bytes(values, grid_header(SIDE, SIDE, POINTS, Channels=channels)))
    return path, spectra.astype(">f4").astype(float)


def grids() -> Row:
    """Import and fit of the grid."""
    with tempfile.TemporaryDirectory() as folder:
        path, spectra = grid(Path(folder))
        settings = {"temperature": 1.0, "modulation": 0.2e-3}
        found = fit_grid(path, "steps", **settings)["forward"]
        ours = min(cpu_seconds(lambda: fit_grid(path, "steps", **settings)))
    begin = (1.2, 3.55, 0.0, 0.4, 0.4, 0.4, 0.4, 0.4, 0.0)
    peers = list[np.ndarray]()

    def loop() -> None:
        peers[:] = [least_squares(lambda p, y=y: model(p) - y, begin, jacobian, method="lm").x for y in spectra[:PEERS]]

    theirs = cpu_seconds(loop, 1)[0] * len(spectra) / PEERS
    values, errors = (np.stack([found[name][k].ravel()[:PEERS] for name in FREE], axis=1) * UNITS for k in (0, 1))
    deviation = float((np.abs(values - np.array(peers)) / errors).max())
    wrong = "" if deviation < LARGEST_DEVIATION and found.ok.all() else f"{deviation:.1e} standard errors apart"
    note = f"{SIDE} x {SIDE} spectra of {POINTS} points, within {deviation:.1e} standard errors; the loop by {PEERS}"
    name = "scipy least_squares, Jacobian"
    return Row("import and fit of a grid, steps", ours, theirs, name, LEAST, wrong=wrong, note=note)


if __name__ == "__main__":
    sys.exit(report([grids()]))
