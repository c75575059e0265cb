"""Kinds of damage and oddity that recorded files come with, and what is expected of each.

A kind takes the spectrum of `tests.data.make` and a source of chance, and gives a file. Its verdict is what a fit of
the file must come to:

    REFUSED  an error of ours, in one line
    RIGHT    the numbers that are in the file, and no warning that the untouched file does not have
    WARNED   the numbers, or none, with a warning that holds the kind's word
    UNSEEN   numbers without a word, because nothing in the file tells: the kind says why, and which of them still hold
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

from tests.data import make

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.random import Generator as Random

HOLDING = ("inner_energy", "outer_energy")
"""Parameters that are compared with the truth."""


class Verdict(Enum):
    """What a fit of a file must come to."""

    REFUSED = "refused"
    RIGHT = "right"
    WARNED = "warned"
    UNSEEN = "unseen"


@dataclass(frozen=True)
class Kind:
    """One kind: ``make`` gives the name of a file and its bytes.

    ``word`` stands in a warning or a refusal; ``holds`` are parameters that are right all the same; ``why`` says of an
    unseen kind what nothing in the file tells.
    """

    make: Callable[[Random], tuple[str, bytes]]
    verdict: Verdict
    word: str = ""
    holds: tuple[str, ...] = HOLDING
    why: str = ""


KINDS: dict[str, Kind] = {}


def kind(verdict: Verdict, word: str = "", **more: object) -> Callable[[Callable[..., object]], Callable[..., object]]:
    """Enter a function into `KINDS` by its name; it returns a text, or a name and bytes."""

    def enter(function: Callable[[Random], object]) -> Callable[[Random], object]:
        def made(random: Random) -> tuple[str, bytes]:
            found = function(random)
            name, text = found if isinstance(found, tuple) else ("mutated.dat", found)
            return name, text if isinstance(text, bytes) else text.encode()

        KINDS[function.__name__] = Kind(made, verdict, word, **more)
        return function

    return enter


REFUSED, RIGHT, WARNED, UNSEEN = Verdict


# -- .dat --------------------------------------------------------------------------------------------------------------


def columns(random: Random, **changes: str) -> dict[str, np.ndarray]:
    """One sweep by title: bias, current, X and Y, of another seed each time."""
    made = make.spectrum(int(random.integers(1000)))
    titles = {
        "bias": "Bias calc (V)",
        "current": "Current (A)",
        "x": "LI Demod 1 X (V)",
        "y": "LI Demod 1 Y (V)",
        **changes,
    }
    return {title: made[name] for name, title in titles.items()}


def dat(random: Random, **changes: str) -> str:
    return make.dat(make.NANONIS, columns(random, **changes))


def split(text: str) -> tuple[list[str], list[list[str]]]:
    """Lines up to the titles, and the cells of the rows."""
    lines = text.splitlines()
    start = lines.index("[DATA]") + 2
    return lines[:start], [line.split("\t") for line in lines[start:]]


def joined(head: list[str], rows: list[list[str]]) -> str:
    return "\n".join(head + ["\t".join(row) for row in rows]) + "\n"


def some(random: Random, size: int, count: int) -> list[int]:
    return sorted(random.choice(np.arange(5, size - 5), count, replace=False).tolist())


@kind(REFUSED, "values instead of")
def cut_within_a_row(random):
    head, rows = split(dat(random))
    last = int(random.integers(20, 190))
    return joined(head, [*rows[:last], rows[last][: int(random.integers(1, 4))]])


@kind(WARNED, "promises 201 rows")
def cut_after_a_row(random):
    head, rows = split(dat(random))
    return joined(head, rows[: int(random.integers(185, 200))])


@kind(REFUSED, "no line [DATA]")
def without_data_line(random):
    return dat(random).replace("[DATA]\n", random.choice(["", "DATA\n", "[data\n"]))


@kind(REFUSED, "values instead of")
def a_cell_is_missing(random):
    head, rows = split(dat(random))
    del rows[some(random, 201, 1)[0]][int(random.integers(4))]
    return joined(head, rows)


@kind(REFUSED, "where a number should be")
def text_in_a_cell(random):
    head, rows = split(dat(random))
    rows[some(random, 201, 1)[0]][int(random.integers(4))] = random.choice(
        ["overload", "1.2.3", "1_0", "--", "0x1F", "1E"]
    )
    return joined(head, rows)


@kind(WARNED, "decimal commas")
def decimal_commas_throughout(random):
    head, rows = split(dat(random))
    return joined(head, [[cell.replace(".", ",") for cell in row] for row in rows])


@kind(REFUSED, "decimal commas (line")
def decimal_commas_in_some_rows(random):
    head, rows = split(dat(random))
    for row in some(random, 201, int(random.integers(1, 150))):
        rows[row] = [cell.replace(".", ",") for cell in rows[row]]
    return joined(head, rows)


@kind(RIGHT)
def columns_in_another_order(random):
    made = columns(random)
    return make.dat(make.NANONIS, {title: made[title] for title in random.permutation(list(made)).tolist()})


@kind(RIGHT)
def another_maker_s_name(random):
    name = random.choice(
        ["SRX", "SR830 X", "HF2 X1", "MFLI demod 1 X", "Lock In X", "LockIn", "dI/dV", "dI_dV", "dIdU", "LIX 1 omega",
         "7265 X", "Anfatec X", "Lock-in X1", "ZI X1", "LIA X"]
    )  # fmt: skip
    return dat(random, x=f"{name} (V)", y="Z (m)").replace("Z (m)", "Temp (K)")


@kind(WARNED, "may be one")
def a_name_that_nobody_knows(random):
    name = random.choice(["Input 8", "AUX 3", "Ext 2", "Signal B", "Ch 4", "AI 2"])
    return dat(random, x=f"{name} (V)", y="Temp (K)")


@kind(RIGHT)
def units_with_prefixes(random):
    made = columns(random)
    bias, current, x, y = made.values()
    (volt, v), (ampere, a), (out, o) = (
        [("mV", 1e3), ("uV", 1e6), ("µV", 1e6), ("V", 1.0)][random.integers(4)],
        [("nA", 1e9), ("pA", 1e12), ("A", 1.0)][random.integers(3)],
        [("mV", 1e3), ("uV", 1e6)][random.integers(2)],
    )
    titles = f"Bias calc ({volt})", f"Current ({ampere})", f"LI Demod 1 X ({out})", f"LI Demod 1 Y ({out})"
    scaled = v * bias, a * current, o * x, o * y
    return make.dat(make.NANONIS, dict(zip(titles, scaled, strict=True)))


@kind(REFUSED, "fitted within")
def a_wrong_unit_of_the_bias_too_large(random):
    return dat(random, bias=f"Bias calc ({random.choice(['kV', 'MV'])})")


@kind(REFUSED, "a wrong unit")
def a_wrong_unit_of_the_bias_too_small(random):
    return dat(random, bias="Bias calc (mV)")


@kind(WARNED, "turned by 180 degrees")
def a_turned_sign(random):
    made = columns(random)
    return make.dat(make.NANONIS, {title: -v if " X" in title or " Y" in title else v for title, v in made.items()})


@kind(WARNED, "phase is turned by about")
def a_turned_phase(random):
    made, angle = columns(random), random.choice([-1, 1]) * np.radians(random.uniform(35, 70))
    x, y = "LI Demod 1 X (V)", "LI Demod 1 Y (V)"
    turned = {
        x: np.cos(angle) * made[x] - np.sin(angle) * made[y],
        y: np.sin(angle) * made[x] + np.cos(angle) * made[y],
    }
    return make.dat(make.NANONIS, made | turned)


@kind(WARNED, "are no numbers")
def holes(random):
    head, rows = split(dat(random))
    for row in some(random, 201, int(random.integers(1, 20))):
        rows[row][2] = random.choice(["NaN", "nan", "-NaN", "Inf"])
    return joined(head, rows)


@kind(RIGHT)
def rows_backwards_or_in_any_order(random):
    head, rows = split(dat(random))
    return joined(head, rows[::-1] if random.random() < 0.5 else [rows[k] for k in random.permutation(201)])


@kind(WARNED, "not taken for dI/dV")
def a_dead_lockin(random):
    made = columns(random)
    made["LI Demod 1 X (V)"] = np.full(201, random.choice([0.0, 1.25e-3]))
    return make.dat(make.NANONIS, made)


@kind(WARNED, "stands at", holds=())
def an_overloaded_lockin(random):
    made = columns(random)
    x = made["LI Demod 1 X (V)"]
    made["LI Demod 1 X (V)"] = np.minimum(x, x.min() + random.uniform(0.5, 0.85) * np.ptp(x))
    return make.dat(make.NANONIS, made)


@kind(WARNED, "more than 12 times the noise")
def spikes(random):
    made = columns(random)
    for row in some(random, 201, int(random.integers(1, 4))):
        made["LI Demod 1 X (V)"][row] += random.choice([-1, 1]) * random.uniform(0.02, 0.05)
    return make.dat(make.NANONIS, made)


@kind(RIGHT)
def the_magnitude_before_x(random):
    made = columns(random)
    x, y = made["LI Demod 1 X (V)"], made["LI Demod 1 Y (V)"]
    bias = made.pop("Bias calc (V)")
    return make.dat(make.NANONIS, {"Bias calc (V)": bias, "LI Demod 1 R (V)": np.hypot(x, y), **made})


@kind(WARNED, "is the magnitude")
def the_magnitude_alone(random):
    made = columns(random)
    x, y = made.pop("LI Demod 1 X (V)"), made.pop("LI Demod 1 Y (V)")
    return make.dat(make.NANONIS, {**made, "LI Demod 1 R (V)": np.hypot(x, y)})


@kind(WARNED, "not the derivative", holds=())
def names_exchanged(random):
    return dat(random, current="LI Demod 1 X (V)", x="Current (A)")


@kind(RIGHT)
def written_by_another_system(random):
    text = dat(random).replace("bias spectroscopy", "bias spectroscopy\t\nComment\tµ° at 5 K\t\nComment\tagain")
    text = text.replace("\n", random.choice(["\r\n", "\n"]))
    text = text + random.choice(["", "\n\n", "\t\t\n"])
    return "mutated.dat", random.choice(["", "\ufeff"]).encode() + text.encode()


@kind(WARNED, "not at fixed height")
def the_feedback_left_on(random):
    text = dat(random).replace("Z-controller hold\tTRUE", "Z-controller hold\tFALSE")
    made = columns(random)
    made["Z (m)"] = 1e-9 + random.choice([-1, 1]) * random.uniform(3e-12, 3e-11) * np.linspace(0, 1, 201)
    return text if random.random() < 0.5 else make.dat(make.NANONIS, made)


@kind(
    UNSEEN, why="a gain or a calibration that is wrong scales every height alike, and nothing in the file knows better"
)
def another_scale_of_the_reading(random):
    made, factor = columns(random), random.choice([1e-6, 0.1, 3.0, 1e4])
    return make.dat(make.NANONIS, {t: factor * v if "Demod" in t else v for t, v in made.items()})


# -- .VERT -------------------------------------------------------------------------------------------------------------


def vert_rows(random: Random) -> np.ndarray:
    return make.vert_rows(make.spectrum(int(random.integers(1000))))


def vert(random: Random, code: int = 3) -> str:
    return make.vert(vert_rows(random), code)


@kind(REFUSED, "promises")
def vert_rows_missing(random):
    lines = vert(random).splitlines()
    del lines[some(random, len(lines) - 10, 1)[0] + 10]
    return "mutated.VERT", "\n".join(lines) + "\n"


@kind(REFUSED)
def vert_header_missing(random):
    key = random.choice(
        ["DAC-Type=20bit\n", "Gainpreamp / GainPre 10^=9\n", "SpecFreq=1000.0\n", "DATA\n", "[ParVERT30]\n"]
    )
    return "mutated.VERT", vert(random).replace(key, "")


@kind(REFUSED, "one of them is wrong")
def vert_channels_that_contradict(random):
    text = vert(random)
    return "mutated.VERT", text.replace("    3\n0\t", f"    {random.choice([1, 5, 7, 9, 2])}\n0\t")


@kind(REFUSED, "do not fit the channels")
def vert_channels_that_do_not_fit(random):
    rows = vert_rows(random)
    return "mutated.VERT", make.vert(rows, int(random.choice([1, 7, 11, 4097 + 2, 15])))


@kind(WARNED, "is a channel that nobody has described")
def vert_an_unknown_channel(random):
    rows = vert_rows(random)
    extra = np.column_stack([rows, random.standard_normal(len(rows))])
    return "mutated.VERT", make.vert(extra, 3 | 1 << int(random.integers(13, 31)))


@kind(WARNED, "numerical derivative")
def vert_a_channel_called_otherwise(random):
    return "mutated.VERT", vert(random, int(random.choice([1 | 8, 1 | 16, 1 | 4, 1 | 64, 1 | 4096])))


@kind(RIGHT)
def vert_with_x(random):
    rows = np.insert(vert_rows(random), 2, 0.0, axis=1)
    header = [("[ParVERT32]", None), *make.CREATEC[1:]]
    return "mutated.VERT", make.vert(rows, 3, header, (7, 5, 3, 1.5, -2.5))


@kind(RIGHT)
def vert_there_and_back(random):
    return "mutated.VERT", make.vert(np.vstack([vert_rows(random), vert_rows(random)[::-1], vert_rows(random)]), 3)


@kind(WARNED, "not at fixed height")
def vert_a_height_ramp(random):
    rows = vert_rows(random)
    rows[:, 1] = np.round(np.linspace(0, random.choice([-1, 1]) * random.uniform(30, 900), len(rows)))
    return "mutated.VERT", make.vert(rows, 3)


@kind(WARNED, "decimal commas")
def vert_decimal_commas(random):
    text = vert(random)
    return "mutated.VERT", text.replace(".", ",")


@kind(UNSEEN, why="the converter's bits and the gain set the scale of the current and of the readings alone")
def vert_another_scale(random):
    text = vert(random).replace("20bit", f"{random.choice([16, 18, 24])}bit")
    return "mutated.VERT", text.replace("10^=9", f"10^={random.choice([8, 9, 10])}")


# -- traces ------------------------------------------------------------------------------------------------------------


def trace(random: Random, current: np.ndarray, time: np.ndarray | None = None) -> str:
    time = make.INTERVAL * np.arange(current.size) if time is None else time
    return make.dat([("Experiment", "Oscilloscope")], {"Time (s)": time, "Current (A)": current})


def switching(random: Random) -> np.ndarray:
    return make.switching(seed=int(random.integers(1000)))


@kind(REFUSED, "not evenly spaced")
def trace_rows_lost(random):
    current, time = switching(random), make.INTERVAL * np.arange(1500)
    lost = some(random, 1500, int(random.integers(1, 50)))
    return trace(random, np.delete(current, lost), np.delete(time, lost))


@kind(WARNED, "lie at another bias", holds=("high", "low"))
def trace_begins_at_another_bias(random):
    current, bias = switching(random), np.full(1500, -50.0)
    bias[: int(random.integers(3, 60))] = random.choice([-60.0, 0.0, 50.0])
    return "mutated.VERT", make.vert(np.column_stack([bias, 0 * bias, *make.in_steps(current)]), 1)


@kind(REFUSED, "two levels")
def trace_that_settles(random):
    time = np.arange(1500)
    settling = 30e-12 * np.exp(-time / random.uniform(100, 600)) + 1e-12 * np.sin(2 * np.pi * 0.05 * time)
    return trace(random, 1e-10 + random.choice([-1, 1]) * settling + 2e-12 * random.standard_normal(1500))


@kind(RIGHT, holds=("high", "low"))
def trace_in_another_unit(random):
    text = trace(random, 1e12 * switching(random), 1e3 * make.INTERVAL * np.arange(1500))
    return text.replace("Time (s)", "Time (ms)").replace("Current (A)", "Current (pA)")


@kind(UNSEEN, holds=("high", "low"), why="the sample rate stands once in the header, and scales every rate alike")
def trace_at_another_rate(random):
    current = switching(random)
    text = make.vert(np.column_stack([0 * current - 50.0, 0 * current, *make.in_steps(current)]), 1)
    return "mutated.VERT", text.replace("SpecFreq=1000.0", f"SpecFreq={random.choice([100.0, 5000.0])}")
