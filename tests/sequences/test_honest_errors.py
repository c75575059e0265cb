"""Whether the fits of a ramp know how sure they are.

Without noise the transport fit finds the truth, so that nothing of the measurement (settling, modulation, setpoint) is
left in it; with the noise of the microscope it is as far off as its errors say. Steps are no whole model of such a
spectrum: where they hold, their errors do as well; where third order and pumping bend it, the doubt is raised, and
what the pull does to anisotropy and exchange is in their errors. The noise is that of the signal chain, held against a
ramp of the noisy microscope, and drawn anew on the readings of the quiet one.

A width over n seeds scatters by 1 / sqrt(2 n), a mean by 1 / sqrt(n): with 200 seeds the bounds 0.85 ... 1.15 and 0.3
are three and four such deviations away.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sequences.setpoint_ramp import SetpointRamp
from stmlab.acquisition.runner import Runner
from stmlab.analysis.ramp import exchange_of, fit_series
from stmlab.analysis.steps import fit_steps
from stmlab.analysis.transport import fit_transport
from stmlab.lowpass import noise_bandwidth
from stmlab.simulation.config import SimulationConfig
from stmlab.station import Station
from stmlab.storage import open_run
from tests.repetitions import drawn
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

    def pulls(self, seeds: int) -> tuple[FloatArray, int]:
        """(fitted - true) / error, shape (seeds, parameters); how many ramps are said to have a structure."""
        conductances = {p.name: p.value for p in self.fit(self.conductance).parameters if "conductance_" in p.name}
        truth, rows, structured = TRUTH | conductances, [], 0
        for seed in range(seeds):
            fit = self.fit(self.drawn(seed))
            rows.append([(fit[name].value - value) / fit[name].error for name, value in truth.items()])
            structured += any("structure" in warning for warning in fit.warnings)
        return np.array(rows), structured

    def spectra(self) -> list[Spectrum]:
        """One by one."""
        biases, readings, noises = (
            [column[self.setpoint == one] for one in np.unique(self.setpoint)]
            for column in (self.bias, self.conductance, self.noise)
        )
        return [Spectrum(*columns, self.modulation) for columns in zip(biases, readings, noises, strict=True)]


@dataclass(frozen=True)
class Spectrum:
    """Bias in V, dI/dV in S and its noise."""

    bias: FloatArray
    conductance: FloatArray
    noise: FloatArray
    modulation: float

    def steps(self, conductance: FloatArray, method: str = "steps") -> FitResult:
        known = {"temperature_K": TRUTH["temperature_K"]} if method == "steps" else {}
        return fit_steps(self.bias, conductance, modulation_V=self.modulation, method=method, **known)

    def of_steps(self, method: str) -> FloatArray:
        """A spectrum that has the steps of this one, as the method has them, and nothing else."""
        return self.steps(self.conductance, method).curves["fit"]

    def noisy(self, conductance: FloatArray, seed: int, times: float = 1.0) -> FloatArray:
        return conductance + times * self.noise * np.random.default_rng(seed).standard_normal(self.noise.size)

    def pulls(self, seeds: int, method: str = "steps", times: float = 1.0) -> tuple[FloatArray, int]:
        """Of steps that hold, as `Ramp.pulls`."""
        even, rows, structured = self.of_steps(method), [], 0
        true = self.steps(even, method)
        for seed in range(seeds):
            fit = self.steps(self.noisy(even, seed, times), method)
            rows.append([(fit[name].value - true[name].value) / fit[name].error for name in READ])
            structured += any("not white" in warning for warning in fit.warnings)
        return np.array(rows), structured


READ = ("inner_energy", "outer_energy", "eta_inner", "eta_outer", "background")


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


@pytest.fixture(scope="module")
def quiet(tmp_path_factory):
    return measured(tmp_path_factory.mktemp("quiet"), noise=False, conductances=4, points=61)


@pytest.mark.slow
def test_a_ramp_without_noise_is_fitted_at_the_truth(quiet):
    found, noisy = quiet.fit(quiet.conductance), [quiet.fit(quiet.drawn(seed)) for seed in range(2)]
    for name, value in TRUTH.items():
        assert abs(found[name].value - value) < 0.3 * noisy[0][name].error, name
    pulls = [(fit[name].value - value) / fit[name].error for fit in noisy for name, value in TRUTH.items()]
    assert 0.6 < math.sqrt(np.mean(np.square(pulls))) < 1.5
    assert not any("structure" in warning for fit in noisy for warning in fit.warnings)


def test_a_ramp_whose_third_order_is_left_out_has_a_structure(quiet):
    fit = fit_transport(
        quiet.bias, quiet.drawn(0), quiet.setpoint, modulation_V=quiet.modulation, order=2, exchange=["heisenberg"]
    )
    assert any("4 of 4 spectra has a structure" in warning for warning in fit.warnings)


@pytest.mark.slow
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


def test_steps_are_as_far_off_as_their_errors_say_where_they_hold(quiet):
    pulls, structured = quiet.spectra()[2].pulls(40)
    assert np.all(np.abs(pulls.mean(axis=0)) < 0.6)
    assert 0.85 < math.sqrt(np.mean(pulls**2)) < 1.15
    assert structured <= 1


@pytest.mark.parametrize("method", ["steps", "gaussians"])
@drawn(1, of=3)
def test_where_third_order_bends_a_spectrum_its_steps_are_doubted(quiet, method, times):
    for spectrum in quiet.spectra():
        for seed in range(times):
            fit = spectrum.steps(spectrum.noisy(spectrum.conductance, seed), method)
            assert any("not white" in warning for warning in fit.warnings)


@pytest.mark.slow
def test_anisotropy_read_off_steps_is_pulled_and_its_error_holds_the_pull(quiet):
    for seed in range(3):
        series = fit_series(
            quiet.bias, quiet.drawn(seed), quiet.setpoint, temperature_K=2.0, modulation_V=quiet.modulation
        )
        fit = exchange_of(series)
        assert any("third order" in warning and "pull" in warning for warning in fit.warnings)
        for name in ("axial_anisotropy_meV", "transverse_anisotropy_meV"):
            assert 0.5 < abs(fit[name].value - TRUTH[name]) / fit[name].error < 1.5


@pytest.mark.slow
def test_every_parameter_of_a_ramp_is_as_far_off_as_its_error_says(quiet):
    pulls, structured = quiet.pulls(SEEDS)
    check(pulls)
    assert structured < 0.03 * SEEDS  # one ramp in a hundred is meant to be


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "times", "widest"), [("steps", 1.0, 1.15), ("steps", 10.0, 1.2), ("gaussians", 1.0, 1.15)]
)
def test_every_parameter_of_steps_is_as_far_off_as_its_error_says(quiet, method, times, widest):
    """At ten times the noise slopes of the plateaus at 20 nS can be neither shown nor ruled out: that widens pulls."""
    for spectrum in quiet.spectra():
        pulls, structured = spectrum.pulls(SEEDS, method, times)
        check(pulls, widest)
        assert structured <= 0.015 * SEEDS


SEEDS = 200


def check(pulls: FloatArray, widest: float = 1.15) -> None:
    widths = pulls.std(axis=0, ddof=1)
    assert np.all(np.abs(pulls.mean(axis=0)) < 0.3), pulls.mean(axis=0)
    assert np.all((widths > 0.85) & (widths < widest)), widths
