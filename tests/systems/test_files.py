"""Spin systems in files: what they mean, and what is refused with file and key."""

import pickle

import numpy as np
import pytest

from stmlab.errors import StationError
from stmlab.physics.baths import Bath, Electrode
from stmlab.physics.spins import Exchange, Spin, SpinSystem
from stmlab.physics.transport import TunnelJunction
from stmlab.systems import Conditions, built_in, read_system
from tests.approximately import close

HEAD = 'name = "mine"\nkind = "spin_system"\n'
DIMER = (
    HEAD
    + """
decay_constant_per_m = 1e10
[spin_system]
temperature_K = 1.2
field_T = [1.0, 0.0, 3.0]
order = 3
conductance_S = 1e-7
[spin_system.spins.left]
spin = 2
axial_anisotropy_meV = { start = -1.5, low = -4, high = 0, name = "D" }
transverse_anisotropy_meV = 0.3
axis = [1, 0, 1]
transverse_axis = [0, 1, 0]
g = [1.9, 2.0, 2.2]
[spin_system.spins.right]
spin = 1.5
axial_anisotropy_meV = { tied_to = "D", factor = 0.5 }
g = [[2.0, 0.1, 0], [0, 2.1, 0], [0, 0, 2.2]]
scattering_S = 3e-9
[spin_system.exchanges.bond]
between = ["left", "right"]
heisenberg_meV = { start = 0.8, decay_length_m = { start = 60e-12 } }
ising_meV = { value = 0.2, per_uS = 1.5 }
ising_axis = [0, 1, 0]
dzyaloshinskii_moriya_meV = [0, 0, { start = 0.1, name = "DM" }]
[spin_system.tip]
polarisation = [0.1, 0, 0]
field_polarisation = 0.4
saturation_field_T = 2.0
coupling = -0.02
[spin_system.sample]
coupling = { start = -0.05 }
correlation = 0.1
follows = "right"
"""
)


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "mine.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_a_file_is_the_junction_that_it_describes(written):
    system = read_system(written(DIMER))
    expected = ("D", "bond.heisenberg_meV", "bond.heisenberg_meV.decay_length_m", "DM", "sample.coupling")
    assert tuple(system.parameters) == (*expected, "bias_offset")
    values = {**system.starts(), "D": -1.7}
    found = system.junction(values, Conditions(2e-7))
    falls = np.exp(-np.log(1 / 2) / 2e10 / 60e-12)  # twice the conductance is nearer by ln 2 / 2 kappa
    axes = Spin(2, axis=(1, 0, 1), transverse_axis=(0, 1, 0)).axes
    left = Spin(2, -1.7, 0.3, axes.T @ np.diag([1.9, 2.0, 2.2]) @ axes, (1, 0, 1), (0, 1, 0))
    right = Spin(1.5, -0.85, g=((2.0, 0.1, 0), (0, 2.1, 0), (0, 0, 2.2)))
    exchanges = (
        Exchange.heisenberg(0, 1, 0.8 * falls),
        Exchange.ising(0, 1, 0.2 + 1.5 * 0.2, (0, 1, 0)),
        Exchange.dzyaloshinskii_moriya(0, 1, (0, 0, 0.1)),
    )
    along = 0.4 * np.tanh(np.sqrt(10) / 2) * np.array([1, 0, 3]) / np.sqrt(10)
    wanted = TunnelJunction(
        SpinSystem((left, right), exchanges, (1, 0, 3)),
        1.2,
        2e-7,
        tip=Electrode((along[0] + 0.1, along[1], along[2])),
        sample=Electrode(correlation=0.1, spin=1),
        baths=(Bath(0, 2e-6), Bath(1, 3e-9)),
        order=3,
        coupling=-0.05,
        tip_coupling=-0.02,
    )
    bias = np.linspace(-6e-3, 6e-3, 11)
    np.testing.assert_allclose(found.conductance(bias), wanted.conductance(bias), rtol=1e-12)
    nearer = system.junction(values, Conditions(2e-7, height_m=60e-12)).system.exchanges[0].tensor_meV[0][0]
    assert nearer == close(0.8 / np.e)


def test_a_system_and_a_junction_that_were_used_go_to_another_process(written):
    system, at, bias = read_system(written(DIMER)), Conditions(2e-7), np.linspace(-6e-3, 6e-3, 11)
    values = {**system.starts(), "D": -1.7}
    junction = system.junction(values, at)
    conductance = junction.conductance(bias)
    sent, sent_junction = pickle.loads(pickle.dumps((system, junction)))
    assert sent.parameters == system.parameters
    np.testing.assert_array_equal(sent.junction(values, at).conductance(bias), conductance)
    np.testing.assert_array_equal(sent_junction.conductance(bias), conductance)


def test_field_and_temperature_may_be_those_of_the_data(written):
    text = HEAD + "[spin_system]\nfield_direction = [0, 3, 4]\n[spin_system.spins.one]\nspin = 0.5\n"
    system = read_system(written(text))
    junction = system.junction(system.starts(), Conditions(1e-7, field_T=5.0, temperature_K=0.4))
    assert junction.system.field_T == close((0.0, 3.0, 4.0))
    assert junction.temperature_K == 0.4
    assert system.wants_field
    assert system.wants_temperature


def test_alternatives_change_add_and_leave_out(written):
    text = (
        DIMER
        + """
[spin_system.alternatives.other_spin]
spins.right.spin = 1
[spin_system.alternatives.alone]
title = "one spin, whose D the tip changes"
without = ["spins.right", "exchanges", "sample.correlation", "sample.follows"]
spins.left.axial_anisotropy_meV = { start = -1.5, per_uS = { start = 0.2 } }
[spin_system.alternatives.elsewhere]
file = "other.toml"
"""
    )
    path = written(text)
    (path.parent / "other.toml").write_text(HEAD + "[spin_system.spins.one]\nspin = 2.5\n", encoding="utf-8")
    other, alone, elsewhere = read_system(path).alternatives
    assert other.table.spins["right"].spin == 1
    assert set(other.parameters) == set(read_system(path).parameters)
    assert [*alone.parameters] == [
        "left.axial_anisotropy_meV",
        "left.axial_anisotropy_meV.per_uS",
        "sample.coupling",
        "bias_offset",
    ]
    assert alone.parameters["left.axial_anisotropy_meV.per_uS"].unit == "meV/uS"
    assert (elsewhere.label, elsewhere.table.spins["one"].spin) == ("elsewhere", 2.5)


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        ("spin = 2\n", "spin = 0.7\n", r"spin_system\.spins\.left\.spin = 0\.7: .*multiple of 0\.5"),
        ("spin = 2\n", "spin = 2\nsize = 1\n", r"spin_system\.spins\.left\.size = 1: this key is not known"),
        ("start = -1.5, low = -4", "start = -5, low = -4", r"left\.axial_anisotropy_meV: start = -5 lies outside"),
        ("low = -4, high = 0", "low = 0, high = -4", r"low = 0 is not below high = -4"),
        ("low = -4, high = 0", "lowest = -4", r"axial_anisotropy_meV\.lowest = -4: this key is not known"),
        ('"left", "right"]', '"left", "middle"]', r"exchanges\.bond\.between\.1 = 'middle': the spins are left, right"),
        ("coupling = -0.02", "coupling = -0.9", r"coupling = -0\.95: third order is outside perturbation theory"),
        (
            "coupling = { start = -0.05 }",
            "coupling = { start = -0.5 }",
            r"sample\.coupling\.start = -0\.5: -0\.3 to 0\.3",
        ),
        ("order = 3", "order = 2", "coupling acts in third order only"),
        ('tied_to = "D"', 'tied_to = "d"', r"axial_anisotropy_meV\.tied_to = 'd': the parameters are D, bond"),
        ('name = "DM"', 'name = "D"', "a parameter called 'D' is there already"),
        ("[0.1, 0, 0]", "[0.9, 0, 0.9]", "polarisation = .*length 1 or less"),
        ("temperature_K = 1.2", "temperature_K = true", "temperature_K = True: a number, or a table with start"),
        ("temperature_K = 1.2", "temperature_K = nan", r"temperature_K\.value = nan: Input should be a finite number"),
        ('kind = "spin_system"', 'kind = "two_level"', "kind = 'two_level': spin_system is needed"),
        ('follows = "right"', "", "correlation and follows"),
        ("g = [1.9, 2.0, 2.2]", "g = { start = 5, low = 1, high = 3 }", r"spins\.left\.g: start = 5 lies outside"),
        ("saturation_field_T = 2.0", "saturation_field_T = 0", r"tip\.saturation_field_T = 0: a value above 0 T"),
        ("saturation_field_T = 2.0", "saturation_field_T = -1", r"tip\.saturation_field_T = -1: a value above 0 T"),
        ("decay_length_m = { start = 60e-12 }", "decay_length_m = 0", r"decay_length_m = 0: a value above 0 m"),
        ('name = "DM"', 'name = "conductance_2"', "a fit has a conductance_2 of its own: give another name"),
        ('name = "DM"', 'name = "lifetime"', "a fit has a lifetime of its own: give another name"),
    ],
)
def test_a_mistake_is_one_line_with_file_key_and_what_is_allowed(written, before, after, complaint):
    assert before in DIMER
    path = written(DIMER.replace(before, after))
    with pytest.raises(StationError, match=complaint) as caught:
        read_system(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ('without = ["spins.middle"]', r"alternatives\.x\.without: spins\.middle: there is no such key"),
        ("spins.left.spin = 0.3", r"spin_system\.alternatives\.x\.spins\.left\.spin = 0\.3"),
        ("[spin_system.alternatives.mine]", r"alternatives\.mine: that is the system's own name"),
        ('file = "nothing.toml"', r"alternatives\.x\.file = 'nothing\.toml': there is no such file"),
    ],
)
def test_a_mistake_in_an_alternative_names_it(written, changes, complaint):
    with pytest.raises(StationError, match=complaint):
        read_system(written(f"{DIMER}\n[spin_system.alternatives.x]\n{changes}\n"))


def test_a_mistake_of_the_system_itself_is_not_told_of_its_alternatives(written):
    text = DIMER.replace("start = -1.5, low = -4", "start = -5, low = -4")
    with pytest.raises(StationError, match=r"spin_system\.spins\.left\.axial_anisotropy_meV: start = -5"):
        read_system(written(f"{text}\n[spin_system.alternatives.x]\nspins.right.spin = 1\n"))


def test_what_comes_with_stmlab_is_there_by_name_and_can_be_changed():
    (ising, none) = read_system("coupled_tip").alternatives
    assert (ising.label, none.label) == ("ising", "none")
    for label in ("heisenberg", "ising", "none"):
        changes = {"order": 2, "sample.coupling": 0.0, "spins.sample.scattering_S": 5e-6, "spins.tip.spin": 1}
        one = built_in("coupled_tip", label, changes)
        assert one.table.order == 2
        assert one.table.spins["sample"].scattering_S.value == 5e-6
        assert ("tip" in one.table.spins) == (label != "none")
        assert "kondo_coupling" not in one.parameters
