"""The transport fit of a ramp beside the base build, and of a spectrum that asks for more third order than there is.

The spectra are the model's own at the setpoints of `stmlab demo`, with the shot noise of their currents. Where both
builds' parameters differ, the model itself, without the axis and the spline on which either computes it, says which of
them describe the spectra better.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))
from stmlab.analysis.transport.model import SpinParameters, SpinSetting, junction, spectra
from stmlab.physics.coupled_tip import ExchangeKind
from tests.benchmarks.base_build import NAME, NoBase, run_here, run_job
from tests.benchmarks.side_by_side import Row, report

FASTER, SLOWER, SAME = 8.0, 3.0, 1e-3  # times, times, standard errors
MODULATION_V = 0.2e-3


def ramp() -> dict[str, np.ndarray | float]:
    """Seven spectra of 101 points."""
    random, bias, setpoints = np.random.default_rng(5), np.linspace(-10e-3, 10e-3, 101), np.linspace(20e-9, 600e-9, 7)
    setting = SpinSetting(ExchangeKind.HEISENBERG, modulation_V=MODULATION_V, order=3)
    spins = SpinParameters(-4.2, 0.87, 2.0, 3.6, -0.5, -0.05)
    clean = spectra(setting, spins, 1.2 * setpoints, bias)
    noise = 3e-10 * np.sqrt((0.02 + np.abs(bias) / bias.max()) * setpoints[:, None] / setpoints.max())
    noisy = clean + noise * random.standard_normal(clean.shape)
    return {
        "bias": np.tile(bias, 7),
        "conductance": noisy.ravel(),
        "setpoint": np.repeat(setpoints, bias.size),
        "modulation": MODULATION_V,
    }


def single(overshoot: float) -> dict[str, np.ndarray | float]:
    """A spectrum of 1,228 points; peaks on its steps, as a share of them, draw third order beyond its range."""
    random, bias = np.random.default_rng(1), np.linspace(-30e-3, 30e-3, 1228)
    setting = SpinSetting(modulation_V=MODULATION_V, order=3)
    clean = spectra(setting, SpinParameters(-7.0, 1.0, 4.0, 0.0, 0.0, -0.05, 0.3), np.array([1e-9]), bias)[0]
    peaks = np.exp(-(((np.abs(bias) - 8e-3) / 1.5e-3) ** 2)) * np.ptp(clean)
    noisy = (clean + overshoot * peaks) * (1 + 0.01 * random.standard_normal(bias.size))
    return {"bias": bias, "conductance": noisy, "setpoint": np.full(bias.size, 1e-9), "modulation": MODULATION_V}


def deviance(parameters: dict[str, list[float]]) -> float:
    """Of the ramp's spectra from the model at these parameters: -2 ln of the likelihood, but for a constant."""
    data, values = ramp(), {name: value for name, (value, _) in parameters.items()}
    setting = SpinSetting(ExchangeKind.HEISENBERG, modulation_V=MODULATION_V, order=3)
    known = SpinParameters.__dataclass_fields__
    spins = SpinParameters(**{name: value for name, value in values.items() if name in known})
    total = 0.0
    for k, spectrum in enumerate(np.split(np.asarray(data["conductance"]), 7)):
        bias = np.asarray(data["bias"])[: spectrum.size] - spins.bias_offset
        model = junction(setting, spins, values[f"conductance_{k + 1}"]).conductance(bias, MODULATION_V)
        total += spectrum.size * np.log(np.mean((model - spectrum) ** 2))
    return float(total)


def main() -> int:
    """Two rows."""
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: Path(folder, f"{name}.npz") for name in ("ramp", "alike", "beyond")}
        for path, data in zip(paths.values(), (ramp(), single(0.0), single(0.5)), strict=True):
            np.savez(path, **data)  # type: ignore[arg-type]
        ours, alike, beyond = (run_here("transport", path) for path in paths.values())
        work = "transport fit of a spectrum of 1,228 points that asks for more third order than there is"
        rows = [Row(work, beyond["seconds"], alike["seconds"], "one of the model's own", 1 / SLOWER)]
        work = "transport fit of a ramp, 7 conductances, 707 points"
        try:
            theirs = run_job("transport", paths["ramp"])
        except NoBase as why:
            return report([Row(work, ours["seconds"], None, NAME, note=str(why)), *rows])
    apart = max(
        abs(value - theirs["parameters"][name][0]) / theirs["parameters"][name][1]
        for name, (value, _) in ours["parameters"].items()
    )
    better = deviance(theirs["parameters"]) - deviance(ours["parameters"])
    wrong = "" if apart < SAME or better > 0.0 else f"parameters {apart:.1g} standard errors apart, chi square worse"
    note = f"parameters within {apart:.0e} standard errors, chi square lower by {better:.1e}"
    return report([Row(work, ours["seconds"], theirs["seconds"], NAME, FASTER, wrong=wrong, note=note), *rows])


if __name__ == "__main__":
    sys.exit(main())
