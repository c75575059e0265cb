"""Figs. 2, 3 and 4 of Fransson, Ren and Zhu, from the exact eqs. 5a-5c at the printed parameters."""

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
from stmlab.physics.molecular_dimer import Dimer, Leads
from stmlab.physics.molecular_exchange import MolecularExchange, molecular_exchange

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from stmlab.arrays import FloatArray

_GATED = -2.0
_POTENTIALS, _BIASES, _DIFFERENCES = np.linspace(-3, 3, 1201), np.linspace(-5, 5, 1001), np.linspace(0, 30, 601)
_PAIRS = {
    (0.0, 0.0): GREY,
    (0.5, 0.5): BLUE,
    (0.9, 0.9): GREEN,
    (0.9, 0.0): VERMILION,
    (0.0, 0.9): PURPLE,
    (0.5, 0.0): ORANGE,
    (0.9, -0.9): BLUE,
    (-0.9, 0.9): GREEN,
}
_LEGEND = (
    r"$(p_L,\,p_R)$;  signs as in $H=-[J\,\mathbf{S}_1\!\cdot\mathbf{S}_2+I\,S_{1z}S_{2z}"
    r"+D\,\hat{z}\cdot(\mathbf{S}_1\!\times\mathbf{S}_2)]$"
)
_WIDEST, _STEP = 2.6, 0.45
_FIGURES: dict[int, tuple[str, tuple[tuple[float, float], ...], tuple[float, float]]] = {
    2: ("J", ((0.0, 0.0), (0.5, 0.5), (0.9, 0.9), (0.9, 0.0), (0.0, 0.9)), (0.3, 0.2)),
    3: ("I", ((0.5, 0.5), (0.9, 0.9), (0.9, 0.0), (0.0, 0.9)), (0.0, 0.0)),
    4: ("D", ((0.9, 0.0), (0.0, 0.9), (0.5, 0.0), (0.9, -0.9)), (0.0, 0.0)),
}


def draw(directory: Path) -> list[Path]:
    """Draw all three; returns the paths of the PNGs."""
    quantities: dict[str, Callable[[MolecularExchange], FloatArray]] = {
        "J": lambda exchange: exchange.heisenberg_meV,
        "I": lambda exchange: exchange.ising_meV,
        "D": lambda exchange: exchange.dzyaloshinskii_moriya_meV,
    }
    return [
        _figure(directory, number, symbol, quantities[symbol], pairs, offsets)
        for number, (symbol, pairs, offsets) in _FIGURES.items()
    ]


def _figure(
    directory: Path,
    number: int,
    symbol: str,
    quantity: Callable[[MolecularExchange], FloatArray],
    pairs: tuple[tuple[float, float], ...],
    offsets: tuple[float, float],
) -> Path:
    """Panels (a) chemical potential, (b) bias, (c) temperature difference; J is offset in (a) and (b) as printed."""
    bias_in_a = 0.1 if symbol == "D" else 0.0
    scans = (
        (Leads(_POTENTIALS, bias_in_a), _POTENTIALS, r"chemical potential $\mu-\varepsilon_0$ (meV)", offsets[0]),
        (Leads(_GATED, _BIASES), _BIASES, r"bias $V$ (mV)", offsets[1]),
        (Leads(_GATED, 0.0, 1.0, _DIFFERENCES), _DIFFERENCES, r"$\Delta T = T_R-T_L$ (K)", 0.0),
    )
    with house_style():
        figure = sheet(DOUBLE_COLUMN_IN, 3.0)
        for axes, name, (leads, x, label, offset) in zip(figure.subplots(1, 3), "abc", scans, strict=True):
            for place, pair in enumerate(pairs):
                shift = -offset * place
                axes.axhline(shift, color=GREY, linewidth=0.4)
                exchange = quantity(molecular_exchange(Dimer(*pair), leads))
                width = _WIDEST - _STEP * place  # curves that coincide stay visible inside each other
                axes.plot(x, exchange + shift, color=_PAIRS[pair], linewidth=width, label=_name(pair))
            axes.set(xlabel=label, xlim=(x[0], x[-1]))
            shifted = f", offset by {offset:g}" if offset else ""
            axes.set_ylabel(f"${symbol}_{{12}}$ (meV{shifted})")
            letter(axes, name)
        handles, labels = axes.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=len(pairs), title=_LEGEND)
        parameters(
            figure,
            r"$\varepsilon_0=0$, $T_c=J_1=J_2=1$ meV, $\Gamma=1/3$ meV, $T_L=1$ K, $\mu_{L,R}=\mu\pm eV/2$; "
            rf"a: $V={bias_in_a:g}$ mV, $\Delta T=0$; b: $\mu={_GATED:g}$ meV, $\Delta T=0$; "
            rf"c: $\mu={_GATED:g}$ meV, $V=0$",
        )
        return save(figure, directory, f"fransson_fig{number}")


def _name(pair: tuple[float, float]) -> str:
    return "({:g}, {:g})".format(*pair).replace("-", "\N{MINUS SIGN}")
