"""Spins: closed forms, the levels of Muenks et al., degenerate doublets, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from stmlab.errors import PhysicsError
from stmlab.physics.constants import MU_B_MEV_PER_T
from stmlab.physics.operators import spin_matrices
from stmlab.physics.spins import Exchange, Spin, SpinSystem, step_energies
from tests.approximately import close

anisotropies = st.floats(-6, 6)
couplings = st.floats(-4, 4)
vectors = st.tuples(*[st.floats(-5, 5)] * 3)


def antiferromagnetic_tip(conductance_uS: float) -> SpinSystem:
    return SpinSystem((Spin(1, -4.2, 0.87), Spin(0.5)), (Exchange.heisenberg(0, 1, 3.6 * conductance_uS),))


def ferromagnetic_tip(conductance_uS: float) -> SpinSystem:
    return SpinSystem((Spin(1, -3.23, 0.58), Spin(0.5)), (Exchange.ising(0, 1, 5.9 * conductance_uS),))


def brute_force(system: SpinSystem) -> np.ndarray:
    """The same Hamiltonian from full-size matrices, one product at a time."""
    sizes = [spin.multiplicity for spin in system.spins]
    full = []
    for number, spin in enumerate(system.spins):
        parts = []
        for matrix in spin_matrices(spin.size):
            product = np.eye(1)
            for other, size in enumerate(sizes):
                product = np.kron(product, matrix if other == number else np.eye(size))
            parts.append(product)
        full.append(parts)
    h = np.zeros_like(full[0][0])
    for spin, (x, y, z) in zip(system.spins, full, strict=True):
        h = h + spin.axial_anisotropy_meV * z @ z + spin.transverse_anisotropy_meV * (x @ x - y @ y)
        for a in range(3):
            for b, s in enumerate((x, y, z)):
                h = h + MU_B_MEV_PER_T * system.field_T[a] * spin.g_tensor[a, b] * s
    for exchange in system.exchanges:
        for a in range(3):
            for b in range(3):
                h = h + exchange.tensor_meV[a][b] * full[exchange.first][a] @ full[exchange.second][b]
    return h


@pytest.mark.parametrize(
    ("build", "conductances", "expected"),
    [
        (antiferromagnetic_tip, (0.0, 0.1, 0.3), ((1.7400, 5.0700), (1.7768, 5.1115), (2.0928, 5.4339))),
        (ferromagnetic_tip, (0.0, 0.3), ((1.1600, 3.8100), (2.1162, 4.2881))),
    ],
)
def test_steps_move_with_conductance_as_in_figure_2(build, conductances, expected):
    assert step_energies(build, conductances) == pytest.approx(np.array(expected), abs=5e-5)


def test_a_coupling_of_2_meV_polarises_the_two_lowest_doublets():
    system = SpinSystem((Spin(1, -4.2, 0.87), Spin(0.5)), (Exchange.heisenberg(0, 1, 2.0),))
    weights = np.abs(system.eigensystem.states[:, :4]) ** 2
    assert weights.max(axis=0) == pytest.approx([0.856, 0.856, 0.9025, 0.9025], abs=5e-4)


@settings(deadline=None)
@given(d=anisotropies, e=anisotropies)
def test_spin_2_has_its_closed_form(d, e):
    root = 2 * np.sqrt(d * d + 3 * e * e)
    expected = np.sort([2 * d + root, 2 * d - root, 4 * d, d + 3 * e, d - 3 * e])
    energies = SpinSystem((Spin(2, d, e),)).eigensystem.energies_meV
    assert energies == pytest.approx(expected, abs=1e-11)


@settings(deadline=None)
@given(d=st.floats(-8, -1), e=st.floats(0.01, 0.3), j=couplings)
def test_ising_coupled_levels_have_their_closed_form(d, e, j):
    # |D| > 3 E and R < |D| keep the order of the levels.
    j = j * abs(d) / 4
    r = np.sqrt(e * e + j * j / 4)
    steps, _ = SpinSystem((Spin(1, d, e), Spin(0.5)), (Exchange.ising(0, 1, j),)).eigensystem.steps(0)
    assert steps == pytest.approx([2 * r, abs(d) + r], abs=1e-11)


@settings(deadline=None)
@given(j=couplings)
def test_two_spins_one_half_make_singlet_and_triplet(j):
    pair = SpinSystem((Spin(0.5), Spin(0.5)), (Exchange.heisenberg(0, 1, j),))
    assert pair.eigensystem.energies_meV == pytest.approx(np.sort([-0.75 * j] + [0.25 * j] * 3), abs=1e-12)


@settings(deadline=None)
@given(d=couplings)
def test_dzyaloshinskii_moriya_alone_splits_the_middle_states(d):
    pair = SpinSystem((Spin(0.5), Spin(0.5)), (Exchange.dzyaloshinskii_moriya(0, 1, (0, 0, d)),))
    assert pair.eigensystem.energies_meV == pytest.approx(np.sort([-d / 2, 0, 0, d / 2]), abs=1e-12)


def test_systems_of_the_same_spins_are_the_same_however_they_are_listed():
    """A system is kept by its spins: it has to be hashable."""
    spins, exchanges = [Spin(1, -4.2), Spin(0.5)], [Exchange.heisenberg(0, 1, 0.3)]
    listed, fixed = SpinSystem(spins, exchanges, [0.0, 0.0, 1.0]), SpinSystem(tuple(spins), tuple(exchanges), (0, 0, 1))
    assert listed == fixed
    assert hash(listed) == hash(fixed)


def test_dzyaloshinskii_moriya_is_the_cross_product_with_its_sign():
    """D.(S1 x S2), written out with the matrices of a spin 1 and a spin 1/2."""
    root, d = np.sqrt(0.5), np.array([0.3, -0.7, 1.1])
    one = np.array(
        [
            [[0, root, 0], [root, 0, root], [0, root, 0]],
            [[0, -1j * root, 0], [1j * root, 0, -1j * root], [0, 1j * root, 0]],
        ]
    )
    one = np.concatenate([one, [np.diag([1, 0, -1])]])
    half = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]]) / 2
    cross = [np.kron(one[a], half[b]) - np.kron(one[b], half[a]) for a, b in ((1, 2), (2, 0), (0, 1))]
    pair = SpinSystem((Spin(1), Spin(0.5)), (Exchange.dzyaloshinskii_moriya(0, 1, d),))
    assert pair.hamiltonian_meV() == pytest.approx(np.einsum("k,kij", d, cross), abs=1e-14)


@settings(deadline=None)
@given(field=vectors, g=st.floats(0.5, 3))
def test_a_free_spin_splits_evenly_and_points_against_the_field(field, g):
    system = SpinSystem((Spin(1.5, g=g),), (), field)
    splitting = g * MU_B_MEV_PER_T * np.linalg.norm(field)
    eigensystem = system.eigensystem
    assert eigensystem.excitations_meV == pytest.approx(splitting * np.arange(4), abs=1e-12)
    if splitting > 1e-6:
        unit = np.array(field) / np.linalg.norm(field)
        assert eigensystem.spin_expectations(0) @ unit == pytest.approx([-1.5, -0.5, 0.5, 1.5], abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(
    sizes=st.lists(st.sampled_from([0.5, 1, 1.5]), min_size=2, max_size=3),
    seed=st.integers(0, 2**32 - 1),
    field=vectors,
)
def test_any_hamiltonian_agrees_with_full_matrices(sizes, seed, field):
    random = np.random.default_rng(seed)
    spins = [Spin(size, *random.normal(size=2), g=random.normal(size=(3, 3))) for size in sizes]
    pairs = [random.permutation(len(sizes))[:2].tolist() for _ in sizes]  # neighbours or not, in either order
    couplings = [Exchange(*pair, random.normal(size=(3, 3))) for pair in pairs]
    system = SpinSystem(spins, couplings, field)
    expected = brute_force(system)
    assert system.hamiltonian_meV() == pytest.approx(expected, abs=1e-12)
    eigensystem = system.eigensystem
    rebuilt = eigensystem.states @ np.diag(eigensystem.energies_meV) @ eigensystem.states.conj().T
    assert rebuilt == pytest.approx(expected, abs=1e-10)
    assert eigensystem.expectation(expected) == pytest.approx(eigensystem.energies_meV, abs=1e-10)


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_spin_elements_add_up_to_the_spin_squared(seed):
    random = np.random.default_rng(seed)
    system = SpinSystem((Spin(1, *random.normal(size=2)), Spin(1.5)), (Exchange(0, 1, random.normal(size=(3, 3))),))
    for number, size in enumerate((1, 1.5)):
        elements = system.eigensystem.spin_elements(number)
        assert (np.abs(elements) ** 2).sum(axis=(0, 1)) == pytest.approx(size * (size + 1), abs=1e-11)
        diagonal = np.einsum("aii->ia", elements).real
        assert diagonal == pytest.approx(system.eigensystem.spin_expectations(number), abs=1e-12)


def test_a_degenerate_doublet_is_what_a_tiny_field_makes_of_it():
    free, tiny = antiferromagnetic_tip(0.3), antiferromagnetic_tip(0.3)
    tiny = SpinSystem(tiny.spins, tiny.exchanges, (0.0, 0.0, 1e-6))
    for number in (0, 1):
        sorted_out, split = (np.sort(s.eigensystem.spin_expectations(number)[:, 2]) for s in (free, tiny))
        assert sorted_out == pytest.approx(split, abs=1e-7)
        assert np.abs(sorted_out).max() > 0.3


def test_the_quantisation_axis_chooses_the_states_of_a_free_spin():
    along_x = SpinSystem((Spin(0.5),), quantisation_axis=(2, 0, 0)).eigensystem.spin_expectations(0)
    assert along_x == pytest.approx(np.array([[-0.5, 0, 0], [0.5, 0, 0]]), abs=1e-12)


def test_iron_on_copper_nitride_has_the_levels_of_betz():
    iron = SpinSystem((Spin(2, -1.557, 0.248, 2.15),), (), (0, 0, -2))
    assert iron.eigensystem.excitations_meV == pytest.approx([0, 0.993, 4.442, 6.011, 6.900], abs=5e-4)
    assert iron.eigensystem.spin_expectations(0)[:2, 2] == pytest.approx([2, -2], abs=0.05)


def test_hundreds_of_states_are_diagonalised():
    chain = SpinSystem(
        (Spin(2, -1.6, 0.25),) * 3 + (Spin(0.5),),
        tuple(Exchange.heisenberg(k, k + 1, 1.2) for k in range(3)),
        (0.1, 0, 2),
    )
    eigensystem = chain.eigensystem
    assert eigensystem.energies_meV.shape == (250,)
    assert eigensystem.energies_meV.sum() == pytest.approx(np.trace(chain.hamiltonian_meV()).real, abs=1e-9)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Spin(0.7), "size = 0.7: a spin is 1/2, 1, 3/2"),
        (lambda: Spin(0), "size = 0: a spin is 1/2"),
        (lambda: Spin(float("nan")), "size = nan: a finite number"),
        (lambda: Spin("1/2"), "size = 1/2: a finite number"),
        (lambda: Spin(1, float("inf")), "axial_anisotropy_meV = inf: a finite number in meV"),
        (lambda: Spin(1, g=[[2, 0], [0, 2]]), "g = .* of shape \\(3, 3\\) are needed"),
        (lambda: Exchange(0, 0, np.eye(3)), "second = 0: a spin other than first"),
        (lambda: Exchange(0, 1, np.eye(2)), "tensor_meV = .*shape \\(3, 3\\)"),
        (lambda: Exchange(0, 1, np.eye(3) * 1j), "tensor_meV = .*finite real numbers in meV"),
        (lambda: Exchange(0, 1, np.full((3, 3), np.nan)), "tensor_meV = nan"),
        (lambda: Exchange(0, -1, np.eye(3)), "second = -1: a whole number from 0"),
        (lambda: Exchange.ising(0, 1, 1.0, (0, 0, 0)), "axis = .*not zero"),
        (lambda: Exchange.heisenberg(0, 1, np.nan), "j_meV = nan"),
        (lambda: SpinSystem(()), "spins = \\(\\): at least one Spin"),
        (lambda: SpinSystem((Spin(1),), (Exchange.heisenberg(0, 1, 1),)), "exchanges: second = 1: .* from 0 to 0"),
        (lambda: SpinSystem((Spin(1),), field_T=(0, 0)), "field_T = .*shape \\(3,\\)"),
        (lambda: SpinSystem((Spin(1),), field_T=(0, 0, np.nan)), "field_T = nan"),
        (lambda: SpinSystem((Spin(2),) * 6), "spins = 15625 states: at most 2048"),
        (lambda: step_energies(lambda b: SpinSystem((Spin(0.5),), (), (0, 0, b)), [1.0]), "count = 2: at 1 .* 1 steps"),
    ],
)
def test_what_is_no_spin_system_is_refused_by_name_value_and_remedy(build, message):
    with pytest.raises(PhysicsError, match=message):
        build()


def test_a_system_that_is_turned_as_a_whole_has_the_same_levels():
    turn = Rotation.from_euler("zyx", [0.7, -1.1, 0.4]).as_matrix()
    exchange = np.array([[0.9, 0.2, -0.1], [0.0, 0.5, 0.3], [0.4, -0.2, 0.7]])
    g, field = np.diag([1.9, 2.1, 2.3]), np.array([0.3, -1.2, 2.5])

    def system(turned):
        spins = (
            Spin(1.5, -2.1, 0.4, turned @ g @ turned.T, turned @ [0, 0, 1], turned @ [1, 0, 0]),
            Spin(1.0, 0.8, 0.2, 2.0, turned @ [1, 0, 0], turned @ [0, 1, 0]),
        )
        return SpinSystem(spins, (Exchange(0, 1, turned @ exchange @ turned.T),), turned @ field)

    here, there = (system(turned).eigensystem.energies_meV for turned in (np.eye(3), turn))
    np.testing.assert_allclose(here, there, atol=1e-12)


def test_axes_of_the_anisotropy_are_perpendicular_and_default_to_the_laboratory():
    np.testing.assert_allclose(Spin(1).axes, np.eye(3))
    axes = Spin(1, axis=(1, 1, 0), transverse_axis=(0.3, 0.0, 1.0)).axes
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-15)
    assert np.linalg.det(axes) == close(1.0)
    np.testing.assert_allclose(Spin(1, axis=(2, 0, 0)).axes[0], (0, 1, 0))
    with pytest.raises(PhysicsError, match="a direction other than the axis"):
        Spin(1, axis=(0, 0, 1), transverse_axis=(0, 0, -2))


def test_pairs_of_levels_that_systems_share_are_not_to_be_written_to():
    one, other = (SpinSystem((Spin(1, d, 0.8),)).eigensystem.differences() for d in (-4.0, -3.0))
    assert one[1] is other[1]
    for shared in one[1:]:
        with pytest.raises(ValueError, match="read-only"):
            shared[:] = 0


def test_axes_may_be_of_any_length():
    assert Spin(1, axis=(1.0, 2.0, 2.0)).axis == close([1 / 3, 2 / 3, 2 / 3])
    assert SpinSystem((Spin(1),), quantisation_axis=(0, 0, -5)).quantisation_axis == (0.0, 0.0, -1.0)


def test_what_is_no_array_is_refused_with_the_shape_that_is_needed():
    with pytest.raises(PhysicsError, match=r"finite real numbers in meV of shape \(3, 3\) are needed"):
        Exchange(0, 1, [[1.0, 0.0], [0.0]])
