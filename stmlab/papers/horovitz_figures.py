"""Figs. 2 and 3 of Horovitz and Henkel, at the printed parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.display.figures.drawing import (
    BLUE,
    DOUBLE_COLUMN_IN,
    GREEN,
    GREY,
    PURPLE,
    SKY,
    VERMILION,
    house_style,
    letter,
    parameters,
    save,
    sheet,
)
from stmlab.papers.horovitz_systems import EXCHANGE_ONLY, SYMMETRIC, UP_DOWN, WITH_MORIYA
from stmlab.physics.dark_state import critical_weight, dark_state, steady_family, transient
from stmlab.physics.entanglement import entanglement_of_formation, logarithmic_negativity, mutual_information
from stmlab.physics.two_spins import TwoSpins, correlation_spectra

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

    from stmlab.arrays import FloatArray

_BLACK = "#202020"
_MEASUREMENTS = (200.0, 350.0, 500.0)


def draw(directory: Path) -> list[Path]:
    """Draw both; returns the paths of the PNGs."""
    return [_spectra(directory), _entanglement(directory)]


def _spectra(directory: Path) -> Path:
    """Fig. 2: C1 and C3 left, C2 right, without (black) and with DM interaction (colour)."""
    angular = np.linspace(-0.05, 1.2, 5001)
    plain, twisted = correlation_spectra(EXCHANGE_ONLY, angular), correlation_spectra(WITH_MORIYA, angular)
    with house_style():
        figure = sheet(DOUBLE_COLUMN_IN, 3.4)
        left, right = figure.subplots(1, 2, sharex=True)
        _pair(left, angular, plain.both_spins, twisted.both_spins, VERMILION)
        _pair(left, angular, 1e-4 * plain.double_flip, 1e-4 * twisted.double_flip, BLUE)
        _pair(right, angular, plain.one_spin, twisted.one_spin, GREEN)
        _transitions(left, (0.0, 0.1, 0.8), (4 * float(np.hypot(0.2, 0.2)),))
        _transitions(right, (0.1, 0.7, 0.9), ())
        for axes, name in ((left, "a"), (right, "b")):
            axes.set(xlabel=r"$\omega / V$", xlim=(angular[0], angular[-1]), yscale="log")
            letter(axes, name)
        left.set_ylabel(r"$C_1(\omega)$, $10^{-4}\,C_3(\omega)$ ($1/V$)")
        right.set_ylabel(r"$C_2(\omega)$ ($1/V$)")
        left.text(0.45, 3.0, "$C_1$")
        left.text(0.45, 2e-5, "$10^{-4}\\,C_3$")
        handles = [left.plot([], [], color=color)[0] for color in (_BLACK, VERMILION, BLUE, GREEN)]
        labels = [
            r"$J_{DM}=0$, $\phi=0$",
            *(f"${name}$, $J_{{DM}}=0.2\\,V$, $\\phi=\\pi/4$" for name in ("C_1", "C_3", "C_2")),
        ]
        figure.legend(handles, labels, loc="outside upper center", ncols=4)
        system = EXCHANGE_ONLY
        parameters(
            figure,
            rf"$\nu={system.larmor:g}\,V$, $\lambda_1={system.coupling_1:g}$, $\lambda_2={system.coupling_2:g}$, "
            rf"$\theta=0$, $J_{{ex}}={system.exchange:g}\,V$, $T=0$, local master equation; $\hbar=e=1$",
            "vertical lines: transitions of eq. 9, dashed without and dotted with DM interaction",
        )
        return save(figure, directory, "horovitz_fig2")


def _pair(axes: Axes, angular: FloatArray, plain: FloatArray, twisted: FloatArray, color: str) -> None:
    axes.plot(angular, twisted, color=color, linewidth=1.6)
    axes.plot(angular, plain, color=_BLACK, linewidth=0.9)


def _transitions(axes: Axes, plain: tuple[float, ...], beyond: tuple[float, ...]) -> None:
    """Where eq. 9 expects lines: dashed without, dotted with DM interaction."""
    root = float(np.hypot(0.2, 0.2))
    low, high = 2 * (root - 0.2), 2 * (root + 0.2)
    for line in plain:
        axes.axvline(line, color=GREY, linewidth=0.5, linestyle=(0, (5, 3)))
    for line in (abs(0.1 - low), 0.1 + low, high - 0.1, high + 0.1, *beyond):
        axes.axvline(line, color=GREY, linewidth=0.7, linestyle=":")


def _entanglement(directory: Path) -> Path:
    """Fig. 3: measures of the steady states left, transient with measurements right."""
    with house_style():
        figure = sheet(DOUBLE_COLUMN_IN, 3.6)
        left, right = figure.subplots(1, 2)
        _family(left)
        _purification(right)
        letter(left, "a")
        letter(right, "b")
        start = SYMMETRIC
        parameters(
            figure,
            r"$\lambda_1=\lambda_2$, $\theta=\phi=0$, $T=0$, local master equation; "
            r"a: $V=2.5\,\nu$; arrows: triplets only, uncorrelated state, dark state",
            "$S_{12}$: mutual information, $E_N$: logarithmic negativity, $E_F$: entanglement of formation",
            rf"b: $V={start.bias:g}\,\nu$, $\lambda={start.coupling_1:g}$, $J_{{ex}}={start.exchange:g}\,\nu$, "
            r"from $|\uparrow\downarrow\rangle$; lines: $\tau_z \otimes \tau_z=-1$ is measured, with its probability",
        )
        return save(figure, directory, "horovitz_fig3")


def _family(axes: Axes) -> None:
    polarisation, weights = 0.4, np.linspace(0.0, 1.0, 401)
    states = np.stack([steady_family(polarisation, float(p)) for p in weights])
    detuned = TwoSpins(larmor=1.0, bias=2.5, coupling_1=0.0126, coupling_2=0.0125)
    axes.plot(weights, mutual_information(states), color=SKY, linewidth=0.9, label="$S_{12}$")
    axes.plot(weights, logarithmic_negativity(states), color=VERMILION, linewidth=2.0, label="$E_N$")
    formation = entanglement_of_formation(states)
    axes.plot(weights, formation, color=BLUE, linewidth=1.6, marker="o", markevery=25, markersize=3.0, label="$E_F$")
    critical = critical_weight(polarisation)
    axes.axvline(critical, color=GREY, linestyle="--", linewidth=0.7)
    axes.annotate(f"$p_c = {critical:.3f}$", (critical, 1.2), (4, 0), textcoords="offset points", color=GREY)
    plain = float(np.trace(dark_state() @ detuned.generator.steady_state()).real)
    for place, name in ((0.0, r"$\rho_{tr}$"), (plain, r"$\rho_{st}$"), (1.0, "dark")):
        arrow = {"arrowstyle": "->", "linewidth": 0.7, "shrinkB": 4.0}
        axes.annotate("", (place, 0.0), (place, -0.28), annotation_clip=False, arrowprops=arrow)
        inside = min(max(place, 0.04), 0.94)
        axes.annotate(name, (inside, -0.3), ha="center", va="top")
    axes.set(
        xlabel="weight $p$ of the dark state",
        ylabel="(e)bits",
        xlim=(0, 1),
        ylim=(-0.5, 2.05),
        yticks=(0, 0.5, 1, 1.5, 2),
    )
    axes.legend(loc="upper left")


def _purification(axes: Axes) -> None:
    times = np.linspace(0.0, 600.0, 3001)
    way = transient(SYMMETRIC.generator, UP_DOWN, times, measurements=_MEASUREMENTS)
    dark = np.einsum("ij,tji->t", dark_state(), way.states).real
    antiparallel = np.array([0.0, 1.0, 1.0, 0.0]) / np.sqrt(2.0)
    triplet = np.einsum("i,tij,j->t", antiparallel, way.states, antiparallel).real
    axes.plot(times, logarithmic_negativity(way.states), color=VERMILION, linewidth=1.8, label="$E_N$")
    axes.plot(times, dark, color=BLUE, label="population of $S$")
    axes.plot(times, triplet, color=PURPLE, label="population of $T_2$")
    for instant, chance in zip(way.measurements, way.probabilities, strict=True):
        axes.axvline(instant, ymin=0.62, color=GREY, linewidth=0.7)
        axes.text(
            instant, 1.015, f"{100 * chance:.0f} %", transform=axes.get_xaxis_transform(), ha="center", color=GREY
        )
    axes.set(xlabel=r"time $\nu t$", ylabel="populations, $E_N$ (ebits)", xlim=(0, times[-1]), ylim=(0, 1.05))
    axes.legend(loc="center right")
