"""SRS and pulses where levels are close: the density matrix beside QuTiP, evolved in time, and beside rates."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import qutip
from scipy.linalg import expm

from stmlab.errors import PhysicsError
from stmlab.physics.baths import Bath, Electrode
from stmlab.physics.coherent import are_too_close
from stmlab.physics.coherent_drive import coherent_drive
from stmlab.physics.constants import ELEMENTARY_CHARGE_C, HBAR_MEV_S, K_B_MEV_PER_K, MEV_PER_V
from stmlab.physics.driven import FewerStates
from stmlab.physics.operators import spin_matrices
from stmlab.physics.pulses import Pulse, PulseTrain, mean_pulsed_current, pulse_response, pump_probe_current
from stmlab.physics.spins import Exchange, Spin, SpinSystem
from stmlab.physics.stochastic_resonance import static_current, stochastic_resonance
from stmlab.physics.transport import TunnelJunction
from stmlab.simulation.junctions import Drive
from stmlab.simulation.junctions.driven import mean_current, slow_rate
from tests.approximately import close

TIP, SAMPLE, CONDUCTANCE_S, BATH_S, SCATTER, TEMPERATURE_K = (0.1, -0.2, 0.5), (0.0, 0.1, -0.2), 1e-7, 3e-8, 0.3, 1.0
OFFSET_V, AMPLITUDE_V = 4e-3, 3e-3


def junction(system, equation="coherent"):
    return TunnelJunction(
        system,
        TEMPERATURE_K,
        CONDUCTANCE_S,
        tip=Electrode(TIP),
        sample=Electrode(SAMPLE),
        baths=tuple(Bath(spin, BATH_S) for spin in range(len(system.spins))),
        potential_scattering=SCATTER,
        equation=equation,
    )


def one_spin(transverse_meV=2e-4):
    """Two of three levels close, in a small oblique field."""
    return SpinSystem((Spin(1, -4.0, transverse_meV),), (), (0.01, 0.02, 0.003))


def two_spins():
    """Six levels, pairs of which the rates hardly resolve."""
    return SpinSystem((Spin(1, -2.0, 0.003), Spin(0.5)), (Exchange.heisenberg(0, 1, 0.002),), (0.01, 0, 0.02))


class MasterEquation:
    """The same written down anew in the product basis: jump operators, and QuTiP's Liouvillian of them."""

    def __init__(self, system):
        self.energies, self.states = np.linalg.eigh(system.hamiltonian_meV())
        sizes = [round(2 * spin.size + 1) for spin in system.spins]
        self.spins = []
        for place, spin in enumerate(system.spins):
            before, after = np.eye(int(np.prod(sizes[:place]))), np.eye(int(np.prod(sizes[place + 1 :])))
            self.spins.append([np.kron(np.kron(before, a), after) for a in spin_matrices(spin.size)])
        self.hamiltonian = qutip.Qobj(system.hamiltonian_meV() / HBAR_MEV_S)
        plain = np.eye(2) / 2
        half = np.array(spin_matrices(0.5))
        self.tip = plain + np.tensordot(TIP, half, axes=1)
        self.sample = plain + np.tensordot(SAMPLE, half, axes=1)
        self.half, self.plain = half, plain
        baths = [jump for spin in self.spins for jump in self.jumps(spin, 0.0, plain, plain, BATH_S, 0.0)]
        self.at_rest = qutip.liouvillian(self.hamiltonian, [qutip.Qobj(one) for one in baths]).full()

    def jumps(self, spin, scatter, before, after, conductance, gained):
        x = (self.energies[:, None] - self.energies - gained) / (K_B_MEV_PER_K * TEMPERATURE_K)
        safe = np.where(np.abs(x) < 1e-9, 1.0, x)
        weight = K_B_MEV_PER_K * TEMPERATURE_K * np.where(np.abs(x) < 1e-9, 1.0, safe / np.expm1(safe))
        found = []
        for p, start in zip(*(each.T for each in np.linalg.eigh(before)), strict=True):
            for q, end in zip(*(each.T for each in np.linalg.eigh(after)), strict=True):
                flips = sum(end.conj() @ (2 * self.half[a]) @ start * spin[a] / 2 for a in range(3))
                flips = flips + scatter * (end.conj() @ start) * np.eye(len(self.energies))
                inside = (self.states.conj().T @ flips @ self.states) * np.sqrt(weight)
                size = np.sqrt(4 * conductance * p * q * 1e-3 / ELEMENTARY_CHARGE_C)
                found.append(size * self.states @ inside @ self.states.conj().T)
        return found

    @cache  # noqa: B019 - a test's own equation lives no longer
    def at(self, bias_V):
        """The Liouvillian in 1/s, and the row with which it measures the current in A."""
        gained = MEV_PER_V * bias_V
        there = self.jumps(self.spins[0], SCATTER, self.tip, self.sample, CONDUCTANCE_S, gained)
        back = self.jumps(self.spins[0], SCATTER, self.sample, self.tip, CONDUCTANCE_S, -gained)
        generator = self.at_rest + qutip.liouvillian(None, [qutip.Qobj(one) for one in there + back]).full()
        measured = sum(sign * one.conj().T @ one for sign, many in ((1, there), (-1, back)) for one in many)
        return generator, ELEMENTARY_CHARGE_C * measured.ravel()  # Tr(w rho), rho stacked by columns

    def held(self, voltages, durations):
        """Mean current of an endless cycle of held voltages, and the populations of the levels in each step."""
        voltages = np.round(voltages, 15)  # of a cosine that comes back, rounding apart
        places = [self.at(one) for one in voltages.tolist()]
        steps = list(zip(voltages.tolist(), durations.tolist(), strict=True))
        evolved = {step: expm(self.at(step[0])[0] * step[1] / 2) for step in set(steps)}
        halves = [evolved[step] for step in steps]
        around = np.eye(len(halves[0]))
        for half in halves:
            around = half @ half @ around
        values, vectors = np.linalg.eig(around)
        state = vectors[:, np.abs(values - 1).argmin()]
        size = len(self.energies)
        state = state / np.trace(state.reshape(size, size))
        charge, populations = 0.0, []
        for (_, measured), half, t in zip(places, halves, durations, strict=True):
            middle = half @ state
            after = half @ middle
            charge += (measured @ (state + 4 * middle + after)).real / 6 * t
            rho = middle.reshape(size, size, order="F")
            populations.append(np.diag(self.states.conj().T @ rho @ self.states).real)
            state = after
        return charge / sum(durations), np.array(populations)


@pytest.fixture(scope="module")
def of_one_spin():
    return MasterEquation(one_spin())


def driven_by_qutip(equation, frequency, steps):
    """Of a drive held at the middle of each step, extrapolated to many."""
    found = []
    for count in (steps, 2 * steps):
        phases = (np.arange(count) + 0.5) / count
        voltages = OFFSET_V + AMPLITUDE_V * np.cos(2 * np.pi * phases)
        found.append(equation.held(voltages, np.full(count, 1 / (frequency * count)))[0])
    return (4 * found[1] - found[0]) / 3


@pytest.mark.parametrize(("system", "steps"), [(one_spin(), 48), (two_spins(), 24)])
def test_a_driven_current_is_that_of_qutips_master_equation(system, steps):
    """At frequencies below, at and above the rates, which are about 1e9 /s."""
    frequencies = np.array([2e8, 1e9, 6e9])
    found = stochastic_resonance(junction(system), frequencies, offset_V=OFFSET_V, amplitude_V=AMPLITUDE_V)
    rates = stochastic_resonance(junction(system, "secular"), frequencies, offset_V=OFFSET_V, amplitude_V=AMPLITUDE_V)
    equation = MasterEquation(system)
    told = [driven_by_qutip(equation, float(f), steps) for f in frequencies]
    assert found.signal_A + found.direct_current_A == close(np.array(told), rel=3e-5)
    differing = np.abs(rates.signal_A - found.signal_A).max()
    assert differing > 100 * np.abs(found.signal_A + found.direct_current_A - told).max()


def test_limits_of_slow_and_fast_drive_are_steady_states(of_one_spin):
    """The mean of the static currents, and the state of the mean Liouvillian by QuTiP."""
    found = stochastic_resonance(
        junction(one_spin()), np.array([0.0, 1.0, 1e16]), offset_V=OFFSET_V, amplitude_V=AMPLITUDE_V
    )
    voltages = OFFSET_V + AMPLITUDE_V * np.cos(2 * np.pi * np.arange(128) / 128)
    slow = junction(one_spin()).current(voltages).mean() - found.direct_current_A
    assert found.signal_A[:2] == close(np.array([slow, slow]), rel=1e-6)
    places = [of_one_spin.at(v) for v in np.round(voltages, 15).tolist()]
    mean = np.mean([generator for generator, _ in places], axis=0)
    state = np.linalg.svd(mean)[2][-1].conj()
    state /= np.trace(state.reshape(3, 3))
    fast = (np.mean([measured for _, measured in places], axis=0) @ state).real - found.direct_current_A
    assert found.signal_A[2] == close(fast, rel=1e-6)
    assert found.offset_A == close(fast, rel=1e-6)
    assert found.step_A == close(slow - fast, rel=1e-6)


TRAIN = PulseTrain(8e-9, (Pulse(2e-9, 0.9e-9, -9e-3, 0.3e-9), Pulse(4e-9, 0.5e-9, 5e-3)), 1e-3)


def pulses_by_qutip(equation, steps):
    durations, starts, ends = TRAIN.pieces()
    counts = np.where(starts == ends, 1, steps)
    times = np.repeat(durations / counts, counts)
    fractions = np.concatenate([(np.arange(count) + 0.5) / count for count in counts])
    voltages = np.repeat(starts, counts) + fractions * np.repeat(ends - starts, counts)
    rest = max(1, 64 // steps)
    # a step at rest is cut, too: its charge is taken by Simpson's rule
    cut = np.where(np.repeat(counts, counts) == 1, 400 * rest, 1)
    return equation.held(np.repeat(voltages, cut), np.repeat(times / cut, cut))[0]


def test_the_current_of_pulses_is_that_of_qutips_master_equation(of_one_spin):
    """A pulse with ramps and one with sharp edges."""
    coarse, fine = pulses_by_qutip(of_one_spin, 24), pulses_by_qutip(of_one_spin, 48)
    expected = (4 * fine - coarse) / 3
    assert mean_pulsed_current(junction(one_spin()), TRAIN, tolerance=1e-9) == close(expected, rel=2e-6)
    shown = pulse_response(junction(one_spin()), TRAIN, steps_per_ramp=256)
    assert shown.mean_current_A == close(expected, rel=1e-5)
    assert shown.occupations.sum(axis=1) == close(np.ones(len(shown.times_s)), rel=1e-9)
    assert shown.occupations.min() > 0.0
    secular = mean_pulsed_current(junction(one_spin(), "secular"), TRAIN)
    assert abs(secular - expected) > 1e-3 * abs(expected)


def test_occupations_along_a_pulse_are_those_of_qutip(of_one_spin):
    equation = junction(one_spin())
    durations, starts, ends = SHARP.pieces()
    assert (starts == ends).all()
    cut = 400
    _, populations = of_one_spin.held(np.repeat(starts, cut), np.repeat(durations / cut, cut))
    expected = populations.reshape(len(starts), cut, 3).mean(axis=1)
    assert pulse_response(equation, SHARP).occupations == pytest.approx(expected, abs=1e-5)


SHARP = PulseTrain(8e-9, (Pulse(2e-9, 0.9e-9, -9e-3), Pulse(4e-9, 0.5e-9, 5e-3)), 1e-3)


@pytest.mark.parametrize("transverse", [0.0, 0.9])
def test_far_or_degenerate_levels_have_the_signal_of_their_rates(transverse):
    """Without a field across, where degenerate states are moments; and where levels are a thousand widths apart."""
    system = SpinSystem((Spin(1, -1.0 if transverse == 0.0 else -4.0, transverse),))
    atoms = [
        replace(junction(system, one), tip=Electrode((0, 0, 0.5)), sample=Electrode())
        for one in ("coherent", "secular")
    ]
    coherent, secular = (
        stochastic_resonance(atom, np.array([1e7, 1e9, 1e10]), offset_V=OFFSET_V, amplitude_V=AMPLITUDE_V)
        for atom in atoms
    )
    assert coherent.signal_A == close(secular.signal_A, rel=1e-7 if transverse == 0.0 else 2e-4)
    assert coherent.step_A == close(secular.step_A, rel=1e-7 if transverse == 0.0 else 2e-4)
    pump, probe, delays = Pulse(0, 0.5e-9, -8e-3, 1e-10), Pulse(0, 0.5e-9, 5e-3, 1e-10), np.array([-1e-9, 0.2e-9, 2e-9])
    pulsed = [pump_probe_current(atom, pump, probe, delays, period_s=8e-9) for atom in atoms]
    assert pulsed[0] == close(pulsed[1], rel=1e-7 if transverse == 0.0 else 1e-4)


def test_the_automatic_choice_takes_coherences_where_they_matter():
    voltages = np.array([-5e-3, 5e-3])
    assert coherent_drive(junction(one_spin(), "automatic"), voltages) is not None
    assert coherent_drive(junction(one_spin(0.9), "automatic"), voltages) is None
    assert coherent_drive(junction(one_spin(), "secular"), voltages) is None
    upright = replace(junction(SpinSystem((Spin(1.5, -2.0, 0.3),)), "automatic"), tip=Electrode((0, 0, 0.5)))
    assert coherent_drive(upright, voltages) is not None, "the sample's electrons are polarised across"
    assert coherent_drive(replace(upright, sample=Electrode()), voltages) is None, "a doublet of two moments"
    assert coherent_drive(FewerStates(junction(one_spin(0.9), "secular"), 2), voltages) is None


@pytest.mark.parametrize("smooth", [True, False])
def test_the_microscopes_mean_current_is_the_spectrums(smooth):
    count = 64 if smooth else 4096
    voltage = OFFSET_V + AMPLITUDE_V * np.cos(2 * np.pi * np.arange(count) / count + 0.7)
    found = stochastic_resonance(junction(one_spin()), np.array([5e8]), offset_V=OFFSET_V, amplitude_V=AMPLITUDE_V)
    told = mean_current(junction(one_spin()), Drive(5e8, voltage, smooth=smooth))
    assert told == close(found.signal_A[0] + found.direct_current_A, rel=1e-5)


def test_pulses_of_the_microscope_are_those_of_the_train():
    """Samples of a generator, most of them alike."""
    times = (np.arange(8000) + 0.5) / 8000 * SHARP.period_s
    told = mean_current(junction(one_spin()), Drive(1 / SHARP.period_s, SHARP.at(times), smooth=False))
    assert told == close(mean_pulsed_current(junction(one_spin()), SHARP), rel=1e-6)


def test_the_slowest_rate_is_that_of_qutips_liouvillian(of_one_spin):
    generator, _ = of_one_spin.at(OFFSET_V)
    decays = np.sort(-np.linalg.eigvals(generator).real)
    assert slow_rate(junction(one_spin()), OFFSET_V, 0.0) == close(decays[1], rel=1e-6)


def test_a_static_current_is_that_of_the_density_matrix():
    bias = np.linspace(-6e-3, 6e-3, 5)
    assert static_current(junction(one_spin()), bias) == close(junction(one_spin()).current(bias), rel=1e-12)


def test_too_many_states_and_too_sharp_a_drive_are_refused():
    chain = SpinSystem((Spin(1, -4.0, 2e-4), Spin(1, -4.0, 2e-4), Spin(0.5)))
    with pytest.raises(PhysicsError, match=r"system = 18 states: coherences under a drive .* at most 9"):
        stochastic_resonance(junction(chain), np.array([1e9]), offset_V=OFFSET_V, amplitude_V=AMPLITUDE_V)


def test_a_moment_that_never_turns_over_within_a_period_is_refused():
    frozen = replace(junction(SpinSystem((Spin(2, -1.5, 0.0),))), tip=Electrode((0, 0, 0.5)), sample=Electrode())
    with pytest.raises(PhysicsError, match=r'relax by less than rounding, .* equation = "secular"'):
        stochastic_resonance(frozen, np.array([1e9]), offset_V=0.5e-3, amplitude_V=0.3e-3)


def test_a_drive_too_sharp_for_harmonics_is_solved_in_steps_of_time(monkeypatch):
    drive = {"offset_V": OFFSET_V, "amplitude_V": AMPLITUDE_V}
    balanced = stochastic_resonance(junction(one_spin()), np.array([0.0, 3e8, 2e9]), **drive)
    monkeypatch.setattr("stmlab.physics.coherent_resonance.linear_harmonics", lambda *_: None)
    stepped = stochastic_resonance(junction(one_spin()), np.array([0.0, 3e8, 2e9]), **drive)
    for name in ("signal_A", "homodyne_A", "average_A", "step_A", "offset_A"):
        expected = getattr(balanced, name)
        assert getattr(stepped, name) == pytest.approx(expected, rel=1e-5, abs=1e-6 * abs(balanced.step_A)), name
    middle = stepped.occupations.shape[1] // 2
    assert stepped.occupations[:, middle] == pytest.approx(
        balanced.occupations[:, balanced.occupations.shape[1] // 2], abs=1e-5
    )


def test_a_smooth_drive_is_balanced_and_takes_no_steps_of_time(monkeypatch):
    monkeypatch.setattr("stmlab.physics.coherent_resonance._in_steps", lambda *_: pytest.fail("in steps of time"))
    found = stochastic_resonance(junction(one_spin()), np.array([0.0]), offset_V=OFFSET_V, amplitude_V=1e-4)
    assert found.signal_A[0] == close(found.step_A + found.offset_A, rel=1e-5)


def test_rates_that_are_wrong_for_close_levels_are_known():
    bias = np.array([-6e-3, 6e-3])
    doublet = SpinSystem((Spin(1, -4.0, 1e-5),))
    assert are_too_close(junction(doublet, "secular"), bias)
    assert not are_too_close(junction(doublet, "automatic"), bias)
    assert not are_too_close(junction(SpinSystem((Spin(1, -4.0, 0.9),)), "secular"), bias)
    free = junction(SpinSystem((Spin(0.5),)), "secular")
    assert are_too_close(free, bias), "the electrons are polarised across the axis of the states"
    assert not are_too_close(replace(free, tip=Electrode((0, 0, 0.5)), sample=Electrode()), bias)
    assert not are_too_close(replace(junction(doublet, "secular"), occupation="thermal"), bias)
