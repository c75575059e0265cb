"""States and current in the course of a period, beside the differential equation integrated by scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from stmlab.errors import PhysicsError
from stmlab.physics.baths import Bath, Electrode
from stmlab.physics.courses import drive_course, pulse_course
from stmlab.physics.occupation import generator
from stmlab.physics.pulses import Pulse, PulseTrain, mean_pulsed_current
from stmlab.physics.spins import Spin, SpinSystem
from stmlab.physics.stochastic_resonance import stochastic_resonance
from stmlab.physics.transport import TunnelJunction
from tests.approximately import close

TRAIN = PulseTrain(6e-9, (Pulse(0.0, 0.9e-9, -9e-3, 0.3e-9), Pulse(2e-9, 0.5e-9, 6e-3, 0.1e-9)), 1e-3)
TIMES = np.array([0.1, -0.2, 0.5, 1.9, 2.2, 2.6, 5.5, 0.9]) * 1e-9


def atom(equation="secular", transverse_meV=0.3):
    system = SpinSystem((Spin(1, -2.0, transverse_meV),), (), (0.01, 0.02, 0.3))
    electrodes = {"tip": Electrode((0.1, -0.2, 0.5)), "sample": Electrode((0.0, 0.1, -0.2))}
    return TunnelJunction(system, 1.0, 1e-7, **electrodes, baths=(Bath(0, 3e-8),), equation=equation)


def integrated(junction, voltage, period, times):
    """The state that comes back after a period, and its course by an implicit method at the times."""

    def slope(time, columns):
        return (generator(junction.rates(np.atleast_1d(voltage(time))))[0] @ columns.reshape(3, -1)).ravel()

    order = np.argsort(times % period)
    ask = np.concatenate([(times % period)[order], [period]])
    limits = {"rtol": 1e-9, "atol": 1e-12, "max_step": period / 60}  # steps that pass over no corner of the voltage
    found = solve_ivp(slope, (0.0, period), np.eye(3).ravel(), "LSODA", ask, **limits)
    maps = found.y.T.reshape(-1, 3, 3)
    values, vectors = np.linalg.eig(maps[-1])
    start = vectors[:, np.abs(values - 1).argmin()].real
    occupations = np.empty((len(times), 3))
    occupations[order] = maps[:-1] @ (start / start.sum())
    return occupations


def test_the_course_of_pulses_solves_the_rate_equation():
    junction = atom()
    found = pulse_course(junction, TRAIN, TIMES)
    expected = integrated(junction, TRAIN.at, TRAIN.period_s, TIMES)
    assert found.occupations == pytest.approx(expected, abs=1e-6)
    assert np.ptp(found.occupations[:, 0]) > 0.1
    currents = (junction.state_currents(TRAIN.at(TIMES)) * expected).sum(axis=1)
    assert found.currents_A == pytest.approx(currents, abs=1e-5 * np.abs(currents).max())


def test_the_course_of_a_drive_solves_the_rate_equation():
    junction, period = atom(), 3e-9
    found = drive_course(junction, TIMES, frequency_Hz=1 / period, offset_V=1e-3, amplitude_V=5e-3)
    expected = integrated(junction, lambda t: 1e-3 + 5e-3 * np.cos(2 * np.pi * t / period), period, TIMES)
    assert found.occupations == pytest.approx(expected, abs=1e-6)
    assert np.ptp(found.occupations[:, 0]) > 0.05


@pytest.mark.parametrize(("equation", "transverse_meV"), [("secular", 0.3), ("automatic", 2e-4)])
def test_the_mean_over_a_period_is_the_current_of_the_spectrum_and_of_the_pulses(equation, transverse_meV):
    """With rates, and with coherences between close levels, whose means are computed in other ways."""
    junction, frequency = atom(equation, transverse_meV), 4e8
    times = (np.arange(800) + 0.5) / 800
    driven = drive_course(junction, times / frequency, frequency_Hz=frequency, offset_V=3e-3, amplitude_V=2e-3)
    spectrum = stochastic_resonance(junction, np.array([frequency]), offset_V=3e-3, amplitude_V=2e-3)
    assert driven.currents_A.mean() == close(spectrum.signal_A[0] + spectrum.direct_current_A, rel=1e-5)
    middle = spectrum.occupations.shape[1] // 2
    assert driven.occupations.mean(axis=0) == pytest.approx(spectrum.occupations[0, middle].real, abs=1e-5)
    pulsed = pulse_course(junction, TRAIN, times * TRAIN.period_s).currents_A
    largest = np.abs(pulsed).max()
    assert pulsed.mean() == pytest.approx(mean_pulsed_current(junction, TRAIN), abs=1e-5 * largest)


def test_after_a_period_all_repeats_and_times_may_come_in_any_order():
    turn = pulse_course(atom(), TRAIN, np.array([-1e-30, 0.0, TRAIN.period_s]))
    assert turn.occupations[1:] == pytest.approx(turn.occupations[:1].repeat(2, axis=0), abs=1e-12)
    here, later = pulse_course(atom(), TRAIN, TIMES), pulse_course(atom(), TRAIN, TIMES[::-1] + 3 * TRAIN.period_s)
    assert later.occupations[::-1] == pytest.approx(here.occupations, abs=1e-9)
    assert later.currents_A[::-1] == close(here.currents_A, rel=1e-6)


def test_a_drive_that_is_none_is_refused():
    with pytest.raises(PhysicsError, match="frequency_Hz = 0"):
        drive_course(atom(), TIMES, frequency_Hz=0.0, offset_V=0.0, amplitude_V=1e-3)
