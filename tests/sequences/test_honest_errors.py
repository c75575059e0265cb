"""Whether the transport fit of a ramp knows how sure it is.

Without noise it finds the truth, so that nothing of the measurement (settling, modulation, setpoint) is left in it;
with the noise of the microscope it is as far off as its errors say. The noise is that of the signal chain, held against
a ramp of the noisy microscope, and drawn anew on the readings of the quiet one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sequences.setpoint_ramp import SetpointRamp
from stmlab.acquisition.runner import Runner
from stmlab.analysis.transport import fit_transport
from stmlab.lowpass import noise_bandwidth
from stmlab.simulation.config import SimulationConfig
from stmlab.station import Station
from stmlab.storage import open_run
from tests.sequences.lines import CONFIG, SECTIONS

if TYPE_CHECKING:
    from pathlib import Path

    from stmlab.arrays import FloatArray
    from stmlab.results import FitResult

TRUTH = {
    "axial_anisotropy_meV": -4.2,
    "transverse_anisotropy_meV": 0.87,
    "exchange_slope_meV_per_uS": 3.6,
    "correlation": -0.5,
    "kondo_coupling": -0.05,
    "bias_offset": 0.0,
    "temperature_K": 2.0,
}


class Unfitted(SetpointRamp):
    def analyse(self, run):
        return None


@dataclass(frozen=True)
class Ramp:
    """Columns of a run, and the standard deviation of each dI/dV that the signal chain makes, S."""

    bias: FloatArray
    conductance: FloatArray
    setpoint: FloatArray
    modulation: float
    noise: FloatArray

    def fit(self, conductance: FloatArray) -> FitResult:
        return fit_transport(
            self.bias, conductance, self.setpoint, modulation_V=self.modulation, exchange=["heisenberg"]
        )

    def drawn(self, seed: int) -> FloatArray:
        """Readings with noise."""
        return self.conductance + self.noise * np.random.default_rng(seed).standard_normal(self.noise.size)

    def pulls(self, seeds: int) -> FloatArray:
        """(fitted - true) / error, shape (seeds, parameters)."""
        rows = []
        for seed in range(seeds):
            fit = self.fit(self.drawn(seed))
            rows.append([(fit[name].value - value) / fit[name].error for name, value in TRUTH.items()])
        return np.array(rows)


def measured(folder: Path, *, noise: bool, **parameters: Any) -> Ramp:
    text = (CONFIG / "simulated.toml").read_text(encoding="utf-8")
    sections = [str(CONFIG / "transfer" / name) for name in ("line.csv", "bias_tee.s2p")]
    assert SECTIONS in text
    text = text.replace(SECTIONS, f"sections = {sections}").replace(
        "[simulation.options]", f"[simulation.options]\nnoise = {str(noise).lower()}"
    )
    (folder / "station.toml").write_text(text, encoding="utf-8")
    sequence = Unfitted(start_conductance=20e-9, stop_conductance=600e-9, **parameters)
    with Station.load(str(folder / "station.toml"), sample="coh_afm_tip", seed=3) as station:
        Runner(sequence, station, folder / "run.h5").run()
        volts_per_siemens = sequence._volts_per_siemens()
    run, config = open_run(folder / "run.h5"), SimulationConfig()
    setpoints, biases = (axis.values for axis in run.axes)
    roll_off = abs(config.preamplifier.roll_off(np.array([float(sequence.modulation_frequency)]))[0])
    shot = [config.preamplifier.gain * config.preamplifier.current_noise(one) for one in run.grid("current").ravel()]
    density = np.hypot(roll_off * np.array(shot), config.lockin_input_noise)
    bandwidth = noise_bandwidth(sequence.time_constant, sequence.filter_slope)
    return Ramp(
        np.tile(biases, setpoints.size),
        run.grid("conductance").ravel(),
        np.repeat(setpoints, biases.size),
        float(run.grid("modulation").ravel()[0]),
        density * math.sqrt(bandwidth) / volts_per_siemens,
    )


def test_a_ramp_without_noise_is_fitted_at_the_truth(tmp_path):
    quiet = measured(tmp_path, noise=False, conductances=3, points=41)
    found, noisy = quiet.fit(quiet.conductance), quiet.fit(quiet.drawn(0))
    for name, value in TRUTH.items():
        assert abs(found[name].value - value) < 0.3 * noisy[name].error, name
    assert 0.6 < math.sqrt(np.mean(quiet.pulls(4) ** 2)) < 1.5


def test_the_noise_of_the_microscope_is_that_of_its_signal_chain(tmp_path):
    """Ten times as much at the ends of a spectrum, by shot noise, as in its middle."""
    (tmp_path / "noisy").mkdir()
    quiet = measured(tmp_path, noise=False, conductances=2, points=61)
    noisy = measured(tmp_path / "noisy", noise=True, conductances=2, points=61)
    # The setpoint is not exactly the same: the noisy feedback finds its own height.
    spectra = [np.split(one, 2) for one in (noisy.conductance, quiet.conductance, quiet.noise)]
    left = [(a - b * float(a @ b) / float(b @ b)) / n for a, b, n in zip(*spectra, strict=True)]
    assert 0.8 < float(np.std(np.concatenate(left))) < 1.2
    assert quiet.noise.max() > 5 * quiet.noise.min()


@pytest.mark.slow
def test_every_parameter_of_a_ramp_is_as_far_off_as_its_error_says(tmp_path):
    pulls = measured(tmp_path, noise=False, conductances=7, points=81).pulls(30)
    assert np.all(np.abs(pulls.mean(axis=0)) < 0.6)
    assert np.all((pulls.std(axis=0, ddof=1) > 0.65) & (pulls.std(axis=0, ddof=1) < 1.35))
