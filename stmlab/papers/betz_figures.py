"""Figs. 2, 3 and 4 of Betz et al. from the five-state model of one Fe atom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stmlab.display.figures.drawing import (
    BLUE,
    DOUBLE_COLUMN_IN,
    GREEN,
    GREY,
    ORANGE,
    SINGLE_COLUMN_IN,
    VERMILION,
    house_style,
    letter,
    parameters,
    save,
    sheet,
)
from stmlab.papers.betz_model import (
    AMPLITUDE_V,
    SIMULATED_K,
    effective_rates,
    fe_atom,
    lowest_states,
    rate_scan,
    series_step,
    srs,
    step,
    step_scan,
)
from stmlab.physics.stochastic_resonance import stochastic_resonance
from stmlab.physics.two_level import EffectiveTwoLevel

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

_OFFSET_V = -5.5e-3
_SPIN = "$S=2$, $D=-1.557$ meV, $E=0.248$ meV, $g=2.15$, $B=2$ T"
_CONTACTS = r"$\eta=0.86$, $u=0.76$, $C_{SS}=7.2$ µS, $C_{ST}=0.050$ µS"
_ATOM = f"{_SPIN}, {_CONTACTS}"
_DRIVE = f"$T={SIMULATED_K:g}$ K, $V_{{ac}}={1e3 * AMPLITUDE_V:g}$ mV (peak)"
_THRESHOLD_MV = 4.44
_BLACK = "#202020"
_FREQUENCIES_HZ = np.geomspace(2e6, 2e10, 161)
_SETS = {
    2: (ORANGE, "$g, e_1$"),
    3: (VERMILION, "$g, e_1, e_2$"),
    4: (BLUE, "$g, e_1 ... e_3$"),
    5: (GREEN, "all five"),
}


def draw(directory: Path) -> list[Path]:
    """Draw all three; returns the paths of the PNGs."""
    with house_style():
        return [_mechanism(directory), _amplitudes(directory), _rates(directory)]


def _mechanism(directory: Path) -> Path:
    """Fig. 2: drive and occupation at three frequencies, and the signal they lead to."""
    atom = fe_atom()
    phase = np.linspace(0.0, 2.0, 401)
    _, rate = srs(atom, _OFFSET_V)
    chosen = np.array([0.1, 1.0, 10.0]) * rate / (2 * np.pi)
    names = (r"$f \ll \Gamma/2\pi$", r"$f = \Gamma/2\pi$", r"$f \gg \Gamma/2\pi$")
    at_three = stochastic_resonance(atom, chosen, offset_V=_OFFSET_V, amplitude_V=AMPLITUDE_V)
    spectrum = stochastic_resonance(atom, _FREQUENCIES_HZ, offset_V=_OFFSET_V, amplitude_V=AMPLITUDE_V)
    harmonics = np.arange(at_three.occupations.shape[1]) - at_three.occupations.shape[1] // 2
    figure = sheet(DOUBLE_COLUMN_IN, 3.0)
    grid = figure.add_gridspec(2, 5)
    for column, (occupation, name) in enumerate(zip(at_three.occupations[:, :, 1], names, strict=True)):
        above, below = figure.add_subplot(grid[0, column]), figure.add_subplot(grid[1, column])
        above.plot(phase, 1e3 * (_OFFSET_V + AMPLITUDE_V * np.cos(2 * np.pi * phase)), color=ORANGE)
        wave = np.exp(2j * np.pi * np.outer(phase, harmonics)) @ occupation
        below.plot(phase, wave.real, color=BLUE)
        below.axhline(occupation[len(harmonics) // 2].real, color=GREY, linewidth=0.6, linestyle="--")
        above.set(title=f"{name}\n{_frequency(chosen[column])}", xlim=(0, 2), ylim=(-7.2, -3.8), xticklabels=[])
        below.set(xlabel="time / period", xlim=(0, 2), ylim=(0.0, 0.32))
        if column:
            above.set_yticklabels([])
            below.set_yticklabels([])
        else:
            above.set_ylabel("$V(t)$ (mV)")
            below.set_ylabel("occupation $n(t)$")
            letter(above, "b")
    signal = figure.add_subplot(grid[:, 3:])
    signal.semilogx(_FREQUENCIES_HZ, 1e12 * (spectrum.signal_A - spectrum.offset_A), color=_BLACK, label="SRS signal")
    signal.semilogx(_FREQUENCIES_HZ, 1e12 * spectrum.homodyne_A, color=BLUE, linewidth=0.9, label="homodyne")
    signal.semilogx(_FREQUENCIES_HZ, 1e12 * spectrum.average_A, color=ORANGE, linewidth=0.9, label="average")
    for frequency in chosen:
        signal.axvline(frequency, color=GREY, linewidth=0.5, linestyle="--")
    signal.set(xlabel="frequency (Hz)", ylabel="$I - I_{rec}$ (pA)", xlim=_FREQUENCIES_HZ[[0, -1]])
    signal.legend()
    letter(signal, "c")
    parameters(figure, _ATOM, f"{_DRIVE}, $V_{{dc}}={1e3 * _OFFSET_V:g}$ mV; $n(t)$ of $e_1$, dashed: its average")
    return save(figure, directory, "betz_fig2")


def _amplitudes(directory: Path) -> Path:
    """Fig. 3: rates, I_SR against amplitude and offset, levels, and what each state adds."""
    figure = sheet(DOUBLE_COLUMN_IN, 4.8)
    panels = figure.subplots(2, 3)
    for axes, name, panel in zip(
        panels.ravel(), "abcdef", (_panel_a, _panel_b, _panel_c, _panel_d, _panel_e, _panel_f), strict=True
    ):
        panel(axes)
        letter(axes, name)
    parameters(
        figure,
        f"{_ATOM}, $T={SIMULATED_K:g}$ K",
        f"a, b: thin lines at the threshold of {_THRESHOLD_MV:g} mV; b: $V_{{dc}}=-3$ mV; "
        f"d, e, f: $V_{{ac}}={1e3 * AMPLITUDE_V:g}$ mV (peak); e: $V_{{dc}}={1e3 * _OFFSET_V:g}$ mV",
    )
    return save(figure, directory, "betz_fig3")


def _panel_a(axes: Axes) -> None:
    offsets = np.linspace(-10e-3, 10e-3, 401)
    up, down = effective_rates(offsets)
    axes.plot(1e3 * offsets, up / 1e9, color=BLUE, label=r"excitation $\Gamma_+$")
    axes.plot(1e3 * offsets, down / 1e9, color=VERMILION, label=r"relaxation $\Gamma_-$")
    for sign in (-1, 1):
        axes.axvline(sign * _THRESHOLD_MV, ymax=0.72, color=GREY, linewidth=0.6)
    axes.set(xlabel="$V$ (mV)", ylabel=r"rate ($10^9$/s)", xlim=(-10, 10), ylim=(0, 4.4))
    axes.legend(loc="upper center")


def _panel_b(axes: Axes) -> None:
    offset, amplitudes = -3e-3, np.linspace(0.05e-3, 4e-3, 40)
    curves = [
        1e12 * np.array([step(states, offset, float(amplitude)) for amplitude in amplitudes])
        for states in (EffectiveTwoLevel(fe_atom()), fe_atom())
    ]
    beyond = 1e3 * amplitudes * np.maximum(1e3 * (amplitudes - offset) - _THRESHOLD_MV, 0.0)
    weak = (amplitudes > 1.5e-3) & (amplitudes < 2.6e-3)
    factor = float(beyond[weak] @ curves[0][weak] / (beyond[weak] @ beyond[weak]))
    axes.plot(1e3 * amplitudes, curves[0], color=BLUE, label="two effective")
    axes.plot(1e3 * amplitudes, curves[1], color=GREEN, linestyle="--", label="five states")
    axes.plot(
        1e3 * amplitudes,
        factor * beyond,
        color=_BLACK,
        linewidth=0.8,
        label=r"$\sim V_{ac}(V_{ac}-V_{th}+|V_{dc}|)$",
    )
    axes.axvline(_THRESHOLD_MV + 1e3 * offset, ymax=0.7, color=GREY, linewidth=0.6)
    axes.set(xlabel="$V_{ac}$ (mV)", ylabel="$I_{SR}$ (pA)", xlim=(0, 4), ylim=(-2, 1.25 * curves[0].max()))
    axes.legend(loc="upper left", fontsize=6.0)


def _panel_c(axes: Axes) -> None:
    eigensystem = fe_atom().system.eigensystem
    along = eigensystem.spin_expectations(0)[:, 2]
    for number, (place, energy) in enumerate(zip(along, eigensystem.excitations_meV, strict=True)):
        axes.plot([place - 0.25, place + 0.25], [energy, energy], color=_BLACK, linewidth=1.6)
        name = "$g$" if number == 0 else f"$e_{number}$"
        axes.annotate(name, (place, energy), (0, 3), textcoords="offset points", ha="center")
    axes.set(xlabel=r"$\langle S_z \rangle$", ylabel="energy (meV)", xlim=(-2.6, 2.6), ylim=(-0.6, 8.2))


def _panel_d(axes: Axes) -> None:
    (offsets_V, pair), (_, full) = step_scan(5, reduced=True), step_scan(5)
    offsets = 1e3 * offsets_V
    first, second = (
        np.array([1e12 * series_step(float(v), AMPLITUDE_V, orders) for v in offsets_V]) for orders in (1, 2)
    )
    axes.plot(offsets, first, color=GREY, linewidth=0.8, label="$j = 1$")
    axes.plot(offsets, second, color=GREY, linewidth=0.8, linestyle=":", label=r"$j \leq 2$")
    axes.plot(offsets, 1e12 * pair, color=BLUE, label="two effective, exact")
    axes.plot(offsets, 1e12 * full, color=GREEN, linestyle="--", label="five states")
    axes.set(xlabel="$V_{dc}$ (mV)", ylabel="$I_{SR}$ (pA)", xlim=(-10, 10))
    axes.legend(loc="upper right", fontsize=6.0)


def _panel_e(axes: Axes) -> None:
    for count, (color, name) in _SETS.items():
        spectrum = stochastic_resonance(
            lowest_states(count), _FREQUENCIES_HZ, offset_V=_OFFSET_V, amplitude_V=AMPLITUDE_V, tolerance=1e-6
        )
        axes.semilogx(
            _FREQUENCIES_HZ, 1e12 * (spectrum.signal_A - spectrum.offset_A), color=color, linestyle="--", label=name
        )
    pair = stochastic_resonance(
        EffectiveTwoLevel(fe_atom()), _FREQUENCIES_HZ, offset_V=_OFFSET_V, amplitude_V=AMPLITUDE_V, tolerance=1e-6
    )
    shown = 1e12 * (pair.signal_A - pair.offset_A)
    axes.semilogx(_FREQUENCIES_HZ, shown, color=_BLACK, linewidth=0.8, label="two effective")
    axes.set(xlabel="frequency (Hz)", ylabel="$I - I_{rec}$ (pA)", xlim=_FREQUENCIES_HZ[[0, -1]])
    axes.legend(loc="upper right", fontsize=6.0)


def _panel_f(axes: Axes) -> None:
    for count, (color, name) in _SETS.items():
        offsets_V, steps_A = step_scan(count)
        axes.plot(1e3 * offsets_V, 1e12 * steps_A, color=color, linestyle="--", label=name)
    axes.axhline(0.0, color=GREY, linewidth=0.4)
    axes.set(xlabel="$V_{dc}$ (mV)", ylabel="$I_{SR}$ (pA)", xlim=(-10, 10))
    axes.legend(loc="upper right", fontsize=6.0)


def _rates(directory: Path) -> Path:
    """Fig. 4: Gamma against the offset voltage, for more and more states; no value where eq. 1 does not fit."""
    figure = sheet(SINGLE_COLUMN_IN, 3.3)
    axes = figure.subplots()
    for count, (color, name) in _SETS.items():
        (pair_V, pair), (full_V, full) = rate_scan(count, reduced=True), rate_scan(count)
        axes.plot(1e3 * pair_V, pair / 1e9, color=color, linewidth=2.4, alpha=0.4)
        axes.plot(1e3 * full_V, full / 1e9, color=color, linestyle="--", linewidth=1.0, label=name)
    axes.set(xlabel="offset $V_{dc}$ (mV)", ylabel=r"fitted rate $\Gamma$ ($10^9$/s)", xlim=(-10, 10), ylim=(0, 3.6))
    axes.legend(loc="upper center", title="dashed: states\npale: reduced to two", title_fontsize=7.0)
    parameters(
        figure,
        f"{_SPIN},",
        f"{_CONTACTS},",
        f"{_DRIVE}; no curve where eq. 1",
        "does not fit: $I_{SR}$ changes sign at 4.9 mV",
    )
    return save(figure, directory, "betz_fig4")


def _frequency(hertz: float) -> str:
    return f"{hertz / 1e9:.2g} GHz" if hertz >= 1e9 else f"{hertz / 1e6:.0f} MHz"
