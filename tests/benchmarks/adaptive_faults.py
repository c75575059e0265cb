"""Measuring less where the line is not what the run supposes: is it doubted or refused, with the right sentence?

On the emulator of adaptive.py, counted over ``--samples`` runs: strong modulation (A = Gamma), a line with 3 % of
ripple beside the grid with as many readings as it needs for the same error, 1/f noise of the gain, no step, a rate
outside the band, a jump of the tip in the middle, readings that something disturbed. What gives no number must give
none: neither within the allowed readings nor after them.
"""

from __future__ import annotations

import math
import re
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))
from stmlab.analysis.adaptive.forecast import ExpectedLine
from stmlab.analysis.adaptive.posterior import resonance
from stmlab.analysis.adaptive.scale_choice import RESONANCE_CHECKS, ScaleChoice
from stmlab.analysis.lorentzian import fit_srs
from stmlab.errors import FitError
from tests.benchmarks.adaptive import BAND, HALF_A_DECADE, Cell, Found, alone, run, stream, verdict
from tests.benchmarks.side_by_side import Row

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.benchmarks.adaptive import Line, Task

    Wave = Callable[[np.ndarray], np.ndarray]
    Reading = Callable[[float, int], float]
    """Signal and disturbance, without noise, of the n-th reading at x."""

LOW, HIGH = (math.log(2 * math.pi * f) for f in BAND)
SNR, TARGET, MOST = 30.0, 0.01, 2_000
RIPPLE, GAIN_NOISE = 0.03, 0.01


def adaptive_run(
    read: Reading, noise: np.random.Generator, seed: int, most: int = MOST
) -> tuple[np.ndarray, np.ndarray, ScaleChoice]:
    """One run: places, readings, and the choice, which knows why it ended."""
    choice, number = ScaleChoice(resonance, LOW, HIGH, TARGET, RESONANCE_CHECKS, most, seed), iter(range(10 * most))
    x, y = run(choice, LOW, HIGH, lambda x: 2 + read(x, next(number)) + noise.normal(), Cell())
    return x, y, choice


def rates_of(samples: int) -> list[tuple[int, float, np.random.Generator]]:
    """Number, ln Gamma and noise of each run."""
    chance = stream(17)
    return [
        (seed, float(chance.uniform(LOW + HALF_A_DECADE, HIGH - HALF_A_DECADE)), stream(17, seed))
        for seed in range(samples)
    ]


def is_doubted(x: np.ndarray, y: np.ndarray) -> bool:
    """Whether the verdict has a warning, or refuses."""
    try:
        return bool(verdict(x, y, TARGET).warnings)
    except FitError:
        return True


# -- doubted -----------------------------------------------------------------------------------------------------------


def strongly_driven() -> Line:
    """L(x, u) of a rate that is modulated by as much as it is."""
    from tests.analysis.test_lorentzian import distorted

    away = np.linspace(-12, 12, 600)
    line = distorted(1.0, np.exp(away) / (2 * np.pi))
    line = (line - line[-1]) / (line[0] - line[-1])
    return lambda x, u: np.interp(x - u, away, line)


def strong(samples: int) -> Found:
    """Eq. 1 reads a rate that is 18 % too low."""
    line, doubted = strongly_driven(), 0
    for seed, u, noise in rates_of(samples):
        x, y, choice = adaptive_run(lambda x, _, u=u: SNR * float(line(np.array(x), np.array(u))), noise, seed)
        doubted += bool(choice.ended) or is_doubted(x, y)
    found = 100 * doubted / samples
    return Found([Row("strong modulation doubted", 95.0, found, "found", target=1.0, unit="of 100")])


def ripple(samples: int) -> Found:
    """Of random period and phase, on the scale of ln f and on that of f: a standing wave on half a metre or less.

    The grid has as many readings as give it the same error.
    """
    rows = []
    for name, kind in (("ln f", _on_logarithm), ("f", _on_frequency)):
        ours = grids = 0
        chance, grid = stream(23), np.linspace(LOW, HIGH, 60)
        for seed, u, noise in rates_of(samples):
            wave = kind(chance)

            def signal(x: np.ndarray, u: float = u, wave: Wave = wave) -> np.ndarray:
                return SNR * resonance(x, np.array(u)) * (1 + RIPPLE * wave(x))

            x, y, choice = adaptive_run(lambda x, _, signal=signal: float(signal(np.array(x))), noise, seed)
            ours += bool(choice.ended) or is_doubted(x, y)
            expected = ExpectedLine(resonance, math.exp(u), SNR, RESONANCE_CHECKS)
            readings = expected.grid_readings(grid, TARGET, len(grid))
            averaged = signal(grid) + noise.normal(size=60) / math.sqrt(max(1, round(readings / 60)))
            grids += _grid_doubts(np.exp(grid) / (2 * math.pi), averaged)
        per = 100 / samples
        work = f"3 % ripple over {name} doubted: grid"
        spread = math.sqrt(per * (2 - per * (ours + grids) / 100) / max(per * (ours + grids), 1.0))
        rows.append(Row(work, per * max(grids, 1), per * ours, "adaptive", target=1.0, unit="of 100", spread=spread))
    return Found(rows)


def _on_logarithm(chance: np.random.Generator) -> Wave:
    wave, phase = 2 * math.pi / chance.uniform(0.7, 2.5), chance.uniform(0, 2 * math.pi)
    return lambda x: np.cos(wave * x + phase)


def _on_frequency(chance: np.random.Generator) -> Wave:
    delay, phase = chance.uniform(0.5e-9, 3e-9), chance.uniform(0, 2 * math.pi)
    return lambda x: np.cos(np.exp(x) * delay + phase)


def _grid_doubts(frequency: np.ndarray, current: np.ndarray) -> bool:
    try:
        return bool(fit_srs(frequency, current).warnings)
    except FitError:
        return True


def gain_noise(samples: int) -> Found:
    """The error that is reported beside the one that is."""
    away, reported = [], []
    for seed, u, noise in rates_of(samples):
        gain = 1 + GAIN_NOISE * pink(8192, stream(29, seed))
        x, y, _ = adaptive_run(
            lambda x, n, u=u, g=gain: SNR * g[n] * float(resonance(np.array(x), np.array(u))), noise, seed
        )
        try:
            rate = verdict(x, y, TARGET)["rate"]
        except FitError:
            continue
        away.append(math.log(rate.value) - u)
        reported.append(rate.error / rate.value)
    ours = float(np.sqrt(np.mean(np.square(away))) / np.sqrt(np.mean(np.square(reported))))
    note = f"{samples - len(away)} of {samples} refused"
    work = "1/f gain noise of 1 %: rms error over reported"
    return Found([Row(work, ours, 1.5, "allowed", target=1.0, unit="", note=note)])


def pink(number: int, chance: np.random.Generator) -> np.ndarray:
    """Noise of spectral density 1/f, of standard deviation 1."""
    spectrum = np.fft.rfft(chance.normal(size=number))
    spectrum[0] = 0.0
    spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
    values: np.ndarray = np.fft.irfft(spectrum, number)
    return values / values.std()


# -- no number ---------------------------------------------------------------------------------------------------------


def _refusals(
    work: str, samples: int, sentence: str, disturbed: Callable[[float, np.random.Generator], Reading]
) -> Found:
    """Count runs that end within their cap, with a sentence and without a number."""
    good, other, longest = 0, [], 0
    for seed, u, noise in rates_of(samples):
        x, y, choice = adaptive_run(disturbed(u, stream(31, seed)), noise, seed)
        longest = max(longest, len(x))
        try:
            fit = verdict(x, y, TARGET)
        except FitError as error:
            told = f"{choice.ended} {error}"
            right = bool(re.search(sentence, told)) and len(x) <= 1.06 * MOST
        else:
            told, right = f"a number: {fit['rate'].value / math.exp(u):.3f} of the rate", False
        good += right
        other += [] if right else [told]
    wrong = f"{len(other)} of {samples}: {other[0]}" if other else ""
    note = f"at most {longest} readings of {MOST}"
    return Found(
        [
            Row(
                f"{work}: the right sentence, no number",
                100.0,
                100 * good / samples,
                "found",
                1.0,
                "of 100",
                wrong=wrong,
                note=note,
            )
        ]
    )


def no_step(_: float, __: np.random.Generator) -> Reading:
    """Noise alone."""
    return lambda _x, _n: 0.0


def outside(_: float, chance: np.random.Generator) -> Reading:
    """A rate up to a decade beyond either end, or nearer than a third of a decade to it."""
    beyond = chance.uniform(-0.75, 2.3)
    u = np.array(LOW - beyond if chance.random() < 0.5 else HIGH + beyond)
    return lambda x, _: SNR * float(resonance(np.array(x), u))


def tip_jump(u: float, chance: np.random.Generator) -> Reading:
    """Step and offset are others from some reading in the middle on."""
    moment = int(chance.uniform(70, 140))
    factor, shift = math.exp(chance.choice([-1, 1]) * chance.uniform(0.2, 0.7)), SNR * chance.uniform(-0.2, 0.2)

    def read(x: float, number: int) -> float:
        signal = SNR * float(resonance(np.array(x), np.array(u)))
        return signal if number < moment else factor * signal + shift

    return read


def outliers(u: float, chance: np.random.Generator) -> Reading:
    """One to four of the first sixty readings, which nearly every run has, lie far away."""
    numbers = chance.choice(60, size=int(chance.integers(1, 5)), replace=False)
    sizes = {int(n): chance.choice([-1, 1]) * chance.uniform(8, 40) for n in numbers}
    return lambda x, n: SNR * float(resonance(np.array(x), np.array(u))) + sizes.get(n, 0.0)


def tasks(samples: int, _: int) -> list[Task]:
    """Every cell."""
    changed = r"the line has changed after|something disturbed them"
    return [
        partial(strong, samples),
        partial(ripple, samples),
        partial(gain_noise, samples),
        partial(_refusals, "no step", samples, "no step|give no rate", no_step),
        partial(_refusals, "rate outside the band", samples, "widen|no step|give no rate", outside),
        partial(_refusals, "tip jump in the middle", samples, changed, tip_jump),
        partial(_refusals, "outliers", samples, "something disturbed them", outliers),
    ]


if __name__ == "__main__":
    sys.exit(alone(tasks))
