"""Exchange through weakly coupled molecules: each number to 1e-12 of its size, beside 50-digit quadrature."""

from __future__ import annotations

import itertools
from functools import cache

import mpmath as mp
import numpy as np
import pytest

from stmlab.physics import molecular_exchange as exchange
from stmlab.physics.molecular_dimer import Dimer, Leads
from stmlab.physics.molecular_exchange import molecular_exchange

OF_ITS_SIZE = 1e-12
NODES = 24


@pytest.fixture(autouse=True, scope="module")
def digits():
    with mp.workdps(50):
        yield


@cache
def legendre(count):
    """Nodes and weights of Gauss and Legendre, by Newton's method."""
    rule = []
    for number in range(count):
        z = mp.cos(mp.pi * (number + mp.mpf(3) / 4) / (count + mp.mpf(1) / 2))
        for _ in range(8):
            before, value = mp.mpf(1), z
            for k in range(2, count + 1):
                before, value = value, ((2 * k - 1) * z * value - (k - 1) * before) / k
            slope = count * (z * value - before) / (z * z - 1)
            z -= value / slope
        rule.append((z, 2 / ((1 - z * z) * slope * slope)))
    return rule


def by_quadrature(dimer, leads):
    """J, I and D from the definitions on the real axis, with panels that shrink towards resonances and Fermi edges."""
    a = {name: mp.mpf(float(value)) for name, value in dimer.arguments.items()}
    hopping, gamma = a["tunnelling_meV"], a["left_coupling_meV"] + a["right_coupling_meV"]
    widths = [
        [a[f"{side}_coupling_meV"] * (1 + s * a[f"{side}_polarisation"]) / 2 for side in ("left", "right")]
        for s in (1, -1)
    ]
    levels = [[a[f"level_{n}_meV"] + s * a[f"splitting_{n}_meV"] / 2 for n in (1, 2)] for s in (1, -1)]
    edges = [mp.mpf(float(mu)) for mu in leads.chemical_potentials_meV]
    thermal = [mp.mpf(float(kT)) for kT in leads.thermal_energies_meV]

    def integrands(x):
        fermi = [1 / (mp.exp((x - mu) / kT) + 1) for mu, kT in zip(edges, thermal, strict=True)]
        entered, propagation, weights = [], [], []
        for (left, right), (first, second) in zip(widths, levels, strict=True):
            d = (x - first + 0.5j * left) * (x - second + 0.5j * right) - hopping**2
            weights.append(1 / abs(d) ** 2)
            entered.append((left * fermi[0] * (x - second) + right * fermi[1] * (x - first)) * weights[-1])
            propagation.append(d.real * weights[-1])
        twist = (x - levels[0][0]) * (x - levels[1][1]) * widths[1][0] * widths[0][1]
        twist -= (x - levels[0][1]) * (x - levels[1][0]) * widths[0][0] * widths[1][1]
        return (
            entered[0] * propagation[1] + entered[1] * propagation[0],
            (entered[0] - entered[1]) * (propagation[1] - propagation[0]),
            twist * weights[0] * weights[1] * (fermi[0] - fermi[1]),
        )

    breaks = {-(mp.mpf(10) ** power) for power in range(2, 24)} | {mp.mpf(-50), mp.mpf(45)}
    for first, second in levels:
        middle, half = (first + second) / 2, mp.sqrt(((first - second) / 2) ** 2 + hopping**2)
        reach = [0, *(gamma * mp.mpf(2) ** k for k in range(-5, int(mp.log(3 / gamma, 2)) + 1))]
        breaks |= {c + s * r for c in (middle + half, middle - half) for s in (1, -1) for r in reach}
    for mu, kT in zip(edges, thermal, strict=True):
        breaks |= {mu + s * kT * r for s in (1, -1) for r in (0, 0.5, 1, 2, 4, 8, 16, 32)}
    total, rule = [mp.mpf(0)] * 3, legendre(NODES)
    for low, high in itertools.pairwise(sorted(breaks)):
        if high - low > mp.mpf(10) ** -30:
            for node, weight in rule:
                values = integrands((low + high) / 2 + (high - low) / 2 * node)
                total = [t + (high - low) / 2 * weight * v for t, v in zip(total, values, strict=True)]
    strength = hopping**2 * a["spin_coupling_1_meV"] * a["spin_coupling_2_meV"] / (4 * mp.pi)
    return -strength * total[0], strength * total[1], strength / 2 * total[2]


def weak(gamma, *polarisations, **others):
    return Dimer(*polarisations, left_coupling_meV=gamma / 2, right_coupling_meV=gamma / 2, **others)


CASES = [
    (weak(1e-8), Leads(-2.0)),
    (weak(1e-8, 0.5, 0.5), Leads(-1.0)),
    (weak(1e-8, 0.9, 0.0), Leads(-2.0, 3.0)),
    (weak(1e-8, 0.5, 0.5), Leads(-2.0, 0.0, 1.0, 4.0)),
    (weak(1e-6, 0.9, 0.9), Leads(-0.3, 0.1, 0.5, 1.0)),
    (weak(1e-4, 0.3, -0.6, level_1_meV=0.2, level_2_meV=-0.1, splitting_1_meV=0.1), Leads(0.4, 1.3, 2.0, 1.0)),
    (weak(1e-8, 0.3, -0.6, level_1_meV=0.2, splitting_2_meV=1e-8, tunnelling_meV=0.7), Leads(0.4, 1.3, 2.0)),
    (weak(1e-3, 0.5, 0.2), Leads(-2.0, 1.0)),
    (Dimer(0.4, 0.1, left_coupling_meV=1e-9, right_coupling_meV=3e-7), Leads(1.0, 0.5)),
]


SAMPLE = (8,)  # in every run: uneven coupling


@pytest.mark.parametrize(
    "case", [case if case in SAMPLE else pytest.param(case, marks=pytest.mark.slow) for case in range(len(CASES))]
)
def test_each_number_keeps_its_digits_at_weak_coupling(case):
    dimer, leads = CASES[case]
    found = molecular_exchange(dimer, leads)
    three = (found.heisenberg_meV, found.ising_meV, found.dzyaloshinskii_moriya_meV)
    for number, exact in zip(three, by_quadrature(dimer, leads), strict=True):
        small = 1e-30  # nothing, up to the quadrature
        assert abs(float(number) - float(exact)) <= OF_ITS_SIZE * abs(float(exact)) + small


def test_both_ways_to_sum_residues_agree_where_both_are_right(monkeypatch):
    dimer = Dimer(0.9, [0.0, 0.5, -0.3, -0.9], 0.1, [0.1, 0.1, 0.3, 0.0], 0.05, splitting_2_meV=-0.1)
    leads = Leads(-1.2, 0.7, 1.0, 2.0)
    usual = molecular_exchange(dimer, leads)
    monkeypatch.setattr(exchange, "narrow", lambda poles, *_: np.full(len(poles), True))
    exact = molecular_exchange(dimer, leads)
    assert exact.heisenberg_meV == pytest.approx(usual.heisenberg_meV, rel=0, abs=2e-13)
    assert exact.ising_meV == pytest.approx(usual.ising_meV, rel=0, abs=2e-13)
    assert exact.dzyaloshinskii_moriya_meV == pytest.approx(usual.dzyaloshinskii_moriya_meV, rel=0, abs=2e-13)


def test_the_ising_part_falls_with_the_cube_of_the_coupling_off_resonance():
    gammas = np.array([1e-8, 1e-6, 1e-4])
    dimer = Dimer(0.5, 0.5, left_coupling_meV=gammas / 2, right_coupling_meV=gammas / 2)
    found = molecular_exchange(dimer, Leads(-3.0, 0.0, 0.2)).ising_meV
    assert np.log10(found[1:] / found[:-1]) == pytest.approx([6.0, 6.0], abs=1e-6)
