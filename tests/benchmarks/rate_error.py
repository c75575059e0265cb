"""How honest and how good is the error of a rate: 60 seeds of the SRS run on the simulated microscope.

``--seeds 200`` takes two minutes of the processor, and says the part within one error to 3 % instead of 6 %.

Printed: how often the true rate lies within one quoted standard error (68 % is right), and the quoted and the really
scattered error over the statistical bound for that grid and noise (the Cramer-Rao bound of eq. 1 with white noise of
the scatter that repeated readings of one point show).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sequences.srs import StochasticResonance

sys.path.insert(0, str(Path(__file__).parents[2]))
from stmlab.acquisition.runner import Runner
from stmlab.analysis.lorentzian import rate_error_bound
from stmlab.station import Station
from stmlab.storage import open_run
from tests.benchmarks.side_by_side import Row, report


@dataclass(frozen=True)
class Study:
    """What the runs of one sample came to."""

    true: float
    rates: np.ndarray
    errors: np.ndarray
    bound: float

    @property
    def coverage(self) -> float:
        """Part of the runs whose quoted error covers the truth."""
        return float(np.mean(np.abs(self.rates - self.true) <= self.errors))


def study(sample: str, seeds: int, **parameters: float) -> Study:
    """Run and fit ``seeds`` times; the noise is the scatter of the currents over seeds, point by point."""
    rates, errors, currents = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(seeds):
            path = Path(folder) / f"{seed}.h5"
            sequence = StochasticResonance(**parameters)
            with Station.load("simulated", sample=sample, seed=seed) as station:
                outcome = Runner(sequence, station, path).run()
                true = station.simulation.sample.true_rate(sequence.dc_bias, sequence.amplitude)
            run = open_run(path)
            currents.append(run.data["current"])
            rates.append(outcome.fits[0]["rate"].value)
            errors.append(outcome.fits[0]["rate"].error)
            path.unlink()
    spectra = np.array(currents)
    sigma = float(np.sqrt(np.mean(np.var(spectra, axis=0, ddof=1))))
    step = float(np.mean(spectra[:, :3]) - np.mean(spectra[:, -3:]))
    bound = rate_error_bound(run.coordinates["frequency"], true, step, sigma)
    return Study(true, np.array(rates), np.array(errors), bound)


def main() -> int:
    """Print a line per sample; the rows compare the quoted error with the bound of Cramer and Rao."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--seeds", type=int, default=60)
    seeds = arguments.parse_args().seeds
    rows = []
    for sample, parameters in {
        "fe_atom": {},
        "fe_chain_of_four": {"amplitude": 1.4e-3, "start_frequency": 1.4e3, "stop_frequency": 1e6},
    }.items():
        s = study(sample, seeds, **parameters)
        print(
            f"{sample:18} true {s.true:.4g}/s, mean {s.rates.mean():.4g}/s; within one error {100 * s.coverage:.1f} % "
            f"of {seeds}; quoted error / bound {np.median(s.errors) / s.bound:.3f}, "
            f"scatter / bound {s.rates.std(ddof=1) / s.bound:.3f}; error {100 * np.median(s.errors) / s.true:.2f} %"
        )
        quoted = float(np.median(s.errors) / s.true)
        note = f"{100 * s.coverage:.0f} % of {seeds} seeds within one error"
        rows.append(
            Row(f"relative error of a rate, {sample}", quoted, s.bound / s.true, "least possible", unit="", note=note)
        )
    return report(rows)


if __name__ == "__main__":
    sys.exit(main())
