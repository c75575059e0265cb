"""The papers' rows through `stmlab model`, against values that do not come from it.

Printed ones, closed forms, and those of independent implementations (60-digit arithmetic, time stepping, QuTiP).
"""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray
from scipy.interpolate import CubicSpline
from typer.testing import CliRunner

import stmlab
from stmlab.cli import app
from stmlab.physics.constants import HBAR_MEV_S, MU_B_MEV_PER_T
from stmlab.physics.operators import spin_matrices
from tests.approximately import close


def computed(case, *settings, sweep=()):
    arguments = ["model", "--parameters", case, "--json"]
    for option, values in (("--set", settings), ("--sweep", sweep)):
        arguments += [word for value in values for word in (option, value)]
    found = CliRunner().invoke(app, arguments)
    assert found.exit_code == 0, found.output
    return xarray.Dataset.from_dict(json.loads(found.stdout))


def root(x, y):
    (found,) = CubicSpline(x, y).roots(extrapolate=False)
    return found


# -- Muenks et al. ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("case", "conductance", "inner", "outer"),
    [
        ("coh_afm_tip", "100 nS", 1.7768, 5.1115),
        ("coh_afm_tip", "300 nS", 2.0928, 5.4339),
        ("coh_fm_tip", "1 nS", 1.1600, 3.8100),
        ("coh_fm_tip", "300 nS", 2.1162, 4.2881),
    ],
)
def test_steps_of_fig_2(case, conductance, inner, outer):
    found = computed(case, f"G={conductance}")
    assert found.inner_step.item() == pytest.approx(inner, abs=6e-5)
    assert found.outer_step.item() == pytest.approx(outer, abs=6e-5)


def test_steps_of_an_uncoupled_complex():
    found = computed("coh_afm_tip", "exchange=none")
    assert found.inner_step.item() == close(2 * 0.87, rel=1e-9)
    assert found.outer_step.item() == close(4.2 + 0.87, rel=1e-9)


def test_ising_steps_have_their_closed_form():
    found = computed("coh_fm_tip", sweep=["G=20..300 nS:5"])
    half = np.hypot(0.58, 5.9e6 * found.conductance / 2)
    np.testing.assert_allclose(found.inner_step, 2 * half, rtol=1e-9)
    np.testing.assert_allclose(found.outer_step, 3.23 + half, rtol=1e-9)


@pytest.mark.parametrize(("case", "expected"), [("coh_afm_tip", [0.101, 0.246]), ("coh_fm_tip", [-0.157, -0.291])])
def test_asymmetries_of_fig_2(case, expected):
    found = computed(case, "quantity=d2I/dV2", sweep=["G=100, 300 nS"])
    np.testing.assert_allclose(found.outer_asymmetry, expected, atol=6e-4)
    assert np.abs(found.inner_asymmetry).max() < 3e-3


def test_a_bare_tip_has_no_asymmetry():
    found = computed("coh_afm_tip", "exchange=none", "quantity=d2I/dV2")
    assert abs(found.outer_asymmetry.item()) < 1e-3
    assert abs(found.inner_asymmetry.item()) < 1e-3


def test_the_moments_of_fig_3_are_zero_without_a_field_and_those_of_the_ground_state_in_one():
    """By time reversal; and at 5 T and 50 mK by the lowest eigenvector of the Hamiltonian, written down anew."""
    settings = "quantity=moment", "G=556 nS", "occupation=steady"
    found = computed("coh_afm_tip", *settings, "C=0", sweep=["bias=-8, 0, 8 mV"])
    assert np.abs(found.sample_moment).max() < 1e-9
    assert np.abs(found.tip_moment).max() < 1e-9
    cold = computed("coh_afm_tip", "quantity=moment", "G=556 nS", "B=5 T", "T=0.05 K", sweep=["bias=0 mV"])
    one, half = (spin_matrices(size) for size in (1.0, 0.5))
    first, second = [np.kron(a, np.eye(2)) for a in one], [np.kron(np.eye(3), a) for a in half]
    energy = -4.2 * first[2] @ first[2] + 0.87 * (first[0] @ first[0] - first[1] @ first[1])
    energy = energy + 3.6 * 0.556 * sum(a @ b for a, b in zip(first, second, strict=True))
    energy = energy + 2.0 * MU_B_MEV_PER_T * 5.0 * (first[2] + second[2])
    ground = np.linalg.eigh(energy)[1][:, 0]
    for name, spin in (("sample_moment", first[2]), ("tip_moment", second[2])):
        assert found_value(cold, name) == close((ground.conj() @ spin @ ground).real, rel=1e-6)


def found_value(found, name):
    return float(found[name].to_numpy().ravel()[0])


def test_the_other_correlation_mirrors_the_asymmetry():
    found = computed("coh_afm_tip", "quantity=d2I/dV2", sweep=["C=-0.5, 0.5"])
    assert found.outer_asymmetry[0] > 0 > found.outer_asymmetry[1]


def test_the_zero_at_5_tesla_is_where_conventions_have_it():
    zeros = []
    for settings in (
        [],
        ["occupation=steady", "polarising_state=detailed"],
        ["occupation=steady", "polarising_state=detailed", "order=3", "Jρ=-0.1"],
    ):
        found = computed("coh_5t", *settings, "quantity=d2I/dV2", sweep=["J/G=0.8..1.2:4"])
        zeros.append(0.7 * root(found.exchange_slope_meV_per_uS, found.outer_asymmetry))
    assert 0.62 < min(zeros) < max(zeros) < 0.79


def test_only_antiferromagnetic_coupling_decreases_the_asymmetry_at_5_tesla():
    found = computed("coh_5t", "quantity=d2I/dV2", sweep=["J/G=-0.857, 0.001, 0.857"])
    assert (np.diff(found.outer_asymmetry) < 0).all()


# -- Betz et al. -----------------------------------------------------------------------------------------------------

FREQUENCIES = "frequency=1e6..2e10 Hz:61 log"


def test_levels_of_the_fe_atom():
    found = computed("fe_atom")
    np.testing.assert_allclose([found[f"level_{k}"] for k in (1, 2, 3, 4)], [0.993, 4.442, 6.011, 6.900], atol=6e-4)
    assert found.level_2.item() == pytest.approx(4.4, abs=0.05)
    assert found.level_3.item() == pytest.approx(6.0, abs=0.05)


def test_levels_without_field_have_their_closed_form():
    found = computed("fe_atom", "B=0 T")
    d, e = -1.557, 0.248
    bend = 2 * np.sqrt(d**2 + 3 * e**2)
    levels = np.sort([2 * d + bend, 2 * d - bend, 4 * d, d + 3 * e, d - 3 * e])
    np.testing.assert_allclose([found[f"level_{k}"] for k in (1, 2, 3, 4)], levels[1:] - levels[0], rtol=1e-9)


def test_slopes_of_gamma_in_fig_4():
    up = computed("fe_atom", sweep=["V_dc=7..10 mV:4", FREQUENCIES])
    down = computed("fe_atom", sweep=["V_dc=-10..-7 mV:4", FREQUENCIES])
    for found, expected, printed in ((up, 0.344, 0.36), (down, -0.291, -0.29)):
        slope = np.polyfit(1e3 * found.dc_bias, 1e-9 * found.line_rate, 1)[0]
        assert slope == pytest.approx(expected, abs=2e-3)
        assert slope == pytest.approx(printed, abs=0.02)


def test_the_printed_conductance_gives_slopes_ten_times_as_steep():
    found = computed("fe_atom", "C_ST=0.5 uS", sweep=["V_dc=7..10 mV:4", "frequency=1e9"])
    slope = np.polyfit(1e3 * found.dc_bias, 1e-9 * found.rate, 1)[0]
    assert 3.3 < slope < 4.2


def test_gamma_at_low_offset_and_at_the_work_point():
    found = computed("fe_atom", sweep=["V_dc=-3, -2, -1, 1, 2, 3 mV", FREQUENCIES])
    assert 1.23e9 < found.line_rate.min() < found.line_rate.max() < 1.30e9
    assert computed("fe_atom", sweep=[FREQUENCIES]).line_rate.item() == close(1.51e9, rel=4e-3)


def test_i_sr_has_its_peak_its_dip_and_its_change_of_sign():
    found = computed("fe_atom", sweep=["V_dc=-6..-4 mV:11", "frequency=1e6"])
    assert 1e3 * found.dc_bias[int(np.argmax(found.step.data))] == pytest.approx(-5.0, abs=0.3)
    found = computed("fe_atom", sweep=["V_dc=1.4..2.8 mV:8", "frequency=1e6"])
    assert 1e3 * found.dc_bias[int(np.argmin(found.step.data))] == pytest.approx(2.0, abs=0.3)
    found = computed("fe_atom", sweep=["V_dc=4..5.5 mV:7", "frequency=1e6"])
    assert root(1e3 * found.dc_bias, found.step) == pytest.approx(5.0, abs=0.1)


def test_t1_of_the_printed_pulses_and_of_the_decay():
    found = computed("fe_atom_pulses", sweep=["delay=0.8..3.2 ns:4"])
    decay = found.current.to_numpy()
    lifetime = 0.8e-9 / np.log((decay[0] - decay[1]) / (decay[1] - decay[2]))
    assert found.T1.item() == close(0.80e-9, rel=5e-3)
    assert lifetime == close(found.T1.item(), rel=2e-3)


PAIR_OF_EQ_S3 = {"Γ₊": 0.3e9, "Γ₋": 0.7e9, "Γ₊'": 0.3e12, "Γ₋'": -0.3e12, "V_sat": 1.0, "V_dc": 0.0, "V_ac": 1e-3}
"""Gamma_+ = 0.3 (1 + cos wt) Gamma and Gamma_- = Gamma - Gamma_+, Gamma = 1e9 /s."""


@pytest.mark.parametrize("ratio", [1e-2, 1.0, 30.0])
def test_occupations_in_time_are_the_integral_of_eq_s3(ratio):
    """n = int exp(-Gamma s) Gamma_+(t - s) ds, in closed form for a single harmonic."""
    frequency = ratio * 1e9 / (2 * np.pi)
    settings = ["states=two-level", "over=time", "quantity=occupation", f"drive_frequency={frequency!r} Hz"]
    found = stmlab.model(
        "srs",
        dict(one.split("=") for one in settings) | PAIR_OF_EQ_S3,
        sweep={"time": f"0..{1 / frequency!r} s:33"},
    )
    turn = 2 * np.pi * frequency * found.time.to_numpy()
    expected = 0.3 + 0.3 * (np.cos(turn) + ratio * np.sin(turn)) / (1 + ratio**2)
    assert found.occupation_1.to_numpy() == pytest.approx(expected, abs=1e-6)
    assert found.occupation_0.to_numpy() == pytest.approx(1 - expected, abs=1e-6)


def test_populations_after_the_printed_pulses_decay_with_t1():
    found = computed("fe_atom_pulses", "over=time", "quantity=occupation", sweep=["time=4, 5, 6 ns"])
    rest = found.occupation_1.to_numpy()
    lifetime = 1e-9 / np.log((rest[0] - rest[1]) / (rest[1] - rest[2]))
    assert lifetime == close(found.T1.item(), rel=1e-3)


# -- Horovitz and Henkel ---------------------------------------------------------------------------------------------

ROOT = np.hypot(0.2, 0.2)
FOUR = [0.06569, 0.26569, 0.86569, 1.06569]


@pytest.mark.parametrize(
    ("case", "curve", "lines"),
    [
        ("two_spins_exchange", "both_spins", [0.1]),
        ("two_spins_exchange", "one_spin", [0.1, 0.7, 0.9]),
        ("two_spins_exchange", "double_flip", [0.8]),
        ("two_spins_moriya", "both_spins", FOUR),
        ("two_spins_moriya", "one_spin", FOUR),
    ],
)
def test_lines_of_fig_2(case, curve, lines):
    found = computed(case, sweep=["energy=0.02..1.2 meV:4721"])
    values, at = found[curve].to_numpy(), found.energy.to_numpy()
    peaks = at[1:-1][(values[1:-1] > values[:-2]) & (values[1:-1] > values[2:])]
    assert np.abs(peaks[:, None] - lines).min(axis=0).max() < 1e-3


def test_the_narrow_line_of_c3_is_at_zero():
    found = computed("two_spins_exchange", sweep=["energy=-0.01..0.01 meV:21"])
    assert int(np.argmax(found.double_flip.data)) == 10
    assert found.double_flip[10] > 20 * found.double_flip[0]


def test_interactions_of_eq_7_are_the_integral_over_both_bands():
    """J_ex = sqrt(l1 l2) Delta cos(theta/2) cos(phi) / 4 pi; Delta of eq. 6 in closed form for each pair of bands."""
    settings = "interactions=induced", "λ₁=0.01", "λ₂=0.009", "Λ=50 meV", "theta=0.4", "phi=0.3", "V=1 mV"
    found = computed("two_spins_exchange", *settings)

    def from_filled_to_empty(filled, empty, band=50.0):
        """P int_{-band}^{filled} de int_{empty}^{band} de' / (e' - e)."""
        lengths = np.array([2 * band, band - filled, empty + band, empty - filled])
        return np.array([1, -1, -1, 1]) @ (lengths * np.log(np.abs(lengths)))

    delta = from_filled_to_empty(1.0, 0.0) + from_filled_to_empty(0.0, 1.0)
    size = np.sqrt(0.01 * 0.009) * delta * np.cos(0.2) / (4 * np.pi)
    assert found.exchange.item() == close(size * np.cos(0.3), rel=1e-9)
    assert found.moriya.item() == close(size * np.sin(0.3), rel=1e-9)


def test_levels_of_eq_9():
    found = computed("two_spins_moriya")
    told = [found[f"energy_{state}"].item() for state in ("S", "T1", "T2", "T3")]
    np.testing.assert_allclose(told, [2 * ROOT + 0.2, 0.1 - 0.2, -2 * ROOT + 0.2, -0.1 - 0.2], rtol=1e-9)


def test_weights_of_the_lines():
    plain = computed("two_spins_exchange", sweep=["energy=0.1, 0.7, 0.9 meV"])
    assert plain.both_spins[1:].max() < 0.02 * plain.both_spins[0]
    moriya = computed("two_spins_moriya", sweep=[f"energy={', '.join(map(str, FOUR))} meV"])
    assert moriya.both_spins[2:].sum() < 0.5 * moriya.both_spins[:2].sum()
    assert 1 / 3 < moriya.one_spin[2:].sum() / moriya.one_spin[:2].sum() < 3


def test_entanglement_of_fig_3():
    found = computed("two_spins_symmetric", "V=2.5 mV", "p=0.5")
    expected = {
        "negativity": 0.10947195,
        "concurrence": 0.10126582,
        "entanglement_of_formation": 0.02581784,
        "mutual_information": 0.26025519,
    }
    for name, value in expected.items():
        assert found[name].item() == close(value, rel=1e-6)


@pytest.mark.parametrize(("bias", "threshold"), [("1.25 mV", 0.22881356), ("2.5 mV", 0.5 * 0.84 / (1 - 0.16 / 3))])
def test_the_weight_of_the_singlet_where_entanglement_sets_in(bias, threshold):
    below, above = threshold - 1e-5, threshold + 1e-5
    found = computed("two_spins_symmetric", f"V={bias}", sweep=[f"p={below}, {above}", "energy=0.1"])
    assert found.negativity[0] < 1e-9 < 1e-6 < found.negativity[1]


def test_next_to_the_symmetric_point_nothing_is_correlated():
    found = computed("two_spins_symmetric", "V=2.5 mV", "coupling_2=0.0125", "singlet_weight=1")
    assert abs(found.mutual_information.item()) < 1e-3


PICOSECONDS_PER_MEV = 1e12 * HBAR_MEV_S


def after(*turns):
    """Times of nu t = these, where nu = 1 meV."""
    return f"time={', '.join(f'{turn * PICOSECONDS_PER_MEV:.9f}' for turn in turns)} ps"


def test_entanglement_in_time_of_fig_3():
    """The values by QuTiP."""
    found = computed("two_spins_symmetric", "quantity=entanglement", sweep=[after(0, 10, 100)])
    assert found.negativity[0].item() < 1e-9
    assert found.negativity[1:].to_numpy() == close(np.array([0.66776747, 0.21689562]), rel=1e-6)


def test_measurements_entangle_the_spins_of_fig_3():
    settings = [
        f"t_m={200 * PICOSECONDS_PER_MEV:.6f} ps",
        f"measurement_interval={150 * PICOSECONDS_PER_MEV:.6f} ps",
    ]
    found = computed("two_spins_symmetric", "quantity=entanglement", *settings, sweep=[after(199.9, 349.9, 499.9, 600)])
    assert (np.diff(found.negativity) > 0).all()
    assert found.negativity.to_numpy() == pytest.approx([0.2353, 0.8620, 0.9838, 0.9982], abs=5e-4)
    assert 0.0 < found.probability.item() < 1.0


def test_populations_of_fig_3_turn_with_four_times_the_exchange():
    """Antiparallel spins go from |ud> to |du> and back; half of the weight is the singlet's at first."""
    times = np.linspace(0.0, 2 * np.pi / 0.096, 9)
    found = computed("two_spins_symmetric", "quantity=populations", "λ₁=1e-5", "λ₂=1e-5", sweep=[after(*times)])
    difference = (found.population_ud - found.population_du).to_numpy()
    assert difference == pytest.approx(np.cos(0.096 * times), abs=5e-3)
    assert found.singlet.max().item() == close(0.5, rel=1e-9)


# -- Fransson, Ren and Zhu -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mu", "bias", "difference", "polarisations", "expected"),
    [
        (-2, 0, 0, (0, 0), (8.5521810142e-4, 0, 0)),
        (-1, 0, 0, (0.5, 0.5), (0.22472445692, 2.1212911985e-3, 0)),
        (-2, 3, 0, (0.9, 0), (-0.037226029817, -6.6570011150e-4, -0.84237165784)),
        (-2, 2, 0, (0, 0.9), (0.10451037670, 0.045377900760, 0.42223360916)),
        (-2, 0, 4, (0.5, 0.5), (6.6573147739e-3, -2.5113287119e-6, 0)),
    ],
)
def test_exchange_of_two_molecules(mu, bias, difference, polarisations, expected):
    found = computed(
        "molecular_dimer",
        f"bias={bias} mV",
        f"ΔT={difference} K",
        f"p_L={polarisations[0]}",
        f"p_R={polarisations[1]}",
        sweep=[f"chemical_potential_meV={mu} meV"],
    )
    told = [found[name].item() for name in ("heisenberg", "ising", "dzyaloshinskii_moriya")]
    np.testing.assert_allclose(told, expected, rtol=3e-10, atol=2e-13)


def test_zeros_and_peak_of_the_exchange_over_the_chemical_potential():
    found = computed("molecular_dimer", sweep=["chemical_potential_meV=0.6..1.0 meV:81"])
    assert root(found.chemical_potential_meV, found.heisenberg) == pytest.approx(0.7796, abs=5e-5)
    found = computed("molecular_dimer", sweep=["chemical_potential_meV=0.8..1.3 meV:101"])
    assert found.chemical_potential_meV[int(np.argmax(found.heisenberg.data))] == pytest.approx(1.0, abs=0.05)


def test_a_temperature_difference_turns_the_exchange_round_for_unequal_polarisations_only():
    settings = "over=temperature difference", "chemical_potential_meV=-2 meV"
    turned = computed("molecular_dimer", *settings, sweep=["p_L=0, 0.5, 0.9", "temperature_difference_K=0..400:401"])
    assert (turned.heisenberg[0] > 0).all()
    negative = turned.temperature_difference_K[turned.heisenberg[2] < 0]
    assert 0 < negative.size < 401


def test_exchange_is_stronger_when_the_current_leaves_the_polarised_lead():
    settings = "p_L=0.9", "over=bias", "chemical_potential_meV=-2 meV"
    found = computed("molecular_dimer", *settings, sweep=["bias=-3, 3 mV"])
    assert abs(found.heisenberg[0]) > abs(found.heisenberg[1])
