"""Two spins under a tunnel current: the paper's lines, limits of the model, and QuTiP."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import qutip
from hypothesis import given, settings
from hypothesis import strategies as st

from stmlab.errors import PhysicsError, PhysicsWarning
from stmlab.physics.dark_state import dark_state
from stmlab.physics.two_spins import (
    ALONG,
    LOWERING,
    RAISING,
    MasterEquation,
    TwoSpins,
    correlation_spectra,
    flat_band_integral,
    induced_interactions,
)
from tests.approximately import close

FIGURE_2 = TwoSpins(larmor=0.1, bias=1.0, coupling_1=0.01, coupling_2=0.009, exchange=0.2)
WITH_DM = TwoSpins(0.1, 1.0, 0.01, 0.009, exchange=0.2, dzyaloshinskii_moriya=0.2, phi=np.pi / 4)
ANGULAR = np.linspace(0.02, 1.2, 5901)


def pair(larmor, above, larmor_difference, **others):
    """At a bias of 1 or the larger Larmor energy, or above."""
    bias = max(1.0, abs(larmor) + abs(0.5 * larmor_difference)) + above
    return TwoSpins(larmor, bias, larmor_difference=larmor_difference, **others)


spins = st.builds(
    pair,
    larmor=st.floats(-1.0, 1.0),
    above=st.one_of(st.just(0.0), st.floats(0.0, 2.0)),
    coupling_1=st.floats(0.001, 0.5),
    coupling_2=st.floats(0.001, 0.5),
    exchange=st.floats(-1.0, 1.0),
    dzyaloshinskii_moriya=st.floats(-1.0, 1.0),
    theta=st.floats(0.3, 3.0),
    phi=st.floats(-3.0, 3.0),
    thermal_energy=st.one_of(st.none(), st.floats(0.01, 3.0)),
    master_equation=st.sampled_from(MasterEquation),
    larmor_difference=st.one_of(st.just(0.0), st.floats(-0.5, 0.5)),
    dipolar=st.one_of(st.just(0.0), st.floats(-0.5, 0.5)),
    dipolar_angle=st.floats(0.0, 3.0),
)


def lines(spectrum):
    """Positions of the local maxima."""
    middle = spectrum[1:-1]
    return ANGULAR[1:-1][(middle > spectrum[:-2]) & (middle > spectrum[2:])]


def as_qutip(system):
    """The same generator, built by QuTiP from the same couplings."""
    generator = qutip.liouvillian(qutip.Qobj(system.hamiltonian))
    for part in system.dissipators:
        for m in range(2):
            for n in range(2):
                first, second = qutip.Qobj(part.operators[n]), qutip.Qobj(part.operators[m]).dag()
                jump = qutip.spre(first) * qutip.spost(second)
                loss = 0.5 * (qutip.spre(second * first) + qutip.spost(second * first))
                generator = generator + complex(part.rates[m, n]) * (jump - loss)
    return generator


def test_the_interactions_are_those_of_equation_7():
    x, y, z = (np.array(m, dtype=complex) for m in ([[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]))
    unit = np.eye(2)
    expected = 0.05 * (np.kron(z, unit) + np.kron(unit, z)) - 0.2 * sum(np.kron(t, t) for t in (x, y, z))
    expected = expected + 0.3 * (np.kron(x, y) - np.kron(y, x))
    system = TwoSpins(0.1, 1.0, 0.01, 0.01, exchange=0.2, dzyaloshinskii_moriya=0.3)
    assert system.hamiltonian == pytest.approx(expected, abs=1e-15)
    assert sorted(system.levels.values()) == close(np.linalg.eigvalsh(expected))


def test_the_singlet_and_triplet_carry_the_phase_of_equation_9():
    phase = np.exp(1j * np.arctan2(0.3, 0.2))
    system = TwoSpins(0.1, 1.0, 0.01, 0.01, exchange=0.2, dzyaloshinskii_moriya=0.3)
    for name, sign in (("S", -1), ("T2", 1)):
        state = np.array([0, 1, sign * phase, 0]) / np.sqrt(2)
        assert system.hamiltonian @ state == pytest.approx(system.levels[name] * state, abs=1e-15)


def test_the_dissipator_is_that_of_the_facts():
    system = TwoSpins(0.4, 1.0, 0.02, 0.005, theta=0.6, phi=0.9)
    mixed = 0.01 * np.cos(0.3)
    parts = {part.name: part for part in system.dissipators}
    turned = np.array([[0.02, mixed * np.exp(-0.9j)], [mixed * np.exp(0.9j), 0.005]])
    assert parts["t-"].rates == close(0.7 * turned)
    assert parts["t+"].rates == close(0.3 * turned.conj())
    along = np.array([[0.02, mixed * np.cos(0.9)], [mixed * np.cos(0.9), 0.005]])
    assert parts["tz"].rates == close(0.25 * along)
    assert parts["t-"].operators == close(LOWERING)


def test_the_lines_of_figure_2():
    spectra = correlation_spectra(FIGURE_2, ANGULAR)
    assert lines(spectra.both_spins) == pytest.approx([0.1], abs=3e-4)
    assert lines(spectra.one_spin) == pytest.approx([0.1, 0.7, 0.9], abs=3e-4)
    assert lines(spectra.double_flip) == pytest.approx([0.8], abs=3e-4)
    at_zero = correlation_spectra(FIGURE_2, np.array([0.0, 0.001])).double_flip
    assert at_zero[0] > 1e3 * spectra.double_flip[0] and at_zero[0] > 10 * at_zero[1]


def test_the_lines_of_figure_2_with_dzyaloshinskii_moriya():
    spectra = correlation_spectra(WITH_DM, ANGULAR)
    root = 2 * np.hypot(0.2, 0.2)
    expected = [abs(0.1 - root + 0.4), 0.1 + root - 0.4, root + 0.4 - 0.1, root + 0.4 + 0.1]
    assert expected == pytest.approx([0.06569, 0.26569, 0.86569, 1.06569], abs=5e-6)
    for spectrum in (spectra.both_spins, spectra.one_spin):
        assert lines(spectrum) == pytest.approx(expected, abs=4e-4)


def test_the_global_equation_has_the_same_lines_with_other_weights():
    system = TwoSpins(0.1, 1.0, 0.01, 0.009, exchange=0.2, master_equation=MasterEquation.GLOBAL)
    local, glob = correlation_spectra(FIGURE_2, ANGULAR), correlation_spectra(system, ANGULAR)
    assert lines(glob.one_spin) == pytest.approx(lines(local.one_spin), abs=3e-4)
    at = [np.abs(ANGULAR - line).argmin() for line in (0.1, 0.7, 0.9)]
    assert np.abs(glob.one_spin[at] / local.one_spin[at] - 1).max() > 0.5
    assert (local.master_equation, glob.master_equation) == (MasterEquation.LOCAL, MasterEquation.GLOBAL)


def test_without_interactions_local_and_global_are_one():
    local = TwoSpins(0.3, 1.0, 0.02, 0.01, theta=0.5, phi=0.4, thermal_energy=0.2)
    glob = TwoSpins(0.3, 1.0, 0.02, 0.01, theta=0.5, phi=0.4, thermal_energy=0.2, master_equation=MasterEquation.GLOBAL)
    assert glob.generator.matrix == pytest.approx(local.generator.matrix, abs=1e-15)


def test_without_bias_the_global_equation_ends_in_thermal_equilibrium():
    system = TwoSpins(
        0.3, 0.0, 0.02, 0.01, 0.2, 0.1, 0.7, 0.3, thermal_energy=0.25, master_equation=MasterEquation.GLOBAL
    )
    levels, states = np.linalg.eigh(system.hamiltonian)
    weights = np.exp(-levels / 0.25)
    expected = (states * weights / weights.sum()) @ states.conj().T
    assert system.generator.steady_state() == pytest.approx(expected, abs=1e-12)


def test_finite_temperature_turns_into_the_printed_limit():
    cold = TwoSpins(0.1, 1.0, 0.01, 0.009, exchange=0.2, thermal_energy=0.01)
    assert cold.generator.matrix == pytest.approx(FIGURE_2.generator.matrix, abs=1e-15)


def test_the_noise_of_the_current_obeys_detailed_balance_without_bias():
    system = TwoSpins(0.1, 0.0, 0.01, 0.009, thermal_energy=0.3)
    for energy in (0.05, 0.7):
        assert system.noise(energy) / system.noise(-energy) == close(np.exp(energy / 0.3))


@pytest.mark.filterwarnings("ignore::stmlab.errors.PhysicsWarning")
@settings(max_examples=25, deadline=None)
@given(system=spins)
def test_every_generator_keeps_states_states(system):
    generator = system.generator
    assert generator.matrix.reshape(4, 4, 16)[range(4), range(4)].sum(axis=0) == pytest.approx(0.0, abs=1e-12)
    start = np.zeros((4, 4), dtype=complex)
    start[1, 1] = 1.0
    steady = generator.steady_state(start)
    for state in (*generator.evolve(start, np.array([0.3, 3.0, 30.0])), steady):
        assert np.trace(state).real == pytest.approx(1.0, abs=1e-9)
        assert np.linalg.eigvalsh(state)[0] > -1e-9
    assert np.abs(generator.matrix @ steady.reshape(-1)).max() < 1e-10


@pytest.mark.filterwarnings("ignore::stmlab.errors.PhysicsWarning")
@settings(max_examples=10, deadline=None)
@given(system=spins)
def test_steady_states_evolution_and_spectra_agree_with_qutip(system):
    peer = as_qutip(system)
    assert system.generator.steady_dimension == 1
    assert system.generator.steady_state() == pytest.approx(qutip.steadystate(peer).full(), abs=1e-8)
    start = np.diag([0.0, 1.0, 0.0, 0.0]).astype(complex)
    assert system.generator.evolve(start, np.array([2.5]))[0] == pytest.approx(
        ((2.5 * peer).expm() * qutip.operator_to_vector(qutip.Qobj(start))).full().reshape(4, 4).T, abs=1e-8
    )
    angular = np.linspace(0.1, 2.0, 7)
    probe = LOWERING[0] @ ALONG[1]
    ours = correlation_spectra(system, angular).one_spin
    one, other = qutip.Qobj(probe), qutip.Qobj(probe.conj().T)
    theirs = sum(qutip.spectrum(peer, sign * angular, [], one, other, solver="es") for sign in (1, -1))
    assert ours == pytest.approx(theirs, rel=1e-6, abs=1e-8 * np.abs(theirs).max())


def test_the_spectra_of_figure_2_agree_with_qutip_to_rounding():
    angular = np.linspace(0.0, 1.2, 301)[1:]
    peer = as_qutip(WITH_DM)
    probes = (LOWERING[0] @ ALONG[1] + ALONG[0] @ LOWERING[1], LOWERING[0] @ ALONG[1], LOWERING[0] @ RAISING[1])
    spectra = correlation_spectra(WITH_DM, angular)
    for probe, ours in zip(probes, (spectra.both_spins, spectra.one_spin, spectra.double_flip), strict=True):
        one, other = qutip.Qobj(probe), qutip.Qobj(probe.conj().T)
        theirs = sum(qutip.spectrum(peer, sign * angular, [], one, other, solver="es") for sign in (1, -1))
        assert np.abs(ours - theirs).max() < 1e-10 * theirs.max()


def test_a_spectrum_sums_to_the_correlation_at_once():
    """int dw/(2 pi) [S(w) + S(-w)] = 2 <A A^+>; the tails beyond +-400 widths hold 0.2 % of it."""
    angular = np.linspace(0.0, 40.0, 40001)
    system = TwoSpins(0.1, 1.0, 0.1, 0.09, exchange=0.2)
    state = system.generator.steady_state()
    probe = LOWERING[0] @ ALONG[1]
    integral = 2 * np.trapezoid(correlation_spectra(system, angular).one_spin, angular) / (2 * np.pi)
    assert integral == close(2 * np.trace(probe @ probe.conj().T @ state).real, rel=5e-3)


def test_two_spins_at_the_symmetric_point_ask_for_an_initial_state():
    system = TwoSpins(1.0, 1.25, 0.0126, 0.0126, exchange=0.024)
    assert system.generator.steady_dimension == 2
    with pytest.raises(PhysicsError, match=r"initial = None: an initial state is needed.*2 dimensions"):
        correlation_spectra(system, ANGULAR[:3])
    spectra = correlation_spectra(system, ANGULAR[:3], initial=dark_state())
    assert spectra.static[2] == close(0.25)  # <S| t-1 t+2 |S>^2
    assert np.isfinite(spectra.double_flip).all()


@pytest.mark.parametrize("bandwidth", [1.5, 10.0])
def test_the_flat_band_integral_is_the_double_integral_of_equation_6(bandwidth):
    bias = 1.0

    def twice(x):  # its mixed second derivative in the two energies is minus 1/(e_R - e_L)
        return 0.0 if x == 0 else x * np.log(abs(x)) - x

    def block(left, right):
        """Principal value of int int de_L de_R / (e_R - e_L) over a rectangle."""
        return (
            twice(right[1] - left[0])
            - twice(right[0] - left[0])
            - twice(right[1] - left[1])
            + twice(right[0] - left[1])
        )

    occupied, empty = block((-bandwidth, bias), (0.0, bandwidth)), block((bias, bandwidth), (-bandwidth, 0.0))
    assert flat_band_integral(bandwidth, bias) == close(occupied - empty, rel=1e-12)


def test_the_electrodes_induce_exchange_and_dzyaloshinskii_moriya():
    exchange, dm = induced_interactions(0.01, 0.009, bandwidth=50.0, bias=1.0, theta=0.4, phi=np.pi / 6)
    size = np.sqrt(0.01 * 0.009) / (4 * np.pi) * flat_band_integral(50.0, 1.0) * np.cos(0.2)
    assert exchange == close(size * np.sqrt(3) / 2)
    assert dm == close(size / 2)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"bias": 0.09}, r"bias = 0\.09: \|bias\| of at least \|larmor\| = 0\.1 is needed"),
        ({"coupling_1": -0.01}, r"coupling_1 = -0\.01"),
        ({"thermal_energy": 0.0}, "thermal_energy = 0"),
        ({"exchange": np.nan}, "exchange = nan"),
        ({"master_equation": "redfield"}, "master_equation = redfield: one of local, global, unified is needed"),
    ],
)
def test_systems_for_which_the_model_is_not_defined_are_refused(wrong, message):
    arguments = {"larmor": 0.1, "bias": 1.0, "coupling_1": 0.01, "coupling_2": 0.009} | wrong
    with pytest.raises(PhysicsError, match=message):
        TwoSpins(**arguments)


def test_a_small_bias_is_allowed_at_finite_temperature():
    system = TwoSpins(0.1, 0.01, 0.01, 0.009, thermal_energy=0.05)
    assert np.linalg.eigvalsh(system.generator.steady_state())[0] > 0


def test_a_bias_beyond_the_bandwidth_is_refused():
    with pytest.raises(PhysicsError, match=r"bias = 2: .*below the bandwidth of 1"):
        flat_band_integral(1.0, 2.0)


def unified(exchange, **others):
    return TwoSpins(0.3, 1.0, 0.02, 0.015, exchange, master_equation=MasterEquation.UNIFIED, **others)


@pytest.mark.parametrize("others", [{}, {"theta": 0.6, "phi": 0.4}, {"thermal_energy": 0.2, "phi": 1.0}])
def test_the_unified_equation_is_the_local_one_for_weak_exchange_and_the_global_one_for_strong(others):
    state = unified(1e-9, **others).generator.steady_state()
    local = replace(unified(1e-9, **others), master_equation=MasterEquation.LOCAL)
    assert state == pytest.approx(local.generator.steady_state(), abs=1e-7)
    differences = []
    for coupling in (1e-2, 1e-4, 1e-6):
        weak = replace(unified(0.2, **others), coupling_1=coupling, coupling_2=0.7 * coupling)
        apart = replace(weak, master_equation=MasterEquation.GLOBAL)
        difference = weak.generator.steady_state() - apart.generator.steady_state()
        differences.append(np.abs(difference).max())
    assert differences[1] <= 0.02 * differences[0] + 1e-12
    assert differences[2] <= 0.02 * differences[1] + 1e-12


def test_the_global_equation_warns_where_its_lines_are_closer_than_they_are_wide():
    close = replace(unified(1e-3), master_equation=MasterEquation.GLOBAL)
    assert 4 * close.exchange < close.linewidth
    with pytest.warns(PhysicsWarning, match=r"lines 0\.004 apart are closer than their width of 0\.\d+, .* 'unified'"):
        wrong = after_a_flip(close)
    right = after_a_flip(unified(1e-3))
    local = after_a_flip(replace(close, master_equation=MasterEquation.LOCAL))
    assert np.abs(right - local).max() < 1e-3
    assert np.abs(wrong - local).max() > 0.02


def after_a_flip(system):
    """The state about one width's time after one spin up, one spin down."""
    start = np.diag([0.0, 1.0, 0.0, 0.0]).astype(complex)
    return system.generator.evolve(start, np.array([1.0 / system.linewidth]))[0]


@settings(max_examples=20, deadline=None)
@given(exchange=st.floats(-1.0, 1.0), moriya=st.floats(-1.0, 1.0), theta=st.floats(0.0, 3.0), phi=st.floats(-3.0, 3.0))
def test_the_unified_equation_keeps_states_positive(exchange, moriya, theta, phi):
    generator = unified(exchange, dzyaloshinskii_moriya=moriya, theta=theta, phi=phi, thermal_energy=0.3).generator
    choi = generator.evolve(np.diag([0.0, 1.0, 0.0, 0.0]).astype(complex), np.array([0.1, 3.0, 100.0]))
    assert np.trace(choi, axis1=1, axis2=2) == close(np.ones(3))
    assert np.linalg.eigvalsh(choi).min() > -1e-9


# -- unequal spins and dipolar coupling ------------------------------------------------------------------------------

DIPOLAR = TwoSpins(0.5, 1.0, 0.01, 0.009, exchange=0.03, larmor_difference=0.12, dipolar=0.08, dipolar_angle=0.7)


def test_unequal_spins_and_their_dipolar_coupling_are_spin_operators_of_qutip():
    spin = [[qutip.tensor(*(o if k == j else qutip.qeye(2) for k in (0, 1))) for o in qutip.jmat(0.5)] for j in (0, 1)]
    n = np.sin(0.7), 0.0, np.cos(0.7)
    first, second = (sum(c * o for c, o in zip(n, each, strict=True)) for each in spin)
    dot = sum(a * b for a, b in zip(*spin, strict=True))
    zeeman = (0.5 + 0.06) * spin[0][2] + (0.5 - 0.06) * spin[1][2]
    expected = zeeman - 4 * 0.03 * dot + 0.08 * (dot - 3 * first * second)
    np.testing.assert_allclose(DIPOLAR.hamiltonian, expected.full(), atol=1e-15)
    assert sorted(DIPOLAR.levels.values()) == pytest.approx(sorted(expected.eigenenergies()), abs=1e-14)


def test_levels_along_the_field_have_their_closed_form():
    system = replace(DIPOLAR, dipolar_angle=0.0, dzyaloshinskii_moriya=0.05)
    root = np.sqrt(0.12**2 / 4 + (0.08 / 2 - 2 * 0.03) ** 2 + 4 * 0.05**2)
    expected = {
        "S": 0.03 + 0.04 + root,
        "T1": 0.5 - 0.03 - 0.04,
        "T2": 0.03 + 0.04 - root,
        "T3": -0.5 - 0.03 - 0.04,
    }
    assert system.levels == pytest.approx(expected, abs=1e-14)


def test_dipolar_coupling_splits_the_lines_of_unequal_spins():
    """nu +- b +- sqrt(delta^2 + b^2)/2 where nothing but b couples the spins."""
    system = TwoSpins(0.5, 1.0, 1e-3, 8e-4, larmor_difference=0.2, dipolar=0.05, theta=np.pi)
    root = np.hypot(0.2, 0.05) / 2
    expected = np.sort([0.5 + b + r for b in (-0.05, 0.05) for r in (-root, root)])
    found = lines(correlation_spectra(system, ANGULAR).one_spin)
    assert np.abs(found[:, None] - expected).min(axis=0).max() < 4e-4


@pytest.mark.parametrize("equation", [MasterEquation.LOCAL, MasterEquation.GLOBAL, MasterEquation.UNIFIED])
def test_spins_that_nothing_couples_are_each_in_balance_with_the_noise_at_its_own_energy(equation):
    system = TwoSpins(
        0.5, 1.0, 0.02, 0.01, theta=np.pi, thermal_energy=0.1, larmor_difference=0.3, master_equation=equation
    )
    state = system.generator.steady_state()
    for spin, energy in enumerate((0.65, 0.35)):
        down, up = system.noise(energy), system.noise(-energy)
        assert np.trace(ALONG[spin] @ state).real == close((up - down) / (up + down), rel=1e-9)


def test_without_bias_unequal_dipolar_spins_end_in_thermal_equilibrium():
    system = replace(DIPOLAR, bias=0.0, thermal_energy=0.25, theta=0.4, master_equation=MasterEquation.GLOBAL)
    levels, states = np.linalg.eigh(system.hamiltonian)
    weights = np.exp(-levels / 0.25)
    expected = (states * weights / weights.sum()) @ states.conj().T
    assert system.generator.steady_state() == pytest.approx(expected, abs=1e-12)


def test_the_unified_equation_is_the_global_one_where_dipolar_levels_are_far_apart():
    differences = []
    for coupling in (1e-3, 1e-5):
        weak = replace(DIPOLAR, coupling_1=coupling, coupling_2=0.7 * coupling, master_equation=MasterEquation.UNIFIED)
        apart = replace(weak, master_equation=MasterEquation.GLOBAL)
        differences.append(np.abs(weak.generator.steady_state() - apart.generator.steady_state()).max())
    assert differences[1] <= 0.02 * differences[0]
    assert differences[0] < 0.02


def test_spins_that_differ_by_less_than_their_width_are_one_pair_and_by_more_two():
    """The lifetime of the singlet grows without bound as the spins become alike."""
    alike, near, far = (
        TwoSpins(1.0, 1.5, 0.02, 0.02, larmor_difference=d, master_equation=MasterEquation.UNIFIED)
        for d in (1e-6, 1e-3, 0.3)
    )
    slow = [np.sort(-np.linalg.eigvals(each.generator.matrix).real)[1] for each in (alike, near, far)]
    assert slow[0] < 1e-9
    assert slow[1] / slow[0] == close(1e6, rel=0.3)
    assert slow[2] > 0.1 * far.linewidth


def test_unequal_spins_need_a_bias_above_the_larger_larmor_energy():
    with pytest.raises(PhysicsError, match=r"bias = 1: \|bias\| of at least \|larmor\| = 1\.1 is needed"):
        TwoSpins(0.9, 1.0, 0.01, 0.01, larmor_difference=0.4)
    with pytest.raises(PhysicsError, match="dipolar = nan"):
        TwoSpins(0.9, 1.0, 0.01, 0.01, dipolar=np.nan)
