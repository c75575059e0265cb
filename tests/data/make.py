"""Makes the small recorded files beside it, from closed forms and seeded noise: `python -m tests.data.make`.

They are the project's own, so that every copy of it has files to read. What each holds is in `TRUTH`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
KT = 0.0861733  # meV at 1 K
TRUTH = {"inner_energy": 1.2, "outer_energy": 3.8, "temperature": 1.0}
BACKWARD_OFFSET = 0.3e-3  # V, of the way back
RATE = 1.5e9  # 1/s, of the resonance line
T1 = 60e-9  # s
LEVELS, RATES, INTERVAL = (100e-12, 130e-12), (20.0, 40.0), 1e-3  # A; 1/s of leaving each; s

NANONIS = [
    ("Experiment", "bias spectroscopy"),
    ("Saved Date", "01.02.2024 10:00:00"),
    ("Bias Spectroscopy>Sweep Start (V)", "-8E-3"),
    ("Bias Spectroscopy>Sweep End (V)", "8E-3"),
    ("Bias Spectroscopy>Num Pixel", "201"),
    ("Bias Spectroscopy>Z-controller hold", "TRUE"),
    ("Lock-in>Lock-in status", "ON"),
    ("Lock-in>Modulated signal", "Bias (V)"),
    ("Lock-in>Amplitude", "10E-6"),
    ("Lock-in>Harmonic [First]", "1"),
]
CREATEC = [
    ("[ParVERT30]", None),
    ("DAC-Type", "20bit"),
    ("Gainpreamp / GainPre 10^", "9"),
    ("SpecFreq", "1000.0"),
    ("Vertchannelselectval", "3"),
]


def step(x: np.ndarray, temperature: float = TRUTH["temperature"]) -> np.ndarray:
    """A step in dI/dV at x = 0 meV as temperature broadens it (Lambe and Jaklevic, Phys. Rev. 165, 821)."""
    z = -np.clip(x / (KT * temperature), -200, 200)
    near = np.abs(z) < 1e-3
    z = np.where(near, 1.0, z)
    exact = (1 + (z - 1) * np.exp(z)) / np.expm1(z) ** 2
    return np.where(near, 0.5 + x / (6 * KT * temperature), exact)


def conductance(bias: np.ndarray, offset: float = 0.0) -> np.ndarray:
    """dI/dV in S, of two pairs of steps."""
    x = 1e3 * (bias - offset)
    steps = ((TRUTH["inner_energy"], 0.3), (TRUTH["outer_energy"], 0.5))
    return 2e-9 * (1 + sum(height * step(side * x - energy) for energy, height in steps for side in (-1, 1)))


def integral(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """From the middle of x."""
    total = np.concatenate([[0.0], np.cumsum(0.5 * (y[1:] + y[:-1]) * np.diff(x))])
    return total - total[x.size // 2]


def spectrum(seed: int, offset: float = 0.0) -> dict[str, np.ndarray]:
    """Bias (V), current (A) and the lock-in's X, Y and R (V), of 201 rows."""
    random = np.random.default_rng(seed)
    bias = np.linspace(-8e-3, 8e-3, 201)
    real = conductance(bias, offset)
    x = 6e7 * real + 4e-4 * random.standard_normal(bias.size)
    y = 3e-3 + 4e-4 * random.standard_normal(bias.size)
    return {"bias": bias, "current": integral(bias, real), "x": x, "y": y, "r": np.hypot(x, y)}


def switching(samples: int = 1500, seed: int = 5) -> np.ndarray:
    """Current of a trace, A: a Markov process of two levels, a step of which is a sample long, in white noise."""
    random = np.random.default_rng(seed)
    leaving = 1 - np.exp(-np.array(RATES) * INTERVAL)
    state, states = 0, np.zeros(samples, dtype=int)
    for k in range(samples):
        state = 1 - state if random.random() < leaving[state] else state
        states[k] = state
    return np.array(LEVELS)[states] + 3e-12 * random.standard_normal(samples)


def dat(header: list[tuple[str, str]], columns: dict[str, np.ndarray]) -> str:
    """A Nanonis file."""
    lines = [f"{key}\t{value}\t" for key, value in header] + ["", "[DATA]", "\t".join(columns)]
    lines += ["\t".join(f"{value:.7E}" for value in row) for row in np.column_stack(list(columns.values()))]
    return "\n".join(lines) + "\n"


def vert(
    rows: np.ndarray, code: int, header: list[tuple[str, str | None]] = CREATEC, counts: tuple[float, ...] = ()
) -> str:
    """A Createc file: rows of bias in mV, height and channels in converter steps."""
    lines = [key if value is None else f"{key}={value}" for key, value in header]
    lines = [line.replace("Vertchannelselectval=3", f"Vertchannelselectval={code}") for line in lines]
    lines += ["DATA", "    ".join(["", str(len(rows)), "0", "0", str(code), *map(str, counts)])]
    lines += ["\t".join([str(k), *(f"{value:.6E}" for value in row)]) for k, row in enumerate(rows)]
    return "\n".join(lines) + "\n"


def in_steps(current: np.ndarray, *volts: np.ndarray) -> list[np.ndarray]:
    """Converter steps of 20 bit over +-10 V; the current through 1e9 V/A."""
    return [values * 2**19 / 10 for values in (1e9 * current, *volts)]


def spectrum_dat() -> str:
    """Forward and backward, with X and Y."""
    one, other = spectrum(1), spectrum(2, BACKWARD_OFFSET)
    columns = {"Bias calc (V)": one["bias"]}
    for made, flag in ((one, ""), (other, " [bwd]")):
        columns |= {f"Current{flag} (A)": made["current"], f"LI Demod 1 X{flag} (V)": made["x"]}
        columns |= {f"LI Demod 1 Y{flag} (V)": made["y"]}
    return dat(NANONIS, columns)


def vert_rows(made: dict[str, np.ndarray]) -> np.ndarray:
    """Of a spectrum: bias in mV, height, and the channels of code 3."""
    return np.column_stack([1e3 * made["bias"], 0 * made["bias"], *in_steps(made["current"], made["x"])])


def files() -> dict[str, str]:
    """Name -> text."""
    there, back = vert_rows(spectrum(3)), vert_rows(spectrum(4, BACKWARD_OFFSET))[::-1]
    trace = switching()
    time = INTERVAL * np.arange(trace.size)
    random = np.random.default_rng(6)
    frequency = np.geomspace(3e6, 1.5e10, 50)
    line = 8e-12 - 5e-12 / (1 + (2 * np.pi * frequency / RATE) ** 2) + 4e-14 * random.standard_normal(50)
    delay = np.arange(-300e-9, 301e-9, 10e-9)
    height = np.where(delay > 0, 4e-12, 2.5e-12)
    decay = 1e-12 + height * np.exp(-np.abs(delay) / T1) + 4e-14 * random.standard_normal(delay.size)
    sweep = [("Experiment", "Sweep")]
    return {
        "spectrum.dat": spectrum_dat(),
        "there_and_back.VERT": vert(np.vstack([there, back]), 3),
        "trace.dat": dat([("Experiment", "Oscilloscope")], {"Time (s)": time, "Current (A)": trace}),
        "trace.VERT": vert(np.column_stack([0 * trace - 50.0, 0 * trace, *in_steps(trace)]), 1),
        "frequency.dat": dat(sweep, {"Frequency (Hz)": frequency, "Current (A)": line}),
        "delay.dat": dat(sweep, {"Delay (s)": delay, "Current (A)": decay}),
    }


if __name__ == "__main__":
    for name, text in files().items():
        (HERE / name).write_text(text, encoding="utf-8", newline="\n")
