"""Supplementary Figs. S3, S4 and S5 of Betz et al.: what higher orders of the modulation do to the line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.display.figures.drawing import (
    BLUE,
    DOUBLE_COLUMN_IN,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    VERMILION,
    house_style,
    letter,
    parameters,
    save,
    sheet,
)
from stmlab.papers.betz_model import modulated_pair, pair_orders, pair_response
from stmlab.physics.line_fit import fitted_rate
from stmlab.physics.stochastic_resonance import line_shape

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

    from stmlab.arrays import FloatArray

_OMEGA = np.geomspace(1e-2, 1e2, 401)
_ORDERS = 13
_RATES = r"$\Gamma_+ = (A/2)(1 + \cos \omega t)$, $\Gamma_- = \Gamma - \langle\Gamma_+\rangle$"
_STRENGTHS = {0.6: PURPLE, 1.4: ORANGE}


def draw(directory: Path) -> list[Path]:
    """Draw all three; returns the paths of the PNGs."""
    with house_style():
        return [_second_order(directory), _all_orders(directory), _deviations(directory)]


def _second_order(directory: Path) -> Path:
    """Fig. S3: terms j = 2 that reach the average (a) and the in-phase amplitude (b), over -b_m a_k / Gamma^2."""
    figure = sheet(DOUBLE_COLUMN_IN, 2.8)
    panels = figure.subplots(1, 2, sharey=True)
    colours = _palette()
    for axes, total, name in ((panels[0], 0, "a"), (panels[1], 1, "b")):
        orders = [k for k in range(-5, 6) if k != total]
        for k in orders:
            term = (1 / ((1 + 1j * total * _OMEGA) * (1 + 1j * k * _OMEGA))).real
            axes.semilogx(_OMEGA, term, color=colours((k + 5) / 10), linewidth=1.0)
        axes.set(xlabel=r"$\Omega = 2\pi f / \Gamma$", xlim=_OMEGA[[0, -1]])
        letter(axes, name)
    panels[0].set_ylabel(r"term of $j=2$ over $-a_k b_m/\Gamma^2$")
    panels[0].set_title("average, $m + k = 0$")
    panels[1].set_title("in phase, $m + k = 1$")
    numbers = [f"{k}".replace("-", "\N{MINUS SIGN}") for k in range(-5, 6)]
    handles = [panels[1].plot([], [], color=colours((k + 5) / 10), linewidth=1.0)[0] for k in range(-5, 6)]
    panels[1].legend(handles, numbers, title="$k$", ncols=2, loc="upper right")
    parameters(
        figure, "eq. S19 with the product $a_k (-b_m)$; a: $k$ and $-k$ coincide, b: $-1$ and 0 coincide with eq. 1"
    )
    return save(figure, directory, "betz_figS3")


def _all_orders(directory: Path) -> Path:
    """Fig. S4: signals at two modulation strengths with fits of eq. 1, and the orders that make them up."""
    figure = sheet(DOUBLE_COLUMN_IN, 5.4)
    panels = figure.subplots(3, 2, sharex=True)
    for strength, color in _STRENGTHS.items():
        average, in_phase = pair_response(strength, _OMEGA)
        for axes, values in ((panels[0, 0], in_phase), (panels[0, 1], average)):
            _with_fit(axes, values - values[-1], color, strength)
    for row, strength in enumerate(_STRENGTHS, start=1):
        averages, in_phases = pair_orders(strength, _OMEGA, _ORDERS)
        _orders(panels[row, 0], in_phases)
        _orders(panels[row, 1], averages - averages[:, -1:])
        panels[row, 0].set_ylabel(f"orders, $A = {strength:g}\\,\\Gamma$")
    panels[0, 0].set(title="in-phase amplitude", ylabel="occupation")
    panels[0, 1].set_title("average occupation, minus its limit")
    panels[0, 0].legend()
    for axes, name in zip(panels.T.ravel(), "acebdf", strict=True):
        letter(axes, name)
        for part, style in ((1.0, "-"), (0.5, "--"), (0.25, "-.")):
            axes.axvline(part, color=GREY, linewidth=0.5, linestyle=style)
    for axes in panels[2]:
        axes.set(xlabel=r"$\Omega = 2\pi f/\Gamma$", xlim=_OMEGA[[0, -1]])
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import BoundaryNorm

    norm = BoundaryNorm(np.arange(0.5, _ORDERS + 1), 256)
    bar = figure.colorbar(ScalarMappable(norm, _palette()), ax=panels[1:, :], label="order $j$", aspect=30)
    bar.set_ticks([1, 3, 5, 7, 9, 11, 13])
    parameters(
        figure,
        f"{_RATES}; a, b: dashed: eq. 1 fitted, dots: fitted rates",
        r"vertical lines at $2\pi f = \Gamma$ (solid), $\Gamma/2$ (dashed), $\Gamma/4$ (dash-dotted); "
        "c to f: orders of eq. S18 up to 13, averages minus their limits",
    )
    return save(figure, directory, "betz_figS4")


def _with_fit(axes: Axes, values: FloatArray, color: str, strength: float) -> None:
    rate, _ = fitted_rate(_OMEGA / (2 * np.pi), values)
    line = line_shape(_OMEGA / (2 * np.pi), rate, 1.0, 0.0)
    height, offset = np.polyfit(line, values, 1)
    axes.semilogx(_OMEGA, values, color=color, label=f"$A = {strength:g}\\,\\Gamma$")
    axes.semilogx(_OMEGA, height * line + offset, color="#202020", linewidth=0.8, linestyle="--")
    axes.plot([rate], [height / 2 + offset], "o", color=color, markersize=4)


def _orders(axes: Axes, terms: FloatArray) -> None:
    colours = _palette()
    for number, term in enumerate(terms):
        axes.semilogx(_OMEGA, term, color=colours((number + 0.5) / _ORDERS), linewidth=0.9)


def _deviations(directory: Path) -> Path:
    """Fig. S5: the modulated rates, and how far eq. 1 misses the true rate."""
    figure = sheet(DOUBLE_COLUMN_IN, 2.8)
    left, right = figure.subplots(1, 2)
    up, down = modulated_pair(0.6)
    time = np.arange(129) / 128
    for rate, color, name in (
        (up, BLUE, r"$\Gamma_+$"),
        (down, VERMILION, r"$\Gamma_-$"),
        (up + down, "#202020", r"$\Gamma$"),
    ):
        left.plot(time, np.append(rate, rate[0]), color=color, label=name)
        left.axhline(float(rate.mean()), color=color, linewidth=0.6, linestyle="--")
    left.set(xlabel="time / period", ylabel=r"rate ($\langle\Gamma\rangle$)", xlim=(0, 1), ylim=(0, 1.5))
    left.legend(ncols=3, loc="upper center")
    strengths = np.linspace(0.04, 1.0, 25)
    misses = np.array([[100 * (_read(values) - 1) for values in pair_response(float(a), _OMEGA)] for a in strengths])
    right.plot(strengths, misses[:, 0], color=ORANGE, linewidth=2.4, label="average occupation")
    right.plot(strengths, misses[:, 1], color=GREEN, linewidth=1.0, label="homodyne")
    right.axvline(0.6, color=GREY, linewidth=0.6)
    right.axhline(-5.0, color=GREY, linewidth=0.6, linestyle="--")
    right.set(xlabel=r"modulation strength $A/\Gamma$", ylabel=r"deviation of the fitted $\Gamma$ (%)", xlim=(0, 1))
    right.legend(loc="lower left")
    letter(left, "a")
    letter(right, "b")
    parameters(
        figure,
        f"{_RATES}; a: $A = 0.6\\,\\Gamma$, dashed: averages",
        r"b: eq. 1 fitted on 401 logarithmic points from $\Omega = 10^{-2}$ to $10^2$; "
        r"thin lines: $A = 0.6\,\Gamma$ and $-5$ %, the printed limit",
    )
    return save(figure, directory, "betz_figS5")


def _read(values: FloatArray) -> float:
    return fitted_rate(_OMEGA / (2 * np.pi), values)[0]


def _palette() -> Colormap:
    from matplotlib import colormaps

    return colormaps["viridis"]
