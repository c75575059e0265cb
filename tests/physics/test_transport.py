"""Transport in second order: an independent sum over electrons, invariants, asymmetries of Muenks et al., refusals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import null_space
from scipy.optimize import brentq, curve_fit
from scipy.spatial.transform import Rotation

from stmlab.errors import PhysicsError
from stmlab.physics.baths import Bath, Electrode
from stmlab.physics.constants import ELEMENTARY_CHARGE_C, K_B_MEV_PER_K
from stmlab.physics.currents import Currents
from stmlab.physics.junction import PolarisingState
from stmlab.physics.occupation import thermal_occupation
from stmlab.physics.operators import spin_matrices
from stmlab.physics.spins import Exchange, Spin, SpinSystem
from stmlab.physics.transport import TunnelJunction, conductances
from tests.approximately import close

BIAS_V = np.linspace(-10e-3, 10e-3, 601)
COARSE_V = np.linspace(-9e-3, 9e-3, 13)
PAULI = np.concatenate([np.eye(2)[None], 2 * spin_matrices(0.5)])

correlations = st.floats(-0.95, 0.95)
couplings = st.floats(-3, 3)
options = st.fixed_dictionaries(
    {
        "polarising_state": st.sampled_from(list(PolarisingState)),
        "occupation": st.sampled_from(["steady", "thermal"]),
        "temperature_K": st.floats(0.8, 6),
    }
)


COBALT_HYDRIDE = Spin(1, -4.2, 0.87)


def junction(exchange, correlation=0.4, field=(0, 0, 0), spin=COBALT_HYDRIDE, temperature_K=2.0, **rest):
    system = SpinSystem((spin, Spin(0.5)), (exchange,), field)
    return TunnelJunction(system, temperature_K, 3e-7, tip=Electrode(correlation=correlation, spin=1), **rest)


def antiferromagnetic_tip(conductance_uS, **rest):
    return junction(Exchange.heisenberg(0, 1, 3.6 * conductance_uS), -0.5, **rest)


def ferromagnetic_tip(conductance_uS, **rest):
    return junction(Exchange.ising(0, 1, 5.9 * conductance_uS), 0.35, spin=Spin(1, -3.23, 0.58), **rest)


def spectra(of):
    return np.array([of.current(COARSE_V), 1e-3 * of.conductance(COARSE_V), 1e-6 * of.conductance_slope(COARSE_V)])


def agree(left, right):
    return np.abs(left - right).max(axis=1) <= 1e-12 * np.abs(left).max(axis=1)


def odd(values):
    """The same spectra with the bias reversed: I and d2I/dV2 change sign."""
    return values[:, ::-1] * np.array([-1, 1, -1])[:, None]


def outer_asymmetry(of, inner_meV, outer_meV):
    """eta_o and the outer step's shift, from four Gaussians and a constant fitted to d2I/dV2 within +-10 mV."""
    centres = np.array([-outer_meV, -inner_meV, inner_meV, outer_meV])

    def gaussians(v, constant, *parameters):
        areas, shifts, widths = np.reshape(parameters, (3, 4))
        x = (v[:, None] - centres - shifts) / widths
        return constant + (areas / np.abs(widths) * np.exp(-(x**2) / 2)).sum(axis=1)

    slope = of.conductance_slope(BIAS_V) / of.conductance_S * 1e-3
    start = [0, *(0.1 * np.sign(centres)), *np.zeros(4), *np.full(4, 0.4)]
    fitted, _ = curve_fit(gaussians, BIAS_V * 1e3, slope, start, maxfev=20_000)
    negative, positive = -fitted[1], fitted[4]
    return (negative - positive) / (negative + positive), fitted[8]


def electron_by_electron(of):
    """Rates in 1/s at COARSE_V as sums over the electrons' spin states, without any trace formula."""
    system, kT = of.system, K_B_MEV_PER_K * of.temperature_K
    eigensystem = system.eigensystem
    energies, states = eigensystem.energies_meV, eigensystem.states
    small = np.array(
        [system.operator({of.coupled_spin: matrix}) for matrix in spin_matrices(system.spins[of.coupled_spin].size)]
    )

    def zeta(x):
        return kT if abs(x) < 1e-12 else x / np.expm1(x / kT)

    def spin_states(electrode, state):
        p = np.array(electrode.polarisation)
        if electrode.spin is not None:
            p = p + 2 * electrode.correlation * eigensystem.spin_expectations(electrode.spin)[state]
        return np.linalg.eigh((PAULI[0] + np.einsum("a,aij->ij", p, PAULI[1:])) / 2)

    def strength(f, i, start, end):
        total = 0.0
        m = sum(states[:, f].conj() @ s @ states[:, i] * sigma / 2 for s, sigma in zip(small, PAULI[1:], strict=True))
        m = m + of.potential_scattering * (f == i) * PAULI[0]
        for weight_in, into in zip(start[0], start[1].T, strict=True):
            for weight_out, out in zip(end[0], end[1].T, strict=True):
                total += 4 * weight_in * weight_out * abs(out.conj() @ m @ into) ** 2
        return total

    n = len(energies)
    rates, currents = np.zeros((len(COARSE_V), n, n)), np.zeros((len(COARSE_V), n))
    for f in range(n):
        for i in range(n):
            follow21, follow12 = {"initial": (i, i), "detailed": (i, f)}[of.polarising_state]
            follow21_sample, follow12_sample = {"initial": (i, i), "detailed": (f, i)}[of.polarising_state]
            w21 = strength(f, i, spin_states(of.tip, follow21), spin_states(of.sample, follow21_sample))
            w12 = strength(f, i, spin_states(of.sample, follow12_sample), spin_states(of.tip, follow12))
            d = energies[f] - energies[i]
            for number, v in enumerate(COARSE_V * 1e3):
                there, back = w21 * zeta(d - v), w12 * zeta(d + v)
                currents[number, i] += of.conductance_S * (there - back) * 1e-3
                if f != i:
                    rates[number, f, i] += of.conductance_S * (there + back)
            for bath in of.baths:
                if f != i:
                    spin = spin_matrices(system.spins[bath.spin].size)
                    elements = [states[:, f].conj() @ system.operator({bath.spin: s}) @ states[:, i] for s in spin]
                    rates[:, f, i] += bath.conductance_S * zeta(d) * 0.5 * sum(abs(e) ** 2 for e in elements)
    return rates * 1e-3 / ELEMENTARY_CHARGE_C, currents


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), state=st.sampled_from(["initial", "detailed"]), follows=st.booleans())
def test_rates_and_currents_agree_with_a_sum_over_electrons(seed, state, follows):
    random = np.random.default_rng(seed)
    system = SpinSystem(
        (Spin(1, -4, 0.9, random.normal(2, 0.3, (3, 3))), Spin(0.5)),
        (Exchange(0, 1, random.normal(size=(3, 3))),),
        random.normal(size=3),
    )
    tip, sample = Electrode(tuple(random.uniform(-0.3, 0.3, 3)), 0.3, 1), Electrode(tuple(random.uniform(-0.5, 0.5, 3)))
    if follows:
        tip, sample = sample, Electrode((0.1, 0.2, 0.1), -0.3, 0)
    of = TunnelJunction(
        system, 2.0, 3e-7, tip=tip, sample=sample, potential_scattering=0.3, polarising_state=PolarisingState(state)
    )
    rates, currents = electron_by_electron(of)
    assert of.rates(COARSE_V) == pytest.approx(rates, rel=1e-9, abs=1e-12 * rates.max())
    assert of.state_currents(COARSE_V) == pytest.approx(currents, rel=1e-9, abs=1e-12 * np.abs(currents).max())
    occupations = of.occupations(COARSE_V)
    for matrix, occupation in zip(rates, occupations, strict=True):
        kernel = null_space((matrix - np.diag(matrix.sum(axis=0))) / matrix.max(), rcond=1e-12)[:, 0]
        assert occupation == pytest.approx(kernel / kernel.sum(), abs=1e-9)
    current = (currents * occupations).sum(axis=1)  # at zero bias what is left of terms that cancel
    assert of.current(COARSE_V) == close(current, rel=1e-9, abs=1e-12 * np.abs(currents).max())


def test_derivatives_are_those_of_the_current():
    of = antiferromagnetic_tip(0.3, potential_scattering=0.2)
    h = 1e-6
    conductance = (of.current(COARSE_V + h) - of.current(COARSE_V - h)) / (2 * h)
    slope = (of.conductance(COARSE_V + h) - of.conductance(COARSE_V - h)) / (2 * h)
    assert of.conductance(COARSE_V) == close(conductance, rel=1e-5)
    assert of.conductance_slope(COARSE_V) == pytest.approx(slope, abs=1e-5 * np.abs(slope).max())


def test_an_isolated_spin_one_conducts_g12_at_high_bias():
    of = TunnelJunction(SpinSystem((Spin(1, -4.2, 0.87),)), 1.0, 3e-7, occupation="thermal")
    assert of.conductance([50e-3, -50e-3]) == close(3e-7, rel=1e-12)
    with_potential = replace(of, potential_scattering=0.5)
    assert with_potential.conductance([50e-3]) == close(3e-7 * (1 + 2 * 0.25), rel=1e-12)


@settings(max_examples=25, deadline=None)
@given(c=correlations, j=couplings, ising=st.booleans(), given_options=options)
def test_reversing_bias_and_correlation_reverses_the_current_at_zero_field(c, j, ising, given_options):
    # With "detailed", the tip follows i one way and f the other: that needs a second spin which no transition turns.
    ising = ising or given_options["polarising_state"] is PolarisingState.DETAILED
    exchange = Exchange.ising(0, 1, j) if ising else Exchange.heisenberg(0, 1, j)
    forward, reversed_ = (spectra(junction(exchange, sign * c, **given_options)) for sign in (1, -1))
    assert agree(forward, odd(reversed_)).all()


@settings(max_examples=25, deadline=None)
@given(c=correlations, j=couplings, given_options=options)
def test_reversing_ising_coupling_and_correlation_changes_nothing(c, j, given_options):
    one, other = (spectra(junction(Exchange.ising(0, 1, s * j), s * c, **given_options)) for s in (1, -1))
    assert agree(one, other).all()


@settings(max_examples=25, deadline=None)
@given(c=correlations, j=couplings, b=st.floats(0, 8), given_options=options)
def test_reversing_the_field_along_the_axis_changes_nothing(c, j, b, given_options):
    exchange = Exchange.heisenberg(0, 1, j)
    up, down = (spectra(junction(exchange, c, (0, 0, s * b), **given_options)) for s in (1, -1))
    assert agree(up, down).all()


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), given_options=options)
def test_turning_everything_changes_nothing(seed, given_options):
    random = np.random.default_rng(seed)
    tensor, field, polarisation = random.normal(size=(3, 3)), random.normal(size=3), random.uniform(-0.5, 0.5, 3)

    def turned(by):
        system = SpinSystem((Spin(1), Spin(0.5)), (Exchange(0, 1, by @ tensor @ by.T),), tuple(by @ field))
        tip = Electrode(tuple(by @ polarisation), 0.1, 1)
        return spectra(TunnelJunction(system, conductance_S=3e-7, tip=tip, **given_options))

    left, right = turned(np.eye(3)), turned(Rotation.random(rng=seed).as_matrix())
    assert (np.abs(left - right).max(axis=1) <= 1e-10 * np.abs(left).max(axis=1)).all()


@settings(max_examples=15, deadline=None)
@given(c=correlations, j=couplings, given_options=options)
def test_tip_and_sample_are_alike(c, j, given_options):
    of = junction(Exchange.heisenberg(0, 1, j), c, (0.3, 0, 2), **given_options)
    swapped = replace(of, tip=of.sample, sample=of.tip)
    assert agree(spectra(of), odd(spectra(swapped))).all()


@settings(max_examples=15, deadline=None)
@given(
    c=correlations,
    j=couplings,
    field=st.tuples(*[st.floats(-5, 5)] * 3),
    state=st.sampled_from(["detailed", "average"]),
)
def test_without_bias_no_current_flows_and_the_spins_are_in_equilibrium(c, j, field, state):
    of = junction(Exchange.heisenberg(0, 1, j), c, field, polarising_state=state, baths=(Bath(1, 1e-9),))
    energies = of.system.eigensystem.energies_meV
    assert of.occupations([0.0])[0] == pytest.approx(thermal_occupation(energies, 2.0), rel=1e-8, abs=1e-15)
    assert abs(of.current(0.0)) <= 1e-13 * of.current(1e-3)


def test_the_initial_state_alone_would_drive_a_current_without_bias():
    of = antiferromagnetic_tip(0.3, field=(0, 0, 3), polarising_state="initial")
    assert abs(of.current(0.0)) > 1e-8 * of.current(1e-3)


def test_degenerate_doublets_conduct_like_split_by_a_tiny_field():
    free, tiny = antiferromagnetic_tip(0.3), antiferromagnetic_tip(0.3, field=(0, 0, 1e-6))
    assert spectra(free) == pytest.approx(spectra(tiny), rel=1e-12, abs=1e-12 * 3e-10)


@pytest.mark.parametrize(
    ("build", "conductance_uS", "steps", "expected"),
    [
        (antiferromagnetic_tip, 0.1, (1.7768, 5.1115), 0.101),
        (antiferromagnetic_tip, 0.3, (2.0928, 5.4339), 0.246),
        (ferromagnetic_tip, 0.1, (1.3014, 3.8807), -0.157),
        (ferromagnetic_tip, 0.3, (2.1162, 4.2881), -0.291),
    ],
)
def test_the_outer_asymmetry_of_figure_2(build, conductance_uS, steps, expected):
    of = build(conductance_uS, occupation="thermal", polarising_state="initial")
    assert outer_asymmetry(of, *steps)[0] == pytest.approx(expected, abs=5e-4)


def test_third_order_pulls_the_fitted_outer_step_below_its_level():
    pulled = [
        outer_asymmetry(antiferromagnetic_tip(0.1, order=3, coupling=c, occupation="thermal"), 1.7768, 5.1115)[1]
        for c in (-0.05, -0.1)
    ]
    assert -0.14 < pulled[1] < pulled[0] < -0.02


@pytest.mark.parametrize(
    "given_options",
    [{"occupation": "thermal", "polarising_state": "initial"}, {}, {"order": 3, "coupling": -0.1}],
)
def test_at_5_tesla_the_asymmetry_vanishes_near_the_papers_coupling(given_options):
    def asymmetry(j):
        of = junction(Exchange.ising(0, 1, j), 0.6, (0, 0, 5), Spin(1, -4.05, 0.65), **given_options)
        steps = of.system.eigensystem.steps(0)[0]
        return outer_asymmetry(of, steps[0], steps[steps > 3][0])[0]

    assert 0.63 <= brentq(asymmetry, 0.55, 0.9, xtol=1e-3) <= 0.78
    assert asymmetry(0.3) > 0.1


def test_ising_coupling_without_relaxation_of_the_second_spin_is_refused():
    alone = junction(Exchange.ising(0, 1, 1.0), baths=(Bath(0, 2e-6),))
    with pytest.raises(PhysicsError, match=r"baths = .* fall into 2 groups .* not unique; a bath"):
        alone.conductance(COARSE_V)
    strengths = [junction(Exchange.ising(0, 1, 1.0), baths=(Bath(0, 2e-6), Bath(1, g))) for g in (1e-12, 1e-9)]
    weak, default = (of.conductance(COARSE_V) for of in strengths)
    assert weak == close(default, rel=0.01)


def test_a_bath_cools_the_spin_that_the_current_heats():
    hot, cold = (antiferromagnetic_tip(0.3, baths=(Bath(0, g), Bath(1, 1e-9))) for g in (0.0, 1e-3))
    assert cold.occupations([8e-3])[0, :2].sum() == pytest.approx(1, abs=2e-3)
    assert hot.occupations([8e-3])[0, :2].sum() < 0.9


def test_the_lock_in_reads_the_first_harmonic_of_the_current():
    of, amplitude = antiferromagnetic_tip(0.3), 4e-4
    phase = 2 * np.pi * (np.arange(64) + 0.5) / 64
    current = of.current(COARSE_V[:, None] + amplitude * np.cos(phase))
    first = 2 * (current * np.cos(phase)).mean(axis=1) / amplitude
    second = 8 * (current * np.cos(2 * phase)).mean(axis=1) / amplitude**2
    assert of.conductance(COARSE_V, amplitude) == close(first, rel=1e-10)
    read = of.conductance_slope(COARSE_V, amplitude, harmonic=2)
    assert read == pytest.approx(second, abs=1e-9 * np.abs(second).max())
    h = 1e-6
    slope = (of.conductance(COARSE_V + h, amplitude) - of.conductance(COARSE_V - h, amplitude)) / (2 * h)
    assert of.conductance_slope(COARSE_V, amplitude) == pytest.approx(slope, abs=1e-5 * np.abs(slope).max())


def test_a_long_bias_axis_is_worked_through_in_parts():
    """Of at most 64 biases, for so many states."""
    chain = SpinSystem(
        (Spin(1.5, -1.6, 0.3),) * 3, tuple(Exchange.heisenberg(k, k + 1, 1.2) for k in range(2)), (0.1, 0, 2)
    )
    of = TunnelJunction(chain, 1.0, 1e-8, coupled_spin=1, occupation="thermal")
    bias = np.linspace(-1e-2, 1e-2, 150)
    whole = of.conductance(bias)
    some = [0, 62, 63, 64, 65, 127, 128, 149]
    assert whole[some] == close(of.conductance(bias[some]), rel=1e-12)
    assert of.conductance(bias[::3].reshape(5, 10)).shape == (5, 10)


BASE = antiferromagnetic_tip(0.3)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: replace(BASE, temperature_K=-1), "temperature_K = -1: a value above 0 K"),
        (lambda: replace(BASE, temperature_K=float("nan")), "temperature_K = nan: a finite number in K"),
        (lambda: replace(BASE, conductance_S=0), "conductance_S = 0: a value above 0 S"),
        (lambda: replace(BASE, coupled_spin=2), "coupled_spin = 2: a whole number from 0 to 1"),
        (lambda: replace(BASE, order=4), "order = 4: a whole number from 2 to 3"),
        (lambda: replace(BASE, coupling=-0.1), "coupling = -0.1: it acts in third order only"),
        (lambda: replace(BASE, occupation="hot"), "occupation = hot: one of steady, thermal"),
        (lambda: replace(BASE, pole="north"), "pole = north: one of exact, ternes"),
        (lambda: replace(BASE, polarising_state="final"), "polarising_state = final: one of initial, detailed"),
        (lambda: replace(BASE, baths=(Bath(2, 1e-6),)), "baths: spin = 2"),
        (lambda: replace(BASE, bandwidth_meV=0), "bandwidth_meV = 0: a value above 0 meV"),
        (lambda: Bath(0, -1e-6), "conductance_S = -1e-06: 0 S or more"),
        (lambda: Electrode((0, 0, 1.2)), "polarisation = .*length 1 or less"),
        (lambda: Electrode(correlation=1.5, spin=0), "correlation = 1.5: a value from -1 to 1"),
        (lambda: Electrode(correlation=0.5), "spin = None: a correlation needs"),
        (lambda: replace(BASE, tip=Electrode((0, 0, 0.8), 0.9, 1)).current([0.0]), "tip: correlation = 0.9: gives"),
        (lambda: replace(BASE, tip=Electrode(correlation=0.9, spin=5)).current([0.0]), "tip: spin = 5"),
        (lambda: BASE.current([np.nan]), "bias_V = nan: finite real numbers in V"),
        (lambda: BASE.rates([[0.0]]), "bias_V = shape \\(1, 1\\): one axis"),
        (
            lambda: replace(BASE, order=3, coupling=0.5).current([5e-3]),
            "coupling = 0.5: third order is outside perturbation theory",
        ),
    ],
)
def test_what_is_no_junction_is_refused_by_name_value_and_remedy(build, message):
    with pytest.raises(PhysicsError, match=message):
        build()


@pytest.mark.parametrize("order", [2, 3])
def test_many_junctions_at_once_are_each_by_itself(order):
    """Of one kind: Hamiltonian, temperature, conductance, correlation, couplings differ, levels cross."""
    random, bias = np.random.default_rng(3), np.linspace(-9e-3, 9e-3, 41)
    junctions = []
    for _ in range(7):
        axial, transverse, exchange = random.uniform([-5, 0.1, -2], [5, 1, 2])
        system = SpinSystem((Spin(1, axial, transverse), Spin(0.5)), (Exchange.heisenberg(0, 1, exchange),))
        junctions += [
            TunnelJunction(
                system,
                random.uniform(1, 3),
                10 ** random.uniform(-8, -6),
                tip=Electrode(correlation=random.uniform(-0.5, 0.5), spin=1),
                potential_scattering=potential,
                order=order,
                coupling=random.uniform(-0.06, 0.0) if order == 3 else 0.0,
            )
            for potential in (0.0, 0.3, 0.3)
        ]
    alone = np.array([one.conductance(bias) for one in junctions])
    np.testing.assert_allclose(conductances(junctions, bias), alone, rtol=1e-11)
    with pytest.raises(PhysicsError, match="same spins and options"):
        conductances([junctions[0], TunnelJunction(SpinSystem((Spin(1),)), 2.0, 1e-7)], bias)


def test_rates_and_currents_of_several_junctions_are_those_of_each():
    """Over more biases than are computed at once."""
    several = [antiferromagnetic_tip(0.1), antiferromagnetic_tip(0.4)]
    together, bias = Currents(several), 1e3 * BIAS_V
    each = [Currents([one]) for one in several]
    for of in ("rates", "state_currents", "occupations"):
        found = getattr(together, of)(bias)
        expected = np.concatenate([getattr(one, of)(bias) for one in each])
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=0)  # thousands: close() takes them one by one
