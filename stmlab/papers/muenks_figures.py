"""Figs. 1i-j, 2, 3 and 4c of Muenks et al. from the fitted parameters of the paper (the measured data are not part)."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from stmlab.analysis.step_asymmetry import BIAS_V, fitted_steps, level_steps
from stmlab.display.figures.drawing import (
    BLUE,
    DOUBLE_COLUMN_IN,
    GREY,
    SINGLE_COLUMN_IN,
    VERMILION,
    house_style,
    letter,
    parameters,
    save,
    sheet,
)
from stmlab.errors import FitError
from stmlab.papers.muenks_model import (
    ANTIFERROMAGNETIC,
    FERROMAGNETIC,
    IN_FIELD,
    MODULATION_V,
    TEMPERATURE_K,
    TIPS,
    FunctionalTip,
    steady,
)

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from stmlab.arrays import FloatArray
    from stmlab.physics.transport import TunnelJunction

_BLACK = "#202020"
_SETPOINTS_US = (0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3)
_FIELD_SETPOINT_US = 0.7
_COUPLING = -0.05
"""J rho of Figs. 1i, 1j: the smaller end of the printed range."""


def draw(directory: Path) -> list[Path]:
    """Draw all four; returns the paths of the PNGs."""
    with house_style():
        return [_spectra(directory), _fits(directory), _levels(directory), _field(directory)]


def _spectra(directory: Path) -> Path:
    """Figs. 1i, 1j: dI/dV in third order with steady-state occupations, offset for clarity."""
    from matplotlib import colormaps

    figure = sheet(DOUBLE_COLUMN_IN, 3.5)
    for axes, name, tip in zip(figure.subplots(1, 2), "ij", TIPS, strict=True):
        for place, conductance in enumerate(_SETPOINTS_US):
            junction = replace(steady(tip.junction(conductance)), order=3, coupling=_COUPLING)
            spectrum = junction.conductance(BIAS_V, MODULATION_V) / junction.conductance_S
            color = colormaps["plasma"](0.82 * place / (len(_SETPOINTS_US) - 1))
            axes.plot(1e3 * BIAS_V, spectrum + 0.2 * place, color=color)
            axes.annotate(
                f"{1e3 * conductance:.0f} nS",
                (1e3 * BIAS_V[-1], spectrum[-1] + 0.2 * place),
                (3, 0),
                textcoords="offset points",
                color=color,
                fontsize=6.0,
                va="center",
                annotation_clip=False,
            )
        axes.set(xlabel="bias (mV)", xlim=(-10, 10), ylabel="$dI/dV$ ($G_s$, offset by 0.2)")
        axes.set_title(f"{tip.name}, $B = 0$")
        letter(axes, name)
    parameters(
        figure,
        *(f"{name}: {_tip(tip)}, $C = {tip.correlation:g}$" for name, tip in zip("ij", TIPS, strict=True)),
        rf"third order, $J\rho = {_COUPLING:g}$, $U = 0$, steady state with $G_{{11}} = 2$ µS, "
        rf"$T = {TEMPERATURE_K:g}$ K, modulation {1e3 * MODULATION_V:g} mV (peak)",
    )
    return save(figure, directory, "muenks_fig1ij")


def _fits(directory: Path) -> Path:
    """Fig. 2: step energies and asymmetries against the setpoint, for the bare and both functionalised tips."""
    conductances = np.linspace(0.005, 0.3, 30)
    figure = sheet(DOUBLE_COLUMN_IN, 4.2)
    panels = figure.subplots(2, 3, sharex=True)
    bare = replace(ANTIFERROMAGNETIC, name="bare tip", slope_meV_per_uS=0.0, correlation=0.0)
    for column, (tip, other) in enumerate(((bare, None), (ANTIFERROMAGNETIC, True), (FERROMAGNETIC, False))):
        above, below = panels[:, column]
        _energies(above, conductances, tip, other)
        steps = [fitted_steps(tip.junction(float(gs))) for gs in conductances]
        below.axhline(0.0, color=GREY, linewidth=0.4)
        below.plot(
            1e3 * conductances, [step.inner for step in steps], color=BLUE, linewidth=2.4, label=r"inner $\eta_i$"
        )
        below.plot(1e3 * conductances, [step.outer for step in steps], color=_BLACK, label=r"outer $\eta_o$")
        above.set(ylim=(0, 6), title=tip.name)
        below.set(xlabel="setpoint $G_s$ (nS)", xlim=(0, 300), ylim=(-0.4, 0.4))
        letter(above, "ace"[column])
        letter(below, "bdf"[column])
    panels[0, 0].set_ylabel("step energy (meV)")
    panels[1, 0].set_ylabel(r"asymmetry $\eta$")
    panels[1, 0].legend(loc="upper left")
    panels[0, 1].legend(loc="center left", fontsize=6.0)
    panels[0, 2].legend(loc="center left", fontsize=6.0)
    parameters(
        figure,
        f"a to d: {_tip(ANTIFERROMAGNETIC)}, a, b: $J_{{12}} = C = 0$, d: $C = {ANTIFERROMAGNETIC.correlation:g}$",
        f"e, f: {_tip(FERROMAGNETIC)}, $C = {FERROMAGNETIC.correlation:g}$",
        "a, c, e: from the levels; b, d, f: second order, thermal occupation, "
        rf"$T = {TEMPERATURE_K:g}$ K, $B = 0$, Gaussians fitted within $\pm 10$ mV",
    )
    return save(figure, directory, "muenks_fig2")


def _energies(axes: Axes, conductances: FloatArray, tip: FunctionalTip, other: bool | None) -> None:
    """Steps from the levels; dashed with the other kind of exchange (``other``: Ising)."""

    def steps(ising: bool | None) -> FloatArray:
        systems = [tip.system(tip.slope_meV_per_uS * float(gs), ising=ising) for gs in conductances]
        return np.array([level_steps(system) for system in systems])

    kind = "Ising" if tip.ising else "Heisenberg"
    inner, outer = steps(None).T
    axes.plot(1e3 * conductances, inner, color=BLUE)
    axes.plot(1e3 * conductances, outer, color=_BLACK, label=kind if other is not None else None)
    if other is not None:
        inner, outer = steps(other).T
        axes.plot(1e3 * conductances, inner, color=BLUE, linestyle="--", linewidth=0.8)
        label = "Ising" if other else "Heisenberg"
        axes.plot(1e3 * conductances, outer, color=_BLACK, linestyle="--", linewidth=0.8, label=label)


def _levels(directory: Path) -> Path:
    """Fig. 3: the six states against J12 (a), and as energy over moment at J12 = 0 (b) and 2 meV (c)."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    figure = sheet(DOUBLE_COLUMN_IN, 3.1)
    panels = figure.subplots(1, 3)
    _trajectories(panels[0])
    panels[0].set_title("$J_{12}$ from 0 to 2 meV")
    for axes, exchange in ((panels[1], 0.0), (panels[2], 2.0)):
        _scheme(axes, exchange)
    for axes, name in zip(panels, "abc", strict=True):
        axes.set(ylim=(-7.2, 1.4), xlabel=r"total moment $m^t_z$", xlim=(-1.75, 1.75))
        letter(axes, name)
    panels[0].set_ylabel("energy (meV)")
    colours = ScalarMappable(Normalize(-1, 1), "coolwarm")
    figure.colorbar(colours, ax=panels, label=r"$\langle S_{1z} \rangle$", aspect=25, pad=0.02)
    tip = ANTIFERROMAGNETIC
    parameters(
        figure,
        f"$S_1 = 1$, $S_2 = 1/2$, $D = {tip.axial_meV:g}$ meV, $E = {tip.transverse_meV:g}$ meV, "
        r"Heisenberg $J_{12}$, $B = 0$; arrows out of the ground doublet: width $|\langle f|\mathbf{S}_1|i\rangle|^2$",
    )
    return save(figure, directory, "muenks_fig3")


def _moments(exchange_meV: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Energies, total moments and <S1z> of the six states."""
    eigensystem = ANTIFERROMAGNETIC.system(exchange_meV).eigensystem
    first, second = (eigensystem.spin_expectations(spin)[:, 2] for spin in (0, 1))
    return eigensystem.energies_meV, first + second, first


def _trajectories(axes: Axes) -> None:
    energies, moments, first = (
        np.array(values) for values in zip(*(_moments(float(j)) for j in np.linspace(0, 2, 81)), strict=True)
    )
    for state in range(6):
        axes.scatter(moments[:, state], energies[:, state], c=first[:, state], cmap="coolwarm", vmin=-1, vmax=1, s=5)


def _scheme(axes: Axes, exchange_meV: float) -> None:
    from matplotlib import colormaps

    energies, moments, first = _moments(exchange_meV)
    elements = ANTIFERROMAGNETIC.system(exchange_meV).eigensystem.spin_elements(0)
    strengths = (np.abs(elements) ** 2).sum(axis=0)
    for start, end in product((0, 1), range(2, 6)):
        if strengths[end, start] > 0.02:
            aside = 0.12 if end < 4 else -0.12  # arrows to both doublets stay apart
            arrow = {"arrowstyle": "->", "color": GREY, "linewidth": 2.0 * strengths[end, start]}
            tail, head = (moments[start] + aside, energies[start]), (moments[end] + aside, energies[end])
            axes.annotate("", head, tail, arrowprops=arrow | {"shrinkA": 3.0, "shrinkB": 3.0})
    for energy, moment, along in zip(energies, moments, first, strict=True):
        color = colormaps["coolwarm"](0.5 + along / 2)
        axes.plot([moment - 0.25, moment + 0.25], [energy, energy], color=_BLACK, linewidth=3.6, solid_capstyle="butt")
        axes.plot([moment - 0.24, moment + 0.24], [energy, energy], color=color, linewidth=2.6, solid_capstyle="butt")
    axes.set_title(f"$J_{{12}} = {exchange_meV:g}$ meV")


def _field(directory: Path) -> Path:
    """Fig. 4c: eta_o at 5 T against J12, with thermal and with steady-state occupations; no value of a failed fit."""
    couplings = np.linspace(-1.5, 1.5, 121)
    junctions = [IN_FIELD.junction(_FIELD_SETPOINT_US, float(exchange)) for exchange in couplings]
    thermal = np.array([_outer(junction) for junction in junctions])
    pumped = np.array([_outer(steady(junction)) for junction in junctions])
    figure = sheet(SINGLE_COLUMN_IN, 3.1)
    axes = figure.subplots()
    axes.axhline(0.0, color=GREY, linewidth=0.4)
    axes.axvline(0.0, color=GREY, linewidth=0.4)
    axes.plot(couplings, thermal, color=_BLACK, label="thermal occupation")
    axes.plot(couplings, pumped, color=VERMILION, label="steady state")
    axes.plot([0.78], [0.0], "o", color=BLUE, markersize=4, label="zero, printed")
    _shade_failed(axes, couplings, np.isnan(thermal) | np.isnan(pumped))
    axes.set(xlabel="$J_{12}$ (meV); FM below 0, AFM above", ylabel=r"outer asymmetry $\eta_o$")
    axes.set(xlim=(-1.5, 1.5), ylim=(-0.35, 0.6))
    axes.legend(loc="lower left", frameon=True, edgecolor="none", framealpha=1.0)
    letter(axes, "c")
    parameters(
        figure,
        f"$D = {IN_FIELD.axial_meV:g}$ meV, $E = {IN_FIELD.transverse_meV:g}$ meV, Ising $J_{{12}}$, "
        f"$C = {IN_FIELD.correlation:g}$, $B = {IN_FIELD.field_T:g}$ T,",
        f"$G_s = {1e3 * _FIELD_SETPOINT_US:g}$ nS, $T = {TEMPERATURE_K:g}$ K, second order, "
        r"Gaussians within $\pm 10$ mV;",
        "grey: steps of two ground states overlap, four Gaussians do not fit",
    )
    return save(figure, directory, "muenks_fig4c")


def _outer(junction: TunnelJunction) -> float:
    try:
        return fitted_steps(junction).outer
    except FitError:
        return float("nan")


def _shade_failed(axes: Axes, couplings: FloatArray, failed: NDArray[np.bool_]) -> None:
    """Mark the couplings at which the fit fails: two ground states of different steps are occupied there."""
    axes.fill_between(couplings, -1.0, 1.0, where=failed, color=GREY, alpha=0.15, linewidth=0.0)
    if failed.any():
        centre = float(couplings[failed].mean())
        axes.text(centre, 0.57, "fit fails", ha="center", va="top", fontsize=7.0, color=GREY)


def _tip(tip: FunctionalTip) -> str:
    """The parameters of a tip and of the CoH below it."""
    return (
        f"$D = {tip.axial_meV:g}$ meV, $E = {tip.transverse_meV:g}$ meV, "
        f"{'Ising' if tip.ising else 'Heisenberg'} $J_{{12}}/G_s = {tip.slope_meV_per_uS:g}$ meV/µS"
    )
