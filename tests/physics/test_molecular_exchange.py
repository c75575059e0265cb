"""Exchange through molecules against reference values, Green functions on a quadrature, symmetries and response."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stmlab.errors import PhysicsError
from stmlab.physics.constants import K_B_MEV_PER_K
from stmlab.physics.molecular_dimer import Dimer, Leads
from stmlab.physics.molecular_exchange import (
    SIGN_CONVENTION,
    Form,
    MolecularExchange,
    PairEnergy,
    molecular_exchange,
)
from stmlab.physics.spins import Exchange, Spin, SpinSystem
from tests.approximately import close

REFERENCES = [
    (Dimer(), Leads(-2.0), 8.5521810142e-4, 0.0, 0.0),
    (Dimer(0.5, 0.5), Leads(-1.0), 0.22472445692, 2.1212911985e-3, 0.0),
    (Dimer(0.9, 0.0), Leads(-2.0, 3.0), -0.037226029817, -6.6570011150e-4, -0.84237165784),
    (Dimer(0.0, 0.9), Leads(-2.0, 2.0), 0.10451037670, 0.045377900760, 0.42223360916),
    (Dimer(0.5, 0.5), Leads(-2.0, 0.0, 1.0, 4.0), 6.6573147739e-3, -2.5113287119e-6, 0.0),
]

polarisations = st.floats(-0.95, 0.95)
energies = st.floats(-2.5, 2.5)
couplings = st.floats(0.05, 1.5)
temperatures = st.floats(0.3, 20.0)


@st.composite
def dimers(draw: st.DrawFn, equal_levels: bool = False) -> Dimer:
    level = draw(energies)
    others = [0.0, 0.0, level] if equal_levels else [draw(energies) / 4 for _ in range(2)] + [draw(energies)]
    return Dimer(
        draw(polarisations),
        draw(polarisations),
        level,
        others[2],
        others[0],
        others[1],
        tunnelling_meV=draw(st.floats(0.1, 1.5)),
        left_coupling_meV=draw(couplings),
        right_coupling_meV=draw(couplings),
    )


@st.composite
def biased_leads(draw: st.DrawFn) -> Leads:
    return Leads(
        draw(energies), draw(energies), draw(temperatures), draw(temperatures) - 0.2, draw(st.floats(0.0, 1.0))
    )


def changed(arguments: Dimer | Leads, **changes: object) -> Dimer | Leads:
    return type(arguments)(**(arguments.arguments | changes))


# --- an independent way: Green functions by matrix inversion, summed on graded panels


def panels(centres: list[float], widths: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Legendre nodes and weights on panels that shrink towards every centre: right to 1e-16 of what is summed."""
    breaks = np.concatenate(
        [c + w * s * 3.0 ** np.arange(-2, 26) for c, w in zip(centres, widths, strict=True) for s in (1, -1)]
    )
    breaks = np.unique(breaks[np.abs(breaks) < 1e6])
    x, w = np.polynomial.legendre.leggauss(16)
    middle, half = (breaks[1:] + breaks[:-1]) / 2, np.diff(breaks) / 2
    return (middle[:, None] + half[:, None] * x).ravel(), (half[:, None] * w).ravel()


SPIN = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]]) / 2


class Green:
    """Gr, G< and G> of one dimer in a field on each level, straight from their definitions.

    Shape (N, 4, 4): energies of a quadrature grid, (level 1 up, 1 down, 2 up, 2 down).
    """

    def __init__(self, dimer: Dimer, leads: Leads, fields: np.ndarray | None = None) -> None:
        a = {name: float(value) for name, value in dimer.arguments.items()}
        mu, thermal = leads.chemical_potentials_meV, leads.thermal_energies_meV
        h = a["tunnelling_meV"] * np.kron([[0, 1], [1, 0]], np.eye(2)).astype(complex)
        for n in (0, 1):
            field = np.array([0.0, 0.0, a[f"splitting_{n + 1}_meV"]]) + (0.0 if fields is None else fields[n])
            h[2 * n : 2 * n + 2, 2 * n : 2 * n + 2] = a[f"level_{n + 1}_meV"] * np.eye(2) + np.tensordot(field, SPIN, 1)
        gamma = np.zeros((2, 4))
        gamma[0, :2] = a["left_coupling_meV"] * (1 + np.array([1, -1]) * a["left_polarisation"]) / 2
        gamma[1, 2:] = a["right_coupling_meV"] * (1 + np.array([1, -1]) * a["right_polarisation"]) / 2
        h -= 0.5j * np.diag(gamma.sum(axis=0))
        poles = np.linalg.eigvals(h)
        self.narrowest = float(-poles.imag.max())
        self.energy, self.weight = panels([*poles.real, *mu], [*-poles.imag, *thermal])
        self.gamma, self.fermi = gamma, 0.5 * (1 - np.tanh((self.energy[:, None] - mu) / (2 * thermal)))
        self.retarded = np.linalg.inv(self.energy[:, None, None] * np.eye(4) - h)
        self.lesser = self.correlation(self.fermi)

    @cached_property
    def hermitian(self) -> np.ndarray:
        return self.retarded + self.retarded.conj().swapaxes(1, 2)

    @cached_property
    def greater(self) -> np.ndarray:
        return self.correlation(self.fermi - 1)

    def correlation(self, occupations: np.ndarray) -> np.ndarray:
        entered = 1j * self.retarded * (occupations @ self.gamma)[:, None, :]
        return entered @ self.retarded.conj().swapaxes(1, 2)

    def exchange(self) -> tuple[float, float, float]:
        """J, I and D for J_1 = J_2 = 1 from K_ss' and from the corrected eq. 5c."""
        lesser, both = self.lesser, self.hermitian

        def k(s: int, t: int) -> complex:
            product = lesser[:, s, 2 + s] * both[:, 2 + t, t] + both[:, s, 2 + s] * lesser[:, 2 + t, t]
            return 0.5j * (product * self.weight).sum() / (2 * np.pi)

        j, same = (k(0, 1) + k(1, 0)) / 4, (k(0, 0) + k(1, 1)) / 4
        return j.real, (same - j).real, self.moriya(0, 2)

    def moriya(self, m: int, n: int) -> float:
        """Eq. 5c between the levels that begin at rows ``m`` and ``n``."""

        def parts(g: np.ndarray, row: int, column: int) -> tuple[np.ndarray, np.ndarray]:
            up, down = g[:, row, column], g[:, row + 1, column + 1]
            return (up + down) / 2, (up - down) / 2

        (l0, l1), (g0, g1) = parts(self.lesser, m, n), parts(self.greater, m, n)
        (l0_back, l1_back), (g0_back, g1_back) = parts(self.lesser, n, m), parts(self.greater, n, m)
        terms = l0 * g1_back - g0 * l1_back - l1 * g0_back + g1 * l0_back
        return float(((terms * self.weight).sum() / (8 * np.pi)).real)

    def moments(self) -> np.ndarray:
        """<s_n>, shape (2, 3)."""
        density = -1j * np.tensordot(self.weight, self.lesser, 1) / (2 * np.pi)
        return np.array([np.einsum("kij,ji->k", SPIN, density[b : b + 2, b : b + 2]).real for b in (0, 2)])


def response(dimer: Dimer, leads: Leads, to: int) -> np.ndarray:
    """-d<s_m>/d b_n with n = ``to`` and m the other level, shape (3, 3): by finite differences of the field."""
    step, answer = 0.05 * Green(dimer, leads).narrowest, np.zeros((3, 3))
    for axis in range(3):
        moments = {}
        for k in (-2, -1, 1, 2):
            fields = np.zeros((2, 3))
            fields[to, axis] = k * step
            moments[k] = Green(dimer, leads, fields).moments()[1 - to]
        answer[:, axis] = -(8 * (moments[1] - moments[-1]) - (moments[2] - moments[-2])) / (12 * step)
    return answer


def triple(exchange: MolecularExchange) -> np.ndarray:
    return np.stack([exchange.heisenberg_meV, exchange.ising_meV, exchange.dzyaloshinskii_moriya_meV])


# --- reference values


@pytest.mark.parametrize(("dimer", "leads", "heisenberg", "ising", "moriya"), REFERENCES)
def test_reference_values_come_back_to_every_printed_digit(dimer, leads, heisenberg, ising, moriya):
    assert triple(molecular_exchange(dimer, leads)) == pytest.approx([heisenberg, ising, moriya], rel=6e-11, abs=1e-15)


def test_heisenberg_exchange_changes_sign_at_plus_minus_0_7796_meV():
    from scipy.optimize import brentq

    def heisenberg(mu: float) -> float:
        return float(molecular_exchange(Dimer(), Leads(mu)).heisenberg_meV)

    assert brentq(heisenberg, 0.5, 1.0) == pytest.approx(0.7796, abs=5e-5)
    assert brentq(heisenberg, -1.0, -0.5) == pytest.approx(-0.7796, abs=5e-5)
    condition = np.sqrt(1.0 + (1 / 6) ** 2 / 16)
    assert heisenberg(condition) > 0.2, "the printed condition is near the extremum, not at a zero"


# --- against Green functions on a quadrature


@settings(max_examples=25, deadline=None)
@given(dimers(), biased_leads())
def test_general_levels_agree_with_green_functions_on_panels(dimer, leads):
    assert triple(molecular_exchange(dimer, leads)) == pytest.approx(
        Green(dimer, leads).exchange(), abs=1e-11, rel=1e-11
    )


@pytest.mark.parametrize("polarisation", [0.0, 1e-12, 1e-9, 1e-6, 1e-4, 1e-3, 0.01, 0.03, 0.1, 0.3, 0.9, 0.99, 1.0])
def test_poles_that_nearly_coincide_cost_no_digits(polarisation):
    dimer, leads = Dimer(polarisation, -0.3 * polarisation), Leads(-0.9, 0.7, 1.0, 2.0)
    assert triple(molecular_exchange(dimer, leads)) == pytest.approx(Green(dimer, leads).exchange(), abs=1e-11)


@pytest.mark.parametrize("detuning", [0.0, 1e-10, 1e-6, 1e-3, 0.03, 0.1])
@pytest.mark.parametrize("polarisation", [0.0, 1e-7, 1e-3, 0.02, 0.1])
def test_the_exceptional_point_where_both_resonances_merge(polarisation, detuning):
    dimer = Dimer(polarisation, tunnelling_meV=0.5 + detuning, left_coupling_meV=6.0, right_coupling_meV=2.0)
    leads = Leads(0.4, 1.0, 1.0, 3.0)
    assert triple(molecular_exchange(dimer, leads)) == pytest.approx(Green(dimer, leads).exchange(), abs=1e-11)


@settings(max_examples=5, deadline=None)
@given(dimers(), biased_leads())
def test_the_tensor_is_the_response_of_one_moment_to_the_other(dimer, leads):
    """Without eqs. 3-5: the average of the responses of 1 to 2 and of 2 to 1, also out of equilibrium."""
    average = -(response(dimer, leads, 1) + response(dimer, leads, 0)) / 2
    assert molecular_exchange(dimer, leads).tensor_meV() == pytest.approx(average, abs=1e-6)


def test_in_equilibrium_both_moments_respond_alike_and_each_pair_counts_once():
    dimer, leads = Dimer(0.5, 0.3), Leads(-0.9)
    one, other = response(dimer, leads, 1), response(dimer, leads, 0)
    assert one == pytest.approx(other.T, abs=1e-8)
    assert molecular_exchange(dimer, leads).tensor_meV() == pytest.approx(-one, abs=1e-7)


def test_eq_5c_gives_the_same_d_for_12_and_21():
    green = Green(Dimer(0.9, 0.2, splitting_1_meV=0.3), Leads(-2.0, 3.0))
    assert green.moriya(0, 2) == close(green.moriya(2, 0), rel=1e-12)


# --- the printed forms


@pytest.mark.parametrize(("mu", "bias", "p"), [(-2.0, 0.0, 0.5), (-1.0, 1.5, 0.9), (0.3, -2.0, 0.2)])
def test_printed_forms_are_the_printed_integrals(mu, bias, p):
    """Eqs. 7 and 8 hold for p_L = p_R, where they are evaluated here letter by letter; so is eq. 9 with p_L != p_R."""
    dimer, leads = Dimer(p, p), Leads(mu, bias)
    green = Green(dimer, leads)
    x, w = green.energy, green.weight
    left, right = (0.5 * (1 - np.tanh((x - m) / (2 * K_B_MEV_PER_K))) for m in leads.chemical_potentials_meV)
    width = {s: (1 + s * p) / 6 for s in (1, -1)}
    resonance = {s: [(b * 2 - 0.5j * width[s]) / 2 for b in (1, -1)] for s in (1, -1)}
    product = {s: np.prod([np.abs(x - e) ** 2 for e in resonance[s]], axis=0) for s in (1, -1)}
    kernel = {s: (x**2 - 1 - (width[s] / 4) ** 2) / product[s] for s in (1, -1)}
    feed = {s: width[s] * (left + right) / product[s] * x * w for s in (1, -1)}
    eq_7 = -sum((feed[s] * kernel[s]).sum() for s in (1, -1)) / (8 * np.pi)
    eq_8 = -sum(s * t * (feed[s] * kernel[t]).sum() for s in (1, -1) for t in (1, -1)) / (4 * np.pi)
    printed = molecular_exchange(dimer, leads, Form.PRINTED)
    assert (printed.heisenberg_meV, printed.ising_meV) == pytest.approx((eq_7, eq_8), abs=1e-12)
    assert printed.form is Form.PRINTED


def test_printed_dm_exchange_is_eight_times_eq_5c():
    arguments = Dimer([0.9, 0.0, 0.3], [0.0, 0.9, -0.3]), Leads(-2.0, [3.0, 2.0, 1.0])
    exact, printed = molecular_exchange(*arguments), molecular_exchange(*arguments, Form.PRINTED)
    assert printed.dzyaloshinskii_moriya_meV == close(8 * exact.dzyaloshinskii_moriya_meV, rel=1e-14)
    assert printed.ising_meV == close(2 * exact.ising_meV, rel=1e-14)
    assert printed.heisenberg_meV == close(exact.heisenberg_meV + exact.ising_meV, rel=1e-14)


def test_printed_forms_refuse_unequal_levels():
    with pytest.raises(PhysicsError, match=r"level_2_meV = 0\.1"):
        molecular_exchange(Dimer(level_2_meV=0.1), Leads(), Form.PRINTED)
    with pytest.raises(PhysicsError, match=r"splitting_1_meV = 0\.2"):
        molecular_exchange(Dimer(splitting_1_meV=0.2), Leads(), Form.PRINTED)


# --- invariants


@settings(max_examples=25, deadline=None)
@given(dimers(), biased_leads())
def test_mirroring_the_junction_changes_nothing(dimer, leads):
    """D too: eq. 5c gives D_21 = D_12."""
    turn = str.maketrans("12", "21")
    swap = {"left": "right", "right": "left"}
    mirrored = Dimer(
        **{
            "_".join(swap.get(word, word) for word in name.translate(turn).split("_")): value
            for name, value in dimer.arguments.items()
        }
    )
    right = leads.left_temperature_K + leads.temperature_difference_K
    swapped = Leads(
        leads.chemical_potential_meV, -leads.bias_mV, right, -leads.temperature_difference_K, 1.0 - leads.left_share
    )
    mirror = triple(molecular_exchange(mirrored, swapped))
    assert mirror == pytest.approx(triple(molecular_exchange(dimer, leads)), abs=1e-12, rel=1e-11)


@settings(max_examples=25, deadline=None)
@given(dimers(), biased_leads())
def test_turning_all_spins_keeps_j_and_i_and_turns_d(dimer, leads):
    names = ("left_polarisation", "right_polarisation", "splitting_1_meV", "splitting_2_meV")
    turned = changed(dimer, **{name: -dimer.arguments[name] for name in names})
    turned_exchange = triple(molecular_exchange(turned, leads))
    assert turned_exchange == pytest.approx(triple(molecular_exchange(dimer, leads)) * [1, 1, -1], abs=1e-12, rel=1e-11)


@settings(max_examples=25, deadline=None)
@given(dimers(equal_levels=True), biased_leads())
def test_electrons_and_holes_give_the_same_j_and_i_and_opposite_d(dimer, leads):
    level = dimer.level_1_meV
    holes = changed(leads, chemical_potential_meV=2 * level - leads.chemical_potential_meV, bias_mV=-leads.bias_mV)
    mirrored = triple(molecular_exchange(dimer, holes))
    assert mirrored == pytest.approx(triple(molecular_exchange(dimer, leads)) * [1, 1, -1], abs=1e-12, rel=1e-11)


@settings(max_examples=25, deadline=None)
@given(dimers(equal_levels=True), energies, energies, temperatures)
def test_d_is_odd_in_the_bias_and_vanishes_without_it(dimer, mu, bias, temperature):
    there, back, none = (
        float(molecular_exchange(dimer, Leads(mu, v, temperature)).dzyaloshinskii_moriya_meV)
        for v in (bias, -bias, 0.0)
    )
    assert there == pytest.approx(-back, abs=1e-12)
    assert none == 0.0


@settings(max_examples=25, deadline=None)
@given(dimers(), biased_leads(), polarisations)
def test_without_spin_polarisation_there_is_neither_i_nor_d(dimer, leads, p):
    plain = changed(dimer, left_polarisation=0.0, right_polarisation=0.0, splitting_1_meV=0.0, splitting_2_meV=0.0)
    exchange = molecular_exchange(plain, leads)
    assert abs(exchange.ising_meV) < 1e-13 and abs(exchange.dzyaloshinskii_moriya_meV) < 1e-13
    opposite = changed(
        plain,
        left_polarisation=p,
        right_polarisation=-p,
        right_coupling_meV=plain.left_coupling_meV,
        level_2_meV=plain.level_1_meV,
    )
    assert abs(molecular_exchange(opposite, leads).ising_meV) < 1e-12, "I vanishes for p_L = -p_R"


@settings(max_examples=20, deadline=None)
@given(dimers(), biased_leads(), st.floats(0.1, 10.0))
def test_all_energies_together_set_the_scale(dimer, leads, scale):
    wide = changed(dimer, **{n: a * scale for n, a in dimer.arguments.items() if n.endswith("meV")})
    hot = changed(leads, **{n: a * scale for n, a in leads.arguments.items() if n != "left_share"})
    scaled = triple(molecular_exchange(wide, hot)) / scale
    assert scaled == pytest.approx(triple(molecular_exchange(dimer, leads)), abs=1e-11, rel=1e-10)


def test_ising_exchange_scales_as_the_cube_of_the_coupling_off_resonance():
    coupling = np.array([0.02, 0.01]) / 2
    dimer = Dimer(0.5, 0.5, left_coupling_meV=coupling, right_coupling_meV=coupling)
    ising = molecular_exchange(dimer, Leads(-2.0, left_temperature_K=0.1)).ising_meV
    assert np.log2(ising[0] / ising[1]) == pytest.approx(3.0, abs=0.01)


# --- the spin model and the arguments


@given(st.lists(st.floats(-1, 1), min_size=9, max_size=9))
def test_the_tensor_gives_the_energy_that_the_sign_convention_states(numbers):
    j, i, d, *spins = numbers
    first, second, z = np.array(spins[:3]), np.array(spins[3:]), np.array([0.0, 0.0, 1.0])
    tensor = MolecularExchange(np.array(j), np.array(i), np.array(d)).tensor_meV()
    energy = -(j * first @ second + i * first[2] * second[2] + d * z @ np.cross(first, second))
    assert first @ tensor @ second == pytest.approx(energy, abs=1e-12)


def test_eq_4_as_printed_counts_j_and_i_twice_and_d_not_at_all():
    exchange = molecular_exchange(Dimer(0.9), Leads(-2.0, 3.0))
    once, printed = exchange.tensor_meV(), exchange.tensor_meV(PairEnergy.EQUATION_4)
    assert np.diag(printed) == close(2 * np.diag(once))
    assert once[0, 1] == pytest.approx(0.842, abs=1e-3) and printed[0, 1] == 0.0


def test_the_exchange_goes_straight_into_the_spin_model():
    exchange = molecular_exchange(Dimer(), Leads([-2.0, 0.0]))
    for tensor, lowest in zip(exchange.tensor_meV(), (3, 1), strict=True):
        pair = SpinSystem((Spin(0.5), Spin(0.5)), (Exchange(0, 1, tensor),))
        energies = pair.eigensystem.energies_meV
        ground = np.count_nonzero(energies - energies.min() < 1e-9)
        assert ground == lowest, "a triplet for J > 0, a singlet for J < 0"
        assert np.ptp(energies) == close(abs(tensor[2, 2]))


def test_every_result_says_what_its_sign_means():
    assert molecular_exchange(Dimer(), Leads()).sign_convention == SIGN_CONVENTION
    assert "H = -[J S1.S2" in SIGN_CONVENTION and "parallel" in SIGN_CONVENTION


def test_arguments_broadcast_and_long_arrays_equal_single_points():
    mu, bias, p = np.linspace(-2, 2, 601), np.array([[0.0], [1.5]]), np.array([0.0, 0.5])[:, None, None]
    exchange = molecular_exchange(Dimer(p, 0.2), Leads(mu, bias))
    assert exchange.heisenberg_meV.shape == (2, 2, 601)
    single = molecular_exchange(Dimer(0.5, 0.2), Leads(mu[517], 1.5))
    assert triple(exchange)[:, 1, 1, 517] == pytest.approx(triple(single), abs=1e-15)
    assert triple(molecular_exchange(Dimer(), Leads(np.zeros(0)))).shape == (3, 0)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Leads(left_temperature_K=-1.0), r"left_temperature_K = -1: a value above 0 K"),
        (lambda: Leads(left_temperature_K=0.0), r"left_temperature_K = 0: a value above 0 K"),
        (lambda: Leads(temperature_difference_K=[0.0, -1.5]), r"temperature_difference_K = -1.5: the right lead"),
        (lambda: Leads(left_share=1.2), r"left_share = 1.2: 0 to 1 is allowed"),
        (lambda: Leads(np.nan), r"chemical_potential_meV = nan: finite real numbers in meV"),
        (lambda: Leads(bias_mV=[0.0, np.inf]), r"bias_mV = inf: finite real numbers in mV"),
        (lambda: Dimer(1.1), r"left_polarisation = 1.1: -1 to 1 is allowed"),
        (lambda: Dimer(0.0, [0.3, -2.0]), r"right_polarisation = -2: -1 to 1 is allowed"),
        (lambda: Dimer(left_coupling_meV=0.0), r"left_coupling_meV = 0: a value above 0 meV"),
        (lambda: Dimer(right_coupling_meV=-1 / 3), r"right_coupling_meV = -0.333333333: a value above 0 meV"),
        (lambda: Dimer(tunnelling_meV=1j), r"tunnelling_meV = 1j: finite real numbers in meV"),
        (lambda: Dimer(level_1_meV="low"), r"level_1_meV = low: finite real numbers in meV"),
        (
            lambda: Dimer(1.0, 1.0),
            r"\(left_polarisation, right_polarisation\) = \(1.0, 1.0\): each spin must reach a lead",
        ),
        (lambda: Dimer([0.1, 0.2], [0.1, 0.2, 0.3]), r"shapes = left_polarisation \(2,\), right_polarisation \(3,\)"),
        (
            lambda: molecular_exchange(Dimer([0.1, 0.2]), Leads([1.0, 2.0, 3.0])),
            r"shapes = .*chemical_potential_meV \(3,\)",
        ),
    ],
)
def test_bad_arguments_are_refused_by_name_value_and_bound(make, text):
    with pytest.raises(PhysicsError, match=text):
        make()
