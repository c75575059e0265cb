"""A small study: two rates by two numbers of averages, a run in some tenths of a second."""

from pathlib import Path

TEXT = """
name = "rate of an Fe atom"
seeds = 2
[sample]
file = "fe_atom"
set.two_level.excitation_rate_per_s = 3e8
[sequence]
name = "srs"
[sequence.set]
dc_bias = "4 mV"
amplitude = "2.8 mV"
start_frequency = "3 MHz"
stop_frequency = "20 GHz"
points = 8
[vary]
sample.two_level.relaxation_rate_per_s = [1.5e9, 3e9]
sequence.averages = [1, 2]
[fit]
fitted = "rate"
true = "rate_per_s"
target = "2 %"
"""


def write_study(folder: Path, text: str = TEXT) -> Path:
    path = folder / "study.toml"
    path.write_text(text, encoding="utf-8")
    return path
